package scheduler

import (
	"math/rand/v2"
	"time"

	"dongled/scheduler/queue"
)

// Policy is how messages are chosen and paced. It may change while the scheduler runs.
type Policy struct {
	// Selection chooses for messages that name no SIM; empty means OSDefault.
	Selection Selection
	// FIFO is the queue's.
	FIFO bool
	// IntervalMin and IntervalMax bound the random pause between two messages of a SIM; no pause
	// unless IntervalMax is positive.
	IntervalMin, IntervalMax time.Duration
	// Limit caps the messages that a SIM begins in a sliding period.
	Limit     queue.Limit
	WorkHours WorkHours
	// Retention deletes messages that ended that long ago; 0 keeps them.
	Retention time.Duration
}

// policy is the part of the options that SetPolicy may change.
func (o *Options) policy() Policy {
	return Policy{
		Selection: o.Selection, FIFO: o.FIFO, IntervalMin: o.IntervalMin, IntervalMax: o.IntervalMax,
		Limit: o.Limit, WorkHours: o.WorkHours, Retention: o.Retention,
	}
}

// SetPolicy changes how messages are chosen and paced, from the next claim on. What was held by the
// policy before is looked at anew.
func (s *Scheduler) SetPolicy(p Policy) {
	if p.Selection == "" {
		p.Selection = OSDefault
	}
	s.setting.Lock()
	defer s.setting.Unlock()
	if *s.policy.Load() == p {
		return
	}
	s.queue.SetFIFO(p.FIFO)
	s.policy.Store(&p)
	s.wake(queue.LaneAny)
	select {
	case s.retention <- struct{}{}:
	default: // retire has not yet looked at the change before
	}
}

// notBefore is when delays and work hours let c begin a message by p; not after now if they do.
func (c *sim) notBefore(p *Policy, now time.Time, zone *time.Location) time.Time {
	if c.paced != p {
		c.paced = p
		c.nextAt = p.after(c.lastAt)
	}
	if open := p.WorkHours.opening(now.In(zone)); open.After(c.nextAt) {
		return open
	}
	return c.nextAt
}

// sent begins the pause after a part.
func (c *sim) sent(now time.Time) {
	c.lastAt = now
	if c.paced != nil {
		c.nextAt = c.paced.after(now)
	}
}

// after is the end of the pause that begins at a time, random so that the traffic does not look like a
// machine's; zero for no pause.
func (p *Policy) after(at time.Time) time.Time {
	if p.IntervalMax <= 0 || at.IsZero() {
		return time.Time{}
	}
	pause := p.IntervalMin
	if spread := p.IntervalMax - p.IntervalMin; spread > 0 {
		pause += rand.N(spread + 1)
	}
	return at.Add(pause)
}

// WorkHours are the hours of a day in which messages are begun, by the clocks of the place; those from
// queue.Urgent up are not bound by them, nor is what was begun.
type WorkHours struct {
	Enabled bool
	// Start and End are minutes after midnight, the end not within; a Start after End is overnight,
	// the same is always.
	Start, End int
}

// open reports whether the hour is one of work by the clock of at.
func (w WorkHours) open(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	switch {
	case !w.Enabled || w.Start == w.End:
		return true
	case w.Start < w.End:
		return w.Start <= minute && minute < w.End
	default:
		return minute >= w.Start || minute < w.End
	}
}

// ending is when the hours end that at is in, as quiet hours; zero if it is in none. Those that start when
// they end are never.
func (w WorkHours) ending(at time.Time) time.Time {
	rest := WorkHours{Enabled: w.Enabled, Start: w.End, End: w.Start}
	if end := rest.opening(at); end.After(at) {
		return end
	}
	return time.Time{}
}

// opening is the first moment from at on that is in work hours, in the zone of at.
//
// Between two changes of the clocks an hour ahead is an hour later; so it goes from change to change.
// Hours that begin where the clocks leap begin with the leap, and those that begin in an hour that comes
// twice begin with the first one, and again with the second.
func (w WorkHours) opening(at time.Time) time.Time {
	for !w.open(at) {
		seconds := w.Start*60 - (at.Hour()*60+at.Minute())*60 - at.Second()
		if seconds <= 0 {
			seconds += 24 * 60 * 60
		}
		next := at.Add(time.Duration(seconds)*time.Second - time.Duration(at.Nanosecond()))
		_, change := at.ZoneBounds()
		if change.IsZero() || next.Before(change) {
			return next
		}
		at = change
	}
	return at
}
