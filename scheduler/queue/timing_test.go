package queue

import (
	"testing"
	"testing/synctest"
	"time"
)

// pause lets virtual time pass and the writer do what has fallen due.
func pause(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestScheduleAt(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		start := time.Now()
		f.put(Submission{ID: "later", ScheduleAt: start.Add(3 * time.Hour)}, 1)
		f.put(Submission{ID: "soon", SIM: 2, ScheduleAt: start.Add(time.Hour)}, 1)
		equal(t, "woken at once", f.wakes(), nil)
		if again := f.idle(sim1); !again.IsZero() {
			t.Errorf("asked to come again at %v; the timer wakes the lane", again)
		}
		pause(time.Hour - time.Millisecond)
		f.idle(sim2)
		pause(time.Millisecond)
		equal(t, "woken after an hour", f.wakes(), []int{2})
		equal(t, "sent after an hour", f.run(sim2), []string{"soon"})
		f.reopen()
		pause(2 * time.Hour)
		equal(t, "woken after three, over a restart", f.wakes(), []int{0})
		equal(t, "sent after three", f.run(sim1), []string{"later"})
	})
}

func TestBackOff(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m", "other")
		j := f.take(sim1) // "other", the newest
		f.wakes()
		next, _ := f.step(&Outcome{Job: j, Kind: OutcomeDeferred, RetryAt: time.Now().Add(30 * time.Second)}, &sim1)
		if name(next) != "m" {
			t.Fatalf("the next message waits for a bad one: claimed %s", name(next))
		}
		f.accept(next)
		f.idle(sim1)
		pause(30*time.Second - time.Millisecond)
		f.idle(sim1)
		pause(time.Millisecond)
		equal(t, "woken", f.wakes(), []int{0})
		if j = f.take(sim2); name(j) != "other" || j.Attempts != 2 {
			t.Errorf("claimed %s, attempt %d", name(j), j.Attempts)
		}
	})
}

func TestWake(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "any"}, 1)
		f.put(Submission{ID: "two", SIM: 2}, 1)
		synctest.Wait()
		equal(t, "lanes", f.wakes(), []int{0, 2})
		f.run(sim2)
		synctest.Wait()
		equal(t, "lanes", f.wakes(), nil)
	})
}

func TestExpiry(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		until := time.Now().Add(time.Minute)
		f.put(Submission{ID: "waits", ValidUntil: until, Recipients: []string{alice, bob}}, 2)
		f.put(Submission{ID: "asleep", ValidUntil: until, ScheduleAt: until.Add(time.Hour)}, 1)
		f.put(Submission{ID: "gone", ValidUntil: time.Now().Add(-time.Second)}, 1)
		f.put(Submission{ID: "sent", Priority: 1, ValidUntil: until}, 1)
		f.accept(f.take(sim1))
		pause(time.Minute - time.Millisecond)
		f.wantState("waits", Pending)
		pause(time.Millisecond)
		f.wantState("waits", Failed, PartRejected, PartRejected)
		f.wantState("asleep", Failed, PartRejected)
		f.wantState("gone", Failed, PartRejected)
		f.wantState("sent", Sent, PartAccepted)
		f.idle(sim1)
		for _, r := range f.get("waits").Recipients {
			if r.Error != "TTL expired: validUntil passed before the message could be submitted" || r.Parts[0].Attempts != 0 {
				t.Errorf("recipient %+v", r)
			}
		}
	})
}

// TestExpiryInFlight: a part in flight is let finish; what follows it is not begun.
func TestExpiryInFlight(t *testing.T) {
	const expired = "TTL expired: validUntil passed before the message could be submitted"
	for name, c := range map[string]struct {
		outcome Outcome
		want    State
		parts   []PartState
		err     string
	}{
		"accepted": {Outcome{Kind: OutcomeAccepted, MR: 1}, Failed, []PartState{PartAccepted, PartRejected}, expired},
		"deferred": {Outcome{Kind: OutcomeDeferred, Error: "congestion"}, Failed, []PartState{PartRejected, PartRejected}, expired},
		"unknown":  {Outcome{Kind: OutcomeUnknown, Error: "no answer"}, Failed, []PartState{PartUnknown, PartRejected}, expired},
		"rejected": {Outcome{Kind: OutcomeRejected, Error: "refused"}, Failed, []PartState{PartRejected, PartRejected}, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{}, func(f *fixture) {
				f.put(Submission{ID: "m", ValidUntil: time.Now().Add(time.Minute)}, 2)
				j := f.take(sim1)
				pause(2 * time.Minute)
				f.wantState("m", Processed, PartSubmitting, PartQueued)
				c.outcome.Job = j
				if next, _ := f.step(&c.outcome, &sim1); next != nil {
					t.Errorf("part %d handed out after the message expired", next.Part)
				}
				f.wantState("m", c.want, c.parts...)
				if got := f.get("m").Recipients[0].Error; got != c.err {
					t.Errorf("error %q, want %q", got, c.err)
				}
			})
		})
	}
}

