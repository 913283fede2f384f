package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

type fixture struct {
	*testing.T
	*outbox.Outbox
	store *store.Store
	path  string
}

// bubble runs f with a fresh outbox in virtual time, which starts at 2000-01-01 00:00 UTC.
func bubble(t *testing.T, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &fixture{T: t, path: filepath.Join(t.TempDir(), "s.db")}
		x.start()
		defer func() { x.ok(x.store.Close()) }()
		f(x)
	})
}

func (f *fixture) start() {
	f.Helper()
	f.Outbox = outbox.New(nil, nil)
	s, err := store.Open(f.path, store.Options{}, f.Outbox)
	f.ok(err)
	f.store = s
	f.ok(s.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// put adds events of these names in one commit.
func (f *fixture) put(names ...string) {
	f.Helper()
	f.ok(f.store.Do(ctx, func(t *store.Tx) error {
		for _, name := range names {
			f.Put(t, name, "ref of "+name, map[string]string{"name": name})
		}
		return t.Err
	}))
}

// want checks the events behind a number, at most limit of them.
func (f *fixture) want(after uint64, limit int, want ...string) {
	f.Helper()
	events, err := f.Events(after, limit)
	f.ok(err)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprintf("%d %s", e.Seq, e.Name))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		f.Errorf("events behind %d: %q, want %q", after, got, want)
	}
}

func TestEvents(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.want(0, 10)
		f.put("a", "b")
		time.Sleep(time.Second)
		f.put("c")
		f.want(0, 10, "1 a", "2 b", "3 c")
		f.want(0, 2, "1 a", "2 b")
		f.want(2, 10, "3 c")
		f.want(3, 10)
		f.want(99, 10)
		f.want(0, 0)
		events, err := f.Events(2, 1)
		f.ok(err)
		e := events[0]
		if !e.At.Equal(time.Now()) || e.Ref != "ref of c" || string(e.Payload) != `{"name":"c"}` {
			t.Errorf("event %+v, payload %s", e, e.Payload)
		}
	})
}

// TestNumbersNeverComeAgain: not after a restart, nor when all events are gone.
func TestNumbersNeverComeAgain(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.put("a", "b")
		f.ok(f.store.Close())
		f.start()
		f.put("c")
		f.want(0, 10, "1 a", "2 b", "3 c")
		time.Sleep(31 * 24 * time.Hour)
		synctest.Wait()
		f.want(0, 10)
		f.ok(f.store.Close())
		f.start()
		f.put("d")
		f.want(0, 10, "4 d")
	})
}

// TestEventFallsWithItsTransaction: what was undone is told to nobody.
func TestEventFallsWithItsTransaction(t *testing.T) {
	bubble(t, func(f *fixture) {
		spoilt := errors.New("spoilt")
		err := f.store.Do(ctx, func(t *store.Tx) error { f.Put(t, "a", "", 1); return spoilt })
		if !errors.Is(err, spoilt) {
			t.Errorf("error %v", err)
		}
		err = f.store.Do(ctx, func(t *store.Tx) error { f.Put(t, "b", "", func() {}); return t.Err })
		if err == nil {
			t.Error("a payload that is no JSON was taken")
		}
		f.want(0, 10)
		f.put("c")
		f.want(0, 10, "1 c")
	})
}

// TestKept: events are kept for thirty days, an hour more at the most, and cost nothing meanwhile.
func TestKept(t *testing.T) {
	bubble(t, func(f *fixture) {
		for range 700 { // more than one commit deletes
			f.put("old")
		}
		time.Sleep(24 * time.Hour)
		f.put("young")
		time.Sleep(29 * 24 * time.Hour)
		synctest.Wait()
		f.want(0, 1, "1 old")
		time.Sleep(time.Hour)
		synctest.Wait()
		f.want(0, 10, "701 young")
		var before, after int
		f.ok(f.store.Do(ctx, func(t *store.Tx) error { before = t.ID(); return nil }))
		time.Sleep(22 * time.Hour)
		synctest.Wait()
		f.ok(f.store.Do(ctx, func(t *store.Tx) error { after = t.ID(); return nil }))
		if after != before {
			t.Errorf("%d commits while nothing happened", after-before)
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		f.want(0, 10)
	})
}

// TestClockSet: an event that was made before the clock was set, by years, is kept as long as others.
func TestClockSet(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.put("of the run before")
		f.ok(f.store.Close())
		f.start()
		f.put("a", "b")
		time.Sleep(time.Minute)
		f.ok(f.store.Do(ctx, func(t *store.Tx) error { // as if all were of 1970
			b := t.Bucket([]byte("outbox"))
			for seq := byte(1); seq <= 3; seq++ {
				k := []byte{0, 0, 0, 0, 0, 0, 0, seq}
				t.Put(b, k, append(make([]byte, 8), b.Get(k)[8:]...))
			}
			t.At(t.Now, 20, nil)
			return nil
		}))
		time.Sleep(29 * 24 * time.Hour)
		synctest.Wait()
		f.want(0, 10, "2 a", "3 b")
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		f.want(0, 10)
	})
}

// TestDamaged: what does not decode is an error, not a missing event, and stops no sweep.
func TestDamaged(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.put("a")
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			b := t.Bucket([]byte("outbox"))
			t.Put(b, []byte("\x00\x00\x00\x00\x00\x00\x00\x02"), []byte("12345678{"))
			t.Put(b, []byte("\x00\x00\x00\x00\x00\x00\x00\x03"), []byte("short"))
			return nil
		}))
		for after := range uint64(3) {
			if events, err := f.Events(after, 10); err == nil {
				t.Errorf("events %+v", events)
			}
		}
		f.want(0, 1, "1 a")
	})
}

func TestClosed(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.ok(f.store.Close())
		if _, err := f.Events(0, 1); !errors.Is(err, store.ErrClosed) {
			t.Errorf("error %v", err)
		}
		f.start()
	})
}
