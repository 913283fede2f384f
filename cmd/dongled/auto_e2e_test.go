package main_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"dongled/modem/virtual"
)

// stick is a dongle of a family with a SIM, in a socket of the bus.
func stick(t *testing.T, bus *virtual.Bus, socket, name, imsi string, imei ...string) *virtual.Dongle {
	t.Helper()
	opts, ok := virtual.Builtin(name)
	if !ok {
		t.Fatalf("no virtual dongle is called %s", name)
	}
	opts.IMSI = imsi
	for _, own := range imei {
		opts.IMEI = own
	}
	d := virtual.New(opts)
	t.Cleanup(func() { _ = d.Close() })
	if err := bus.Plug(d.Stick(socket)); err != nil {
		t.Fatal(err)
	}
	return d
}

// newBus is a bus that a dongled started later sees instead of the machine's.
func newBus(t *testing.T) *virtual.Bus {
	t.Helper()
	root, err := os.MkdirTemp("", "bus")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(root) })
	bus, err := virtual.NewBus(root)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
	return bus
}

// onBus is the environment in which dongled finds what is on the bus.
func onBus(bus *virtual.Bus) []string { return []string{"TEST_BUS=" + bus.Root} }

// texts are those that left by a dongle, in order.
func texts(d *virtual.Dongle) string {
	var out []string
	for _, s := range d.Submissions() {
		out = append(out, s.Submit.Text)
	}
	return strings.Join(out, " ")
}

// awaitSIMs waits until these and no others are ready.
func (g *gateway) awaitSIMs(t *testing.T, sims ...int) {
	t.Helper()
	await(t, fmt.Sprint("SIMs ", sims), func() (bool, string) {
		_, answer, err := g.try("GET", "/health", "")
		if err != nil {
			t.Fatal(err)
		}
		checks := decode[struct {
			Checks map[string]struct{ Status string }
		}](t, answer).Checks
		for _, sim := range sims {
			if checks[fmt.Sprintf("modem:%d:status", sim)].Status != "pass" {
				return false, string(answer)
			}
		}
		return true, ""
	})
}

// TestAuto: without a word about modems in the configuration, sticks of several ttys are found, and
// a message that names a SIM leaves by that SIM: after the sticks exchanged their ttys, and when the
// SIM went into another stick.
func TestAuto(t *testing.T) {
	t.Parallel()
	bus := newBus(t)
	const simA, simB = "262010000000007", "262010000000008"
	one := stick(t, bus, "1-1", "huawei-e173.one", simA)
	s := newSite(t, nil, knownPassword)
	s.env = onBus(bus)
	g := s.serve(t)
	g.awaitSIMs(t, 1)
	two := stick(t, bus, "1-2", "zte-mf190.two", simB)
	g.awaitSIMs(t, 1, 2)

	send := func(sim int, text string) {
		m := g.send(t, fmt.Sprintf(`{"textMessage":{"text":%q},"phoneNumbers":["+4915112345678"],"simNumber":%d}`, text, sim))
		g.awaitState(t, m.ID, "Delivered")
	}
	send(1, "a1")
	send(2, "b1")

	if err := bus.Swap("1-1", "1-2"); err != nil {
		t.Fatal(err)
	}
	// Accepted at once, sent when the SIM is back.
	send(2, "b2")
	send(1, "a2")
	if a, b := texts(one), texts(two); a != "a1 a2" || b != "b1 b2" {
		t.Errorf("by SIM 1 left %q, by SIM 2 %q", a, b)
	}

	if err := bus.Unplug("1-1"); err != nil {
		t.Fatal(err)
	}
	three := stick(t, bus, "1-3", "novatel.three", simA)
	send(1, "a3")
	send(2, "b3")
	if a, b := texts(three), texts(two); a != "a3" || b != "b1 b2 b3" {
		t.Errorf("by SIM 1 in its new stick left %q, by SIM 2 %q", a, b)
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
}
