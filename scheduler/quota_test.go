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

func perHour(messages int) queue.Quota { return queue.Quota{Hour: queue.Caps{Messages: messages}} }

// A SIM whose quota is used up leaves what any may send to the others, by every selection, and takes
// its turns again when the window frees.
func TestQuotaFailsOver(t *testing.T) {
	tests := []struct {
		mode     scheduler.Selection
		one, two int
	}{{scheduler.OSDefault, 3, 2}, {scheduler.RoundRobin, 3, 2}, {scheduler.Random, 3, 2}}
	for _, tt := range tests {
		t.Run(string(tt.mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				r := start(t, scheduler.Options{
					Selection: tt.mode, FIFO: true, Quotas: map[int]queue.Quota{0: perHour(2), 1: perHour(3)},
				}, one, two)
				for i := range 8 {
					sub := text(fmt.Sprint(i))
					sub.Priority = 127 // bypasses other limits
					r.post(sub)
				}
				time.Sleep(time.Hour - second)
				if a, b := len(one.sent()), len(two.sent()); a != tt.one || b != tt.two {
					t.Errorf("SIM 1 sent %d, SIM 2 %d; want %d and %d", a, b, tt.one, tt.two)
				}
				time.Sleep(2 * second)
				if n := len(one.sent()) + len(two.sent()); n != 8 {
					t.Errorf("%d of 8 sent after an hour", n)
				}
			})
		})
	}
}

func TestQuotaIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{Quotas: map[int]queue.Quota{1: perHour(1)}}, sim)
		r.post(text("a"))
		synctest.Wait()
		if st := r.Modems()[0]; st.State != modem.StateReady || st.Problem != "" {
			t.Errorf("nothing waits, and the status is %s, %s", st.State, st.Problem)
		}
		time.Sleep(20 * time.Minute)
		r.post(text("b"))
		synctest.Wait()
		want := "the quota of 1 message an hour is used up; the SIM sends again at " +
			time.Now().Add(40*time.Minute).Format(time.RFC3339)
		if st := r.Modems()[0]; st.State != modem.StatePaused || st.Problem != scheduler.ProblemQuota || st.Hint != want {
			t.Errorf("status %s, %s: %s\nwant %s", st.State, st.Problem, st.Hint, want)
		}
		time.Sleep(40 * time.Minute)
		synctest.Wait()
		if st := r.Modems()[0]; st.State != modem.StateReady || len(sim.sent()) != 2 {
			t.Errorf("after the hour the status is %s, %d sent", st.State, len(sim.sent()))
		}
	})
}

// Another card in the same SIM has a quota of its own.
func TestQuotaOfAnotherCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, Quotas: map[int]queue.Quota{0: perHour(1)}}, sim)
		r.post(text("a"))
		synctest.Wait() // the later one would go first
		second := r.post(text("b"))
		synctest.Wait()
		r.expect(second, queue.Pending, "")
		sim.mu.Lock()
		sim.status.IMSI = "262019999999999"
		sim.mu.Unlock()
		sim.set(modem.StateReady)
		synctest.Wait()
		r.expect(second, queue.Sent, "")
		if st := r.Modems()[0]; st.Problem != "" {
			t.Errorf("status %s", st.Problem)
		}
	})
}

// When no SIM may write to anybody new, each still writes to those it did.
func TestQuotaOfRecipientsWhenAllAreHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		r := start(t, scheduler.Options{
			Selection: scheduler.RoundRobin, FIFO: true,
			Quotas: map[int]queue.Quota{0: {Hour: queue.Caps{Recipients: 1}}},
		}, one, two)
		r.post(to(german, "a"))
		synctest.Wait()
		r.post(to(french, "b"))
		synctest.Wait()
		nobody := r.post(to(swiss, "c")) // for nobody now
		synctest.Wait()
		for range 3 {
			r.post(to(german, "a"))
			r.post(to(french, "b"))
			synctest.Wait()
		}
		if got, want := sentBy(r.sims), []string{"a a a a", "b b b b"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
		r.expect(nobody, queue.Pending, "")
		time.Sleep(time.Hour)
		synctest.Wait()
		r.expect(nobody, queue.Sent, "")
	})
}

func TestQuotaOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, Quotas: map[int]queue.Quota{0: perHour(2)}}, sim)
		for range 4 {
			r.post(text("a"))
		}
		time.Sleep(10 * time.Minute)
		r.restart()
		time.Sleep(2 * time.Hour)
		if got, want := sim.times(), []time.Duration{0, 0, time.Hour, time.Hour}; !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

// A SIM that finds itself held rouses the others, when it is nobody's turn any more.
func TestQuotaRousesWhoMay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		r := start(t, scheduler.Options{Quotas: map[int]queue.Quota{0: {Hour: queue.Caps{Recipients: 1}}}}, one, two)
		r.post(to(german, "a"))
		time.Sleep(30 * time.Minute)
		r.post(to(french, "b"))
		synctest.Wait()
		r.post(to(swiss, "c")) // SIM 1 sends it after an hour; SIM 2 is held until half an hour later
		time.Sleep(35 * time.Minute)
		r.post(to(french, "d"))
		synctest.Wait()
		if got, want := sentBy(r.sims), []string{"a c", "b d"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}
