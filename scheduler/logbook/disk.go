package logbook

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

var (
	bucketLog   = []byte("logbook")
	bucketIDs   = []byte("logbook_ids")
	keyReserved = []byte("reserved")
)

// kindSweep is the timer upon which old entries are deleted; it has no rest.
const kindSweep byte = 50

const (
	// maxSweep bounds the entries that one commit deletes for their age.
	maxSweep = 512
	// maxID is the highest integer that every client reads as it is; what is above is damage.
	maxID = 1 << 53
	// timeSize is the length of the time before an entry's JSON.
	timeSize = 8
	// lastPatience bounds the wait for the store's ear at the end.
	lastPatience = 5 * time.Second
)

// Buckets implements store.Room.
func (*Book) Buckets() [][]byte { return [][]byte{bucketLog, bucketIDs} }

// Kinds implements store.Room.
func (*Book) Kinds() []byte { return []byte{kindSweep} }

// Prepare implements store.Room: it finds where the ids go on, and numbers what came before.
func (b *Book) Prepare(t *store.Tx) error {
	b.first = 1
	if v := t.Bucket(bucketIDs).Get(keyReserved); len(v) == 8 && binary.BigEndian.Uint64(v) <= maxID {
		b.first = max(b.first, binary.BigEndian.Uint64(v))
	}
	c := t.Bucket(bucketLog).Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		b.stored++
		if id, ok := idOf(k); ok {
			b.first = max(b.first, id+1)
		}
	}
	b.opened = time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.store, b.next = t.Store(), b.first
	for i := range b.pending {
		b.pending[i].ID = b.next
		b.next++
	}
	b.limit = b.next + block
	t.Put(t.Bucket(bucketIDs), keyReserved, octets(b.limit))
	return nil
}

func octets(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// idOf reads a key; not ok is damage.
func idOf(k []byte) (id uint64, ok bool) {
	if len(k) != 8 {
		return 0, false
	}
	id = binary.BigEndian.Uint64(k)
	return id, id < maxID
}

// Run brings entries to disk, now and then and at the end of ctx, after which no more are taken.
func (b *Book) Run(ctx context.Context) {
	due := time.Now().Add(flushEvery)
	timer := time.NewTimer(flushEvery)
	defer timer.Stop()
	failing := false
	hurry := func(d time.Duration) {
		if !failing && time.Until(due) > d { // after a failure there is no hurry any more
			due = time.Now().Add(d)
			timer.Reset(d)
		}
	}
	for {
		select {
		case <-ctx.Done():
			b.end()
			return
		case <-b.relived:
			b.sweepNow(ctx)
			continue
		case <-b.soon:
			hurry(flushSoon)
			continue
		case <-b.wake:
			hurry(0)
			continue
		case <-timer.C:
		}
		failing = b.noted(b.flush(ctx), failing)
		due = time.Now().Add(flushEvery)
		timer.Reset(flushEvery)
	}
}

// noted reports the first of several failures in a row, not into the book.
func (b *Book) noted(err error, failing bool) bool {
	if err != nil && !failing && !errors.Is(err, context.Canceled) {
		b.reporter().Error("the log is not stored for GET /logs; it is tried again", "err", err)
	}
	return err != nil
}

// flush brings what is pending to disk.
func (b *Book) flush(ctx context.Context) error {
	b.mu.Lock()
	b.turnAll(time.Now(), false)
	st, batch := b.store, slices.Clone(b.pending)
	b.mu.Unlock()
	if st == nil || len(batch) == 0 {
		return nil
	}
	limit := batch[len(batch)-1].ID + 1 + block
	return st.Ride(ctx, func(t *store.Tx) error { return b.write(t, batch, limit) })
}

// end is the last flush. The ids that are left over are given back, so none is given out any more.
func (b *Book) end() {
	ctx, cancel := context.WithTimeout(context.Background(), lastPatience)
	defer cancel()
	b.mu.Lock()
	b.turnAll(time.Now(), true)
	b.limit = b.next
	st, batch, limit := b.store, slices.Clone(b.pending), b.limit
	b.mu.Unlock()
	if st == nil {
		return
	}
	if err := st.Do(ctx, func(t *store.Tx) error { return b.write(t, batch, limit) }); err != nil {
		b.reporter().Error("the last lines of the log are not stored for GET /logs", "err", err)
	}
}

// write stores a batch, and that the ids below limit may have been given out.
func (b *Book) write(t *store.Tx, batch []Entry, limit uint64) error {
	bucket := t.Bucket(bucketLog)
	for _, e := range batch {
		t.Put(bucket, octets(e.ID), encodeEntry(e))
	}
	t.Put(t.Bucket(bucketIDs), keyReserved, octets(limit))
	more := len(batch)
	if b.stored+more > MaxEntries {
		more = trim(t, bucket) - b.stored
	}
	t.After(func() { b.written(batch, limit, more) })
	return t.Err
}

// written forgets what is on disk.
func (b *Book) written(batch []Entry, limit uint64, more int) {
	b.stored += more
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limit = max(b.limit, limit)
	b.pending = slices.Delete(b.pending, 0, len(batch)) // they were the first, and one flush runs at a time
}

// trim deletes the oldest entries, and returns how many there are then.
func trim(t *store.Tx, bucket *bolt.Bucket) (left int) {
	c := bucket.Cursor()
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		left++
	}
	var old [][]byte
	for k, _ := c.First(); k != nil && left > MaxEntries-slack; k, _ = c.Next() {
		old = append(old, bytes.Clone(k))
		left--
	}
	for _, k := range old {
		t.Del(bucket, k)
	}
	return left
}

