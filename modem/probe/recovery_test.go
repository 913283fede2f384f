package probe_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"dongled/modem"
	"dongled/modem/probe"
)

// A file takes no ioctl of USB: the error shows where it went.
func TestReset(t *testing.T) {
	tr := newTree(t)
	tr.plug(e173)
	err := tr.bus().Reset(t.Context(), "1-1.4")
	if !errors.Is(err, unix.ENOTTY) || !strings.Contains(err.Error(), "/dev/bus/usb/001/007") {
		t.Errorf("error %v", err)
	}
	tr.remove("dev/bus/usb/001/007")
	if err := tr.bus().Reset(t.Context(), "1-1.4"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a node: %v", err)
	}
	for _, bad := range []string{"1-9", "", "..", "../../etc", "usb1", "1-1.4:1.0"} {
		if err := tr.bus().Reset(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "no such device") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRebind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		tr.write("sys/bus/usb/drivers/usb/unbind", "")
		tr.write("sys/bus/usb/drivers/usb/bind", "")
		if err := tr.bus().Rebind(t.Context(), "1-1.4"); err != nil {
			t.Fatal(err)
		}
		for _, verb := range []string{"unbind", "bind"} {
			b, err := os.ReadFile(tr.path("sys/bus/usb/drivers/usb/" + verb))
			if err != nil || string(b[:5]) != "1-1.4" {
				t.Errorf("%s was told %q, %v", verb, b, err)
			}
		}
	})
}

// An unbind without its bind would leave the dongle useless.
func TestRebindBindsAlways(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		tr.remove("sys/devices/pci0000:00/usb1/1-1.4/driver") // an earlier try got no further than unbind
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		time.AfterFunc(2500*time.Millisecond, func() { tr.write("sys/bus/usb/drivers/usb/bind", "") })
		if err := tr.bus().Rebind(ctx, "1-1.4"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if b, err := os.ReadFile(tr.path("sys/bus/usb/drivers/usb/bind")); err != nil || string(b[:5]) != "1-1.4" {
			t.Errorf("bind was told %q, %v", b, err)
		}
	})
}

func TestRebindThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		if err := tr.bus().Rebind(t.Context(), "1-1.4"); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "drivers/usb/unbind") {
			t.Errorf("error %v", err)
		}
	})
}

// step is a step of Recovery by its name.
func step(t *testing.T, p *probe.Prober, name string, argv ...string) modem.RecoveryStep {
	t.Helper()
	for _, s := range p.Recovery(argv) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no %s", name)
	return modem.RecoveryStep{}
}

func TestRecoverySteps(t *testing.T) {
	p := &probe.Prober{}
	for _, c := range []struct {
		argv []string
		want string
	}{
		{nil, "usb-reset usb-rebind"},
		{[]string{"/bin/true"}, "usb-reset usb-rebind reset-command"},
	} {
		var names []string
		for _, s := range p.Recovery(c.argv) {
			names = append(names, s.Name)
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("steps %q, want %q", got, c.want)
		}
	}
}

// The device to reset is the one that was opened, whoever has its tty by now.
func TestRecoveryOfTheRightDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		ours := stick{device: "1-1", address: 5, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB0"}}
		other := stick{device: "1-2", address: 6, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB0"}}
		tr.plug(ours)
		p := prober(tr, map[string]*talker{"ttyUSB0": dongle(imeiA, imsiA)})
		reset := func() error {
			return step(t, p, "usb-reset").Do(t.Context(), tr.node("ttyUSB0"), modem.Status{})
		}
		if err := reset(); !strings.Contains(err.Error(), "usb/001/005") {
			t.Errorf("before it was opened: %v", err)
		}
		opens(t, p, "imei:"+imeiA, "ttyUSB0")
		tr.unplug(ours)
		tr.plug(other)
		if err := reset(); err == nil || !strings.Contains(err.Error(), "no such device") {
			t.Errorf("gone, another has its tty: %v", err)
		}
		ours.address, ours.pid, ours.ports = 9, "1c05", nil // it came back without ttys
		tr.plug(ours)
		if err := reset(); !strings.Contains(err.Error(), "usb/001/009") {
			t.Errorf("back: %v", err)
		}
		tr.unplug(ours)
		ours.vid = "0781"
		tr.plug(ours)
		if err := reset(); err == nil || !strings.Contains(err.Error(), "another device") {
			t.Errorf("another in its socket: %v", err)
		}
	})
}

func TestResetCommand(t *testing.T) {
	t.Setenv("DONGLED_MODEMS_0_PIN", "0042")
	t.Setenv("ORDINARY", "yes")
	tr := newTree(t)
	tr.plug(e173)
	p := prober(tr, map[string]*talker{})
	out := filepath.Join(t.TempDir(), "out; $(x)")
	node := tr.node("ttyUSB2")
	// No shell: the name of the file is one argument, whatever is in it.
	s := step(t, p, "reset-command", "/bin/sh", "-c", `env > "$0"`, out)
	if err := s.Do(t.Context(), node, modem.Status{IMEI: imeiA}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	env := strings.Split(string(b), "\n")
	for entry, want := range map[string]bool{
		"DONGLED_TTY=" + node: true, "DONGLED_IMEI=" + imeiA: true, "DONGLED_USB=1-1.4": true,
		"ORDINARY=yes": true, "DONGLED_MODEMS_0_PIN=0042": false,
	} {
		if got := slices.Contains(env, entry); got != want {
			t.Errorf("%s in the environment: %v", entry, got)
		}
	}
}

func TestResetCommandThatFails(t *testing.T) {
	p := &probe.Prober{Bus: newTree(t).bus()}
	do := func(ctx context.Context, argv ...string) error {
		return step(t, p, "reset-command", argv...).Do(ctx, "/dev/ttyUSB2", modem.Status{})
	}
	if err := do(t.Context(), "/bin/sh", "-c", "echo hub is\033[2J gone >&2; exit 3"); err == nil ||
		!strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "hub is[2J gone") {
		t.Errorf("error %v", err)
	}
	if err := do(t.Context(), "/no/such/program"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	// What it started ends with it, or Do would wait for the end of its output.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := do(ctx, "/bin/sh", "-c", "sleep 60 & sleep 60"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

// A dongle that fell off the bus leaves its tty to the next, which is not reset for its sake.
func TestRecoverySparesTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		ours := stick{device: "1-1", address: 5, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB0"}}
		next := stick{device: "1-2", address: 6, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB0"}}
		behind := map[string]*talker{"ttyUSB0": dongle(imeiA, imsiA)}
		p := prober(tr, behind)
		tr.plug(ours)
		opens(t, p, "imei:"+imeiA, "ttyUSB0")
		tr.unplug(ours)
		tr.plug(next)
		behind["ttyUSB0"] = dongle(imeiB, imsiB)
		opens(t, p, "imei:"+imeiB, "ttyUSB0")
		reset := func(imei string) error {
			return step(t, p, "usb-reset").Do(t.Context(), tr.node("ttyUSB0"), modem.Status{IMEI: imei})
		}
		if err := reset(imeiA); err == nil || !strings.Contains(err.Error(), "another one") {
			t.Errorf("for the one that is gone: %v", err)
		}
		if err := reset(imeiB); err == nil || !strings.Contains(err.Error(), "usb/001/006") {
			t.Errorf("for itself: %v", err)
		}
	})
}
