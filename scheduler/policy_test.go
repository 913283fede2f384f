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

const minute = time.Minute

// A limit that is raised, or taken away, frees at once what it held; one that is set counts what went
// out before.
func TestLimitChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		p := scheduler.Policy{FIFO: true, Limit: queue.Limit{Count: 1, Period: time.Hour}}
		r := start(t, scheduler.Options{FIFO: true, Limit: p.Limit}, sim)
		for _, s := range []string{"a", "b", "c", "d", "e"} {
			r.post(text(s))
		}
		time.Sleep(10 * minute)
		p.Limit.Count = 2
		r.SetPolicy(p)
		time.Sleep(10 * minute)
		p.Limit = queue.Limit{}
		r.SetPolicy(p)
		synctest.Wait()
		r.post(text("f"))
		synctest.Wait()
		p.Limit = queue.Limit{Count: 3, Period: 30 * minute}
		r.SetPolicy(p)
		r.post(text("g"))
		time.Sleep(2 * time.Hour)
		// a; b when it was raised; c, d, e, f without; g when less than three are in the last half hour.
		want := []time.Duration{0, 10 * minute, 20 * minute, 20 * minute, 20 * minute, 20 * minute, 50 * minute}
		if got := sim.times(); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

// The pause goes by the policy of now, from the last message on: a shorter one ends a longer one that
// has begun, and the other way round.
func TestIntervalChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		pause := func(d time.Duration) scheduler.Policy {
			return scheduler.Policy{FIFO: true, IntervalMin: d, IntervalMax: d}
		}
		r := start(t, scheduler.Options{FIFO: true, IntervalMin: time.Hour, IntervalMax: time.Hour}, sim)
		for _, s := range []string{"a", "b", "c", "d", "e"} {
			r.post(text(s))
		}
		time.Sleep(minute)
		r.SetPolicy(pause(10 * minute)) // b is due at 10
		time.Sleep(10 * minute)
		r.SetPolicy(pause(5 * minute)) // c at 15
		time.Sleep(5 * minute)
		r.SetPolicy(pause(20 * minute)) // d at 35, not 20
		time.Sleep(30 * minute)
		r.SetPolicy(scheduler.Policy{FIFO: true}) // e at once, at 46
		time.Sleep(time.Hour)
		want := []time.Duration{0, 10 * minute, 15 * minute, 35 * minute, 46 * minute}
		if got := sim.times(); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

// A policy that is set again as it is draws no new pause: else the shortest of many draws would count.
func TestSamePolicyChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{IntervalMin: minute, IntervalMax: time.Hour}, sim)
		for i := range 21 {
			r.post(text(fmt.Sprint(i)))
		}
		for len(sim.sent()) < 21 {
			time.Sleep(second)
			r.SetPolicy(scheduler.Policy{IntervalMin: minute, IntervalMax: time.Hour})
		}
		// 20 pauses of half an hour on the average, give or take 4 minutes; the shortest draws are of 2.
		if took := sim.times()[20]; took < 20*10*minute {
			t.Errorf("20 pauses took %v", took)
		}
	})
}

func TestOrderChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{IntervalMin: minute, IntervalMax: minute}, sim)
		p := scheduler.Policy{IntervalMin: minute, IntervalMax: minute}
		for _, s := range []string{"a", "b", "c", "d", "e"} {
			r.post(text(s))
			synctest.Wait() // a goes at once
		}
		time.Sleep(minute + second) // the newest, e
		p.FIFO = true
		r.SetPolicy(p)
		time.Sleep(minute)
		p.FIFO = false
		r.SetPolicy(p)
		time.Sleep(time.Hour)
		if got, want := sim.texts(), []string{"a", "e", "b", "d", "c"}; !slices.Equal(got, want) {
			t.Errorf("sent %q, want %q", got, want)
		}
	})
}

func TestSelectionChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		r := start(t, scheduler.Options{}, one, two)
		send := func(n int) {
			for i := range n {
				r.post(text(fmt.Sprint(i)))
				synctest.Wait()
			}
		}
		send(4)
		r.SetPolicy(scheduler.Policy{Selection: scheduler.RoundRobin})
		send(4)
		if a, b := len(one.sent()), len(two.sent()); a != 6 || b != 2 {
			t.Errorf("the SIMs sent %d and %d, want 6 and 2", a, b)
		}
		r.SetPolicy(scheduler.Policy{})
		send(4)
		if a, b := len(one.sent()), len(two.sent()); a != 10 || b != 2 {
			t.Errorf("the SIMs sent %d and %d, want 10 and 2", a, b)
		}
	})
}

