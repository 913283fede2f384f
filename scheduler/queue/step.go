package queue

import (
	"context"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// OutcomeKind is what became of a part that Step handed out.
type OutcomeKind uint8

const (
	// OutcomeAccepted: the service centre took it; Outcome.MR is its TP-MR.
	OutcomeAccepted OutcomeKind = iota + 1
	// OutcomeRejected: it is refused for good. The recipient fails.
	OutcomeRejected
	// OutcomeDeferred: it is not in the network for certain, and may be tried from RetryAt on.
	OutcomeDeferred
	// OutcomeUnknown: it may be in the network. Nothing but a report or time settles it, unless the
	// store was opened to retry.
	OutcomeUnknown
)

// Outcome tells what became of a Job.
type Outcome struct {
	Job  *Job
	Kind OutcomeKind
	MR   uint8
	// Error says why, for people; empty when accepted.
	Error string
	// RetryAt is when a deferred part may be tried again; zero means at once.
	RetryAt time.Time
	// Uncounted says that a deferred submission was no attempt of the message's: a modem, SIM or
	// network was not fit to send.
	Uncounted bool
}

// Step stores done, the outcome of the last part of a SIM, and claims the next one for want, in one
// commit. Either may be nil. The next job is nil when nothing can be claimed; why then says
// what keeps it, and when to ask again.
//
// When Step returns an error nothing of it was stored; the same call may be repeated.
func (q *Queue) Step(ctx context.Context, done *Outcome, want *Claim) (next *Job, why Pause, err error) {
	next, why, err = q.StepAhead(ctx, done, want)
	if err == nil && next != nil {
		err = next.Stored()
	}
	if err != nil {
		return nil, Pause{}, err
	}
	return next, why, nil
}

// StepAhead is Step for a caller that has something to prepare while the disk works: it returns a job
// as soon as it is chosen. Nothing of the job may leave before Job.Stored returned nil; when that
// returns an error, nothing was stored of the step, done included.
func (q *Queue) StepAhead(ctx context.Context, done *Outcome, want *Claim) (next *Job, why Pause, err error) {
	if done == nil && !q.claimable(want) {
		return nil, Pause{}, nil
	}
	shown, stored, err := q.store.Ahead(ctx, func(st *store.Tx) error {
		t := q.in(st)
		next, why = nil, Pause{}
		if done != nil {
			if err := t.settle(done); err != nil {
				return err
			}
			t.Promise(-1)
		}
		if want != nil {
			next, why = t.claim(want)
		}
		if next != nil {
			t.Promise(1) // its outcome
		}
		return t.Err
	})
	if err != nil {
		return nil, Pause{}, err
	}
	if shown && next != nil {
		next.stored = stored
		return next, why, nil
	}
	return nil, why, stored()
}

// settle applies the outcome of a part in flight.
func (t *tx) settle(o *Outcome) error {
	j := o.Job
	m, d := t.loadBoth(j.Message, j.Recipient)
	if d == nil || j.Part >= len(d.Parts) {
		// The SIM must go on all the same.
		t.opts.Log.Error("outcome for a part that is not stored", "message", j.ID, "part", j.Part, "outcome", o.Kind)
		t.setActive(j.SIM, nil)
		return t.Err
	}
	last := t.lastMR(j.IMSI)
	switch o.Kind {
	case OutcomeAccepted:
		t.accept(m, d, o)
	case OutcomeRejected:
		t.reject(m, d, o)
	case OutcomeDeferred:
		t.deferPart(m, d, o)
	case OutcomeUnknown:
		t.lose(m, d, j.Part, o.Error)
	default:
		return fmt.Errorf("outcome of kind %d", o.Kind)
	}
	if o.Kind == OutcomeRejected || o.Kind == OutcomeDeferred {
		t.refund(j)
	}
	if m.expired(t.now) && d.Ready == nil {
		t.expire(d)
	}
	if d.nextQueued() < 0 || d.Ready != nil {
		t.setActive(j.SIM, nil)
	}
	t.store(m, d)
	if m.Report {
		t.offerAgain(o, d.To, last)
	}
	return t.Err
}

// accept notes +CMGS, files the part under its TP-MR for the report, and applies the report if it
// came first.
func (t *tx) accept(m *message, d *delivery, o *Outcome) {
	p := &d.Parts[o.Job.Part]
	d.Faults = 0
	p.MR, p.Accepted, p.Error = o.MR, t.now, ""
	d.apply(o.Job.Part, evAccept)
	t.put(t.meta, lastMRKey(p.IMSI), []byte{o.MR})
	if !m.Report {
		return
	}
	t.put(t.reports, reportKey(p.IMSI, int(o.MR), d.To, d.seq, d.rcpt, o.Job.Part), []byte{})
	t.adopt(d, o.Job.Part, o.MR)
}

// reject ends the recipient: what is left of the message would be of no use.
func (t *tx) reject(m *message, d *delivery, o *Outcome) {
	if !d.apply(o.Job.Part, evReject) {
		return // a report settled it meanwhile
	}
	d.Parts[o.Job.Part].Settled = t.now
	d.fail(o.Job.Part, o.Error, t.now)
	if m.Recipients == 1 {
		t.uncountSend(d, o.Job.Part)
	}
}

// deferPart puts a part back that is not in the network.
func (t *tx) deferPart(m *message, d *delivery, o *Outcome) {
	if !d.apply(o.Job.Part, evRequeue) {
		return // a report settled it meanwhile
	}
	p := &d.Parts[o.Job.Part]
	p.Error = o.Error
	if o.Uncounted {
		p.Attempts--
		d.Faults++
		t.uncountSend(d, o.Job.Part)
	} else {
		d.Faults = 0
	}
	t.place(m, d, millis(o.RetryAt))
}

// lose notes that a part got no answer. Under the retry policy it goes back to the lane; else it is
// filed for a report without TP-MR, and for the day its time is over.
func (t *tx) lose(m *message, d *delivery, i int, why string) {
	if !d.apply(i, evLose) {
		return
	}
	p := &d.Parts[i]
	p.Error = why
	p.Unanswered = append(p.Unanswered, p.IMSI)
	if m.Report {
		k := reportKey(p.IMSI, mrUnknown, d.To, d.seq, d.rcpt, i)
		t.put(t.reports, k, appendUnanswered(t.reports.Get(k), p.Intent, t.lastMR(p.IMSI)))
	}
	if t.opts.RetryUnknown && p.Attempts < maxUnknownRetries {
		d.apply(i, evRequeue)
		t.place(m, d, 0)
		return
	}
	rest := append(deliveryKey(d.seq, d.rcpt), byte(i))
	t.At(t.now+t.opts.UnknownAfter.Milliseconds(), timerUnknown, rest)
	if m.Report {
		t.adoptUnknown(d, i)
	}
}

// maxUnknownRetries bounds the submissions of one part under the retry policy: a modem that never
// answers must not send the same text for ever.
const maxUnknownRetries = 3

// claimable looks, without a write transaction, whether a claim could find anything.
func (q *Queue) claimable(c *Claim) bool {
	if c == nil {
		return false
	}
	found := true // if the store cannot be read, Step will say it
	_ = q.store.View(func(btx *bolt.Tx) error {
		t := &tx{Queue: q, fifo: q.fifo.Load(), ready: btx.Bucket(bucketReady), meta: btx.Bucket(bucketMeta)}
		found = t.meta.Get(activeKey(c.SIM)) != nil || slices.ContainsFunc(c.lanes(), func(lane int) bool {
			return t.head(lane, nil, nil) != nil
		})
		return nil
	})
	return found
}
