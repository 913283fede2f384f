package main_test

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"dongled/scheduler/store"
)

// TestServeErrors runs testdata/serve: starts that must fail, and say why. In the scripts $TAKEN is
// an address that somebody listens on, and locked.db a store that another process has open.
func TestServeErrors(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/serve", Setup: func(env *testscript.Env) error {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		env.Defer(func() { _ = ln.Close() })
		env.Setenv("TAKEN", ln.Addr().String())
		st, err := store.Open(filepath.Join(env.WorkDir, "locked.db"), store.Options{})
		if err != nil {
			return err
		}
		env.Defer(func() { _ = st.Close() })
		env.Setenv("GORACE", "atexit_sleep_ms=10")
		return nil
	}})
}

const freshPassword = "a password for the API was made; it is shown only this once"

// TestPasswordFile: without a password in the configuration one is made, at the first start only.
func TestPasswordFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, []string{"virtual:one"})
	g := s.serve(t)
	shown := g.logged(freshPassword)
	path := filepath.Join(filepath.Dir(s.store), "password")
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	g.password = strings.TrimSpace(string(kept))
	if len(g.password) < 20 || shown["password"] != g.password || shown["username"] != testUser || shown["kept"] != path {
		t.Errorf("kept is %q, shown %v", g.password, shown)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	checkLogin(t, g)
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}

	again := s.serve(t)
	again.password = g.password
	checkLogin(t, again)
	if strings.Contains(again.stderr.String(), g.password) || again.logged(freshPassword) != nil {
		t.Error("the second start shows the password")
	}
}

// checkLogin: the password opens the API, and another one, or none, does not.
func checkLogin(t *testing.T, g *gateway) {
	t.Helper()
	g.request(t, "GET", "/devices", "", http.StatusOK)
	right := g.password
	for wrong, path := range map[string]string{ // no more than are free
		"wrong": "/", right + "x": "/devices", right[:len(right)-1]: "/messages", "": "/messages/x",
	} {
		g.password = wrong
		header, _ := g.request(t, "GET", path, "", http.StatusUnauthorized)
		if !strings.HasPrefix(header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("%s: WWW-Authenticate %q", path, header.Get("WWW-Authenticate"))
		}
	}
	g.password = right
}

// TestFailedFirstStart: the password that a start made, and failed before it could be shown, is
// shown by the next.
func TestFailedFirstStart(t *testing.T) {
	t.Parallel()
	s := newSite(t, []string{"virtual:one"})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	failed := start(t, "dongled", "serve", "--config", s.config, "--set", "http.listen="+ln.Addr().String())
	if status := failed.status(t); status != 1 {
		t.Fatalf("exit status %d", status)
	}
	g := s.serve(t)
	shown := g.logged(freshPassword)
	if shown == nil {
		t.Fatal("the password was never shown")
	}
	g.password, _ = shown["password"].(string)
	g.request(t, "GET", "/devices", "", http.StatusOK)
}
