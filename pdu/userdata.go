package pdu

import (
	"cmp"
	"encoding/binary"
	"unicode/utf16"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/tpdu"
)

// Information element identifiers (3GPP TS 23.040 9.2.3.24).
const (
	ieConcat8  = 0x00
	iePorts8   = 0x04
	iePorts16  = 0x05
	ieConcat16 = 0x08
)

// maxUserData is the most octets that TP-UD can have in SMS-SUBMIT and SMS-DELIVER.
const maxUserData = 140

// Concat says which part of which concatenated message this is (3GPP TS 23.040 9.2.3.24.1 and .8).
type Concat struct {
	Reference uint16
	// Total is the number of parts, Number this one's, from 1.
	Total, Number uint8
	// Wide says that the reference has 16 bits; it is another one then than the same number in 8.
	Wide bool
}

func (c Concat) element() tpdu.InformationElement {
	if c.Wide {
		return tpdu.InformationElement{ID: ieConcat16,
			Data: []byte{byte(c.Reference >> 8), byte(c.Reference), c.Total, c.Number}}
	}
	return tpdu.InformationElement{ID: ieConcat8, Data: []byte{byte(c.Reference), c.Total, c.Number}}
}

// Ports are application ports (3GPP TS 23.040 9.2.3.24.3 and .4).
type Ports struct{ Destination, Source uint16 }

func (p Ports) element() tpdu.InformationElement {
	data := binary.BigEndian.AppendUint16(nil, p.Destination)
	return tpdu.InformationElement{ID: iePorts16, Data: binary.BigEndian.AppendUint16(data, p.Source)}
}

// userData is what TP-DCS, TP-UDL and TP-UD say.
type userData struct {
	alphabet Alphabet
	flash    bool
	udh      []byte
	concat   *Concat
	ports    *Ports
	text     string
	data     []byte
}

// userData reads TP-UDL and TP-UD, to the end of the PDU, and makes the best of what is there.
// fault is the first thing in it that a network would refuse.
func (r *reader) userData(dcs tpdu.DCS, udhi bool) (u userData, fault error) {
	udl := int(r.octet("TP-UDL"))
	if r.err != nil {
		return userData{}, r.err
	}
	class, err := dcs.Class()
	u = userData{alphabet: alphabetOf(dcs), flash: err == nil && class == tpdu.MClass0}
	want := udl
	if u.alphabet == GSM7 {
		want = (udl*7 + 7) / 8
	}
	ud := r.take("TP-UD", min(want, len(r.rest)))
	fault = checkUserData(dcs, want, len(ud), len(r.rest))
	if len(ud) < want {
		udl = len(ud)
		if u.alphabet == GSM7 {
			udl = len(ud) * 8 / 7
		}
	}
	var ies tpdu.UserDataHeader
	if udhi {
		ies, err = u.header(ud)
		fault = cmp.Or(fault, err)
	}
	return u, cmp.Or(fault, u.decode(ud, udl, ies))
}

// checkUserData compares the octets that TP-UDL stands for with those that there are.
func checkUserData(dcs tpdu.DCS, want, have, trailing int) error {
	_, err := dcs.Alphabet()
	switch {
	case err != nil || dcs&0x80 == 0 && dcs&0x0C == 0x0C:
		return malformed("TP-DCS", "0x%02X is reserved", byte(dcs))
	case dcs.Compressed():
		return malformed("TP-DCS", "0x%02X says that the text is compressed", byte(dcs))
	case want > maxUserData:
		return malformed("TP-UDL", "stands for %d octets, more than %d", want, maxUserData)
	case have < want:
		return malformed("TP-UD", "has %d octets, TP-UDL stands for %d", have, want)
	case trailing > 0:
		return malformed("TP-UD", "is followed by %d octets", trailing)
	}
	return nil
}

// alphabetOf reads TP-DCS; reserved codings are the default alphabet, as TS 23.038 section 4 says.
// A compressed text is left to the caller as octets.
func alphabetOf(dcs tpdu.DCS) Alphabet {
	if dcs.Compressed() {
		return Octets
	}
	a, err := dcs.Alphabet()
	switch {
	case err == nil && a == tpdu.AlphaUCS2:
		return UCS2
	case err == nil && a == tpdu.Alpha8Bit:
		return Octets
	}
	return GSM7
}

