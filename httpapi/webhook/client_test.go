package webhook_test

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dongled/hack/models"
	"dongled/httpapi/post/posttest"
	"dongled/httpapi/webhook"
	"dongled/scheduler/outbox"
)

// real is a fixture on the machine's own network, in its own time.
func real(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{TB: t, path: t.TempDir() + "/s.db", net: posttest.NewNetwork(), log: &models.Log{}}
	f.opts = webhook.Options{Version: "1", Log: f.log.Logger()}
	f.onMachine = true
	f.start()
	t.Cleanup(f.close)
	return f
}

// tested is what a test of a webhook at url says.
func (f *fixture) tested(url string) string {
	f.Helper()
	_, err := f.Put(ctx, webhook.Hook{ID: "x", URL: url, Event: outbox.SMSReceived})
	f.ok(err)
	d, err := f.Test(ctx, "x")
	f.ok(err)
	return fmt.Sprint(d.State, " ", d.Status, " ", d.Error)
}

func TestRealEndpoints(t *testing.T) {
	f := real(t)
	mux := http.NewServeMux()
	var came []string
	mux.HandleFunc("/ok", func(_ http.ResponseWriter, r *http.Request) { came = append(came, r.Method+" "+r.URL.String()) })
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	plain, secure := httptest.NewServer(mux), httptest.NewUnstartedServer(mux)
	defer plain.Close()
	secure.Config.ErrorLog = log.New(f.log, "", 0)
	secure.StartTLS()
	defer secure.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	for url, want := range map[string]string{
		plain.URL + "/ok?a=b":   "delivered 200 ",
		plain.URL + "/redirect": "failed 302 the endpoint answered 302 Found; redirects are not followed, register the URL that it leads to",
		plain.URL + "/nothing":  "failed 404 the endpoint answered 404 Not Found",
		closed.URL:              "failed 0 dial tcp " + strings.TrimPrefix(closed.URL, "http://") + ": connect: connection refused",
		// A certificate that nobody knows, and HTTPS where there is none.
		secure.URL + "/ok": "failed 0 tls: failed to verify certificate: x509: certificate signed by unknown authority",
		strings.Replace(plain.URL, "http:", "https:", 1): "failed 0 http: server gave HTTP response to HTTPS client",
	} {
		if got := f.tested(url); got != want {
			t.Errorf("%s: %s\nwant %s", url, got, want)
		}
	}
	if len(came) != 1 || came[0] != "POST /ok?a=b" {
		t.Errorf("came %q", came)
	}
}

// What http may connect to, whatever a name resolves to.
func TestGuard(t *testing.T) {
	for address, allowed := range map[string][2]bool{
		"127.0.0.1:80":            {true, true},
		"[::1]:80":                {true, true},
		"[::ffff:127.0.0.1]:8080": {true, true},
		"192.168.0.7:80":          {false, true},
		"[fd12::1]:80":            {false, true},
		"[fe80::1%eth0]:80":       {false, true},
		"93.184.216.34:80":        {false, false},
		"[2606:2800::1]:80":       {false, false},
		"0.0.0.0:80":              {false, false},
		"100.64.0.1:80":           {false, false},
		"nowhere":                 {false, false},
	} {
		for i, lan := range []bool{false, true} {
			if err := webhook.Guard(webhook.Options{AllowLAN: lan}, address); (err == nil) != allowed[i] {
				t.Errorf("%s with AllowLAN %t: %v", address, lan, err)
			}
		}
	}
}

// The guard stands where connections are made: a name of a private network that leads elsewhere (DNS
// rebinding) is refused before a packet leaves. 192.0.2.1 is TEST-NET-1 (RFC 5737).
func TestGuardStandsBeforeConnections(t *testing.T) {
	begin := time.Now()
	_, err := webhook.Dial(webhook.Options{AllowLAN: true}, ctx, net.JoinHostPort("192.0.2.1", "80"))
	if err == nil || !strings.Contains(err.Error(), "the host has the address 192.0.2.1, to which http is not allowed: use https") {
		t.Errorf("%v", err)
	}
	if time.Since(begin) > 4*time.Second {
		t.Error("it was tried")
	}
}

// Who registers webhooks must not read by them what other services of this machine say.
func TestAnswersAreNotQuoted(t *testing.T) {
	f := real(t)
	for answer, want := range map[string]string{
		"secret\r\n":                                                        "malformed HTTP response",
		"HTTP/1.1 secret OK\r\n\r\n":                                        "malformed HTTP status code",
		"HTTP/1.1 200 OK\r\nsecret\r\n\r\n":                                 "malformed MIME header: missing colon",
		"HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n":                 "bad Content-Length",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n": "http: message cannot contain multiple Content-Length headers; got",
	} {
		address, end := posttest.Raw(t, answer)
		got := f.tested("http://" + address)
		end()
		if full := "failed 0 net/http: HTTP/1.x transport connection broken: " + want; got != full {
			t.Errorf("%q: %s\nwant %s", answer, got, full)
		}
	}
}
