package smseagle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/scheduler/queue"
)

// Where credentials may be, and which of them count.
func TestCredentials(t *testing.T) {
	const (
		login = "login=sms&pass=correct+horse+battery"
		basic = "Basic c21zOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="
		order = "&to=4915112345678&message=Hi"
		body  = `{"text":"Hi","to":["4915112345678"]}`
	)
	h := start(t)
	for _, tt := range []struct {
		what, method, path, body string
		header                   []string
		want                     string
	}{
		{"a token in the form", "POST", "/http_api/send_sms", token + order, []string{"Content-Type", asForm}, "200"},
		{"a form with its charset", "POST", "/http_api/send_sms", token + order, []string{"Content-Type", asForm + "; charset=UTF-8"}, "200"},
		{"a login in the form", "POST", "/http_api/send_sms?to=4915112345678", login + "&message=Hi", []string{"Content-Type", asForm}, "200"},
		{"a header alone", "GET", "/http_api/send_sms?to=4915112345678&message=Hi", "", []string{"Authorization", basic}, "200"},
		{"a wrong token beside a right header", "GET", "/http_api/send_sms?access_token=x" + order, "", []string{"Authorization", basic}, "401"},
		{"a wrong token beside a right login", "GET", "/http_api/send_sms?access_token=x&" + login + order, "", nil, "401"},
		{"a token without anything in it", "GET", "/http_api/send_sms?access_token=&" + login + order, "", nil, "200"},
		{"the query before the form", "POST", "/http_api/send_sms?access_token=x", token + order, []string{"Content-Type", asForm}, "401"},
		{"v2 with a header of its own", "POST", "/api/v2/messages/sms", body, []string{"access-token", compattest.Key, "Content-Type", asJSON}, "200"},
		{"v2 with another", "POST", "/api/v2/messages/sms", body, []string{"Authorization", "Bearer " + compattest.Key, "Content-Type", asJSON}, "200"},
		{"v2 with a token in the query", "POST", "/api/v2/messages/sms?" + token, body, []string{"Content-Type", asJSON}, "401"},
		{"a token of v2 for v1", "GET", "/http_api/send_sms?to=4915112345678&message=Hi", "", []string{"access-token", compattest.Key}, "401"},
	} {
		before := len(h.Messages())
		got := h.Do(tt.method, tt.path, tt.body, tt.header...)
		if !strings.HasPrefix(line(got), tt.want) {
			t.Errorf("%s: %s, want %s", tt.what, line(got), tt.want)
		}
		if sent := len(h.Messages()) > before; sent != (tt.want == "200") {
			t.Errorf("%s: sent %v", tt.what, sent)
		}
	}
}

// What stands in the place of a form is not read as one, whatever it is.
func TestBodiesThatAreNoForm(t *testing.T) {
	h := start(t)
	multipart := "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nof the body\r\n--x--\r\n"
	for _, tt := range []struct{ method, kind, body string }{
		{"POST", "multipart/form-data; boundary=x", multipart},
		{"POST", "multipart/form-data", multipart},
		{"POST", "text/plain", "message=of the body"},
		{"GET", asForm, "message=of+the+body"},
		{"GET", "multipart/form-data; boundary=x", multipart},
	} {
		for _, query := range []string{"&message=of+the+query", ""} {
			req := request(t, tt.method, h.URL+"/http_api/send_sms?"+token+"&to=4915112345678"+query, tt.body)
			req.Header.Set("Content-Type", tt.kind)
			got := answerTo(t, req)
			if query == "" && got != "400 Wrong parameters: message: must be set" {
				t.Errorf("%s %s without a message: %s", tt.method, tt.kind, got)
			}
			if query != "" && !strings.HasPrefix(got, "200 OK; ID=") {
				t.Errorf("%s %s: %s", tt.method, tt.kind, got)
			}
		}
		if m, _ := latest(t, h); m.Content.Text != "of the query" {
			t.Errorf("%s %s: %q", tt.method, tt.kind, m.Content.Text)
		}
	}
}

