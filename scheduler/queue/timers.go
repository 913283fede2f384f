package queue

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"dongled/scheduler/store"
)

// Kinds implements store.Room.
func (q *Queue) Kinds() []byte { return []byte{timerReady, timerExpire, timerUnknown, timerOrphan} }

// Due implements store.Room.
func (q *Queue) Due(st *store.Tx, kind byte, rest []byte) {
	if err := q.in(st).fire(kind, rest); err != nil {
		// A damaged record must not stop the commits of all others.
		q.opts.Log.Error("timer dropped", "err", err)
	}
}

// timerSizes is how long the rest of a timer is at least, by kind.
var timerSizes = map[byte]int{timerReady: oldReadySize, timerExpire: 8, timerUnknown: 10}

func (t *tx) fire(kind byte, rest []byte) error {
	if len(rest) < timerSizes[kind] {
		return fmt.Errorf("damaged timer of kind %d: %x", kind, rest)
	}
	switch kind {
	case timerReady:
		t.makeReady(rest)
	case timerExpire:
		return t.expireMessage(binary.BigEndian.Uint64(rest))
	case timerUnknown:
		t.abandon(binary.BigEndian.Uint64(rest), rest[8], int(rest[9]))
	case timerOrphan:
		t.del(t.orphans, rest)
	}
	return nil
}

func (t *tx) makeReady(key []byte) {
	m, d := t.loadBoth(splitDelivery(deliveryOf(key)))
	if d == nil || !bytes.Equal(d.Ready, key) {
		return
	}
	d.Due, d.Ready = 0, t.readyKey(m, d) // the routes may have changed since
	t.put(t.ready, d.Ready, []byte{})
	t.store(m, d)
	t.wake(laneOf(d.Ready))
}

// expireMessage ends every recipient of a message that still waits to be submitted.
func (t *tx) expireMessage(seq uint64) error {
	m, err := loadMessage(t.messages, seq)
	if m == nil || err != nil {
		return err
	}
	ds, err := loadDeliveries(t.deliveries, seq)
	if err != nil {
		return err
	}
	t.unseal(m, seq)
	for _, d := range ds {
		if d.inFlight() || d.nextQueued() < 0 {
			continue // settle looks at the time again
		}
		t.unplace(d)
		t.expire(d)
		t.leave(d)
		t.store(m, d)
	}
	return t.Err
}

// errExpired is what a recipient says whose message was not submitted in time; the first words are
// SMSGate's.
const errExpired = "TTL expired: validUntil passed before the message could be submitted"

// errDoubt follows it where a submission that was to be repeated had no answer.
const errDoubt = " again; the submission before had no answer, the message may have gone out"

// expire ends the parts of d that were not submitted. The caller stores d.
func (t *tx) expire(d *delivery) {
	i := d.nextQueued()
	if i < 0 {
		return
	}
	why := errExpired
	if len(d.Parts[i].Unanswered) > 0 {
		why += errDoubt
	}
	d.fail(i, why, t.now)
}

// errLost is what a recipient says whose message stayed without answer and report.
const errLost = "outcome unknown: the modem gave no answer and no report came; the message may have gone out"

// abandon ends a part that stayed unknown for too long.
func (t *tx) abandon(seq uint64, rcpt uint8, i int) {
	m, d := t.loadBoth(seq, rcpt)
	if d == nil || i >= len(d.Parts) || d.Parts[i].State != PartUnknown {
		return
	}
	d.apply(i, evAbandon)
	d.Parts[i].Settled = t.now
	d.fail(i, errLost, t.now)
	t.unplace(d)
	t.store(m, d)
}
