package scheduler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler/queue"
)

// sim is one SIM with what only its sending goroutine knows, and what others may see of it.
type sim struct {
	Sender
	woken chan struct{}
	// asked is taken by the loop in serve when it comes round; submitting is since when a part is
	// on its way, in Unix nanoseconds, 0 for none. See turning.
	asked      chan struct{}
	submitting atomic.Int64

	// Only the goroutine in serve touches these.
	last     *queue.Job
	segments []pdu.Segment // of the recipient of last
	paced    *Policy       // that nextAt was drawn by
	lastAt   time.Time     // the last part was answered
	nextAt   time.Time     // the pause between messages ends

	// ended is closed when the goroutine in serve has ended. stop has it end, and is nil before it was
	// begun; guarded by fleet.mu. before is the SIM that had the number before, until it has ended.
	ended  chan struct{}
	stop   context.CancelFunc
	before *sim

	mu      sync.Mutex
	breaker breaker
	// heldUntil is when delays, limits and work hours let it begin a message again, by the policy
	// heldBy; another policy holds it no longer.
	heldUntil time.Time
	heldBy    *Policy
	// quota is the quota of a card that is used up.
	quota struct {
		queue.Pause
		card string
	}
	credit credit

	dialogue dialogue
}

func newSIM(sender Sender) *sim {
	return &sim{Sender: sender, woken: make(chan struct{}, 1), asked: make(chan struct{}), ended: make(chan struct{})}
}

func (c *sim) wake() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

func (c *sim) identity() string { return identity(c.SIM(), c.Sender.Status().IMSI) }

// ready reports whether the SIM may send, and if a pause is all that keeps it, until when.
func (c *sim) ready(now time.Time) (ok bool, until time.Time) {
	if !c.Sender.Status().Ready() {
		return false, time.Time{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.breaker.pausing(now), c.breaker.until
}

// probes reports whether the SIM has to show with one message that it works again.
func (c *sim) probes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.breaker.open()
}

// hold notes what keeps the SIM from beginning a message.
func (c *sim) hold(why queue.Pause) {
	card := c.identity()
	c.mu.Lock()
	defer c.mu.Unlock()
	if why.Quota != "" {
		c.quota.Pause, c.quota.card = why, card
		return
	}
	c.heldUntil, c.heldBy = why.Until, c.paced
}

// usedUp reports whether the quota of this card is used up. With c.mu held.
func (c *sim) usedUp(now time.Time, card string) bool {
	return now.Before(c.quota.Until) && c.quota.card == card
}

// The problems that the scheduler adds to those of modem.Status.
const (
	// ProblemPaused: faults in a row, none of which has a name of its own, keep the SIM from sending.
	ProblemPaused = "paused"
	// ProblemQuota: a quota is used up.
	ProblemQuota = "quota"
)

func (c *sim) status(now time.Time) modem.Status {
	st := c.Sender.Status()
	st.Balance, _ = c.creditOf(st.IMSI)
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &c.breaker
	switch {
	case !st.Ready():
	case b.pausing(now) && b.why.Warning != "":
		st.State, st.Problem = modem.StatePaused, b.why.Warning
		st.Hint = "the last message was refused with " + b.why.String() +
			"; the SIM is tried again at " + b.until.Format(time.RFC3339)
	case b.pausing(now) && b.open():
		st.State, st.Problem = modem.StatePaused, ProblemPaused
		st.Hint = fmt.Sprintf("%d submissions in a row failed, the last with: %s; the SIM is tried with one message at %s",
			b.faults, b.why, b.until.Format(time.RFC3339))
	case c.usedUp(now, identity(c.SIM(), st.IMSI)):
		st.State, st.Problem = modem.StatePaused, ProblemQuota
		st.Hint = "the quota of " + c.quota.Quota + " is used up; the SIM sends again at " + c.quota.Until.Format(time.RFC3339)
	}
	return st
}

// serve claims and submits until ctx ends. Whatever happens to a part is stored with the claim of the
// next one, in one commit. While the disk works on it the dongle is brought to its prompt; the PDU
// leaves when the commit is done.
func (s *Scheduler) serve(ctx context.Context, c *sim) {
	var done *queue.Outcome
	for {
		want, until := s.wants(ctx, c)
		if done == nil && want == nil {
			if !c.wait(ctx, until) {
				return
			}
			continue
		}
		// The outcome has to be stored even while stopping.
		job, why, err := s.queue.StepAhead(context.WithoutCancel(ctx), done, want)
		if err == nil && job != nil {
			s.took(c, job)
			next := s.send(ctx, c, job)
			if err = job.Stored(); err == nil {
				done = next
				continue
			}
			// Nothing left, and the outcome before is still to be stored.
		}
		if err != nil {
			if errors.Is(err, queue.ErrClosed) {
				return
			}
			s.log.Error("the store refuses; sending waits", "sim", c.SIM(), "err", err)
			if !c.wait(ctx, time.Now().Add(storeRetry)) {
				return // an outcome not stored is found as unknown at the next start
			}
			continue
		}
		done = nil
		if want != nil {
			s.hold(c, why)
			until = why.Until
		}
		if !c.wait(ctx, until) {
			return
		}
	}
}

// storeRetry is the pause after the store refused, which a full or failing disk makes it do.
const storeRetry = 5 * time.Second

// wants is what the SIM may claim now; nil, and when to look again, if it may not send.
func (s *Scheduler) wants(ctx context.Context, c *sim) (*queue.Claim, time.Time) {
	if ctx.Err() != nil {
		return nil, time.Time{}
	}
	now := time.Now()
	ok, until := c.ready(now)
	if !ok {
		return nil, until
	}
	p := s.policy.Load()
	return &queue.Claim{
		SIM: c.SIM(), IMSI: c.identity(), Lanes: s.lanes(c, now), Last: c.last,
		NotBefore: c.notBefore(p, now, s.opts.Zone), Limit: p.Limit, Quota: s.quota(c.SIM()),
		QuietUntil: s.opts.QuietHours.ending(now.In(s.opts.Zone)),
	}, time.Time{}
}

// quota is what a SIM may send.
func (s *Scheduler) quota(number int) queue.Quota {
	if q, ok := s.opts.Quotas[number]; ok {
		return q
	}
	return s.opts.Quotas[0]
}

// maxSleep is how late a SIM may be for a time whose clock was set forward meanwhile, as a Pi's is some
// time after it started.
const maxSleep = time.Minute

// wait sleeps until the SIM is woken, a time (zero: no time), or the end of ctx, when it returns
// false.
func (c *sim) wait(ctx context.Context, until time.Time) bool {
	var alarm <-chan time.Time
	var t *time.Timer
	if !until.IsZero() {
		t = time.NewTimer(min(maxSleep, time.Until(until)))
		defer t.Stop()
		alarm = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return false
		case <-c.woken:
		case <-c.asked:
		case <-alarm:
			if left := time.Until(until); left > 0 {
				t.Reset(min(maxSleep, left))
				continue
			}
		}
		return true
	}
}

