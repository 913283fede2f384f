package httpapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"dongled/modem"
	"dongled/scheduler/queue"
)

// other is like hi without an id, so that it may be repeated.
const other = `{"textMessage":{"text":"Hi"},"phoneNumbers":["+491701234567"]}`

const hi = `{"id":"order-1","textMessage":{"text":"Hi"},"phoneNumbers":["+49 170 1234567"]}`

func at(second int) time.Time { return time.Date(2026, 1, 2, 3, 4, second, 5_999_999, time.UTC) }

func TestSend(t *testing.T) {
	s := start(t)
	for _, prefix := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		for _, path := range []string{"/messages", "/message", "/messages?", "/messages/", "//messages", "//message//?skipPhoneValidation=false"} {
			id := fmt.Sprintf("order-%d", len(s.queue.messages))
			got := s.do("POST", prefix+path, strings.Replace(hi, "order-1", id, 1))
			if got.status != 202 {
				t.Fatalf("%s%s: %d %s", prefix, path, got.status, got.body)
			}
			if location := got.header.Get("Location"); location != prefix+"/messages/"+id {
				t.Errorf("%s%s: Location %q", prefix, path, location)
			}
			// Creation time is the queue's; the rest is fixed.
			created := s.queue.messages[len(s.queue.messages)-1].Created.UTC().Format("2006-01-02T15:04:05.000Z07:00")
			got.want(t, 202, fmt.Sprintf(`{"id":"%s","deviceId":"PyDmBQZZXYmyxMwED8Fzy","state":"Pending","isHashed":false,"isEncrypted":false,`+
				`"recipients":[{"phoneNumber":"+491701234567","state":"Pending"}],"states":{"Pending":"%s"},"textMessage":{"text":"Hi"},"createdAt":"%[2]s"}`, id, created))
			s.do("GET", got.header.Get("Location"), "").want(t, 200, got.body)
		}
	}
}

func TestSendHandsOverEverything(t *testing.T) {
	s := start(t)
	got := s.do("POST", "/messages?skipPhoneValidation=True", `{"dataMessage":{"data":"SGVsbG8gRGF0YSBXb3JsZCE=","port":53739},
		"phoneNumbers":["12345","+1 2"],"simNumber":2,"priority":-5,"withDeliveryReport":false,"id":"a.b:c",
		"deviceId":"PyDmBQZZXYmyxMwED8Fzy","validUntil":"2099-12-31T23:59:59.5+01:00","scheduleAt":"2099-01-01T00:00:00.123456"}`)
	if got.status != 202 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	want := queue.Submission{
		ID: "a.b:c", Content: queue.Content{Data: []byte("Hello Data World!"), Port: 53739}, Recipients: []string{"12345", "+1 2"},
		SIM: 2, Priority: -5, SkipPhoneValidation: true,
		ValidUntil: time.Date(2099, 12, 31, 22, 59, 59, 500_000_000, time.UTC), ScheduleAt: time.Date(2099, 1, 1, 0, 0, 0, 123_456_000, time.UTC),
	}
	if submission, _ := s.queue.last(); !reflect.DeepEqual(submission, want) {
		t.Errorf("got  %+v\nwant %+v", submission, want)
	}
	var state struct {
		ScheduleAt  string
		DataMessage map[string]any
	}
	if err := json.Unmarshal([]byte(got.body), &state); err != nil {
		t.Fatal(err)
	}
	if state.ScheduleAt != "2099-01-01T00:00:00.123Z" ||
		!reflect.DeepEqual(state.DataMessage, map[string]any{"data": "SGVsbG8gRGF0YSBXb3JsZCE=", "port": 53739.0}) {
		t.Errorf("state %+v", state)
	}
}

