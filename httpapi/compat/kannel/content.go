package kannel

import (
	"cmp"
	"unicode/utf8"

	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"dongled/scheduler/queue"
)

// Values of coding.
const (
	coding7Bit = iota
	coding8Bit
	codingUCS2
)

// The information elements of a user data header that address ports (TS 23.040 sections 9.2.3.24.3 and 4).
const (
	iePorts8  = 0x04
	iePorts16 = 0x05
)

// content is what is to be sent.
func (p *params) content() (c queue.Content) {
	text := []byte(p.text())
	coding := p.number(coding7Bit, codingUCS2, "coding")
	udh := []byte(p.get("udh"))
	switch {
	case coding == coding8Bit:
		c.Data, c.Port = text, p.port(udh)
		if len(c.Data) == 0 {
			p.reject("text", "Empty data not allowed")
		}
		return c
	case len(udh) > 0:
		p.reject("udh", "is supported with coding=1 and application port addressing only")
	}
	c.Text = p.decode(text, coding)
	c.Flash = p.flash()
	return c
}

// text is the parameter, or the body where the others are headers.
func (p *params) text() string {
	if text := p.get("text"); text != "" || p.form || p.c.Method() != "POST" {
		return text
	}
	return string(p.c.BodyRaw())
}

// port is the destination of a user data header that addresses ports and nothing else.
func (p *params) port(udh []byte) uint16 {
	switch {
	case len(udh) == 7 && udh[0] == 6 && udh[1] == iePorts16 && udh[2] == 4:
		return uint16(udh[3])<<8 | uint16(udh[4])
	case len(udh) == 5 && udh[0] == 4 && udh[1] == iePorts8 && udh[2] == 2:
		return uint16(udh[3])
	}
	p.reject("udh", "must be application port addressing, such as %%06%%05%%04%%0B%%84%%23%%F0: data are sent to a port")
	return 0
}

// decode turns a text into UTF-8.
func (p *params) decode(text []byte, coding int) string {
	charset := p.get("charset")
	if charset == "" && coding == codingUCS2 {
		charset = "UTF-16BE"
	}
	switch cmp.Or(charset, "UTF-8") {
	case "UTF-16BE", "utf-16be", "UCS-2", "ucs-2":
		decoded, err := unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewDecoder().Bytes(text)
		if err != nil || len(text)%2 != 0 {
			p.reject("text", "is no UTF-16BE")
		}
		return string(decoded)
	case "UTF-8", "utf-8":
		if !utf8.Valid(text) {
			p.reject("text", "is no UTF-8; say so with charset")
		}
		return string(text)
	}
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		p.reject("charset", "is not known")
		return ""
	}
	decoded, err := encoding.NewDecoder().Bytes(text)
	if err != nil {
		p.reject("text", "is not in its charset")
	}
	return string(decoded)
}

// flash is mclass 0, or the parameter that was there before mclass.
func (p *params) flash() bool {
	switch p.get("mclass") {
	case "":
		return p.get("flash") == "1"
	case "0":
		return true
	}
	p.reject("mclass", "must be 0, for a message that is shown at once; other classes are not supported")
	return false
}
