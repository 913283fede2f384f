package queue

import (
	"context"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// Sealed is an encrypted message that is still to be opened.
type Sealed struct {
	// Seq is its place in the order of acceptance.
	Seq uint64
	ID  string
	// Content and Recipients are ciphertext, each on its own. Data holds the characters of the one, not
	// what they stand for.
	Content             Content
	Recipients          []string
	SkipPhoneValidation bool
}

// Opened is what was found in a Sealed.
type Opened struct {
	// Content is Text or Data, and Parts how many SMS-SUBMITs it takes, 1 to 255; Port and Flash were
	// never sealed. They mean nothing if all recipients fail.
	Content Content
	Parts   int
	// Recipients are in the order of the Sealed's.
	Recipients []OpenedRecipient
}

// OpenedRecipient is a number as the scheduler dials it, or why there is none.
type OpenedRecipient struct{ Number, Error string }

// seal has a message wait to be opened.
func (t *tx) seal(seq uint64) {
	t.put(t.Bucket(bucketSealed), seqKey(seq), []byte{})
	t.After(t.opts.Sealed)
}

// unseal has a message not wait to be opened any more. It reports whether it did.
func (t *tx) unseal(m *message, seq uint64) bool {
	if !m.Encrypted || t.Bucket(bucketSealed).Get(seqKey(seq)) == nil {
		return false
	}
	t.del(t.Bucket(bucketSealed), seqKey(seq))
	return true
}

// NextSealed returns the first message behind a sequence number that is still to be opened, or nil.
func (q *Queue) NextSealed(after uint64) (next *Sealed, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		c := btx.Bucket(bucketSealed).Cursor()
		for k, _ := c.Seek(seqKey(after + 1)); k != nil && next == nil; k, _ = c.Next() {
			next = q.sealed(btx, uint64(msOf(k)))
		}
		return nil
	})
	return next, err
}

// sealed reads one, or nil if it cannot be read: it must not keep the others.
func (q *Queue) sealed(btx *bolt.Tx, seq uint64) *Sealed {
	m, err := loadMessage(btx.Bucket(bucketMessages), seq)
	var ds []*delivery
	if err == nil {
		ds, err = loadDeliveries(btx.Bucket(bucketDeliveries), seq)
	}
	if m == nil || err != nil {
		q.opts.Log.Error("an encrypted message is left as it is", "seq", seq, "err", err)
		return nil
	}
	s := &Sealed{Seq: seq, ID: m.ID, Content: m.Content, SkipPhoneValidation: m.SkipPhoneValidation}
	for _, d := range ds {
		s.Recipients = append(s.Recipients, d.To)
	}
	return s
}

// Unseal stores what was found in a message and lets it be sent to those whose number is known; the
// others fail. It does nothing if the message does not wait to be opened any more, as it was
// cancelled or expired.
func (q *Queue) Unseal(ctx context.Context, seq uint64, o Opened) error {
	return q.do(ctx, func(t *tx) error {
		m, err := loadMessage(t.messages, seq)
		if m == nil || err != nil {
			return err
		}
		ds, err := loadDeliveries(t.deliveries, seq)
		if err != nil {
			return err
		}
		if !o.fits(len(ds)) {
			return fmt.Errorf("message %s: found %d recipients and %d parts for %d recipients", m.ID, len(o.Recipients), o.Parts, len(ds))
		}
		if !t.unseal(m, seq) {
			return nil
		}
		m.Clear = o.Content
		t.put(t.messages, seqKey(seq), m.encode())
		for i, d := range ds {
			t.open(m, d, o.Recipients[i], o.Parts)
		}
		return t.Err
	})
}

// fits reports whether o can be what was found for so many recipients.
func (o *Opened) fits(recipients int) bool {
	some := slices.ContainsFunc(o.Recipients, func(r OpenedRecipient) bool { return r.Error == "" })
	return len(o.Recipients) == recipients && (o.Parts > 0 || !some)
}

// open lets one recipient be sent to, or fails it.
func (t *tx) open(m *message, d *delivery, r OpenedRecipient, parts int) {
	if r.Error != "" {
		d.fail(0, r.Error, t.now)
		t.store(m, d)
		return
	}
	d.Cipher, d.To, d.Parts = d.To, r.Number, make([]part, parts)
	t.place(m, d, m.ScheduleAt)
	t.store(m, d)
}
