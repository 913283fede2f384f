package bird

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"dongled/httpapi/compat"
)

// decode reads a body into fields, by the keys of its top level. Explicit null is absent. Strict refuses
// keys that are not there, as the vendor's schema does.
func decode(body []byte, strict bool, fields map[string]any) error {
	// encoding/json would replace invalid bytes by U+FFFD, and so change the text.
	if !utf8.Valid(body) {
		return malformed("the body must be UTF-8")
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(body, &top); err != nil || top == nil {
		return malformed("the body must be one JSON object")
	}
	for _, key := range slices.Sorted(maps.Keys(top)) {
		into, known := fields[key]
		switch {
		case !known && strict:
			return compat.Fault(key, "is not a field of this request")
		case !known || string(top[key]) == "null":
			continue
		}
		if err := json.Unmarshal(top[key], into); err != nil {
			return mistyped(key, err)
		}
	}
	return nil
}

func malformed(problem string) error {
	return &compat.Trouble{Kind: compat.Malformed, Problem: problem}
}

// mistyped says which field below key is not of the type that it has to be.
func mistyped(key string, err error) error {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return compat.Fault(key, "cannot be read")
	}
	return compat.Fault(strings.TrimSuffix(key+"."+wrong.Field, "."), "must be %s, not %s", spoken(wrong.Type.Kind()), wrong.Value)
}

// spoken is a type in the words of JSON.
func spoken(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "an integer"
	case reflect.Slice:
		return "an array"
	}
	return "an object"
}
