package main

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// site is one value in a valid body and what the document says of it.
type site struct {
	schema   *openapi3.Schema
	required bool
	// put replaces the value, drop removes it; drop is nil where there is nothing to remove it from.
	put  func(any)
	drop func()
}

// sampler makes valid bodies and keeps the sites of the last one.
type sampler struct {
	rng   *rand.Rand
	sites []site
	root  any
}

// sample makes a body and its sites anew. Nothing that it refers to is outside of this machine.
func (s *sampler) sample(schema *openapi3.Schema) any {
	s.sites = nil
	s.root = s.value("", schema, true, func(v any) { s.root = v }, nil)
	return s.root
}

// value is a valid value for the schema.
func (s *sampler) value(name string, schema *openapi3.Schema, required bool, put func(any), drop func()) any {
	schema = notNull(schema)
	s.sites = append(s.sites, site{schema, required, put, drop})
	switch {
	case name == "url" || name == "cloud_url":
		return "https://127.0.0.1:9/hook"
	case schema.Type.Includes("object"):
		return s.object(schema)
	case len(schema.Examples) > 0 && !schema.Type.Includes("array"):
		return schema.Examples[0]
	case len(schema.Enum) > 0:
		return schema.Enum[0]
	case schema.Type.Includes("array") && schema.Items == nil:
		return []any{} // of anything
	case schema.Type.Includes("array"):
		list := make([]any, 1)
		list[0] = s.value("", schema.Items.Value, true, func(v any) { list[0] = v }, nil)
		return list
	case schema.Type.Includes("integer"), schema.Type.Includes("number"):
		if schema.Min != nil {
			return int64(*schema.Min)
		}
		return int64(1)
	case schema.Type.Includes("boolean"):
		return false
	}
	return "2024-01-02T03:04:05Z"
}

// object has the required properties and half of the others.
func (s *sampler) object(schema *openapi3.Schema) any {
	o := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		required := slices.Contains(schema.Required, name)
		if required || s.rng.IntN(2) == 0 {
			o[name] = s.value(name, schema.Properties[name].Value, required,
				func(v any) { o[name] = v }, func() { delete(o, name) })
		}
	}
	return o
}

// notNull is the branch of a schema that is not for null.
func notNull(schema *openapi3.Schema) *openapi3.Schema {
	for _, branch := range slices.Concat(schema.OneOf, schema.AnyOf, schema.AllOf) {
		if schema.Type == nil && branch.Value != nil && !branch.Value.Type.Is("null") {
			return notNull(branch.Value)
		}
	}
	return schema
}

// spoil breaks one value of the last body so that the document refuses it, and says how; "" when it
// found nothing to break.
func (s *sampler) spoil() string {
	for range 20 {
		at := s.sites[s.rng.IntN(len(s.sites))]
		breaks := violations(at)
		if len(breaks) == 0 {
			continue
		}
		names := slices.Sorted(maps.Keys(breaks))
		name := names[s.rng.IntN(len(names))]
		if name == "missing" {
			at.drop()
		} else {
			at.put(breaks[name])
		}
		return name
	}
	return ""
}

// violations are values that the schema of a site refuses, by the rule that they break. Null is none of
// them: it is absent, whatever the type.
func violations(at site) map[string]any {
	schema, breaks := at.schema, map[string]any{}
	if at.required && at.drop != nil {
		breaks["missing"] = nil
		breaks["null for required"] = nil
	}
	for kind, value := range map[string]any{"string": "x", "integer": int64(7), "number": 7.5, "boolean": true, "array": []any{}, "object": map[string]any{}} {
		whole := kind == "integer" && schema.Type.Includes("number")
		if schema.Type != nil && !schema.Type.Includes(kind) && !whole {
			breaks["type "+kind] = value
		}
	}
	switch {
	case schema.Type.Includes("integer"), schema.Type.Includes("number"):
		bounds(schema, breaks)
	case schema.Type.Includes("string"):
		lengths(schema, breaks)
	case schema.Type.Includes("array"):
		if schema.MinItems > 0 {
			breaks["too few"] = []any{}
		}
		if schema.UniqueItems {
			breaks["twice"] = []any{"+4915112345678", "+4915112345678"}
		}
		if schema.MaxItems != nil && *schema.MaxItems <= 1000 {
			breaks["too many"] = slices.Repeat([]any{"+4915112345678"}, int(*schema.MaxItems)+1)
		}
	}
	return breaks
}

