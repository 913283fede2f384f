package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// exchange is a request as the pages have it and what they say of the answer.
type exchange struct {
	name, method, target, body string
	// status are the codes that the pages allow; the editions of SMSGate differ in some.
	status []int
	// want is the answer's shape; an error without one must be SMSGate's error.
	want   string
	header []string
}

// anError is section 1.1.
const anError = `{"message":"<id>"}`

func (w *whole) runTable(t *testing.T, table []exchange) {
	t.Helper()
	for _, e := range table {
		got := w.ask(t, e.method, e.target, e.body, e.header...)
		if !slices.Contains(e.status, got.status) {
			t.Errorf("%s: %s %s %s: %d %s, want %v", e.name, e.method, e.target, e.body, got.status, got.body, e.status)
			continue
		}
		want := e.want
		if want == "" && got.status >= 400 {
			want = anError
		}
		if want == "" {
			continue
		}
		if err := shape(got.body, want); err != nil {
			t.Errorf("%s: %s %s %s: %v", e.name, e.method, e.target, e.body, err)
		}
	}
}

// octets sends a request as it stands, but for {host} and {basic}, and returns what comes back.
func (w *whole) octets(t *testing.T, request string) answer {
	t.Helper()
	host := strings.TrimPrefix(w.url, "http://")
	conn, err := net.DialTimeout("tcp", host, wholePatience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wholePatience)); err != nil {
		t.Fatal(err)
	}
	// The account of the daemon, base64 of sms:correct horse battery.
	request = strings.NewReplacer("{host}", host, "{basic}", "c21zOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", "\n", "\r\n").Replace(request)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%v after %q", err, request)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// Section 0: what clients really put on the wire, octet by octet.
func TestContractOctets(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	const send = `{"textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"]}`
	post := func(target, more, body string) string {
		return fmt.Sprintf("POST %s HTTP/1.1\nHost: {host}\nAuthorization: Basic {basic}\nContent-Type: application/json\n%sContent-Length: %d\n\n%s",
			target, more, len(body), body)
	}
	chunked := "POST /messages HTTP/1.1\nHost: {host}\nAuthorization: Basic {basic}\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n" +
		fmt.Sprintf("%x\n%s\n0\n\n", len(send), send)
	for name, tt := range map[string]struct {
		request string
		status  int
	}{
		"client-go: an empty query":          {post("/messages?", "", send), 202},
		"client-go: a base URL with a slash": {post("//messages?", "", send), 202},
		"a cloud base URL with a slash":      {post("/3rdparty/v1//messages", "", send), 202},
		"a slash at the end":                 {post("/messages/", "", send), 202},
		"python: True":                       {post("/messages?skipPhoneValidation=True&deviceActiveWithin=12", "", send), 202},
		"n8n":                                {post("/messages?skipPhoneValidation=true", "Accept: application/json,text/html,application/xhtml+xml\n", send), 202},
		"a charset":                          {strings.Replace(post("/message", "", send), "application/json", "application/json; charset=utf-8", 1), 202},
		"the scheme in small letters":        {strings.Replace(post("/message", "", send), "Basic", "basic", 1), 202},
		"chunked":                            {chunked, 202},
		"HTTP/1.0":                           {strings.Replace(post("/message", "", send), "HTTP/1.1", "HTTP/1.0", 1), 202},
		"no Content-Type":                    {strings.Replace(post("/messages", "", send), "Content-Type: application/json\n", "", 1), 400},
		"a form":                             {strings.Replace(post("/messages", "", send), "application/json", "application/x-www-form-urlencoded", 1), 400},
		"python: a naive time with microseconds": {post("/messages", "",
			`{"textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"],"scheduleAt":"2099-01-02T03:04:05.123456"}`), 202},
		"refresh without a body or its length": {"POST /auth/token/refresh HTTP/1.1\nHost: {host}\nAuthorization: Basic {basic}\n\n", 403},
	} {
		got := w.octets(t, tt.request)
		if got.status != tt.status && (tt.status != 403 || got.status != 401) {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, tt.status)
		}
		if got.status >= 300 && got.status < 400 || got.header.Get("Location") != "" && got.status != 202 {
			t.Errorf("%s: redirected", name)
		}
		if got.status >= 400 {
			if err := shape(got.body, anError); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// Section 1.1: where there is nothing, and what the wrong method gets.
func TestContractErrors(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	w.runTable(t, []exchange{
		{"unknown path", "GET", "/unheard-of", "", []int{404}, "", nil},
		{"unknown path of the cloud", "GET", "/3rdparty/v1/unheard-of", "", []int{404}, "", nil},
		{"unknown id", "GET", "/messages/unheard-of", "", []int{404}, `{"message":"message not found"}`, nil},
		{"unknown id, old", "GET", "/message/unheard-of", "", []int{404}, `{"message":"message not found"}`, nil},
		{"cancel of an unknown id", "DELETE", "/messages/unheard-of", "", []int{404}, `{"message":"message not found"}`, nil},
		{"wrong method", "PUT", "/messages", "{}", []int{405, 404}, "", nil},
		{"wrong method", "PATCH", "/webhooks", "{}", []int{405, 404}, "", nil},
		{"wrong method", "DELETE", "/settings", "", []int{405, 404}, "", nil},
		{"no JSON", "POST", "/messages", "{", []int{400}, "", nil},
		{"no JSON", "POST", "/webhooks", "hello", []int{400}, "", nil},
		{"no JSON", "PATCH", "/settings", `{"ping":`, []int{400}, "", nil},
		{"no JSON", "POST", "/auth/token", "[", []int{400}, "", nil},
		{"no JSON", "POST", "/inbox/export", "<xml/>", []int{400}, "", nil},
		{"no JSON", "POST", "/inbox/refresh", "since=1", []int{400}, "", nil},
		{"an array", "POST", "/messages", "[]", []int{400}, "", nil},
		{"nothing", "POST", "/messages", "", []int{400}, "", nil},
		{"nothing", "POST", "/webhooks", "", []int{400}, "", nil},
		{"nothing", "POST", "/auth/token", "", []int{400}, "", nil},
	})
}
