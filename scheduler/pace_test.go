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

const second = time.Second

func seconds(n ...int) (out []time.Duration) {
	for _, s := range n {
		out = append(out, time.Duration(s)*second)
	}
	return out
}

func TestIntervalIsBetweenMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.latency = second
		r := start(t, scheduler.Options{FIFO: true, IntervalMin: 10 * second, IntervalMax: 10 * second}, sim)
		long := text(strings.Repeat("a", 300))
		long.Recipients = numbers(2)
		r.post(long)
		r.post(text("b"))
		r.post(text("c"))
		time.Sleep(time.Minute)
		// Two recipients of two parts back to back; then ten seconds after each answer.
		if got, want := sim.times(), seconds(0, 1, 2, 3, 14, 25); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

func TestIntervalIsRandomWithinItsBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, IntervalMin: 5 * second, IntervalMax: 20 * second}, sim)
		for i := range 40 {
			r.post(text(fmt.Sprint(i)))
		}
		time.Sleep(time.Hour)
		times := sim.times()
		if len(times) != 40 {
			t.Fatalf("%d sent of 40", len(times))
		}
		different := map[time.Duration]bool{}
		for i := range times[1:] {
			gap := times[i+1] - times[i]
			different[gap] = true
			if gap < 5*second-time.Millisecond || gap > 20*second {
				t.Errorf("gap of %v", gap)
			}
		}
		if len(different) < 10 {
			t.Errorf("only %d different gaps", len(different))
		}
	})
}

func TestIntervalNeedsAMaximum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{IntervalMin: 10 * second}, sim)
		r.post(text("a"))
		r.post(text("b"))
		synctest.Wait()
		if n := len(sim.sent()); n != 2 {
			t.Errorf("%d of 2 sent at once", n)
		}
	})
}

// The pause counts from the last message also for one that comes long after, and for retries.
func TestIntervalAfterIdling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{IntervalMin: 10 * second, IntervalMax: 10 * second}, sim)
		r.post(text("a"))
		time.Sleep(time.Minute)
		r.post(text("b"))
		time.Sleep(4 * second)
		r.post(text("c"))
		time.Sleep(time.Minute)
		if got, want := sim.times(), seconds(0, 60, 70); !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, Limit: queue.Limit{Count: 2, Period: time.Hour}}, sim)
		many := text(strings.Repeat("a", 300))
		many.Recipients = numbers(5)
		r.post(many) // one message, whatever its recipients and parts
		time.Sleep(20 * time.Minute)
		for _, s := range []string{"b", "c", "d"} {
			r.post(text(s))
		}
		time.Sleep(3 * time.Hour)
		got := sim.times()[10:]
		// b at once; c an hour after the first message; d an hour after b.
		want := []time.Duration{20 * time.Minute, 60 * time.Minute, 80 * time.Minute}
		if !slices.Equal(got, want) {
			t.Errorf("b, c, d handed over at %v, want %v", got, want)
		}
	})
}

func TestLimitOutlivesARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true, Limit: queue.Limit{Count: 1, Period: time.Hour}}, sim)
		r.post(text("a"))
		r.post(text("b"))
		time.Sleep(10 * time.Minute)
		r.restart()
		time.Sleep(2 * time.Hour)
		if got, want := sim.times(), []time.Duration{0, time.Hour}; !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

// A SIM that has used up its limit leaves shared messages to the next one, except by OSDefault,
// where the first SIM's limit is the gateway's.
func TestLimitAndSelection(t *testing.T) {
	tests := []struct {
		mode     scheduler.Selection
		one, two int // sent within the hour
	}{
		{scheduler.OSDefault, 2, 0},
		{scheduler.RoundRobin, 2, 2},
		{scheduler.Random, 2, 2},
	}
	for _, tt := range tests {
		t.Run(string(tt.mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newSIM(t, 1), newSIM(t, 2)
				opts := scheduler.Options{Selection: tt.mode, Limit: queue.Limit{Count: 2, Period: time.Hour}}
				r := start(t, opts, one, two)
				for i := range 5 {
					r.post(text(fmt.Sprint(i)))
				}
				time.Sleep(time.Hour - second)
				if len(one.sent()) != tt.one || len(two.sent()) != tt.two {
					t.Errorf("SIM 1 sent %d, SIM 2 %d; want %d, %d", len(one.sent()), len(two.sent()), tt.one, tt.two)
				}
				time.Sleep(3 * time.Hour)
				if n := len(one.sent()) + len(two.sent()); n != 5 {
					t.Errorf("%d of 5 sent in the end", n)
				}
			})
		})
	}
}

func TestUrgentBypassesDelaysAndLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{
			IntervalMin: time.Minute, IntervalMax: time.Minute, Limit: queue.Limit{Count: 1, Period: time.Hour},
		}, sim)
		r.post(text("first"))
		synctest.Wait()
		for _, priority := range []int8{99, 100, 127} {
			sub := text(fmt.Sprint(priority))
			sub.Priority = priority
			r.post(sub)
			synctest.Wait()
		}
		if got, want := sim.texts()[1:], []string{"100", "127"}; !slices.Equal(got, want) {
			t.Errorf("sent at once %q, want %q", got, want)
		}
		time.Sleep(24 * time.Hour)
		if got := sim.texts()[3:]; !slices.Equal(got, []string{"99"}) {
			t.Errorf("sent later %q, want 99", got)
		}
	})
}

func TestOrder(t *testing.T) {
	tests := []struct {
		name string
		fifo bool
		want []string
	}{
		{"LIFO", false, []string{"127", "high new", "high old", "new", "old", "low new", "low old", "-128"}},
		{"FIFO", true, []string{"127", "high old", "high new", "old", "new", "low old", "low new", "-128"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				sim.status.State = modem.StateLost
				r := start(t, scheduler.Options{FIFO: tt.fifo}, sim)
				for i, s := range []struct {
					text     string
					priority int8
				}{
					{"low old", -1}, {"old", 0}, {"high old", 1}, {"-128", -128}, {"127", 127},
					{"high new", 1}, {"new", 0}, {"low new", -1},
				} {
					sub := text(s.text)
					sub.Priority = s.priority
					sub.SIM = i % 2 // its own lane and the shared one are one queue
					r.post(sub)
				}
				sim.set(modem.StateReady)
				synctest.Wait()
				if got := sim.texts(); !slices.Equal(got, tt.want) {
					t.Errorf("sent %q\nwant %q", got, tt.want)
				}
			})
		})
	}
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{}, sim)
		for _, after := range []time.Duration{2 * time.Hour, time.Hour, -time.Hour} {
			sub := text(after.String())
			sub.ScheduleAt = time.Now().Add(after)
			r.post(sub)
		}
		time.Sleep(24 * time.Hour)
		if got, want := sim.times(), []time.Duration{0, time.Hour, 2 * time.Hour}; !slices.Equal(got, want) {
			t.Errorf("handed over at %v, want %v", got, want)
		}
	})
}

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.status.State = modem.StateLost
		r := start(t, scheduler.Options{}, sim)
		sub := text("late")
		sub.ValidUntil = time.Now().Add(time.Hour)
		id := r.post(sub)
		time.Sleep(time.Hour - second)
		r.expect(id, queue.Pending, "")
		time.Sleep(2 * second)
		r.expect(id, queue.Failed, "TTL expired: validUntil passed before the message could be submitted")
		sim.set(modem.StateReady)
		time.Sleep(time.Hour)
		if n := len(sim.sent()); n != 0 {
			t.Errorf("%d sent after expiry", n)
		}
	})
}
