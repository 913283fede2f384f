package skycore_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// logging is a gateway whose dialect writes its log into a buffer.
func logging(t *testing.T, o skycore.Options) (*compattest.House, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	h := compattest.Start(t, func(b compat.Base) compat.Dialect {
		b.Log = slog.New(slog.NewTextHandler(&log, nil))
		return skycore.New(b, o)
	})
	return h, &log
}

// TestDamage: what a record does not say any more does not stop anything else, and subscribes nobody.
func TestDamage(t *testing.T) {
	h, log := logging(t, skycore.Options{PostbackURL: postbackURL, EnforceCampaignCheck: true})
	admin(h, "PUT", "/good", `{"keyword":"sun"}`)
	admin(h, "PUT", "/good/subscribers/"+alice, "")
	d := h.Dialect.(*skycore.Dialect)
	within(t, h, func(tx *store.Tx) {
		tx.Put(store.Bucket(tx, []byte("vendors/skycore_campaigns")), []byte("bad"), []byte("{"))
		row := append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, "+4915100000000"...)
		tx.Put(store.Bucket(tx, []byte("vendors/skycore_subscribers")), row, []byte("{"))
		tx.Put(store.Bucket(tx, []byte("vendors/skycore_numbers")), []byte("345678"), nil)
		d.Due(tx, 95, []byte{1})
		d.Changed(tx, queue.Change{Message: queue.Message{ID: "m", Meta: []byte("{"), Recipients: []queue.Recipient{{Number: alice, State: queue.Sent}}}})
	})
	if got := admin(h, "GET", "", ""); strings.Count(got.Body, `"ref"`) != 1 {
		t.Errorf("the campaigns are %s", got.Body)
	}
	if got := listed(t, h, "good"); got != alice {
		t.Errorf("the subscribers are %s", got)
	}
	for body, code := range map[string]string{
		with("campaign-ref", `"bad"`, "from", `"1"`):                            "E714",
		with("campaign-ref", `"good"`, "from", `"1"`, "to", `"+4915100000000"`): "E715",
	} {
		if a := read(t, h.Do("POST", "/skycore", body, "x-api-key", compattest.Key, "Content-Type", "application/json")); a.Code != code {
			t.Errorf("%s: %+v", body, a)
		}
	}
	told(t, h, "N201 Sent")
	h.Hear(1, alice, "STOP")
	if got := listed(t, h, "good"); got != alice+"!" {
		t.Errorf("after STOP: %s", got)
	}
	for _, want := range []string{"names no campaign", "a postback lacks what its request said"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	if strings.Contains(log.String(), "4915") {
		t.Errorf("there is a number in the log: %s", log)
	}
}

// TestWrongURL: a URL that nothing can be sent to is told at the start.
func TestWrongURL(t *testing.T) {
	if _, log := logging(t, skycore.Options{PostbackURL: "ftp://a.b"}); !strings.Contains(log.String(), "postbacks of skycore cannot be made") {
		t.Errorf("the log is %s", log)
	}
}

// TestDataIsNotTold: neither data nor an MMS has a place in the vendor's form, and neither is a command.
func TestDataIsNotTold(t *testing.T) {
	h := campaigned(t)
	d := h.Dialect.(*skycore.Dialect)
	within(t, h, func(tx *store.Tx) {
		d.Received(tx, inbox.Message{Kind: inbox.DataSMS, Sender: alice, SIM: 1, Text: "STOP"})
		d.Received(tx, inbox.Message{Kind: inbox.MMS, Sender: alice, SIM: 1, Text: "STOP"})
	})
	if got := state(t, h); got != "12A" {
		t.Errorf("subscribed to %q", got)
	}
	if all := h.Callbacks.All(); len(all) != 0 {
		t.Errorf("told %+v", all)
	}
}
