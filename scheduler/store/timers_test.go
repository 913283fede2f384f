package store_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// at sets a timer that is due in d.
func (f *fixture) at(d time.Duration, kind byte, rest string) {
	f.Helper()
	f.ok(f.Do(ctx, func(t *store.Tx) error { t.At(in(d), kind, []byte(rest)); return nil }))
}

// pass lets d pass, and a moment more in which what is due is done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestTimers: each comes once, in the order of time, to the room that owns its kind, and not early.
func TestTimers(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.at(3*time.Second, 1, "c")
		f.at(time.Second, 2, "a")
		f.at(time.Second, 3, "for the other")
		f.at(2*time.Second, 1, "cancelled")
		f.at(2*time.Second, 1, "b")
		f.ok(f.Do(ctx, func(t *store.Tx) error { t.Cancel(in(2*time.Second), 1, []byte("cancelled")); return nil }))
		pass(time.Second - time.Millisecond)
		equal(t, "early", f.one.heard(), nil)
		pass(time.Millisecond)
		equal(t, "after 1 s", f.one.heard(), []string{"2 a"})
		equal(t, "of the other", f.two.heard(), []string{"3 for the other"})
		pass(time.Hour)
		equal(t, "later", f.one.heard(), []string{"1 b", "1 c"})
		equal(t, "of the other", f.two.heard(), nil)
	})
}

// TestGuestLeavesTimersAlone: who opens one of the rooms neither fires nor drops what is due.
func TestGuestLeavesTimersAlone(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.at(time.Second, 1, "a")
		f.at(time.Second, 3, "of the room that is away")
		f.ok(f.Close())
		pass(time.Minute)
		guest, err := store.Open(f.path, store.Options{Guest: true}, f.one)
		f.ok(err)
		pass(time.Hour)
		f.ok(guest.Do(ctx, func(t *store.Tx) error {
			f.one.put(t, "by the guest")
			t.At(in(time.Second), 1, []byte("b"))
			return nil
		}))
		pass(time.Hour)
		f.ok(guest.Close())
		equal(t, "of the guest", f.one.heard(), nil)
		f.start()
		pass(0)
		equal(t, "afterwards", f.one.heard(), []string{"1 a", "1 b"})
		equal(t, "of the other", f.two.heard(), []string{"3 of the room that is away"})
		f.want("by the guest")
	})
}

// TestTimersOutliveTheProcess: what fell due meanwhile comes at once, and the rest in its time.
func TestTimersOutliveTheProcess(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.at(time.Second, 1, "a")
		f.at(time.Minute, 1, "b")
		f.at(time.Hour, 1, "c")
		f.ok(f.Close())
		pass(2 * time.Minute)
		f.start()
		pass(0)
		equal(t, "at the start", f.one.heard(), []string{"1 a", "1 b"})
		pass(time.Hour)
		equal(t, "later", f.one.heard(), []string{"1 c"})
	})
}

// TestTimersOfAnHour: a room that sets its timer anew is called at that pace, also where it is behind.
func TestTimersOfAnHour(t *testing.T) {
	bubble(t, func(f *fixture) {
		var times []string
		start := time.Now()
		f.one.onDue = func(tx *store.Tx, kind byte, rest []byte) {
			times = append(times, time.Since(start).String())
			if len(times)%3 == 0 { // caught up
				tx.At(in(time.Hour), kind, rest)
			} else {
				tx.At(tx.Now, kind, rest)
			}
		}
		f.at(time.Hour, 1, "")
		pass(2 * time.Hour)
		equal(t, "times", times, []string{"1h0m0s", "1h0m0s", "1h0m0s", "2h0m0s", "2h0m0s", "2h0m0s"})
	})
}

// TestManyTimers: more than one commit may fire come all the same, in order.
func TestManyTimers(t *testing.T) {
	bubble(t, func(f *fixture) {
		const n = 1500
		f.ok(f.Do(ctx, func(t *store.Tx) error {
			for i := range n {
				t.At(in(time.Second), 1, fmt.Appendf(nil, "%04d", i))
			}
			return nil
		}))
		commits := f.commits(func() { pass(time.Second) })
		heard := f.one.heard()
		if len(heard) != n || heard[0] != "1 0000" || heard[n-1] != "1 1499" {
			t.Errorf("%d timers came", len(heard))
		}
		if commits != 3 {
			t.Errorf("%d commits", commits)
		}
	})
}

// TestTimerRefused: a timer whose commit failed comes again when there is room.
func TestTimerRefused(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.one.onDue = func(t *store.Tx, _ byte, rest []byte) {
			t.Put(t.Bucket(f.one.bucket), rest, make([]byte, 200<<10))
		}
		f.at(time.Second, 1, "big")
		f.setMax(1)
		pass(time.Minute)
		f.wantNot("big")
		f.setMax(0)
		pass(5 * time.Second)
		f.want("big")
	})
}

// TestTimerOfNobody: a kind that no room owns, as a later version's, stops nobody, and is told.
func TestTimerOfNobody(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.ok(f.Close())
		var log bytes.Buffer
		s, err := store.Open(f.path, store.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, f.one)
		f.ok(err)
		f.Store = s
		f.at(time.Second, 99, "whose?")
		f.at(time.Second, 1, "mine")
		// What was damaged is none either.
		f.ok(s.Do(ctx, func(t *store.Tx) error { t.Put(t.Bucket([]byte("timers")), []byte("bad"), nil); return nil }))
		pass(time.Second)
		equal(t, "heard", f.one.heard(), []string{"1 mine"})
		f.ok(s.View(func(btx *bolt.Tx) error {
			if k, _ := btx.Bucket([]byte("timers")).Cursor().First(); k != nil {
				t.Errorf("timer %q is left", k)
			}
			return nil
		}))
		if n := strings.Count(log.String(), "a timer that belongs to nobody"); n != 2 {
			t.Errorf("logged %q", log.String())
		}
	})
}

// TestClockSetForward: a timer that fell due because the clock was set, not because time passed, is
// seen within a minute.
func TestClockSetForward(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.at(1000*time.Hour, 1, "a")
		// Virtual clocks cannot be set: the entry is moved under the sleeping alarm instead.
		var db *bolt.DB
		f.ok(f.Do(ctx, func(t *store.Tx) error { db = t.DB(); return nil }))
		f.ok(db.Update(func(btx *bolt.Tx) error {
			b := btx.Bucket([]byte("timers"))
			k, _ := b.Cursor().First()
			k = bytes.Clone(k)
			if err := b.Delete(k); err != nil {
				return err
			}
			binary.BigEndian.PutUint64(k, uint64(in(0)))
			return b.Put(k, []byte{})
		}))
		pass(time.Minute)
		equal(t, "heard", f.one.heard(), []string{"1 a"})
	})
}
