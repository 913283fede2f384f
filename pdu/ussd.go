package pdu

import (
	"fmt"
	"strings"

	"github.com/warthog618/sms/encoding/gsm7"
)

// maxUSSD is the most octets that a USSD string can have (3GPP TS 24.080 section 4.5).
const maxUSSD = 160

const (
	cr  = 0x0D
	esc = 0x1B
)

// PackUSSD packs a text of the GSM 7-bit default alphabet as USSD does (3GPP TS 23.038 section
// 6.1.2.3): a CR fills seven spare bits, which would otherwise read as "@". ErrTooLong is for more
// than 182 septets, and ErrEmpty for none; another alphabet is not sent.
//
// gsm7.Pack7BitUSSD of v0.3.0 is not used: it takes a last character such as "$" for spare bits.
func PackUSSD(text string) ([]byte, error) {
	septets, err := gsm7.Encode([]byte(text))
	if strings.ContainsRune(text, esc) {
		err = gsm7.ErrInvalidUTF8(esc) // it would take the next character for another
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("pdu: %w", err)
	case len(septets) == 0:
		return nil, ErrEmpty
	}
	b := gsm7.Pack7Bit(septets, 0)
	switch last := septets[len(septets)-1]; {
	case len(septets)%8 == 7:
		b[len(b)-1] |= cr << 1
	case len(septets)%8 == 0 && last == cr:
		b = append(b, cr) // so that it does not read as filling
	}
	if len(b) > maxUSSD {
		return nil, ErrTooLong
	}
	return b, nil
}

// UnpackUSSD is the text that PackUSSD packed. Octets that no one packed give a text too: whether
// they can have been one is for the caller to judge. Filling of zeros, which some networks send
// instead of CR, is dropped as well, and with it an "@" that ends a text of 8n characters.
func UnpackUSSD(b []byte) string {
	septets := gsm7.Unpack7Bit(b, 0)
	if n := len(septets); n > 0 {
		last := septets[n-1]
		switch {
		case n%8 == 0 && (last == cr || last == 0),
			n%8 == 1 && n > 1 && last == cr && septets[n-2] == cr:
			septets = septets[:n-1]
		}
	}
	text, _ := gsm7.Decode(septets) // fails only if it is asked to be strict
	return string(text)
}
