package modem

import (
	"encoding/hex"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"dongled/pdu"
)

// noDCS is the <dcs> of a +CUSD that gives none.
const noDCS = -1

// parseUSSD reads "<m>[,<str>[,<dcs>]]" of +CUSD (TS 27.007 section 7.15), decoded. The text may
// hold quotes and commas of its own, and lacks its quotes on some dongles.
func parseUSSD(args string) (USSD, bool) {
	first, rest, _ := strings.Cut(args, ",")
	m, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || m < 0 {
		return USSD{}, false
	}
	text, dcs := rest, ""
	switch open, end := strings.IndexByte(rest, '"'), strings.LastIndexByte(rest, '"'); {
	case open >= 0 && open < end:
		text, dcs = rest[open+1:end], strings.TrimLeft(rest[end+1:], ", ")
	case open >= 0: // the end is lost
		text = rest[open+1:]
	default:
		i := strings.LastIndexByte(rest, ',')
		if _, err := strconv.Atoi(strings.TrimSpace(rest[i+1:])); i >= 0 && err == nil {
			text, dcs = rest[:i], rest[i+1:]
		}
	}
	n, err := strconv.Atoi(strings.TrimSpace(dcs))
	if err != nil || n < 0 || n > 255 {
		n = noDCS
	}
	return USSD{Text: decodeUSSD(text, n), Status: m}, true
}

// decodeUSSD reads the text of +CUSD. What <dcs> (TS 23.038 section 5) says of it is a hint and no
// more: dongles convert the text to the character set of the terminal, or to hex of it, or hand
// the octets of the network over in hex, and leave <dcs> as it was. Whatever cannot be hex is the
// text itself; what can, is read as what makes sense.
func decodeUSSD(text string, dcs int) string {
	octets, err := hex.DecodeString(text)
	if err != nil || len(octets) == 0 {
		return readable(text)
	}
	declared := ussdAlphabet(dcs)
	if declared == pdu.UCS2 && len(octets)%2 == 0 {
		return ucs2(withoutLanguage(octets, dcs))
	}
	if oneScript(octets) {
		return ucs2(octets) // converted, for AT+CSCS="UCS2"
	}
	if isNumber(text) {
		return text
	}
	if declared == pdu.Octets {
		return readable(string(octets))
	}
	if len(octets) >= 6 && isASCII(octets) {
		return readable(string(octets)) // converted, for AT+CSCS="HEX": packed septets set the eighth bit
	}
	if packed := pdu.UnpackUSSD(octets); plausible(packed) || len(text) > maxNumber {
		if dcs == 0x10 && len(packed) > 3 && packed[2] == '\r' { // <language> CR
			packed = packed[3:]
		}
		return readable(packed)
	}
	return text
}

// ussdAlphabet is the alphabet that a cell broadcast data coding scheme names; what is reserved or
// not told is GSM-7.
func ussdAlphabet(dcs int) pdu.Alphabet {
	switch group := dcs >> 4; {
	case dcs == noDCS:
	case dcs == 0x11:
		return pdu.UCS2
	case 4 <= group && group <= 7, group == 9: // general data coding, without and with a header
		switch dcs >> 2 & 3 {
		case 1:
			return pdu.Octets
		case 2:
			return pdu.UCS2
		}
	case group == 0xF && dcs&4 != 0:
		return pdu.Octets
	case dcs == 0x08: // of TP-DCS, and not of this coding; seen all the same
		return pdu.UCS2
	}
	return pdu.GSM7
}

// withoutLanguage drops the two letters of a language, packed into two octets, that stand before
// a UCS-2 text by <dcs> 0x11. Many networks leave them out.
func withoutLanguage(octets []byte, dcs int) []byte {
	if dcs != 0x11 || len(octets) < 4 || octets[2] >= 0x2E {
		return octets // 0x2E00 and above, Chinese and the like, can begin with any octets
	}
	for _, c := range []byte{octets[0] & 0x7F, octets[0]>>7 | octets[1]<<1&0x7F} {
		if c < 'a' || c > 'z' {
			return octets
		}
	}
	return octets[2:]
}

// oneScript says whether octets read as UCS-2 stay within one block of 256 characters, but for
// punctuation, which packed septets hardly ever do.
func oneScript(octets []byte) bool {
	if len(octets)%2 != 0 {
		return false
	}
	block := -1
	for i := 0; i < len(octets); i += 2 {
		high, low := int(octets[i]), octets[i+1]
		switch {
		case high == 0 && low < ' ' && low != '\r' && low != '\n', high == 0 && 0x7F <= low && low < 0xA0:
			return false
		case high == 0, high == 0x20: // Latin, punctuation and currencies
		case block == -1 && high < 0x10: // the alphabets of Europe and the Near East, and Indian ones
			block = high
		case block != high:
			return false
		}
	}
	// A lone block of its own is no proof where there is only one character.
	return len(octets) > 2 || block == -1 && octets[0] == 0
}

// maxNumber is the most digits that pass for an amount, a card or a telephone number: of as many
// octets of packed text not one in a thousand shows no digit above 9.
const maxNumber = 20

func isNumber(text string) bool {
	return len(text) <= maxNumber && strings.Trim(text, "0123456789") == ""
}

func ucs2(octets []byte) string {
	units := make([]uint16, len(octets)/2)
	for i := range units {
		units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
	}
	return readable(string(utf16.Decode(units)))
}

func isASCII(octets []byte) bool {
	for _, c := range octets {
		if c >= 0x7F || c < ' ' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// plausible says whether a network would send this: printable, and of Greek, which GSM-7 has for
// the sake of formulas, no more than a little.
func plausible(text string) bool {
	characters, odd := 0, 0
	for _, r := range text {
		characters++
		switch {
		case r == '\n', r == '\r':
		case unicode.IsControl(r):
			return false
		case unicode.Is(unicode.Greek, r), strings.ContainsRune("¤¡¿§ÆØÅæøå", r):
			odd++
		}
	}
	return odd*5 <= characters
}

// readable makes UTF-8 of a text that a dongle gave as it is: octets that are no UTF-8 are taken
// for Latin-1, and line ends are a line feed.
func readable(text string) string {
	if !utf8.ValidString(text) {
		runes := make([]rune, len(text))
		for i := range len(text) {
			runes[i] = rune(text[i])
		}
		text = string(runes)
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	return strings.TrimRight(text, "\n\x00")
}
