package queue

import (
	"context"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// Enqueue stores s, whose every recipient takes parts SMS-SUBMITs (1 to 255), and returns the message
// as stored, after the commit. It returns ErrDuplicateID if the ID is in use, and a *LimitError if
// Options.Limits keep it out, and the error of s.Also as it is. The submission must have been validated;
// one that is encrypted cannot be, has no parts yet and waits for Unseal.
func (q *Queue) Enqueue(ctx context.Context, s Submission, parts int) (m Message, err error) {
	if s.ID == "" {
		s.ID = store.NewID()
	}
	err = q.do(ctx, func(t *tx) error {
		if t.ids.Get([]byte(s.ID)) != nil {
			return ErrDuplicateID
		}
		if err := t.admit(); err != nil {
			return err
		}
		m, err = t.enqueue(&s, parts)
		return err
	})
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

func (t *tx) enqueue(s *Submission, parts int) (Message, error) {
	seq, err := t.messages.NextSequence()
	if err != nil {
		return Message{}, err
	}
	m := &message{
		ID: s.ID, Content: s.Content, SIM: s.SIM, Priority: s.Priority, Report: s.Report,
		ValidUntil: millis(s.ValidUntil), ScheduleAt: millis(s.ScheduleAt),
		Recipients: len(s.Recipients), Created: t.now,
		Encrypted: s.Encrypted, SkipPhoneValidation: s.Encrypted && s.SkipPhoneValidation,
		Origin: s.Origin, Meta: s.Meta, Quiet: s.Quiet,
	}
	if m.Encrypted {
		parts = 1 // until it is known how many there are
	}
	ds := make([]*delivery, len(s.Recipients))
	for i, to := range s.Recipients {
		ds[i] = &delivery{
			seq: seq, rcpt: uint8(i), was: Pending, To: to, Parts: make([]part, parts),
			Reached: [...]int64{Pending: t.now, Cancelled: 0},
		}
	}
	if s.Also != nil { // before anything is written, so that its error fails nobody else
		if err := s.Also(t.Tx, assemble(m, ds)); err != nil {
			return Message{}, err
		}
	}
	t.insert(m, ds)
	if s.Refused != "" {
		t.refuse(m, ds, s.Refused)
	}
	return assemble(m, ds), t.Err
}

// insert stores a new message and has it wait for what comes next.
func (t *tx) insert(m *message, ds []*delivery) {
	seq := ds[0].seq
	if m.Encrypted {
		t.seal(seq)
	}
	t.put(t.ids, []byte(m.ID), seqKey(seq))
	t.put(t.messages, seqKey(seq), m.encode())
	for _, d := range ds {
		if !m.Encrypted {
			t.place(m, d, m.ScheduleAt)
		}
		t.put(t.deliveries, deliveryKey(seq, d.rcpt), d.encode())
	}
	if m.ValidUntil > 0 {
		t.At(m.ValidUntil, timerExpire, seqKey(seq))
	}
	t.setState(seq, m, 0, Pending)
	for _, d := range ds {
		t.change(m, ds, d, 0)
	}
}

// refuse ends a message that was just stored; see Submission.Refused.
func (t *tx) refuse(m *message, ds []*delivery, why string) {
	t.unseal(m, ds[0].seq)
	for _, d := range ds {
		t.unplace(d)
		d.fail(0, why, t.now)
		t.store(m, d)
	}
}

// place makes d claimable: now, or from due (ms) on. The caller stores d.
func (t *tx) place(m *message, d *delivery, due int64) {
	if d.state() == Failed {
		d.drop(t.now) // a report of another part failed it meanwhile
		return
	}
	d.Ready, d.Due = t.readyKey(m, d), 0
	if m.expired(t.now) {
		// Its expiry came while a part was in flight: let it come again, at once.
		t.At(m.ValidUntil, timerExpire, seqKey(d.seq))
	}
	if due > t.now {
		d.Due = due
		t.At(due, timerReady, d.Ready)
		return
	}
	t.put(t.ready, d.Ready, []byte{})
	t.wake(laneOf(d.Ready))
}

// unplace takes d out of the lanes. The caller stores d.
func (t *tx) unplace(d *delivery) {
	switch {
	case d.Ready == nil:
		return
	case d.Due > 0:
		t.Tx.Cancel(d.Due, timerReady, d.Ready)
	default:
		t.del(t.ready, d.Ready)
	}
	d.Ready, d.Due = nil, 0
}

// store writes d back, tells what happened to it, and carries a change of its state into the message's.
func (t *tx) store(m *message, d *delivery) {
	now, was := d.state(), d.was
	t.tell(m, d, now)
	if now != was {
		if d.Reached[now] == 0 {
			d.Reached[now] = t.now
		}
		before := t.messageState(d.seq, m.Recipients, d.rcpt, d.was)
		t.setState(d.seq, m, before, t.messageState(d.seq, m.Recipients, d.rcpt, now))
		d.was = now
	}
	d.stored()
	t.put(t.deliveries, deliveryKey(d.seq, d.rcpt), d.encode())
	if now != was {
		t.changed(m, d, was)
	}
}

// messageState folds the recipients of a message, taking state for recipient rcpt.
func (t *tx) messageState(seq uint64, recipients int, rcpt uint8, state State) State {
	var n stateCounts
	n[state]++
	if recipients > 1 {
		c := t.deliveries.Cursor()
		for k, v := c.Seek(seqKey(seq)); len(k) == 9 && binary.BigEndian.Uint64(k) == seq; k, v = c.Next() {
			if k[8] != rcpt && len(v) > 0 && v[0] < byte(len(n)) { // or it is damaged
				n[v[0]]++
			}
		}
	}
	return n.fold()
}

// loadMessage returns the message, or nil if there is none.
func loadMessage(b *bolt.Bucket, seq uint64) (*message, error) {
	v := b.Get(seqKey(seq))
	if v == nil {
		return nil, nil
	}
	return decodeMessage(v)
}