// Numbers as they come.
func TestNumbers(t *testing.T) {
	h := start(t)
	for to, want := range map[string][]string{
		"+4915112345678":                   {one}, // the + is a space
		"+4915112345678,+4915112345679":    {one, two},
		"%2B4915112345678":                 {one},
		"004915112345678":                  {one},
		"4915112345678,+4915112345679,,":   {one, two},
		"015112345678,%20015112345679":     {one, two},
		"0151%2012345678":                  {one},
		"%2B49%20151%2012345678,%20%20%2C": {one},
	} {
		got := h.Do("GET", "/http_api/send_sms?"+token+"&message=Hi&to="+to, "")
		if got.Status != 200 {
			t.Errorf("%s: %s", to, line(got))
			continue
		}
		if _, numbers := latest(t, h); !slices.Equal(numbers, want) {
			t.Errorf("%s: %v, want %v", to, numbers, want)
		}
	}
}

// The extended answers of JSON-RPC say the oid again, and the simple ones have all IDs.
func TestRPCAnswers(t *testing.T) {
	h := start(t)
	call := func(more string) string {
		return line(h.Do("POST", "/jsonrpc/sms", `{"method":"sms.send_sms","params":{"access_token":"`+compattest.Key+`","message":"Hi",`+more+`}}`, "Content-Type", asJSON))
	}
	for _, tt := range []struct{ more, want string }{
		{`"to":["4915112345678"],"oid":"a","responsetype":"extended"`, `200 {"result":{"message_id":"1","status":"ok","oid":"a"}}`},
		{`"to":["4915112345678",4915112345679],"oid":7,"responsetype":"simple"`, `200 {"result":"OK; ID=[2,3]"}`},
		{`"to":"4915112345678","attachments":[],"message_type":"sms"`, `200 {"result":"OK; ID=[4]"}`},
		{`"to":"4915112345678","test":1,"responsetype":"extended"`, `200 {"result":{"message_id":"0","status":"ok"}}`},
	} {
		if got := call(tt.more); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.more, got, tt.want)
		}
	}
}

// The hours reach the queue, and the network is told when they end.
func TestHoursOfAnOrder(t *testing.T) {
	h := start(t)
	now := time.Now()
	clock := func(at time.Time) string { return at.Format("15:04:05") }
	// Far enough from now that the test cannot fall on an end.
	send := func(after, before time.Time) queue.Message {
		t.Helper()
		got := h.Do("GET", "/http_api/send_sms?"+token+"&to=4915112345678&message=Hi&send_after="+clock(after)+"&send_before="+clock(before), "")
		if got.Status != 200 {
			t.Fatal(line(got))
		}
		m, _ := latest(t, h)
		return m
	}
	open := send(now.Add(-2*time.Hour), now.Add(2*time.Hour))
	if open = h.Await(open.ID, queue.Sent); !open.ScheduleAt.IsZero() {
		t.Errorf("within the hours: %+v", open)
	}
	// TP-VP comes in steps of five minutes (TS 23.040 section 9.2.3.12.1).
	if sent := h.Sent(); len(sent) != 1 || sent[0].Validity.For <= 0 || sent[0].Validity.For > 2*time.Hour+5*time.Minute {
		t.Errorf("the network was told %+v", sent)
	}
	closed := send(now.Add(2*time.Hour), now.Add(4*time.Hour))
	if closed.State != queue.Pending || clock(closed.ScheduleAt.Local()) != clock(now.Add(2*time.Hour)) || clock(closed.ValidUntil.Local()) != clock(now.Add(4*time.Hour)) {
		t.Errorf("outside of the hours: %+v", closed)
	}
	if len(h.Sent()) != 1 {
		t.Errorf("%+v", h.Sent())
	}
}

// A group, or a list, is taken as a whole or not at all.
func TestAllOrNothing(t *testing.T) {
	h := start(t)
	for _, to := range []string{"4915112345678,12", "12,4915112345678"} {
		if got := h.Do("GET", "/http_api/send_sms?"+token+"&message=Hi&to="+to, ""); got.Status != 400 || !strings.HasPrefix(got.Body, "Wrong parameters: to: ") {
			t.Errorf("%s: %s", to, line(got))
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages were made", n)
	}
	// What was refused took no ID.
	if got := h.Do("GET", "/http_api/send_sms?"+token+"&message=Hi&to=4915112345678", ""); got.Body != "OK; ID=1" {
		t.Errorf("%s", got.Body)
	}
}