// send submits the part of job and says what became of it.
func (s *Scheduler) send(ctx context.Context, c *sim, job *queue.Job) *queue.Outcome {
	seg, err := c.segment(job)
	if err != nil {
		return &queue.Outcome{Job: job, Kind: queue.OutcomeRejected, Error: "Can't send message: " + err.Error()}
	}
	s.tell(job, seg, nil, false)
	c.submitting.Store(time.Now().UnixNano())
	mr, err := c.Submit(ctx, seg, job.Waiting, job.Stored)
	c.submitting.Store(0)
	s.tell(job, seg, err, true)
	c.sent(time.Now())
	if err == nil {
		s.recovered(c)
		return &queue.Outcome{Job: job, Kind: queue.OutcomeAccepted, MR: mr}
	}
	c.segments = nil // by the next try less remains of the validity
	return s.outcome(c, job, err)
}

func (s *Scheduler) tell(job *queue.Job, seg pdu.Segment, err error, after bool) {
	if s.opts.OnPart != nil {
		s.opts.OnPart(job, seg, err, after)
	}
}

// segment returns the PDU of job. The parts of one recipient are encoded together, once: they must
// agree in reference and validity. After a restart the same content and reference give the same parts.
func (c *sim) segment(job *queue.Job) (pdu.Segment, error) {
	same := c.last != nil && c.last.Message == job.Message && c.last.Recipient == job.Recipient
	if !same || job.Part == 0 || job.Part >= len(c.segments) {
		segs, err := pdu.Encode(content(job.Content), options(job))
		if err != nil {
			return pdu.Segment{}, err
		}
		c.segments = segs
	}
	c.last = job
	return c.segments[job.Part], nil
}

func options(job *queue.Job) pdu.Options {
	o := pdu.Options{To: job.To, Reference: job.Reference, Report: job.Report, Now: time.Now()}
	if !job.ValidUntil.IsZero() {
		o.ValidFor = job.ValidUntil.Sub(o.Now)
	}
	return o
}

func content(c queue.Content) pdu.Content {
	return pdu.Content{Text: c.Text, Data: c.Data, Port: c.Port, Flash: c.Flash}
}