func TestSendRefuses(t *testing.T) {
	s := start(t)
	if got := s.do("POST", "/messages", hi); got.status != 202 {
		t.Fatal(got.body)
	}
	to := func(numbers string) string { return `{"message":"Hi","phoneNumbers":` + numbers + `}` }
	tests := []struct {
		name, query, body string
		status            int
		message           string
	}{
		{"used id", "", hi, 409, "message with the same ID already exists"},
		{"the queue's fault", "", to(`["12345"]`), 400, "phoneNumbers[0]: not a valid phone number"},
		{"same after normalising", "", to(`["+12","+1 2"]`), 400, "phoneNumbers[1]: phone numbers must be unique"},
		{"unknown SIM", "", `{"message":"Hi","phoneNumbers":["+1"],"simNumber":3}`, 400, "simNumber: no such SIM is configured"},
		{"parser's fault", "", `{"textMessage":{"text":7},"phoneNumbers":["+1"]}`, 400, "textMessage.text: must be a string"},
		{"empty body", "", "", 400, "Content-Type: must be application/json"},
		{"null body", "", "null", 400, "body: must be a JSON object"},
		{"skipPhoneValidation", "?skipPhoneValidation=yes", hi, 400, "skipPhoneValidation: must be true or false"},
		{"deviceActiveWithin word", "?deviceActiveWithin=x", hi, 400, "deviceActiveWithin: must be an integer, 0 or more"},
		{"deviceActiveWithin below", "?deviceActiveWithin=-1", hi, 400, "deviceActiveWithin: must be an integer, 0 or more"},
		{"no active device", "?deviceActiveWithin=12", hi, 400, "deviceActiveWithin: failed to select device: record not found"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.do("POST", "/messages"+test.query, test.body).wantMessage(t, test.status, test.message)
			if n := len(s.queue.messages); n != 1 {
				t.Errorf("%d messages are stored, want the first one alone", n)
			}
		})
	}
}

func TestContentType(t *testing.T) {
	s := start(t)
	for kind, status := range map[string]int{
		"application/json":                  202,
		"application/json; charset=utf-8":   202,
		"Application/JSON;charset=UTF-8":    202,
		"application/vnd.smsgate+json":      202,
		"":                                  400,
		"text/plain":                        400,
		"text/json":                         400,
		"application/jsonp":                 400,
		"application/x-www-form-urlencoded": 400,
		"multipart/form-data; boundary=x":   400,
		"application/json; charset":         400,
	} {
		t.Run(kind, func(t *testing.T) {
			// The published document lists application/json alone.
			got := s.raw("POST", "/messages", other, "Content-Type: "+kind)
			if got.status != status {
				t.Errorf("%d %s, want %d", got.status, got.body, status)
			}
			if status == 400 {
				got.want(t, 400, `{"message":"Content-Type: must be application/json"}`)
			}
		})
	}
}

// sealedHi and sealedAlice are "Hi" and "+4915112345678", as SMSGate's clients encrypt them.
const (
	sealedHi    = "$aes-256-cbc/pbkdf2-sha1$i=1$AAECAwQFBgcICQoLDA0ODw==$sDE2OdlYUnXbgWzQjE4tcQ=="
	sealedAlice = "$aes-256-cbc/pbkdf2-sha1$i=1$AAECAwQFBgcICQoLDA0ODw==$KOFcxGcXpjg+INVmFT/g5w=="
)

// TestSendShapes: what came in one form comes back in it; the deprecated message as textMessage.
func TestSendShapes(t *testing.T) {
	s := start(t)
	for _, test := range []struct{ body, number, encrypted, content string }{
		{`"message":"Hi"`, "+1", "false", `"textMessage":{"text":"Hi"}`},
		{`"flashMessage":{"text":"Hi"}`, "+1", "false", `"flashMessage":{"text":"Hi"}`},
		{`"dataMessage":{"data":"AP8=","port":7}`, "+1", "false", `"dataMessage":{"data":"AP8=","port":7}`},
		{`"isEncrypted":true,"textMessage":{"text":"` + sealedHi + `"}`, sealedAlice, "true", `"textMessage":{"text":"` + sealedHi + `"}`},
		{`"isEncrypted":true,"message":"` + sealedHi + `"`, sealedAlice, "true", `"textMessage":{"text":"` + sealedHi + `"}`},
		{`"isEncrypted":true,"flashMessage":{"text":"` + sealedHi + `"}`, sealedAlice, "true", `"flashMessage":{"text":"` + sealedHi + `"}`},
		{`"isEncrypted":true,"dataMessage":{"data":"` + sealedHi + `","port":7}`, sealedAlice, "true", `"dataMessage":{"data":"` + sealedHi + `","port":7}`},
		{`"isEncrypted":true,"message":"as good as any"`, "likewise", "true", `"textMessage":{"text":"as good as any"}`},
	} {
		got := s.do("POST", "/messages", `{`+test.body+`,"phoneNumbers":["`+test.number+`"]}`)
		want := []string{test.content, `"phoneNumber":"` + test.number + `"`, `"isEncrypted":` + test.encrypted, `"isHashed":false`}
		for _, part := range want {
			if got.status != 202 || !strings.Contains(got.body, part) {
				t.Errorf("%s: %d %s\nlacks %s", test.body, got.status, got.body, part)
			}
		}
		s.do("GET", got.header.Get("Location"), "").want(t, 200, got.body)
	}
}

