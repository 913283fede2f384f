package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"dongled/modem/probe"
	"dongled/modem/virtual"
)

// busEnv names the directory of the virtual bus that a dongled of the tests sees instead of the
// machine's; without one it sees an empty machine.
const busEnv = "TEST_BUS"

func testBusOf(root string) probe.Bus {
	return probe.Bus{
		Sys: filepath.Join(root, "sys"), Dev: filepath.Join(root, "dev"),
		Proc: filepath.Join(root, "proc"), Run: filepath.Join(root, "run"),
	}
}

// busCommands are what scripts have to say to their bus:
//
//	plug SOCKET NAME [no-sim] [pin=PIN]   a virtual dongle; NAME is one of virtual:NAME
//	unplug SOCKET
//	swap SOCKET SOCKET                    two sticks exchange the names of their ttys
//	await PATTERN COMMAND…                runs dongled until its output matches
func busCommands(of *sync.Map) map[string]func(*testscript.TestScript, bool, []string) {
	bus := func(ts *testscript.TestScript) *virtual.Bus {
		b, _ := of.Load(ts.Getenv("WORK"))
		return b.(*virtual.Bus)
	}
	return map[string]func(*testscript.TestScript, bool, []string){
		"plug": func(ts *testscript.TestScript, _ bool, args []string) {
			opts, ok := virtual.Builtin(args[1])
			if !ok {
				ts.Fatalf("no virtual dongle is called %s", args[1])
			}
			for _, arg := range args[2:] {
				if pin, ok := strings.CutPrefix(arg, "pin="); ok {
					opts.PIN = pin
				}
			}
			d := virtual.New(opts)
			ts.Defer(func() { _ = d.Close() })
			d.SetSIM(!slices.Contains(args, "no-sim"))
			ts.Check(bus(ts).Plug(d.Stick(args[0])))
		},
		"unplug": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(bus(ts).Unplug(args[0])) },
		"swap":   func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(bus(ts).Swap(args[0], args[1])) },
		"await": func(ts *testscript.TestScript, _ bool, args []string) {
			pattern := regexp.MustCompile("(?m)" + args[0])
			for range 300 {
				_ = ts.Exec("dongled", args[1:]...) // its output says what its status does
				if pattern.MatchString(ts.ReadFile("stdout") + ts.ReadFile("stderr")) {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			ts.Fatalf("never matched %s", args[0])
		},
	}
}

// TestBusScripts runs testdata/bus, each script on a bus of its own.
func TestBusScripts(t *testing.T) {
	var buses sync.Map // *virtual.Bus by the script's directory; scripts run side by side
	testscript.Run(t, testscript.Params{Dir: "testdata/bus", Cmds: busCommands(&buses), Setup: func(env *testscript.Env) error {
		root, err := os.MkdirTemp("", "bus") // short, for the control socket below it
		if err != nil {
			return err
		}
		bus, err := virtual.NewBus(root)
		if err != nil {
			return err
		}
		env.Defer(func() {
			if err := bus.Close(); err != nil {
				t.Error(err)
			}
			_ = os.RemoveAll(root)
		})
		buses.Store(env.WorkDir, bus)
		env.Setenv(busEnv, root)
		env.Setenv("DONGLED_STORE__PATH", filepath.Join(root, "state", "dongled.db"))
		env.Setenv("DONGLED_HTTP__LISTEN", "127.0.0.1:0")
		return quickExit(env)
	}})
}
