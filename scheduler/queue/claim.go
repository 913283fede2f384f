package queue

import (
	"bytes"
	"encoding/binary"
	"time"
)

// Claim says what a SIM may take next.
type Claim struct {
	// SIM is the simNumber and IMSI the card in it; parts, reports and limits follow the card.
	SIM  int
	IMSI string
	// Shared lets the SIM take messages that named none.
	Shared bool
	// Last is what the SIM sent last, or nil. The remaining recipients of its message go before
	// others of the same priority, and past delays and limits.
	Last *Job
	// NotBefore holds other messages back until then, and Limit caps how many may begin in a
	// period; neither concerns priorities from Urgent up.
	NotBefore time.Time
	Limit     Limit
}

// Limit is how many messages a SIM may begin within a sliding period. A Count of 0 is no limit.
type Limit struct {
	Count  int
	Period time.Duration
}

// Urgent is the priority from which delays and limits are bypassed.
const Urgent = 100

// Job is one part to submit. Its intent is on disk.
type Job struct {
	// Message and Recipient name the recipient's record; Part counts its parts from 0.
	Message   uint64
	Recipient uint8
	Part      int

	ID      string
	To      string
	Content Content
	Parts   int
	// Reference is the concatenation reference for all parts of this recipient.
	Reference  uint8
	Report     bool
	Priority   int8
	ValidUntil time.Time
	SIM        int
	IMSI       string
	// Attempts counts this submission of the part and those before; Faults modem faults in a row.
	Attempts, Faults int
	// First says that this part begins the message.
	First bool
	// Shared says that the message named no SIM.
	Shared bool
	// Rest says that other recipients of this message wait in the lane for any SIM.
	Rest bool
	// Waiting says that this SIM finds more to submit.
	Waiting bool

	stored func() error
}

// Stored waits until the intent of the job is on disk. On an error nothing of the job may leave: the
// next start would not know of it.
func (j *Job) Stored() error { return j.stored() }

// maxSkip bounds how many dead entries one claim buries before it lets others write.
const maxSkip = 64

// claim returns the next part for a SIM, its intent stored; or nil, and when to ask again if nothing
// else happens (ms, 0 for never).
func (t *tx) claim(c *Claim) (job *Job, again int64) {
	for range maxSkip {
		key, ready, again := t.pick(c)
		if key == nil {
			return nil, again
		}
		m, d := t.loadBoth(binary.BigEndian.Uint64(key), key[8])
		if d == nil {
			t.forget(c.SIM, ready)
			continue
		}
		if t.interrupt(m, d) {
			// Whoever had the outcome to tell asks for more instead.
			if d.Ready != nil || d.nextQueued() < 0 {
				t.setActive(c.SIM, nil)
			}
			t.store(m, d)
			continue
		}
		i := d.nextQueued()
		if i >= 0 && !m.expired(t.now) {
			return t.intend(c, m, d, i), 0
		}
		t.unplace(d)
		t.setActive(c.SIM, nil)
		if i >= 0 {
			t.expire(d)
		}
		t.store(m, d)
	}
	return nil, t.now
}

// forget drops the index entry of a message that is gone: the one in ready, or else the active one.
func (t *tx) forget(sim int, ready []byte) {
	if ready == nil {
		t.setActive(sim, nil)
		return
	}
	t.del(t.ready, ready)
}

// pick returns the delivery key of the recipient to go on with, or else of the one to begin and its
// key in ready.
func (t *tx) pick(c *Claim) (key, ready []byte, again int64) {
	if key = bytes.Clone(t.meta.Get(activeKey(c.SIM))); key != nil {
		return key, nil, 0
	}
	if ready, again = t.best(c); ready == nil {
		return nil, nil, again
	}
	ready = bytes.Clone(ready)
	return ready[2:], ready, 0
}

