package skycore_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
	"dongled/scheduler/queue"
)

// The requests and answers of the vendor's page, as they stand there.
const (
	pageExample1 = `
{
"action": "sendsms",
"message-text": "This message is sent for testing purposes only.",
"to": "+10000000001",
"from": "00000"
}`
	pageExample2 = `
{
"action": "sendsms",
"message-text": "Visit https://www.fakeurl.com/ for more info.",
"to": "+10000000001",
"from": "00000",
"from-mask": "Dunder Mifflin",
"campaign-ref": "campaign2345",
"click-tracking": true
}`
	pageSuccess = `{
"status": "Success",
"tracking-id": "xxxxxxxxxxxx",
"to": "+10000000001",
"from": "00000",
"status-details": "SMS request accepted and queued for delivery"
}`
	pageFailure = `{
"status": "Failure",
"error-code": "E111",
"error-info": "Invalid Sender.",
"to": "10000000001"
}`
)

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPageExample1(t *testing.T) {
	h := start(t, skycore.Options{})
	for _, path := range []string{"/skycore", "/skycore/v2"} {
		got := h.Do("POST", path, pageExample1, "x-api-key", compattest.Key, "content-type", "application/json")
		id := read(t, got).ID
		if want := compact(t, strings.ReplaceAll(pageSuccess, "xxxxxxxxxxxx", id)); got.Status != 200 || got.Body != want {
			t.Errorf("%s answered %d %s, want %s", path, got.Status, got.Body, want)
		}
		m := h.Await(id, queue.Sent)
		if m.Content.Text != "This message is sent for testing purposes only." || m.Recipients[0].Number != "+10000000001" || !m.Report {
			t.Errorf("the message is %+v", m)
		}
	}
	for _, p := range h.Sent() {
		if p.SIM != 1 || p.Destination != "+10000000001" {
			t.Errorf("sent %+v", p)
		}
	}
}

func TestPageExample2(t *testing.T) {
	h := start(t, skycore.Options{PostbackURL: postbackURL, ClickPostbacks: true})
	got := post(h, pageExample2)
	a := read(t, got)
	want := compact(t, strings.ReplaceAll(pageSuccess, "xxxxxxxxxxxx", a.ID))
	want = strings.TrimSuffix(want, "}") + `,"warnings":["from-mask is not supported on a SIM; sender is +491510000001"]}`
	if got.Status != 200 || got.Body != want {
		t.Errorf("answered %d %s\nwant %s", got.Status, got.Body, want)
	}
	m := h.Await(a.ID, queue.Sent)
	if !regexp.MustCompile(`^Visit https://s\.example\.org/r/[0-9A-Za-z]{8} for more info\.$`).MatchString(m.Content.Text) {
		t.Errorf("the text is %q", m.Content.Text)
	}
	var told map[string]string
	if err := json.Unmarshal(h.Callbacks.Await(t, 1)[0].Body, &told); err != nil {
		t.Fatal(err)
	}
	if told["from-mask"] != "Dunder Miff" || told["campaign-ref"] != "campaign2345" || told["tracking-id"] != a.ID {
		t.Errorf("the postback says %v", told)
	}
	kept, err := h.Links.Of(t.Context(), a.ID)
	if err != nil || len(kept) != 1 || kept[0].URL != "https://www.fakeurl.com/" || !strings.Contains(m.Content.Text, kept[0].Short) {
		t.Errorf("the links are %+v (%v)", kept, err)
	}
}

func TestPageFailure(t *testing.T) {
	h := start(t, skycore.Options{})
	got := post(h, `{"action": "sendsms", "message-text": "Hi", "to": "10000000001", "from": "99999"}`)
	if got.Status != 200 || got.Body != compact(t, pageFailure) {
		t.Errorf("answered %d %s", got.Status, got.Body)
	}
	if all := h.Messages(); len(all) != 0 {
		t.Errorf("there are messages: %+v", all)
	}
}
