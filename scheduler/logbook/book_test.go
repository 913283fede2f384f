package logbook_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/logbook"
	"dongled/scheduler/store"
)

// A line is in the list at once, and on disk with the others after half a minute, in one commit.
func TestBatches(t *testing.T) {
	bubble(t, func(f *fixture) {
		before := f.commits()
		f.log.Info("one")
		time.Sleep(20 * time.Second)
		f.log.Warn("two")
		f.want("one", "two")
		if n := f.commits() - before; n != 0 {
			t.Errorf("%d commits for two lines that can wait", n)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		if n := f.commits() - before; n != 1 {
			t.Errorf("%d commits, want 1", n)
		}
		time.Sleep(time.Hour)
		if n := f.commits() - before; n != 1 {
			t.Errorf("%d commits while nothing was logged, want 1", n)
		}
		f.want("one", "two")
	})
}

// An error comes to disk within a second, once for many.
func TestErrorsAreSooner(t *testing.T) {
	bubble(t, func(f *fixture) {
		time.Sleep(10 * time.Second)
		before := f.commits()
		for n := range 20 {
			f.log.Error("bad", "n", n)
		}
		f.log.Info("well")
		time.Sleep(time.Second + time.Millisecond)
		if n := f.commits() - before; n != 1 {
			t.Errorf("%d commits, want 1", n)
		}
	})
}

// What is pending at the end of Run is on disk, and ids go on without a gap.
func TestOrderlyEnd(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.say(0, 3)
		f.stop()
		f.log.Info("too late")
		f.start()
		f.say(3, 5)
		f.stop()
		f.start()
		f.want("line 0", "line 1", "line 2", "line 3", "line 4")
		for i, e := range f.list() {
			if e.ID != uint64(i+1) {
				t.Errorf("%s has id %d", e.Message, e.ID)
			}
		}
	})
}

// What is logged before the store is open gets its id when it opens.
func TestBeforeTheStore(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.say(0, 2)
		f.stop()
		b := logbook.New()
		slog.New(b.Handler(slog.DiscardHandler)).Info("early")
		s, err := store.Open(f.path, store.Options{}, b)
		f.ok(err)
		entries, err := b.List(ctx, time.Time{}, time.Time{}, all)
		f.ok(err)
		if got := strings.Join(messagesOf(entries), " "); got != "line 0 line 1 early" || entries[2].ID != 3 {
			t.Errorf("%s, the last has id %d", got, entries[2].ID)
		}
		f.ok(s.Close())
		f.start()
	})
}

func TestEntry(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.log.With("component", "modem").Warn("the modem was reset", "sim", 1, "err", errDisk)
		check := func() {
			t.Helper()
			e := f.list()[0]
			at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
			if e.ID != 1 || !e.At.Equal(at) || e.Level != "WARN" || e.Module != "modem" || e.Message != "the modem was reset" ||
				string(e.Context) != `{"err":"no space left on device","sim":1}` {
				t.Errorf("%+v %s", e, e.Context)
			}
		}
		check()
		time.Sleep(time.Minute)
		check()
	})
}

// From is inclusive, to is not; of too many the newest are listed, over what is on disk and what is not.
func TestList(t *testing.T) {
	bubble(t, func(f *fixture) {
		epoch := time.Now()
		for n := range 10 { // a flush comes between the sixth and the seventh
			f.say(n, n+1)
			time.Sleep(6 * time.Second)
		}
		at := func(n int) time.Time { return epoch.Add(time.Duration(n) * 6 * time.Second) }
		for _, tt := range []struct {
			from, to time.Time
			limit    int
			want     string
		}{
			{time.Time{}, time.Time{}, 2, "line 8 line 9"},
			{time.Time{}, time.Time{}, 6, "line 4 line 5 line 6 line 7 line 8 line 9"},
			{at(2), at(4), all, "line 2 line 3"},
			{at(2).Add(1), at(4).Add(1), all, "line 3 line 4"},
			{at(8), time.Time{}, all, "line 8 line 9"},
			{time.Time{}, at(2), all, "line 0 line 1"},
			{time.Time{}, at(5), 1, "line 4"},
			{at(4), at(4), all, ""},
			{at(99), time.Time{}, all, ""},
		} {
			if got := strings.Join(messagesOf(f.between(tt.from, tt.to, tt.limit)), " "); got != tt.want {
				t.Errorf("from %v to %v limit %d: %s, want %s", tt.from, tt.to, tt.limit, got, tt.want)
			}
		}
	})
}

