package queue

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// model is the queue as a slice, without indexes, timers or a disk: what the real one must look like
// after every operation.
type model struct {
	fifo, retry  bool
	unknownAfter time.Duration
	routes       []Route
	messages     []*modelMessage // in the order of acceptance
	active       map[int]*modelRecipient
	charges      []*modelCharge
	// events are those of each recipient that was ever heard of, by message and number; changed are the
	// messages from an uplink whose state changed since somebody looked.
	events  map[string][]string
	changed map[string]bool
	// changes are the states that each recipient of a message with an origin went through, by message and
	// index.
	changes map[string][]State
}

// modelCharge is a submission that counts in the quotas of its card.
type modelCharge struct {
	at        time.Time
	card, to  string
	beginning bool
}

type modelMessage struct {
	id         string
	seq        int
	uplink     bool
	followed   bool // has an origin
	quiet      bool
	sealed     bool // and not opened yet
	scheduleAt time.Time
	sim        int
	prio       int8
	validUntil time.Time
	recipients []*modelRecipient
}

type modelRecipient struct {
	msg     *modelMessage
	n       int
	to      string
	cipher  string // what clients see instead
	sim     int
	charge  *modelCharge // of the part in flight, or the last one
	parts   []modelPart
	reached map[State]time.Time
	// waiting in a lane with a priority, from due on
	waiting bool
	bound   bool // to its SIM
	// saw is the last state that a user could see, told how many parts he was told are delivered.
	saw  State
	told int
	last State // the last in model.changes
	prio int8
	due  time.Time
}

type modelPart struct {
	doubt    bool // waits to be repeated, but may have gone out
	state    PartState
	attempts int
	giveUp   time.Time // while unknown
}

func (r *modelRecipient) has(states ...PartState) bool {
	return slices.ContainsFunc(r.parts, func(p modelPart) bool { return slices.Contains(states, p.state) })
}

func (r *modelRecipient) only(states ...PartState) bool {
	return !slices.ContainsFunc(r.parts, func(p modelPart) bool { return !slices.Contains(states, p.state) })
}

func (r *modelRecipient) queued() int {
	return slices.IndexFunc(r.parts, func(p modelPart) bool { return p.state == PartQueued })
}

func (r *modelRecipient) state() State {
	switch {
	case r.has(PartRejected, PartUndelivered, PartLost):
		return Failed
	case r.has(PartCancelled):
		return Cancelled
	case r.only(PartQueued) && !slices.ContainsFunc(r.parts, func(p modelPart) bool { return p.doubt }):
		return Pending
	case r.only(PartDelivered):
		return Delivered
	case r.only(PartDelivered, PartAccepted):
		return Sent
	}
	return Processed
}

func (m *modelMessage) count(s State) (n int) {
	for _, r := range m.recipients {
		if r.state() == s {
			n++
		}
	}
	return n
}

func (m *modelMessage) state() State {
	for _, s := range []State{Pending, Cancelled, Processed} {
		if m.count(s) > 0 {
			return s
		}
	}
	for _, s := range []State{Failed, Delivered} {
		if m.count(s) == len(m.recipients) {
			return s
		}
	}
	return Sent
}

func (m *modelMessage) expired() bool {
	return !m.validUntil.IsZero() && !m.validUntil.After(time.Now())
}

// settle brings about what is due now, and notes the states reached.
func (md *model) settle() {
	now := time.Now()
	for _, m := range md.messages {
		for _, r := range m.recipients {
			if m.expired() && !r.has(PartSubmitting) {
				r.drop()
				md.leave(r)
			}
			for i := range r.parts {
				if p := &r.parts[i]; p.state == PartUnknown && !p.giveUp.After(now) {
					p.state = PartLost
					r.drop()
				}
			}
			md.tell(r)
			md.note(r)
			if _, seen := r.reached[r.state()]; !seen {
				r.reached[r.state()] = now
			}
		}
	}
}

