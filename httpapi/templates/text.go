package templates

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxKey = 64 // characters
	// maxRendered bounds a text with its values, in characters: what 255 parts of 153 septets hold, the
	// longest message that there is (3GPP TS 23.040 9.2.3.24.1).
	maxRendered = 255 * 153
)

// piece is a part of a text: as it stands, or the place of a key.
type piece struct{ literal, key string }

// parse cuts a text at its places. The error says where the first double brace is that is no place.
func parse(text string) ([]piece, error) {
	for _, run := range []string{"{{{", "}}}"} {
		// Elsewhere they mean another kind of place; here nobody could tell which of them are text.
		if i := strings.Index(text, run); i >= 0 {
			return nil, braces(text, text[i:], "three braces in a row")
		}
	}
	var pieces []piece
	for rest := text; rest != ""; {
		open := strings.Index(rest, "{{")
		stray := strings.Index(rest, "}}")
		if stray >= 0 && (open < 0 || stray < open) {
			return nil, braces(text, rest[stray:], "}} has no {{ before it")
		}
		if open < 0 {
			return append(pieces, piece{literal: rest}), nil
		}
		inside, after, closed := strings.Cut(rest[open+2:], "}}")
		if !closed {
			return nil, braces(text, rest[open:], "{{ has no }} behind it")
		}
		key := strings.Trim(inside, " ")
		if !validKey(key) {
			return nil, braces(text, rest[open:], fmt.Sprintf("between {{ and }} must stand a key of 1 to %d letters, digits and . _ -", maxKey))
		}
		if open > 0 {
			pieces = append(pieces, piece{literal: rest[:open]})
		}
		pieces, rest = append(pieces, piece{key: key}), after
	}
	return pieces, nil
}

// braces is a fault at the beginning of rest, which ends text.
func braces(text, rest, problem string) error {
	at := utf8.RuneCountInString(text[:len(text)-len(rest)]) + 1
	return fmt.Errorf("%s, at character %d", problem, at)
}

func validKey(key string) bool {
	odd := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
	}
	return key != "" && utf8.ValidString(key) && utf8.RuneCountInString(key) <= maxKey && !strings.ContainsFunc(key, odd)
}

// legible says what keeps a text or value from being sent as it is: of C0 controls, an SMS has a use for
// the line feed alone.
func legible(s string) (problem string) {
	control := func(r rune) bool { return r < ' ' && r != '\n' }
	switch {
	case !utf8.ValidString(s):
		return "must be UTF-8"
	case strings.ContainsFunc(s, control):
		return "must not have control characters, except line feeds"
	}
	return ""
}

// render makes a version's text.
func (v Version) render(q Request) (Text, error) {
	locale, err := v.locale(q.Locale)
	if err != nil {
		return Text{}, err
	}
	values, unknown, err := v.values(q)
	if err != nil {
		return Text{}, err
	}
	text, err := fill(v.Texts[locale], values)
	if err != nil {
		return Text{}, err
	}
	return Text{Text: text, Version: v.ID, Locale: locale, ShortLinks: v.ShortLinks, Unknown: unknown}, nil
}

// values are those that q gives, completed with defaults, and the keys that there is no place for.
func (v Version) values(q Request) (values map[string]string, unknown []string, err error) {
	values = make(map[string]string, len(v.Variables))
	for _, known := range v.Variables {
		value, given := q.Values[known.Key]
		switch {
		case given:
			err = known.check(value)
		case known.Required:
			err = fault("values."+known.Key, "is required")
		default:
			value = known.Default
		}
		if err != nil {
			return nil, nil, err
		}
		values[known.Key] = value
	}
	for _, key := range slices.Sorted(maps.Keys(q.Values)) {
		if _, known := values[key]; known {
			continue
		}
		if q.Strict {
			return nil, nil, unknownKey(key)
		}
		unknown = append(unknown, key)
	}
	return values, unknown, nil
}

func unknownKey(key string) *Fault {
	if !validKey(key) {
		return fault("values", "the template has no place for one of them, whose key cannot be one")
	}
	return fault("values."+key, "the template has no place for it")
}

// check judges a value that was given.
func (v Variable) check(value string) error {
	most := v.MaxLen
	if most == 0 {
		most = maxRendered
	}
	problem := legible(value)
	if problem == "" && utf8.RuneCountInString(value) > most {
		problem = fmt.Sprintf("must have at most %d characters", most)
	}
	if problem != "" {
		return fault("values."+v.Key, "%s", problem)
	}
	return nil
}

// fill puts values into the places of a text that parses.
func fill(text string, values map[string]string) (string, error) {
	pieces, err := parse(text)
	if err != nil {
		return "", fault("text", "%v", err)
	}
	var out strings.Builder
	length := 0
	for _, p := range pieces {
		part := p.literal
		if p.key != "" {
			part = values[p.key]
		}
		// A long value in many places must not be multiplied before it is refused.
		if length += utf8.RuneCountInString(part); length > maxRendered {
			return "", fault("values", "make a text of more than %d characters", maxRendered)
		}
		out.WriteString(part)
	}
	if length == 0 {
		return "", fault("values", "make a text with nothing in it")
	}
	return out.String(), nil
}
