package scheduler

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// fleet is the SIMs there are and the goroutines that serve them.
type fleet struct {
	// sims are in the order of their numbers. The list is replaced, never changed: the store's
	// writer reads it too.
	sims atomic.Pointer[[]*sim]

	mu sync.Mutex
	// leaving are the SIMs that were removed, by number, whose last part may be under way.
	leaving map[int]*sim
	// running is the context of Run while it runs, and nil otherwise; served counts the goroutines.
	running context.Context
	served  sync.WaitGroup
}

// all returns the SIMs, by simNumber.
func (f *fleet) all() []*sim {
	if sims := f.sims.Load(); sims != nil {
		return *sims
	}
	return nil
}

func (f *fleet) find(number int) *sim {
	for _, c := range f.all() {
		if c.SIM() == number {
			return c
		}
	}
	return nil
}

// Add makes a SIM known, and serves it while Run runs. No SIM of that number may be there; one that
// was removed finishes its part before the new one begins.
func (s *Scheduler) Add(sender Sender) {
	c := newSIM(sender)
	s.fleet.mu.Lock()
	c.before = s.leaving[c.SIM()]
	sims := append(slices.Clone(s.all()), c)
	slices.SortFunc(sims, func(a, b *sim) int { return a.SIM() - b.SIM() })
	s.sims.Store(&sims)
	if s.running != nil {
		s.launch(c)
	}
	s.fleet.mu.Unlock()
	s.wake(0)
}

// Remove forgets a SIM. It returns when the part in flight, if any, has its outcome stored, or with
// ctx; nothing new is begun on the SIM from the call on. What was begun on it waits for a SIM of the
// same number.
func (s *Scheduler) Remove(ctx context.Context, number int) error {
	c := s.leave(number)
	if c == nil {
		return fmt.Errorf("SIM %d not found", number)
	}
	s.wake(0) // somebody else may have to go on
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("SIM %d still has a part under way: %w", number, ctx.Err())
	}
}

// leave takes a SIM off the list and has its goroutine end.
func (s *Scheduler) leave(number int) *sim {
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	c := s.find(number)
	if c == nil {
		return nil
	}
	sims := slices.DeleteFunc(slices.Clone(s.all()), func(other *sim) bool { return other == c })
	s.sims.Store(&sims)
	if c.stop == nil {
		close(c.ended) // it was never served
		return c
	}
	s.leaving[number] = c
	c.stop()
	return c
}

// launch serves c until Run or c ends. With fleet.mu held.
func (s *Scheduler) launch(c *sim) {
	var ctx context.Context
	ctx, c.stop = context.WithCancel(s.running)
	s.served.Go(func() {
		defer close(c.ended)
		defer c.stop()
		if c.before != nil {
			c.submitting.Store(time.Now().UnixNano()) // in its place: see turning
			<-c.before.ended
			c.submitting.Store(0)
			c.before = nil
		}
		s.serve(ctx, c)
	})
}

// Run sends until ctx ends. It returns when the part in flight on every SIM has its outcome stored;
// nothing new is claimed meanwhile. A Scheduler runs once.
func (s *Scheduler) Run(ctx context.Context) error {
	s.fleet.mu.Lock()
	s.running = ctx
	for _, c := range s.all() {
		s.launch(c)
	}
	s.fleet.mu.Unlock()
	s.served.Go(func() { s.unseal(ctx) })
	for number, b := range s.opts.Balance {
		s.served.Go(func() { s.watchBalance(ctx, number, b) })
	}
	s.served.Go(func() { s.retire(ctx) })
	<-ctx.Done()
	s.fleet.mu.Lock()
	s.running = nil
	s.fleet.mu.Unlock()
	s.served.Wait()
	return nil
}

// wake rouses the SIMs that may find work in a lane.
func (s *Scheduler) wake(lane int) {
	p := s.pool(lane)
	for _, c := range s.all() {
		if c.SIM() == lane || p != nil && p.has(c) {
			c.wake()
		}
	}
}
