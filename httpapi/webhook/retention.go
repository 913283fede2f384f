package webhook

import (
	"bytes"
	"encoding/binary"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

const (
	// keepFor is how long an ended delivery is kept, as SMSGate does.
	keepFor = 7 * 24 * time.Hour
	// keepMost bounds the ended deliveries of a webhook.
	keepMost = 10_000
	// maxSweep bounds the rows that one commit deletes; the rest follow at once in the next.
	maxSweep = 256
)

// countEnded keeps the number of ended deliveries of a lane, and deletes the oldest of too many.
func (h *Hooks) countEnded(t *store.Tx, lane uint64, change int) {
	b := t.Bucket(bucketEnded)
	count := change
	if v := b.Get(laneKey(lane)); len(v) == 8 {
		count += int(binary.BigEndian.Uint64(v))
	}
	t.Put(b, laneKey(lane), binary.BigEndian.AppendUint64(nil, uint64(max(0, count))))
	if change > 0 && count > keepMost {
		if k := first(t.Tx, lane, classEnded); k != nil {
			h.deleteEnded(t, lane, k)
		}
	}
}

// deleteEnded deletes the row of a key of classEnded.
func (h *Hooks) deleteEnded(t *store.Tx, lane uint64, k []byte) {
	p := place{lane, seqOf(k)}
	r, ok := h.get(t, p)
	if !ok || r.state == pending || r.Ended != timeOf(k) {
		t.Del(t.Bucket(bucketIndex), k) // it leads nowhere: the store is damaged
		h.countEnded(t, lane, -1)
		return
	}
	h.save(t, p, r, row{})
}

// sweep deletes ended deliveries that grew old.
func (h *Hooks) sweep(t *store.Tx) {
	before := t.Now - keepFor.Milliseconds()
	var old [][]byte
	c := t.Bucket(bucketHooks).Cursor()
	for lane, _ := c.First(); lane != nil && len(old) < maxSweep; lane, _ = c.Next() {
		if len(lane) != 8 {
			continue
		}
		each(t.Tx, binary.BigEndian.Uint64(lane), classEnded, func(k []byte) bool {
			if timeOf(k) >= before || len(old) == maxSweep {
				return false
			}
			old = append(old, bytes.Clone(k))
			return true
		})
	}
	for _, k := range old {
		h.deleteEnded(t, binary.BigEndian.Uint64(k), k)
	}
	if len(old) == maxSweep {
		t.At(t.Now, kindSweep, nil)
	}
}

// clear deletes what a deleted webhook left, a part at a time.
func (h *Hooks) clear(t *store.Tx, lane []byte) {
	left := maxSweep
	for _, name := range [][]byte{bucketDeliveries, bucketIndex, bucketEnded} {
		b := t.Bucket(name)
		for _, k := range beginning(b, lane, left) {
			t.Del(b, k)
			left--
		}
	}
	if left == 0 {
		t.At(t.Now, kindClear, lane)
	}
}

// beginning are the first keys that begin with prefix, at most limit of them.
func beginning(b *bolt.Bucket, prefix []byte, limit int) (keys [][]byte) {
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix) && len(keys) < limit; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}
