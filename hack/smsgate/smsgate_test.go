package smsgate_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/hack/smsgate"
)

// What is expected here is written from the server's sources and answers, not from this package: the
// tests of the uplink are worth what it is like the server.

// ask makes a request with that Authorization, and returns status and body.
func ask(t *testing.T, s *smsgate.Server, auth, request, body string) (int, string) {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Code, strings.TrimSpace(w.Body.String())
}

// register returns what the server made, and the Authorization for it.
func register(t *testing.T, s *smsgate.Server) (made map[string]string, auth string) {
	t.Helper()
	status, body := ask(t, s, "", "POST /device", `{"name":"gateway"}`)
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != 201 {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	return made, "Bearer " + made["token"]
}

func message(id string) smsgate.Message {
	return smsgate.Message{ID: id, TextMessage: &smsgate.TextMessage{Text: "Hi"}, PhoneNumbers: []string{"+4915112345678"}}
}

// Of the ways to register the server takes the one it has, and makes an account only where it is open.
func TestRegister(t *testing.T) {
	const basic, wrong = "Basic dXNlcjpwYXNz", "Basic dXNlcjpvdGhlcg==" // user:pass, user:other
	for _, tt := range []struct {
		name    string
		server  *smsgate.Server
		auth    string
		status  int
		account bool
	}{
		{"open", &smsgate.Server{}, "", 201, true},
		{"private", &smsgate.Server{PrivateToken: "t"}, "Bearer t", 201, false},
		{"private, another token", &smsgate.Server{PrivateToken: "t"}, "Bearer u", 401, false},
		{"private, nothing", &smsgate.Server{PrivateToken: "t"}, "", 401, false},
		{"account", &smsgate.Server{Login: "user", Password: "pass"}, basic, 201, false},
		{"account, another password", &smsgate.Server{Login: "user", Password: "pass"}, wrong, 401, false},
		{"code", &smsgate.Server{Code: "abc234"}, "Code abc234", 201, false},
		{"code, another", &smsgate.Server{Code: "abc234"}, "Code abc235", 401, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, body := ask(t, tt.server, tt.auth, "POST /device", `{"name":"gateway"}`)
			var made map[string]string
			_ = json.Unmarshal([]byte(body), &made)
			if status != tt.status || (made["password"] != "") != tt.account || len(tt.server.Devices()) != (tt.status/200)%2 {
				t.Errorf("%d %s", status, body)
			}
			if status == 201 && (len(made["id"]) != 21 || len(made["token"]) != 21 || len(made["login"]) != 6 || made["login"] != strings.ToUpper(made["login"])) {
				t.Errorf("made %v", made)
			}
		})
	}
	if status, _ := ask(t, &smsgate.Server{}, "", "POST /device", `{"name":"`+strings.Repeat("n", 129)+`"}`); status != 400 {
		t.Errorf("a name of 129 characters: %d", status)
	}
}

// What a device may do with its token, and nobody without.
func TestDevice(t *testing.T) {
	s := &smsgate.Server{}
	made, auth := register(t, s)
	for _, tt := range []struct {
		auth, request, body string
		status              int
		answer              string
	}{
		{"", "GET /device", "", 200, `{"externalIp":"192.0.2.1"}`},
		{auth, "GET /device", "", 200, `{"device":{"id":"` + made["id"] + `","name":"gateway"},"externalIp":"192.0.2.1"}`},
		{auth, "PATCH /device", `{"id":"` + made["id"] + `","simCards":[{"simNumber":1}]}`, 204, ""},
		{auth, "PATCH /device", `{"id":"another"}`, 403, `{"message":"Forbidden"}`},
		{"", "PATCH /device", `{"id":"` + made["id"] + `"}`, 401, `{"message":"Unauthorized"}`},
		{"Bearer ", "GET /messages", "", 401, `{"message":"Unauthorized"}`},
		{auth, "GET /messages", "", 200, `[]`},
		{auth, "GET /message?order=fifo", "", 200, `[]`},
		{auth, "GET /webhooks", "", 200, `[]`},
		{auth, "GET /settings", "", 200, `{}`},
	} {
		if status, answer := ask(t, s, tt.auth, tt.request, tt.body); status != tt.status || answer != tt.answer {
			t.Errorf("%s: %d %s, want %d %s", tt.request, status, answer, tt.status, tt.answer)
		}
	}
	if cards := s.Devices()[0].SIMCards; string(cards) != `[{"simNumber":1}]` {
		t.Errorf("cards %s", cards)
	}
	s.Forget()
	if status, _ := ask(t, s, auth, "GET /messages", ""); status != 401 || s.Requests("GET /messages") != 3 {
		t.Errorf("after Forget: %d, %d requests", status, s.Requests("GET /messages"))
	}
}

// listed are the ids that GET /messages answers.
func listed(t *testing.T, s *smsgate.Server, auth, query string) (ids []string) {
	t.Helper()
	_, body := ask(t, s, auth, "GET /messages"+query, "")
	var page []struct{ ID, Message, State string }
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		t.Fatal(err)
	}
	for _, m := range page {
		if ids = append(ids, m.ID); m.Message != "Hi" || m.State != "Pending" && m.State != "Cancelling" {
			t.Errorf("listed %+v", m)
		}
	}
	return ids
}

