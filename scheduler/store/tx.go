package store

import (
	"bytes"
	"encoding/binary"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Tx is a write transaction with its clock and what has to happen after the commit. Rooms write
// through Put and Del, so that the store knows whether there is anything to commit.
type Tx struct {
	*bolt.Tx
	// Now is the time in ms since 1970, the same for the whole transaction.
	Now int64
	// Err is the first error of Put and Del; it fails the transaction at its end.
	Err error

	store    *Store
	timers   *bolt.Bucket
	writes   int
	promised int64
	after    []func()
}

func (s *Store) begin(btx *bolt.Tx) *Tx {
	return &Tx{Tx: btx, Now: time.Now().UnixMilli(), store: s, timers: btx.Bucket(bucketTimers)}
}

// Bucket is a bucket of a room, by the name that Room.Buckets has for it, in a Tx or a bolt.Tx.
func Bucket(t interface {
	Bucket(name []byte) *bolt.Bucket
}, name []byte) *bolt.Bucket {
	outer, inner, nested := bytes.Cut(name, slash)
	if !nested {
		return t.Bucket(name)
	}
	return t.Bucket(outer).Bucket(inner)
}

// slash is in the name of a bucket that is within another one.
var slash = []byte("/")

// create makes the bucket that Bucket finds.
func create(t *bolt.Tx, name []byte) error {
	outer, inner, nested := bytes.Cut(name, slash)
	b, err := t.CreateBucketIfNotExists(outer)
	if err == nil && nested {
		_, err = b.CreateBucketIfNotExists(inner)
	}
	return err
}

// Store is the store that t writes to.
func (t *Tx) Store() *Store { return t.store }

// Put stores v under k in b.
func (t *Tx) Put(b *bolt.Bucket, k, v []byte) {
	t.writes++
	t.Fail(b.Put(k, v))
}

// Del deletes k from b; that it is not there is no error.
func (t *Tx) Del(b *bolt.Bucket, k []byte) {
	t.writes++
	t.Fail(b.Delete(k))
}

// Fail has the transaction fail with err, unless it is nil or another one was first.
func (t *Tx) Fail(err error) {
	if t.Err == nil {
		t.Err = err
	}
}

// After has f called after the commit, before anybody hears of it, unless the operation that asks for it
// fails. It must not block.
func (t *Tx) After(f func()) { t.after = append(t.after, f) }

// Promise says that n more commits than before are certain to come soon, once this one is done: what
// rides may wait for them. A promise kept is taken back with -1 in the commit that keeps it.
func (t *Tx) Promise(n int) { t.promised += int64(n) }

// At sets a timer: the room that owns kind hears of rest at that time (ms since 1970) or later.
func (t *Tx) At(at int64, kind byte, rest []byte) {
	t.Put(t.timers, timerKey(at, kind, rest), []byte{})
}

// Cancel removes a timer; one that is not there is no error.
func (t *Tx) Cancel(at int64, kind byte, rest []byte) { t.Del(t.timers, timerKey(at, kind, rest)) }

// Within sets a timer that is due within the hour after a time (ms since 1970). It is the same timer
// for all times of an hour, so that thousands of rows that grow old together cost one.
func (t *Tx) Within(at int64, kind byte) {
	hour := time.Hour.Milliseconds()
	at += hour - at%hour
	if t.timers.Get(timerKey(at, kind, nil)) == nil {
		t.At(at, kind, nil)
	}
}

func timerKey(at int64, kind byte, rest []byte) []byte {
	k := binary.BigEndian.AppendUint64(make([]byte, 0, timersHead+len(rest)), uint64(at))
	return append(append(k, kind), rest...)
}

// timersHead is the length of a timer's key before what the room gave.
const timersHead = 9

// maxDue bounds the timers that one commit fires; the rest follow at once in the next.
const maxDue = 512

// fireDue has the rooms do what has fallen due.
func (t *Tx) fireDue() {
	var due [][]byte
	c := t.timers.Cursor()
	for k, _ := c.First(); k != nil && len(due) < maxDue && timerAt(k) <= t.Now; k, _ = c.Next() {
		due = append(due, bytes.Clone(k))
	}
	for _, k := range due {
		t.Del(t.timers, k)
		var room Room
		if len(k) >= timersHead {
			room = t.store.owners[k[timersHead-1]]
		}
		if room == nil {
			t.store.log.Error("a timer that belongs to nobody is dropped", "key", k)
			continue
		}
		room.Due(t, k[timersHead-1], k[timersHead:])
	}
}

func timerAt(k []byte) int64 {
	if len(k) < 8 {
		return 0 // damaged: let it go
	}
	return int64(binary.BigEndian.Uint64(k))
}

// nextTimer is when the first timer is due in ms, or 0.
func nextTimer(timers *bolt.Bucket) int64 {
	k, _ := timers.Cursor().First()
	if k == nil {
		return 0
	}
	return max(1, timerAt(k))
}
