package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"

	bolt "go.etcd.io/bbolt"
)

// loadBoth returns a recipient and its message; both are nil if the message is gone, so that an index
// entry that outlived it does no harm, and if a record is damaged, so that it stops nobody else.
func (t *tx) loadBoth(seq uint64, rcpt uint8) (*message, *delivery) {
	k := deliveryKey(seq, rcpt)
	v := t.deliveries.Get(k)
	m, err := loadMessage(t.messages, seq)
	if v == nil || m == nil && err == nil {
		return nil, nil
	}
	var d *delivery
	if err == nil {
		d, err = decodeDelivery(k, v)
	}
	if err != nil {
		t.opts.Log.Error("a message is left as it is", "seq", seq, "recipient", rcpt, "err", err)
		return nil, nil
	}
	return m, d
}

func hasPrefix(k, prefix []byte) bool { return k != nil && bytes.HasPrefix(k, prefix) }

// seekLast moves c to the last entry of those that begin with prefix, or before them if there is none.
func seekLast(c *bolt.Cursor, prefix []byte) (k, v []byte) {
	if k, _ = c.Seek(past(prefix)); k == nil {
		return c.Last()
	}
	return c.Prev()
}

// past sorts behind all keys that begin with prefix: none goes on with so many octets 0xff, as a time,
// a sequence number or an index follows.
func past(prefix []byte) []byte { return append(bytes.Clone(prefix), bytes.Repeat([]byte{0xff}, 8)...) }

var prefixActive = []byte("active/")

func activeKey(sim int) []byte { return append(bytes.Clone(prefixActive), byte(sim)) }

// setActive records the recipient (a delivery key) that a SIM is in the middle of, nil for none.
func (t *tx) setActive(sim int, key []byte) {
	k := activeKey(sim)
	switch old := t.meta.Get(k); {
	case bytes.Equal(old, key):
	case key == nil:
		t.del(t.meta, k)
	default:
		t.put(t.meta, k, key)
	}
}

// leave frees the SIM that is in the middle of d, unless it has a part of d in hand.
func (t *tx) leave(d *delivery) {
	if !d.inFlight() && bytes.Equal(t.meta.Get(activeKey(d.SIM)), deliveryKey(d.seq, d.rcpt)) {
		t.setActive(d.SIM, nil)
	}
}

func lastMRKey(imsi string) []byte { return append([]byte("mr/"), imsi...) }

// lastMR is the latest TP-MR that the card assigned, or -1.
func (t *tx) lastMR(imsi string) int {
	if v := t.meta.Get(lastMRKey(imsi)); len(v) == 1 {
		return int(v[0])
	}
	return -1
}

// nextReference returns the concatenation reference for a long message to a number. It counts up
// for each number on its own, over restarts, so that a phone which still waits for a part of one
// message never takes it from another. Numbers share 4096 counters: a shared counter only runs faster.
func (t *tx) nextReference(to string) uint8 {
	h := fnv.New32a()
	h.Write([]byte(lastDigits(to)))
	k := binary.BigEndian.AppendUint16([]byte("ref/"), uint16(h.Sum32()%4096))
	var next uint8
	if v := t.meta.Get(k); len(v) == 1 {
		next = v[0] + 1
	}
	t.put(t.meta, k, []byte{next})
	return next
}

// mustJSON is the form of what is written rarely.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("queue: record does not encode: " + err.Error()) // plain structs always do
	}
	return b
}
