package main_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// makeCert has dongled make a pair, in place of one that may be there.
func makeCert(t *testing.T, dir string, args ...string) {
	t.Helper()
	p := start(t, "dongled", append([]string{"cert", "--out", dir, "--force"}, args...)...)
	if status := p.status(t); status != 0 {
		t.Fatalf("dongled cert: exit status %d: %s", status, p.stderr.String())
	}
}

// trusting is a client that trusts the certificate in dir and nothing else.
func trusting(t *testing.T, dir string) *http.Transport {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "dongled.crt"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(raw) {
		t.Fatalf("no certificate in %s", raw)
	}
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// secure writes a configuration with a fresh certificate, and starts the gateway on it.
func secure(t *testing.T, settings ...string) (s site, dir string, g *gateway) {
	t.Helper()
	s = newSite(t, []string{"virtual:one"}, append(settings, knownPassword)...)
	dir = filepath.Join(s.dir, "tls")
	makeCert(t, dir)
	s.env = append(s.env, "DONGLED_HTTP__TLS__CERTIFICATE="+filepath.Join(dir, "dongled.crt"), "DONGLED_HTTP__TLS__KEY="+filepath.Join(dir, "dongled.key"))
	g = s.serve(t)
	g.url = strings.Replace(g.url, "http://", "https://", 1)
	g.http.Transport = trusting(t, dir)
	return s, dir, g
}

// hangup asks for a new look at the certificate, and waits for what the log says to it.
func (g *gateway) hangup(t *testing.T, times int, words string) {
	t.Helper()
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, words, func() (bool, string) {
		said := g.stderr.String()
		return strings.Count(said, words) == times, said
	})
}