// A storm of one line is kept as a few lines that say how often it came.
func TestStormOfEqualLines(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.log.Info("before")
		for range 60 { // an hour
			for range 600 {
				f.log.Warn("storm", "sim", 1)
				time.Sleep(100 * time.Millisecond)
			}
		}
		entries := f.list()
		if len(entries) < 3 || len(entries) > 20 || entries[0].Message != "before" {
			t.Fatalf("%d entries, the first %s", len(entries), entries[0].Message)
		}
		// The window of a minute ends with the 601st.
		if got := string(entries[2].Context); got != `{"repeated":599,"sim":1}` || entries[2].Message != "storm" {
			t.Errorf("%s %s", entries[2].Message, got)
		}
		// When it is over that is noted, too, and nothing more.
		time.Sleep(2 * time.Hour)
		after := len(f.list())
		time.Sleep(3 * time.Hour)
		if n := len(f.list()); n != after {
			t.Errorf("%d entries came from nothing", n-after)
		}
		var counted int
		for _, e := range f.list()[1:] {
			if _, times, is := strings.Cut(string(e.Context), `"repeated":`); is {
				var n int
				_, err := fmt.Sscanf(times, "%d", &n)
				f.ok(err)
				counted += n
			} else {
				counted++
			}
		}
		for i, e := range f.list()[1:] {
			if before := f.list()[i]; e.At.Before(before.At) {
				t.Errorf("entry %d is older than the one before", e.ID)
			}
		}
		if counted != 36_000 {
			t.Errorf("the entries stand for %d lines", counted)
		}
	})
}

// A storm of one message with ever other attributes is bounded as well; others are not touched by it.
func TestStormOfOneMessage(t *testing.T) {
	bubble(t, func(f *fixture) {
		for n := range 36_000 {
			f.log.Info("storm", "n", n)
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(f.list()); n < 21 || n > 200 {
			t.Errorf("%d entries", n)
		}
		f.log.Info("storm") // of another component it is another message
		f.log.With("component", "calm").Info("storm")
		f.log.Info("other")
		e := f.list()
		if got := e[len(e)-1].Message + e[len(e)-2].Module; got != "othercalm" {
			t.Error(got)
		}
	})
}

// Lines that are equal but far apart are all kept.
func TestRareLinesAreKept(t *testing.T) {
	bubble(t, func(f *fixture) {
		for range 30 {
			f.log.Info("tick")
			time.Sleep(61 * time.Second)
		}
		if n := len(f.list()); n != 30 {
			t.Errorf("%d entries, want 30", n)
		}
	})
}

// The book holds MaxEntries, the newest.
func TestBounded(t *testing.T) {
	bubble(t, func(f *fixture) {
		const lines = logbook.MaxEntries + 2500
		for n := 0; n < lines; n += 500 {
			f.say(n, n+500)
			time.Sleep(30*time.Second + time.Millisecond)
		}
		entries := f.list()
		if n := len(entries); n > logbook.MaxEntries || n < logbook.MaxEntries-1000 {
			t.Errorf("%d entries", n)
		}
		if last := entries[len(entries)-1]; last.Message != fmt.Sprint("line ", lines-1) || last.ID != lines {
			t.Errorf("the last is %+v", last)
		}
		f.stop()
		f.start()
		if n := len(f.list()); n != len(entries) {
			t.Errorf("%d entries after a restart, %d before", n, len(entries))
		}
	})
}

// More than can wait in memory comes to disk sooner.
func TestManyAtOnce(t *testing.T) {
	bubble(t, func(f *fixture) {
		for n := 0; n < 5000; n += 400 {
			f.say(n, n+400)
			synctest.Wait()
			time.Sleep(time.Millisecond)
		}
		if n := len(f.list()); n != 5200 {
			t.Errorf("%d entries", n)
		}
	})
}

func TestLifetime(t *testing.T) {
	const day = 24 * time.Hour
	bubble(t, func(f *fixture) {
		f.stop()
		f.lifetime = 10 * day
		f.start()
		f.say(0, 1)
		time.Sleep(5 * day)
		f.say(1, 2)
		time.Sleep(5*day - time.Hour)
		f.want("line 0", "line 1")
		time.Sleep(3 * time.Hour)
		f.want("line 1")
		// Over a restart, and shorter at once.
		f.stop()
		f.lifetime = 30 * day
		f.start()
		time.Sleep(20 * day)
		f.want("line 1")
		f.say(2, 3)
		f.SetLifetime(day)
		time.Sleep(time.Minute)
		f.want("line 2")
		// 0 keeps.
		f.SetLifetime(0)
		time.Sleep(30 * day)
		f.want("line 2")
		f.SetLifetime(day)
		time.Sleep(time.Minute)
		f.want()
	})
}

// A thousand entries of one age go in several commits.
func TestLifetimeOfMany(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.SetLifetime(time.Hour)
		f.say(0, 1000)
		time.Sleep(3 * time.Hour)
		f.want()
	})
}

