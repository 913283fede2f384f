package virtual

import (
	"strconv"
	"strings"
)

// form is how a command is given (V.250 5.3 and 5.4; 27.007 4.1).
type form uint8

const (
	execForm form = iota // +CXX, or a basic command
	setForm              // +CXX=...
	readForm             // +CXX?
	testForm             // +CXX=?
)

// call is one command of a command line. The name of an extended command has no +, other
// prefixes are kept: CMGS, ^CURC, &F, E.
type call struct {
	name string
	form form
	args string // after the = of a set, or the number of a basic command
}

// nextCall takes the first command off a command body; ok is false when there is none that
// V.250 could read.
func nextCall(body string) (c call, rest string, ok bool) {
	body = strings.TrimLeft(body, " ;")
	switch {
	case body == "":
		return call{}, "", true
	case strings.IndexByte("+^#$*%!", body[0]) >= 0:
		end := endOfExtended(body)
		c, ok = extended(body[:end])
		return c, body[end:], ok
	case body[0] == '&' && len(body) > 1:
		n := digits(body, 2)
		return call{name: strings.ToUpper(body[:2]), args: body[2:n]}, body[n:], true
	case body[0] == 'D' || body[0] == 'd':
		// The dial string runs to the end of the line, and ; in it asks for voice (27.007 6.2).
		return call{name: "D", args: body[1:]}, "", true
	case body[0] == 'S' || body[0] == 's':
		return register(body)
	case isLetter(body[0]):
		n := digits(body, 1)
		return call{name: strings.ToUpper(body[:1]), args: body[1:n]}, body[n:], true
	}
	return call{}, "", false
}

// endOfExtended finds the ; that ends an extended command, which may stand in a string too.
func endOfExtended(body string) int {
	quoted := false
	for i := range len(body) {
		switch {
		case body[i] == '"':
			quoted = !quoted
		case body[i] == ';' && !quoted:
			return i
		}
	}
	return len(body)
}

func extended(text string) (call, bool) {
	text = strings.TrimRight(text, " ")
	n := 1
	for n < len(text) && (isLetter(text[n]) || isDigit(text[n]) || strings.IndexByte("!%-./:_", text[n]) >= 0) {
		n++
	}
	c := call{name: strings.ToUpper(strings.TrimPrefix(text[:n], "+"))}
	switch tail := text[n:]; {
	case n == 1:
		return call{}, false
	case tail == "":
	case tail == "?":
		c.form = readForm
	case tail == "=?":
		c.form = testForm
	case tail[0] == '=':
		c.form, c.args = setForm, tail[1:]
	default:
		return call{}, false
	}
	return c, true
}

// register reads Sn? and Sn=m (V.250 5.3.2).
func register(body string) (c call, rest string, ok bool) {
	n := digits(body, 1)
	c.name = "S" + body[1:n]
	switch {
	case n < len(body) && body[n] == '?':
		c.form = readForm
		return c, body[n+1:], true
	case n < len(body) && body[n] == '=':
		end := digits(body, n+1)
		c.form, c.args = setForm, body[n+1:end]
		return c, body[end:], true
	}
	return c, "", false
}

// digits returns the end of the digits that begin at from.
func digits(s string, from int) int {
	for from < len(s) && isDigit(s[from]) {
		from++
	}
	return from
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// params are the comma-separated parameters of a set command, strings still in their quotes.
type params []string

func (c call) params() params {
	if c.args == "" {
		return nil
	}
	var ps params
	quoted, from := false, 0
	for i := range len(c.args) {
		switch {
		case c.args[i] == '"':
			quoted = !quoted
		case c.args[i] == ',' && !quoted:
			ps = append(ps, strings.TrimSpace(c.args[from:i]))
			from = i + 1
		}
	}
	return append(ps, strings.TrimSpace(c.args[from:]))
}

// given reports whether parameter i is there and not left out.
func (p params) given(i int) bool { return i < len(p) && p[i] != "" }

// number is parameter i, or def when it is left out.
func (p params) number(i, def int) (int, error) {
	if !p.given(i) {
		return def, nil
	}
	n, err := strconv.ParseUint(p[i], 10, 31)
	if err != nil {
		return 0, errSyntax
	}
	return int(n), nil
}

// text is parameter i, which must be a string in quotes; def when it is left out.
func (p params) text(i int, def string) (string, error) {
	if !p.given(i) {
		return def, nil
	}
	s := p[i]
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", errSyntax
	}
	return s[1 : len(s)-1], nil
}
