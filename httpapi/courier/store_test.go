package courier_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/courier"
	"dongled/httpapi/post/posttest"
	"dongled/scheduler/store"
)

// A restart keeps attempts, times and the order of lines.
func TestRestart(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Says(500)
		f.put(to("box", "l", "a"), to("box", "l", "b"), to("box", "", "c"))
		f.hadAtOnce("box", "0 a", "0 c")
		pass(4 * time.Second)
		f.reopen()
		pass(6 * time.Second)
		f.hadAtOnce("box", "0 a", "0 c", "10 a", "10 c")
		f.close()
		time.Sleep(2 * time.Hour) // what falls due meanwhile is tried at the start
		f.net.Host("box").Says(200)
		f.start()
		synctest.Wait()
		f.want("a delivered 3", "b delivered 1", "c delivered 3")
		f.idle()
	})
}

// The plan of a newer version may be shorter: what is beyond it has one more try.
func TestPlanShortened(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Says(500)
		f.put(to("box", "", "a"))
		pass(10 * time.Second)
		f.plans["bird"] = courier.Plan{}
		f.reopen()
		synctest.Wait()
		f.want("a failed 3")
	})
}

// How long a start waits, whatever the clock was set to while nobody ran.
func TestClockOverRestart(t *testing.T) {
	const now = 946684800000
	for _, x := range []struct {
		what     string
		attempts int
		due      int64
		want     time.Duration
	}{
		{"new", 0, 0, 0},
		{"due in 7 s", 1, now + 7000, 7 * time.Second},
		{"due now", 1, now, 0},
		{"overdue", 2, now - 1, 0},
		{"put there in 1970, and the clock was set forward", 2, 5000, 0},
		{"the clock was set back by years", 2, now + 3e11, time.Minute},
		{"the clock was set back a little", 1, now + 10_001, 10 * time.Second},
		{"beyond its plan", 3, now + 5000, 0},
	} {
		if got := courier.Wait(plan, x.attempts, x.due, now); got != x.want {
			t.Errorf("%s: %v, want %v", x.what, got, x.want)
		}
	}
}

// rewrite changes the row of a number as a clock that was set would have, while nobody runs.
func (f *fixture) rewrite(seq uint64, change func(v []byte) []byte) {
	f.Helper()
	f.ok(f.store.Do(ctx, func(t *store.Tx) error {
		b := store.Bucket(t, []byte("vendors/callbacks"))
		k := binary.BigEndian.AppendUint64(nil, seq)
		t.Put(b, k, change(bytes.Clone(b.Get(k))))
		return nil
	}))
}

// Within a run pauses are the monotonic clock's: what is stored of the clock of the day is not asked.
func TestClockWithinRun(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Says(500)
		f.put(to("box", "", "a"))
		f.rewrite(1, func(v []byte) []byte {
			binary.BigEndian.PutUint64(v[1:], 1<<50) // due in 37000 years
			return v
		})
		pass(10 * time.Second)
		f.had("box", "0 a", "10 a")
	})
}

// Ended callbacks keep no URL, header, body or secret.
func TestEndedIsSlim(t *testing.T) {
	bubble(t, func(f *fixture) {
		cb := to("box", "line-1", "b0dy")
		cb.Header["X-Key"] = "h3ader"
		cb.Ref = "m"
		f.put(cb)
		f.ok(f.store.View(func(t *bolt.Tx) error {
			_, v := store.Bucket(t, []byte("vendors/callbacks")).Cursor().First()
			for _, gone := range []string{"s3cret", "h3ader", "b0dy", "k3y", "line-1"} {
				if bytes.Contains(v, []byte(gone)) {
					f.Errorf("%q is still in %q", gone, v)
				}
			}
			return nil
		}))
		f.want("m delivered 1")
	})
}

