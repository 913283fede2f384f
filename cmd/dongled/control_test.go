package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// serveControl answers at the socket of a store, in a directory of its own, until the test ends.
func serveControl(t *testing.T, answers map[string]func(context.Context) (any, error)) (store string) {
	t.Helper()
	// A socket's path has 107 octets at most (unix(7)); t.TempDir holds the test's name.
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	store = filepath.Join(dir, "dongled.db")
	ln, err := listenControl(controlPath(store))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := newControl(ln, slog.New(slog.DiscardHandler), answers).Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return store
}

// asNobodyEnv tells TestMain that this is such a process.
const asNobodyEnv = "TEST_AS_NOBODY"

// asNobody runs the test again in a process without root's rights, if this one has them.
func asNobody(t *testing.T) (done bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		return false
	}
	const nobody = 65534
	// The link is followed by the child, which need not be able to reach the binary by its path.
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir, cmd.Env = os.TempDir(), append(os.Environ(), asNobodyEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as another user: %v\n%s", err, out)
	}
	return true
}

func TestControlAnswers(t *testing.T) {
	store := serveControl(t, map[string]func(context.Context) (any, error){
		"/probe":  func(context.Context) (any, error) { return []string{"a", "b"}, nil },
		"/doctor": func(context.Context) (any, error) { return nil, errors.New("the store is closed") },
	})
	var got []string
	for range 2 { // one question does not use the socket up
		if running, err := askDaemon(t.Context(), store, "/probe", &got); !running || err != nil || strings.Join(got, "") != "ab" {
			t.Errorf("got %v, %v, %v", got, running, err)
		}
	}
	if _, err := askDaemon(t.Context(), store, "/doctor", &got); err == nil || err.Error() != "the daemon says: the store is closed" {
		t.Errorf("got %v", err)
	}
	if _, err := askDaemon(t.Context(), store, "/nothing", &got); err == nil || err.Error() != "the daemon says: 404 page not found" {
		t.Errorf("got %v", err)
	}
}

// TestControlIsPrivate: nobody but the owner may ask, from the moment the socket is there.
func TestControlIsPrivate(t *testing.T) {
	store := serveControl(t, nil)
	info, err := os.Stat(controlPath(store))
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestControlWithoutDaemon: no socket, or one that a crash left behind, is no daemon and no fault.
func TestControlWithoutDaemon(t *testing.T) {
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store := filepath.Join(dir, "dongled.db")
	noDaemon := func(why string) {
		if running, err := askDaemon(t.Context(), store, "/probe", nil); running || err != nil {
			t.Errorf("%s: %v, %v", why, running, err)
		}
	}
	noDaemon("no socket")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: controlPath(store)})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	_ = dead.Close()
	noDaemon("a dead one")
	ln, err := listenControl(controlPath(store))
	if err != nil {
		t.Fatalf("a dead socket stops the next daemon: %v", err)
	}
	_ = ln.Close()
	if _, err := os.Stat(controlPath(store)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket outlives its daemon: %v", err)
	}
}

// TestControlDenied: a socket of somebody else's daemon is not taken for none.
func TestControlDenied(t *testing.T) {
	if asNobody(t) {
		return
	}
	store := serveControl(t, nil)
	if err := os.Chmod(controlPath(store), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := askDaemon(t.Context(), store, "/probe", nil); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
	var said strings.Builder
	running, err := tryDaemon(t.Context(), streams{err: &said}, store, "/probe", nil)
	if running || err != nil || !strings.HasPrefix(said.String(), "dongled: a daemon may be running, which only its user and root may ask: ") {
		t.Errorf("%v, %v, said %q", running, err, said.String())
	}
}

// TestControlCutsOff: a question that is open does not keep the daemon from stopping.
func TestControlCutsOff(t *testing.T) {
	asked := make(chan struct{})
	store := serveControl(t, map[string]func(context.Context) (any, error){
		"/probe": func(ctx context.Context) (any, error) {
			close(asked)
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := askDaemon(ctx, store, "/probe", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestControlTakesOrders: what an order says reaches the daemon, and whose fault an error is reaches
// who asked.
func TestControlTakesOrders(t *testing.T) {
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	store := filepath.Join(dir, "dongled.db")
	ln, err := listenControl(controlPath(store))
	if err != nil {
		t.Fatal(err)
	}
	c := newControl(ln, slog.New(slog.DiscardHandler), nil)
	c.take(map[string]instruction{
		"/echo":    func(_ context.Context, body []byte) (any, error) { return "got " + string(body), nil },
		"/refused": func(context.Context, []byte) (any, error) { return nil, refusal{errors.New("your fault")} },
		"/failed":  func(context.Context, []byte) (any, error) { return nil, errors.New("the disk is full") },
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	defer running.Wait()
	defer stop()
	var got string
	if running, err := tellDaemon(t.Context(), store, "/echo", []byte("words"), &got); !running || err != nil || got != "got words" {
		t.Errorf("%t, %v, %q", running, err, got)
	}
	for path, want := range map[string]string{
		"/refused": "your fault", "/failed": "the daemon says: the disk is full", "/nothing": "the daemon says: 404 page not found",
	} {
		if _, err := tellDaemon(t.Context(), store, path, nil, &got); err == nil || err.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := tellDaemon(t.Context(), store, "/echo", make([]byte, maxOrder+1), &got); err == nil {
		t.Error("an endless order is taken")
	}
	if _, err := askDaemon(t.Context(), store, "/echo", &got); err == nil || err.Error() != "the daemon says: Method Not Allowed" {
		t.Errorf("a question for an order: %v", err)
	}
}