// best returns the key of the first claimable recipient in the lanes open to c; or nil, and when the
// first one that is held back may go.
func (t *tx) best(c *Claim) (key []byte, again int64) {
	for _, lane := range c.lanes() {
		if k := t.head(lane, c.Last); k != nil && (key == nil || t.before(k, key, c.Last)) {
			key = k
		}
	}
	if key == nil {
		return nil, 0
	}
	if prio, seq, _ := splitReady(key); prio >= Urgent || c.Last != nil && seq == c.Last.Message {
		return key, 0
	}
	again = t.heldUntil(c)
	if again <= t.now {
		return key, 0
	}
	for _, lane := range c.lanes() {
		if k := t.sameMessage(lane, c.Last); k != nil {
			return k, 0
		}
	}
	return nil, again
}

func (c *Claim) lanes() []int {
	if c.Shared {
		return []int{c.SIM, 0}
	}
	return []int{c.SIM}
}

// head returns the key that goes first in a lane: of the highest priority, the rest of the last
// message, then by age.
func (t *tx) head(lane int, last *Job) []byte {
	c := t.ready.Cursor()
	first, _ := c.Seek([]byte{byte(lane)})
	if len(first) == 0 || first[0] != byte(lane) {
		return nil
	}
	if last != nil && prioOctet(last.Priority) == first[1] {
		if k := t.sameMessage(lane, last); k != nil {
			return k
		}
	}
	if t.opts.FIFO {
		return first
	}
	// The newest message is the last of its priority; its recipients go in their own order.
	k, _ := seekLast(c, bytes.Clone(first[:2]))
	k, _ = c.Seek(k[:10])
	return k
}

// sameMessage returns the first key in a lane that belongs to the message of last, or nil.
func (t *tx) sameMessage(lane int, last *Job) []byte {
	if last == nil {
		return nil
	}
	prefix := readyKey(lane, last.Priority, last.Message, 0)[:10]
	k, _ := t.ready.Cursor().Seek(prefix)
	if len(k) < 10 || string(k[:10]) != string(prefix) {
		return nil
	}
	return k
}

// before reports whether key a goes before key b, of another lane.
func (t *tx) before(a, b []byte, last *Job) bool {
	pa, sa, _ := splitReady(a)
	pb, sb, _ := splitReady(b)
	switch {
	case pa != pb:
		return pa > pb
	case last != nil && (sa == last.Message) != (sb == last.Message):
		return sa == last.Message
	default:
		return (sa < sb) == t.opts.FIFO
	}
}

// intend stores that part i of d is about to be submitted, and describes it.
func (t *tx) intend(c *Claim, m *message, d *delivery, i int) *Job {
	first := d.rcpt == 0 && i == 0 && d.Parts[0].Attempts == 0
	if !d.started() {
		d.SIM = c.SIM
		if len(d.Parts) > 1 && d.Parts[0].Attempts == 0 {
			d.Reference = t.nextReference(d.To)
		}
	}
	t.unplace(d)
	p := &d.Parts[i]
	d.apply(i, evSubmit)
	p.Attempts++
	p.IMSI, p.Submitted, p.Intent = c.IMSI, t.now, t.id
	t.setActive(c.SIM, deliveryKey(d.seq, d.rcpt))
	t.store(m, d)
	if first && c.Limit.Count > 0 {
		t.countSend(c, d.seq)
	}
	return t.job(c, m, d, i, first)
}

func (t *tx) job(c *Claim, m *message, d *delivery, i int, first bool) *Job {
	j := &Job{
		Message: d.seq, Recipient: d.rcpt, Part: i, ID: m.ID, To: d.To, Content: m.Content,
		Parts: len(d.Parts), Reference: d.Reference, Report: m.Report, Priority: m.Priority,
		ValidUntil: timeOf(m.ValidUntil), SIM: c.SIM, IMSI: c.IMSI,
		Attempts: d.Parts[i].Attempts, Faults: d.Faults, First: first, Shared: m.SIM == 0,
	}
	j.Rest = j.Shared && t.sameMessage(0, j) != nil
	j.Waiting = d.nextQueued() >= 0
	for _, lane := range c.lanes() {
		j.Waiting = j.Waiting || t.head(lane, nil) != nil
	}
	return j
}
