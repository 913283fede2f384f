package webhook_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// network is one in memory, so that time in it is virtual. Hosts come into being when they are named.
type network struct {
	mu    sync.Mutex
	hosts map[string]*host
	// busy is how many requests are under way.
	busy int
}

func newNetwork() *network { return &network{hosts: map[string]*host{}} }

// host is an HTTP server in the network, and how it behaves. Without answer it says 200.
type host struct {
	net    *network
	server *http.Server
	conns  chan net.Conn

	mu     sync.Mutex
	answer http.HandlerFunc
	// refuses says that it takes no connections, silent that it does not answer the attempt to.
	refuses, silent bool
	posts           []post
}

// post is a request that a host had.
type post struct {
	at     time.Time
	method string
	path   string
	header http.Header
	body   []byte
}

func (n *network) host(name string) *host {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hosts[name] == nil {
		h := &host{net: n, conns: make(chan net.Conn)}
		h.server = &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		n.hosts[name] = h
		go func() { _ = h.server.Serve(h) }()
	}
	return n.hosts[name]
}

func (n *network) close() {
	for _, h := range n.hosts {
		_ = h.server.Close()
	}
}

// dial is that of a client in the network.
func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	name, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	h := n.host(name)
	h.mu.Lock()
	refuses, silent := h.refuses, h.silent
	h.mu.Unlock()
	switch {
	case refuses:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case silent:
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

// Accept implements net.Listener.
func (h *host) Accept() (net.Conn, error) {
	c, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

// Close implements net.Listener.
func (h *host) Close() error {
	close(h.conns)
	return nil
}

// Addr implements net.Listener.
func (h *host) Addr() net.Addr { return &net.TCPAddr{} }

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client was killed while it wrote
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	h.mu.Lock()
	if h.refuses { // on a connection from before
		h.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	h.posts = append(h.posts, post{time.Now(), r.Method, r.URL.String(), r.Header.Clone(), body})
	answer := h.answer
	h.mu.Unlock()
	h.net.enter(1)
	defer h.net.enter(-1)
	if answer != nil {
		answer(w, r)
	}
}

func (n *network) enter(change int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.busy += change
}

// busyNow is how many requests are under way.
func (n *network) busyNow() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.busy
}

// behave changes a host.
func (h *host) behave(f func(*host)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f(h)
}

// says has a host answer with a status.
func (h *host) says(status int) {
	h.behave(func(h *host) {
		h.refuses, h.silent = false, false
		h.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
	})
}

func (h *host) got() []post {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]post(nil), h.posts...)
}

// seen are the posts that a host had: seconds since a time, and text.
func (h *host) seen(t testing.TB, since time.Time) (all []string) {
	for _, p := range h.got() {
		all = append(all, fmt.Sprintf("%g %s", p.at.Sub(since).Seconds(), textOf(t, p.body)))
	}
	return all
}

// logText is a log that may be read while it is written.
type logText struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *logText) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logText) std() *log.Logger { return log.New(l, "", 0) }

// hmacOf is HMAC-SHA256 (RFC 2104) in hexadecimal, by the definition.
func hmacOf(key, text string) string {
	var inner, outer [64]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	first := sha256.Sum256(append(inner[:], text...))
	return fmt.Sprintf("%x", sha256.Sum256(append(outer[:], first[:]...)))
}
