package settings_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dongled/scheduler/store"
)

// plant stores something in place of the document.
func (f *fixture) plant(key, value string) {
	f.Helper()
	err := f.store.Do(ctx, func(t *store.Tx) error {
		t.Put(t.Bucket([]byte("settings")), []byte(key), []byte(value))
		return t.Err
	})
	if err != nil {
		f.Fatal(err)
	}
}

// What is damaged has its default and is logged, without what stands there; the rest counts.
func TestDamagedDocument(t *testing.T) {
	tests := []struct{ name, stored, shows, logged string }{
		{"nothing", ``, `{}`, "key=body"},
		{"cut off", `{"ping":{"interval_seconds":5`, `{}`, "key=body"},
		{"another type", `[1]`, `{}`, "key=body"},
		{"one value", `{"ping":{"interval_seconds":"soon"},"logs":{"lifetime_days":3}}`, `{"logs":{"lifetime_days":3}}`, "key=ping.interval_seconds"},
		{"one section", `{"ping":7,"logs":{"lifetime_days":3}}`, `{"logs":{"lifetime_days":3}}`, "key=ping"},
		{"a secret", `{"webhooks":{"signing_key":["5ECRET"],"retry_count":4}}`, `{"webhooks":{"retry_count":4}}`, "key=webhooks.signing_key"},
		{"null", `{"logs":{"lifetime_days":null},"ping":null}`, `{}`, ""},
		{"what a later version has", `{"logs":{"lifetime_days":3,"level":"debug"},"radio":{"a":1}}`, `{"logs":{"lifetime_days":3}}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, configured())
			f.plant("document", tt.stored)
			f.reopen(configured())
			f.shows(tt.shows)
			if all := f.log.String(); !strings.Contains(all, tt.logged) || (all == "") != (tt.logged == "") || strings.Contains(all, "5ECRET") {
				t.Errorf("the log has %q, want %q", all, tt.logged)
			}
			f.patch(`{"receiver":{"content_provider_enabled":false}}`)
			f.reopen(configured())
			f.shows(merged(t, `{"receiver":{},"ping":{},"logs":{},"webhooks":{}}`, merged(t, `{"receiver":{"content_provider_enabled":false},"logs":{},"webhooks":{}}`, tt.shows)))
		})
	}
}

func TestDamagedSigningKey(t *testing.T) {
	v := configured()
	v.Webhooks.SigningKey = ""
	f := open(t, v)
	f.plant("signing_key", "short")
	f.reopen(v)
	made := f.Values().Webhooks.SigningKey
	if len(made) != 21 {
		t.Errorf("key %q", made)
	}
	f.reopen(v)
	if again := f.Values().Webhooks.SigningKey; again != made {
		t.Errorf("key %q, then %q", made, again)
	}
}

// Stored settings that were right with the configuration of then do not lock a client out.
func TestConfigurationMovesOn(t *testing.T) {
	f := open(t, configured())
	f.patch(`{"messages":{"send_interval_max":7},"ping":{"interval_seconds":5}}`)
	now := configured()
	now.Messages.SendIntervalMin, now.Messages.SendIntervalMax = 10*time.Second, 20*time.Second
	f.reopen(now)
	f.shows(`{"messages":{"send_interval_min":10,"send_interval_max":20},"ping":{"interval_seconds":5}}`)
	if all := f.log.String(); !strings.Contains(all, "key=messages.send_interval_max") {
		t.Errorf("the log has %q", all)
	}
	f.patch(`{"ping":{"interval_seconds":6}}`)
	f.patch(`{"messages":{"send_interval_max":15}}`)
	f.shows(`{"messages":{"send_interval_min":10,"send_interval_max":15},"ping":{"interval_seconds":6}}`)
}

// FuzzPatch: whatever a client sends is refused whole, or is stored so that it is the same after a
// restart and what is shown may be sent back.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`{}`, every, `{"messages":null,"ping":{"interval_seconds":"5.0"}}`, `{"messages":{"send_interval_min":9,"send_interval_max":1e1}}`,
		`{"gateway":{"cloud_url":"https://\u0061"},"webhooks":{"signing_key":"\ud800"}}`, `{"ping":{"interval_seconds":1,"interval_seconds":1}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		x := open(t, configured())
		before := string(x.Public())
		if err := x.Patch(ctx, json.RawMessage(body)); err != nil {
			if string(x.Public()) != before {
				t.Fatalf("refused with %v, and changed to %s", err, x.Public())
			}
			return
		}
		values, shown := x.Values(), string(x.Public())
		x.reopen(configured())
		if x.Values() != values || x.log.Len() > 0 {
			t.Fatalf("before the restart %+v\nafter it %+v\n%s", values, x.Values(), x.log.String())
		}
		x.put(shown)
		if got := string(x.Public()); got != shown {
			t.Fatalf("shown %s\nsent back %s", shown, got)
		}
	})
}
