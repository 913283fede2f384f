package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/scheduler/queue"
)

// patience bounds a test that would hang where the server is at fault.
const patience = 10 * time.Second

// raw sends a request byte by byte as written, with the right credentials.
func (s *server) raw(method, target, body string, header ...string) reply {
	s.t.Helper()
	c := s.dial()
	defer c.Close()
	lines := append([]string{
		method + " " + target + " HTTP/1.1", "Host: dongled", "Connection: close", "Authorization: " + basic(username+":"+password),
	}, header...)
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"+body); err != nil {
		s.t.Fatal(err)
	}
	return s.read(bufio.NewReader(c))
}

func (s *server) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *server) read(r *bufio.Reader) reply {
	s.t.Helper()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

// fasthttp inflates without a limit: 200 KiB within the body limit became 200 MiB.
func TestTrapGzipBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := fmt.Fprintf(z, `{"message":"%s","phoneNumbers":["+1"]}`, strings.Repeat("A", 1<<24)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := start(t)
	for _, encoding := range []string{"gzip", "GZIP", "deflate", "br", "zstd", "gzip, gzip", "unheard-of"} {
		s.send("POST", "/messages", bytes.NewReader(bomb.Bytes()), "Content-Encoding", encoding).
			wantMessage(t, 415, "Content-Encoding: not supported, send the body uncompressed")
	}
	if _, submitted := s.queue.last(); submitted {
		t.Error("a compressed body was taken")
	}
	if got := s.do("POST", "/messages", hi, "Content-Encoding", "identity"); got.status != 202 {
		t.Errorf("identity: %d %s", got.status, got.body)
	}
}

// fasthttp does not recover: a panic in a handler ended the process.
func TestTrapHandlerPanic(t *testing.T) {
	s := start(t)
	s.queue.crash = true
	s.do("POST", "//messages", hi).wantMessage(t, 500, "internal error")
	if log := s.log.String(); !strings.Contains(log, "a bug in the scheduler") || !strings.Contains(log, "fake_test.go") {
		t.Errorf("the log lacks the panic or its stack:\n%s", log)
	}
	s.queue.mu.Lock()
	s.queue.crash = false
	s.queue.mu.Unlock()
	if got := s.do("POST", "/messages", hi); got.status != 202 {
		t.Errorf("after the panic: %d %s", got.status, got.body)
	}
}

// Strings from the request were views of a buffer that the connection's next request overwrote.
func TestTrapReusedStrings(t *testing.T) {
	s := start(t)
	c := s.dial()
	defer c.Close()
	r := bufio.NewReader(c)
	exchange := func(request string) {
		t.Helper()
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		s.read(r)
	}
	head := "HTTP/1.1\r\nHost: dongled\r\nAuthorization: " + basic(username+":"+password) + "\r\n"
	var ids, texts []string
	for i := range 5 {
		letter := strings.Repeat(string(rune('a'+i)), 8)
		exchange("GET /messages/" + letter + " " + head + "\r\n")
		exchange("DELETE /messages/" + letter + " " + head + "\r\n")
		body := fmt.Sprintf(`{"id":"%s","message":"%[1]s","phoneNumbers":["+%d"]}`, letter, i)
		exchange(fmt.Sprintf("POST /messages %sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", head, len(body), body))
		ids, texts = append(ids, letter, letter), append(texts, letter+" "+letter+fmt.Sprintf(" +%d", i))
	}
	var kept []string
	for _, sub := range s.queue.submissions {
		kept = append(kept, sub.ID+" "+sub.Content.Text+" "+sub.Recipients[0])
	}
	if !slices.Equal(s.queue.ids, ids) || !slices.Equal(kept, texts) {
		t.Errorf("ids %q\nsubmissions %q", s.queue.ids, kept)
	}
}

// A client that trickles its request held a connection for ever, and blocked the shutdown.
func TestTrapSlowloris(t *testing.T) {
	s := start(t, func(o *httpapi.Options) { o.ReadTimeout = 100 * time.Millisecond })
	for name, part := range map[string]string{
		"nothing":     "",
		"half a line": "POST /mess",
		"half a body": "POST /messages HTTP/1.1\r\nHost: dongled\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			defer c.Close()
			if _, err := io.WriteString(c, part); err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(c)
			if err != nil {
				t.Fatalf("the server did not close the connection: %v", err)
			}
			if len(answer) > 0 && !bytes.HasPrefix(answer, []byte("HTTP/1.1 408 ")) {
				t.Errorf("answer %s", answer)
			}
		})
	}
}

func TestTrapIdleConnectionEnds(t *testing.T) {
	s := start(t, func(o *httpapi.Options) { o.IdleTimeout = 100 * time.Millisecond })
	c := s.dial()
	defer c.Close()
	if _, err := io.WriteString(c, "GET /health/live HTTP/1.1\r\nHost: dongled\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if got := s.read(r); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		t.Errorf("the server did not close the idle connection: %v", err)
	}
}

// fiber's own reader answered null with 200 and took duplicate keys.
func TestTrapNullBodyAndDuplicateKeys(t *testing.T) {
	s := start(t)
	s.do("POST", "/messages", `null`).wantMessage(t, 400, "body: must be a JSON object")
	s.do("POST", "/messages", `{"message":"a","message":"b","phoneNumbers":["+1"]}`).wantMessage(t, 400, "message: must not occur twice")
	s.do("POST", "/messages", `{"MESSAGE":"a","phoneNumbers":["+1"]}`).
		wantMessage(t, 400, "body: must specify exactly one of: textMessage, dataMessage, or message")
	s.do("POST", "/messages", hi+`{}`).wantMessage(t, 400, "body: must be JSON: invalid character '{' after top-level value at byte 80")
	if _, submitted := s.queue.last(); submitted {
		t.Error("a faulty body was taken")
	}
}