// put writes what a run with another clock, or a fault of the card, left.
func (f *fixture) put(key, value []byte) {
	f.Helper()
	f.ok(f.store.Do(ctx, func(t *store.Tx) error {
		t.Put(t.Bucket([]byte("logbook")), key, value)
		return t.Err
	}))
}

func entryAt(at time.Time, rest string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())), rest...)
}

// A Pi's clock starts in the past and is set later: what was logged in between is no older than this run.
func TestClockWasSet(t *testing.T) {
	bubble(t, func(f *fixture) {
		h := f.Handler(slog.DiscardHandler)
		f.ok(h.Handle(ctx, slog.NewRecord(time.UnixMilli(0), slog.LevelInfo, "early", 0)))
		f.ok(h.Handle(ctx, slog.NewRecord(time.Now().Add(90*24*time.Hour), slog.LevelInfo, "future", 0)))
		f.log.Info("now")
		f.SetLifetime(48 * time.Hour)
		time.Sleep(47 * time.Hour)
		f.want("early", "future", "now")
		time.Sleep(3 * time.Hour)
		f.want("future")
	})
}

// Damage hides nothing else and stops nothing.
func TestDamage(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.say(0, 2)
		time.Sleep(time.Minute)
		for i, v := range [][]byte{{}, {1, 2, 3}, entryAt(time.Now(), ""), entryAt(time.Now(), "{"), entryAt(time.Now(), `{"x":[1]}`)} {
			f.put(binary.BigEndian.AppendUint64(nil, uint64(100+i)), v)
		}
		f.put([]byte("k"), entryAt(time.Now(), `{"m":"short key"}`))
		f.put(binary.BigEndian.AppendUint64(nil, 1<<60), entryAt(time.Now(), `{"m":"absurd id"}`))
		f.want("line 0", "line 1")
		if !strings.Contains(f.terminal.String(), "a line of the log is left out: the store is damaged") {
			t.Error("the damage is not told")
		}
		f.stop()
		f.start()
		f.say(2, 3)
		f.want("line 0", "line 1", "line 2")
		if id := f.list()[2].ID; id < 105 || id > 2000 {
			t.Errorf("id %d", id)
		}
		f.SetLifetime(time.Minute)
		time.Sleep(3 * time.Hour)
		f.want()
	})
}

// The reservation may be damaged as well.
func TestDamagedReservation(t *testing.T) {
	for _, v := range [][]byte{{}, {1}, binary.BigEndian.AppendUint64(nil, 1<<63)} {
		bubble(t, func(f *fixture) {
			f.say(0, 2)
			time.Sleep(time.Minute)
			f.stop()
			db, err := bolt.Open(f.path, 0o600, nil)
			f.ok(err)
			f.ok(db.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte("logbook_ids")).Put([]byte("reserved"), v) }))
			f.ok(db.Close())
			f.start()
			f.say(2, 3)
			if e := f.list(); len(e) != 3 || e[2].ID != 3 {
				t.Errorf("%+v", e)
			}
		})
	}
}

