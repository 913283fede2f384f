package links_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/links"
)

const target = "https://shop.example.com/a/long/path?id=1#top"

// TestLeads: a message's link leads to its target, and its visits are counted.
func TestLeads(t *testing.T) {
	h := newHouse(t)
	made := h.made("m1", target)
	at := "http://" + h.listen() + "/r/" + made[0].Code
	for _, method := range []string{"GET", "HEAD", "GET"} {
		answer := h.do(method, at)
		if got := answer.Header.Get("Location"); answer.StatusCode != 302 || got != target {
			t.Errorf("%s: %d to %q", method, answer.StatusCode, got)
		}
	}
	if got := h.of("m1"); len(got) != 1 || got[0].Hits != 2 || got[0].Code != made[0].Code || got[0].Short != base+"/r/"+made[0].Code {
		t.Errorf("links %+v", got)
	}
}

// TestAnswers compares whole heads, but for the date.
func TestAnswers(t *testing.T) {
	h := newHouse(t)
	made := h.made("m1", target)
	here := "/r/" + made[0].Code
	const (
		common = "Cache-Control: private, no-store\r\nReferrer-Policy: no-referrer\r\nX-Robots-Tag: noindex\r\n"
		ended  = "Content-Length: 0\r\nConnection: close\r\n\r\n"
		found  = "HTTP/1.1 302 Found\r\nCache-Control: private, no-store\r\nLocation: " + target + "\r\nReferrer-Policy: no-referrer\r\nX-Robots-Tag: noindex\r\n" + ended
		lost   = "HTTP/1.1 404 Not Found\r\n" + common + ended
	)
	addr := h.listen()
	for _, tt := range []struct{ line, want string }{
		{"GET " + here, found}, {"HEAD " + here, strings.Replace(found, "Content-Length: 0\r\n", "", 1)},
		// What is asked besides has no effect.
		{"GET " + here + "?", found}, {"GET " + here + "?url=https://evil.example", found}, {"GET " + here + "?next=//evil.example#x", found},
		{"GET http://evil.example" + here, found}, {"GET https://evil.example:443" + here + "?x=//evil", found},
		// Anything else is nothing.
		{"GET /", lost}, {"GET /r", lost}, {"GET /r/", lost}, {"GET //evil.example", lost}, {"GET //evil.example" + here + "/..", lost},
		{"GET /r//evil.example", lost}, {"GET /r/https://evil.example", lost}, {"GET /r/%2f%2fevil.example", lost}, {"GET " + here + "/", lost},
		{"GET " + here + "/..", lost}, {"GET /x/.." + here, lost}, {"GET /" + here, lost}, {"GET " + here + "%00", lost}, {"GET " + here + "%0d%0aLocation:%20//evil", lost},
		{"GET " + strings.ToUpper(here), lost}, {"GET " + here + "x", lost}, {"GET " + here[:10], lost}, {"GET /r/........", lost},
		{"GET /%72/" + made[0].Code, lost}, {"GET /r%2f" + made[0].Code, lost}, {`GET /r\` + made[0].Code, lost}, {"GET /r/\u00e4\u00e4\u00e4\u00e4", lost},
		{"GET /health", lost}, {"GET /messages", lost}, {"GET /links?messageId=m1", lost}, {"GET /favicon.ico", lost}, {"GET /robots.txt", lost},
		{"POST " + here, lost}, {"PUT " + here, lost}, {"DELETE " + here, lost}, {"OPTIONS " + here, lost}, {"OPTIONS *", lost}, {"TRACE " + here, lost},
		{"CONNECT evil.example:443", lost}, {"get " + here, lost}, {"PROPFIND " + here, lost},
	} {
		got := raw(t, addr, tt.line+" HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n")
		if got != tt.want {
			t.Errorf("%s\ngot  %q\nwant %q", tt.line, got, tt.want)
		}
	}
	body := raw(t, addr, "GET "+here+" HTTP/1.1\r\nHost: s\r\nContent-Length: 1000000\r\n\r\nx")
	if want := strings.Replace(lost, "Content-Length: 0\r\nConnection: close\r\n", "Content-Length: 0\r\n", 1); strings.Replace(body, "Connection: close\r\n", "", 1) != want {
		t.Errorf("a body\ngot  %q\nwant %q", body, want)
	}
	if got := h.of("m1")[0].Hits; got != 6 {
		t.Errorf("%d hits, want 6", got)
	}
}

// raw sends bytes and reads until the end, without the date.
func raw(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(answer), "\r\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "Date: ") }), "")
}

// TestGone: a link that expired says so, and counts nobody any more.
func TestGone(t *testing.T) {
	h := newHouse(t, func(o *links.Options) { o.Lifetime = time.Nanosecond })
	made := h.made("m1", target)
	at := "http://" + h.listen() + "/r/"
	for _, tt := range []struct {
		path   string
		status int
	}{{made[0].Code, 410}, {"00000000", 404}} {
		answer := h.do("GET", at+tt.path)
		answer.Header.Del("Date")
		want := http.Header{
			"Cache-Control": {"private, no-store"}, "Referrer-Policy": {"no-referrer"}, "X-Robots-Tag": {"noindex"}, "Content-Length": {"0"},
		}
		if answer.StatusCode != tt.status || !maps.EqualFunc(answer.Header, want, slices.Equal) {
			t.Errorf("%s: %d %v", tt.path, answer.StatusCode, answer.Header)
		}
	}
	if got := h.of("m1")[0]; got.Hits != 0 || !got.First.IsZero() {
		t.Errorf("counted %+v", got)
	}
}

// TestStoredTargets: what a damaged store or a caller without Rewrite has is not led to.
func TestStoredTargets(t *testing.T) {
	h := newHouse(t)
	bad := []string{
		"http://a.de/\r\nSet-Cookie: a=b", "http://a.de/\nX: y", "http://a.de/\x00", "//evil.example", "/evil", "evil.example", "", "http://",
		"javascript:alert(1)", "data:text/html,x", "ftp://a.de/", "https:evil", `https:\\evil`, "http://u:p@a.de/", "http://a.de/ x",
	}
	var made []links.Link
	for i, url := range bad {
		made = append(made, links.Link{Code: fmt.Sprintf("%08d", i), URL: url})
	}
	h.ok(h.keep("m1", made))
	at := "http://" + h.listen() + "/r/"
	for _, l := range made {
		answer := h.do("GET", at+l.Code)
		if answer.StatusCode != 404 || answer.Header.Get("Location") != "" || answer.Header.Get("Set-Cookie") != "" {
			t.Errorf("%q: %d %v", l.URL, answer.StatusCode, answer.Header)
		}
	}
}

// TestLocation: a header is ASCII, what is ASCII already stays.
func TestLocation(t *testing.T) {
	for url, want := range map[string]string{
		"http://a.de/%C3%A4?a=b%20c+d#e'()[]{}|^": "http://a.de/%C3%A4?a=b%20c+d#e'()[]{}|^",
		"https://bücher.example":                  "https://xn--bcher-kva.example",
		"https://BÜCHER.example:8443/ä?ö#ü":       "https://xn--bcher-kva.example:8443/%C3%A4?%C3%B6#%C3%BC",
		"http://例え.jp?日":                          "http://xn--r8jz45g.jp?%E6%97%A5",
		"HTTP://a.DE/é%C3%A9":                     "HTTP://a.DE/%C3%A9%C3%A9",
	} {
		if got := links.Location(url); got != want {
			t.Errorf("%s is %s, want %s", url, got, want)
		}
	}
}

// TestBasePath: a reverse proxy may leave the path of the base URL, or take it away.
func TestBasePath(t *testing.T) {
	h := newHouse(t, func(o *links.Options) { o.Base = "https://example.org/s" })
	made := h.made("m1", target)
	at := "http://" + h.listen()
	for path, want := range map[string]int{"/s/r/": 302, "/r/": 302, "/s/s/r/": 404, "/sr/": 404, "/s//r/": 404, "/x/r/": 404} {
		if got := h.do("GET", at+path+made[0].Code).StatusCode; got != want {
			t.Errorf("%s: %d", path, got)
		}
	}
}

// TestLimits: a head that is too long, and one that does not come to an end.
func TestLimits(t *testing.T) {
	h := newHouse(t)
	addr := h.listen()
	head := "GET / HTTP/1.1\r\nHost: s\r\nX: " + strings.Repeat("x", 9000) + "\r\n\r\n"
	long, err := net.Dial("tcp", addr)
	h.ok(err)
	defer long.Close()
	_, err = io.WriteString(long, head)
	h.ok(err)
	if answer, err := http.ReadResponse(bufio.NewReader(long), nil); err != nil || answer.StatusCode != 431 {
		t.Errorf("a long head: %v, %v", answer, err)
	}
	// As many more as one address may ask at once, on one connection.
	conn, err := net.Dial("tcp", addr)
	h.ok(err)
	defer conn.Close()
	go func() {
		_, _ = io.WriteString(conn, strings.Repeat("GET /r/00000000 HTTP/1.1\r\nHost: s\r\n\r\n", 400))
	}()
	statuses, in := map[int]int{}, bufio.NewReader(conn)
	for range 400 {
		answer, err := http.ReadResponse(in, nil)
		h.ok(err)
		statuses[answer.StatusCode]++
		if answer.StatusCode == 429 && (answer.Header.Get("Retry-After") != "1" || answer.ContentLength != 0) {
			t.Errorf("429 with %v", answer.Header)
		}
	}
	if statuses[404] < 200 || statuses[429] == 0 || statuses[404]+statuses[429] != 400 {
		t.Errorf("statuses %v", statuses)
	}
}

// TestServeEnds: a listener that is closed under it is an error.
func TestServeEnds(t *testing.T) {
	h := newHouse(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	h.ok(err)
	h.ok(ln.Close())
	if err := h.Serve(t.Context(), ln); err == nil || !strings.HasPrefix(err.Error(), "short links on 127.0.0.1:") {
		t.Errorf("served: %v", err)
	}
}

// TestServeCutsOff: who sends no request to its end does not keep it from stopping.
func TestServeCutsOff(t *testing.T) {
	h := newHouse(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	h.ok(err)
	stop := h.serve(ln)
	conn, err := net.Dial("tcp", ln.Addr().String())
	h.ok(err)
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /r/00000000 HTTP/1.1\r\nHost: s\r\n\r\nGET /r")
	h.ok(err)
	_, err = http.ReadResponse(bufio.NewReader(conn), nil)
	h.ok(err)
	began := time.Now()
	if stop(); time.Since(began) > 10*time.Second {
		t.Errorf("it took %v", time.Since(began))
	}
}

func BenchmarkRedirect(b *testing.B) {
	h := newHouse(b)
	made := h.made("m1", target)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	h.ok(err)
	h.serve(ln)
	conn, err := net.Dial("tcp", ln.Addr().String())
	h.ok(err)
	defer conn.Close()
	in, n := bufio.NewReader(conn), 0
	for b.Loop() {
		// Each from another network, so that none is limited.
		n++
		_, err := fmt.Fprintf(conn, "GET /r/%s HTTP/1.1\r\nHost: s\r\nUser-Agent: %s\r\nX-Forwarded-For: 9.%d.%d.1\r\n\r\n", made[0].Code, browser, n>>8&255, n&255)
		h.ok(err)
		answer, err := http.ReadResponse(in, nil)
		h.ok(err)
		if answer.StatusCode != 302 {
			b.Fatal(answer.Status)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "redirects/s")
}
