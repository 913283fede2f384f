// Package posttest is a network in memory for tests of what makes requests, so that time in it is virtual
// (testing/synctest). Only tests import it.
package posttest

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Network has hosts, which come into being when they are named.
type Network struct {
	mu    sync.Mutex
	hosts map[string]*Host
	all   meter
}

// NewNetwork makes one, which Close ends.
func NewNetwork() *Network { return &Network{hosts: map[string]*Host{}} }

// Host is an HTTP server in the network, and how it behaves. Without an answer it says 200.
type Host struct {
	net    *Network
	server *http.Server
	conns  chan net.Conn

	mu     sync.Mutex
	answer http.HandlerFunc
	door   Door
	came   []Request
	own    meter
}

// Door says what becomes of who connects.
type Door int

// The doors.
const (
	Open Door = iota
	// Closed refuses.
	Closed
	// Silent never answers.
	Silent
)

// Request is one that a host had.
type Request struct {
	At     time.Time
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// Host is the one of a name, without its port.
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[name] == nil {
		h := &Host{net: n, conns: make(chan net.Conn)}
		h.server = &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		n.hosts[name] = h
		go func() { _ = h.server.Serve(h) }()
	}
	return n.hosts[name]
}

// Close ends all hosts.
func (n *Network) Close() {
	for _, h := range n.hosts {
		_ = h.server.Close()
	}
}

// Dial is that of a client in the network.
func (n *Network) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	h := n.Host(name)
	h.mu.Lock()
	door := h.door
	h.mu.Unlock()
	switch door {
	case Closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case Silent:
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
	client, server := net.Pipe()
	select {
	case h.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Busy is how many requests are under way, and how many there ever were at once.
func (n *Network) Busy() (now, most int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.all.busy(), n.all.most()
}

// begin measures a request; end is to be called at its end.
func begin(m *meter, mu *sync.Mutex) (end func()) {
	mu.Lock()
	defer mu.Unlock()
	i := m.begin(time.Now())
	return func() {
		mu.Lock()
		defer mu.Unlock()
		m.spans[i].end = time.Now()
	}
}

// Accept implements net.Listener.
func (h *Host) Accept() (net.Conn, error) {
	c, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close implements net.Listener.
func (h *Host) Close() error {
	close(h.conns)
	return nil
}

// Addr implements net.Listener.
func (h *Host) Addr() net.Addr { return &net.TCPAddr{} }

// ServeHTTP implements http.Handler.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed while it wrote
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	h.mu.Lock()
	if h.door != Open { // on a connection from before
		h.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	h.came = append(h.came, Request{time.Now(), r.Method, r.URL.String(), r.Header.Clone(), body})
	answer := h.answer
	h.mu.Unlock()
	defer begin(&h.net.all, &h.net.mu)()
	defer begin(&h.own, &h.mu)()
	if answer != nil {
		answer(w, r)
	}
}

// Most is how many requests to the host there ever were at once.
func (h *Host) Most() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.own.most()
}

// Answers has the host take connections and answer so.
func (h *Host) Answers(answer http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.door, h.answer = Open, answer
}

// Says has the host answer with a status.
func (h *Host) Says(status int) {
	h.Answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
}

// Turns has the host take connections no more, or again.
func (h *Host) Turns(d Door) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.door = d
}

// Had are the requests so far.
func (h *Host) Had() []Request {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.came)
}

// Forgets has the host know of no requests so far; Most and Busy still do.
func (h *Host) Forgets() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.came = nil
}

// Slow answers with a status after a time, unless the client is gone.
func Slow(d time.Duration, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			w.WriteHeader(status)
		case <-r.Context().Done():
		}
	}
}
