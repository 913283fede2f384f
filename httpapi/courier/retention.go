package courier

import (
	"bytes"
	"encoding/binary"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

const (
	// keepFor is how long an ended callback is kept, and one of a dialect that is switched off.
	keepFor = 7 * 24 * time.Hour
	// keepMost is how many ended callbacks of a state are kept. They may be slack more before the oldest
	// are looked for, which is a look at all.
	keepMost = 10_000
	slack    = 256
	// maxSweep bounds the rows that one commit deletes; the rest follow at once in the next.
	maxSweep = 512
)

// Prepare implements store.Room: it puts up what is pending.
func (c *Courier) Prepare(t *store.Tx) error {
	c.store, c.opened = t.Store(), time.Now()
	absent := map[string]bool{}
	var damaged [][]byte
	each(t.Tx, func(k, v []byte) bool {
		if len(v) >= rowHead && (v[0] == delivered || v[0] == failed) {
			c.ended[v[0]]++
			return true
		}
		r, err := decodeRow(v)
		if p, planned := c.plans[r.Dialect]; err != nil || len(k) != 8 {
			damaged = append(damaged, bytes.Clone(k))
		} else if planned {
			c.board.add(binary.BigEndian.Uint64(k), r.Host, r.line(), r.wait(p, t.Now))
		} else {
			absent[r.Dialect] = true
		}
		return true
	})
	for _, k := range damaged {
		c.log.Error("a callback is dropped", "key", k, "err", errDamaged)
		t.Del(store.Bucket(t, bucketCallbacks), k)
	}
	c.miss(t, absent)
	return nil
}

// each calls f with the rows, the oldest first, until it returns false. f must not write.
func each(t *bolt.Tx, f func(k, v []byte) bool) {
	cur := store.Bucket(t, bucketCallbacks).Cursor()
	for k, v := cur.First(); k != nil && f(k, v); k, v = cur.Next() {
	}
}

// miss notes since when dialects with callbacks have no plan.
func (c *Courier) miss(t *store.Tx, absent map[string]bool) {
	b := store.Bucket(t, bucketAway)
	var back [][]byte
	cur := b.Cursor()
	for k, _ := cur.First(); k != nil; k, _ = cur.Next() {
		if !absent[string(k)] {
			back = append(back, bytes.Clone(k))
		}
	}
	for _, k := range back {
		t.Del(b, k)
	}
	for dialect := range absent {
		if b.Get([]byte(dialect)) != nil {
			continue
		}
		c.log.Warn("callbacks wait for an API that is switched off; they are dropped in seven days", "dialect", dialect)
		c.away[dialect] = true
		t.Put(b, []byte(dialect), key(uint64(t.Now)))
		t.At(t.Now+keepFor.Milliseconds(), kindAway, []byte(dialect))
	}
}

// dropAway deletes the callbacks of a dialect that is without a plan for long.
func (c *Courier) dropAway(t *store.Tx, dialect string) {
	v := store.Bucket(t, bucketAway).Get([]byte(dialect))
	if len(v) != 8 {
		return // it was back in between
	}
	left := keepFor - time.Duration(t.Now-int64(binary.BigEndian.Uint64(v)))*time.Millisecond
	if c.away[dialect] { // in this run it is not longer than that, whatever the clock was set to
		left = max(left, keepFor-c.clock())
	}
	if left > 0 {
		t.At(t.Now+left.Milliseconds(), kindAway, []byte(dialect))
		return
	}
	n := c.delete(t, func(v []byte) bool {
		r, err := decodeRow(v)
		return err == nil && r.state == pending && r.Dialect == dialect
	})
	c.log.Warn("callbacks of an API that was switched off for seven days are dropped", "dialect", dialect, "count", n)
	if n == maxSweep {
		t.At(t.Now, kindAway, []byte(dialect))
		return
	}
	t.Del(store.Bucket(t, bucketAway), []byte(dialect))
}

// keep counts a callback that ends in t.
func (c *Courier) keep(t *store.Tx, state byte) {
	t.Within(t.Now+keepFor.Milliseconds(), kindSweep)
	if c.ended[state] >= keepMost+slack {
		t.At(t.Now, kindSweep, nil)
	}
	t.After(func() { c.ended[state]++ })
}

// sweep deletes ended callbacks that grew old, and the oldest of too many.
func (c *Courier) sweep(t *store.Tx) {
	before := t.Now - keepFor.Milliseconds()
	excess := map[byte]int{delivered: c.ended[delivered] - keepMost, failed: c.ended[failed] - keepMost}
	n := c.delete(t, func(v []byte) bool {
		if len(v) < rowHead || v[0] != delivered && v[0] != failed {
			return false
		}
		state, at := v[0], int64(binary.BigEndian.Uint64(v[1:]))
		if excess[state] <= 0 && at >= before {
			return false
		}
		excess[state]--
		t.After(func() { c.ended[state]-- })
		return true
	})
	if n == maxSweep {
		t.At(t.Now, kindSweep, nil)
	}
}

// delete deletes rows that are not wanted, at most maxSweep of them, and says how many.
func (c *Courier) delete(t *store.Tx, unwanted func(v []byte) bool) int {
	var keys [][]byte
	each(t.Tx, func(k, v []byte) bool {
		if unwanted(v) {
			keys = append(keys, bytes.Clone(k))
		}
		return len(keys) < maxSweep
	})
	for _, k := range keys {
		t.Del(store.Bucket(t, bucketCallbacks), k)
	}
	return len(keys)
}
