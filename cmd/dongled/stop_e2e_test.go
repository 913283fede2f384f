package main_test

import (
	"fmt"
	"testing"

	"dongled/scheduler/queue"
)

// TestStop stops the gateway with SIGTERM in mid-queue, over and over. The parts in flight get their
// answer first, so nothing is ever unknown, and the next start goes on where it stopped.
func TestStop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one := onPTY(t, dir, "one", "--submit-delay=20ms", "--report-delay=1ms")
	two := onPTY(t, dir, "two", "--submit-delay=20ms", "--report-delay=1ms")
	s := newSite(t, []string{one.port(), two.port()}, knownPassword)
	g := s.serve(t)
	all := drafts(40)
	sendAll(t, g, all)

	const stops = 4
	for stop := range stops {
		before := len(one.taken(t)) + len(two.taken(t))
		await(t, "parts to leave", func() (bool, string) {
			n := len(one.taken(t)) + len(two.taken(t))
			return n >= before+5, fmt.Sprintf("%d left", n-before)
		})
		if status := g.terminate(t); status != 0 {
			t.Fatalf("stop %d: exit status %d", stop, status)
		}
		checkStopped(t, s, onAir(t, one, two))
		g = s.serve(t)
	}
	g.awaitCount(t, "Pending", 0)
	g.awaitCount(t, "Processed", 0)
	for _, d := range all {
		if state := g.get(t, d.id).State; state != "Sent" && state != "Delivered" {
			t.Errorf("%s is %s", d.id, state)
		}
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	sent := onAir(t, one, two)
	for _, d := range all {
		if parts := sent.parts(d.to); len(parts) != d.parts || text(t, parts) != d.text {
			t.Errorf("%s: %d parts left, with %q", d.id, len(parts), text(t, parts))
		}
	}
}

// checkStopped: every part that left is known to have left, and work remains, so that the stop was
// one in mid-queue.
func checkStopped(t *testing.T, s site, sent air) {
	t.Helper()
	left := s.ledger(t)
	if unknown := left.check(t, sent); len(unknown) > 0 {
		t.Errorf("after SIGTERM these parts are unknown: %v", unknown)
	}
	queued := 0
	for _, m := range left {
		for _, p := range m.Recipients[0].Parts {
			if p.State == queue.PartQueued {
				queued++
			}
		}
	}
	if queued == 0 {
		t.Error("the queue was empty: the test shows nothing")
	}
}
