package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"

	"dongled/scheduler/store"
)

// TestCrowdSharesACommit, and a lone caller waits for nobody.
func TestCrowdSharesACommit(t *testing.T) {
	bubble(t, func(f *fixture) {
		start := time.Now()
		if n := f.commits(func() {
			for i := range 20 {
				f.ok(f.put(fmt.Sprint("alone ", i)))
			}
		}); n != 20 || time.Since(start) != 0 {
			t.Errorf("%d commits in %v for 20 callers one after another", n, time.Since(start))
		}
		n := f.commits(func() {
			release := f.hold()
			var wg sync.WaitGroup
			for i := range 64 {
				wg.Go(func() { f.ok(f.put(fmt.Sprint("crowd ", i))) })
			}
			synctest.Wait()
			close(release)
			wg.Wait()
		})
		if n != 1 {
			t.Errorf("%d commits for 64 callers at once", n)
		}
		f.want("alone 0", "alone 19", "crowd 0", "crowd 63")
	})
}

func TestNothingWrittenIsNoCommit(t *testing.T) {
	bubble(t, func(f *fixture) {
		after := 0
		if n := f.commits(func() {
			f.ok(f.Do(ctx, func(t *store.Tx) error { t.After(func() { after++ }); return nil }))
			wantErr(t, f.Do(ctx, func(*store.Tx) error { return errSpoilt }), errSpoilt)
		}); n != 0 {
			t.Errorf("%d commits", n)
		}
		if after != 1 {
			t.Errorf("what is to follow ran %d times", after)
		}
	})
}

// TestRoomsShareATransaction: what two rooms write in one operation is there together or not at all.
func TestRoomsShareATransaction(t *testing.T) {
	bubble(t, func(f *fixture) {
		both := func(key string, err error) error {
			return f.Do(ctx, func(t *store.Tx) error { f.one.put(t, key); f.two.put(t, key); return err })
		}
		f.ok(both("a", nil))
		wantErr(t, both("b", errSpoilt), errSpoilt)
		for _, r := range []*room{f.one, f.two} {
			if !r.has(t, f.Store, "a") || r.has(t, f.Store, "b") {
				t.Errorf("room %s has a: %t, b: %t", r.bucket, r.has(t, f.Store, "a"), r.has(t, f.Store, "b"))
			}
		}
	})
}

// TestFailureHurtsNobodyElse: neither one that fails before it wrote nor one that fails after.
func TestFailureHurtsNobodyElse(t *testing.T) {
	bubble(t, func(f *fixture) {
		after := map[string]int{}
		release := f.hold()
		var wg sync.WaitGroup
		for _, key := range []string{"a", "b"} {
			wg.Go(func() {
				f.ok(f.Do(ctx, func(t *store.Tx) error {
					f.one.put(t, key)
					t.After(func() { after[key]++ })
					return nil
				}))
			})
		}
		wg.Go(func() {
			wantErr(t, f.Do(ctx, func(t *store.Tx) error { t.After(func() { after["refused"]++ }); return errSpoilt }), errSpoilt)
		})
		wg.Go(func() {
			wantErr(t, f.Do(ctx, func(t *store.Tx) error {
				f.one.put(t, "spoilt")
				t.After(func() { after["spoilt"]++ })
				return errSpoilt
			}), errSpoilt)
		})
		synctest.Wait()
		close(release)
		wg.Wait()
		f.want("a", "b")
		f.wantNot("spoilt")
		if after["a"] != 1 || after["b"] != 1 || after["spoilt"]+after["refused"] != 0 {
			t.Errorf("what is to follow ran %v times", after)
		}
	})
}

// TestAfterComesBeforeTheAnswer, and after the commit.
func TestAfterComesBeforeTheAnswer(t *testing.T) {
	bubble(t, func(f *fixture) {
		told := false
		f.ok(f.Do(ctx, func(tx *store.Tx) error {
			f.one.put(tx, "a")
			tx.After(func() { told = f.one.has(t, f.Store, "a") })
			return nil
		}))
		if !told {
			t.Error("the caller was answered first, or before the commit")
		}
	})
}

func TestFail(t *testing.T) {
	bubble(t, func(f *fixture) {
		err := f.Do(ctx, func(t *store.Tx) error {
			f.one.put(t, "a")
			t.Fail(nil)
			t.Fail(errSpoilt)
			t.Fail(context.Canceled)
			return nil
		})
		wantErr(t, err, errSpoilt)
		f.wantNot("a")
		// What bbolt refuses is such a failure too.
		err = f.Do(ctx, func(t *store.Tx) error { f.one.put(t, "b"); f.one.put(t, ""); return nil })
		wantErr(t, err, bolterrors.ErrKeyRequired)
		f.wantNot("b")
	})
}

// TestFullDisk: everybody in the batch learns that the commit failed, and the store goes on when
// there is room again.
func TestFullDisk(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.ok(f.put("before"))
		f.setMax(1)
		release := f.hold()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				err := f.Do(ctx, func(t *store.Tx) error {
					t.Put(t.Bucket(f.one.bucket), []byte("big"), make([]byte, 200<<10))
					return nil
				})
				wantErr(t, err, bolterrors.ErrMaxSizeReached)
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		f.setMax(0)
		f.ok(f.put("after"))
		f.want("before", "after")
		f.wantNot("big")
	})
}

