package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/httpapi/auth"
	"dongled/httpapi/compat/compattest"
)

func TestMain(m *testing.M) { compattest.Main(m, "openapi.yaml") }

const (
	username = "sms"
	password = "p:ss wörd"
	deviceID = "PyDmBQZZXYmyxMwED8Fzy"
)

var started = time.Date(2026, 1, 2, 3, 4, 5, 678_900_000, time.UTC)

// server is a Server on the loopback, and what stands behind it.
type server struct {
	t      *testing.T
	url    string
	queue  *fakeQueue
	inbox  *fakeInbox
	modems *fakeModems
	log    *syncBuffer
}

func start(t *testing.T, edits ...func(*httpapi.Options)) *server {
	t.Helper()
	s := &server{t: t, queue: newFakeQueue(), inbox: &fakeInbox{}, modems: &fakeModems{}, log: &syncBuffer{}}
	o := httpapi.Options{
		Messages: s.queue,
		Inbox:    s.inbox,
		Modems:   s.modems,
		Auth:     account(t, username, password),
		DeviceID: deviceID,
		Started:  started,
		Version:  "1.2.3",
		// profile_test.go has what the base URL speaks otherwise.
		SMSGateOnly: true,
		Log:         slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, edit := range edits {
		edit(&o)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- httpapi.New(o).Serve(ctx, ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// account lets one user in, who may do everything.
func account(t *testing.T, username, password string) *auth.Auth {
	t.Helper()
	a := auth.New(auth.Options{})
	if err := a.SetPrimary(username, password); err != nil {
		t.Fatal(err)
	}
	return a
}

type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request with the right credentials and a JSON content type; header pairs override,
// an empty value removes. Every answer is checked against openapi.yaml, and so is every request
// that the server accepted.
func (s *server) do(method, path, body string, header ...string) reply {
	s.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	return s.send(method, path, content, header...)
}

func (s *server) send(method, path string, content io.Reader, header ...string) reply {
	s.t.Helper()
	req, sent, resp, got := s.exchange(method, path, content, header...)
	checkAgainstSpec(s.t, req, sent, resp, got)
	return reply{resp.StatusCode, resp.Header, string(got)}
}

// exchange is send without the check. The body of resp was read.
func (s *server) exchange(method, path string, content io.Reader, header ...string) (req *http.Request, posted []byte, resp *http.Response, got []byte) {
	s.t.Helper()
	// An answer may come while the request is still being written.
	var sent syncBuffer
	if content != nil {
		content = io.TeeReader(content, &sent)
	}
	req, err := http.NewRequest(method, s.url+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	req.SetBasicAuth(username, password)
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	// A redirect would be followed silently; none may ever be sent.
	resp, err = http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	got, err = io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return req, []byte(sent.String()), resp, got
}

// want checks status and the whole body.
func (r reply) want(t *testing.T, status int, body string) {
	t.Helper()
	if r.status != status || r.body != body {
		t.Errorf("got  %d %s\nwant %d %s", r.status, r.body, status, body)
	}
}

// wantMessage checks an error answer.
func (r reply) wantMessage(t *testing.T, status int, message string) {
	t.Helper()
	r.want(t, status, `{"message":"`+message+`"}`)
	if got := r.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
