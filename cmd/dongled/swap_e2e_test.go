package main_test

import (
	"fmt"
	"testing"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
)

// TestSwap has two sticks, configured by IMSI and by IMEI, exchange the names of their ttys under a running
// gateway. What is sent and received goes on under the number of its SIM, and so does the count of the
// quota, over a restart too.
func TestSwap(t *testing.T) {
	const (
		simA, simB   = "262010000000021", "262010000000022"
		imeiA, imeiB = "490154203237518", "356938035643809"
	)
	t.Parallel()
	bus := newBus(t)
	one := stick(t, bus, "1-1", "huawei-e173.swap-one", simA, imeiA)
	two := stick(t, bus, "1-2", "huawei-e173.swap-two", simB, imeiB)
	s := newSite(t, []string{"imsi:" + simA, "imei:" + imeiB}, knownPassword, "quotas: {hour: {messages: 3}}")
	s.env = onBus(bus)
	g := s.serve(t)
	g.awaitSIMs(t, 1, 2)
	post := func(sim int, text string) message {
		return g.send(t, fmt.Sprintf(`{"textMessage":{"text":%q},"phoneNumbers":["+4915112345678"],"simNumber":%d}`, text, sim))
	}
	send := func(sim int, text string) { g.awaitState(t, post(sim, text).ID, "Delivered") }

	send(1, "a1")
	send(1, "a2")
	send(2, "b1")
	nodeA, nodeB := bus.Node("1-1", 2), bus.Node("1-2", 2)
	if err := bus.Swap("1-1", "1-2"); err != nil {
		t.Fatal(err)
	}
	if a, b := bus.Node("1-1", 2), bus.Node("1-2", 2); a != nodeB || b != nodeA {
		t.Fatalf("the AT ports are %s and %s, were %s and %s", a, b, nodeA, nodeB)
	}
	send(2, "b2") // accepted at once, sent when the SIM is back
	send(1, "a3")
	for text, d := range map[string]*virtual.Dongle{"for A": one, "for B": two} {
		if err := d.Deliver(pdu.Deliver{Originator: "+491701234567", Text: text, SCTS: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	g.awaitInbox(t, map[string]int{"for A": 1, "for B": 2})

	a4 := post(1, "a4") // the fourth of A's hour
	send(2, "b3")
	b4 := post(2, "b4")
	if status := g.terminate(t); status != 0 {
		t.Errorf("exit status %d", status)
	}
	g = s.serve(t)
	await(t, "both quotas to be used up", func() (bool, string) {
		_, answer := g.request(t, "GET", "/modems", "", 200)
		used := 0
		for _, m := range decode[[]struct{ Problem string }](t, answer) {
			if m.Problem == "quota" {
				used++
			}
		}
		return used == 2, string(answer)
	})
	for _, id := range []string{a4.ID, b4.ID} {
		if m := g.get(t, id); m.State != "Pending" {
			t.Errorf("a message above the quota is %s", m.State)
		}
	}
	if a, b := texts(one), texts(two); a != "a1 a2 a3" || b != "b1 b2 b3" {
		t.Errorf("by SIM 1 left %q, by SIM 2 %q", a, b)
	}
	g.awaitInbox(t, map[string]int{"for A": 1, "for B": 2})
}

// awaitInbox waits until these texts came in, each on its SIM, and nothing else.
func (g *gateway) awaitInbox(t *testing.T, want map[string]int) {
	t.Helper()
	await(t, fmt.Sprint("the inbox ", want), func() (bool, string) {
		_, answer := g.request(t, "GET", "/inbox?limit=50", "", 200)
		rows := decode[[]struct {
			ContentPreview string
			SIMNumber      int
		}](t, answer)
		ok := len(rows) == len(want)
		for _, row := range rows {
			ok = ok && want[row.ContentPreview] == row.SIMNumber
		}
		return ok, string(answer)
	})
}