// tell notes the events of what a user sees of r now, and did not before.
func (md *model) tell(r *modelRecipient) {
	_, sent := r.reached[Sent]
	_, delivered := r.reached[Delivered]
	_, seen := r.reached[r.state()]
	note := func(event string) {
		k := r.msg.id + " " + cmp.Or(r.cipher, r.to)
		md.events[k] = append(md.events[k], event)
	}
	switch now := r.state(); {
	case now == Failed && !seen:
		note("sms:failed")
	case now == Cancelled && !seen:
		note("sms:cancelled")
	case now == Sent, now == Delivered:
		if !sent && !delivered {
			note("sms:sent")
		}
		arrived := 0
		for _, p := range r.parts {
			if p.state == PartDelivered {
				arrived++
			}
		}
		for ; r.told < arrived; r.told++ {
			note("sms:delivered")
		}
	}
	if r.msg.uplink && r.saw != r.state() {
		md.changed[r.msg.id] = true
	}
	r.saw = r.state()
}

// note notes the state of r, if it is another one than before.
func (md *model) note(r *modelRecipient) {
	if now := r.state(); r.msg.followed && now != r.last {
		k := fmt.Sprint(r.msg.id, "/", r.n)
		md.changes[k] = append(md.changes[k], now)
		r.last = now
	}
}

// next is the first time after now, and not after limit, at which something is due.
func (md *model) next(limit time.Time) time.Time {
	next := limit
	consider := func(at time.Time) {
		if at.After(time.Now()) && at.Before(next) {
			next = at
		}
	}
	for _, m := range md.messages {
		consider(m.validUntil)
		for _, r := range m.recipients {
			for _, p := range r.parts {
				consider(p.giveUp)
			}
		}
	}
	return next
}

// drop ends what of r was not submitted.
func (r *modelRecipient) drop() {
	r.waiting = false
	for i := range r.parts {
		if r.parts[i].state == PartQueued {
			r.parts[i].state = PartRejected
		}
	}
}

// leave frees the SIM that is in the middle of r, unless it has a part of r in hand.
func (md *model) leave(r *modelRecipient) {
	if md.active[r.sim] == r && !r.has(PartSubmitting) {
		delete(md.active, r.sim)
	}
}

func (r *modelRecipient) wait(due time.Time) {
	r.waiting, r.due, r.bound, r.prio = true, due, r.begun(), r.msg.prio
	if r.bound {
		r.prio = 127
	}
	if slices.ContainsFunc(r.parts, func(p modelPart) bool { return p.doubt }) {
		r.bound = true // unknown never moves to another SIM
	}
}

func (r *modelRecipient) begun() bool { return !r.only(PartQueued) }

// lane is where r waits.
func (md *model) lane(r *modelRecipient) int {
	switch {
	case r.bound:
		return r.sim
	case r.msg.sim != 0:
		return r.msg.sim
	}
	lane, longest := LaneAny, -1
	for _, route := range md.routes {
		if strings.HasPrefix(r.to, route.Prefix) && len(route.Prefix) > longest {
			lane, longest = route.Lane, len(route.Prefix)
		}
	}
	return lane
}

func (md *model) enqueue(s Submission, parts int) {
	m := &modelMessage{
		id: s.ID, seq: 1, sim: s.SIM, prio: s.Priority, validUntil: s.ValidUntil, scheduleAt: s.ScheduleAt,
		uplink: s.Origin == OriginUplink, followed: s.Origin != "", quiet: s.Quiet, sealed: s.Encrypted,
	}
	if n := len(md.messages); n > 0 {
		m.seq = md.messages[n-1].seq + 1
	}
	for i, to := range s.Recipients {
		r := &modelRecipient{msg: m, n: i, to: to, parts: make([]modelPart, parts), reached: map[State]time.Time{Pending: time.Now()}, saw: Pending}
		if m.sealed {
			r.to, r.cipher, r.parts = strings.TrimPrefix(to, "$"), to, r.parts[:1]
		} else {
			r.wait(s.ScheduleAt)
		}
		md.note(r)
		if s.Refused != "" {
			r.drop()
			md.note(r)
		}
		m.recipients = append(m.recipients, r)
	}
	md.messages = append(md.messages, m)
}

