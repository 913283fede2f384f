package scheduler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

func TestNamedSIM(t *testing.T) {
	for _, mode := range []scheduler.Selection{scheduler.OSDefault, scheduler.RoundRobin, scheduler.Random} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				r := start(t, scheduler.Options{Selection: mode}, one, two)
				for i := range 5 {
					sub := text(fmt.Sprint(i))
					sub.SIM = 2
					r.post(sub)
				}
				synctest.Wait()
				if len(one.sent()) != 0 || len(two.sent()) != 5 {
					t.Errorf("SIM 1 sent %q, SIM 2 sent %q", one.texts(), two.texts())
				}
			})
		})
	}
}

// A SIM that cannot send holds its messages and fails none, whatever keeps it.
func TestNamedSIMWaits(t *testing.T) {
	for _, state := range []modem.State{
		modem.StateLost, modem.StateNotRegistered, modem.StateNeedsPIN, modem.StateStopped, modem.StateOpening,
	} {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				two.status.State = state
				r := start(t, scheduler.Options{Selection: scheduler.RoundRobin}, one, two)
				sub := text("for two")
				sub.SIM = 2
				id := r.post(sub)
				time.Sleep(30 * 24 * time.Hour)
				r.expect(id, queue.Pending, "")

				two.set(modem.StateReady)
				synctest.Wait()
				r.expect(id, queue.Sent, "")
				if len(one.sent()) != 0 || len(two.sent()) != 1 {
					t.Errorf("SIM 1 sent %q, SIM 2 sent %q", one.texts(), two.texts())
				}
			})
		})
	}
}

func TestOSDefaultIsTheFirstReadySIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two, three := newSIM(t, 1), newSIM(t, 2), newSIM(t, 3)
		one.status.State = modem.StateLost
		r := start(t, scheduler.Options{}, three, one, two)
		r.post(text("a"))
		r.post(text("b"))
		synctest.Wait()
		one.set(modem.StateReady)
		r.post(text("c"))
		synctest.Wait()
		one.set(modem.StateNotRegistered)
		two.set(modem.StateLost)
		r.post(text("d"))
		synctest.Wait()
		if !slices.Equal(one.texts(), []string{"c"}) || !slices.Equal(three.texts(), []string{"d"}) || len(two.sent()) != 2 {
			t.Errorf("SIM 1 sent %q, SIM 2 %q, SIM 3 %q; want c; a and b; d", one.texts(), two.texts(), three.texts())
		}
	})
}

func TestNoSIMReady(t *testing.T) {
	for _, mode := range []scheduler.Selection{scheduler.OSDefault, scheduler.RoundRobin, scheduler.Random} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				one.status.State, two.status.State = modem.StateLost, modem.StateLost
				r := start(t, scheduler.Options{Selection: mode}, one, two)
				id := r.post(text("a"))
				time.Sleep(time.Hour)
				r.expect(id, queue.Pending, "")
				two.set(modem.StateReady)
				synctest.Wait()
				r.expect(id, queue.Sent, "")
				if got := r.get(id).Recipients[0].SIM; got != 2 {
					t.Errorf("sent by SIM %d", got)
				}
			})
		})
	}
}

func TestRoundRobinAlternates(t *testing.T) {
	for _, latency := range []time.Duration{0, 3 * time.Second} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				one.latency, two.latency = latency, latency/3 // the quicker one must not get more
				r := start(t, scheduler.Options{Selection: scheduler.RoundRobin, FIFO: true}, one, two)
				for _, s := range []string{"a", "b", "c", "d"} {
					r.post(text(s))
				}
				time.Sleep(time.Minute)
				if !slices.Equal(one.texts(), []string{"a", "c"}) || !slices.Equal(two.texts(), []string{"b", "d"}) {
					t.Errorf("SIM 1 sent %q, SIM 2 sent %q; want a c, b d", one.texts(), two.texts())
				}
			})
		})
	}
}

func TestRoundRobinSkipsSIMsThatAreNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sims := []*fakeSIM{newSIM(t, 1), newSIM(t, 2), newSIM(t, 3)}
		sims[1].status.State = modem.StateLost
		r := start(t, scheduler.Options{Selection: scheduler.RoundRobin}, sims...)
		for i := range 6 {
			r.post(text(fmt.Sprint(i)))
			synctest.Wait()
		}
		if a, b, c := len(sims[0].sent()), len(sims[1].sent()), len(sims[2].sent()); a != 3 || b != 0 || c != 3 {
			t.Errorf("SIMs sent %d, %d, %d; want 3, 0, 3", a, b, c)
		}
		sims[1].set(modem.StateReady)
		for i := range 3 {
			r.post(text(fmt.Sprint(i)))
			synctest.Wait()
		}
		if n := len(sims[1].sent()); n != 1 {
			t.Errorf("SIM 2 sent %d of 3 since it is back", n)
		}
	})
}

