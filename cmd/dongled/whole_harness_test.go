package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/configs"
	"dongled/modem/probe"
	"dongled/modem/virtual"
	"dongled/pdu"
)

const (
	wholeUser     = "sms"
	wholePassword = "correct horse battery"
	// wholePatience is how long a test waits for what should take milliseconds, on a machine that is busy.
	wholePatience = 60 * time.Second
)

// whole is a running daemon in this process, with two virtual dongles, and a client that knows of it
// only its address.
type whole struct {
	t    *testing.T
	d    *daemon
	url  string
	log  *diary
	http *http.Client
	// delivered counts what came in.
	delivered int
}

// runWhole starts a daemon; it is back when both dongles are ready.
func runWhole(t *testing.T, edits ...func(*configs.Config)) *whole {
	t.Helper()
	cfg := configs.Default()
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.Auth.Password = wholePassword
	cfg.Store.Path = filepath.Join(t.TempDir(), "dongled.db")
	cfg.Phone.DefaultRegion = "DE"
	for sim, port := range []string{"virtual:one", "virtual:two"} {
		m := configs.DefaultModem()
		m.SIM, m.Port = sim+1, port
		cfg.Modems = append(cfg.Modems, m)
	}
	for _, edit := range edits {
		edit(&cfg)
	}
	w := &whole{t: t, log: &diary{}}
	d, err := build(cfg, probe.Bus{}, slog.New(slog.NewTextHandler(w.log, nil)), taps{})
	if err != nil {
		t.Fatal(err)
	}
	w.d, w.url = d, "http://"+d.ln.Addr().String()
	w.http = &http.Client{
		Timeout:   wholePatience,
		Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8},
		// Redirects lose the body of a POST: none may be sent.
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirected") },
	}
	w.run()
	w.await("the dongles", func() bool { return allReady(d.sched.Modems()) })
	return w
}

func (w *whole) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.d.Run(ctx) }()
	w.t.Cleanup(func() {
		w.http.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			w.t.Errorf("the daemon ended with %v", err)
		}
		if said := w.log.String(); strings.Contains(said, "panic") {
			w.t.Errorf("something panicked:\n%s", said)
		}
	})
}

// await polls until done reports true.
func (w *whole) await(what string, done func() bool) {
	w.t.Helper()
	deadline := time.Now().Add(wholePatience)
	for !done() {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited %v for %s", wholePatience, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request with the account's password and, where there is a body, as JSON. Pairs of header
// override; an empty value removes.
func (w *whole) ask(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(wholeUser, wholePassword)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	resp, err := w.http.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header, string(content)}
}

// object asks for a JSON object and wants that status.
func (w *whole) object(t *testing.T, status int, method, path, body string, header ...string) map[string]any {
	t.Helper()
	got := w.ask(t, method, path, body, header...)
	if got.status != status {
		t.Fatalf("%s %s: %d %s, want %d", method, path, got.status, got.body, status)
	}
	var o map[string]any
	if err := json.Unmarshal([]byte(got.body), &o); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, got.body)
	}
	return o
}

// deliver has a message come in over the air, for the first dongle. Each was sent at a second of its own,
// or those of the same words would be taken for repetitions.
func (w *whole) deliver(t *testing.T, m pdu.Deliver) {
	t.Helper()
	w.delivered++
	m.SCTS = time.Now().Add(-time.Duration(w.delivered) * time.Minute)
	if err := w.dongles()[0].Deliver(m); err != nil {
		t.Fatal(err)
	}
}

func (w *whole) dongles() []*virtual.Dongle { return w.d.virtual.dongles }

// diary is a log that may be read while it is written.
type diary struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.Write(p)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.b.String()
}
