package scheduler

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"dongled/modem"
	"dongled/scheduler/queue"
)

const (
	// maxAttempts bounds the submissions of one part that the network refused for now; with
	// firstBackoff doubling, the last one comes about an hour after the first.
	maxAttempts  = 8
	firstBackoff = 30 * time.Second
	maxBackoff   = time.Hour

	// After patience faults in a row a message is no longer thought innocent of them, and lets
	// others go first: one number may fell the modem, or be barred on a SIM that reaches all others.
	patience = 3
)

// outcome maps the error of a submission to what becomes of the part, and pauses the SIM where the
// fault is its own.
func (s *Scheduler) outcome(c *sim, job *queue.Job, err error) *queue.Outcome {
	var se *modem.SubmitError
	if !errors.As(err, &se) {
		se = &modem.SubmitError{Fault: modem.Fault{Action: modem.Ambiguous, Text: err.Error()}, Submitted: true}
	}
	o := &queue.Outcome{Job: job, Error: sendResult(se)}
	s.log.Warn("part not accepted", "message", job.ID, "recipient", job.Recipient, "part", job.Part+1,
		"sim", c.SIM(), "attempt", job.Attempts, "action", se.Fault.Action.String(), "err", err)
	now := time.Now()
	if !se.Submitted && errors.Is(err, context.Canceled) { // we are stopping
		o.Kind, o.Uncounted = queue.OutcomeDeferred, true
		return o
	}
	switch se.Fault.Action {
	case modem.Permanent:
		o.Kind = queue.OutcomeRejected
	case modem.Transient:
		tries := se.Fault.Tries
		if tries == 0 {
			tries = maxAttempts
		}
		if job.Attempts >= tries {
			o.Kind = queue.OutcomeRejected
			o.Error = fmt.Sprintf("gave up after %d attempts: %s", job.Attempts, o.Error)
			break
		}
		o.Kind, o.RetryAt = queue.OutcomeDeferred, now.Add(backoff(se.Fault.Delay, job.Attempts))
	case modem.SIMFault:
		o.Kind, o.Uncounted = queue.OutcomeDeferred, true
		o.RetryAt = stepBack(job, s.pause(c, now, firstPause, maxPause, se.Fault))
	case modem.ModemFault:
		o.Kind, o.Uncounted = queue.OutcomeDeferred, true
		if errors.Is(err, modem.ErrNotReady) {
			o.RetryAt = stepBack(job, s.absent(c, now))
			break
		}
		o.RetryAt = stepBack(job, s.pause(c, now, settle, firstPause, se.Fault))
	default:
		o.Kind = queue.OutcomeUnknown
		s.doubt(c, now, se.Fault)
	}
	return o
}

// sendResult is a recipient's error in SMSGate's form.
func sendResult(se *modem.SubmitError) string {
	name := se.Fault.Result
	if name == "" {
		name = "RESULT_ERROR_GENERIC_FAILURE"
	}
	return fmt.Sprintf("Send result: %s (%s)", name, se.Error())
}

// stepBack is when a message may go on whose SIM pauses until then; zero does not hold it back.
func stepBack(job *queue.Job, until time.Time) time.Time {
	if job.Faults < patience {
		return time.Time{}
	}
	return until.Add(backoff(0, job.Faults-patience+1))
}

// backoff doubles first (0: firstBackoff) with each attempt up to maxBackoff, give or take a fifth
// so that messages refused together do not come back together.
func backoff(first time.Duration, attempt int) time.Duration {
	if first <= 0 {
		first = firstBackoff
	}
	d := doubled(first, maxBackoff, attempt-1)
	return d*4/5 + rand.N(d*2/5+1)
}

func doubled(d, limit time.Duration, times int) time.Duration {
	for ; times > 0 && d < limit; times-- {
		d *= 2
	}
	return min(d, limit)
}

// pause keeps a SIM from sending, longer with every fault in a row, and says until when. The others
// may take its turn.
func (s *Scheduler) pause(c *sim, now time.Time, first, limit time.Duration, why modem.Fault) time.Time {
	c.mu.Lock()
	until := c.breaker.trip(now, first, limit, why)
	c.mu.Unlock()
	s.wake(queue.LaneAny)
	return until
}

// doubt notes that c gave no answer; the others may take its turn if that happens again and again.
func (s *Scheduler) doubt(c *sim, now time.Time, why modem.Fault) {
	c.mu.Lock()
	paused := c.breaker.doubt(now, why)
	c.mu.Unlock()
	if paused {
		s.wake(queue.LaneAny)
	}
}

// absent leaves the SIM of a modem that has just gone to its status, and its turn to others.
func (s *Scheduler) absent(c *sim, now time.Time) time.Time {
	c.mu.Lock()
	until := c.breaker.absent(now)
	c.mu.Unlock()
	s.wake(queue.LaneAny)
	return until
}

// recovered ends the row of faults; a SIM that was tried with one message takes its turns again.
func (s *Scheduler) recovered(c *sim) {
	c.mu.Lock()
	was := c.breaker.close()
	c.mu.Unlock()
	if was {
		s.wake(queue.LaneAny)
	}
}
