package queue

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

var errSpoilt = errors.New("spoilt")

// spoil is an operation that fails after it wrote.
func spoil(t *tx) error {
	t.put(t.meta, []byte("spoilt"), []byte{1})
	return errSpoilt
}

// hold keeps the writer busy until the channel it returns is closed.
func (f *fixture) hold() chan struct{} {
	release, held := make(chan struct{}), make(chan struct{})
	go func() {
		_ = f.do(ctx, func(*tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	return release
}

// commits counts the transactions committed while run ran: each takes the next transaction ID, and
// one that is rolled back gives it back.
func (f *fixture) commits(run func()) int {
	id := func() (id int) {
		f.ok(f.do(ctx, func(t *tx) error { id = t.id; return nil }))
		return id
	}
	before := id()
	run()
	return id() - before
}

// TestLoneWriterDoesNotWait: no virtual time passes, so nothing waited for company.
func TestLoneWriterDoesNotWait(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		start := time.Now()
		n := f.commits(func() {
			for range 20 {
				f.puts("")
			}
		})
		if took := time.Since(start); took != 0 {
			t.Errorf("20 lone submissions waited %v", took)
		}
		if n != 20 {
			t.Errorf("%d commits for 20 submissions one after another", n)
		}
	})
}

func TestCrowdSharesACommit(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		n := f.commits(func() {
			release := f.hold()
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() { f.puts("") })
			}
			synctest.Wait()
			close(release)
			wg.Wait()
		})
		if n > 2 {
			t.Errorf("%d commits for 64 submissions at once", n)
		}
		if _, total := f.list(Filter{}); total != 64 {
			t.Errorf("%d messages", total)
		}
	})
}

// TestOneCommitAPart: what became of a part and the intent for the next are one commit, and a claim
// that finds nothing is none.
func TestOneCommitAPart(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m"}, 10)
		if n := f.commits(func() { f.run(sim1) }); n != 11 {
			t.Errorf("%d commits for 10 parts, want 11", n)
		}
		if n := f.commits(func() { f.idle(sim1); f.report(card1, 1, alice, VerdictDelivered, Matched) }); n != 1 {
			t.Errorf("%d commits for a claim of nothing and a report, want 1", n)
		}
	})
}

func TestFailureHurtsNobodyElse(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("used")
		release := f.hold()
		var wg sync.WaitGroup
		for _, id := range []string{"a", "used", "b"} {
			wg.Go(func() {
				_, err := f.Enqueue(ctx, Submission{ID: id, Recipients: []string{alice}}, 1)
				if id == "used" {
					wantErr(t, err, ErrDuplicateID)
				} else if err != nil {
					t.Error(id, err)
				}
			})
		}
		for range 2 {
			wg.Go(func() { wantErr(t, f.do(ctx, spoil), errSpoilt) })
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if _, total := f.list(Filter{}); total != 3 {
			t.Errorf("%d messages, want 3", total)
		}
		f.ok(f.do(ctx, func(tx *tx) error {
			if tx.meta.Get([]byte("spoilt")) != nil {
				t.Error("what a failed operation wrote is there")
			}
			return nil
		}))
	})
}

func TestDuplicateIDChangesNothing(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m")
		_, err := f.Enqueue(ctx, Submission{ID: "m", Recipients: []string{bob}, Priority: 3}, 4)
		wantErr(t, err, ErrDuplicateID)
		if m := f.get("m"); len(m.Recipients) != 1 || m.Recipients[0].Number != alice || len(m.Recipients[0].Parts) != 1 {
			t.Errorf("message %+v", m)
		}
		equal(t, "sent", f.run(sim1), []string{"m"})
	})
}

func TestClosed(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m")
		j := f.take(sim1)
		release := f.hold()
		last := make(chan error, 1)
		go func() { _, err := f.Enqueue(ctx, Submission{ID: "last", Recipients: []string{alice}}, 1); last <- err }()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- f.Close() }()
		synctest.Wait()
		_, err := f.Enqueue(ctx, Submission{Recipients: []string{alice}}, 1)
		wantErr(t, err, ErrClosed)
		close(release)
		if err := errors.Join(<-closed, <-last); err != nil {
			t.Errorf("what was taken before Close: %v", err)
		}
		_, _, err = f.Step(ctx, &Outcome{Job: j, Kind: OutcomeAccepted}, &sim1)
		wantErr(t, err, ErrClosed)
		_, _, err = f.Step(ctx, nil, &sim1)
		wantErr(t, err, ErrClosed)
		_, err = f.Report(ctx, Report{})
		wantErr(t, err, ErrClosed)
		_, err = f.Get(ctx, "m")
		wantErr(t, err, ErrClosed)
		_, _, err = f.List(ctx, Filter{})
		wantErr(t, err, ErrClosed)
		f.ok(f.Close()) // again
		f.start()
		f.get("last")
	})
}

func TestCallerGivesUp(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		release := f.hold()
		for range storeBatch { // nobody can be taken any more
			go func() { _ = f.do(ctx, func(*tx) error { return nil }) }()
		}
		synctest.Wait()
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := f.Enqueue(short, Submission{ID: "m", Recipients: []string{alice}}, 1)
		wantErr(t, err, context.DeadlineExceeded)
		close(release)
		synctest.Wait()
		_, err = f.Get(ctx, "m")
		wantErr(t, err, ErrNotFound)
	})
}

// TestFullDisk: everybody in the batch learns that the commit failed, and the store goes on when
// there is room again.
func TestFullDisk(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		setMax := func(n int) { f.ok(f.do(ctx, func(t *tx) error { t.DB().MaxSize = n; return nil })) }
		f.puts("before")
		setMax(1)
		big := Submission{Recipients: []string{alice}, Content: Content{Text: string(make([]byte, 200<<10))}}
		release := f.hold()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := f.Enqueue(ctx, big, 1)
				wantErr(t, err, bolterrors.ErrMaxSizeReached)
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		setMax(0)
		f.puts("after")
		f.wantList("stored", Filter{Limit: 9}, 2, "after", "before")
	})
}

