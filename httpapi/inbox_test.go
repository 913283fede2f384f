package httpapi_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/android-sms-gateway/client-go/smsgateway"

	"dongled/scheduler/inbox"
)

var received = []inbox.Message{
	{ID: "text:-12", Kind: inbox.SMS, Sender: "+491701234567", Recipient: "+491709999999", Text: "Grüße 😀", Parts: 1, SIM: 2,
		IMSI: "262010000000002", ICCID: "8949000000000000002", IMEI: "490154203237518", SMSC: "+491710760000", Sent: at(1), Received: at(9)},
	{ID: "text:7", Kind: inbox.SMS, Sender: "Bank", Text: "TAN […]", Parts: 2, Partial: true, SIM: 1, Sent: at(3), Received: at(8)},
	{ID: "data:34", Kind: inbox.DataSMS, Sender: "+1", Data: []byte("\x00Hello\xff"), Port: 53739, Parts: 1, SIM: 1, Received: at(7)},
	{ID: "data:35", Kind: inbox.DataSMS, Sender: "+1", Data: []byte(strings.Repeat("\x5a", 65)), Parts: 1, Received: at(6)},
	{ID: "data:36", Kind: inbox.DataSMS, Sender: "+1", Parts: 1, Received: at(5)},
}

// Content previews are those of the app: a text in full, data as 64 octets in lower-case hex.
const listed = `[` +
	`{"id":"text:-12","type":"SMS","sender":"+491701234567","recipient":"+491709999999","simNumber":2,"contentPreview":"Grüße 😀","createdAt":"2026-01-02T03:04:09.005Z","attachments":[]},` +
	`{"id":"text:7","type":"SMS","sender":"Bank","simNumber":1,"contentPreview":"TAN […]","createdAt":"2026-01-02T03:04:08.005Z","attachments":[],"partial":true},` +
	`{"id":"data:34","type":"DATA_SMS","sender":"+1","simNumber":1,"contentPreview":"0048656c6c6fff","createdAt":"2026-01-02T03:04:07.005Z","attachments":[]},` +
	`{"id":"data:35","type":"DATA_SMS","sender":"+1","contentPreview":"` +
	`5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a...` +
	`","createdAt":"2026-01-02T03:04:06.005Z","attachments":[]},` +
	`{"id":"data:36","type":"DATA_SMS","sender":"+1","contentPreview":"Empty data","createdAt":"2026-01-02T03:04:05.005Z","attachments":[]}]`

func TestInbox(t *testing.T) {
	s := start(t)
	s.inbox.page, s.inbox.total = received, 123
	for _, path := range []string{"/inbox", "/inbox?includeAttachments=true", "/3rdparty/v1/inbox", "/api/3rdparty/v1//inbox/"} {
		got := s.do("GET", path, "")
		got.want(t, 200, listed)
		if total := got.header.Get("X-Total-Count"); total != "123" {
			t.Errorf("%s: X-Total-Count %q", path, total)
		}
	}
}

func TestInboxOfNothing(t *testing.T) {
	s := start(t)
	got := s.do("GET", "/inbox", "")
	got.want(t, 200, "[]")
	if total := got.header.Get("X-Total-Count"); total != "0" {
		t.Errorf("X-Total-Count %q", total)
	}
}

func TestInboxFilter(t *testing.T) {
	s := start(t)
	day := func(d int) time.Time { return time.Date(2026, 1, d, 1, 4, 5, 0, time.UTC) }
	tests := []struct {
		query string
		want  inbox.Filter
	}{
		{"", inbox.Filter{Limit: 50}},
		{"?type=SMS&limit=500&offset=2147483647", inbox.Filter{Kind: inbox.SMS, Limit: 500, Offset: 2147483647}},
		{"?type=DATA_SMS&limit=1", inbox.Filter{Kind: inbox.DataSMS, Limit: 1}},
		{"?from=2026-01-02T03:04:05%2B02:00&to=2026-01-03T01:04:05.000Z", inbox.Filter{Limit: 50, From: day(2), To: day(3)}},
		{"?from=2026-01-02T03:04:05+02:00", inbox.Filter{Limit: 50, From: day(2)}},
		{"?to=2026-01-02T01:04:05", inbox.Filter{Limit: 50, To: day(2)}},
		{"?deviceId=PyDmBQZZXYmyxMwED8Fzy&includeAttachments=False", inbox.Filter{Limit: 50}},
	}
	for i, test := range tests {
		if got := s.do("GET", "/inbox"+test.query, ""); got.status != 200 {
			t.Fatalf("%s: %d %s", test.query, got.status, got.body)
		}
		if got := s.inbox.filters[i]; !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: filter %+v, want %+v", test.query, got, test.want)
		}
	}
	// raw, because openapi.yaml has no word for an empty integer.
	s.raw("GET", "/inbox?type=&limit=&offset=&from=&to=&deviceId=&includeAttachments=", "").want(t, 200, "[]")
	if got := s.inbox.filters[len(tests)]; got != (inbox.Filter{Limit: 50}) {
		t.Errorf("empty parameters: filter %+v", got)
	}
}