// sweepNow has old entries deleted; each sweep sees to the next.
func (b *Book) sweepNow(ctx context.Context) {
	b.mu.Lock()
	st := b.store
	b.mu.Unlock()
	if st == nil {
		return
	}
	err := st.Do(ctx, func(t *store.Tx) error { t.At(t.Now, kindSweep, nil); return t.Err })
	if err != nil && ctx.Err() == nil {
		b.reporter().Error("old lines of the log are not deleted before the next start", "err", err)
	}
}

// Due implements store.Room.
func (b *Book) Due(t *store.Tx, _ byte, _ []byte) {
	b.mu.Lock()
	lifetime := b.lifetime.Milliseconds()
	b.mu.Unlock()
	if lifetime <= 0 {
		return
	}
	bucket := t.Bucket(bucketLog)
	old, next := b.old(bucket, t.Now, lifetime)
	for _, k := range old {
		t.Del(bucket, k)
	}
	t.After(func() { b.stored -= len(old) })
	if len(old) == maxSweep {
		t.At(t.Now, kindSweep, nil)
		return
	}
	t.Within(next, kindSweep)
}

// old are the keys of the first entries that are older than lifetime (ms), at most maxSweep, and when
// the next is. One of this run is no older than that: where it seems to be, the clock was set since.
// One of the future has a time from when the clock was wrong, which says nothing; it goes by number.
func (b *Book) old(bucket *bolt.Bucket, now, lifetime int64) (old [][]byte, next int64) {
	up := time.Since(b.opened).Milliseconds()
	c := bucket.Cursor()
	for k, v := c.First(); k != nil && len(old) < maxSweep; k, v = c.Next() {
		at := madeAt(v)
		id, ok := idOf(k)
		switch {
		case at > now:
			continue
		case at >= now-lifetime:
			return old, at + lifetime
		case ok && id >= b.first && up < lifetime:
			return old, now + lifetime - up
		}
		old = append(old, bytes.Clone(k))
	}
	return old, now + lifetime
}

// madeAt is when an entry was made, in ms; 0 for damage.
func madeAt(v []byte) int64 {
	if len(v) < timeSize {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// kept is the stored form of an entry, behind its time.
type kept struct {
	Level   string          `json:"l"`
	Module  string          `json:"c"`
	Message string          `json:"m"`
	Context json.RawMessage `json:"x,omitempty"`
}

func encodeEntry(e Entry) []byte {
	raw, _ := json.Marshal(kept{e.Level, e.Module, e.Message, e.Context}) // strings and what encode made
	return append(octets(uint64(e.At.UnixMilli())), raw...)
}

func decodeEntry(k, v []byte) (e Entry, ok bool) {
	id, ok := idOf(k)
	var r kept
	if !ok || len(v) < timeSize || json.Unmarshal(v[timeSize:], &r) != nil {
		return Entry{}, false
	}
	if context := bytes.TrimSpace(r.Context); len(context) > 0 && context[0] != '{' {
		return Entry{}, false
	}
	return Entry{
		ID: id, At: time.UnixMilli(madeAt(v)), Level: r.Level, Module: r.Module, Message: r.Message, Context: r.Context,
	}, true
}

// List returns the newest entries from a time (inclusive) to another (exclusive), at most limit,
// oldest first; zero leaves the side open.
func (b *Book) List(ctx context.Context, from, to time.Time, limit int) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in := func(at time.Time) bool { return !at.Before(from) && (to.IsZero() || at.Before(to)) }
	b.mu.Lock()
	st, pending := b.store, slices.Clone(b.pending)
	b.mu.Unlock()
	var found []Entry // newest first
	before := uint64(maxID)
	for _, e := range slices.Backward(pending) {
		before = e.ID // those from here on may be on disk by now
		if len(found) < limit && in(e.At) {
			found = append(found, e)
		}
	}
	if st == nil {
		slices.Reverse(found)
		return found, nil
	}
	err := st.View(func(btx *bolt.Tx) error {
		c := btx.Bucket(bucketLog).Cursor()
		for k, v := c.Last(); k != nil && len(found) < limit; k, v = c.Prev() {
			e, ok := decodeEntry(k, v)
			if !ok {
				b.reporter().Error("a line of the log is left out: the store is damaged", "key", k)
			} else if e.ID < before && in(e.At) {
				found = append(found, e)
			}
		}
		return nil
	})
	slices.Reverse(found)
	return found, err
}
