package twilio_test

import (
	"encoding/json"
	"net/url"
	"testing"
	"unicode/utf8"

	"dongled/httpapi/compat/twilio"
)

// FuzzParse: whatever comes is read as encoding/json or net/url reads it, or refused.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, isJSON bool, body []byte) {
		contentType := "application/x-www-form-urlencoded"
		if isJSON {
			contentType = "application/json"
		}
		got, err := twilio.Parse(contentType, body)
		if err != nil {
			if got != nil || err.Error() == "" {
				t.Fatalf("%v with %v", got, err)
			}
			return
		}
		for name, values := range got {
			if !utf8.ValidString(name) || len(values) == 0 {
				t.Fatalf("%q: %q", name, values)
			}
		}
		if !isJSON {
			if plain, err := url.ParseQuery(string(body)); err != nil || plain.Encode() != got.Encode() {
				t.Fatalf("%q is %q, want %q: %v", body, got.Encode(), plain.Encode(), err)
			}
			return
		}
		var plain map[string]any
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("accepted %q: %v", body, err)
		}
		for name, value := range plain {
			if s, is := value.(string); is && got.Get(name) != s || value == nil && got.Has(name) {
				t.Fatalf("%q: %q is %q", body, name, got[name])
			}
		}
	})
}
