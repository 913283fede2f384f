package pdu

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
)

// wspForm is which of the three forms of WAP-230-WSP section 8.4.1.2 a value has; its first octet says
// so, whatever the field means, and that is how a field nobody knows is passed over.
type wspForm uint8

const (
	// wspShort is one octet from 128 on: a short integer or a well-known token.
	wspShort wspForm = iota
	// wspText is a text without the zero that ends it.
	wspText
	// wspOctets follow a length: a long integer, or whatever else the field defines.
	wspOctets
)

// wspValue is the value of one field.
type wspValue struct {
	form wspForm
	// short is the octet without its highest bit.
	short  byte
	octets []byte
}

// wspReader walks the headers of WAP's session protocol and of MMS.
type wspReader struct{ reader }

func (r *wspReader) reject(field, format string, args ...any) {
	if r.err == nil {
		r.err = malformed(field, format, args...)
	}
}

// uintvar is a number of up to five octets, seven bits in each (section 8.1.2).
func (r *wspReader) uintvar(field string) int {
	var n uint64
	for range 5 {
		o := r.octet(field)
		n = n<<7 | uint64(o&0x7F)
		if o&0x80 == 0 {
			if n > math.MaxInt32 {
				break
			}
			return int(n)
		}
	}
	r.reject(field, "has a length beyond any message")
	return 0
}

// value takes one value. text says that the field can only be a text where it bears no length: some
// senders begin one with an octet from 128 on and without the quote that section 8.4.2.1 asks for.
func (r *wspReader) value(field string, text bool) wspValue {
	first := r.octet(field)
	switch {
	case first < 31:
		return wspValue{form: wspOctets, octets: r.take(field, int(first))}
	case first == 31:
		return wspValue{form: wspOctets, octets: r.take(field, r.uintvar(field))}
	case first >= 0x80 && !text:
		return wspValue{form: wspShort, short: first & 0x7F}
	}
	return wspValue{form: wspText, octets: r.text(field, first)}
}

// text takes first and what follows it up to a zero, which is not returned.
func (r *wspReader) text(field string, first byte) []byte {
	n := bytes.IndexByte(r.rest, 0)
	if n < 0 || r.err != nil {
		r.reject(field, "has no end")
		return nil
	}
	rest := r.take(field, n+1)[:n]
	return append([]byte{first}, rest...)
}

// wspQuote stands before a text whose first octet is 128 or more.
const wspQuote = 0x7F

// wspOf reads within a value.
func wspOf(v wspValue) *wspReader { return &wspReader{reader{rest: v.octets}} }

// plain is a text without a charset; an empty one may look like a length of zero.
func (v wspValue) plain(field string) (string, error) {
	if v.form == wspText || v.form == wspOctets && len(v.octets) == 0 {
		return charsetText(charsetAny, v.octets), nil
	}
	return "", malformed(field, "is no text")
}

// integer is a short or a long integer (section 8.4.2.3).
func (v wspValue) integer(field string) (int64, error) {
	if v.form == wspShort {
		return int64(v.short), nil
	}
	digits := bytes.TrimLeft(v.octets, "\x00")
	if v.form != wspOctets || len(v.octets) == 0 || len(digits) > 7 {
		return 0, malformed(field, "is no number of any use")
	}
	var n int64
	for _, o := range digits {
		n = n<<8 | int64(o)
	}
	return n, nil
}

// encoded is an Encoded-string-value (OMA-TS-MMS_ENC section 7.3): a text, with its charset or without.
func (v wspValue) encoded(field string) (string, error) {
	if v.form != wspOctets || len(v.octets) == 0 {
		return v.plain(field)
	}
	r := wspOf(v)
	charset, err := r.value(field, false).integer(field)
	if r.err != nil || err != nil {
		return "", malformed(field, "has no charset that is a number")
	}
	return charsetText(charset, r.rest), nil
}

// The charsets by their MIBenum of the IANA registry.
const (
	charsetAny     = 0
	charsetASCII   = 3
	charsetLatin1  = 4
	charsetUTF8    = 106
	charsetUCS2    = 1000
	charsetUTF16BE = 1013
	charsetUTF16LE = 1014
	charsetUTF16   = 1015
)

// charsetText reads a text up to the zero that ends it, if there is one, without the quote before it.
// What is of another charset is read as far as that agrees with ASCII.
func charsetText(charset int64, text []byte) string {
	switch charset {
	case charsetUCS2, charsetUTF16, charsetUTF16BE, charsetUTF16LE:
		return utf16Text(charset == charsetUTF16LE, text)
	}
	text, _, _ = bytes.Cut(bytes.TrimPrefix(text, []byte{wspQuote}), []byte{0})
	valid := utf8.Valid(text)
	switch {
	case valid && (charset == charsetAny || charset == charsetASCII || charset == charsetUTF8):
		return string(text)
	case charset == charsetUTF8:
		return strings.ToValidUTF8(string(text), "\uFFFD")
	}
	latin := charset == charsetAny || charset == charsetLatin1
	var b strings.Builder
	for _, o := range text {
		if o < utf8.RuneSelf || latin {
			b.WriteRune(rune(o))
		} else {
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}

// utf16Text reads 16-bit units, the high octet first unless little says otherwise, or a byte order mark.
func utf16Text(little bool, text []byte) string {
	if len(text) >= 2 && (text[0] == 0xFE && text[1] == 0xFF || text[0] == 0xFF && text[1] == 0xFE) {
		little, text = text[0] == 0xFF, text[2:]
	}
	var units []uint16
	for ; len(text) >= 2; text = text[2:] {
		unit := uint16(text[0])<<8 | uint16(text[1])
		if little {
			unit = unit>>8 | unit<<8
		}
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return decodeUnits(units)
}
