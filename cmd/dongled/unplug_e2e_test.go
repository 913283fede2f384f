package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// occupy keeps the number of the dongle's present pseudo-terminal in use, so that the dongle has to
// come back under another path, and returns that path.
func (d *dongle) occupy(t *testing.T) string {
	t.Helper()
	path, err := os.Readlink(d.port())
	if err != nil {
		t.Fatal(err)
	}
	held, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	return path
}

// faults writes a fault script for vmodem.
func faults(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "faults.yaml")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sendAll sends messages to the two SIMs in turn.
func sendAll(t *testing.T, g *gateway, all []draft) {
	t.Helper()
	for i, d := range all {
		g.send(t, d.body(1+i%2))
	}
}

// TestUnplug pulls both dongles out in mid-queue. They come back under other paths, behind the same
// link. SIM 1's dongle does so by itself, three times: with a part taken whose answer is never heard,
// with one asked for, with a question open. SIM 2's loses power (its process is killed) and forgets all
// but what is on the SIM. Nothing fails, nothing is sent twice, everything is sent.
func TestUnplug(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := onPTY(t, dir, "one", "--submit-delay=3ms", "--report-delay=10ms", "--faults", faults(t, `
- {do: unplug, on: submit, nth: 5, return: 150ms}
- {do: unplug, on: prompt, nth: 12, return: 150ms}
- {do: unplug, on: CMGS, nth: 20, return: 150ms}
`))
	two := onPTY(t, dir, "two", "--submit-delay=3ms", "--report-delay=10ms")
	was := map[*dongle]string{one: one.occupy(t), two: two.occupy(t)}
	s := newSite(t, []string{one.port(), two.port()}, knownPassword)
	g := s.serve(t)
	all := drafts(40)
	sendAll(t, g, all)

	await(t, "SIM 2 to be in mid-queue", func() (bool, string) {
		n := len(two.taken(t))
		return n >= 10, fmt.Sprintf("%d parts left", n)
	})
	two.kill()
	await(t, "SIM 2 to be missed", func() (bool, string) {
		_, health, err := g.try("GET", "/health", "")
		if err != nil {
			t.Fatal(err)
		}
		check := decode[struct {
			Checks map[string]struct{ Status string }
		}](t, health).Checks["modem:2:status"]
		return check.Status != "pass", string(health)
	})
	two.restart(t)
	g.awaitCount(t, "Pending", 0)
	g.awaitReady(t)
	// When the message that goes last has left SIM 2, all others have.
	last := g.send(t, `{"textMessage":{"text":"last"},"phoneNumbers":["+4915112399999"],"simNumber":2,"priority":-128,"withDeliveryReport":false}`)
	g.awaitState(t, last.ID, "Sent")

	for d, path := range was {
		if now, err := os.Readlink(d.port()); err != nil || now == path {
			t.Errorf("SIM %s is at %s, as before (%v)", d.name, now, err)
		}
	}
	checkUnplugged(t, g, s, all, one, two)
}

// checkUnplugged: of a part that SIM 1's dongle took with it, the report tells that it left, so none of
// its messages stays Processed. SIM 2's reports were lost with the process, and a part may have been in
// flight. A report that a dongle was just handing over is lost either way, and Sent is then true.
func checkUnplugged(t *testing.T, g *gateway, s site, all []draft, one, two *dongle) {
	t.Helper()
	for i, d := range all {
		onTwo := i%2 == 1
		await(t, d.id+" to be settled", func() (bool, string) {
			state := g.get(t, d.id).State
			return state == "Delivered" || state == "Sent" || onTwo && state == "Processed", "it is " + state
		})
	}
	if n := g.count(t, "Failed"); n != 0 {
		t.Errorf("%d messages failed", n)
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	sent := onAir(t, one, two)
	unknown := s.ledger(t).check(t, sent)
	if len(unknown) > 1 {
		t.Errorf("SIM 2 lost its power once, and %d parts are unknown: %v", len(unknown), unknown)
	}
	for _, d := range all {
		lost := false
		for _, u := range unknown {
			lost = lost || u.recipient == d.to
		}
		if lost {
			continue
		}
		if parts := sent.parts(d.to); len(parts) != d.parts || text(t, parts) != d.text {
			t.Errorf("%s: %d parts left, with %q", d.id, len(parts), text(t, parts))
		}
	}
}
