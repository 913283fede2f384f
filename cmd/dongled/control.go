package main

import (
	"bytes"
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
	mux    *http.ServeMux
	ln     net.Listener
	log    *slog.Logger
}

// newControl takes what it is to answer; each is called for one request.
func newControl(ln net.Listener, log *slog.Logger, answers map[string]func(context.Context) (any, error)) *control {
	c := &control{ln: ln, log: log, mux: http.NewServeMux()}
	c.server = http.Server{Handler: c.mux, ReadHeaderTimeout: 10 * time.Second}
	for path, answer := range answers {
		c.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			v, err := answer(r.Context())
			c.answer(w, path, v, err)
		})
	}
	return c
}

// maxOrder bounds what may be posted, in bytes.
const maxOrder = 64 << 10

// take adds what the daemon is to be told to do, before Run.
func (c *control) take(orders map[string]instruction) {
	for path, order := range orders {
		c.mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			var v any
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxOrder))
			if err == nil {
				v, err = order(r.Context(), body)
			}
			c.answer(w, path, v, err)
		})
	}
}

// instruction does what a JSON body says.
type instruction func(ctx context.Context, body []byte) (any, error)

// refusal is an error that is the fault of who asked, and is shown as it is.
type refusal struct{ error }

func (c *control) answer(w http.ResponseWriter, path string, v any, err error) {
	var refused refusal
	switch {
	case errors.As(err, &refused):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		c.log.Debug("the one that asked is gone", "path", path, "err", err)
	}
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
	return callDaemon(ctx, store, http.MethodGet, path, nil, v)
}

// tellDaemon is askDaemon for an order.
func tellDaemon(ctx context.Context, store, path string, body []byte, v any) (bool, error) {
	return callDaemon(ctx, store, http.MethodPost, path, body, v)
}

func callDaemon(ctx context.Context, store, method, path string, body []byte, v any) (bool, error) {
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
	req, err := http.NewRequestWithContext(ctx, method, "http://dongled"+path, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return false, fmt.Errorf("the daemon does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return true, spoken(resp)
	}
	return true, json.NewDecoder(resp.Body).Decode(v)
}

// spoken is the error that a daemon answered.
func spoken(resp *http.Response) error {
	raw, err := io.ReadAll(resp.Body)
	text := strings.TrimSpace(string(raw))
	if resp.StatusCode == http.StatusUnprocessableEntity {
		return refusal{errors.New(text)}
	}
	return errors.Join(fmt.Errorf("the daemon says: %s", text), err)
}
