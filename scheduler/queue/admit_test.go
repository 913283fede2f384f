package queue

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// refused insists on a *LimitError that says want; nothing may be stored.
func (f *fixture) refused(want string) {
	f.Helper()
	_, before, err := f.List(ctx, Filter{})
	f.ok(err)
	_, err = f.Enqueue(ctx, Submission{ID: "one too many", Recipients: []string{alice}}, 1)
	var limit *LimitError
	if !errors.As(err, &limit) || err.Error() != want {
		f.Errorf("error %v, want %q", err, want)
	}
	if _, after, err := f.List(ctx, Filter{}); after != before || err != nil {
		f.Errorf("%d messages, %d before, %v", after, before, err)
	}
}

func TestMaxPending(t *testing.T) {
	bubble(t, Options{Limits: Limits{MaxPending: 2}, FIFO: true}, func(f *fixture) {
		f.puts("a")
		f.put(Submission{ID: "b", Recipients: []string{alice, bob}, ScheduleAt: time.Now().Add(time.Hour)}, 1)
		f.refused("queue limits exceeded: too many pending messages: 2 / 2")
		_, err := f.Enqueue(ctx, Submission{ID: "a", Recipients: []string{alice}}, 1)
		wantErr(t, err, ErrDuplicateID)
		j := f.take(sim1)
		f.puts("c")
		f.refused("queue limits exceeded: too many pending messages: 2 / 2")
		f.step(&Outcome{Job: j, Kind: OutcomeDeferred, Error: "busy"}, nil) // what came back counts again
		f.refused("queue limits exceeded: too many pending messages: 3 / 2")
		for _, id := range []string{"a", "b"} {
			_, err := f.Cancel(ctx, id)
			f.ok(err)
		}
		f.puts("d")
	})
}

func TestMaxPendingAge(t *testing.T) {
	opts := Options{Limits: Limits{MaxPendingAge: time.Hour}, FIFO: true}
	bubble(t, opts, func(f *fixture) {
		f.put(Submission{ID: "next month", ScheduleAt: time.Now().Add(30 * 24 * time.Hour)}, 1)
		f.put(Submission{ID: "later", ScheduleAt: time.Now().Add(30 * time.Minute)}, 1)
		f.puts("now")
		time.Sleep(time.Hour)
		f.puts("still")
		time.Sleep(time.Second)
		synctest.Wait()
		f.refused("queue limits exceeded: too old pending message: 2000-01-01T00:00:00Z")
		_, err := f.Cancel(ctx, "now")
		f.ok(err)
		f.puts("again")
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		f.refused("queue limits exceeded: too old pending message: 2000-01-01T00:30:00Z")
		f.reopen()
		f.refused("queue limits exceeded: too old pending message: 2000-01-01T00:30:00Z")
		equal(t, "sent", f.run(sim1), []string{"later", "still", "again"})
		f.puts("at last")
	})
}

// TestMaxPendingAgeComesLater: what is Pending when the limit is set counts, and what was while it was
// not does not.
func TestMaxPendingAgeComesLater(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		f.puts("a", "b")
		f.run(Claim{SIM: 1, IMSI: card1})
		f.opts.Limits = Limits{MaxPendingAge: time.Minute}
		f.reopen()
		time.Sleep(2 * time.Minute)
		f.refused("queue limits exceeded: too old pending message: 2000-01-01T00:00:00Z")
		f.opts.Limits = Limits{}
		f.reopen()
		f.run(sim1)
		f.opts.Limits = Limits{MaxPendingAge: time.Minute}
		f.reopen()
		f.puts("c")
	})
}

// TestMaxPendingAgeClockSet: a Pi that begins in 1970 takes messages, gets the time, and takes more. What
// was pending when it started may be as old as it seems.
func TestMaxPendingAgeClockSet(t *testing.T) {
	bubble(t, Options{Limits: Limits{MaxPendingAge: time.Hour}, FIFO: true}, func(f *fixture) {
		admitted := func() error {
			return f.do(ctx, func(t *tx) error {
				t.now += 56 * 365 * 24 * time.Hour.Milliseconds()
				return t.admit()
			})
		}
		f.puts("a", "b")
		f.ok(admitted())
		time.Sleep(time.Hour + time.Second)
		if admitted() == nil {
			t.Error("what waits since the start for longer than the limit does not count")
		}
		f.reopen()
		if admitted() == nil {
			t.Error("what waited at the start does not count")
		}
	})
}

// TestMaxPendingAgeDamage: what never leaves Pending, as it cannot be read, closes nothing.
func TestMaxPendingAgeDamage(t *testing.T) {
	bubble(t, Options{Limits: Limits{MaxPendingAge: time.Hour}, FIFO: true}, func(f *fixture) {
		f.puts("a")
		var sound []byte
		f.ok(f.do(ctx, func(t *tx) error {
			sound = bytes.Clone(t.messages.Get(seqKey(1)))
			t.put(t.messages, seqKey(1), []byte("?"))
			t.put(t.Bucket(bucketAges), []byte("?"), []byte{})
			return t.Err
		}))
		time.Sleep(2 * time.Hour)
		f.puts("b")
		f.ok(f.do(ctx, func(t *tx) error {
			t.put(t.messages, seqKey(1), sound)
			t.del(t.Bucket(bucketAges), []byte("?"))
			return t.Err
		}))
	})
}

func TestMaxFailed(t *testing.T) {
	bubble(t, Options{Limits: Limits{MaxFailed: 2, MaxFailedAge: time.Hour}}, func(f *fixture) {
		for _, id := range []string{"a", "b"} {
			f.puts(id)
			f.reject(f.take(sim1))
			time.Sleep(time.Minute)
		}
		f.refused("queue limits exceeded: too many failed messages")
		time.Sleep(59*time.Minute + time.Millisecond)
		f.puts("c")
	})
	bubble(t, Options{Limits: Limits{MaxFailed: 1}}, func(f *fixture) {
		f.puts("a")
		f.reject(f.take(sim1))
		time.Sleep(1000 * time.Hour)
		f.refused("queue limits exceeded: too many failed messages")
	})
}

// BenchmarkEnqueueLimits: the limits look at counters, not at messages. No fsync.
func BenchmarkEnqueueLimits(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		q := full(b, n, false)
		for _, limits := range []Limits{{}, {MaxPending: 1 << 30}, {MaxPendingAge: 1 << 62}, {MaxFailed: 1 << 30, MaxFailedAge: 1000 * time.Hour}} {
			b.Run(fmt.Sprintf("%+v", limits), func(b *testing.B) {
				q.opts.Limits = limits
				for b.Loop() {
					if _, err := q.Enqueue(ctx, Submission{Recipients: []string{alice}}, 1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}
