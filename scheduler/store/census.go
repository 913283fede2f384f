package store

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A Census counts and pages the rows of a bucket whose keys are sequence numbers. It keeps a mark of
// every row in one octet, in blocks of 256 rows, and above them how many of 65536 rows bear which
// mark. Each level also has the earliest and latest time below it. A count looks at the upper level
// and at no more than the edges of the lower one, so its cost does not grow with the number of rows;
// times need not rise with the sequence number (a Pi's clock is set after it started), that only
// costs speed.
type Census struct {
	// Blocks and Supers name its buckets, which are its room's to list.
	Blocks, Supers []byte
	// Marks is the highest mark; the lowest is 1.
	Marks byte
}

// Query selects rows of a census.
type Query struct {
	// Mark is 0 for every mark.
	Mark byte
	// From (inclusive) and To (exclusive) bound the time of a row; zero leaves the side open.
	From, To time.Time
	// Limit is 0 to count only.
	Limit, Offset int
	// OldestFirst reverses the usual order, the highest sequence number first.
	OldestFirst bool
	// At is the time of a row in ms.
	At func(seq uint64) int64
}

const (
	blockBits = 8
	superBits = 16
	blockSize = 1 << blockBits

	boundsSize = 16 // earliest and latest time in ms, 8 octets each
)

// block is the stored form: bounds, then the marks. 0 stands for no row.
type block []byte

// super is the stored form: bounds, then a count for each mark, 0 included.
type super []byte

func (b block) marks() []byte { return b[boundsSize:] }

// count is 0 for a mark that there was not yet when s was written.
func (s super) count(mark byte) int {
	at := boundsSize + 4*int(mark)
	if at+4 > len(s) {
		return 0
	}
	return int(binary.BigEndian.Uint32(s[at:]))
}

func (s super) add(mark byte, n int) {
	binary.BigEndian.PutUint32(s[boundsSize+4*int(mark):], uint32(s.count(mark)+n))
}

func bounds(v []byte) (from, to int64) {
	return int64(binary.BigEndian.Uint64(v)), int64(binary.BigEndian.Uint64(v[8:]))
}

// widen makes the bounds of v include at.
func widen(v []byte, at int64, fresh bool) {
	from, to := bounds(v)
	if fresh || at < from {
		binary.BigEndian.PutUint64(v, uint64(at))
	}
	if fresh || at > to {
		binary.BigEndian.PutUint64(v[8:], uint64(at))
	}
}

// Set moves row seq, of that time in ms, from one mark to another. 0 stands for a row that was not
// there before, or will not be.
func (c Census) Set(t *Tx, seq uint64, at int64, before, after byte) {
	if before == after {
		return
	}
	t.edit(c.Blocks, seq>>blockBits, boundsSize+blockSize, at, func(v []byte) {
		block(v).marks()[seq%blockSize] = after
	})
	t.edit(c.Supers, seq>>superBits, boundsSize+4*(int(c.Marks)+1), at, func(v []byte) {
		if before != 0 {
			super(v).add(before, -1)
		}
		if after != 0 {
			super(v).add(after, +1)
		}
	})
}

