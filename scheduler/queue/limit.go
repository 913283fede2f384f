package queue

import (
	"bytes"
	"encoding/binary"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"
)

// heldUntil is when delays and limits let the next message of this SIM begin (ms).
func (t *tx) heldUntil(c *Claim) int64 {
	until := millis(c.NotBefore)
	if c.Limit.Count <= 0 {
		return until
	}
	t.clampSends(c.IMSI)
	n := 0
	for began := range t.sendsOf(c.IMSI) {
		if n++; n == c.Limit.Count {
			return max(until, began+c.Limit.Period.Milliseconds())
		}
	}
	return until
}

// sendsOf yields when the messages of a card began and their sequence numbers, the latest first.
func (t *tx) sendsOf(imsi string) iter.Seq2[int64, uint64] {
	return func(yield func(int64, uint64) bool) {
		prefix := sendsPrefix(imsi)
		cur := t.sends.Cursor()
		for k, _ := seekLast(cur, prefix); hasPrefix(k, prefix); k, _ = cur.Prev() {
			rest := k[len(prefix):]
			if !yield(int64(binary.BigEndian.Uint64(rest)), binary.BigEndian.Uint64(rest[8:])) {
				return
			}
		}
	}
}

// clampSends takes what began later than now to begin now: the clock was set back since, and that
// must not make a period last longer than a period.
func (t *tx) clampSends(imsi string) {
	type send struct {
		at  int64
		seq uint64
	}
	var future []send
	for at, seq := range t.sendsOf(imsi) {
		if at <= t.now {
			break
		}
		future = append(future, send{at, seq})
	}
	for _, s := range future {
		t.del(t.sends, sendsKey(imsi, s.at, s.seq))
		t.put(t.sends, sendsKey(imsi, t.now, s.seq), []byte{})
	}
}

// maxForget bounds how many old entries one message clears away; as it adds one, the rest never grows.
const maxForget = 16

// stale are the first keys of those that begin with prefix, as long as they are old, at most maxForget.
func stale(b *bolt.Bucket, prefix []byte, old func(k, v []byte) bool) (keys [][]byte) {
	c := b.Cursor()
	for k, v := c.Seek(prefix); hasPrefix(k, prefix) && len(keys) < maxForget && old(k, v); k, v = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// longestLimit is how long back a limit may count that is set tomorrow: SMSGate's longest is a day.
const longestLimit = 24 * time.Hour

// countSend records that a message begins, limit or not, and forgets those that no period can hold any
// more. A limit that is set while messages go out counts those of its period before.
func (t *tx) countSend(c *Claim, seq uint64) {
	prefix := sendsPrefix(c.IMSI)
	since := t.now - max(c.Limit.Period, longestLimit).Milliseconds()
	old := stale(t.sends, prefix, func(k, _ []byte) bool { return msOf(k[len(prefix):]) < since })
	for _, k := range old {
		t.del(t.sends, k)
	}
	t.put(t.sends, sendsKey(c.IMSI, t.now, seq), []byte{})
}

// uncountSend takes back that a message began with part i of d, which did not go out after all.
func (t *tx) uncountSend(d *delivery, i int) {
	if d.rcpt == 0 && i == 0 {
		p := &d.Parts[i]
		t.del(t.sends, sendsKey(p.IMSI, p.Submitted, d.seq))
	}
}

func sendsPrefix(imsi string) []byte { return append([]byte{byte(len(imsi))}, imsi...) }

func sendsKey(imsi string, at int64, seq uint64) []byte {
	k := binary.BigEndian.AppendUint64(sendsPrefix(imsi), uint64(at))
	return binary.BigEndian.AppendUint64(k, seq)
}
