package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"dongled/scheduler/queue"
)

// fault is the client's error in one field; the name is a path such as textMessage.text.
func fault(field, format string, args ...any) error {
	return &queue.FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// object is a JSON object read strictly where encoding/json is lax: names are case-sensitive and
// a known name must not occur twice. Readers of a field return its zero value and found=false
// when it is absent or null. After the first fault they do nothing; see err.
type object struct {
	path   string // "" for the body itself
	fields map[string]json.RawMessage
	twice  []string
	err    error
}

// parseBody checks that body is one JSON object in UTF-8, with nothing after it, and keeps its
// known fields.
func parseBody(body []byte, known ...string) *object {
	// encoding/json would replace invalid bytes by U+FFFD and so change the text.
	if !utf8.Valid(body) {
		return &object{err: fault("body", "must be UTF-8")}
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return &object{err: fault("body", "must be JSON: %s at byte %d", syntax, syntax.Offset)}
		}
		return &object{err: fault("body", "must be JSON")}
	}
	if body = bytes.TrimLeft(body, " \t\r\n"); body[0] != '{' {
		return &object{err: fault("body", "must be a JSON object")}
	}
	return readObject("", body, known)
}

// readObject reads JSON that is known to be valid and to start with '{'.
func readObject(path string, raw []byte, known []string) *object {
	o := &object{path: path, fields: make(map[string]json.RawMessage, len(known))}
	if err := o.fill(json.NewDecoder(bytes.NewReader(raw)), known); err != nil {
		o.err = fault(o.name("body"), "must be a JSON object: %s", err)
	}
	return o
}

// fill keeps the known fields. The others are skipped into one buffer, so that their number costs
// no memory.
func (o *object) fill(d *json.Decoder, known []string) error {
	if _, err := d.Token(); err != nil {
		return err
	}
	var skipped json.RawMessage
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := token.(string)
		if !slices.Contains(known, name) {
			if err := d.Decode(&skipped); err != nil {
				return err
			}
			continue
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if _, again := o.fields[name]; again {
			o.twice = append(o.twice, name)
		}
		o.fields[name] = value
	}
	return nil
}

func (o *object) name(field string) string {
	if o.path == "" {
		return field
	}
	return o.path + "." + field
}

// reject records the first fault.
func (o *object) reject(field, format string, args ...any) {
	if o.err == nil {
		o.err = fault(o.name(field), format, args...)
	}
}

// take returns the raw value of a field that is present and not null.
func (o *object) take(field string) (raw json.RawMessage, found bool) {
	if o.err != nil {
		return nil, false
	}
	if slices.Contains(o.twice, field) {
		o.reject(field, "must not occur twice")
		return nil, false
	}
	raw, found = o.fields[field]
	return raw, found && string(raw) != "null"
}

func (o *object) text(field string) (value string, found bool) {
	raw, found := o.take(field)
	if !found {
		return "", false
	}
	value, ok := jsonString(raw)
	if !ok {
		o.reject(field, "must be a string")
	}
	return value, ok
}

func jsonString(raw json.RawMessage) (value string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return value, json.Unmarshal(raw, &value) == nil
}

func (o *object) flag(field string) (value, found bool) {
	raw, found := o.take(field)
	if !found {
		return false, false
	}
	switch string(raw) {
	case "true":
		return true, true
	case "false":
		return false, true
	}
	o.reject(field, "must be true or false")
	return false, false
}

// integer reads a whole number from min to max. A fraction or an exponent is refused even where
// the value is whole, as SMSGate's servers do.
func (o *object) integer(field string, low, high int64) (value int64, found bool) {
	raw, found := o.take(field)
	if !found {
		return 0, false
	}
	value, err := strconv.ParseInt(string(raw), 10, 64)
	if errors.Is(err, strconv.ErrSyntax) {
		o.reject(field, "must be an integer")
		return 0, false
	}
	if err != nil || value < low || value > high {
		o.reject(field, "must be from %d to %d", low, high)
		return 0, false
	}
	return value, true
}

// nested reads a field that is itself an object; nil when it is absent. Its faults must be handed
// back with adopt.
func (o *object) nested(field string, known ...string) *object {
	raw, found := o.take(field)
	if !found {
		return nil
	}
	if raw[0] != '{' {
		o.reject(field, "must be an object")
		return nil
	}
	return readObject(o.name(field), raw, known)
}

func (o *object) adopt(inner *object) {
	if o.err == nil {
		o.err = inner.err
	}
}

// texts reads an array of strings. It stops at the first element beyond most.
func (o *object) texts(field string, most int) []string {
	raw, found := o.take(field)
	if !found {
		return nil
	}
	if raw[0] != '[' {
		o.reject(field, "must be an array of strings")
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	_, err := d.Token() // the '['
	var values []string
	var item json.RawMessage
	for err == nil && d.More() {
		if len(values) == most {
			o.reject(field, "must have at most %d elements", most)
			return nil
		}
		err = d.Decode(&item)
		value, ok := jsonString(item)
		if !ok || err != nil {
			o.reject(element(field, len(values)), "must be a string")
			return nil
		}
		values = append(values, value)
	}
	return values
}

// element names an element of an array.
func element(field string, i int) string { return fmt.Sprintf("%s[%d]", field, i) }
