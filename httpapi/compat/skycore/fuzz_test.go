package skycore

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// FuzzParse: whatever comes is read as encoding/json reads it, or refused with a code of the vendor's.
func FuzzParse(f *testing.F) {
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parse(body)
		if err != nil {
			var fault *queue.FieldError
			if !errors.As(err, &fault) {
				t.Fatalf("%v is no fault of the client's", err)
			}
			if code, info := coded(compat.Explain(err)); len(code) != 4 || code[0] != 'E' || info == "" {
				t.Fatalf("%v is %q %q", err, code, info)
			}
			return
		}
		var plain map[string]any
		if json.Unmarshal(body, &plain) != nil {
			t.Fatalf("accepted %q, which is no JSON object", body)
		}
		text, _ := plain["message-text"].(string)
		to, _ := plain["to"].(string)
		if r.text != text || r.text == "" || r.to != to {
			t.Fatalf("read %+v of %q", r, body)
		}
		if n := utf8.RuneCountInString(r.mask); n > 11 || !strings.HasPrefix(r.number, "+") || len(r.number) < 8 || len(r.number) > 16 {
			t.Fatalf("read %+v of %q", r, body)
		}
	})
}

// FuzzRead: a text never means a campaign that is not there, and means the same in capitals with spaces
// around.
func FuzzRead(f *testing.F) {
	all := []campaign{{Ref: "north", Keyword: "sun and rain"}, {Ref: "south-1"}}
	f.Fuzz(func(t *testing.T, text string) {
		capitals := strings.ToUpper(text)
		if strings.ToUpper(capitals) != capitals || !utf8.ValidString(text) {
			t.Skip() // of letters whose capitals have capitals
		}
		got, is := read(text, all)
		if !is && got != (command{}) || got.of != "" && got.of != "north" && got.of != "south-1" {
			t.Fatalf("%q is %+v", text, got)
		}
		if again, still := read("  "+capitals+" \n", all); again != got || still != is {
			t.Fatalf("%q is %+v (%t), in capitals %+v (%t)", text, got, is, again, still)
		}
	})
}