// The list is by schedule, priority and age, newest first unless asked, and ends at 100.
func TestList(t *testing.T) {
	s := &smsgate.Server{}
	_, auth := register(t, s)
	later := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for _, id := range []string{"a", "b", "urgent", "scheduled"} {
		m := message(id)
		if id == "urgent" {
			m.Priority = 100
		}
		if id == "scheduled" {
			m.ScheduleAt = &later
		}
		s.Enqueue(m)
	}
	for query, want := range map[string][]string{
		"":            {"urgent", "b", "a", "scheduled"},
		"?order=lifo": {"urgent", "b", "a", "scheduled"},
		"?order=fifo": {"urgent", "a", "b", "scheduled"},
	} {
		if got := listed(t, s, auth, query); !slices.Equal(got, want) {
			t.Errorf("%q lists %v, want %v", query, got, want)
		}
	}
	if !s.Cancel("a") || s.Cancel("a") || s.Cancel("none") {
		t.Error("cancelling is once, of what is Pending")
	}
	if got := listed(t, s, auth, ""); len(got) != 4 {
		t.Errorf("a message that is Cancelling is listed until the device answers: %v", got)
	}
	for i := range 100 {
		s.Enqueue(message(fmt.Sprint(i)))
	}
	if got := listed(t, s, auth, "?order=fifo"); len(got) != 100 || got[99] != "96" {
		t.Errorf("%d listed, the last is %q", len(got), got[len(got)-1])
	}
}

// A report is believed, but for its form.
func TestReport(t *testing.T) {
	s := &smsgate.Server{}
	_, auth := register(t, s)
	s.Enqueue(message("m"))
	const to = `"recipients":[{"phoneNumber":"4915112345678","state":"Failed","error":"no"},{"phoneNumber":"+1","state":"Sent"}]`
	for body, want := range map[string]int{
		`{}`:                                 400,
		`[{"state":"Sent",` + to + `}]`:      400,
		`[{"id":"m","state":"Sent"}]`:        400,
		`[{"id":"m","state":"",` + to + `}]`: 400,
		`[{"id":"` + strings.Repeat("m", 37) + `","state":"Sent",` + to + `}]`: 400,
		`[{"id":"unknown","state":"Sent",` + to + `}]`:                         204,
	} {
		if status, answer := ask(t, s, auth, "PATCH /messages", body); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if got := s.Message("m"); got.State != "Pending" || len(got.History) > 0 {
		t.Errorf("what was refused changed %+v", got)
	}
	status, _ := ask(t, s, auth, "PATCH /message", `[{"id":"m","state":"Pending","states":{"Processed":"2026-09-01T00:00:00Z"},`+to+`}]`)
	got := s.Message("m")
	want := map[string]smsgate.Recipient{"+4915112345678": {State: "Failed", Error: "no"}}
	if status != 204 || got.State != "Processed" || !maps.Equal(got.Recipients, want) || got.States["Processed"].Year() != 2026 {
		t.Errorf("%d %+v", status, got)
	}
	if ids := listed(t, s, auth, ""); len(ids) > 0 {
		t.Errorf("still listed: %v", ids)
	}
}

// Events are frames with JSON or null, keep-alives comments; nothing is repeated for a new stream.
func TestEvents(t *testing.T) {
	s := &smsgate.Server{KeepAlive: time.Millisecond}
	_, auth := register(t, s)
	web := httptest.NewServer(s)
	defer web.Close()
	s.Push("SettingsUpdated", nil) // nobody listens
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", auth)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" || s.Streams() != 1 {
		t.Fatalf("%s, %s, %d streams", resp.Status, got, s.Streams())
	}
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() && lines.Text() != ":keepalive" {
		t.Errorf("before any event: %q", lines.Text())
	}
	s.Enqueue(message("m"))
	s.Cancel("m")
	s.SetWebhooks(`[{"id":"w"}]`)
	s.SetSettings(`{"ping":{}}`)
	s.CutStreams()
	var got bytes.Buffer
	for lines.Scan() {
		if lines.Text() != ":keepalive" && lines.Text() != "" {
			fmt.Fprintln(&got, lines.Text())
		}
	}
	const want = "event: MessageEnqueued\ndata: null\nevent: MessageCancelled\ndata: {\"messageId\":\"m\"}\n" +
		"event: WebhooksUpdated\ndata: null\nevent: SettingsUpdated\ndata: null\n"
	if got.String() != want || s.Streams() != 0 {
		t.Errorf("%d streams, got\n%s", s.Streams(), got.String())
	}
	for request, want := range map[string]string{"GET /webhooks": `[{"id":"w"}]`, "GET /settings": `{"ping":{}}`} {
		if _, answer := ask(t, s, auth, request, ""); answer != want {
			t.Errorf("%s: %s", request, answer)
		}
	}
}

// A fault is one of a request: what it says was done or not is so.
func TestFaults(t *testing.T) {
	s := &smsgate.Server{}
	_, auth := register(t, s)
	const report = `[{"id":"m","state":"Sent","recipients":[{"phoneNumber":"+4915112345678","state":"Sent"}]}]`
	for fault, status := range map[smsgate.Fault]int{
		smsgate.Error: 500, smsgate.Invalid: 400, smsgate.Unauthorized: 401, smsgate.Lost: 0, smsgate.None: 204,
	} {
		s.Enqueue(message("m"))
		s.SetFault(func(*http.Request) smsgate.Fault { return fault })
		got := 0
		func() {
			defer func() {
				if end := recover(); end != nil && end != http.ErrAbortHandler {
					panic(end)
				}
			}()
			got, _ = ask(t, s, auth, "PATCH /messages", report)
		}()
		done := s.Message("m").State == "Sent"
		if got != status || done != (fault == smsgate.None || fault == smsgate.Lost) {
			t.Errorf("fault %d: status %d, done %v", fault, got, done)
		}
	}
}