// nextSealed is the first message that waits to be opened, or nil.
func (md *model) nextSealed() *modelMessage {
	i := slices.IndexFunc(md.messages, func(m *modelMessage) bool { return m.sealed && m.state() == Pending })
	if i < 0 {
		return nil
	}
	return md.messages[i]
}

// unseal opens m; a recipient with an error fails.
func (md *model) unseal(m *modelMessage, o Opened) {
	m.sealed = false
	for i, r := range m.recipients {
		if o.Recipients[i].Error != "" {
			r.drop()
			continue
		}
		r.parts = make([]modelPart, o.Parts)
		r.wait(m.scheduleAt)
	}
}

// outcome settles part i of r.
func (md *model) outcome(r *modelRecipient, i int, o Outcome) {
	p := &r.parts[i]
	if o.Kind == OutcomeRejected || o.Kind == OutcomeDeferred {
		md.charges = slices.DeleteFunc(md.charges, func(ch *modelCharge) bool { return ch == r.charge })
	}
	switch o.Kind {
	case OutcomeAccepted:
		p.state = PartAccepted
	case OutcomeRejected:
		p.state = PartRejected
		r.drop()
	case OutcomeDeferred:
		p.state = PartQueued
		if o.Uncounted {
			p.attempts--
		}
		r.wait(o.RetryAt)
	case OutcomeUnknown:
		md.lose(r, i)
	}
	if r.state() == Failed {
		r.drop() // by the report of a sibling, perhaps
	}
	if r.waiting || r.queued() < 0 {
		delete(md.active, r.sim)
	}
	md.note(r)
}

func (md *model) lose(r *modelRecipient, i int) {
	p := &r.parts[i]
	if md.retry && p.attempts < 3 {
		p.state, p.doubt = PartQueued, true
		r.wait(time.Time{})
		return
	}
	p.state, p.giveUp = PartUnknown, time.Now().Add(md.unknownAfter)
}

// crash is a restart: what is in flight is unknown, what a SIM was in the middle of waits again.
func (md *model) crash() {
	for _, r := range md.active {
		for i := range r.parts {
			if r.parts[i].state == PartSubmitting {
				md.lose(r, i)
			}
		}
		if r.state() == Failed {
			r.drop()
		}
		if !r.waiting && r.queued() >= 0 {
			r.wait(time.Time{})
		}
		md.note(r)
	}
	clear(md.active)
}

func (md *model) report(r *modelRecipient, i int, v Verdict) Match {
	if r == nil || !slices.Contains(md.messages, r.msg) {
		return Orphan
	}
	if r.parts[i].state != PartAccepted {
		return Repeated
	}
	switch v {
	case VerdictDelivered:
		r.parts[i].state = PartDelivered
	case VerdictFailed:
		r.parts[i].state = PartUndelivered
		r.drop()
		md.leave(r)
	}
	return Matched
}

func (md *model) cancel(m *modelMessage) error {
	if m.count(Pending)+m.count(Cancelled) < len(m.recipients) {
		return ErrNotPending
	}
	for _, r := range m.recipients {
		r.waiting = false
		for i := range r.parts {
			r.parts[i].state = PartCancelled
		}
	}
	return nil
}

// retire deletes what ended before a time and no SIM has in hand, and returns how many.
func (md *model) retire(before time.Time) int {
	old := func(m *modelMessage) bool {
		for _, r := range m.recipients {
			ended := r.state() != Pending && r.state() != Processed
			for _, at := range r.reached {
				ended = ended && at.Before(before)
			}
			if !ended || md.active[r.sim] == r {
				return false
			}
		}
		return true
	}
	n := len(md.messages)
	md.messages = slices.DeleteFunc(md.messages, old)
	return n - len(md.messages)
}