// Ended callbacks go after seven days, and a pending one stays.
func TestSweep(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.plans["bird"] = courier.Plan{Pauses: []time.Duration{20 * day}}
		f.reopen()
		f.net.Host("bad").Says(500)
		f.put(to("bad", "", "p"))
		for i := range 6 {
			f.put(to("box", "", fmt.Sprint(i)))
			pass(time.Hour)
		}
		pass(6*day + 17*time.Hour)
		f.want("p pending 1", "0 delivered 1", "1 delivered 1", "2 delivered 1", "3 delivered 1", "4 delivered 1", "5 delivered 1")
		pass(3 * time.Hour)
		f.want("p pending 1", "2 delivered 1", "3 delivered 1", "4 delivered 1", "5 delivered 1")
		pass(day)
		f.want("p pending 1")
	})
}

// Of too many that ended the oldest go, those of either state on their own, also those of the run before.
func TestBound(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.plans["bird"] = courier.Plan{}
		f.reopen()
		f.net.Host("bad").Says(500)
		f.put(to("bad", "", "first failed"))
		most := courier.KeepMost + courier.Slack
		f.puts(most)
		if n := f.rows("vendors/callbacks"); n != most+1 {
			f.Errorf("%d rows", n)
		}
		f.reopen()
		f.puts(1)
		if n := f.rows("vendors/callbacks"); n > courier.KeepMost+2 || n < courier.KeepMost+1 {
			f.Errorf("%d rows", n)
		}
		_, left, err := f.List(ctx, "failed", 1, 0)
		f.ok(err)
		if left != 1 {
			f.Errorf("%d failed", left)
		}
		f.puts(courier.Slack - 2)
		if n := f.rows("vendors/callbacks"); n > most+1 {
			f.Errorf("%d rows", n)
		}
	})
}

// puts puts n callbacks that are taken.
func (f *fixture) puts(n int) {
	f.Helper()
	all := make([]courier.Callback, n)
	for i := range all {
		all[i] = to("box", "", fmt.Sprint(i))
	}
	f.put(all...)
}

// The callbacks of a dialect that is off wait, do not hold others, and go after seven days.
func TestDialectOff(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.plans["skycore"] = plan
		f.reopen()
		f.net.Host("box").Turns(posttest.Closed)
		for i := range 600 { // more than one commit deletes
			cb := to("box", "", fmt.Sprint(i))
			cb.Dialect = "skycore"
			f.ok(f.store.Do(ctx, func(t *store.Tx) error { f.Put(t, cb); return nil }))
		}
		synctest.Wait()
		delete(f.plans, "skycore")
		f.reopen()
		f.net.Host("box").Says(200)
		before := len(f.net.Host("box").Had())
		pass(3 * day)
		f.reopen()
		pass(4*day - time.Second)
		if n := f.rows("vendors/callbacks"); n != 600 || len(f.net.Host("box").Had()) != before {
			f.Errorf("%d rows, %d requests", n, len(f.net.Host("box").Had())-before)
		}
		pass(2 * time.Second)
		if n := f.rows("vendors/callbacks") + f.rows("vendors/callbacks_away"); n != 0 {
			f.Errorf("%d rows", n)
		}
		if log := f.log.String(); strings.Count(log, "they are dropped in seven days") != 1 || !strings.Contains(log, "are dropped\" dialect=skycore count=88") {
			f.Errorf("log %s", log)
		}
	})
}

// A dialect that is back in time goes on, and its days off count anew the next time.
func TestDialectBack(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Turns(posttest.Closed)
		f.put(to("box", "", "x"))
		f.off()
		pass(5 * day)
		f.plans["bird"] = courier.Plan{Pauses: append(slices.Clone(plan.Pauses), 30*day)}
		f.reopen()
		synctest.Wait()
		pass(2 * time.Minute)
		f.want("x pending 3")
		f.off()
		pass(6 * day)
		f.want("x pending 3")
		f.net.Host("box").Says(200)
		f.reopen()
		pass(30 * day)
		f.want("x delivered 4")
	})
}

