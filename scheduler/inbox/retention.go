package inbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
)

// maxSweep bounds the rows that one commit looks at; the rest follow at once in the next.
const maxSweep = 256

// grows sets the timer for when what is stored now has grown old.
func (t *tx) grows(received int64) {
	if t.opts.Retention > 0 {
		t.Within(max(t.Now, received+t.opts.Retention.Milliseconds()), kindSweep)
	}
}

// sweep deletes what is older than the retention, from a row number on.
func (t *tx) sweep(from []byte) {
	if t.opts.Retention <= 0 {
		return // it was more than that at the last start
	}
	before := t.Now - t.opts.Retention.Milliseconds()
	if next := t.deleteRows(before, from); next != nil {
		t.At(t.Now, kindSweep, next)
		return
	}
	t.deleteRaw(before)
	// What was stored under a longer retention has its timers later than it should.
	if k, v := t.rows.Cursor().First(); k != nil {
		t.grows(receivedAt(v))
	}
}

// deleteRows deletes the rows received before a time (ms), and returns where to go on, or nil.
func (t *tx) deleteRows(before int64, from []byte) (next []byte) {
	var first uint64
	if len(from) == 8 {
		first = binary.BigEndian.Uint64(from)
	}
	seqs, more := census.Older(t.Tx.Tx, before, first, maxSweep, func(byte) bool { return true })
	deleted := 0
	for _, seq := range seqs {
		if t.deleteRow(seq, before) {
			deleted++
		}
	}
	if deleted > 0 {
		t.opts.Log.Info("old messages were deleted", "messages", deleted)
	}
	if !more {
		return nil
	}
	return seqKey(seqs[len(seqs)-1] + 1)
}

// deleteRow deletes a row received before a time (ms). One that came in this run is no older than
// that: where it seems to be, the clock was set since, and it gets the time when the run began.
func (t *tx) deleteRow(seq uint64, before int64) bool {
	v := t.rows.Get(seqKey(seq))
	at := receivedAt(v)
	if at >= before {
		return false
	}
	m, err := decode(seq, v)
	if err != nil {
		t.opts.Log.Error("message not deleted", "err", err)
		return false
	}
	census.Set(t.Tx, seq, at, byte(m.Kind), 0)
	if start := t.Now - t.up(); seq > t.before && start >= before {
		t.Put(t.rows, seqKey(seq), append(binary.BigEndian.AppendUint64(nil, uint64(start)), v[8:]...))
		census.Set(t.Tx, seq, start, 0, byte(m.Kind))
		return false
	}
	t.Del(t.rows, seqKey(seq))
	return true
}

// deleteRaw deletes what was archived before a time (ms).
func (t *tx) deleteRaw(before int64) {
	var old [][]byte
	c := t.raw.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		var u Unreadable
		if err := json.Unmarshal(v, &u); err == nil && u.At.UnixMilli() >= before {
			break
		}
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		t.Del(t.raw, k)
	}
}