// A SIM that the policy before held takes its turns again.
func TestFreedSIMTakesItsTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		p := scheduler.Policy{Selection: scheduler.RoundRobin, FIFO: true, Limit: queue.Limit{Count: 2, Period: 24 * time.Hour}}
		r := start(t, scheduler.Options{Selection: p.Selection, FIFO: true, Limit: p.Limit}, one, two)
		for i := range 5 {
			r.post(text(fmt.Sprint(i)))
		}
		time.Sleep(time.Hour)
		if a, b := len(one.sent()), len(two.sent()); a != 2 || b != 2 {
			t.Fatalf("by the limit the SIMs sent %d and %d", a, b)
		}
		p.Limit = queue.Limit{}
		r.SetPolicy(p)
		for i := range 9 {
			synctest.Wait()
			r.post(text(fmt.Sprint(i)))
		}
		synctest.Wait()
		if a, b := len(one.sent()), len(two.sent()); a != 7 || b != 7 {
			t.Errorf("without it they sent %d and %d, want 7 and 7", a, b)
		}
	})
}

func TestRetentionChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{}, sim)
		sub := text("a")
		sub.Report = false
		id := r.post(sub)
		time.Sleep(100 * 24 * time.Hour)
		r.expect(id, queue.Sent, "")
		r.SetPolicy(scheduler.Policy{Retention: 101 * 24 * time.Hour})
		synctest.Wait()
		r.expect(id, queue.Sent, "")
		r.SetPolicy(scheduler.Policy{Retention: 99 * 24 * time.Hour})
		synctest.Wait()
		if _, err := r.Get(t.Context(), id); err == nil {
			t.Error("the message is still there")
		}
		id = r.post(sub)
		time.Sleep(99*24*time.Hour + 2*time.Hour)
		if _, err := r.Get(t.Context(), id); err == nil {
			t.Error("the second message is still there")
		}
	})
}

// TestWorkHours: 2000-01-01 begins at midnight, the clock of the bubble.
func TestWorkHours(t *testing.T) {
	tests := []struct {
		name       string
		start, end int // hours
		want       []time.Duration
	}{
		// Posted at 0:00, 8:30, 12:00, 20:00 and 23:30.
		{"by day", 9, 19, hours(9, 9, 12, 33, 33)},
		{"overnight", 22, 6, hours(0, 22, 22, 22, 23.5)},
		{"the same", 9, 9, hours(0, 8.5, 12, 20, 23.5)},
		{"until midnight", 20, 0, hours(20, 20, 20, 20, 23.5)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				r := start(t, scheduler.Options{
					FIFO: true, Zone: time.UTC, WorkHours: scheduler.WorkHours{Enabled: true, Start: tt.start * 60, End: tt.end * 60},
				}, sim)
				for _, at := range hours(0, 8.5, 12, 20, 23.5) {
					time.Sleep(at - time.Since(sim.born))
					r.post(text(at.String()))
				}
				time.Sleep(48 * time.Hour)
				if got := sim.times(); !slices.Equal(got, tt.want) {
					t.Errorf("handed over at %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func hours(n ...float64) (out []time.Duration) {
	for _, h := range n {
		out = append(out, time.Duration(h*float64(time.Hour)))
	}
	return out
}

// A message that was begun goes on to all its recipients, and what is urgent is never held.
func TestWorkHoursBindWhatBegins(t *testing.T) {
	for _, mode := range []scheduler.Selection{scheduler.OSDefault, scheduler.RoundRobin} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				sim.latency = 20 * second
				r := start(t, scheduler.Options{
					Selection: mode, FIFO: true, Zone: time.UTC, WorkHours: scheduler.WorkHours{Enabled: true, Start: 9 * 60, End: 19 * 60},
				}, sim)
				time.Sleep(19*time.Hour - 30*second)
				sub := text(strings.Repeat("a", 300))
				sub.Recipients = numbers(3)
				r.post(sub)
				r.post(text("b"))
				time.Sleep(time.Hour)
				for _, priority := range []int8{99, 100} {
					sub := text(fmt.Sprint(priority))
					sub.Priority = priority
					r.post(sub)
				}
				time.Sleep(24 * time.Hour)
				times := sim.times()
				for i, at := range times[:6] {
					if want := 19*time.Hour - 30*second + time.Duration(i)*20*second; at != want {
						t.Errorf("part %d of the message begun handed over at %v, want %v", i, at, want)
					}
				}
				if got, want := sim.texts()[6:], []string{"100", "99", "b"}; !slices.Equal(got, want) {
					t.Errorf("then sent %q, want %q", got, want)
				}
				want := []time.Duration{20*time.Hour - 30*second, 33 * time.Hour, 33*time.Hour + 20*second}
				if !slices.Equal(times[6:], want) {
					t.Errorf("at %v, want %v", times[6:], want)
				}
			})
		})
	}
}

