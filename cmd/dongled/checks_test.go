package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/modem"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// healthy is a modem that lacks nothing.
func healthy() modem.Status {
	return modem.Status{
		SIM: 2, Port: "imei:490154203237518", Tty: "/dev/ttyUSB2", State: modem.StateReady,
		Manufacturer: "huawei", Model: "E173", Revision: "11.126", IMEI: "490154203237518",
		IMSI: "262011234567890", ICCID: "8949", Operator: "Telekom.de", Registration: 1, SignalDBM: -73,
		SMSC: "+491710760000", Reports: true, LastSeen: noon,
		Storage: [3]modem.Memory{{Name: "SM", Used: 1, Total: 20}, {Name: "ME", Total: 23}},
	}
}

// line is a check on one line.
func line(c check) string { return fmt.Sprintf("%s %s: %s", c.Status, c.Name, c.Detail) }

func lines(checks []check) []string {
	out := make([]string, len(checks))
	for i, c := range checks {
		out[i] = line(c)
	}
	return out
}

func TestHealthyModem(t *testing.T) {
	checks := checkModem(healthy(), noon, "")
	want := []string{
		"ok bus: the dongle stays on the bus",
		"ok port: imei:490154203237518 is /dev/ttyUSB2",
		"ok permission: the port may be opened",
		"ok holder: no other program has the port",
		"ok at: huawei E173, revision 11.126, IMEI 490154203237518",
		"ok sim: IMSI 262011234567890, ICCID 8949",
		"ok signal: -73 dBm",
		"ok registration: network Telekom.de, registration 1",
		"ok smsc: +491710760000",
		"ok storage: SM 1 of 20, ME 0 of 23 used",
		"ok reports: status reports are passed on (+CNMI takes a <ds>)",
		"ok resets: 0 today",
		"ok sending: nothing holds messages back",
	}
	if got := lines(checks); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range checks {
		if c.SIM != 2 || c.Port != "imei:490154203237518" || c.Hint != "" {
			t.Errorf("%+v", c)
		}
	}
}

// TestSickModem: each illness fails or warns where it belongs, says what to do, and where it fails
// nothing that follows from it is said.
func TestSickModem(t *testing.T) {
	problem := func(p string) func(*modem.Status) {
		return func(st *modem.Status) { st.State, st.Problem, st.Hint = modem.StateLost, p, "a hint" }
	}
	for _, tt := range []struct {
		is   string
		make func(*modem.Status)
		want string // the line of the check; a fail is the last line
	}{
		{"missing", problem(modem.ProblemPortMissing), "fail port: port-missing"},
		{"denied", problem(modem.ProblemPortDenied), "fail permission: port-denied"},
		{"busy", problem(modem.ProblemPortBusy), "fail holder: port-busy"},
		{"mute", problem(modem.ProblemNoAnswer), "fail at: no-answer"},
		{"without SIM", problem(modem.ProblemNoSIM), "fail sim: no-sim"},
		{"locked", problem(modem.ProblemPINNeeded), "fail sim: pin-needed"},
		{"blocked", problem(modem.ProblemPUKNeeded), "fail sim: puk-needed"},
		{"without network", problem(modem.ProblemNotRegistered), "fail registration: not-registered"},
		{"denied by the network", problem(modem.ProblemDenied), "fail registration: registration-denied"},
		{"weak", func(st *modem.Status) { st.SignalDBM = -111 }, "warn signal: weak-signal"},
		{"without SMSC", func(st *modem.Status) { st.SMSC = "" }, "fail smsc: smsc-missing"},
		{"nearly full", func(st *modem.Status) { st.Storage[0].Used = 16 }, "warn storage: storage-nearly-full"},
		{"full", func(st *modem.Status) { st.Storage[0].Used = 20 }, "fail storage: storage-full"},
		{"weak and without network", func(st *modem.Status) {
			st.State, st.Problem, st.SignalDBM, st.Registration = modem.StateNotRegistered, modem.ProblemNotRegistered, -111, 2
		}, "fail signal: weak-signal"},
		{"held and mute", func(st *modem.Status) {
			st.State, st.Problem, st.Host.Holder = modem.StateLost, modem.ProblemNoAnswer, "ModemManager"
		}, "fail holder: port-held"},
		{"gone for want of power", func(st *modem.Status) {
			st.State, st.Problem, st.Host.UnderVoltage = modem.StateLost, modem.ProblemPortLost, true
		}, "fail power: under-voltage"},
		{"starting", func(st *modem.Status) {
			*st = modem.Status{SIM: 2, Port: st.Port, State: modem.StateIdentifying}
		}, "warn at: the dongle is being brought up"},
		{"just reset", func(st *modem.Status) {
			st.Resets, st.LastReset, st.LastResetAt = 1, "usb-reset", noon.Add(-time.Minute)
		}, "warn resets: recently-reset"},
		{"paused", func(st *modem.Status) {
			st.State, st.Problem, st.Hint = modem.StatePaused, "quota", "until tomorrow"
		}, "warn sending: quota"},
		{"without reports", func(st *modem.Status) { st.Reports = false }, "warn reports: no-reports"},
	} {
		t.Run(tt.is, func(t *testing.T) {
			st := healthy()
			tt.make(&st)
			checks := checkModem(st, noon, "")
			got := lines(checks)
			at := slices.Index(got, tt.want)
			if at < 0 {
				t.Fatalf("no line %q in\n%s", tt.want, strings.Join(got, "\n"))
			}
			if checks[at].Hint == "" {
				t.Error("nothing says what to do")
			}
			if strings.HasPrefix(tt.want, "fail") && at != len(got)-1 {
				t.Errorf("it is line %d of %d, and the others follow from it", at+1, len(got))
			}
			for i, c := range checks {
				if i != at && c.Status != levelOK {
					t.Errorf("besides: %s", line(c))
				}
			}
		})
	}
}