// A store that refuses blocks no logger and feeds no loop; what it missed is noted when it works again.
func TestStoreRefuses(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.say(0, 1)
		time.Sleep(time.Minute)
		max := func(n int) { f.ok(f.store.Do(ctx, func(t *store.Tx) error { t.DB().MaxSize = n; return nil })) }
		max(1)
		fill := strings.Repeat("x", 2000)
		for n := range 1500 {
			f.log.Error(fmt.Sprint("bad ", n), "fill", fill)
		}
		time.Sleep(10 * time.Minute)
		if n := strings.Count(f.terminal.String(), "the log is not stored for GET /logs"); n != 1 {
			t.Errorf("its own trouble is told %d times, want once", n)
		}
		if n := len(f.list()); n != 1001 {
			t.Errorf("%d entries, of which 1000 wait", n)
		}
		max(0)
		time.Sleep(time.Minute)
		f.log.Info("again")
		e := f.list()
		if got := messagesOf(e[len(e)-2:]); got[1] != "again" || !strings.HasPrefix(got[0], "lines were left out") ||
			string(e[len(e)-2].Context) != `{"lines":500}` {
			t.Errorf("%q %s", got, e[len(e)-2].Context)
		}
		for i := 1; i < len(e); i++ {
			if e[i].ID <= e[i-1].ID {
				t.Fatalf("id %d after %d", e[i].ID, e[i-1].ID)
			}
		}
	})
}

// A room that logs in the writer, in a commit of the log itself, comes to no standstill.
type talkative struct{ log *slog.Logger }

func (*talkative) Buckets() [][]byte             { return nil }
func (*talkative) Kinds() []byte                 { return []byte{59} }
func (*talkative) Prepare(*store.Tx) error       { return nil }
func (r *talkative) Due(*store.Tx, byte, []byte) { r.log.Error("from within the writer") }

func TestLoggingInTheWriter(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.stop()
		f.start() // closed below, with another room
		f.stop()
		b := logbook.New()
		r := &talkative{slog.New(b.Handler(slog.DiscardHandler))}
		s, err := store.Open(f.path, store.Options{}, b, r)
		f.ok(err)
		f.ok(s.Do(ctx, func(t *store.Tx) error {
			r.log.Warn("in an operation")
			t.At(t.Now, 59, nil)
			t.After(func() { r.log.Info("after the commit") })
			return t.Err
		}))
		entries, err := b.List(ctx, time.Time{}, time.Time{}, all)
		f.ok(err)
		if got := strings.Join(messagesOf(entries), ", "); got != "in an operation, from within the writer, after the commit" {
			t.Error(got)
		}
		f.ok(s.Close())
		f.start()
	})
}

// Loggers and readers at the same time: no line is lost, doubled or out of order.
func TestConcurrently(t *testing.T) {
	bubble(t, func(f *fixture) {
		const writers, each = 8, 100
		var done sync.WaitGroup
		for w := range writers {
			log := f.log.With("w", w)
			done.Go(func() {
				for n := range each {
					log.Error(fmt.Sprint("line ", w, ".", n))
					time.Sleep(time.Duration(w+1) * 77 * time.Millisecond)
				}
			})
		}
		for range 40 {
			time.Sleep(time.Second)
			e := f.list()
			for i := 1; i < len(e); i++ {
				if e[i].ID != e[i-1].ID+1 {
					t.Fatalf("id %d after %d", e[i].ID, e[i-1].ID)
				}
			}
		}
		done.Wait()
		if n := len(f.list()); n != writers*each {
			t.Errorf("%d entries", n)
		}
	})
}

func TestListAfterTheEnd(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.say(0, 1)
		f.stop()
		if _, err := f.List(ctx, time.Time{}, time.Time{}, all); !errors.Is(err, store.ErrClosed) {
			t.Errorf("error %v", err)
		}
		f.start()
	})
}
