package queue

import (
	"bytes"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Claim says what a SIM may take next.
type Claim struct {
	// SIM is the simNumber and IMSI the card in it; parts, reports, limits and quotas follow the card.
	SIM  int
	IMSI string
	// Lanes are those open to the SIM besides its own.
	Lanes []int
	// Last is what the SIM sent last, or nil. The remaining recipients of its message go before
	// others of the same priority, and past delays and limits.
	Last *Job
	// NotBefore holds other messages back until then, and Limit caps how many may begin in a
	// period; neither concerns priorities from Urgent up.
	NotBefore time.Time
	Limit     Limit
	// Quota caps what the card sends, whatever its priority.
	Quota Quota
	// QuietUntil is when the quiet hours end that are now, zero outside of them. Until then recipients of
	// messages with Submission.Quiet are not begun, whatever the priority.
	QuietUntil time.Time
}

// Pause is why a SIM got nothing to send.
type Pause struct {
	// Until is when to ask again although nothing woke a lane, or zero.
	Until time.Time
	// Quota names the cap that is reached, such as "10 parts a minute"; empty for other reasons.
	Quota string
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
	// Lane is where the recipient waited before it was begun.
	Lane int
	// Rest says that other recipients of this message wait in Lane, which several SIMs share.
	Rest bool
	// Waiting says that this SIM finds more to submit.
	Waiting bool

	stored func() error
	// charge is what the submission counts in the card's quotas.
	charge charge
}

// Stored waits until the intent of the job is on disk. On an error nothing of the job may leave: the
// next start would not know of it.
func (j *Job) Stored() error { return j.stored() }

// maxSkip bounds how many dead entries one claim buries, and how many recipients it passes over whom
// a quota forbids, before it lets others write.
const maxSkip = 64

// search is a claim while it looks.
type search struct {
	*Claim
	// passed are the ready keys that a quota forbids.
	passed map[string]bool
	pause  Pause
}

// put notes what is in the way, unless something else is gone sooner.
func (s *search) put(p Pause) {
	if s.pause.Until.IsZero() || p.Until.Before(s.pause.Until) {
		s.pause = p
	}
}

// claim returns the next part for a SIM, its intent stored; or nil, and why.
func (t *tx) claim(c *Claim) (*Job, Pause) {
	s := &search{Claim: c}
	for range maxSkip {
		key, ready := t.pick(s)
		if key == nil {
			return nil, s.pause
		}
		job, held := t.try(s, key, ready)
		switch {
		case job != nil:
			return job, Pause{}
		case held:
			return nil, s.pause
		}
	}
	if len(s.passed) < maxSkip { // some were buried, so the next claim comes further
		s.put(Pause{Until: timeOf(t.now)})
	}
	return nil, s.pause
}

// try returns the next part of one recipient, its intent stored, or whether a quota holds the SIM. If
// it returns neither, the search goes on.
func (t *tx) try(s *search, key, ready []byte) (job *Job, held bool) {
	m, d := t.loadBoth(splitDelivery(key))
	if d == nil {
		t.forget(s.SIM, ready)
		return nil, false
	}
	if t.interrupt(m, d) {
		// Whoever had the outcome to tell asks for more instead.
		if d.Ready != nil || d.nextQueued() < 0 {
			t.setActive(s.SIM, nil)
		}
		t.store(m, d)
		return nil, false
	}
	i := d.nextQueued()
	if i < 0 || m.expired(t.now) {
		t.unplace(d)
		t.setActive(s.SIM, nil)
		t.expire(d)
		t.store(m, d)
		return nil, false
	}
	if t.quieted(s.Claim, m, d) {
		return nil, false
	}
	h := t.heldByQuota(s.Claim, d)
	if h == nil {
		return t.intend(s.Claim, m, d, i), false
	}
	s.put(h.Pause)
	if !h.others || ready == nil {
		return nil, true
	}
	s.pass(ready)
	return nil, false
}

// pass has the search go on behind a key.
func (s *search) pass(ready []byte) {
	if s.passed == nil {
		s.passed = map[string]bool{}
	}
	s.passed[string(ready)] = true
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
func (t *tx) pick(s *search) (key, ready []byte) {
	if key = bytes.Clone(t.meta.Get(activeKey(s.SIM))); key != nil {
		return key, nil
	}
	if ready = t.best(s); ready == nil {
		return nil, nil
	}
	ready = bytes.Clone(ready)
	return deliveryOf(ready), ready
}

// best returns the key of the first claimable recipient in the lanes open to s, or nil.
func (t *tx) best(s *search) (key []byte) {
	for _, lane := range s.lanes() {
		if k := t.head(lane, s.Last, s.passed); k != nil && (key == nil || t.before(k, key, s.Last)) {
			key = k
		}
	}
	if key == nil {
		return nil
	}
	if prio, seq := splitReady(key); prio >= Urgent || s.Last != nil && seq == s.Last.Message {
		return key
	}
	until := t.heldUntil(s.Claim)
	if until <= t.now {
		return key
	}
	for _, lane := range s.lanes() {
		if k := t.sameMessage(lane, s.Last, s.passed); k != nil {
			return k
		}
	}
	s.put(Pause{Until: timeOf(until)})
	return nil
}

func (c *Claim) lanes() []int { return append([]int{c.SIM}, c.Lanes...) }

// head returns the key that goes first in a lane, but for those passed: of the highest priority, the
// rest of the last message, then by age.
func (t *tx) head(lane int, last *Job, passed map[string]bool) []byte {
	c := t.ready.Cursor()
	k, _ := c.Seek(lanePrefix(lane))
	for k != nil && laneOf(k) == lane {
		if prio, _ := splitReady(k); last != nil && last.Priority == prio {
			if rest := t.sameMessage(lane, last, passed); rest != nil {
				return rest
			}
		}
		var prio [prioSize]byte
		copy(prio[:], k)
		for k = t.first(c, k); hasPrefix(k, prio[:]); k = t.following(c, k) {
			if !passed[string(k)] {
				return k
			}
		}
		k, _ = c.Seek(past(prio[:]))
	}
	return nil
}

// first returns the key that goes first among those of the lane and priority of k, the first of them
// in the bucket.
func (t *tx) first(c *bolt.Cursor, k []byte) []byte {
	if t.fifo {
		return k
	}
	// The newest message is the last of its priority; its recipients go in their own order.
	k, _ = seekLast(c, bytes.Clone(k[:prioSize]))
	k, _ = c.Seek(k[:messageSize])
	return k
}

// following returns the key that goes after k, or one that is not of its lane and priority, or nil.
func (t *tx) following(c *bolt.Cursor, k []byte) []byte {
	message := bytes.Clone(k[:messageSize])
	next, _ := c.Next()
	if t.fifo || hasPrefix(next, message) {
		return next
	}
	c.Seek(message)
	if k, _ = c.Prev(); !hasPrefix(k, message[:prioSize]) {
		return nil
	}
	k, _ = c.Seek(k[:messageSize])
	return k
}

// sameMessage returns the first key in a lane, but for those passed, that belongs to the message of
// last, or nil.
func (t *tx) sameMessage(lane int, last *Job, passed map[string]bool) []byte {
	if last == nil {
		return nil
	}
	message := readyKey(lane, last.Priority, last.Message, 0)[:messageSize]
	c := t.ready.Cursor()
	k, _ := c.Seek(message)
	for ; hasPrefix(k, message); k, _ = c.Next() {
		if !passed[string(k)] {
			return k
		}
	}
	return nil
}

// before reports whether key a goes before key b, of another lane.
func (t *tx) before(a, b []byte, last *Job) bool {
	pa, sa := splitReady(a)
	pb, sb := splitReady(b)
	switch {
	case pa != pb:
		return pa > pb
	case sa == sb:
		return bytes.Compare(deliveryOf(a), deliveryOf(b)) < 0
	case last != nil && (sa == last.Message) != (sb == last.Message):
		return sa == last.Message
	default:
		return (sa < sb) == t.fifo
	}
}

// intend stores that part i of d is about to be submitted, and describes it.
func (t *tx) intend(c *Claim, m *message, d *delivery, i int) *Job {
	first := d.rcpt == 0 && i == 0 && d.Parts[0].Attempts == 0
	spent := t.charge(c, d)
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
	if first {
		t.countSend(c, d.seq)
	}
	j := t.job(c, m, d, i, first)
	j.charge = spent
	return j
}

func (t *tx) job(c *Claim, m *message, d *delivery, i int, first bool) *Job {
	j := &Job{
		Message: d.seq, Recipient: d.rcpt, Part: i, ID: m.ID, To: d.To, Content: m.content(),
		Parts: len(d.Parts), Reference: d.Reference, Report: m.Report, Priority: m.Priority,
		ValidUntil: timeOf(m.ValidUntil), SIM: c.SIM, IMSI: c.IMSI,
		Attempts: d.Parts[i].Attempts, Faults: d.Faults, First: first, Lane: t.lane(m, d.To),
	}
	j.Rest = pooled(j.Lane) && t.sameMessage(j.Lane, j, nil) != nil
	j.Waiting = d.nextQueued() >= 0
	for _, lane := range c.lanes() {
		j.Waiting = j.Waiting || t.head(lane, nil, nil) != nil
	}
	return j
}