func TestDelay(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		c := sim1
		c.NotBefore = time.Now().Add(10 * time.Second)
		f.put(Submission{ID: "plain", Priority: 99, Recipients: []string{alice, bob}}, 2)
		if again := f.idle(c); !again.Equal(c.NotBefore) {
			t.Errorf("come again at %v, want %v", again, c.NotBefore)
		}
		f.put(Submission{ID: "urgent", Priority: 100}, 1)
		equal(t, "before the time", f.run(c), []string{"urgent"})
		pause(10 * time.Second)
		j := f.take(c)
		c.NotBefore = time.Now().Add(10 * time.Second)
		f.puts("next")
		f.accept(j)
		c.Last = j
		equal(t, "parts and recipients are not held back", f.run(c), []string{"plain.1", "plain/1", "plain/1.1"})
		f.idle(c)
	})
}

func TestLimitSlides(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		c := sim1
		c.Limit = Limit{Count: 2, Period: time.Minute}
		f.puts("a", "b", "c", "d", "e")
		start := time.Now()
		f.accept(f.take(c)) // a at 0 s
		pause(20 * time.Second)
		f.accept(f.take(c)) // b at 20 s
		if again := f.idle(c); !again.Equal(start.Add(time.Minute)) {
			t.Errorf("c may begin at %v, want after one minute", again.Sub(start))
		}
		f.reopen()
		if again := f.idle(c); !again.Equal(start.Add(time.Minute)) {
			t.Errorf("after a restart c may begin at %v", again.Sub(start))
		}
		other := sim2
		other.Limit = c.Limit
		if j := f.take(other); name(j) != "c" {
			t.Errorf("another card's limit: claimed %s", name(j))
		}
		f.put(Submission{ID: "urgent", Priority: Urgent}, 1)
		equal(t, "urgent", f.run(c), []string{"urgent"}) // counts itself, at 20 s
		pause(40 * time.Second)                          // 60 s: b and urgent are within
		if again := f.idle(c); !again.Equal(start.Add(80 * time.Second)) {
			t.Errorf("d may begin at %v, want 80 s", again.Sub(start))
		}
		pause(20 * time.Second)
		f.accept(f.take(c))
		f.accept(f.take(c))
		f.idle(c)
	})
}

// TestLimitCountsMessages: not parts, not recipients, and not what the modem never sent.
func TestLimitCountsMessages(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		c := sim1
		c.Limit = Limit{Count: 1, Period: time.Hour}
		f.put(Submission{ID: "a", Recipients: []string{alice, bob}}, 2)
		f.puts("b")
		j := f.take(c)
		next, _ := f.step(&Outcome{Job: j, Kind: OutcomeDeferred, Uncounted: true}, &c)
		if next == nil || name(next) != "a" || !next.First || next.Attempts != 1 || next.Faults != 1 {
			t.Fatalf("after a modem fault: %+v", next)
		}
		f.accept(next)
		c.Last = next
		equal(t, "the whole message", f.run(c), []string{"a.1", "a/1", "a/1.1"})
		f.idle(c)
	})
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		c := sim1
		c.Limit = Limit{Count: 1, Period: time.Hour}
		f.puts("a", "b", "c")
		f.reject(f.take(c))
		equal(t, "a refused message is not counted", f.run(c), []string{"b"})
	})
}

// TestLimitClockSetBack: what began in a future that was taken back holds others for one period, not
// until that future comes.
func TestLimitClockSetBack(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		c := sim1
		c.Limit = Limit{Count: 2, Period: time.Minute}
		f.puts("a", "b", "c")
		future := time.Now().AddDate(1, 0, 0).UnixMilli()
		f.ok(f.do(ctx, func(t *tx) error {
			t.put(t.sends, sendsKey(card1, future, 1000), []byte{})
			t.put(t.sends, sendsKey(card1, future+1, 1001), []byte{})
			return nil
		}))
		want := time.Now().Add(time.Minute)
		if again := f.idle(c); !again.Equal(want) {
			t.Errorf("come again at %v, want %v", again, want)
		}
		pause(30 * time.Second)
		if again := f.idle(c); !again.Equal(want) {
			t.Errorf("30 s later: come again at %v, want %v still", again, want)
		}
		pause(30 * time.Second)
		equal(t, "after one period", f.run(c), []string{"a", "b"})
	})
}

// TestLimitForgets: what began is kept for a day, which a limit may count that is set only then.
func TestLimitForgets(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		for range 50 {
			f.puts("")
			f.run(sim1)
			pause(time.Hour)
		}
		n := 0
		f.ok(f.do(ctx, func(t *tx) error { n = t.sends.Stats().KeyN; return nil }))
		if n < 24 || n > 26 {
			t.Errorf("%d sends kept, want those of the last day", n)
		}
	})
}

// TestLimitSetLater: a limit counts what began before it was set.
func TestLimitSetLater(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		began := time.Now()
		f.puts("a", "b")
		f.run(sim1)
		pause(10 * time.Minute)
		f.puts("c", "d")
		limited := sim1
		limited.Limit = Limit{Count: 3, Period: time.Hour}
		equal(t, "with the limit", f.run(limited), []string{"c"})
		if again, want := f.idle(limited), began.Add(time.Hour); again.Before(want) || again.After(want.Add(time.Second)) {
			t.Errorf("come again at %v, want an hour after the first, at %v", again, want)
		}
	})
}
