package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shape compares an answer with one that is written by hand, and says what differs. In the expected
// JSON a string in angle brackets stands for a value of that kind: "<time>", "<id>", "<int>", "<text>",
// "<bool>", "<any>"; "<more>" as the name of a field allows others. Fields that are not named must not
// be there, and those that are named must be.
func shape(got, want string) error {
	var g, w any
	d := json.NewDecoder(strings.NewReader(got))
	d.UseNumber()
	if err := d.Decode(&g); err != nil {
		return fmt.Errorf("not JSON: %v: %q", err, got)
	}
	d = json.NewDecoder(strings.NewReader(want))
	d.UseNumber()
	if err := d.Decode(&w); err != nil {
		return fmt.Errorf("the test expects what is not JSON: %v: %s", err, want)
	}
	if fault := differs("$", g, w); fault != "" {
		return fmt.Errorf("%s\ngot  %s\nwant %s", fault, got, want)
	}
	return nil
}

// kinds are what stands in angle brackets. A time is RFC 3339 with a zone, an integer has neither point
// nor exponent.
var kinds = map[string]func(any) bool{
	"<time>": func(v any) bool { return zoned(v) },
	"<id>":   func(v any) bool { s, ok := v.(string); return ok && s != "" },
	"<uuid>": func(v any) bool { s, ok := v.(string); return ok && uuidPattern.MatchString(s) },
	"<text>": func(v any) bool { _, ok := v.(string); return ok },
	"<int>":  func(v any) bool { n, ok := v.(json.Number); return ok && !strings.ContainsAny(n.String(), ".eE") },
	"<bool>": func(v any) bool { _, ok := v.(bool); return ok },
	"<any>":  func(any) bool { return true },
}

// uuidPattern is a random one, of version 4 (RFC 9562 section 5.4).
var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

var rfc3339Zone = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)

func zoned(v any) bool {
	s, ok := v.(string)
	return ok && rfc3339Zone.MatchString(s)
}

func differs(at string, got, want any) string {
	if name, is := want.(string); is {
		if kind, known := kinds[name]; known {
			if !kind(got) {
				return fmt.Sprintf("%s is %#v, not %s", at, got, name)
			}
			return ""
		}
	}
	switch want := want.(type) {
	case map[string]any:
		return fieldsDiffer(at, got, want)
	case []any:
		list, is := got.([]any)
		if !is || len(list) != len(want) {
			return fmt.Sprintf("%s is %#v, not an array of %d", at, got, len(want))
		}
		for i := range want {
			if fault := differs(fmt.Sprintf("%s[%d]", at, i), list[i], want[i]); fault != "" {
				return fault
			}
		}
		return ""
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("%s is %#v, not %#v", at, got, want)
	}
	return ""
}

func fieldsDiffer(at string, got any, want map[string]any) string {
	o, is := got.(map[string]any)
	if !is {
		return fmt.Sprintf("%s is %#v, not an object", at, got)
	}
	_, open := want["<more>"]
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, there := o[name]
		switch {
		case name == "<more>":
		case !there:
			return fmt.Sprintf("%s.%s is missing", at, name)
		default:
			if fault := differs(at+"."+name, value, want[name]); fault != "" {
				return fault
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if _, known := want[name]; !known && !open {
			return fmt.Sprintf("%s.%s should not be there", at, name)
		}
	}
	return ""
}

func TestShape(t *testing.T) {
	for _, tt := range []struct {
		got, want string
		same      bool
	}{
		{`{"a":1,"b":"x"}`, `{"b":"x","a":1}`, true},
		{`{"a":1,"b":"x"}`, `{"a":1}`, false},
		{`{"a":1,"b":"x"}`, `{"a":1,"<more>":0}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":"2026-01-02T03:04:05Z"}`, `{"a":"<time>"}`, true},
		{`{"a":"2026-01-02T03:04:05.678+07:00"}`, `{"a":"<time>"}`, true},
		{`{"a":"2026-01-02T03:04:05"}`, `{"a":"<time>"}`, false},
		{`{"a":1.0}`, `{"a":"<int>"}`, false},
		{`{"a":1}`, `{"a":"<int>"}`, true},
		{`{"a":"1"}`, `{"a":"<int>"}`, false},
		{`{"a":""}`, `{"a":"<id>"}`, false},
		{`[1,2]`, `[1]`, false},
		{`{"a":null}`, `{"a":"<text>"}`, false},
		{``, `{}`, false},
		{`Accepted`, `{}`, false},
	} {
		if err := shape(tt.got, tt.want); (err == nil) != tt.same {
			t.Errorf("%s against %s: %v", tt.got, tt.want, err)
		}
	}
}
