package main_test

import (
	"fmt"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"dongled/scheduler/outbox"
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

// TestStopListens: while a stop waits for an endpoint of webhooks, the dongle is still listened to; what
// it says then, such as a status report that it does not keep, would be lost.
func TestStopListens(t *testing.T) {
	t.Parallel()
	bus := newBus(t)
	dongle := stick(t, bus, "1-1", "huawei-e173.listens", "262010000000041")
	s := newSite(t, []string{"imsi:262010000000041"}, knownPassword)
	s.env = onBus(bus)
	r := newHookReceiver(t)
	g := s.serve(t)
	g.awaitSIMs(t, 1)
	g.request(t, "POST", "/webhooks", fmt.Sprintf(`{"url":%q,"event":"sms:received"}`, r.URL), http.StatusCreated)
	r.arm()
	deliver(t, dongle, "first")
	deliver(t, dongle, "second")
	<-r.held
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of the API", func() (bool, string) {
		_, _, err := g.try("GET", "/health", "")
		return err != nil, "it answers"
	})
	const more = 20
	for i := range more {
		deliver(t, dongle, fmt.Sprint("later ", i))
		await(t, "the message to be read", func() (bool, string) {
			n := len(dongle.Stored("SM")) + len(dongle.Stored("ME"))
			return n == 0 || !g.running(), fmt.Sprintf("%d messages are in the dongle", n)
		})
	}
	r.killed <- struct{}{}
	if status := g.status(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	told := slices.DeleteFunc(s.events(t), func(e outbox.Event) bool { return e.Name != outbox.SMSReceived })
	if len(told) != 2+more {
		t.Errorf("%d messages came in, want %d", len(told), 2+more)
	}
}
