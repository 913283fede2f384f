package post_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"dongled/httpapi/post"
	"dongled/httpapi/post/posttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// bubble runs f in virtual time with a client in a network in memory.
func bubble(t *testing.T, f func(*testing.T, *post.Client, *posttest.Network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n, c := posttest.NewNetwork(), post.New(post.Options{Agent: "agent/1"})
		c.DialThrough(n.Dial, n.Dial)
		defer n.Close()
		defer c.Close()
		f(t, c, n)
	})
}

// All parts of a request, and what completes it comes last.
func TestRequest(t *testing.T) {
	bubble(t, func(t *testing.T, c *post.Client, n *posttest.Network) {
		v := c.Do(ctx, post.Request{
			Method: "PATCH", URL: "http://us%20er:p%40ss@box:81/a?b=c#d", Body: []byte("hé"),
			Header: map[string]string{"Content-Type": "text/x", "X-A": "1", "X-B": "1"},
			Finish: func(r *http.Request) { r.Header.Set("X-B", "2") },
		})
		if v != (post.Verdict{Kind: post.Accepted, Status: 200}) {
			t.Errorf("%+v", v)
		}
		r := n.Host("box").Had()[0]
		if r.Method != "PATCH" || r.URL != "/a?b=c" || string(r.Body) != "hé" {
			t.Errorf("%s %s %s", r.Method, r.URL, r.Body)
		}
		for name, want := range map[string]string{
			"User-Agent": "agent/1", "Content-Type": "text/x", "X-A": "1", "X-B": "2", "Accept-Encoding": "",
			"Authorization": "Basic dXMgZXI6cEBzcw==", // us er:p@ss
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}

func TestDefaults(t *testing.T) {
	bubble(t, func(t *testing.T, c *post.Client, n *posttest.Network) {
		c.Do(ctx, post.Request{URL: "http://box", Header: map[string]string{"User-Agent": "mine"}})
		r := n.Host("box").Had()[0]
		if r.Method != "POST" || r.URL != "/" || len(r.Body) != 0 || r.Header.Get("User-Agent") != "mine" {
			t.Errorf("%+v", r)
		}
	})
}

// What a status means, and which kind that is.
func TestVerdicts(t *testing.T) {
	only200 := func(status int) bool { return status == 200 }
	for _, x := range []struct {
		status int
		taken  func(int) bool
		kind   post.Kind
		err    string
	}{
		{200, nil, post.Accepted, ""},
		{299, nil, post.Accepted, ""},
		{204, only200, post.Answered, "the endpoint answered 204 No Content"},
		{200, only200, post.Accepted, ""},
		{302, nil, post.Answered, "the endpoint answered 302 Found; redirects are not followed, register the URL that it leads to"},
		{404, nil, post.Answered, "the endpoint answered 404 Not Found"},
		{404, func(int) bool { return true }, post.Accepted, ""},
		{599, nil, post.Answered, "the endpoint answered 599"},
		{500, nil, post.Answered, "the endpoint answered 500 Internal Server Error"},
		{502, nil, post.Unreachable, "the endpoint answered 502 Bad Gateway"},
		{503, nil, post.Unreachable, "the endpoint answered 503 Service Unavailable"},
		{504, nil, post.Unreachable, "the endpoint answered 504 Gateway Timeout"},
	} {
		bubble(t, func(t *testing.T, c *post.Client, n *posttest.Network) {
			n.Host("box").Answers(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://box/elsewhere")
				w.WriteHeader(x.status)
			})
			want := post.Verdict{Kind: x.kind, Status: x.status, Err: x.err}
			if got := c.Do(ctx, post.Request{URL: "http://box/", Taken: x.taken}); got != want {
				t.Errorf("%d: %+v, want %+v", x.status, got, want)
			}
			if came := len(n.Host("box").Had()); came != 1 {
				t.Errorf("%d: %d requests", x.status, came)
			}
		})
	}
}

// How long each thing may take, and how that is told.
func TestTimeouts(t *testing.T) {
	for name, x := range map[string]struct {
		act     func(*posttest.Host)
		timeout time.Duration
		took    time.Duration
		want    post.Verdict
	}{
		"nobody answers the call": {func(h *posttest.Host) { h.Turns(posttest.Silent) }, 0, 5 * time.Second,
			post.Verdict{Kind: post.Unreachable, Err: "dial tcp: context deadline exceeded"}},
		"nobody takes the call": {func(h *posttest.Host) { h.Turns(posttest.Closed) }, 0, 0,
			post.Verdict{Kind: post.Unreachable, Err: "dial tcp: connection refused"}},
		"no answer": {func(h *posttest.Host) { h.Answers(posttest.Slow(time.Hour, 200)) }, 0, 30 * time.Second,
			post.Verdict{Kind: post.Unreachable, Err: "no answer within 30s"}},
		"no answer in time": {func(h *posttest.Host) { h.Answers(posttest.Slow(time.Hour, 200)) }, 10 * time.Second, 10 * time.Second,
			post.Verdict{Kind: post.Unreachable, Err: "no answer within 10s"}},
		"just in time": {func(h *posttest.Host) { h.Answers(posttest.Slow(9*time.Second, 200)) }, 10 * time.Second, 9 * time.Second,
			post.Verdict{Kind: post.Accepted, Status: 200}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, c *post.Client, n *posttest.Network) {
				x.act(n.Host("box"))
				begin := time.Now()
				if got := c.Do(ctx, post.Request{URL: "http://box/", Timeout: x.timeout}); got != x.want {
					t.Errorf("%+v, want %+v", got, x.want)
				}
				if took := time.Since(begin); took != x.took {
					t.Errorf("it took %v, want %v", took, x.took)
				}
			})
		})
	}
}