// TestQueueLimits: a full queue answers in the cloud's words, and is no fault of the gateway's.
func TestQueueLimits(t *testing.T) {
	s := start(t)
	for _, reason := range []string{"too many pending messages: 100 / 100", "too old pending message: 2026-01-02T03:04:05Z", "too many failed messages"} {
		s.queue.fail(fmt.Errorf("submit: %w", &queue.LimitError{Reason: reason}))
		got := s.do("POST", "/messages", hi)
		got.wantMessage(t, 503, "queue limits exceeded: "+reason)
		if wait := got.header.Get("Retry-After"); wait != "60" {
			t.Errorf("Retry-After %q", wait)
		}
	}
	if log := s.log.String(); strings.Contains(log, "http request failed") || !strings.Contains(log, "too many failed messages") {
		t.Errorf("log %s", log)
	}
}

func TestDeviceActiveWithin(t *testing.T) {
	s := start(t)
	ago := func(d time.Duration) modem.Status { return modem.Status{SIM: 1, LastSeen: time.Now().Add(-d)} }
	tests := []struct {
		hours  string
		modems []modem.Status
		status int
	}{
		{"0", nil, 202},
		{"", nil, 202},
		{"1", nil, 400},
		{"1", []modem.Status{{SIM: 1}}, 400}, // never seen
		{"1", []modem.Status{ago(59 * time.Minute)}, 202},
		{"1", []modem.Status{ago(61 * time.Minute)}, 400},
		{"1", []modem.Status{ago(61 * time.Minute), ago(time.Second)}, 202},
		{"30", []modem.Status{ago(29 * time.Hour)}, 202},
		{"30", []modem.Status{ago(31 * time.Hour)}, 400},
		{"2147483647", []modem.Status{ago(1000 * time.Hour)}, 202},
		{"2147483647", []modem.Status{{SIM: 1}}, 400},
	}
	for _, test := range tests {
		s.modems.set(test.modems...)
		if got := s.do("POST", "/messages?deviceActiveWithin="+test.hours, other); got.status != test.status {
			t.Errorf("within %s h of %v: %d %s, want %d", test.hours, test.modems, got.status, got.body, test.status)
		}
	}
}

// stored are messages in every shape that an answer can have.
var stored = []queue.Message{
	{
		ID: "first", Created: at(1), Content: queue.Content{Text: "Grüße <&>"}, State: queue.Failed,
		Reached:    []queue.Reached{{State: queue.Pending, At: at(1)}, {State: queue.Processed, At: at(2)}, {State: queue.Failed, At: at(3)}},
		Recipients: []queue.Recipient{{Number: "+491701234567", State: queue.Failed, Error: "Send result: RESULT_NETWORK_REJECT (no)"}},
	},
	{
		ID: "second", Created: at(4), Content: queue.Content{Data: []byte{0, 255}, Port: 0}, State: queue.Pending, ScheduleAt: at(30),
		Reached:    []queue.Reached{{State: queue.Pending, At: at(4)}},
		Recipients: []queue.Recipient{{Number: "12345", State: queue.Pending}, {Number: "+1", State: queue.Pending}},
	},
}

// Without the content, and the content.
var wire = map[string][2]string{
	"first": {`{"id":"first","deviceId":"PyDmBQZZXYmyxMwED8Fzy","state":"Failed","isHashed":false,"isEncrypted":false,` +
		`"recipients":[{"phoneNumber":"+491701234567","state":"Failed","error":"Send result: RESULT_NETWORK_REJECT (no)"}],` +
		`"states":{"Failed":"2026-01-02T03:04:03.005Z","Pending":"2026-01-02T03:04:01.005Z","Processed":"2026-01-02T03:04:02.005Z"},%s` +
		`"createdAt":"2026-01-02T03:04:01.005Z"}`, `"textMessage":{"text":"Grüße \u003c\u0026\u003e"},`},
	"second": {`{"id":"second","deviceId":"PyDmBQZZXYmyxMwED8Fzy","state":"Pending","isHashed":false,"isEncrypted":false,` +
		`"recipients":[{"phoneNumber":"12345","state":"Pending"},{"phoneNumber":"+1","state":"Pending"}],` +
		`"states":{"Pending":"2026-01-02T03:04:04.005Z"},%s"scheduleAt":"2026-01-02T03:04:30.005Z","createdAt":"2026-01-02T03:04:04.005Z"}`,
		`"dataMessage":{"data":"AP8=","port":0},`},
}