// One message keeps to one SIM: all its recipients and all their parts, in order.
func TestMessageKeepsToOneSIM(t *testing.T) {
	for _, mode := range []scheduler.Selection{scheduler.RoundRobin, scheduler.Random} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				one.latency, two.latency = time.Second, time.Second
				r := start(t, scheduler.Options{Selection: mode, FIFO: true}, one, two)
				var ids []string
				for _, letter := range []string{"a", "b", "c", "d"} {
					sub := text(strings.Repeat(letter, 300)) // two parts
					sub.Recipients = numbers(3)
					ids = append(ids, r.post(sub))
				}
				time.Sleep(time.Hour)
				for _, f := range r.sims {
					checkBlocks(t, f.sent())
				}
				if mode == scheduler.RoundRobin && (len(one.sent()) != 12 || len(two.sent()) != 12) {
					t.Errorf("the SIMs sent %d and %d parts, want 12 each", len(one.sent()), len(two.sent()))
				}
				for _, id := range ids {
					m := r.get(id)
					for _, rcpt := range m.Recipients {
						if rcpt.SIM != m.Recipients[0].SIM || rcpt.State != queue.Sent {
							t.Errorf("message %s: recipient %s %v by SIM %d, the first by %d",
								id, rcpt.Number, rcpt.State, rcpt.SIM, m.Recipients[0].SIM)
						}
					}
				}
			})
		})
	}
}

// checkBlocks expects blocks of three recipients of one text, each with parts 1 and 2.
func checkBlocks(t *testing.T, log []submission) {
	t.Helper()
	if len(log)%6 != 0 {
		t.Fatalf("%d parts, not a multiple of 6", len(log))
	}
	for i, s := range log {
		first := log[i-i%6]
		if s.Text[0] != first.Text[0] || s.Destination != numbers(3)[i%6/2] || int(s.Concat.Number) != i%2+1 {
			t.Errorf("SIM %d, submission %d: part %d of %c to %s", s.SIM, i, s.Concat.Number, s.Text[0], s.Destination)
		}
	}
}

func TestRandomUsesReadySIMsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sims := []*fakeSIM{newSIM(t, 1), newSIM(t, 2), newSIM(t, 3)}
		sims[0].status.State = modem.StateNotRegistered
		r := start(t, scheduler.Options{Selection: scheduler.Random}, sims...)
		for i := range 60 {
			r.post(text(fmt.Sprint(i)))
			synctest.Wait()
		}
		a, b, c := len(sims[0].sent()), len(sims[1].sent()), len(sims[2].sent())
		// That a fair coin shows one side 60 times happens once in 2^59.
		if a != 0 || b == 0 || c == 0 || b+c != 60 {
			t.Errorf("SIMs sent %d, %d, %d of 60; the first is not registered", a, b, c)
		}
	})
}

// What a SIM could not finish, another does: recipients that were not begun go over, a part that
// may have left does not.
func TestTurnPassesWhenTheSIMGoes(t *testing.T) {
	for _, mode := range []scheduler.Selection{scheduler.OSDefault, scheduler.RoundRobin} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				one.latency = time.Second
				r := start(t, scheduler.Options{Selection: mode}, one, two)
				sub := text("a")
				sub.Recipients = numbers(4)
				id := r.post(sub)
				time.Sleep(1500 * time.Millisecond) // the second recipient is under way
				one.set(modem.StateLost)
				time.Sleep(time.Minute)
				r.expect(id, queue.Sent, "")
				if len(one.sent()) != 2 || len(two.sent()) != 2 {
					t.Errorf("SIM 1 sent to %d, SIM 2 to %d, want 2 and 2", len(one.sent()), len(two.sent()))
				}
			})
		})
	}
}

// A recipient of whom a part went out stays with its SIM, so that the phone gets all from one sender.
func TestBegunRecipientWaitsForItsSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		one.latency = time.Second
		r := start(t, scheduler.Options{}, one, two)
		id := r.post(text(strings.Repeat("a", 300)))
		time.Sleep(500 * time.Millisecond)
		one.set(modem.StateLost)
		time.Sleep(48 * time.Hour)
		r.expect(id, queue.Processed, "")
		one.set(modem.StateReady)
		time.Sleep(time.Minute)
		r.expect(id, queue.Sent, "")
		if len(one.sent()) != 2 || len(two.sent()) != 0 {
			t.Errorf("SIM 1 sent %d parts, SIM 2 %d; want 2 and 0", len(one.sent()), len(two.sent()))
		}
	})
}
