package httpapi_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/scheduler/queue"
)

// startHome runs a server whose /api/3rdparty/v1 speaks the API of 614901.xyz.
func startHome(t *testing.T) *server {
	t.Helper()
	return start(t, func(o *httpapi.Options) { o.SMSGateOnly = false })
}

var uuidV4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// The requests of the vendor's page, as they stand there.
func TestHomeAPISend(t *testing.T) {
	s := startHome(t)
	for _, body := range []string{
		`{"phoneNumbers":["+12025550100"],"textMessage":{"text":"Hello!"}}`,
		`{
  "phoneNumbers": ["+12025550100"],
  "textMessage": { "text": "Hello from API" },
  "withDeliveryReport": true
}`,
	} {
		got := s.do("POST", "/api/3rdparty/v1/messages", body)
		var answer struct {
			ID, State  string
			Recipients []map[string]any
		}
		if err := json.Unmarshal([]byte(got.body), &answer); err != nil || got.status != 200 || !uuidV4.MatchString(answer.ID) {
			t.Fatalf("%d %s: %v", got.status, got.body, err)
		}
		want := []map[string]any{{"phoneNumber": "+12025550100", "state": "Pending", "error": nil}}
		if !reflect.DeepEqual(answer.Recipients, want) {
			t.Errorf("recipients %v", answer.Recipients)
		}
		if location := got.header.Get("Location"); location != "/api/3rdparty/v1/messages/"+answer.ID {
			t.Errorf("Location %q", location)
		}
	}
	// An id of the client's own stays, and SMSGate's other base URLs are SMSGate's.
	s.do("POST", "/api/3rdparty/v1/messages", `{"id":"mine","phoneNumbers":["+12025550100"],"message":"Hi"}`)
	if submission, _ := s.queue.last(); submission.ID != "mine" {
		t.Errorf("id %q", submission.ID)
	}
	got := s.do("POST", "/3rdparty/v1/messages", other)
	if got.status != 202 || strings.Contains(got.body, "null") || !strings.HasPrefix(got.header.Get("Location"), "/3rdparty/v1/messages/") {
		t.Errorf("%d %s, Location %q", got.status, got.body, got.header.Get("Location"))
	}
	if got := start(t).do("POST", "/api/3rdparty/v1/messages", other); got.status != 202 {
		t.Errorf("SMSGate alone: %d %s", got.status, got.body)
	}
}