// No dongle fetches MMS, so the inbox is not asked for one that was.
func TestInboxHasNoFetchedMMS(t *testing.T) {
	s := start(t)
	s.inbox.page, s.inbox.total = received, 5
	got := s.do("GET", "/inbox?type=MMS_DOWNLOADED", "")
	got.want(t, 200, "[]")
	if total := got.header.Get("X-Total-Count"); total != "0" {
		t.Errorf("X-Total-Count %q", total)
	}
	if len(s.inbox.filters) != 0 {
		t.Errorf("asked %+v", s.inbox.filters)
	}
}

// What is shown of an MMS that waits: its subject, or else its location.
func TestInboxMMS(t *testing.T) {
	s := start(t)
	s.inbox.total = 2
	s.inbox.page = []inbox.Message{
		{ID: "mms:2", Kind: inbox.MMS, Sender: "a@b.example", Parts: 2, SIM: 1, Data: []byte{1}, Port: 2948, Received: at(9),
			Notification: &inbox.Notification{TransactionID: "T2", Pusher: "12345", Subject: "Grüße", Size: 7, Location: "http://m/2"}},
		{ID: "mms:1", Kind: inbox.MMS, Sender: "12345", Parts: 1, Received: at(8),
			Notification: &inbox.Notification{TransactionID: "T1", Location: "http://m/1"}},
	}
	s.do("GET", "/inbox?type=MMS&includeAttachments=true", "").want(t, 200, `[`+
		`{"id":"mms:2","type":"MMS","sender":"a@b.example","simNumber":1,"contentPreview":"Grüße","createdAt":"2026-01-02T03:04:09.005Z","attachments":[]},`+
		`{"id":"mms:1","type":"MMS","sender":"12345","contentPreview":"http://m/1","createdAt":"2026-01-02T03:04:08.005Z","attachments":[]}]`)
	if want := []inbox.Filter{{Kind: inbox.MMS, Limit: 50}}; !reflect.DeepEqual(s.inbox.filters, want) {
		t.Errorf("asked %+v, want %+v", s.inbox.filters, want)
	}
}

// The texts are the app's, and so is their order of precedence.
func TestInboxRefuses(t *testing.T) {
	s := start(t)
	for query, message := range map[string]string{
		"type=sms":                            "Invalid type",
		"type=SMS,MMS":                        "Invalid type",
		"includeAttachments=2":                "includeAttachments must be true or false",
		"limit=0":                             "limit must be between 1 and 500",
		"limit=501":                           "limit must be between 1 and 500",
		"limit=ten":                           "limit must be between 1 and 500",
		"offset=-1":                           "offset must be >= 0",
		"offset=99999999999":                  "offset must be >= 0",
		"from=yesterday":                      "Invalid from datetime",
		"to=1700000000":                       "Invalid to datetime",
		"deviceId=another":                    "Invalid device ID",
		"deviceId=another&from=x&limit=0":     "limit must be between 1 and 500",
		"type=x&includeAttachments=x&limit=0": "Invalid type",
		"from=2026-01-02T03:04:06Z&to=2026-01-02T03:04:05Z": "Start date cannot be after end date",
	} {
		// openapi.yaml is not asked what it thinks of >=, which JSON escapes.
		got := s.do("GET", "/inbox?"+query, "")
		var body struct{ Message string }
		if err := json.Unmarshal([]byte(got.body), &body); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if got.status != 400 || body.Message != message {
			t.Errorf("%s: %d %q, want 400 %q", query, got.status, body.Message, message)
		}
	}
	if len(s.inbox.filters) != 0 {
		t.Errorf("asked %+v", s.inbox.filters)
	}
}

func TestInboxIsProtected(t *testing.T) {
	s := start(t)
	s.do("GET", "/inbox", "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
}

func TestInboxUnavailable(t *testing.T) {
	s := start(t)
	s.inbox.err = errors.New("disk on fire")
	s.do("GET", "/inbox", "").wantMessage(t, 503, "the message store is unavailable, try again")
}

// What the published client makes of a row.
func TestInboxDecodes(t *testing.T) {
	s := start(t)
	s.inbox.page, s.inbox.total = received, 5
	req, err := http.NewRequest("GET", s.url+"/3rdparty/v1/inbox?"+url.Values{"limit": {"5"}}.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(username, password)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var rows []smsgateway.IncomingMessage
	if err := json.NewDecoder(resp.Body).Decode(&rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) != 5 {
		t.Fatalf("%d rows", len(rows))
	}
	first, last := rows[0], rows[4]
	if first.Type != smsgateway.IncomingMessageTypeSMS || first.Recipient == nil || *first.Recipient != "+491709999999" ||
		first.SimNumber == nil || *first.SimNumber != 2 || !first.CreatedAt.Equal(at(9).Truncate(time.Millisecond)) {
		t.Errorf("first %+v", first)
	}
	if last.Type != smsgateway.IncomingMessageTypeDataSMS || last.Recipient != nil || last.SimNumber != nil {
		t.Errorf("last %+v", last)
	}
}