func bounds(schema *openapi3.Schema, breaks map[string]any) {
	if schema.Min != nil {
		breaks["below the minimum"] = int64(*schema.Min) - 1
		breaks["far below"] = json.Number("-1e300")
	}
	if schema.Max != nil {
		breaks["above the maximum"] = int64(*schema.Max) + 1
		breaks["far above"] = json.Number("99999999999999999999999999")
		breaks["beyond any number"] = json.Number("1e400")
	}
}

func lengths(schema *openapi3.Schema, breaks map[string]any) {
	if schema.MinLength > 0 {
		breaks["empty"] = ""
	}
	if schema.MaxLength != nil {
		breaks["too long"] = strings.Repeat("1", int(*schema.MaxLength)+1)
	}
	if len(schema.Enum) > 0 {
		breaks["not in the list"] = "unheard-of"
	}
	if schema.Pattern != "" {
		if odd := "\u0001 \"/é"; !regexp.MustCompile(schema.Pattern).MatchString(odd) {
			breaks["pattern"] = odd
		}
	}
}

// text is a body in JSON. A number that does not fit any type stays as it is written.
func text(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // what the sampler makes can be encoded
	}
	return b
}

// garble breaks the JSON of a valid body as such.
var garble = map[string]func(*rand.Rand, []byte) []byte{
	"truncated":        func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] },
	"with a tail":      func(_ *rand.Rand, b []byte) []byte { return append(b, "{}"...) },
	"with a mark":      func(_ *rand.Rand, b []byte) []byte { return append([]byte("\xef\xbb\xbf"), b...) },
	"in an array":      func(_ *rand.Rand, b []byte) []byte { return slices.Concat([]byte("["), b, []byte("]")) },
	"in a string":      func(_ *rand.Rand, b []byte) []byte { return text(string(b)) },
	"a number":         func(*rand.Rand, []byte) []byte { return []byte("42") },
	"null":             func(*rand.Rand, []byte) []byte { return []byte("null") },
	"nothing":          func(*rand.Rand, []byte) []byte { return nil },
	"blanks":           func(*rand.Rand, []byte) []byte { return []byte(" \r\n\t ") },
	"NUL":              func(r *rand.Rand, b []byte) []byte { return slices.Insert(b, r.IntN(len(b)), 0) },
	"not UTF-8":        func(_ *rand.Rand, b []byte) []byte { return append([]byte(`{"unheardOf":"`+"\xff\xfe"+`",`), b[1:]...) },
	"half a character": func(_ *rand.Rand, b []byte) []byte { return append([]byte(`{"unheardOf":"`+"\xc3"+`",`), b[1:]...) },
	"deep arrays":      func(*rand.Rand, []byte) []byte { return []byte(strings.Repeat("[", 20_000)) },
	"deep objects": func(*rand.Rand, []byte) []byte {
		return []byte(strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000))
	},
	"deep inside": func(_ *rand.Rand, b []byte) []byte {
		return append([]byte(`{"unheardOf":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`,`), b[1:]...)
	},
	"single quotes":  func(_ *rand.Rand, b []byte) []byte { return []byte(strings.ReplaceAll(string(b)+" ", `"`, `'`)) },
	"a comment":      func(_ *rand.Rand, b []byte) []byte { return append([]byte("// hello\n"), b...) },
	"NaN":            func(_ *rand.Rand, b []byte) []byte { return append([]byte(`{"unheardOf":NaN,`), b[1:]...) },
	"a leading zero": func(_ *rand.Rand, b []byte) []byte { return append([]byte(`{"unheardOf":007,`), b[1:]...) },
	"a control":      func(_ *rand.Rand, b []byte) []byte { return append([]byte("{\"unheardOf\":\"\n\","), b[1:]...) },
	"XML":            func(*rand.Rand, []byte) []byte { return []byte(`<?xml version="1.0"?><message/>`) },
	"a form":         func(*rand.Rand, []byte) []byte { return []byte(`message=Hello&phoneNumbers=%2B4915112345678`) },
	"noise": func(r *rand.Rand, _ []byte) []byte {
		b := make([]byte, 1+r.IntN(500))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return append([]byte{0x80}, b...)
	},
	"too large": func(*rand.Rand, []byte) []byte { return []byte(`{"unheardOf":"` + strings.Repeat("x", 1<<20) + `"}`) },
}

// doubled has one of the fields of a body twice; nil where it has none.
func doubled(r *rand.Rand, body any) []byte {
	o, _ := body.(map[string]any)
	if len(o) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(o))
	name := names[r.IntN(len(names))]
	return slices.Concat([]byte("{"), text(name), []byte(":"), text(o[name]), []byte(","), text(o)[1:])
}
