package scheduler

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"dongled/scheduler/queue"
)

// Route says which SIMs send to numbers that begin with Prefix. Of several that match the longest
// counts; numbers that none matches go over any SIM. A message that names a SIM ignores routes.
type Route struct {
	// Prefix begins a number in E.164 form, such as +49, or as dialled where validation was skipped.
	Prefix string
	// SIMs are simNumbers, in the order of preference.
	SIMs []int
}

// pool is the SIMs that share a lane of the queue, and whose turn it is.
type pool struct {
	lane int
	// sims are simNumbers in the order of preference; nil means all there are.
	sims []int
	// turn is the SIM that takes the next message; 0 before the first. Guarded by Scheduler.mu.
	turn int
}

// poolsOf returns the pools for these routes, the one of any SIM first, and the queue's routes to
// them. Routes to the same SIMs share a pool.
func poolsOf(routes []Route) ([]*pool, []queue.Route, error) {
	pools := []*pool{{lane: queue.LaneAny}}
	var out []queue.Route
	var errs []error
	for i, r := range routes {
		if err := r.check(routes[:i]); err != nil {
			errs = append(errs, fmt.Errorf("routes[%d]: %w", i, err))
			continue
		}
		at := slices.IndexFunc(pools, func(p *pool) bool { return slices.Equal(p.sims, r.SIMs) })
		if at < 0 {
			at = len(pools)
			pools = append(pools, &pool{lane: queue.LaneRoutes + at - 1, sims: slices.Clone(r.SIMs)})
		}
		out = append(out, queue.Route{Prefix: r.Prefix, Lane: pools[at].lane})
	}
	return pools, out, errors.Join(errs...)
}

func (r Route) check(before []Route) error {
	digits := strings.TrimPrefix(r.Prefix, "+")
	switch {
	case r.Prefix == "" || strings.Trim(digits, "0123456789*#") != "":
		return fmt.Errorf("prefix %q is not the beginning of a number, such as +49", r.Prefix)
	case slices.ContainsFunc(before, func(b Route) bool { return b.Prefix == r.Prefix }):
		return fmt.Errorf("prefix %s has a route already", r.Prefix)
	case len(r.SIMs) == 0:
		return fmt.Errorf("prefix %s has no SIMs", r.Prefix)
	}
	for i, n := range r.SIMs {
		if n < 1 || n > 255 || slices.Contains(r.SIMs[:i], n) {
			return fmt.Errorf("prefix %s: SIM %d is not a number from 1 to 255, or named twice", r.Prefix, n)
		}
	}
	return nil
}

func (p *pool) has(c *sim) bool { return p.sims == nil || slices.Contains(p.sims, c.SIM()) }

// pool returns the pool of a lane, or nil if it is one SIM's.
func (s *Scheduler) pool(lane int) *pool {
	for _, p := range s.pools {
		if p.lane == lane {
			return p
		}
	}
	return nil
}

// members are the SIMs of p that are there, in the order of preference.
func (s *Scheduler) members(p *pool) []*sim {
	if p.sims == nil {
		return s.all()
	}
	out := make([]*sim, 0, len(p.sims))
	for _, n := range p.sims {
		if c := s.find(n); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// lanes are the pools that c may take from now: those in which it is its turn. A turn ends with the
// last recipient of a message, so that one message keeps to one SIM. Where nobody can have the turn,
// as delays, limits or quotas hold all, each may look for what is not held. One that has to show that
// it works again may do so anywhere.
func (s *Scheduler) lanes(c *sim, now time.Time) (lanes []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pools {
		if p.has(c) && (c.probes() || s.holds(p, c, now)) {
			lanes = append(lanes, p.lane)
		}
	}
	return lanes
}

// holds reports whether it is the turn of c, or nobody's. With s.mu held.
func (s *Scheduler) holds(p *pool, c *sim, now time.Time) bool {
	holder := s.find(p.turn)
	if s.policy.Load().Selection == OSDefault || holder == nil || !s.eligible(holder, now) {
		if !s.pass(p, now) {
			return true
		}
	}
	return p.turn == c.SIM()
}

// eligible reports whether c could begin a message of a pool.
func (s *Scheduler) eligible(c *sim, now time.Time) bool {
	if ok, _ := c.ready(now); !ok {
		return false
	}
	card := c.identity()
	c.mu.Lock()
	defer c.mu.Unlock()
	// By OSDefault the first SIM's delays are the gateway's.
	p := s.policy.Load()
	delayed := c.heldBy == p && now.Before(c.heldUntil) && p.Selection != OSDefault
	return !c.breaker.open() && !delayed && !c.usedUp(now, card)
}

// took passes the turn on once the message that c took needs c no longer.
func (s *Scheduler) took(c *sim, job *queue.Job) {
	p := s.pool(job.Lane)
	if p == nil || job.Rest {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.turn == c.SIM() {
		s.pass(p, time.Now())
	}
}

// hold notes what keeps c from beginning a message; another SIM may take its turns.
func (s *Scheduler) hold(c *sim, why queue.Pause) {
	now := time.Now()
	could := s.eligible(c, now)
	c.hold(why)
	if !could || s.eligible(c, now) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pools {
		if p.turn != c.SIM() || s.pass(p, now) {
			continue
		}
		for _, other := range s.members(p) {
			if other != c {
				other.wake() // it is nobody's turn now
			}
		}
	}
}

// pass gives the turn to a SIM by the selection, and wakes it. It returns false, and leaves the turn,
// if none can have it. With s.mu held.
func (s *Scheduler) pass(p *pool, now time.Time) bool {
	var can []*sim
	after := -1 // the first of can that comes after the SIM whose turn it was
	passed := false
	for _, c := range s.members(p) {
		if s.eligible(c, now) {
			if passed && after < 0 {
				after = len(can)
			}
			can = append(can, c)
		}
		passed = passed || c.SIM() == p.turn
	}
	if len(can) == 0 {
		return false
	}
	next := can[0]
	switch s.policy.Load().Selection {
	case Random:
		next = can[rand.N(len(can))]
	case RoundRobin:
		if after >= 0 {
			next = can[after]
		}
	}
	if next.SIM() != p.turn {
		p.turn = next.SIM()
		next.wake()
	}
	return true
}
