package scheduler_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

func TestSIMFaultPausesTheSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(refused(30), refused(30), refused(30))
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text("a"))
		synctest.Wait()

		r.expect(id, queue.Pending, "")
		st := r.Modems()[0]
		if st.State != modem.StatePaused || st.Problem != "unknown-subscriber" {
			t.Errorf("status %s, problem %q", st.State, st.Problem)
		}
		const hint = "the last message was refused with +CMS ERROR: 30 (unknown subscriber); the SIM is tried again at 2000-01-01T0"
		if !strings.HasPrefix(st.Hint, hint) {
			t.Errorf("hint %q", st.Hint)
		}
		if p := r.get(id).Recipients[0].Parts[0]; p.Attempts != 0 || p.State != queue.PartQueued {
			t.Errorf("part is %v with %d attempts; the fault was the SIM's", p.State, p.Attempts)
		}

		time.Sleep(24 * time.Hour)
		want := []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute} // doubling from a minute
		if got := sim.times(); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
		r.expect(id, queue.Sent, "")
		if st := r.Modems()[0]; st.State != modem.StateReady || st.Problem != "" || st.Hint != "" {
			t.Errorf("after recovery: %s, %q, %q", st.State, st.Problem, st.Hint)
		}
	})
}

// A pause that was long is short again after the SIM worked once.
func TestSIMPauseStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(refused(8), refused(8), nil, refused(8))
		r := start(t, scheduler.Options{}, sim)
		r.post(text("a"))
		time.Sleep(time.Hour)
		r.post(text("b"))
		time.Sleep(time.Hour)
		want := []time.Duration{0, time.Minute, 3 * time.Minute, time.Hour, time.Hour + time.Minute}
		if got := sim.times(); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

func TestSIMPauseIsCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = func(submission) error { return refused(50) }
		r := start(t, scheduler.Options{FIFO: true}, sim)
		for range 3 {
			r.post(text("a"))
		}
		time.Sleep(4 * 24 * time.Hour)
		times := sim.times()
		if gap := times[len(times)-1] - times[len(times)-2]; gap < time.Hour || gap > 3*time.Hour {
			t.Errorf("after days of faults the SIM is tried every %v", gap)
		}
		for _, id := range []int{0, 1, 2} {
			msgs, _, err := r.List(t.Context(), queue.Filter{Limit: 3})
			if err != nil || msgs[id].State != queue.Pending {
				t.Errorf("message %d: %v, %v", id, msgs[id].State, err)
			}
		}
	})
}

func TestOthersTakeOverFromAPausedSIM(t *testing.T) {
	for _, mode := range []scheduler.Selection{scheduler.OSDefault, scheduler.RoundRobin} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				one.answer = func(submission) error { return refused(28) }
				r := start(t, scheduler.Options{Selection: mode, FIFO: true}, one, two)
				shared := r.post(text("shared"))
				own := text("for one")
				own.SIM = 1
				named := r.post(own)
				time.Sleep(10 * second)
				r.expect(shared, queue.Sent, "")
				r.expect(named, queue.Pending, "")
				if got := r.get(shared).Recipients[0].SIM; got != 2 {
					t.Errorf("shared message sent by SIM %d", got)
				}
				if one, two := r.Modems()[0], r.Modems()[1]; one.State != modem.StatePaused || two.State != modem.StateReady {
					t.Errorf("SIM 1 is %s, SIM 2 is %s", one.State, two.State)
				}
			})
		})
	}
}

// Operators bar single numbers too (premium rate, abroad): such a message must not keep the SIM
// from all others for ever.
func TestBarredNumberHoldsUpNobodyForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = forText("barred", refused(10))
		r := start(t, scheduler.Options{FIFO: true}, sim)
		barred := r.post(text("barred"))
		good := []string{r.post(text("a")), r.post(text("b"))}
		time.Sleep(time.Hour)
		r.expect(barred, queue.Pending, "")
		for _, id := range good {
			r.expect(id, queue.Sent, "")
		}
	})
}

func TestModemFaultIsNotTheMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(nil, noPrompt(), refused(300))
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text(strings.Repeat("a", 300)))
		time.Sleep(time.Minute)
		r.expect(id, queue.Sent, "")
		if got, want := sim.times(), seconds(0, 0, 1, 3); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
		if p := r.get(id).Recipients[0].Parts[1]; p.Attempts != 1 {
			t.Errorf("%d attempts counted, want 1", p.Attempts)
		}
	})
}

func TestModemFaultWaitsForTheModem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		down := true
		sim.answer = func(submission) error {
			if !down {
				return nil
			}
			down = false
			sim.set(modem.StateLost)
			return noPrompt()
		}
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text("a"))
		time.Sleep(30 * 24 * time.Hour)
		r.expect(id, queue.Pending, "")
		if n := len(sim.sent()); n != 1 {
			t.Errorf("%d submissions while the modem is away", n)
		}
		sim.set(modem.StateReady)
		synctest.Wait()
		r.expect(id, queue.Sent, "")
	})
}

func TestModemFaultWithAWarningIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(refused(322))
		r := start(t, scheduler.Options{}, sim)
		r.post(text("a"))
		synctest.Wait()
		if st := r.Modems()[0]; st.State != modem.StatePaused || st.Problem != "storage-full" {
			t.Errorf("status %s, problem %q", st.State, st.Problem)
		}
	})
}

// A message that fells the modem each time lets the others go after a few tries, and is not failed.
func TestMessageThatFellsTheModem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = forText("poison", noPrompt())
		r := start(t, scheduler.Options{FIFO: true}, sim)
		poison := r.post(text("poison"))
		var good []string
		for range 10 {
			good = append(good, r.post(text("good")))
		}
		time.Sleep(30 * second)
		for _, id := range good {
			r.expect(id, queue.Sent, "")
		}
		time.Sleep(24 * time.Hour)
		r.expect(poison, queue.Pending, "")
		if n := len(sim.sent()) - 10; n < 8 || n > 40 {
			t.Errorf("poison was tried %d times in a day", n)
		}
	})
}

// Faults of the SIM and of the modem before must not make an innocent message wait.
func TestFaultsBeforeRecoveryAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(noPrompt(), noPrompt(), nil, noPrompt(), noPrompt())
		r := start(t, scheduler.Options{}, sim)
		r.post(text(strings.Repeat("a", 300)))
		time.Sleep(time.Minute)
		if got, want := sim.times(), seconds(0, 1, 3, 3, 4, 6); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}
