package queue

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The state map keeps the State of every message in one octet, in blocks of 256 messages, and above
// them how many of 65536 messages are in which state. Each level also has the earliest and latest
// time of creation below it. A count looks at the upper level and at no more than the edges of the
// lower one, so its cost does not grow with the number of messages stored; creation times need not
// rise with the sequence number (a Pi's clock is set after it started), that only costs speed.
const (
	blockBits = 8
	superBits = 16
	blockSize = 1 << blockBits

	boundsSize = 16 // earliest and latest creation time in ms, 8 octets each
	superSize  = boundsSize + 4*len(stateCounts{})
)

// block is the stored form: bounds, then the states. 0 stands for no message.
type block []byte

// super is the stored form: bounds, then a count for each State.
type super []byte

func (b block) states() []byte { return b[boundsSize:] }

func (s super) count(st State) int {
	return int(binary.BigEndian.Uint32(s[boundsSize+4*int(st):]))
}

func (s super) add(st State, n int) {
	binary.BigEndian.PutUint32(s[boundsSize+4*int(st):], uint32(s.count(st)+n))
}

func bounds(v []byte) (from, to int64) {
	return int64(binary.BigEndian.Uint64(v)), int64(binary.BigEndian.Uint64(v[8:]))
}

// widen makes the bounds of v include created.
func widen(v []byte, created int64, fresh bool) {
	from, to := bounds(v)
	if fresh || created < from {
		binary.BigEndian.PutUint64(v, uint64(created))
	}
	if fresh || created > to {
		binary.BigEndian.PutUint64(v[8:], uint64(created))
	}
}

// setState moves message seq from one state to another in the state map. 0 stands for a message that
// was not there before, or will not be.
func (t *tx) setState(seq uint64, created int64, before, after State) {
	if before == after {
		return
	}
	t.edit(t.blocks, seq>>blockBits, boundsSize+blockSize, created, func(v []byte) {
		block(v).states()[seq%blockSize] = byte(after)
	})
	t.edit(t.supers, seq>>superBits, superSize, created, func(v []byte) {
		if before != 0 {
			super(v).add(before, -1)
		}
		if after != 0 {
			super(v).add(after, +1)
		}
	})
}

// edit changes the value of size octets at key, which starts as zeros and goes when it is zeros again.
func (t *tx) edit(b *bolt.Bucket, key uint64, size int, created int64, change func([]byte)) {
	k := seqKey(key)
	old := b.Get(k)
	v := make([]byte, size)
	copy(v, old)
	widen(v, created, old == nil)
	change(v)
	if len(bytes.Trim(v[boundsSize:], "\x00")) == 0 {
		t.del(b, k)
		return
	}
	t.put(b, k, v)
}

// selection is a query on the state map while it runs.
type selection struct {
	Filter
	from, to                 int64
	blocks, supers, messages *bolt.Bucket
	// skip and want are what is left of Offset and Limit.
	skip, want int
	seqs       []uint64
	total      int
}

// selectSeqs returns the sequence numbers of the page that f asks for, in its order, and the number
// of all messages that match.
func selectSeqs(btx *bolt.Tx, f Filter) (seqs []uint64, total int) {
	s := &selection{
		Filter: f, from: lowerBound(f.From, math.MinInt64), to: lowerBound(f.To, math.MaxInt64), skip: max(0, f.Offset), want: f.Limit,
		blocks: btx.Bucket(bucketBlocks), supers: btx.Bucket(bucketSupers), messages: btx.Bucket(bucketMessages),
	}
	s.each(s.supers, 0, ^uint64(0), s.super)
	return s.seqs, s.total
}

// lowerBound is the first millisecond at or after at, or else open.
func lowerBound(at time.Time, open int64) int64 {
	if at.IsZero() {
		return open
	}
	return at.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}

// each calls f for the entries of b with keys from first to last, in the order of the listing.
func (s *selection) each(b *bolt.Bucket, first, last uint64, f func(key uint64, v []byte)) {
	c := b.Cursor()
	if s.OldestFirst {
		for k, v := c.Seek(seqKey(first)); k != nil && binary.BigEndian.Uint64(k) <= last; k, v = c.Next() {
			f(binary.BigEndian.Uint64(k), v)
		}
		return
	}
	k, v := c.Seek(seqKey(last))
	if k == nil {
		k, v = c.Last()
	} else if binary.BigEndian.Uint64(k) > last {
		k, v = c.Prev()
	}
	for ; k != nil && binary.BigEndian.Uint64(k) >= first; k, v = c.Prev() {
		f(binary.BigEndian.Uint64(k), v)
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
	for st := Pending; st <= Cancelled; st++ {
		if s.State == 0 || s.State == st {
			n += super(v).count(st)
		}
	}
	return n
}

func (s *selection) block(key uint64, v []byte) {
	all, none := s.covers(v)
	if none {
		return
	}
	states := block(v).states()
	if n := s.inBlock(states); all && (n <= s.skip || s.want == 0) {
		s.total += n
		s.skip -= min(n, s.skip)
		return
	}
	for i := range states {
		if !s.OldestFirst {
			i = len(states) - 1 - i
		}
		if seq := key<<blockBits | uint64(i); s.matches(states[i]) && (all || s.inRange(seq)) {
			s.take(seq)
		}
	}
}

func (s *selection) inBlock(states []byte) (n int) {
	if s.State != 0 {
		return bytes.Count(states, []byte{byte(s.State)})
	}
	return len(states) - bytes.Count(states, []byte{0})
}

func (s *selection) matches(state byte) bool {
	return state != 0 && (s.State == 0 || State(state) == s.State)
}

func (s *selection) inRange(seq uint64) bool {
	at := createdOf(s.messages.Get(seqKey(seq)))
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
