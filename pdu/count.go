package pdu

import (
	"strings"
	"unicode/utf8"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/tpdu"
	"github.com/warthog618/sms/encoding/ucs2"
)

// MaxParts is the most parts that a concatenated message can have: their number is one octet
// (3GPP TS 23.040 9.2.3.24.1).
const MaxParts = 255

// Alphabet is how the user data is coded (3GPP TS 23.038 section 4).
type Alphabet uint8

const (
	// GSM7 is the GSM 7 bit default alphabet with its extension table.
	GSM7 Alphabet = iota
	// UCS2 is 16-bit coding; as every phone of this century does, it is read and written as UTF-16.
	UCS2
	// Octets is 8-bit data.
	Octets
)

// String returns "GSM-7", "UCS-2" or "8-bit".
func (a Alphabet) String() string {
	switch a {
	case GSM7:
		return "GSM-7"
	case UCS2:
		return "UCS-2"
	default:
		return "8-bit"
	}
}

// dcs returns the general data coding group's TP-DCS (TS 23.038 section 4), which alone can say
// every pair of alphabet and class.
func (a Alphabet) dcs(flash bool) byte {
	dcs := byte(0x00)
	switch a {
	case UCS2:
		dcs = byte(tpdu.DcsUCS2Data)
	case Octets:
		dcs = byte(tpdu.Dcs8BitData)
	}
	if flash {
		dcs |= 0x10
	}
	return dcs
}

// Content is what the sender wants the recipient to get: a text, or data for a port.
type Content struct {
	// Text is UTF-8. It goes out in the GSM-7 default alphabet where that and its extension table
	// hold every character, else in UCS-2. U+001B is dropped: on the air it is no character but
	// the escape to the extension table, and would change the character after it.
	Text string
	// Data are octets for the application at Port.
	Data []byte
	// Port is the 16-bit application port, 0..65535, that Data goes to (TS 23.040 9.2.3.24.4).
	Port uint16
	// Flash makes it a class 0 message: shown at once, not stored (TS 23.038 section 4).
	Flash bool
}

// Counted is what a content costs.
type Counted struct {
	Alphabet Alphabet
	// Parts is the number of SMS-SUBMITs, 1..MaxParts, and of messages on the bill.
	Parts int
	// Units is the length of the whole in septets (a character of the extension table is two), in
	// UTF-16 code units, or in octets.
	Units int
	// PerPart is how many units fit into each part of a message of this many parts: 160 or 153
	// septets, 70 or 67 code units, 133 or 128 octets of data.
	PerPart int
}

// Count says in how many parts Encode would send c, and in which alphabet. The errors are
// ErrEmpty, ErrTextAndData, ErrNotUTF8 and ErrTooLong.
func Count(c Content) (Counted, error) {
	alphabet, ud, err := c.userData()
	if err != nil {
		return Counted{}, err
	}
	parts, err := split(c.submit(alphabet), ud, 0)
	if err != nil {
		return Counted{}, err
	}
	n := Counted{Alphabet: alphabet, Parts: len(parts), Units: len(ud), PerPart: parts[0].UDBlockSize()}
	if alphabet == UCS2 {
		n.Units, n.PerPart = n.Units/2, n.PerPart/2
	}
	return n, nil
}

// userData codes the content: unpacked septets, UTF-16BE or octets.
func (c Content) userData() (Alphabet, []byte, error) {
	switch {
	case c.Text != "" && (len(c.Data) > 0 || c.Port != 0):
		return 0, nil, ErrTextAndData
	case len(c.Data) > 0:
		return Octets, c.Data, nil
	case !utf8.ValidString(c.Text):
		return 0, nil, ErrNotUTF8
	}
	alphabet, ud := codeText(c.Text)
	if len(ud) == 0 {
		return 0, nil, ErrEmpty
	}
	return alphabet, ud, nil
}

func codeText(text string) (Alphabet, []byte) {
	text = strings.ReplaceAll(text, "\x1b", "")
	if septets, err := gsm7.Encode([]byte(text)); err == nil {
		return GSM7, septets
	}
	return UCS2, ucs2.Encode([]rune(text))
}

// submit returns the template of the content's SMS-SUBMIT. It is new for every message, because
// Segment appends to the template's header.
func (c Content) submit(a Alphabet) tpdu.TPDU {
	t := tpdu.TPDU{
		Direction:  tpdu.MO,
		FirstOctet: tpdu.FirstOctet(tpdu.MtSubmit),
		DCS:        tpdu.DCS(a.dcs(c.Flash)),
	}
	if a == Octets {
		t.SetUDH(tpdu.UserDataHeader{Ports{Destination: c.Port}.element()})
	}
	return t
}

// split cuts the user data into parts, never inside an escape sequence or a surrogate pair.
// Segment itself would let the number of parts wrap at 256.
func split(t tpdu.TPDU, ud []byte, ref uint8) ([]tpdu.TPDU, error) {
	if len(ud) > MaxParts*t.UDBlockSize() {
		return nil, ErrTooLong
	}
	parts := t.Segment(ud, tpdu.WithConcatRef(reference(ref)))
	if len(parts) > MaxParts {
		return nil, ErrTooLong
	}
	return parts, nil
}

// reference gives every part of one message the same concatenation reference.
type reference uint8

func (r reference) Count() int { return int(r) }
