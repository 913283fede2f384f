package scheduler_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// A SIM that failed three times in a row is tried with one message at a time, while the other sends
// the rest; once it works it has its turns again.
func TestBreaker(t *testing.T) {
	for _, mode := range []scheduler.Selection{scheduler.OSDefault, scheduler.RoundRobin} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				broken := true
				one.answer = func(submission) error {
					if broken {
						return refused(28)
					}
					return nil
				}
				r := start(t, scheduler.Options{Selection: mode, FIFO: true}, one, two)
				n := 0
				send := func(every time.Duration, until time.Duration) {
					for end := time.Now().Add(until); time.Now().Before(end); time.Sleep(every) {
						n++
						r.post(text(fmt.Sprint(n)))
					}
				}
				send(time.Minute, time.Hour)
				// At 0, 1, 3, 7, 15 and 31 minutes, with what came next.
				if got := len(one.sent()); got != 6 {
					t.Errorf("SIM 1 was tried %d times in an hour, want 6, at %v", got, one.times())
				}
				if got := len(two.sent()); got != n {
					t.Errorf("SIM 2 sent %d of %d", got, n)
				}
				broken = false
				send(time.Minute, 2*time.Hour)
				tried := one.sent()[6].At
				if want := 63 * time.Minute; tried < want || tried > want+10*time.Minute {
					t.Errorf("SIM 1 was tried again at %v, want from %v on", tried, want)
				}
				before := len(two.sent())
				send(time.Minute, time.Hour)
				if got, all := len(two.sent())-before, 60; mode == scheduler.OSDefault && got != 0 || mode == scheduler.RoundRobin && got != all/2 {
					t.Errorf("since SIM 1 works, SIM 2 sent %d of %d", got, all)
				}
			})
		})
	}
}

// A probe that takes long does not keep the others from sending.
func TestBreakerProbeIsAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		two.status.State = modem.StateLost
		faults := inTurn(refused(28), refused(28), refused(28))
		one.answer = func(s submission) error {
			err := faults(s)
			if err == nil {
				time.Sleep(time.Minute)
			}
			return err
		}
		r := start(t, scheduler.Options{FIFO: true}, one, two)
		r.post(text("a"))
		time.Sleep(3*time.Minute + second) // three faults; tried again at 7 minutes
		two.set(modem.StateReady)
		synctest.Wait()
		time.Sleep(4 * time.Minute) // now it may be tried
		r.post(text("probe"))
		synctest.Wait()
		for range 5 {
			r.post(text("rest"))
		}
		synctest.Wait()
		if n := len(one.sent()) - 3; n != 1 || len(two.sent()) != 6 {
			t.Errorf("SIM 1 is tried with %d messages, SIM 2 sent %d of the other 6", n, len(two.sent()))
		}
	})
}

// Answers that never come open it too: each costs a message that nobody may send again.
func TestBreakerOpensOnSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		one.answer = func(submission) error { return silence() }
		r := start(t, scheduler.Options{FIFO: true}, one, two)
		var ids []string
		for i := range 10 {
			ids = append(ids, r.post(text(fmt.Sprint(i))))
			synctest.Wait()
		}
		if got, want := one.texts(), []string{"0", "1", "2"}; !slices.Equal(got, want) {
			t.Errorf("SIM 1 was given %v, want %v", got, want)
		}
		if n := len(two.sent()); n != 7 {
			t.Errorf("SIM 2 sent %d of the other 7", n)
		}
		for i, id := range ids { // unknown never moves
			state := queue.Sent
			if i < 3 {
				state = queue.Processed
			}
			r.expect(id, state, "")
		}
		st := r.Modems()[0]
		hint := "3 submissions in a row failed, the last with: no answer after the message was handed over; " +
			"the SIM is tried with one message at " + time.Now().Add(time.Minute).Format(time.RFC3339)
		if st.State != modem.StatePaused || st.Problem != scheduler.ProblemPaused || st.Hint != hint {
			t.Errorf("status %s, %s: %s", st.State, st.Problem, st.Hint)
		}
		time.Sleep(3 * time.Hour)
		if n := len(one.sent()); n != 3 {
			t.Errorf("SIM 1 was given %d messages although SIM 2 had taken all", n-3)
		}
	})
}

// Alone, a SIM goes on with everything after its pause, one at a time.
func TestBreakerOfTheOnlySIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(refused(28), refused(28), refused(28), refused(28))
		r := start(t, scheduler.Options{FIFO: true}, sim)
		var ids []string
		for i := range 5 {
			ids = append(ids, r.post(text(fmt.Sprint(i))))
		}
		time.Sleep(2 * time.Hour)
		for _, id := range ids {
			r.expect(id, queue.Sent, "")
		}
		want := []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute, 15 * time.Minute}
		if got := sim.times()[:5]; !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

// A dongle that is pulled out again and again, each time just before it would get a part, is at no fault: as soon
// as it is back it sends all.
func TestAbsenceIsNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newSIM(t, 1)
		gone := &modem.SubmitError{Fault: modem.Fault{Action: modem.ModemFault, Text: modem.ProblemPortLost}, Err: modem.ErrNotReady}
		one.answer = inTurn(gone, gone, gone, gone, gone)
		r := start(t, scheduler.Options{FIFO: true}, one)
		id := r.post(text("a"))
		time.Sleep(10 * time.Minute)
		r.expect(id, queue.Sent, "")
		if st := r.Modems()[0]; st.State != modem.StateReady {
			t.Errorf("status %s, %s", st.State, st.Problem)
		}
	})
}