// served is the serial number of the certificate that new connections get.
func (g *gateway) served(t *testing.T) string {
	t.Helper()
	conn, err := tls.Dial("tcp", strings.TrimPrefix(g.url, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// TestTLS: the published client and everything beside it work over HTTPS, by the pair that dongled cert
// made; a new pair is taken at a hangup while requests go on.
func TestTLS(t *testing.T) {
	t.Parallel()
	s, dir, g := secure(t)
	g.awaitReady(t)
	t.Run("client-go", func(t *testing.T) { clientSends1(t, g) })
	t.Run("stranger", func(t *testing.T) {
		_, err := (&http.Client{Transport: &http.Transport{}}).Get(g.url + "/health/live")
		if err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Errorf("who does not know the certificate: %v", err)
		}
	})
	t.Run("plain HTTP", func(t *testing.T) {
		resp, err := (&http.Transport{}).RoundTrip(plainRequest(t, g))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != 400 || !strings.Contains(string(body), "https://") {
			t.Errorf("%s %s", resp.Status, body)
		}
	})
	t.Run("control socket", func(t *testing.T) {
		p := startIn(t, s.env, "dongled", "doctor", "--json", "--config", s.config)
		p.status(t)
		if !strings.Contains(p.stdout.String(), "{") || strings.Contains(p.stderr.String(), "the daemon") {
			t.Errorf("doctor says %s%s", p.stdout.String(), p.stderr.String())
		}
	})
	t.Run("hangup", func(t *testing.T) { reloads(t, g, dir) })
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

func plainRequest(t *testing.T, g *gateway) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, strings.Replace(g.url, "https://", "http://", 1)+"/messages", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func clientSends1(t *testing.T, g *gateway) {
	c := client(g, "/3rdparty/v1")
	state := awaitDelivered(t, c, g.send(t, `{"message":"over TLS","phoneNumbers":["+4915112345678"]}`).ID)
	if len(state.Recipients) != 1 {
		t.Errorf("state %+v", state)
	}
	health, err := c.CheckHealth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if check := health.Checks["tls:certificate"]; check.Status != "pass" || check.ObservedValue < 823 || check.ObservedUnit != "days" {
		t.Errorf("%+v", check)
	}
}

// reloads changes the pair under a client that never stops asking.
func reloads(t *testing.T, g *gateway, dir string) {
	before := g.served(t)
	open := trusting(t, dir) // keeps its connection, and its trust in the first pair
	asking, stop := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		c := http.Client{Transport: open, Timeout: patience}
		for n := 0; ; n++ {
			resp, err := c.Get(g.url + "/health/live")
			if err != nil {
				t.Errorf("request %d: %v", n, err)
				close(asking)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if n == 0 {
				close(asking)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-asking

	makeCert(t, dir, "--days", "10")
	if err := os.Chmod(filepath.Join(dir, "dongled.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	g.hangup(t, 1, "the certificate was read again")
	after := g.served(t)
	if after == before {
		t.Error("the old certificate is still served")
	}
	g.http.Transport = trusting(t, dir)
	g.request(t, "GET", "/messages", "", http.StatusOK)
	_, health := g.request(t, "GET", "/health", "", http.StatusOK)
	if !strings.Contains(string(health), `"tls:certificate":{"description":"The TLS certificate ends soon: put a new one in place, then reload","observedUnit":"days","observedValue":9,"status":"warn"}`) {
		t.Errorf("%s", health)
	}
	await(t, "a warning", func() (bool, string) {
		said := g.stderr.String()
		return strings.Contains(said, "the certificate ends soon") && strings.Contains(said, "every user of this machine may read the certificate's key"), said
	})

	// A bad pair changes nothing.
	if err := os.WriteFile(filepath.Join(dir, "dongled.key"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.hangup(t, 1, "the certificate stays the one from before")
	if now := g.served(t); now != after {
		t.Error("a bad pair changed the certificate")
	}
	close(stop)
	done.Wait()
}

// TestTLSWatchdog: the gateway proves to systemd that it lives over HTTPS, too.
func TestTLSWatchdog(t *testing.T) {
	dir := t.TempDir()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	t.Setenv("NOTIFY_SOCKET", socket.LocalAddr().String())
	_, _, g := secure(t)
	if err := socket.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 4096)
	n, err := socket.Read(b)
	if err != nil || !strings.Contains(string(b[:n]), "READY=1") {
		t.Errorf("%q, %v", b[:n], err)
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestHangupWithoutTLS: a hangup is no end of the gateway.
func TestHangupWithoutTLS(t *testing.T) {
	t.Parallel()
	g := newSite(t, []string{"virtual:one"}, knownPassword).serve(t)
	g.hangup(t, 1, "nothing is read again")
	g.request(t, "GET", "/messages", "", http.StatusOK)
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}

// TestCurl: the line of the README. Not every machine has curl.
func TestCurl(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	_, dir, g := secure(t)
	out, err := exec.Command("curl", "-sS", "--cacert", filepath.Join(dir, "dongled.crt"), "-u", testUser+":"+testPassword, g.url+"/messages").CombinedOutput()
	if err != nil || string(out) != "[]" {
		t.Errorf("%v: %s", err, out)
	}
}

// logLine is an entry of GET /logs.
type logLine struct {
	ID                        int
	Priority, Module, Message string
	Context                   map[string]any
	CreatedAt                 time.Time
}

func (g *gateway) logs(t *testing.T) []logLine {
	t.Helper()
	_, answer := g.request(t, "GET", "/logs", "", http.StatusOK)
	return decode[[]logLine](t, answer)
}

// TestLogsAPI: GET /logs has what the gateway said, over restarts, under rising ids; and no number, text
// or password.
func TestLogsAPI(t *testing.T) {
	t.Parallel()
	const number, text = "+4915112345679", "a text that is nobody's business"
	s := newSite(t, []string{"virtual:one"}, knownPassword)
	g := s.serve(t)
	g.awaitReady(t)
	body, err := json.Marshal(map[string]any{"message": text, "phoneNumbers": []string{number}})
	if err != nil {
		t.Fatal(err)
	}
	g.awaitState(t, g.send(t, string(body)).ID, "Delivered")
	g.request(t, "POST", "/messages", `{"message":"`+text+`","phoneNumbers":["nobody"]}`, http.StatusBadRequest)
	first := g.logs(t)
	find := func(lines []logLine, message string) *logLine {
		for i := range lines {
			if lines[i].Message == message {
				return &lines[i]
			}
		}
		t.Fatalf("there is no %q in %+v", message, lines)
		return nil
	}
	if l := find(first, "listening"); l.Priority != "INFO" || l.Module != "dongled" || l.Context["tls"] != false {
		t.Errorf("%+v", l)
	}
	up := find(first, "the modem is up")
	if up.Module != "modem" || up.Context["sim"] != 1.0 || time.Since(up.CreatedAt).Abs() > 2*patience {
		t.Errorf("%+v", up)
	}
	if status := g.terminate(t); status != 0 {
		t.Fatalf("exit status %d", status)
	}

	again := s.serve(t)
	again.awaitReady(t)
	all := again.logs(t)
	if len(all) <= len(first) {
		t.Errorf("%d lines, %d before", len(all), len(first))
	}
	for i, l := range all {
		if i > 0 && l.ID <= all[i-1].ID {
			t.Errorf("id %d after %d", l.ID, all[i-1].ID)
		}
		if i < len(first) && (l.ID != first[i].ID || l.Message != first[i].Message) {
			t.Errorf("line %d was %+v, is %+v", i, first[i], l)
		}
	}
	_, raw := again.request(t, "GET", "/logs", "", http.StatusOK)
	for _, secret := range []string{number, number[1:], text, testPassword, again.password} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("the log has %q: %s", secret, raw)
		}
	}
}

// TestFreshPasswordIsNotLogged: the password that is made at the first start is for the terminal alone.
func TestFreshPasswordIsNotLogged(t *testing.T) {
	t.Parallel()
	s := newSite(t, []string{"virtual:one"})
	g := s.serve(t)
	g.password, _ = g.logged(freshPassword)["password"].(string)
	if g.password == "" {
		t.Fatal("no password was shown")
	}
	_, raw := g.request(t, "GET", "/logs", "", http.StatusOK)
	if strings.Contains(string(raw), g.password) || !strings.Contains(string(raw), "listening") {
		t.Errorf("%s", raw)
	}
}

// TestStartAndPing: the start is an event once the SIM is known, and the health is one at every interval.
func TestStartAndPing(t *testing.T) {
	t.Parallel()
	s := newSite(t, []string{"virtual:one"}, knownPassword, "ping: {interval: 1s}")
	g := s.serve(t)
	g.awaitReady(t)
	await(t, "a ping", func() (bool, string) {
		// Without a webhook only the store knows of it, whose file another process has open.
		raw, err := os.ReadFile(s.store)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Contains(raw, []byte(`"name":"system:ping"`)), "the store has none"
	})
	if status := g.terminate(t); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	out := outbox.New(nil, nil)
	st, err := store.Open(s.store, store.Options{}, out)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }() // it was only read
	events, err := out.Events(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var starts, pings int
	for _, e := range events {
		switch e.Name {
		case "app:started":
			starts++
			got := decode[struct {
				SIMCards []struct {
					SlotIndex, SIMNumber int
					ICCID, CarrierName   string
				}
			}](t, e.Payload)
			if len(got.SIMCards) != 1 || got.SIMCards[0].SIMNumber != 1 || got.SIMCards[0].SlotIndex != 0 ||
				got.SIMCards[0].ICCID == "" || got.SIMCards[0].CarrierName != "Virtual" {
				t.Errorf("%s", e.Payload)
			}
		case "system:ping":
			pings++
			got := decode[struct {
				Health struct {
					Status    string
					ReleaseID int
					Checks    map[string]struct{ Status string }
				}
			}](t, e.Payload).Health
			if got.ReleaseID != 1 || got.Status == "" || got.Checks["db:ping"].Status != "pass" {
				t.Errorf("%s", e.Payload)
			}
		}
	}
	if starts != 1 || pings < 1 {
		t.Errorf("%d starts, %d pings", starts, pings)
	}
}