// In Berlin the clocks leap from 02:00 to 03:00 on 26 March 2000, and back on 29 October.
func TestWorkHoursOverAChangeOfTheClocks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ posted, want string }{
		"spring": {"2000-03-25T20:00:00+01:00", "2000-03-26T09:00:00+02:00"},
		"autumn": {"2000-10-28T20:00:00+02:00", "2000-10-29T09:00:00+01:00"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				r := start(t, scheduler.Options{
					Zone: berlin, WorkHours: scheduler.WorkHours{Enabled: true, Start: 9 * 60, End: 19 * 60},
				}, sim)
				time.Sleep(time.Until(at(t, tt.posted)))
				r.post(text("a"))
				time.Sleep(48 * time.Hour)
				if got := sim.times(); len(got) != 1 || !sim.born.Add(got[0]).Equal(at(t, tt.want)) {
					t.Errorf("handed over %v after %v, want at %s", got, sim.born, tt.want)
				}
			})
		})
	}
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// Work hours that are set, moved or taken away count at once. A message that expires meanwhile does.
func TestWorkHoursChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, Zone: time.UTC}, sim)
		set := func(enabled bool, start, end int) {
			r.SetPolicy(scheduler.Policy{FIFO: true, WorkHours: scheduler.WorkHours{Enabled: enabled, Start: start * 60, End: end * 60}})
		}
		set(true, 9, 19)
		r.post(text("a"))
		late := text("late")
		late.ValidUntil = time.Now().Add(time.Hour)
		id := r.post(late)
		time.Sleep(2 * time.Hour)
		r.expect(id, queue.Failed, "TTL expired: validUntil passed before the message could be submitted")
		set(true, 2, 19)
		synctest.Wait()
		set(true, 9, 19)
		r.post(text("b"))
		time.Sleep(time.Hour)
		set(false, 9, 19)
		r.post(text("c"))
		time.Sleep(24 * time.Hour)
		if got, want := sim.times(), hours(2, 3, 3); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

// Settings may change at any time, also while nothing runs and SIMs come and go.
func TestPolicyChangesMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		one.latency, two.latency = 3*second, 2*second
		r := idle(t, scheduler.Options{}, one, two)
		r.SetPolicy(scheduler.Policy{FIFO: true})
		r.run()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for i := range 200 {
				time.Sleep(500 * time.Millisecond)
				r.SetPolicy(scheduler.Policy{
					Selection: []scheduler.Selection{"", scheduler.RoundRobin, scheduler.Random}[i%3], FIFO: i%2 == 0,
					IntervalMin: second, IntervalMax: time.Duration(i%4) * second, Limit: queue.Limit{Count: i % 5, Period: minute},
					Retention: time.Duration(i%2) * 24 * time.Hour,
				})
			}
			r.SetPolicy(scheduler.Policy{})
		}()
		for i := range 60 {
			r.post(text(fmt.Sprint(i)))
			time.Sleep(time.Second)
			if i == 30 {
				two.set(modem.StateLost)
			}
			if i == 40 {
				two.set(modem.StateReady)
			}
		}
		<-ended
		time.Sleep(5 * minute)
		all := append(one.texts(), two.texts()...)
		slices.Sort(all)
		if n := len(slices.Compact(all)); n != 60 || len(all) != 60 {
			t.Errorf("%d sent, %d of them different, want 60", len(all), n)
		}
	})
}
