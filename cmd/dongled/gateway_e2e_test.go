package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	testUser     = "sms"
	testPassword = "correct horse"
)

// site is a directory with a configuration, in which a gateway can be started again and again.
type site struct {
	dir, config, store string
	env                []string
}

// newSite writes a configuration for dongles on these ports, the first being SIM 1, and with the
// settings given.
func newSite(t *testing.T, ports []string, settings ...string) site {
	t.Helper()
	dir := t.TempDir()
	s := site{dir: dir, config: filepath.Join(dir, "dongled.yaml"), store: filepath.Join(dir, "state", "dongled.db")}
	var b strings.Builder
	fmt.Fprintf(&b, "http: {listen: '127.0.0.1:0'}\nstore: {path: %q}\nmodems:\n", s.store)
	for i, port := range ports {
		fmt.Fprintf(&b, "  - {sim: %d, port: %q}\n", i+1, port)
	}
	for _, line := range settings {
		b.WriteString(line + "\n")
	}
	if err := os.WriteFile(s.config, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// knownPassword is a setting for newSite.
const knownPassword = `auth: {password: "` + testPassword + `"}`

// gateway is a dongled serve and its API as a client sees it.
type gateway struct {
	*process
	url      string
	password string
	http     http.Client
}

// serve starts the gateway; it is back when the API answers.
func (s site) serve(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{
		process:  startIn(t, s.env, "dongled", "serve", "--config", s.config, "--log-format", "json"),
		password: testPassword,
		http:     http.Client{Timeout: patience, Transport: &http.Transport{}},
	}
	t.Cleanup(g.http.CloseIdleConnections)
	await(t, "the address", func() (bool, string) {
		address := g.logged("listening")["address"]
		g.url = fmt.Sprintf("http://%v", address)
		return address != nil, "stderr: " + g.stderr.String()
	})
	return g
}

// logged returns the first log record with that message, nil if there is none.
func (g *gateway) logged(msg string) map[string]any {
	for line := range strings.Lines(g.stderr.String()) {
		var record map[string]any
		if json.Unmarshal([]byte(line), &record) == nil && record["msg"] == msg {
			return record
		}
	}
	return nil
}

// try sends a request; body is JSON, or empty.
func (g *gateway) try(method, path, body string) (*http.Response, []byte, error) {
	req, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.SetBasicAuth(testUser, g.password)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := g.http.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, answer, err
}

// request is try with a status to expect.
func (g *gateway) request(t *testing.T, method, path, body string, want int) (http.Header, []byte) {
	t.Helper()
	resp, answer, err := g.try(method, path, body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if resp.StatusCode != want {
		t.Fatalf("%s %s: %s, want %d: %s", method, path, resp.Status, want, answer)
	}
	return resp.Header, answer
}

// message is what the API says of a message.
type message struct {
	ID         string
	State      string
	Recipients []struct{ PhoneNumber, State, Error string }
	States     map[string]time.Time
}

func (g *gateway) send(t *testing.T, body string) message {
	t.Helper()
	_, answer := g.request(t, "POST", "/messages", body, http.StatusAccepted)
	return decode[message](t, answer)
}

func (g *gateway) get(t *testing.T, id string) message {
	t.Helper()
	_, answer := g.request(t, "GET", "/messages/"+id, "", http.StatusOK)
	return decode[message](t, answer)
}

// awaitState waits until a message is in a state, and returns it.
func (g *gateway) awaitState(t *testing.T, id, state string) (m message) {
	t.Helper()
	await(t, fmt.Sprintf("message %s to be %s", id, state), func() (bool, string) {
		m = g.get(t, id)
		if m.State == "Failed" && state != "Failed" {
			t.Fatalf("message %s failed: %+v", id, m)
		}
		return m.State == state, fmt.Sprintf("it is %+v", m)
	})
	return m
}

// count is how many messages are in a state, of all where that is empty.
func (g *gateway) count(t *testing.T, state string) int {
	t.Helper()
	header, _ := g.request(t, "GET", "/messages?limit=1&state="+state, "", http.StatusOK)
	n, err := strconv.Atoi(header.Get("X-Total-Count"))
	if err != nil {
		t.Fatalf("X-Total-Count: %v", err)
	}
	return n
}

// awaitCount waits until exactly n messages are in a state.
func (g *gateway) awaitCount(t *testing.T, state string, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d messages %s", n, state), func() (bool, string) {
		if failed := g.count(t, "Failed"); failed > 0 {
			_, list := g.request(t, "GET", "/messages?state=Failed", "", http.StatusOK)
			t.Fatalf("%d messages failed: %s", failed, list)
		}
		now := g.count(t, state)
		return now == n, fmt.Sprintf("there are %d", now)
	})
}

// awaitReady waits until all dongles are ready to send.
func (g *gateway) awaitReady(t *testing.T) {
	t.Helper()
	await(t, "the dongles", func() (bool, string) {
		_, answer, err := g.try("GET", "/health", "")
		if err != nil {
			t.Fatal(err)
		}
		return decode[struct{ Status string }](t, answer).Status == "pass", string(answer)
	})
}

func decode[T any](t *testing.T, data []byte) (v T) {
	t.Helper()
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return v
}

// lines splits an output into its lines.
func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }
