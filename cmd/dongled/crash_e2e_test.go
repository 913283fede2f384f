package main_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	crashRounds   = 30
	crashMessages = 200
)

// draft is a message that a test sends: to a number of its own, so that what left by radio tells it.
type draft struct {
	id, to, text string
	parts        int
}

// drafts are n messages: most of one part, some of three in GSM-7, some of five in UCS-2.
func drafts(n int) []draft {
	all := make([]draft, n)
	for i := range all {
		d := draft{id: fmt.Sprintf("draft-%03d", i), to: fmt.Sprintf("+4915112345%03d", i), text: fmt.Sprintf("Message %03d.", i), parts: 1}
		switch {
		case i%4 == 0: // 12 + 8*50 = 412 septets, of which a part holds 153
			d.text, d.parts = d.text+strings.Repeat(" septets", 50), 3
		case i%10 == 5: // 12 + 8*35 = 292 code units, of which a part holds 67
			d.text, d.parts = d.text+strings.Repeat(" юникоды", 35), 5
		}
		all[i] = d
	}
	return all
}

// body is the request; the two SIMs take turns.
func (d draft) body(sim int) string {
	return fmt.Sprintf(`{"id":%q,"textMessage":{"text":%q},"phoneNumbers":[%q],"simNumber":%d}`, d.id, d.text, d.to, sim)
}

// crash is a gateway that is killed over and over while clients send and two dongles work.
type crash struct {
	site
	dongles []*dongle
	drafts  []draft
	random  *rand.Rand

	// accepted counts the drafts, from the first, that were answered 202, or 409 where the 202 was
	// lost. post alone changes it.
	accepted int

	unknown map[airKey]bool // after the kill before
	found   int             // parts of unknown outcome, over all kills
}

// TestCrash kills the gateway with SIGKILL at random points, 30 times: while it starts, while it
// accepts, while parts are in flight. Nothing accepted is lost, no part is sent twice, each kill
// leaves at most one part per SIM unknown, and what the states say is what left by radio.
func TestCrash(t *testing.T) {
	t.Parallel()
	c := &crash{drafts: drafts(crashMessages), unknown: map[airKey]bool{}}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c.random = rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	// Reports of SIM 1 come while later parts are under way, those of SIM 2 at once, or even before
	// the answer to their part: then they may be all that is known of it.
	slow := []string{"--prompt-delay=1ms", "--submit-delay=4ms"}
	c.dongles = []*dongle{
		onPTY(t, dir, "one", append(slow, "--report-delay=20ms")...),
		onPTY(t, dir, "two", append(slow, "--faults", faults(t, "[{do: report-before, every: 2}]"))...),
	}
	c.site = newSite(t, []string{c.dongles[0].port(), c.dongles[1].port()}, knownPassword)

	for round := range crashRounds {
		c.round(t, round)
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d kills left %d parts unknown", crashRounds, c.found)
	if c.found == 0 {
		t.Error("no kill hit a part in flight: the test shows nothing")
	}
	c.finish(t)
}

// round runs the gateway until it is killed, and holds what it left against the truth.
func (c *crash) round(t *testing.T, round int) {
	g := c.serve(t)
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		// All drafts are in after two thirds of the rounds.
		c.post(t, g, min(crashMessages, (round+1)*crashMessages*3/2/crashRounds))
	}()
	c.awaitMoment(t, g, posted)
	g.kill()
	<-posted

	left := c.ledger(t)
	c.checkAccepted(t, left)
	perSIM := map[string]int{}
	still := map[airKey]bool{}
	for _, u := range left.check(t, onAir(t, c.dongles...)) {
		still[u.airKey] = true
		if !c.unknown[u.airKey] {
			c.found++
			if perSIM[u.imsi]++; perSIM[u.imsi] > 1 {
				t.Errorf("one kill left a second part unknown on SIM %s: %v", u.imsi, u.airKey)
			}
		}
	}
	c.unknown = still
}

