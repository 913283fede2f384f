package main

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"dongled/modem/probe"
	"dongled/scheduler/store"
)

// quickExit is the set-up of scripts. A binary with the race detector sleeps for a second before each
// orderly end, and scripts run hundreds.
func quickExit(env *testscript.Env) error {
	env.Setenv("GORACE", "atexit_sleep_ms=10")
	return nil
}

// TestMain lets the scripts run dongled as a command of its own process.
func TestMain(m *testing.M) {
	if os.Getenv(asNobodyEnv) != "" {
		os.Exit(m.Run())
	}
	testscript.Main(m, map[string]func(){"dongled": func() { os.Exit(process(testBusOf(os.Getenv(busEnv)))) }})
}

// TestScripts runs testdata/script, which reads like the manual.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", Setup: quickExit,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"store": makeStore},
	})
}

// makeStore leaves state/dongled.db as a daemon that was stopped does.
func makeStore(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(os.MkdirAll(ts.MkAbs("state"), 0o750))
	st, err := store.Open(ts.MkAbs("state/dongled.db"), store.Options{})
	ts.Check(err)
	ts.Check(st.Close())
}

// brokenPipe is a standard output that went away.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestWriteErrorsFail(t *testing.T) {
	for _, args := range [][]string{
		{"version"},
		{"config", "print"},
		{"config", "print", "--sample"},
		{"config", "check", "../../configs/dongled.yaml"},
	} {
		var stderr bytes.Buffer
		if got := run(t.Context(), probe.Bus{}, args, brokenPipe{}, &stderr); got != exitFailed {
			t.Errorf("%v: exit status %d, want %d", args, got, exitFailed)
		}
		if want := "dongled: broken pipe\n"; stderr.String() != want {
			t.Errorf("%v: stderr %q, want %q", args, stderr.String(), want)
		}
	}
}

func TestBuildVersion(t *testing.T) {
	t.Cleanup(func() { version = "" })
	version = "1.2.3"
	var stdout bytes.Buffer
	if got := run(t.Context(), probe.Bus{}, []string{"version"}, &stdout, &bytes.Buffer{}); got != exitOK {
		t.Fatalf("exit status %d", got)
	}
	if !bytes.HasPrefix(stdout.Bytes(), []byte("dongled 1.2.3 ")) {
		t.Errorf("printed %q", stdout.String())
	}
}