// TestReportsRide: a report waits for the commit of a part in flight, 5 ms at the most, and for
// nothing when no part is in flight.
func TestReportsRide(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		took := func(run func()) time.Duration {
			start := time.Now()
			run()
			return time.Since(start)
		}
		f.sent("m", alice, 1)
		report := func() { f.report(card1, 1, alice, VerdictTrying, Matched) }
		if d := took(report); d != 0 {
			t.Errorf("without a part in flight a report waited %v", d)
		}
		f.puts("n")
		j := f.take(sim1)
		if d := took(report); d != 5*time.Millisecond {
			t.Errorf("a report waited %v for a part in flight, want 5 ms", d)
		}
		if d := took(func() { f.puts("o") }); d != 0 {
			t.Errorf("a submission waited %v", d)
		}
		n := f.commits(func() {
			if d := took(func() {
				go func() { time.Sleep(2 * time.Millisecond); f.accept(j) }()
				report()
			}); d != 2*time.Millisecond {
				t.Errorf("a report waited %v for an answer that came after 2 ms", d)
			}
			synctest.Wait()
		})
		if n != 1 {
			t.Errorf("%d commits for a report and an answer", n)
		}
		if d := took(report); d != 0 {
			t.Errorf("after the answer a report waited %v", d)
		}
	})
}

// TestClockSetForward: a timer that fell due because the clock was set, not because time passed, is
// seen within a minute.
func TestClockSetForward(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m", ScheduleAt: time.Now().Add(1000 * time.Hour)}, 1)
		// Virtual clocks cannot be set: the entry is moved under the sleeping alarm instead.
		var db *bolt.DB
		f.ok(f.do(ctx, func(t *tx) error { db = t.DB(); return nil }))
		f.ok(db.Update(func(btx *bolt.Tx) error {
			b := btx.Bucket(bucketTimers)
			k, _ := b.Cursor().First()
			rest := append([]byte{}, k[9:]...)
			if err := b.Delete(k); err != nil {
				return err
			}
			return b.Put(timerKey(time.Now().UnixMilli(), timerReady, rest), []byte{})
		}))
		f.idle(sim1)
		pause(time.Minute)
		equal(t, "woken", f.wakes(), []int{0})
		equal(t, "sent", f.run(sim1), []string{"m"})
	})
}

// TestDamagedTimer: a timer cut short is dropped, and those of others go off.
func TestDamagedTimer(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m", ScheduleAt: time.Now().Add(time.Hour)}, 1)
		f.ok(f.do(ctx, func(t *tx) error {
			for _, kind := range []byte{timerReady, timerExpire, timerUnknown, timerOrphan} {
				for size := range oldReadySize {
					t.At(t.now, kind, make([]byte, size))
				}
			}
			return nil
		}))
		pause(2 * time.Hour)
		equal(t, "sent", f.run(sim1), []string{"m"})
	})
}

// TestDamagedMessage: it is an error to read, and hides no other message of a listing.
func TestDamagedMessage(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "a"}, 1)
		f.put(Submission{ID: "b"}, 1)
		var key, record []byte
		f.ok(f.do(ctx, func(t *tx) error {
			k, v := t.deliveries.Cursor().First()
			key, record = bytes.Clone(k), bytes.Clone(v)
			t.put(t.deliveries, key, []byte("nonsense"))
			return nil
		}))
		if m, err := f.Get(ctx, "a"); err == nil {
			t.Errorf("a damaged message is read as %+v", m)
		}
		page, total, err := f.List(ctx, Filter{Limit: 10})
		if err != nil || total != 2 || len(page) != 1 || page[0].ID != "b" {
			t.Errorf("%d, %+v, %v", total, page, err)
		}
		f.ok(f.do(ctx, func(t *tx) error { // for the check at the end
			t.put(t.deliveries, key, record)
			return nil
		}))
	})
}

func TestOpenTwice(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		if q, err := Open(f.path, Options{}); err == nil {
			t.Error("a second process may open the store", q.Close())
		}
	})
}

func TestOpenNonsense(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "no", "such", "folder", "q.db"), Options{}); err == nil {
		t.Error("opened a store in a folder that does not exist")
	}
}

func TestGateway(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		g, err := f.Gateway()
		f.ok(err)
		if len(g.ID) != 21 || !g.Created.Equal(time.Now()) {
			t.Errorf("gateway %+v", g)
		}
		pause(time.Hour)
		f.reopen()
		if again, err := f.Gateway(); again != g || err != nil {
			t.Errorf("after a restart %+v, %v, was %+v", again, err, g)
		}
	})
}

func TestOpenRefusesAnotherSchema(t *testing.T) {
	for _, schema := range [][]byte{{0}, {3}, {}, {1, 1}} {
		bubble(t, Options{}, func(f *fixture) {
			f.ok(f.do(ctx, func(t *tx) error { t.put(t.meta, keySchema, schema); return nil }))
			f.ok(f.Close())
			q, err := Open(f.path, Options{})
			if err == nil {
				t.Errorf("opened schema %v", schema)
				f.ok(q.Close())
			}
			// Put it right again for the check at the end.
			raw, err := openRaw(f.path)
			f.ok(err)
			f.ok(raw.Update(func(btx *bolt.Tx) error { return btx.Bucket(bucketMeta).Put(keySchema, []byte{2}) }))
			f.ok(raw.Close())
			f.start()
		})
	}
}
