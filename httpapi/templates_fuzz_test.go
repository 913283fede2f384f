package httpapi

import (
	"encoding/json"
	"errors"
	"testing"
	"unicode/utf8"

	"dongled/scheduler/queue"
)

// FuzzParseTemplate: a body is read as encoding/json reads it, or is the client's fault in a field.
func FuzzParseTemplate(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseTemplate(body)
		if err != nil {
			var field *queue.FieldError
			if !errors.As(err, &field) || field.Field == "" || !utf8.ValidString(field.Error()) {
				t.Fatalf("error %#v does not name a field", err)
			}
			return
		}
		// By exact names: encoding/json also takes others that differ in case.
		var whole map[string]json.RawMessage
		var texts map[string]string
		if err := json.Unmarshal(body, &whole); err != nil {
			t.Fatal(err)
		}
		if raw, there := whole["texts"]; there && json.Unmarshal(raw, &texts) != nil {
			t.Fatalf("texts %s are taken as %q", raw, got.wording.Texts)
		}
		if len(got.wording.Texts) != len(texts) {
			t.Fatalf("%q, want %q", got.wording.Texts, texts)
		}
		for locale, text := range texts {
			if got.wording.Texts[locale] != text {
				t.Fatalf("%s: %q, want %q", locale, got.wording.Texts[locale], text)
			}
		}
	})
}