func bare(id string) string { return fmt.Sprintf(wire[id][0], "") }
func full(id string) string { return fmt.Sprintf(wire[id][0], wire[id][1]) }

func TestGet(t *testing.T) {
	s := start(t)
	s.queue.put(stored...)
	s.queue.put(queue.Message{ID: "a:b", State: queue.Sent, Content: queue.Content{Text: "x"}, Recipients: []queue.Recipient{{Number: "+1", State: queue.Sent}}})
	for _, path := range []string{"/messages/first", "/message/first", "/3rdparty/v1/messages/first/", "/api/3rdparty/v1//message/first"} {
		s.do("GET", path, "").want(t, 200, full("first"))
	}
	s.do("GET", "/messages/second", "").want(t, 200, full("second"))
	if got := s.do("GET", "/messages/a%3Ab", ""); got.status != 200 {
		t.Errorf("escaped id: %d %s", got.status, got.body)
	}
	for _, id := range []string{"third", "First", "%2e%2e", "first%2Fsecond", "%zz", strings.Repeat("x", 37), "%0d%0aX"} {
		got := s.raw("GET", "/messages/"+id, "")
		got.want(t, 404, `{"message":"message not found"}`)
	}
}

func TestCancel(t *testing.T) {
	s := start(t)
	s.queue.put(stored...)
	cancelled := strings.ReplaceAll(bare("second"), `"state":"Pending"`, `"state":"Cancelled"`)
	cancelled = strings.Replace(cancelled, `"states":{`, `"states":{"Cancelled":"2026-01-02T03:04:05.005Z",`, 1)
	s.do("DELETE", "/api/3rdparty/v1/messages/second", "").want(t, 200, cancelled)
	s.do("DELETE", "/message/second", "").want(t, 200, cancelled)
	s.do("DELETE", "/messages/first", "").wantMessage(t, 409, "message is not pending")
	s.do("DELETE", "/messages/third", "").wantMessage(t, 404, "message not found")
}

// A failing store never claims success, never tells its own words, and invites to try again.
func TestStoreFails(t *testing.T) {
	for _, err := range []error{errors.New("bbolt: /var/lib/dongled.db: no space left"), queue.ErrClosed} {
		s := start(t)
		s.queue.fail(err)
		for _, test := range []struct{ method, path, body, want string }{
			{"POST", "/messages", hi, "the message store is unavailable; nothing was accepted, try again"},
			{"GET", "/messages", "", "the message store is unavailable, try again"},
			{"GET", "/messages/first", "", "the message store is unavailable, try again"},
			{"DELETE", "/messages/first", "", "the message store is unavailable, try again"},
		} {
			got := s.do(test.method, test.path, test.body)
			got.wantMessage(t, 503, test.want)
			if wait := got.header.Get("Retry-After"); wait != "5" {
				t.Errorf("Retry-After %q", wait)
			}
		}
		if !strings.Contains(s.log.String(), err.Error()) {
			t.Errorf("%q is not in the log", err)
		}
	}
}

func TestIndex(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/", "//", "/3rdparty/v1", "/3rdparty/v1/", "/api/3rdparty/v1"} {
		s.do("GET", path, "").want(t, 200, `{"status":"ok","model":"dongled"}`)
	}
}

func TestUnknownRoutesAndMethods(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/nothing", "/messages/a/b", "/api/messages", "/3rdparty/v2/messages", "/Messages"} {
		s.do("GET", path, "").wantMessage(t, 404, "no such route")
	}
	for route, allowed := range map[string]string{
		"PUT /messages": "GET, HEAD, POST", "POST /devices": "GET, HEAD", "PATCH /3rdparty/v1/messages/x": "GET, HEAD, DELETE", "POST /health": "GET, HEAD",
	} {
		method, path, _ := strings.Cut(route, " ")
		got := s.do(method, path, "")
		got.wantMessage(t, 405, "method not allowed")
		if allow := got.header.Get("Allow"); allow != allowed {
			t.Errorf("%s: Allow %q, want %q", route, allow, allowed)
		}
	}
}