func TestTrapBodyLimit(t *testing.T) {
	s := start(t, func(o *httpapi.Options) { o.MaxBody = 1000 })
	long := `{"message":"` + strings.Repeat("A", 1000) + `","phoneNumbers":["+1"]}`
	const message = "request body too large: at most 1000 bytes"
	s.do("POST", "/messages", long).wantMessage(t, 413, message)
	// A reader of unknown length is sent in chunks.
	s.send("POST", "/messages", io.MultiReader(strings.NewReader(long))).wantMessage(t, 413, message)
	if got := s.do("POST", "/messages", hi); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// fasthttp reads a body into memory before the handler that asks for credentials.
func TestTrapStrangersBody(t *testing.T) {
	s := start(t)
	long := `{"message":"` + strings.Repeat("A", 5000) + `","phoneNumbers":["+1"]}`
	request := func(authorization, body string) reply {
		c := s.dial()
		defer c.Close()
		_, err := fmt.Fprintf(c, "POST /messages HTTP/1.1\r\nHost: dongled\r\nConnection: close\r\nAuthorization: %s\r\n"+
			"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", authorization, len(body), body)
		if err != nil {
			t.Fatal(err)
		}
		return s.read(bufio.NewReader(c))
	}
	request(basic("sms:wrong"), long).wantMessage(t, 401, "Unauthorized")
	request(basic("sms:wrong"), hi).wantMessage(t, 401, "Unauthorized")
	if got := request(basic(username+":"+password), long); got.status != 202 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// Requests that parsers read differently are how one is smuggled past a proxy.
func TestTrapAmbiguousRequests(t *testing.T) {
	s := start(t)
	post := "POST /messages HTTP/1.1\r\nAuthorization: " + basic(username+":"+password) + "\r\nContent-Type: application/json\r\nConnection: close\r\n"
	for name, request := range map[string]string{
		"two lengths":          post + fmt.Sprintf("Host: a\r\nContent-Length: 3\r\nContent-Length: %d\r\n\r\n%s", len(hi), hi),
		"unknown transfer":     post + "Host: a\r\nTransfer-Encoding: xchunked\r\n\r\n" + hi,
		"no host":              post + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(hi), hi),
		"two hosts":            post + fmt.Sprintf("Host: a\r\nHost: b\r\nContent-Length: %d\r\n\r\n%s", len(hi), hi),
		"length and chunks":    post + fmt.Sprintf("Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(hi), hi),
		"chunks and length":    post + fmt.Sprintf("Host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(hi), hi),
		"chunked and identity": post + fmt.Sprintf("Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(hi), hi),
		"identity and length":  post + fmt.Sprintf("Host: a\r\nTransfer-Encoding: identity\r\nContent-Length: %d\r\n\r\n%s", len(hi), hi),
		"header without colon": post + "Host: a\r\nnonsense\r\n\r\n",
		"large header":         post + "Host: a\r\nX: " + strings.Repeat("x", 9000) + "\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial()
			defer c.Close()
			if _, err := io.WriteString(c, request); err != nil {
				t.Fatal(err)
			}
			got := s.read(bufio.NewReader(c))
			if got.status != 400 && got.status != 431 || !strings.HasPrefix(got.body, `{"message":"`) {
				t.Errorf("%d %s", got.status, got.body)
			}
			if strings.Contains(got.body, "nonsense") || strings.Contains(got.body, "xxx") {
				t.Errorf("the answer quotes the request: %s", got.body)
			}
		})
	}
	if _, submitted := s.queue.last(); submitted {
		t.Error("an ambiguous request was taken")
	}
}

// What is private in a message must not get into the log, whether it is taken or refused.
func TestLogTellsNoNumberAndNoText(t *testing.T) {
	s := start(t)
	s.do("POST", "/messages", `{"id":"private-1","message":"private-2","phoneNumbers":["+491709999999"]}`)
	s.do("POST", "/messages", `{"message":"private-2","phoneNumbers":["private-3"]}`)
	s.do("GET", "/messages/private-1?x=private-4", "")
	s.do("GET", "/private-5", "")
	s.queue.fail(queue.ErrClosed)
	s.do("DELETE", "/messages/private-1", "")
	log := s.log.String()
	if strings.Contains(log, "private") || strings.Contains(log, "9999999") || strings.Contains(log, basic(username+":"+password)) {
		t.Errorf("the log tells too much:\n%s", log)
	}
	for _, line := range []string{"route=/messages status=202", "route=/messages status=400", "route=/messages/:id status=200", "route=/messages/:id status=503"} {
		if !strings.Contains(log, line) {
			t.Errorf("the log lacks %q:\n%s", line, log)
		}
	}
}

func TestAnswersNameNoSoftware(t *testing.T) {
	s := start(t)
	if got := s.do("GET", "/", "").header.Get("Server"); got != "" {
		t.Errorf("Server %q", got)
	}
}

// A method that the router has no name for is refused in SMSGate's shape, too.
func TestUnknownMethods(t *testing.T) {
	s := start(t)
	for _, method := range []string{"PROPFIND", "BREW", "get", "X"} {
		s.do(method, "/messages", "").wantMessage(t, 405, "method not allowed")
	}
}

// What nobody read of a body must not be taken for the next request of the connection.
func TestTrapUnreadBodyIsNoRequest(t *testing.T) {
	s := start(t)
	inner := "GET /health/live HTTP/1.1\r\nHost: dongled\r\n\r\n"
	bodies := map[string]string{
		"chunked": fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(inner), inner),
		"long":    fmt.Sprintf("Content-Length: %d\r\n\r\n%s%s", 4096+len(inner), strings.Repeat("A", 4096), inner),
		"short":   fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(inner), inner),
	}
	for _, method := range []string{"PROPFIND", "get", "GET", "POST", "DELETE", "OPTIONS"} {
		for name, body := range bodies {
			t.Run(method+" "+name, func(t *testing.T) {
				c := s.dial()
				defer c.Close()
				if _, err := io.WriteString(c, method+" /messages HTTP/1.1\r\nHost: dongled\r\n"+body); err != nil {
					t.Fatal(err)
				}
				r := bufio.NewReader(c)
				if got := s.read(r); got.status != 401 && got.status != 405 {
					t.Errorf("%d %s", got.status, got.body)
				}
				if name == "short" { // it was read whole, so the connection goes on
					if _, err := io.WriteString(c, inner); err != nil {
						t.Fatal(err)
					}
					s.read(r)
					return
				}
				if rest, _ := io.ReadAll(r); len(rest) > 0 { // a reset is an end as well
					t.Errorf("the body was answered: %.60q", rest)
				}
			})
		}
	}
}