// A status that came counts, however long the body takes or is.
func TestEndlessBody(t *testing.T) {
	bubble(t, func(t *testing.T, c *post.Client, n *posttest.Network) {
		n.Host("box").Answers(func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(bytes.Repeat([]byte("x"), 1<<10)); err != nil {
					return
				}
			}
		})
		if v := c.Do(ctx, post.Request{URL: "http://box/"}); v.Kind != post.Accepted {
			t.Errorf("%+v", v)
		}
	})
}

// Who ends ctx learns nothing of the request, not even that it failed.
func TestCut(t *testing.T) {
	bubble(t, func(t *testing.T, c *post.Client, n *posttest.Network) {
		n.Host("box").Answers(posttest.Slow(time.Hour, 200))
		soon, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if v := c.Do(soon, post.Request{URL: "http://box/"}); v != (post.Verdict{Kind: post.Cut, Err: "the gateway stopped"}) {
			t.Errorf("%+v", v)
		}
	})
}

func TestMalformed(t *testing.T) {
	c := post.New(post.Options{})
	for _, r := range []post.Request{{URL: "http://a b/"}, {URL: "http://x:y/"}, {URL: "http://x/", Method: "NO GOOD"}} {
		if v := c.Do(ctx, r); v.Kind != post.Malformed || v.Err != "the URL or the method of the request cannot be read" {
			t.Errorf("%+v: %+v", r, v)
		}
	}
}

// What http may connect to, whatever a name resolves to.
func TestGuard(t *testing.T) {
	for address, allowed := range map[string][3]bool{
		"127.0.0.1:80":            {true, true, true},
		"[::1]:80":                {true, true, true},
		"[::ffff:127.0.0.1]:8080": {true, true, true},
		"192.168.0.7:80":          {false, true, true},
		"[::ffff:10.0.0.1]:80":    {false, true, true},
		"[fd12::1]:80":            {false, true, true},
		"[fe80::1%eth0]:80":       {false, true, true},
		"93.184.216.34:80":        {false, false, true},
		"[2606:2800::1]:80":       {false, false, true},
		"0.0.0.0:80":              {false, false, true},
		"100.64.0.1:80":           {false, false, true},
		"example.com:80":          {false, false, false},
		"nowhere":                 {false, false, false},
	} {
		for i, reach := range []post.Reach{post.Loopback, post.LAN, post.Any} {
			if err := reach.Guard("tcp", address, nil); (err == nil) != allowed[i] {
				t.Errorf("%s with %s: %v", address, reach, err)
			}
		}
		if err := post.Reach("").Guard("tcp", address, nil); (err == nil) != allowed[0] {
			t.Errorf("%s with nothing: %v", address, err)
		}
	}
}

