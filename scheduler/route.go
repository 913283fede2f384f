package scheduler

import (
	"math/rand/v2"
	"time"

	"dongled/scheduler/queue"
)

// holds reports whether c may take messages that named no SIM: it is the first ready SIM, or it is
// its turn. A turn ends with the last recipient of a message, so that one message keeps to one SIM.
func (s *Scheduler) holds(c *sim) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if holder := s.find(s.turn); s.opts.Selection == OSDefault || holder == nil || !holder.eligible(now) {
		s.pass(now)
	}
	return s.turn == c.SIM()
}

// took passes the turn on once the message that c took needs c no longer.
func (s *Scheduler) took(c *sim, job *queue.Job) {
	if !job.Shared || job.Rest {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn == c.SIM() {
		s.pass(time.Now())
	}
}

// hold notes that delays or limits keep c from beginning a message; another SIM may take the turn.
func (s *Scheduler) hold(c *sim, until time.Time) {
	c.mu.Lock()
	c.heldUntil = until
	c.mu.Unlock()
	if until.IsZero() || s.opts.Selection == OSDefault {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turn == c.SIM() {
		s.pass(time.Now())
	}
}

// pass gives the turn to another SIM by the selection, and wakes it. With s.mu held.
func (s *Scheduler) pass(now time.Time) {
	var ready []*sim
	for _, c := range s.sims {
		ok := c.eligible(now)
		if s.opts.Selection == OSDefault {
			ok, _ = c.ready(now) // the first SIM's delays are the gateway's
		}
		if ok {
			ready = append(ready, c)
		}
	}
	if len(ready) == 0 {
		s.turn = 0
		return
	}
	next := ready[0]
	switch s.opts.Selection {
	case Random:
		next = ready[rand.N(len(ready))]
	case RoundRobin:
		for _, c := range ready {
			if c.SIM() > s.turn {
				next = c
				break
			}
		}
	}
	if next.SIM() != s.turn {
		s.turn = next.SIM()
		next.wake()
	}
}

func (s *Scheduler) find(number int) *sim {
	for _, c := range s.sims {
		if c.SIM() == number {
			return c
		}
	}
	return nil
}
