package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// controlPath is the socket by which commands on the same machine ask a running daemon: HTTP in the
// state directory, for the daemon's user only.
func controlPath(store string) string { return filepath.Join(filepath.Dir(store), "control.sock") }

// controlPatience bounds one question: a look at every port of a full hub.
const controlPatience = 5 * time.Minute

// listenControl opens the socket. One that is there is a dead daemon's: the store, which is open by
// now, is locked against a second.
func listenControl(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	private := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) (err error) {
		// Before bind, so that the socket never has another mode (unix(7)).
		return errors.Join(c.Control(func(fd uintptr) { err = syscall.Fchmod(int(fd), 0o600) }), err)
	}}
	return private.Listen(context.Background(), "unix", path)
}

// control answers at the socket.
type control struct {
	server http.Server
	ln     net.Listener
}

// newControl takes what it is to answer; each is called for one request.
func newControl(ln net.Listener, log *slog.Logger, answers map[string]func(context.Context) (any, error)) *control {
	mux := http.NewServeMux()
	for path, answer := range answers {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			v, err := answer(r.Context())
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(v); err != nil {
				log.Debug("the one that asked is gone", "path", path, "err", err)
			}
		})
	}
	return &control{ln: ln, server: http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}}
}

// Run answers until ctx ends; questions that are open then are cut off.
func (c *control) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = c.server.Close() })
	defer stop()
	if err := c.server.Serve(c.ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

var errMayNotAsk = errors.New("a daemon may be running, which only its user and root may ask")

// tryDaemon is askDaemon for a question that can be answered without: whose daemon may not be asked
// is told so, and no more.
func tryDaemon(ctx context.Context, s streams, store, path string, v any) (bool, error) {
	running, err := askDaemon(ctx, store, path, v)
	if errors.Is(err, errMayNotAsk) {
		fmt.Fprintf(s.err, "dongled: %v; the ports are asked instead\n", err)
		return false, nil
	}
	return running, err
}

// askDaemon has the daemon of a store answer into v; false means that none runs.
func askDaemon(ctx context.Context, store, path string, v any) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, controlPatience)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", controlPath(store))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return false, nil
	case errors.Is(err, fs.ErrPermission):
		return false, fmt.Errorf("%w: %w", errMayNotAsk, err)
	case err != nil:
		return false, err
	}
	client := http.Client{Transport: &http.Transport{
		DialContext:       func(context.Context, string, string) (net.Conn, error) { return conn, nil },
		DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://dongled"+path, http.NoBody)
	if err != nil {
		return false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, fmt.Errorf("the daemon does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(resp.Body)
		return true, errors.Join(fmt.Errorf("the daemon says: %s", strings.TrimSpace(string(text))), err)
	}
	return true, json.NewDecoder(resp.Body).Decode(v)
}