// The guard stands where connections are made. 192.0.2.1 is TEST-NET-1 (RFC 5737).
func TestGuardStandsBeforeConnections(t *testing.T) {
	for _, reach := range []post.Reach{post.Loopback, post.LAN} {
		c := post.New(post.Options{HTTP: reach})
		want := "dial tcp 192.0.2.1:80: the host has the address 192.0.2.1, to which http is not allowed: use https"
		if v := c.Do(ctx, post.Request{URL: "http://192.0.2.1/"}); v.Kind != post.Unreachable || v.Err != want {
			t.Errorf("%+v", v)
		}
	}
}

// proxyAddress is the same in all runs of TestProxy: net/http asks the environment once in a process.
var proxyAddress = "127.0.0.1:0"

// http knows no proxy, which would resolve names past the guard. Go never uses one for localhost, so the
// receiver is an address that nobody has.
func TestProxy(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	_ = proxy.Listener.Close()
	var err error
	if proxy.Listener, err = net.Listen("tcp", proxyAddress); err != nil {
		t.Fatal(err)
	}
	proxyAddress = proxy.Listener.Addr().String()
	proxy.Start()
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	c := post.New(post.Options{HTTP: post.LAN})
	defer c.Close()
	if v := c.Do(ctx, post.Request{URL: "http://192.0.2.1/"}); v.Kind != post.Unreachable || len(asked) != 0 {
		t.Errorf("%+v, %d requests", v, len(asked))
	}
	if v := c.Do(ctx, post.Request{URL: "https://192.0.2.1/secret"}); v.Kind != post.Unreachable || v.Err != "Forbidden" {
		t.Errorf("%+v", v)
	}
	if got := <-asked; got != "CONNECT 192.0.2.1:443" {
		t.Errorf("the proxy was asked for %s", got)
	}
}

// Certificates are checked.
func TestTLS(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	secure.StartTLS()
	defer secure.Close()
	c := post.New(post.Options{})
	defer c.Close()
	for to, want := range map[string]string{
		secure.URL: "tls: failed to verify certificate: x509: certificate signed by unknown authority",
		strings.Replace(plain.URL, "http:", "https:", 1): "http: server gave HTTP response to HTTPS client",
	} {
		if v := c.Do(ctx, post.Request{URL: to + "/s3cret"}); v.Kind != post.Unreachable || v.Err != want {
			t.Errorf("%+v, want %q", v, want)
		}
	}
}

// Nothing of an answer is told but its status, and nothing of a URL.
func TestNothingIsQuoted(t *testing.T) {
	for answer, want := range map[string]string{
		"secret\r\n":                                        "malformed HTTP response",
		"HTTP/1.1 secret OK\r\n\r\n":                        "malformed HTTP status code",
		"HTTP/1.1 200 OK\r\nsecret\r\n\r\n":                 "malformed MIME header: missing colon",
		"HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n": "bad Content-Length",
	} {
		address, end := posttest.Raw(t, answer)
		c := post.New(post.Options{})
		v := c.Do(ctx, post.Request{URL: fmt.Sprintf("http://%s/s3cret?token=s3cret", address)})
		end()
		if full := "net/http: HTTP/1.x transport connection broken: " + want; v.Kind != post.Unreachable || v.Err != full {
			t.Errorf("%q: %+v\nwant %s", answer, v, full)
		}
	}
}

// The texts that are stored are bounded, and are text.
func TestLongErrors(t *testing.T) {
	c := post.New(post.Options{})
	fail := func(context.Context, string, string) (net.Conn, error) {
		return nil, fmt.Errorf("%s\xff", strings.Repeat("é", 400))
	}
	c.DialThrough(fail, fail)
	v := c.Do(ctx, post.Request{URL: "http://box/"})
	if want := strings.Repeat("é", 100) + "..."; v.Err != want {
		t.Errorf("%q", v.Err)
	}
}
