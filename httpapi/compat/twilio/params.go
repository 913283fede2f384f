package twilio

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/url"
	"strconv"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
)

// params are those of a request, by the vendor's names.
type params struct{ url.Values }

// parse reads a body: a form, as the vendor's clients send it, or a JSON object with the same names.
func parse(contentType string, body []byte) (params, error) {
	media, _, _ := mime.ParseMediaType(contentType)
	var p params
	var err error
	switch media {
	case fiber.MIMEApplicationJSON:
		p.Values, err = fromJSON(body)
	case fiber.MIMEApplicationForm, "":
		if p.Values, err = url.ParseQuery(string(body)); err != nil {
			err = refuse(codeInvalid, "The body must be application/x-www-form-urlencoded.")
		}
	default:
		err = refuse(codeInvalid, "Content-Type must be application/x-www-form-urlencoded or application/json.")
	}
	if err == nil {
		err = p.sound()
	}
	if err != nil {
		return params{}, err
	}
	return p, nil
}

// sound refuses what could be read in two ways.
func (p params) sound() error {
	for name, values := range p.Values {
		for _, v := range values {
			if !utf8.ValidString(name + v) {
				return refuse(codeInvalid, "Parameters must be UTF-8.")
			}
			if v != values[0] && name != "MediaUrl" {
				return refuse(codeInvalid, "%s is there twice.", strconv.QuoteToASCII(name))
			}
		}
	}
	return nil
}

// fromJSON takes numbers and booleans as they would stand in a form.
func fromJSON(body []byte) (url.Values, error) {
	var in map[string]any
	if !utf8.Valid(body) {
		return nil, refuse(codeInvalid, "Parameters must be UTF-8.") // encoding/json would send U+FFFD in its place
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&in); err != nil || in == nil || !atEnd(decoder) {
		return nil, refuse(codeInvalid, "The body must be a JSON object.")
	}
	values := url.Values{}
	for name, value := range in {
		list, isList := value.([]any)
		if !isList {
			list = []any{value}
		}
		for _, v := range list {
			text, ok := written(v)
			if !ok {
				return nil, refuse(codeInvalid, "%s must be a string.", strconv.QuoteToASCII(name))
			}
			if v != nil {
				values.Add(name, text)
			}
		}
	}
	return values, nil
}

func atEnd(decoder *json.Decoder) bool {
	_, err := decoder.Token()
	return err == io.EOF
}

// written is a single value of JSON in a form; null is none.
func written(value any) (text string, ok bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// number reads a parameter; without it, it is standard.
func (p params) number(name string, standard, least, most int) (int, error) {
	text := p.Get(name)
	if text == "" {
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, refuse(codeInvalid, "%s must be a number from %d to %d.", name, least, most)
	}
	return n, nil
}

// flag reads a parameter; without it, it is false.
func (p params) flag(name string) (bool, error) {
	text := p.Get(name)
	if text == "" {
		return false, nil
	}
	set, err := strconv.ParseBool(text)
	if err != nil {
		return false, refuse(codeInvalid, "%s must be true or false.", name)
	}
	return set, nil
}
