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
	ieShift    = 0x24
	ieLocking  = 0x25
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
	// udl is TP-UDL as far as ud reaches; udh is the head of ud.
	udl     int
	ud, udh []byte
	concat  *Concat
	ports   *Ports
	// septets in national tables, or units, are what the text was read from.
	septets []byte
	tables  tpdu.UserDataHeader
	units   []uint16
	text    string
	data    []byte
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
	u.udl, u.ud = udl, ud
	if udhi {
		fault = cmp.Or(fault, u.header())
	}
	return u, cmp.Or(fault, u.decode())
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
func (u *userData) header() error {
	const field = "TP-UDH"
	if len(u.ud) == 0 || int(u.ud[0]) >= len(u.ud) {
		return malformed(field, "does not end within TP-UD")
	}
	n := 1 + int(u.ud[0])
	u.udh = u.ud[:n:n]
	ies, err := elements(u.udh[1:])
	for _, ie := range ies {
		if e := u.element(ie); e != nil && err == nil {
			err = e
		}
	}
	return err
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
	n, known := map[byte]int{
		ieConcat8: 3, ieConcat16: 4, iePorts8: 2, iePorts16: 4, ieShift: 1, ieLocking: 1,
	}[ie.ID]
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
	case ieShift, ieLocking:
		// The library takes the identifiers of the standard, which are hexadecimal, for decimal.
		ie.ID = map[byte]byte{ieShift: 24, ieLocking: 25}[ie.ID]
		u.tables = append(u.tables, ie)
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

// decode reads what follows the header.
func (u *userData) decode() (err error) {
	body := u.ud[len(u.udh):]
	switch u.alphabet {
	case GSM7:
		if u.septets, err = unpack(body, u.udl, len(u.udh)); err == nil {
			u.text, err = decodeSeptets(u.septets, u.tables)
		}
	case UCS2:
		if len(body)%2 != 0 {
			err = malformed("TP-UD", "has an odd number of UCS-2 octets")
		}
		u.units = make([]uint16, len(body)/2)
		for i := range u.units {
			u.units[i] = binary.BigEndian.Uint16(body[2*i:])
		}
		u.text = decodeUnits(u.units)
	case Octets:
		u.data = append([]byte(nil), body...)
	}
	return err
}

// unpack returns the septets that follow a header of udhl octets; the text begins on a septet
// boundary of the whole (TS 23.040 9.2.3.24). udl counts in septets.
func unpack(body []byte, udl, udhl int) ([]byte, error) {
	fill := (7 - udhl%7) % 7
	n := udl - (udhl*8+fill)/7
	if n < 0 {
		return nil, malformed("TP-UDL", "ends within TP-UDH")
	}
	septets := gsm7.Unpack7Bit(body, fill)
	return septets[:min(n, len(septets))], nil
}

// decodeSeptets reads a text in the national language tables that the header named, or else in the
// default ones; a table that does not exist is the default one.
func decodeSeptets(septets []byte, tables tpdu.UserDataHeader) (string, error) {
	text, err := tpdu.DecodeUserData(septets, tables, tpdu.Alpha7Bit, tpdu.WithAllCharsets)
	return string(text), err
}

// decodeUnits reads UCS-2 as UTF-16. Not by ucs2.Decode, in which a lone surrogate swallows the
// character after it.
func decodeUnits(units []uint16) string { return string(utf16.Decode(units)) }