// TestForbiddenNode: what this process may not open fails, though a daemon had it open.
func TestForbiddenNode(t *testing.T) {
	checks := checkModem(healthy(), noon, "join the group")
	last := checks[len(checks)-1]
	if line(last) != "fail permission: port-denied" || last.Hint != "join the group" {
		t.Errorf("%+v", last)
	}
}

// TestUnderVoltageAlone: while the dongle works, the host's check is enough.
func TestUnderVoltageAlone(t *testing.T) {
	st := healthy()
	st.Host.UnderVoltage = true
	for _, c := range checkModem(st, noon, "") {
		if c.Status != levelOK {
			t.Error(line(c))
		}
	}
}

// checkTable runs checks that are about no modem: what is said must be among them, and be all that
// is not well.
func checkTable(t *testing.T, is string, checks []check, want string) {
	t.Helper()
	if !slices.Contains(lines(checks), want) {
		t.Errorf("%s: no line %q in\n%s", is, want, strings.Join(lines(checks), "\n"))
	}
	for _, c := range checks {
		if (c.Status == levelOK) != (c.Hint == "") || c.SIM != 0 {
			t.Errorf("%s: %+v", is, c)
		}
		if c.Status != levelOK && line(c) != want {
			t.Errorf("%s: besides: %s", is, line(c))
		}
	}
}

func TestMachine(t *testing.T) {
	well := machine{synchronised: true}
	for _, tt := range []struct {
		is   string
		m    machine
		at   time.Time
		want string
	}{
		{"well", well, noon, "ok clock: 2026-03-01T12:00:00Z, synchronised"},
		{"well", well, noon, "ok power: no under-voltage noticed"},
		{"well", well, noon, "ok modemmanager: ModemManager does not run"},
		{"adrift", machine{}, noon, "warn clock: 2026-03-01T12:00:00Z, not synchronised"},
		{"never set", machine{}, time.Unix(0, 0).UTC(), "fail clock: it is set to 1970-01-01"},
		{"in the far future", well, noon.AddDate(80, 0, 0), "fail clock: it is set to 2106-03-01"},
		{"hungry", machine{synchronised: true, underVoltage: true}, noon, "warn power: under-voltage since the machine was started"},
		{"shared", machine{synchronised: true, modemManager: true}, noon, "warn modemmanager: ModemManager runs"},
	} {
		checkTable(t, tt.is, checkMachine(tt.m, tt.at), tt.want)
	}
}

func TestService(t *testing.T) {
	well := service{store: "/s/d.db", storeSize: 5<<20 + 1, wordSize: 32, modems: 3}
	for _, tt := range []struct {
		is   string
		make func(*service)
		want string
	}{
		{"well", func(*service) {}, "ok store: /s/d.db, 6 MiB"},
		{"well", func(*service) {}, "ok dongles: 3 configured or found"},
		{"read-only", func(s *service) { s.storeProblem = "/s cannot be written" }, "fail store: /s cannot be written"},
		{"large", func(s *service) { s.storeSize = 1 << 30 }, "warn store: /s/d.db, 1024 MiB"},
		{"not quite large", func(s *service) { s.storeSize = 1<<30 - 1 }, "ok store: /s/d.db, 1024 MiB"},
		{"too large", func(s *service) { s.storeSize = 1900 << 20 }, "fail store: /s/d.db, 1900 MiB"},
		{"large on 64 bits", func(s *service) { s.storeSize, s.wordSize = 3<<30, 64 }, "ok store: /s/d.db, 3072 MiB"},
		{"bare", func(s *service) { s.modems = 0 }, "fail dongles: no dongle answers"},
	} {
		s := well
		tt.make(&s)
		checkTable(t, tt.is, checkService(s), tt.want)
	}
}

func TestWritable(t *testing.T) {
	if asNobody(t) {
		return
	}
	dir := t.TempDir()
	store := filepath.Join(dir, "state", "deep", "dongled.db")
	if err := writable(store); err != nil {
		t.Errorf("a directory that can be made: %v", err)
	}
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := writable(store); err == nil || !strings.HasPrefix(err.Error(), dir+" cannot be written") {
		t.Errorf("got %v", err)
	}
}

func TestAccess(t *testing.T) {
	if asNobody(t) {
		return
	}
	node := filepath.Join(t.TempDir(), "ttyUSB0")
	if got := accessProblem(node); got != "" {
		t.Errorf("a node that is not there: %s", got)
	}
	if err := os.WriteFile(node, nil, 0o660); err != nil {
		t.Fatal(err)
	}
	if got := accessProblem(node); got != "" {
		t.Errorf("a node of our own: %s", got)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(node, 0o060); err != nil {
		t.Fatal(err)
	}
	if got := accessProblem(node); !strings.Contains(got, "sudo usermod -aG ") || !strings.Contains(got, me.Username) {
		t.Errorf("a group's node: %s", got)
	}
	if err := os.Chmod(node, 0); err != nil {
		t.Fatal(err)
	}
	if got := accessProblem(node); !strings.Contains(got, "udev rule") {
		t.Errorf("nobody's node: %s", got)
	}
}
