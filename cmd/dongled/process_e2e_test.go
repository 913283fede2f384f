package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The end-to-end tests run dongled, the virtual dongle and socat as processes of their own, and know
// of them only what a user knows: the configuration, the API, the log, and what left by radio.

// patience is how long a test waits for what should take milliseconds, on a machine that is busy.
const patience = 60 * time.Second

// await polls until done reports true; what it returns besides tells where it got stuck.
func await(t *testing.T, what string, done func() (ok bool, state string)) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		ok, state := done()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s; %s", patience, what, state)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// transcript collects what a process writes.
type transcript struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// process is a child of this test. It does not outlive it.
type process struct {
	cmd            *exec.Cmd
	stdout, stderr transcript
	ended          chan struct{}
}

// start runs a program that is on the PATH; dongled is this test binary, under that name.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	return startIn(t, nil, name, args...)
}

// startIn is start with more in the environment.
func startIn(t *testing.T, env []string, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.Env = slices.Concat(cleanEnviron(), env, []string{"TMPDIR=" + t.TempDir()})
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // the exit status is read from ProcessState
	}()
	t.Cleanup(func() {
		p.kill()
		if strings.Contains(p.stderr.String(), "DATA RACE") {
			t.Errorf("%s has a data race:\n%s", name, p.stderr.String())
		}
		if t.Failed() {
			t.Logf("%s said:\n%s%s", name, tail(p.stdout.String()), tail(p.stderr.String()))
		}
	})
	return p
}

// cleanEnviron is the environment without what would configure dongled.
func cleanEnviron() []string {
	// A binary with the race detector would sleep for a second before each orderly end.
	env := []string{"GORACE=atexit_sleep_ms=10"}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "DONGLED_") && !strings.HasPrefix(v, "GORACE=") {
			env = append(env, v)
		}
	}
	return env
}

// tail keeps a failure readable.
func tail(s string) string {
	const most = 4000
	if len(s) > most {
		return "..." + s[len(s)-most:]
	}
	return s
}

// kill is SIGKILL: the process has no say in it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.ended
}

// terminate is SIGTERM; it returns the exit status.
func (p *process) terminate(t *testing.T) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}
	return p.status(t)
}

// status waits for the end and returns the exit status, -1 after a signal.
func (p *process) status(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("%v does not end", p.cmd.Args)
		return -1
	}
}

// running is false when the process ended by itself.
func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

var buildVmodem = sync.OnceValue(func() error {
	dongled, err := exec.LookPath("dongled")
	if err != nil {
		return err
	}
	// Beside dongled, in the directory that the package testscript put on the PATH and removes.
	build := exec.Command("go", "build", "-o", filepath.Join(filepath.Dir(dongled), "vmodem"), "dongled/hack/vmodem")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", build.Args, err, out)
	}
	return nil
})

// needVmodem puts the virtual dongle on the PATH.
func needVmodem(t *testing.T) {
	t.Helper()
	if err := buildVmodem(); err != nil {
		t.Fatal(err)
	}
}

// needSocat fails rather than skips: without socat the proof would be missing.
func needSocat(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("socat"); errors.Is(err, exec.ErrNotFound) {
		t.Fatal("socat is not installed: make test installs it")
	}
}
