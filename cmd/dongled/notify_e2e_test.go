package main_test

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSystemd plays systemd: the gateway says that it is ready only when its API answers, feeds the
// watchdog, and says that it stops.
func TestSystemd(t *testing.T) {
	dir := t.TempDir()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	t.Setenv("NOTIFY_SOCKET", socket.LocalAddr().String())
	t.Setenv("WATCHDOG_USEC", "300000")

	said := make(chan string, 1000)
	go func() {
		defer close(said)
		b := make([]byte, 4096)
		for {
			n, err := socket.Read(b)
			if err != nil {
				return
			}
			said <- string(b[:n])
		}
	}()
	heard := func(word string) string {
		t.Helper()
		limit := time.After(patience)
		for {
			select {
			case s := <-said:
				if strings.Contains(s, word) {
					return s
				}
			case <-limit:
				t.Fatalf("no %s", word)
			}
		}
	}

	g := newSite(t, []string{"virtual:one", "virtual:two"}, knownPassword).serve(t)
	heard("READY=1")
	g.request(t, "GET", "/health/live", "", 200)
	g.awaitReady(t)
	heard("WATCHDOG=1")
	if s := heard("WATCHDOG=1\nSTATUS=2 of 2 SIMs ready"); strings.Contains(s, "READY") {
		t.Errorf("ready twice: %q", s)
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	heard("STOPPING=1")
}
