package queue

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestRetire: what ended before the time goes, with all that points to it; what has not ended stays,
// however old.
func TestRetire(t *testing.T) {
	bubble(t, Options{UnknownAfter: 90 * time.Minute}, func(f *fixture) {
		start := time.Now()
		c := sim1
		c.Limit = Limit{Count: 1000, Period: time.Minute}
		f.put(Submission{ID: "pending", SIM: 9, Recipients: []string{alice, bob}}, 2)
		f.put(Submission{ID: "cancelled", ValidUntil: time.Now().AddDate(0, 1, 0), Recipients: []string{alice, bob}}, 2)
		_, err := f.Cancel(ctx, "cancelled")
		f.ok(err)
		f.put(Submission{ID: "delivered", ValidUntil: time.Now().AddDate(0, 1, 0)}, 2)
		f.run(c)
		f.report(card1, 1, alice, VerdictDelivered, Matched)
		f.report(card1, 2, alice, VerdictDelivered, Matched)
		f.puts("lost")
		f.lose(f.take(sim1))
		f.puts("failed")
		f.reject(f.take(sim1))
		pause(2 * time.Hour)
		f.put(Submission{ID: "late"}, 1)
		f.run(c)
		f.puts("unknown")
		f.lose(f.take(sim1))
		f.puts("young")
		f.run(c)

		var from uint64
		deleted, more, err := f.Retire(ctx, start.Add(time.Hour), &from, 100)
		f.ok(err)
		if deleted != 3 || more {
			t.Errorf("deleted %d, more %t; want 3 and no more", deleted, more)
		}
		f.wantList("left", Filter{Limit: 10}, 5, "young", "unknown", "late", "lost", "pending")
		wantGone(t, f.Queue, []uint64{2, 3, 5}, []string{"cancelled", "delivered", "failed"})
		for _, id := range []string{"cancelled", "delivered", "failed"} {
			_, err := f.Get(ctx, id)
			wantErr(t, err, ErrNotFound)
		}
		f.puts("delivered") // a retired ID may be used again
		_, err = f.Cancel(ctx, "delivered")
		f.ok(err)
		f.report(card1, 1, alice, VerdictDelivered, Orphan)

		// The lost one ended when it was given up.
		from = 0
		deleted, _, err = f.Retire(ctx, start.Add(105*time.Minute), &from, 100)
		f.ok(err)
		if deleted != 1 {
			t.Errorf("deleted %d, want the lost one", deleted)
		}
		wantGone(t, f.Queue, []uint64{4}, []string{"lost"})
	})
}

func TestRetireInSmallSteps(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		for i := range 700 {
			m := f.put(Submission{ID: fmt.Sprint(i)}, 1)
			if i%3 > 0 {
				_, err := f.Cancel(ctx, m.ID)
				f.ok(err)
			}
		}
		pause(time.Hour)
		var from uint64
		deleted, steps, more := 0, 0, true
		for more {
			n, m, err := f.Retire(ctx, time.Now(), &from, 100)
			f.ok(err)
			if n > 100 || n == 0 {
				t.Fatalf("a step of 100 deleted %d", n)
			}
			deleted, steps, more = deleted+n, steps+1, m
		}
		if deleted != 466 || steps != 5 {
			t.Errorf("deleted %d in %d steps, want 466 in 5", deleted, steps)
		}
		if _, total := f.list(Filter{}); total != 234 {
			t.Errorf("%d messages left, want 234", total)
		}
	})
}

// TestRetireWithWrongClock: messages accepted while the clock was ahead do not shield later ones.
func TestRetireWithWrongClock(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		real := time.Now()
		time.Sleep(24 * 365 * time.Hour) // what the clock said for a while
		for range 300 {
			_, err := f.Cancel(ctx, f.put(Submission{}, 1).ID)
			f.ok(err)
		}
		f.ok(f.do(ctx, func(t *tx) error {
			t.now = real.UnixMilli() // and was set back
			if _, err := t.enqueue(&Submission{ID: "now", Recipients: []string{alice}}, 1); err != nil {
				return err
			}
			return t.cancel(301)
		}))
		var from uint64
		deleted, _, err := f.Retire(ctx, real.Add(time.Hour), &from, 1000)
		f.ok(err)
		if deleted != 1 {
			t.Errorf("deleted %d, want the one that ended in time", deleted)
		}
	})
}

// TestRetireUnknownKeys: a part that was unknown on two cards leaves none of its filings.
func TestRetireUnknownKeys(t *testing.T) {
	bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
		f.puts("m", "n")
		f.lose(f.take(sim1))    // n
		f.lose(f.take(swapped)) // n again
		f.acceptAs(f.take(sim1), 40)
		f.report(card2, 3, alice, VerdictDelivered, Matched) // n's second submission
		f.wantState("n", Delivered)
		pause(time.Hour)
		var from uint64
		if n, _, err := f.Retire(ctx, time.Now(), &from, 10); n != 1 || err != nil {
			t.Errorf("retired %d, %v", n, err)
		}
		wantGone(t, f.Queue, []uint64{2}, []string{"n"})
	})
}

// TestRetireStartsAgain: when a neighbour spoils the commit and each operation runs again, retention
// does not skip what it had looked at.
func TestRetireStartsAgain(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		for range 10 {
			_, err := f.Cancel(ctx, f.put(Submission{}, 1).ID)
			f.ok(err)
		}
		pause(time.Hour)
		spoilt := make(chan error, 1)
		release := f.hold()
		done := make(chan int, 1)
		var from uint64
		go func() {
			n, _, err := f.Retire(ctx, time.Now(), &from, 5)
			if err != nil {
				t.Error(err)
			}
			done <- n
		}()
		synctest.Wait()
		go func() { spoilt <- f.do(ctx, spoil) }()
		synctest.Wait()
		close(release)
		if n, err := <-done, <-spoilt; n != 5 || err == nil || from != 6 {
			t.Errorf("retired %d up to %d beside error %v, want 5 up to 6", n, from, err)
		}
	})
}
