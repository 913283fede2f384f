package templates_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"dongled/httpapi/templates"
)

// place is what the documentation calls one, in another way of writing than the code's.
var place = regexp.MustCompile(`\{\{ *([\pL\p{Nd}._-]{1,64}) *\}\}`)

// FuzzRender: a text that is taken comes out as it is but for its places, and one that is not is the
// client's fault.
func FuzzRender(f *testing.F) {
	room := &shelf{path: f.TempDir() + "/s.db"}
	room.open(f)
	f.Cleanup(func() { room.close(f) })
	f.Fuzz(func(t *testing.T, text, value string) {
		ctx := context.Background()
		p, err := room.Create(ctx, "", "a name", templates.Wording{Texts: map[string]string{"en": text}})
		var fault *templates.Fault
		if errors.As(err, &fault) {
			takenApart := place.ReplaceAllString(text, "")
			sound := text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= 10_000 && len(text) < 32_000
			sound = sound && !strings.Contains(text, "{{{") && !strings.Contains(text, "}}}")
			sound = sound && !strings.Contains(takenApart, "{{") && !strings.Contains(takenApart, "}}") && !strings.ContainsFunc(text, c0)
			if sound && len(place.FindAllString(text, -1)) <= 100 {
				t.Fatalf("%q is refused: %v", text, err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = room.Remove(ctx, p.ID) }()
		values := map[string]string{}
		for _, v := range p.Versions[0].Variables {
			values[v.Key] = value
		}
		got, err := room.Render(ctx, templates.Request{Project: p.ID, Values: values, Preview: true})
		if errors.As(err, &fault) {
			long := utf8.RuneCountInString(text)+len(values)*utf8.RuneCountInString(value) > 10_000
			if utf8.ValidString(value) && !strings.ContainsFunc(value, c0) && !long && got.Text == "" && strings.Trim(place.ReplaceAllString(text, value), "") != "" {
				t.Fatalf("%q with %q is refused: %v", text, value, err)
			}
			return
		}
		if want := place.ReplaceAllLiteralString(text, value); err != nil || got.Text != want {
			t.Fatalf("%q with %q became %q, %v, want %q", text, value, got.Text, err, want)
		}
	})
}

func c0(r rune) bool { return r < 0x20 && r != '\n' }
