package store_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"dongled/scheduler/store"
)

var census = store.Census{Blocks: []byte("blocks"), Supers: []byte("supers"), Marks: 3}

// counted is a room with a census, and what the census should know.
type counted struct {
	*store.Store
	path string
	rows map[uint64]counting
}

type counting struct {
	at   int64
	mark byte
}

func (*counted) Buckets() [][]byte           { return [][]byte{census.Blocks, census.Supers} }
func (*counted) Kinds() []byte               { return nil }
func (*counted) Prepare(*store.Tx) error     { return nil }
func (*counted) Due(*store.Tx, byte, []byte) {}

func newCounted(t testing.TB, path string) *counted {
	t.Helper()
	c := &counted{path: path, rows: map[uint64]counting{}}
	s, err := store.Open(path, store.Options{}, c)
	if err != nil {
		t.Fatal(err)
	}
	c.Store = s
	t.Cleanup(func() { _ = s.Close() })
	c.do(t, func(t *store.Tx) { t.DB().NoSync = true })
	return c
}

// faults takes what a check finds: a testing.TB, or a rapid.T.
type faults interface {
	Helper()
	Errorf(string, ...any)
}

func (c *counted) do(t faults, f func(*store.Tx)) {
	t.Helper()
	if err := c.Do(ctx, func(t *store.Tx) error { f(t); return nil }); err != nil {
		t.Errorf("%v", err)
	}
}

// set gives row seq a mark, 0 to delete it.
func (c *counted) set(t *store.Tx, seq uint64, at int64, mark byte) {
	before := c.rows[seq].mark
	if before != 0 {
		at = c.rows[seq].at
	}
	census.Set(t, seq, at, before, mark)
	if c.rows[seq] = (counting{at, mark}); mark == 0 {
		delete(c.rows, seq)
	}
}

// check compares an answer with a scan over all rows.
func (c *counted) check(t faults, q store.Query) {
	t.Helper()
	q.At = func(seq uint64) int64 { return c.rows[seq].at }
	var want []uint64
	for _, seq := range slices.Sorted(maps.Keys(c.rows)) {
		r, at := c.rows[seq], time.UnixMilli(c.rows[seq].at)
		if (q.Mark == 0 || q.Mark == r.mark) && !at.Before(q.From) && (q.To.IsZero() || at.Before(q.To)) {
			want = append(want, seq)
		}
	}
	if !q.OldestFirst {
		slices.Reverse(want)
	}
	wantTotal := len(want)
	want = want[min(q.Offset, wantTotal):]
	want = want[:min(q.Limit, len(want))]
	var got []uint64
	var total int
	if err := c.View(func(btx *bolt.Tx) error { got, total = census.Select(btx, q); return nil }); err != nil {
		t.Errorf("%v", err)
	}
	if !slices.Equal(got, want) || total != wantTotal {
		t.Errorf("%+v:\n got %d of %d\nwant %d of %d", q, got, total, want, wantTotal)
	}
}