// TestHomeAPICredentials: the vendor's page has "JWT Bearer or Basic Auth".
func TestHomeAPICredentials(t *testing.T) {
	s, _ := startWithUsers(t, func(o *httpapi.Options) { o.SMSGateOnly = false })
	const body = `{"phoneNumbers":["+12025550100"],"textMessage":{"text":"Hello!"}}`
	token := s.do("POST", "/api/3rdparty/v1/auth/token", `{"ttl":3600,"scopes":["messages:send","messages:read"]}`).tokenPair(t)
	for what, tt := range map[string]struct {
		header string
		status int
	}{
		"JWT": {"Bearer " + token.Access, 200}, "Basic": {basic(username + ":" + password), 200},
		"refresh token": {"Bearer " + token.Refresh, 401}, "wrong password": {basic(username + ":wrong"), 401}, "nothing": {"", 401},
	} {
		if got := s.do("POST", "/api/3rdparty/v1/messages", body, "Authorization", tt.header); got.status != tt.status {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
	bearer := []string{"Authorization", "Bearer " + token.Access}
	if got := s.do("GET", "/api/3rdparty/v1/messages/c6f1f7cc-97c1-44a2-99fb-83c4b3f9ef4c", "", bearer...); got.status != 404 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestHomeAPISchedule(t *testing.T) {
	s := startHome(t)
	now := time.Now()
	at := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	body := func(more string) string { return `{"phoneNumbers":["+12025550100"],"message":"Hi",` + more + `}` }
	got := s.do("POST", "/api/3rdparty/v1/messages", body(`"scheduleAt":"`+at(time.Hour)+`","validUntil":"`+at(2*time.Hour)+`","simNumber":2,"priority":7`))
	if submission, _ := s.queue.last(); got.status != 200 || !submission.ScheduleAt.Equal(now.Add(time.Hour).Truncate(time.Second)) ||
		!submission.ValidUntil.Equal(now.Add(2*time.Hour).Truncate(time.Second)) || submission.SIM != 2 || submission.Priority != 7 {
		t.Errorf("%d %s: %+v", got.status, got.body, submission)
	}
	for more, message := range map[string]string{
		`"scheduleAt":"` + at(-time.Hour) + `"`:                                       "scheduleAt: must be in the future",
		`"scheduleAt":"` + at(2*time.Hour) + `","validUntil":"` + at(time.Hour) + `"`: "scheduleAt: scheduleAt must be less than or equal to validUntil",
	} {
		s.do("POST", "/api/3rdparty/v1/messages", body(more)).wantMessage(t, 400, message)
	}
}

func TestHomeAPIList(t *testing.T) {
	s := startHome(t)
	for i := range 150 {
		s.queue.put(queue.Message{ID: fmt.Sprint(i), Created: at(0), State: queue.Pending, Recipients: []queue.Recipient{{Number: "+12025550100", State: queue.Pending}}})
	}
	for query, want := range map[string]struct {
		first string
		n     int
	}{
		"":                    {"149", 20},
		"?skip=0&limit=20":    {"149", 20}, // as on the page
		"?skip=30":            {"119", 20},
		"?offset=30&limit=2":  {"119", 2},
		"?limit=100":          {"149", 100},
		"?limit=500":          {"149", 100},
		"?skip=149&limit=100": {"0", 1},
	} {
		got := s.do("GET", "/api/3rdparty/v1/messages"+query, "")
		var page []struct {
			ID, State, CreatedAt string
			Recipients           []map[string]any
		}
		if err := json.Unmarshal([]byte(got.body), &page); err != nil || got.status != 200 || len(page) != want.n {
			t.Errorf("%s: %d with %d messages: %v", query, got.status, len(page), err)
			continue
		}
		if p := page[0]; p.ID != want.first || p.State != "Pending" || p.CreatedAt != "2026-01-02T03:04:00.005Z" {
			t.Errorf("%s begins with %+v", query, p)
		}
	}
	for query, message := range map[string]string{
		"?skip=1&offset=1": "skip: fields conflict: skip and offset",
		"?skip=-1":         "skip: must be an integer, 0 or more",
		"?skip=x":          "skip: must be an integer, 0 or more",
	} {
		s.do("GET", "/api/3rdparty/v1/messages"+query, "").wantMessage(t, 400, message)
	}
	// Elsewhere skip means nothing.
	if got := s.do("GET", "/messages?limit=1&skip=5", ""); !strings.Contains(got.body, `"id":"149"`) {
		t.Errorf("%s", got.body)
	}
}

// What failed says why, and what is well says null.
func TestHomeAPIErrors(t *testing.T) {
	s := startHome(t)
	s.queue.put(
		queue.Message{ID: "first", Created: at(1), Content: queue.Content{Text: "Hi"}, State: queue.Failed, Recipients: []queue.Recipient{
			{Number: "+491701234567", State: queue.Failed, Error: "Send result: RESULT_NETWORK_REJECT (no)"},
		}},
		queue.Message{ID: "second", Created: at(4), Content: queue.Content{Text: "Hi"}, State: queue.Pending, Recipients: []queue.Recipient{
			{Number: "12345", State: queue.Pending}, {Number: "+1", State: queue.Pending},
		}},
	)
	for path, want := range map[string]string{
		"first":  `"recipients":[{"phoneNumber":"+491701234567","state":"Failed","error":"Send result: RESULT_NETWORK_REJECT (no)"}]`,
		"second": `"recipients":[{"phoneNumber":"12345","state":"Pending","error":null},{"phoneNumber":"+1","state":"Pending","error":null}]`,
	} {
		if got := s.do("GET", "/api/3rdparty/v1/messages/"+path, ""); got.status != 200 || !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	cancelled := s.do("DELETE", "/api/3rdparty/v1/messages/second", "")
	if cancelled.status != 200 || !strings.Contains(cancelled.body, `"state":"Cancelled","error":null`) {
		t.Errorf("%d %s", cancelled.status, cancelled.body)
	}
	s.do("GET", "/api/3rdparty/v1/messages/c6f1f7cc-97c1-44a2-99fb-83c4b3f9ef4c", "").wantMessage(t, 404, "message not found")
}
