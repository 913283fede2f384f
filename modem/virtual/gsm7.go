package virtual

import (
	"slices"
	"strings"
)

// defaultAlphabet is the GSM 7-bit default alphabet by code (TS 23.038 6.2.1); 0x1B announces a
// character of the extension table (6.2.1.1). It is written here again, apart from package pdu,
// so that a fault there does not cancel itself out against the simulation.
var defaultAlphabet = []rune("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" +
	" !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")

var extensionTable = map[rune]byte{
	'\f': 0x0a, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2f, '[': 0x3c, '~': 0x3d, ']': 0x3e,
	'|': 0x40, '€': 0x65,
}

// septets are the codes of a text; what the alphabet has not is a question mark.
func septets(text string) []byte {
	var codes []byte
	for _, r := range text {
		code := slices.Index(defaultAlphabet, r)
		extended, hasExtended := extensionTable[r]
		switch {
		case hasExtended:
			codes = append(codes, 0x1b, extended)
		case code < 0:
			codes = append(codes, '?')
		default:
			codes = append(codes, byte(code))
		}
	}
	return codes
}

// packUSSD packs septets as USSD does (TS 23.038 6.1.2.3): seven spare bits at the end would read
// as @, so they hold CR; and a CR that ends on an octet boundary is doubled.
func packUSSD(text string) []byte {
	codes := septets(text)
	if n := len(codes) % 8; n == 7 || n == 0 && len(codes) > 0 && codes[len(codes)-1] == cr {
		codes = append(codes, cr)
	}
	octets := make([]byte, (len(codes)*7+7)/8)
	for i, code := range codes {
		at, shift := i*7/8, i*7%8
		octets[at] |= code << shift
		if shift > 1 {
			octets[at+1] |= code >> (8 - shift)
		}
	}
	return octets
}

// unpackUSSD is the text of packed septets, without the CR that fills.
func unpackUSSD(octets []byte) string {
	var text strings.Builder
	extended := false
	count := len(octets) * 8 / 7
	for i := range count {
		at, shift := i*7/8, i*7%8
		bits := uint(octets[at]) >> shift
		if shift > 1 && at+1 < len(octets) {
			bits |= uint(octets[at+1]) << (8 - shift)
		}
		code := byte(bits & 0x7f)
		switch {
		case extended:
			text.WriteRune(extendedRune(code))
			extended = false
		case code == 0x1b:
			extended = true
		case code == cr && i == count-1 && count%8 == 0:
		default:
			text.WriteRune(defaultAlphabet[code])
		}
	}
	return text.String()
}

// extendedRune is a character of the extension table; a code that has none there means the one of
// the default alphabet (TS 23.038 6.2.1.1).
func extendedRune(code byte) rune {
	for r, c := range extensionTable {
		if c == code {
			return r
		}
	}
	return defaultAlphabet[code]
}