// header reads the user data header. What is wrong with it is told, and the elements before the
// fault are kept; a header that does not end within the user data is none.
func (u *userData) header(ud []byte) (tpdu.UserDataHeader, error) {
	const field = "TP-UDH"
	if len(ud) == 0 || int(ud[0]) >= len(ud) {
		return nil, malformed(field, "does not end within TP-UD")
	}
	n := 1 + int(ud[0])
	u.udh = ud[:n:n]
	ies, err := elements(u.udh[1:])
	for _, ie := range ies {
		if e := u.element(ie); e != nil && err == nil {
			err = e
		}
	}
	return ies, err
}

func elements(b []byte) (tpdu.UserDataHeader, error) {
	var ies tpdu.UserDataHeader
	r := reader{rest: b}
	for len(r.rest) > 0 {
		ie := tpdu.InformationElement{ID: r.octet("IEI")}
		ie.Data = r.take("information element", int(r.octet("IEIDL")))
		if r.err != nil {
			return ies, r.err
		}
		ies = append(ies, ie)
	}
	return ies, nil
}

// element takes in an element that we know; of several the last counts (TS 23.040 9.2.3.24).
func (u *userData) element(ie tpdu.InformationElement) error {
	n, known := map[byte]int{ieConcat8: 3, ieConcat16: 4, iePorts8: 2, iePorts16: 4}[ie.ID]
	switch {
	case !known:
		return nil
	case len(ie.Data) != n:
		return malformed("TP-UDH", "element 0x%02X has %d octets, not %d", ie.ID, len(ie.Data), n)
	}
	d := ie.Data
	switch ie.ID {
	case iePorts8:
		u.ports = &Ports{Destination: uint16(d[0]), Source: uint16(d[1])}
	case iePorts16:
		u.ports = &Ports{Destination: binary.BigEndian.Uint16(d), Source: binary.BigEndian.Uint16(d[2:])}
	case ieConcat8:
		return u.part(Concat{Reference: uint16(d[0]), Total: d[1], Number: d[2]})
	case ieConcat16:
		return u.part(Concat{Reference: binary.BigEndian.Uint16(d), Total: d[2], Number: d[3], Wide: true})
	}
	return nil
}

func (u *userData) part(c Concat) error {
	if c.Number == 0 || c.Number > c.Total {
		return malformed("TP-UDH", "says part %d of %d", c.Number, c.Total)
	}
	u.concat = &c
	return nil
}

// decode reads what follows the header. udl is in septets for GSM-7, in octets otherwise.
func (u *userData) decode(ud []byte, udl int, ies tpdu.UserDataHeader) (err error) {
	body := ud[len(u.udh):]
	switch u.alphabet {
	case GSM7:
		u.text, err = decodeSeptets(body, udl, len(u.udh), ies)
	case UCS2:
		if len(body)%2 != 0 {
			err = malformed("TP-UD", "has an odd number of UCS-2 octets")
		}
		// Not by ucs2.Decode, in which a lone surrogate swallows the character after it.
		units := make([]uint16, len(body)/2)
		for i := range units {
			units[i] = binary.BigEndian.Uint16(body[2*i:])
		}
		u.text = string(utf16.Decode(units))
	case Octets:
		u.data = append([]byte(nil), body...)
	}
	return err
}

// decodeSeptets unpacks what follows a header of udhl octets; the text begins on a septet boundary
// of the whole (TS 23.040 9.2.3.24). National language tables are used where the header names them.
func decodeSeptets(body []byte, udl, udhl int, ies tpdu.UserDataHeader) (string, error) {
	fill := (7 - udhl%7) % 7
	n := udl - (udhl*8+fill)/7
	if n < 0 {
		return "", malformed("TP-UDL", "ends within TP-UDH")
	}
	septets := gsm7.Unpack7Bit(body, fill)
	text, err := tpdu.DecodeUserData(septets[:min(n, len(septets))], ies, tpdu.Alpha7Bit, tpdu.WithAllCharsets)
	return string(text), err
}
