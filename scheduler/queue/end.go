package queue

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"
)

// Cancel withdraws a message that is Pending and returns it as Cancelled. Cancelling twice is no
// error. It returns ErrNotFound, or ErrNotPending once any recipient has left Pending.
func (q *Queue) Cancel(ctx context.Context, id string) (Message, error) {
	err := q.do(ctx, func(t *tx) error {
		k := t.ids.Get([]byte(id))
		if k == nil {
			return ErrNotFound
		}
		return t.cancel(binary.BigEndian.Uint64(k))
	})
	if err != nil {
		return Message{}, err
	}
	return q.Get(ctx, id)
}

func (t *tx) cancel(seq uint64) error {
	m, err := loadMessage(t.messages, seq)
	if err != nil {
		return err
	}
	ds, err := loadDeliveries(t.deliveries, seq)
	if err != nil {
		return err
	}
	for _, d := range ds {
		if d.was != Pending && d.was != Cancelled {
			return ErrNotPending
		}
	}
	t.unseal(m, seq)
	for _, d := range ds {
		if d.was == Cancelled {
			continue
		}
		t.unplace(d)
		for i := range d.Parts {
			if d.apply(i, evCancel) {
				d.Parts[i].Settled = t.now
			}
		}
		t.store(m, d)
	}
	return t.Err
}

// recover ends what a crash left open: a part that was being submitted is unknown, or goes back to
// its lane by the user's policy; a recipient with parts left goes on before others.
func (t *tx) recover() error {
	type open struct{ sim, key []byte }
	var found []open
	c := t.meta.Cursor()
	for k, v := c.Seek(prefixActive); hasPrefix(k, prefixActive); k, v = c.Next() {
		found = append(found, open{append([]byte{}, k...), append([]byte{}, v...)})
	}
	for _, f := range found {
		m, d := t.loadBoth(binary.BigEndian.Uint64(f.key), f.key[8])
		t.del(t.meta, f.sim)
		if d == nil {
			continue
		}
		t.interrupt(m, d)
		if d.Ready == nil && d.nextQueued() >= 0 {
			t.place(m, d, 0)
		}
		t.store(m, d)
	}
	return t.Err
}

// interrupt ends the submission of a part of d whose outcome will not come any more. It reports
// whether there was one. The caller stores d.
func (t *tx) interrupt(m *message, d *delivery) bool {
	for i := range d.Parts {
		if d.Parts[i].State == PartSubmitting {
			t.lose(m, d, i, errInterrupted)
			return true
		}
	}
	return false
}

const errInterrupted = "the gateway was interrupted while it submitted this part"

// Retire deletes messages that ended before a time, oldest first, looking at no more than max
// messages from sequence number *from on, which it moves forward. It reports whether there is more.
// Small steps keep the commits of others short.
func (q *Queue) Retire(ctx context.Context, before time.Time, from *uint64, max int) (deleted int, more bool, err error) {
	next := *from
	err = q.do(ctx, func(t *tx) error {
		var old []uint64
		old, more = t.ended(before.UnixMilli(), *from, max)
		deleted, next = 0, *from
		for _, seq := range old {
			gone, err := t.retireMessage(seq, before.UnixMilli())
			if err != nil {
				// A damaged record must not keep all others for ever.
				t.opts.Log.Error("message not retired", "seq", seq, "err", err)
			}
			if gone {
				deleted++
			}
			next = seq + 1
		}
		return t.Err
	})
	if err != nil {
		return 0, false, err
	}
	*from = next
	return deleted, more, nil
}

// ended returns up to limit messages from a sequence number on that left Processed and may have
// ended before a time. The census spares it the messages that have not.
func (t *tx) ended(before int64, from uint64, limit int) (seqs []uint64, more bool) {
	return census.Older(t.Tx.Tx, before, from, limit, func(mark byte) bool { return State(mark) >= Sent })
}

// retireMessage deletes a message that ended before a time, with everything that points to it.
func (t *tx) retireMessage(seq uint64, before int64) (bool, error) {
	m, err := loadMessage(t.messages, seq)
	if m == nil || err != nil {
		return false, err
	}
	ds, err := loadDeliveries(t.deliveries, seq)
	if err != nil {
		return false, err
	}
	var n stateCounts
	for _, d := range ds {
		n[d.was]++
		inHand := bytes.Equal(t.meta.Get(activeKey(d.SIM)), deliveryKey(seq, d.rcpt))
		if inHand || d.was < Sent || d.lastNews() >= before {
			return false, nil
		}
	}
	for _, d := range ds {
		t.unfile(d)
		t.del(t.deliveries, deliveryKey(seq, d.rcpt))
	}
	if m.ValidUntil > 0 {
		t.Tx.Cancel(m.ValidUntil, timerExpire, seqKey(seq))
	}
	t.del(t.ids, []byte(m.ID))
	t.del(t.messages, seqKey(seq))
	t.setState(seq, m, n.fold(), 0)
	return true, nil
}

// unfile forgets under which TP-MRs the parts of d may be reported.
func (t *tx) unfile(d *delivery) {
	for i := range d.Parts {
		p := &d.Parts[i]
		if p.Accepted > 0 {
			t.del(t.reports, reportKey(p.IMSI, int(p.MR), d.To, d.seq, d.rcpt, i))
		}
		for _, imsi := range p.Unanswered {
			t.del(t.reports, reportKey(imsi, mrUnknown, d.To, d.seq, d.rcpt, i))
		}
	}
}

// lastNews is when the state of d last changed.
func (d *delivery) lastNews() (at int64) {
	for _, reached := range d.Reached {
		at = max(at, reached)
	}
	return at
}
