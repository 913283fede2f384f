package pdu

import (
	"fmt"
	"strings"

	"github.com/warthog618/sms/encoding/gsm7"
	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"
)

const (
	// maxDigits is what an address field can carry: 10 octets of semi-octets (TS 23.040 9.1.2.5,
	// TS 24.011 8.2.5.1).
	maxDigits = 20
	// sameDigits is how many last digits two forms of one number must share.
	sameDigits = 6

	toaUnknown       = 0x81 // type of number unknown, ISDN numbering plan
	toaInternational = 0x91
	toaAlphanumeric  = 0xD0
)

// ValidAddress says whether a recipient can be addressed. "+" and 1..20 digits is an international
// number (type of number 001); 1..20 of the digits, "*" and "#" is a national number or a short
// code, sent as dialled with type of number "unknown" (000), for the network to interpret. All
// else is ErrAddress.
func ValidAddress(number string) error {
	digits, international := strings.CutPrefix(number, "+")
	allowed := "0123456789*#"
	if international {
		allowed = "0123456789"
	}
	switch {
	case digits == "":
		return fmt.Errorf("%w: %q has no digits", ErrAddress, number)
	case strings.Trim(digits, allowed) != "":
		return fmt.Errorf("%w: %q: only \"+\" and digits, or digits, \"*\" and \"#\"", ErrAddress, number)
	case len(digits) > maxDigits:
		return fmt.Errorf("%w: %q has more than %d digits", ErrAddress, number, maxDigits)
	}
	return nil
}

// ValidSMSC says whether a Service Centre can be addressed: 1..20 digits, with or without "+"; ""
// is the SIM's. All else is ErrAddress.
func ValidSMSC(number string) error {
	if number == "" {
		return nil
	}
	if strings.ContainsAny(number, "*#") {
		return fmt.Errorf("%w: %q: a Service Centre has digits only", ErrAddress, number)
	}
	return ValidAddress(number)
}

// SameNumber says whether two forms of a number mean one subscriber, as far as their last digits
// tell. A report may name the recipient in another form than it was sent to: national for
// international, or with a prefix of the modem's own making. "+", other signs and leading zeros are
// ignored; the shorter number must then have six digits or more and end the longer one. Numbers
// of the very same digits are the same however short. An empty number is like no other.
func SameNumber(a, b string) bool {
	a, b = onlyDigits(a), onlyDigits(b)
	if a == b {
		return a != ""
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) > len(b) {
		a, b = b, a
	}
	return len(a) >= sameDigits && strings.HasSuffix(b, a)
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// numberAddress is for numbers that ValidAddress accepts. tpdu's own constructor would make every
// short code international.
func numberAddress(number string) tpdu.Address {
	if digits, ok := strings.CutPrefix(number, "+"); ok {
		return tpdu.Address{TOA: toaInternational, Addr: digits}
	}
	return tpdu.Address{TOA: toaUnknown, Addr: number}
}

// originator is a number, or else a name.
func originator(s string) (tpdu.Address, error) {
	if ValidAddress(s) == nil {
		return numberAddress(s), nil
	}
	a := tpdu.Address{TOA: toaAlphanumeric, Addr: s}
	b, err := a.MarshalBinary()
	if err != nil || s == "" || len(b) > 2+maxDigits/2 || strings.Contains(s, "\x1b") {
		return tpdu.Address{}, fmt.Errorf("%w: %q is no number and no name of 1 to 11 GSM-7 characters", ErrAddress, s)
	}
	return a, nil
}

// encodeSCA returns the Service Centre address as it stands before the TPDU; for the SIM's that
// is a length of 0.
func encodeSCA(number string) ([]byte, error) {
	if err := ValidSMSC(number); err != nil {
		return nil, err
	}
	a := pdumode.SMSCAddress{Address: numberAddress(number)}
	return a.MarshalBinary()
}

// address is an address field as received.
type address struct {
	toa    byte
	length int // in semi-octets
	octets []byte
}

// address reads a TP address: length in semi-octets, type of address, value (TS 23.040 9.1.2.5).
func (r *reader) address(field string) address {
	length := int(r.octet(field))
	return address{toa: r.octet(field), length: length, octets: r.take(field, (length+1)/2)}
}

// sca reads a Service Centre address: length in octets with the type of address, type, value
// (TS 24.011 8.2.5.1). The SIM's, of length 0, reads as the zero address.
func (r *reader) sca() address {
	const field = "SCA"
	n := int(r.octet(field))
	if n == 0 {
		return address{}
	}
	a := address{toa: r.octet(field), octets: r.take(field, n-1)}
	a.length = 2 * len(a.octets)
	if a.length > 0 && a.octets[len(a.octets)-1] >= 0xF0 {
		a.length--
	}
	return a
}

func (a address) typeOfNumber() tpdu.TypeOfNumber { return tpdu.Address{TOA: a.toa}.TypeOfNumber() }

// String reads the address as well as it can be read: fill in the middle is skipped, a missing
// fill not asked for.
func (a address) String() string {
	if a.length == 0 || len(a.octets) == 0 {
		return ""
	}
	if a.typeOfNumber() == tpdu.TonAlphanumeric {
		return a.alphanumeric()
	}
	var s strings.Builder
	if a.typeOfNumber() == tpdu.TonInternational {
		s.WriteByte('+')
	}
	for i := range a.length {
		if semi := a.semiOctet(i); semi != 0xF {
			s.WriteByte("0123456789*#abc"[semi])
		}
	}
	return s.String()
}

func (a address) semiOctet(i int) byte {
	return a.octets[i/2] >> (4 * (i % 2)) & 0xF
}

// alphanumeric reads a name in the GSM-7 default alphabet (TS 23.040 9.1.2.5).
func (a address) alphanumeric() string {
	septets := gsm7.Unpack7Bit(a.octets, 0)
	n := min(a.length*4/7, len(septets))
	if n == 8 && septets[7] == 0 {
		// A Service Centre that counts whole octets gives a name of 7 characters the length of 8,
		// and 0 is "@".
		n = 7
	}
	name, _ := gsm7.Decode(septets[:n]) // fails only if it is asked to be strict
	return string(name)
}

// check says what a network would refuse in the address of a number.
func (a address) check(field string, valid func(number string) error) error {
	ton := a.typeOfNumber()
	switch {
	case a.length == 0:
		return malformed(field, "has no digits")
	case a.toa&0x80 == 0:
		return malformed(field, "has type of address 0x%02X, without its first bit", a.toa)
	case ton == tpdu.TonAlphanumeric || ton == tpdu.TonExtension:
		return malformed(field, "has type of number %d, which is no number", ton)
	case a.length%2 == 1 && a.semiOctet(a.length) != 0xF:
		return malformed(field, "has an odd number of digits and no fill")
	}
	number := a.String()
	if valid(number) != nil || len(strings.TrimPrefix(number, "+")) != a.length {
		// Without the number: the error is logged.
		return malformed(field, "of length %d is not 1 to %d digits", a.length, maxDigits)
	}
	return nil
}