// off restarts with the plan taken back.
func (f *fixture) off() {
	f.Helper()
	f.without = []string{"bird"}
	f.reopen()
	f.without = nil
}

// A clock that is set forward by years does not make a dialect be off for long.
func TestDialectOffBeforeTheClockIsSet(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Turns(posttest.Closed)
		f.put(to("box", "", "x"))
		f.off()
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			t.Put(store.Bucket(t, []byte("vendors/callbacks_away")), []byte("bird"), make([]byte, 8)) // since 1970
			t.At(t.Now, 61, []byte("bird"))
			return nil
		}))
		pass(6 * day)
		f.want("x pending 1")
		pass(day)
		f.want()
	})
}

// A callback of nobody's plan waits for the next start to find out.
func TestUnknownDialect(t *testing.T) {
	bubble(t, func(f *fixture) {
		cb := to("box", "", "x")
		cb.Dialect = "twilio"
		f.put(cb)
		pass(time.Hour)
		f.want("x pending 0")
		f.plans["twilio"] = plan
		f.reopen()
		synctest.Wait()
		f.want("x delivered 1")
	})
}

// Damaged rows are dropped at the start, or when their turn comes, and hold nobody.
func TestDamage(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("box").Says(500)
		f.put(to("box", "l", "a"), to("box", "l", "b"), to("box", "", "c"))
		f.rewrite(1, func(v []byte) []byte { return v[:20] })
		f.rewrite(3, func(v []byte) []byte { return append(v[:9], '?') })
		f.net.Host("box").Says(200)
		if page, total, err := f.List(ctx, "", 10, 0); err != nil || total != 2 || len(page) != 1 {
			f.Errorf("%d, %+v, %v", total, page, err)
		}
		pass(10 * time.Second)
		f.want("b delivered 1")
		f.idle()
		f.put(to("box", "l", "d"))
		f.ok(f.store.Do(ctx, func(t *store.Tx) error {
			b := store.Bucket(t, []byte("vendors/callbacks"))
			t.Put(b, []byte("short"), []byte{1})
			t.Put(b, binary.BigEndian.AppendUint64(nil, 99), append(make([]byte, 9), 255, 255, 255, 255))
			return nil
		}))
		f.reopen()
		f.want("b delivered 1", "d delivered 1")
		if n := f.rows("vendors/callbacks"); n != 2 {
			f.Errorf("%d rows", n)
		}
		if n := strings.Count(f.log.String(), "a callback is lost"); n != 2 {
			f.Errorf("%d are lost: %s", n, f.log)
		}
	})
}

// Pages of the list, newest first.
func TestList(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.net.Host("bad").Says(500)
		f.put(to("box", "", "a"), to("bad", "", "b"), to("box", "", "c"), to("bad:1", "", "d"), to("box", "", "e"))
		for _, x := range []struct {
			state         string
			limit, offset int
			want          string
			total         int
		}{
			{"", 2, 0, "msg-e msg-d ", 5},
			{"", 2, 4, "msg-a ", 5},
			{"", 2, 5, "", 5},
			{"pending", 9, 0, "msg-d msg-b ", 2},
			{"delivered", 1, 1, "msg-c ", 3},
			{"failed", 9, 0, "", 0},
		} {
			page, total, err := f.List(ctx, x.state, x.limit, x.offset)
			f.ok(err)
			got := ""
			for _, d := range page {
				got += d.Ref + " "
			}
			if got != x.want || total != x.total {
				f.Errorf("%+v: %q of %d", x, got, total)
			}
		}
	})
}

// FuzzRow: what decodes is stored as it was, and nothing crashes.
func FuzzRow(f *testing.F) {
	f.Fuzz(func(t *testing.T, v []byte) {
		once, err := courier.RoundTrip(v)
		if err != nil {
			return
		}
		twice, err := courier.RoundTrip(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q, then %q, %v", once, twice, err)
		}
	})
}