// TestCensusMatchesScan sets rows at random, in a few places of the sequence so that several levels
// are partly filled, with a clock that jumps about, and compares answers with a scan.
func TestCensusMatchesScan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	seqs := rapid.OneOf(rapid.Uint64Range(1, 600), rapid.Uint64Range(65_500, 65_600), rapid.Uint64Range(200_000, 200_300))
	times := rapid.Int64Range(-50, 1000)
	c := newCounted(t, path)
	rapid.Check(t, func(t *rapid.T) {
		c.do(t, func(tx *store.Tx) {
			for range rapid.IntRange(0, 300).Draw(t, "rows") {
				c.set(tx, seqs.Draw(t, "seq"), times.Draw(t, "at"), rapid.ByteRange(0, 3).Draw(t, "mark"))
			}
		})
		bound := func(what string) time.Time {
			if !rapid.Bool().Draw(t, "has "+what) {
				return time.Time{}
			}
			return time.UnixMilli(times.Draw(t, what))
		}
		for range 5 {
			c.check(t, store.Query{
				Mark: rapid.ByteRange(0, 3).Draw(t, "mark"), From: bound("from"), To: bound("to"),
				Limit: rapid.IntRange(0, 50).Draw(t, "limit"), Offset: rapid.IntRange(0, 400).Draw(t, "offset"),
				OldestFirst: rapid.Bool().Draw(t, "oldest first"),
			})
		}
		c.checkOlder(t, times.Draw(t, "before"), seqs.Draw(t, "from"), rapid.IntRange(1, 40).Draw(t, "most"))
	})
	// When the last row is gone the census holds nothing.
	c.do(t, func(tx *store.Tx) {
		for _, seq := range slices.Collect(maps.Keys(c.rows)) {
			c.set(tx, seq, 0, 0)
		}
	})
	c.check(t, store.Query{Limit: 1})
	if err := c.View(func(btx *bolt.Tx) error {
		for _, name := range c.Buckets() {
			if k, _ := btx.Bucket(name).Cursor().First(); k != nil {
				t.Errorf("%s still has %x", name, k)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// checkOlder: no older row is left out, none comes twice or out of order, and paging ends.
func (c *counted) checkOlder(t faults, before int64, from uint64, limit int) {
	t.Helper()
	var got []uint64
	next, more := from, true
	for more {
		var page []uint64
		if err := c.View(func(btx *bolt.Tx) error {
			page, more = census.Older(btx, before, next, limit, func(mark byte) bool { return mark > 1 })
			return nil
		}); err != nil {
			t.Errorf("%v", err)
		}
		if len(page) > limit || more && len(page) < limit {
			t.Errorf("%d rows of %d asked for, more: %t", len(page), limit, more)
			return
		}
		if got = append(got, page...); more {
			next = page[len(page)-1] + 1
		}
	}
	if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("rows %d", got)
	}
	for seq, r := range c.rows {
		if wanted := r.mark > 1 && seq >= from; wanted && r.at < before && !slices.Contains(got, seq) {
			t.Errorf("row %d of %d is missing among those before %d: %d", seq, r.at, before, got)
		} else if !wanted && slices.Contains(got, seq) {
			t.Errorf("row %d with mark %d is among those from %d on", seq, r.mark, from)
		}
	}
}

// TestCensusOlderSkipsBlocks: a block of nothing but later rows is passed over.
func TestCensusOlderSkipsBlocks(t *testing.T) {
	c := newCounted(t, filepath.Join(t.TempDir(), "s.db"))
	c.do(t, func(tx *store.Tx) {
		for seq := uint64(1); seq < 600; seq++ {
			c.set(tx, seq, int64(seq), 1)
		}
	})
	looked := 0
	if err := c.View(func(btx *bolt.Tx) error {
		seqs, more := census.Older(btx, 10, 0, 1000, func(byte) bool { looked++; return true })
		if len(seqs) != 255 || more || looked != 255 { // the first block
			t.Errorf("%d rows, more: %t, %d looked at", len(seqs), more, looked)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// TestCensusCountsWithoutLooking: totals and skipped pages come from the counters, not from rows.
func TestCensusCountsWithoutLooking(t *testing.T) {
	c := newCounted(t, filepath.Join(t.TempDir(), "s.db"))
	c.do(t, func(tx *store.Tx) {
		for seq := uint64(1); seq <= 2000; seq++ {
			c.set(tx, seq, int64(seq), 1+byte(seq%2))
		}
	})
	looked := 0
	at := func(seq uint64) int64 { looked++; return int64(seq) }
	for _, q := range []store.Query{
		{Limit: 5}, {Mark: 2, Limit: 5, Offset: 900}, {From: time.UnixMilli(300), To: time.UnixMilli(1700), Limit: 5, Offset: 300},
	} {
		q.At, looked = at, 0
		if err := c.View(func(btx *bolt.Tx) error {
			if seqs, _ := census.Select(btx, q); len(seqs) != 5 {
				t.Errorf("page %d", seqs)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
		if looked > 2*256 { // the blocks at the two ends of the range
			t.Errorf("%+v looked at %d rows", q, looked)
		}
	}
}

// TestCensusDamage: what is too short to be a block hides no other one.
func TestCensusDamage(t *testing.T) {
	c := newCounted(t, filepath.Join(t.TempDir(), "db"))
	c.do(t, func(tx *store.Tx) {
		census.Set(tx, 1, 1000, 0, 1)
		census.Set(tx, 300, 2000, 0, 1)
		tx.Put(tx.Bucket(census.Blocks), make([]byte, 8), []byte("?"))
		tx.Put(tx.Bucket(census.Blocks), []byte{0}, []byte("?"))
	})
	err := c.View(func(tx *bolt.Tx) error {
		if seqs, more := census.Between(tx, 0, 5000, 0, 10, func(byte) bool { return true }); more || !slices.Equal(seqs, []uint64{300}) {
			t.Errorf("between: %v, %v", seqs, more)
		}
		if seqs, _ := census.Select(tx, store.Query{Limit: 10}); !slices.Equal(seqs, []uint64{300}) {
			t.Errorf("selected: %v", seqs)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
