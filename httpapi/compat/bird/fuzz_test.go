package bird

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzRequest: whatever a client sends is refused for a field, or is an order that keeps its promises.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(wrap(wrappedBody, pageSample(f, "text"))), false)
	f.Add([]byte(wrap(wrappedBodyNoKey, pageSample(f, "files_text_title"))), true)
	f.Add([]byte(wrap(wrappedTemplate, pageSample(f, "template"))), true)
	f.Add([]byte(marketing("+31612345678", `,"tags":["A"],"validity":600,"scheduledFor":"2024-11-21T09:14:49.469Z","shortLinks":{"enabled":true}`)), true)
	f.Add([]byte(`{"receiver": {}}`), false)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ch := channel{ID: testChannel, SIM: 1, Name: "Shop", Kind: "2fa", Phone: "+491510000001"}
	f.Fuzz(func(t *testing.T, body []byte, strict bool) {
		d := &Dialect{opts: Options{Strict: strict, MMSFallback: true, FrequencyCap: 1, FrequencyPeriod: time.Hour}}
		d.base.Callbacks = anywhere{}
		r, err := parseRequest(body, strict)
		if err != nil {
			return
		}
		o, err := d.orderOf(r, ch, now)
		if err != nil {
			if !utf8.ValidString(err.Error()) {
				t.Errorf("error %q", err)
			}
			return
		}
		switch {
		case o.number == "" || (o.text == "") == (o.template == nil) || !utf8.ValidString(o.text):
			t.Errorf("number %q, text %q, template %v", o.number, o.text, o.template)
		case !o.until.After(now) || !o.due.IsZero() && (!o.due.After(now) || o.due.After(now.Add(maxAhead)) || !o.until.After(o.due)):
			t.Errorf("due %v, until %v", o.due, o.until)
		case len(o.kept.Tags) > 10 || strings.ToLower(strings.Join(o.kept.Tags, "")) != strings.Join(o.kept.Tags, ""):
			t.Errorf("tags %q", o.kept.Tags)
		}
		if s := o.submission("x", o.text); !json.Valid(s.Meta) {
			t.Errorf("kept %q", s.Meta)
		}
	})
}

// FuzzPageToken: only what a page before gave is taken.
func FuzzPageToken(f *testing.F) {
	f.Add(cursor{Out: 7, In: 3, Until: 1700000000000}.String())
	f.Add(cursor{Until: 1, OutDone: true}.String())
	f.Add("bnVsbA")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := readCursor(token)
		if err != nil || token == "" {
			return
		}
		again, err := readCursor(c.String())
		if err != nil || again != c {
			t.Errorf("%q: %+v, and again %+v, %v", token, c, again, err)
		}
	})
}