// TestAhead: the caller goes on once the operation ran, and learns of the disk when it asks.
func TestAhead(t *testing.T) {
	bubble(t, func(f *fixture) {
		shown, stored, err := f.Ahead(ctx, func(t *store.Tx) error { f.one.put(t, "a"); return nil })
		f.ok(err)
		f.ok(stored())
		f.ok(stored()) // as often as one likes
		if !shown {
			t.Error("it was not shown")
		}
		shown, stored, err = f.Ahead(ctx, func(*store.Tx) error { return errSpoilt })
		f.ok(err)
		wantErr(t, stored(), errSpoilt)
		if shown {
			t.Error("a failure was shown")
		}
		f.want("a")
	})
}

// TestAheadFailsWithItsCommit: what was shown is not tried again, as it could come out otherwise.
func TestAheadFailsWithItsCommit(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.setMax(1)
		release := f.hold()
		var wg sync.WaitGroup
		wg.Go(func() {
			runs := 0
			shown, stored, err := f.Ahead(ctx, func(t *store.Tx) error { runs++; f.one.put(t, "a"); return nil })
			f.ok(err)
			if !shown {
				t.Error("it was not shown")
			}
			wantErr(t, stored(), bolterrors.ErrMaxSizeReached)
			if runs != 1 {
				t.Errorf("it ran %d times", runs)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			err := f.Do(ctx, func(t *store.Tx) error {
				t.Put(t.Bucket(f.one.bucket), []byte("big"), make([]byte, 200<<10))
				return nil
			})
			wantErr(t, err, bolterrors.ErrMaxSizeReached)
		})
		synctest.Wait()
		close(release)
		wg.Wait()
		f.wantNot("a", "big")
	})
}

// TestRide: it waits for a commit that is promised, 5 ms at the most, and otherwise for nothing.
func TestRide(t *testing.T) {
	bubble(t, func(f *fixture) {
		ride := func(key string) (took time.Duration) {
			start := time.Now()
			f.ok(f.Ride(ctx, func(t *store.Tx) error { f.one.put(t, key); return nil }))
			return time.Since(start)
		}
		promise := func(n int) {
			f.ok(f.Do(ctx, func(t *store.Tx) error { t.Promise(n); return nil }))
		}
		if took := ride("a"); took != 0 {
			t.Errorf("with nothing promised it waited %v", took)
		}
		promise(2)
		promise(-1)
		if took := ride("b"); took != 5*time.Millisecond {
			t.Errorf("with a commit promised it waited %v", took)
		}
		n := f.commits(func() {
			go func() { time.Sleep(2 * time.Millisecond); f.ok(f.put("promised")) }()
			if took := ride("c"); took != 2*time.Millisecond {
				t.Errorf("for a commit 2 ms away it waited %v", took)
			}
		})
		if n != 1 {
			t.Errorf("%d commits", n)
		}
		promise(-1)
		if took := ride("d"); took != 0 {
			t.Errorf("with the promise taken back it waited %v", took)
		}
		f.want("a", "b", "c", "d", "promised")
	})
}

// TestPromiseFallsWithItsCommit: a promise made in a commit that failed was none.
func TestPromiseFallsWithItsCommit(t *testing.T) {
	bubble(t, func(f *fixture) {
		wantErr(t, f.Do(ctx, func(t *store.Tx) error {
			f.one.put(t, "a")
			t.Promise(1)
			return errSpoilt
		}), errSpoilt)
		start := time.Now()
		f.ok(f.Ride(ctx, func(t *store.Tx) error { f.one.put(t, "b"); return nil }))
		if took := time.Since(start); took != 0 {
			t.Errorf("it waited %v", took)
		}
	})
}

func TestCallerGivesUp(t *testing.T) {
	bubble(t, func(f *fixture) {
		release := f.hold()
		for range 1024 { // nobody can be taken any more
			go func() { _ = f.put("crowd") }()
		}
		synctest.Wait()
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		err := f.Do(short, func(t *store.Tx) error { f.one.put(t, "a"); return nil })
		wantErr(t, err, context.DeadlineExceeded)
		close(release)
		synctest.Wait()
		f.wantNot("a")
		f.want("crowd")
	})
}

// TestClosed: what was taken before Close is stored, riders included, and nothing after.
func TestClosed(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.ok(f.Do(ctx, func(t *store.Tx) error { t.Promise(1); return nil }))
		release := f.hold()
		last := make(chan error, 2)
		go func() { last <- f.put("last") }()
		go func() {
			last <- f.Ride(ctx, func(t *store.Tx) error { f.one.put(t, "rider"); return nil })
		}()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- f.Close() }()
		synctest.Wait()
		nothing := func(*store.Tx) error { return nil }
		wantErr(t, f.Do(ctx, nothing), store.ErrClosed)
		wantErr(t, f.Ride(ctx, nothing), store.ErrClosed)
		close(release)
		f.ok(<-closed)
		f.ok(<-last)
		f.ok(<-last)
		_, _, err := f.Ahead(ctx, nothing)
		wantErr(t, err, store.ErrClosed)
		wantErr(t, f.View(nil), store.ErrClosed)
		f.ok(f.Close()) // again
		f.start()
		f.want("last", "rider")
	})
}
