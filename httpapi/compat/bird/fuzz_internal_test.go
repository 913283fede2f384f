package bird

import (
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/google/uuid"

	"dongled/httpapi/compat"
)

// FuzzSubscription: whatever a body is, what is taken can be stored, read back and shown, and names the
// fault otherwise.
func FuzzSubscription(f *testing.F) {
	f.Add([]byte(`{"service":"channels","event":"sms.outbound","url":"https://x.example/","eventFilters":[{"key":"messageStatus","value":"sent"}]}`))
	d := New(silent{}.base(slog.New(slog.DiscardHandler)), Options{Strict: true})
	f.Fuzz(func(t *testing.T, body []byte) {
		s := subscription{Status: active, EventFilters: []filter{}}
		a, err := d.parseAsked(body)
		if err == nil {
			a.apply(&s)
			err = d.check(&s)
		}
		if err != nil {
			if kind := compat.Explain(err).Kind; kind != compat.Invalid && kind != compat.Malformed {
				t.Fatalf("%q is refused as %v: %v", body, kind, err)
			}
			return
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back subscription
		if err := json.Unmarshal(raw, &back); err != nil || !back.alike(s) || back.URL != s.URL || back.SigningKey != s.SigningKey {
			t.Fatalf("%s came back as %+v: %v", raw, back, err)
		}
	})
}

// FuzzInboxID: an id that is taken for that of a text is the one that text has.
func FuzzInboxID(f *testing.F) {
	f.Add("9b411ca0-e252-895e-8000-000000000001")
	f.Fuzz(func(t *testing.T, id string) {
		stored, is := inboxID(id)
		if !is {
			return
		}
		again, _ := incomingID(stored)
		if u, err := uuid.Parse(id); err != nil || u.String() != again {
			t.Fatalf("%q is %s, whose id is %s", id, stored, again)
		}
	})
}