// awaitMoment waits for the moment of the kill: some parts later, and then some fraction of what a
// part takes; or, one time in eight, some time after the start.
func (c *crash) awaitMoment(t *testing.T, g *gateway, posted <-chan struct{}) {
	parts, jitter := c.random.IntN(8), time.Duration(c.random.Int64N(int64(8*time.Millisecond)))
	if parts == 0 {
		time.Sleep(jitter * 10)
		return
	}
	before := c.sent(t)
	await(t, "parts to leave", func() (bool, string) {
		now := c.sent(t) - before
		select {
		case <-posted:
			return now >= parts || g.count(t, "Pending") == 0, fmt.Sprintf("%d of %d left", now, parts)
		default:
			return now >= parts, fmt.Sprintf("%d of %d left, and messages are still posted", now, parts)
		}
	})
	time.Sleep(jitter)
}

// sent is how many parts left by radio so far.
func (c *crash) sent(t *testing.T) (n int) {
	for _, d := range c.dongles {
		n += len(d.taken(t))
	}
	return n
}

// post sends drafts up to number n, until the gateway dies. A draft that got no answer is sent again
// in the next round; 409 then says that it was accepted.
func (c *crash) post(t *testing.T, g *gateway, n int) {
	for c.accepted < n {
		resp, answer, err := g.try("POST", "/messages", c.drafts[c.accepted].body(1+c.accepted%2))
		if err != nil {
			return
		}
		if resp.StatusCode != http.StatusAccepted && resp.StatusCode != http.StatusConflict {
			t.Errorf("POST: %s: %s", resp.Status, answer)
			return
		}
		c.accepted++
	}
}

// checkAccepted: what was answered 202 is in the store, as it was sent.
func (c *crash) checkAccepted(t *testing.T, left ledger) {
	stored := map[string]bool{}
	for _, m := range left {
		stored[m.ID] = true
	}
	for _, d := range c.drafts[:c.accepted] {
		if !stored[d.id] {
			t.Errorf("%s was accepted and is lost", d.id)
		}
	}
}

// finish lets the gateway work off the rest, and compares all that the API says with what left.
func (c *crash) finish(t *testing.T) {
	g := c.serve(t)
	c.post(t, g, crashMessages)
	g.awaitReady(t)
	g.awaitCount(t, "Pending", 0)
	// A message with an unknown part stays Processed; the others leave that state.
	await(t, "parts in flight", func() (bool, string) {
		inFlight := 0
		for _, d := range c.drafts {
			if g.get(t, d.id).State == "Processed" && !c.mayBeUnknown(d) {
				inFlight++
			}
		}
		return inFlight == 0, fmt.Sprintf("%d messages are Processed", inFlight)
	})
	said := map[string]string{}
	for _, d := range c.drafts {
		said[d.id] = g.get(t, d.id).State
	}
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	c.compare(t, said, c.ledger(t))
}

func (c *crash) mayBeUnknown(d draft) bool {
	for part := range d.parts {
		if c.unknown[airKey{d.to, part + 1}] {
			return true
		}
	}
	return false
}

// compare holds the states that the API said against what left by radio.
func (c *crash) compare(t *testing.T, said map[string]string, left ledger) {
	sent := onAir(t, c.dongles...)
	for _, u := range left.check(t, sent) {
		if !c.unknown[u.airKey] {
			t.Errorf("%v is unknown, and nothing was killed", u)
		}
	}
	if len(left) != crashMessages {
		t.Errorf("%d messages are stored, want %d", len(left), crashMessages)
	}
	tally := map[string]int{}
	for _, d := range c.drafts {
		tally[said[d.id]]++
		parts := sent.parts(d.to)
		switch state := said[d.id]; {
		case state == "Delivered", state == "Sent":
			if got := text(t, parts); got != d.text || len(parts) != d.parts {
				t.Errorf("%s is %s; %d parts left, with %q", d.id, state, len(parts), got)
			}
		case state != "Processed" || !c.mayBeUnknown(d):
			t.Errorf("%s ended as %s", d.id, state)
		}
	}
	t.Logf("states: %v", tally)
}