// edit changes the value of size octets at key, which starts as zeros and goes when it is zeros again.
func (t *Tx) edit(bucket []byte, key uint64, size int, at int64, change func([]byte)) {
	b, k := t.Bucket(bucket), seqKey(key)
	old := b.Get(k)
	v := make([]byte, size)
	copy(v, old)
	widen(v, at, old == nil)
	change(v)
	if len(bytes.Trim(v[boundsSize:], "\x00")) == 0 {
		t.Del(b, k)
		return
	}
	t.Put(b, k, v)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// Older returns up to limit rows from a sequence number on that bear a wanted mark and may be of a
// time (ms) earlier than before, the lowest number first, and whether there are more. Blocks of
// nothing but later rows cost nothing.
func (c Census) Older(btx *bolt.Tx, before int64, from uint64, limit int, wanted func(mark byte) bool) (seqs []uint64, more bool) {
	return c.Between(btx, math.MinInt64, before, from, limit, wanted)
}

// Between is Older for rows that may be of a time from since (ms) on, and earlier than before.
func (c Census) Between(btx *bolt.Tx, since, before int64, from uint64, limit int, wanted func(mark byte) bool) (seqs []uint64, more bool) {
	cur := btx.Bucket(c.Blocks).Cursor()
	for k, v := cur.Seek(seqKey(from >> blockBits)); k != nil; k, v = cur.Next() {
		if len(k) != 8 || len(v) < boundsSize {
			continue // damaged
		}
		if earliest, latest := bounds(v); earliest >= before || latest < since {
			continue
		}
		for i, mark := range block(v).marks() {
			seq := binary.BigEndian.Uint64(k)<<blockBits | uint64(i)
			if seq < from || mark == 0 || !wanted(mark) {
				continue
			}
			if len(seqs) == limit {
				return seqs, true
			}
			seqs = append(seqs, seq)
		}
	}
	return seqs, false
}

// Select returns the sequence numbers of the page that q asks for, in its order, and the number of
// all rows that match.
func (c Census) Select(btx *bolt.Tx, q Query) (seqs []uint64, total int) {
	s := &selection{
		Query: q, from: lowerBound(q.From, math.MinInt64), to: lowerBound(q.To, math.MaxInt64),
		last: c.Marks, skip: max(0, q.Offset), want: q.Limit, blocks: btx.Bucket(c.Blocks),
	}
	s.each(btx.Bucket(c.Supers), 0, ^uint64(0), s.super)
	return s.seqs, s.total
}

// selection is a query while it runs.
type selection struct {
	Query
	from, to int64
	last     byte // the highest mark
	blocks   *bolt.Bucket
	// skip and want are what is left of Offset and Limit.
	skip, want int
	seqs       []uint64
	total      int
}

// lowerBound is the first millisecond at or after at, or else open.
func lowerBound(at time.Time, open int64) int64 {
	if at.IsZero() {
		return open
	}
	return at.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}

// each calls f for the entries of b with keys from first to last, in the order of the listing. Damaged
// ones are left out.
func (s *selection) each(b *bolt.Bucket, first, last uint64, f func(key uint64, v []byte)) {
	c := b.Cursor()
	low, high := seqKey(first), seqKey(last)
	k, v := c.Seek(low)
	step := c.Next
	if !s.OldestFirst {
		step = c.Prev
		if k, v = c.Seek(high); k == nil {
			k, v = c.Last()
		} else if !bytes.Equal(k, high) {
			k, v = c.Prev()
		}
	}
	for ; k != nil && bytes.Compare(k, low) >= 0 && bytes.Compare(k, high) <= 0; k, v = step() {
		if len(k) == 8 && len(v) >= boundsSize {
			f(binary.BigEndian.Uint64(k), v)
		}
	}
}

// covers reports whether the time range holds everything within the bounds of v, or nothing.
func (s *selection) covers(v []byte) (all, none bool) {
	from, to := bounds(v)
	return from >= s.from && to < s.to, to < s.from || from >= s.to
}

func (s *selection) super(key uint64, v []byte) {
	all, none := s.covers(v)
	if none {
		return
	}
	if all {
		n := s.inSuper(v)
		if n <= s.skip || s.want == 0 {
			s.total += n
			s.skip -= min(n, s.skip)
			return
		}
		// Only the page is still missing: once it is full, the counter has the rest.
		before := s.total
		const per = superBits - blockBits
		s.each(s.blocks, key<<per, (key+1)<<per-1, s.block)
		s.total = before + n
		return
	}
	const per = superBits - blockBits
	s.each(s.blocks, key<<per, (key+1)<<per-1, s.block)
}

func (s *selection) inSuper(v []byte) (n int) {
	for mark := byte(1); mark <= s.last; mark++ {
		if s.matches(mark) {
			n += super(v).count(mark)
		}
	}
	return n
}

func (s *selection) block(key uint64, v []byte) {
	all, none := s.covers(v)
	if none {
		return
	}
	marks := block(v).marks()
	if n := s.inBlock(marks); all && (n <= s.skip || s.want == 0) {
		s.total += n
		s.skip -= min(n, s.skip)
		return
	}
	for i := range marks {
		if !s.OldestFirst {
			i = len(marks) - 1 - i
		}
		if seq := key<<blockBits | uint64(i); s.matches(marks[i]) && (all || s.inRange(seq)) {
			s.take(seq)
		}
	}
}

func (s *selection) inBlock(marks []byte) (n int) {
	if s.Mark != 0 {
		return bytes.Count(marks, []byte{s.Mark})
	}
	return len(marks) - bytes.Count(marks, []byte{0})
}

func (s *selection) matches(mark byte) bool {
	return mark != 0 && (s.Mark == 0 || mark == s.Mark)
}

func (s *selection) inRange(seq uint64) bool {
	at := s.At(seq)
	return at >= s.from && at < s.to
}

func (s *selection) take(seq uint64) {
	s.total++
	switch {
	case s.skip > 0:
		s.skip--
	case s.want > 0:
		s.want--
		s.seqs = append(s.seqs, seq)
	}
}
