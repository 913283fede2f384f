package scheduler

import (
	"context"
	"fmt"
	"time"

	"dongled/scheduler/store"
)

// stuck is when a submission must have ended: configured time-outs end at ten minutes.
const stuck = 15 * time.Minute

// Turning returns nil once it has seen that the scheduler works: the store has committed, and the
// loop of each SIM has come round or waits for the answer to a part that it sent not long ago.
// An error names what is stuck; ctx bounds the wait.
func (s *Scheduler) Turning(ctx context.Context) error {
	// The writer takes its turn with nothing to write; a commit that hangs keeps it from that.
	if err := s.store.Do(ctx, func(*store.Tx) error { return nil }); err != nil {
		return fmt.Errorf("the store does not commit: %w", err)
	}
	for _, c := range s.serving() {
		if err := c.turning(ctx); err != nil {
			return err
		}
	}
	return nil
}

// serving are the SIMs whose loops run.
func (f *fleet) serving() []*sim {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running == nil {
		return nil
	}
	return f.all()
}

// turning waits for the loop of one SIM to take note.
func (c *sim) turning(ctx context.Context) error {
	if c.submittingWell(time.Now()) {
		return nil
	}
	select {
	case c.asked <- struct{}{}:
		return nil
	case <-c.ended:
		return nil
	case <-ctx.Done():
		if c.submittingWell(time.Now()) {
			return nil
		}
		return fmt.Errorf("the loop of SIM %d is stuck: %w", c.SIM(), ctx.Err())
	}
}

// submittingWell reports whether a part is on its way, and not for too long.
func (c *sim) submittingWell(now time.Time) bool {
	since := c.submitting.Load()
	return since != 0 && now.Sub(time.Unix(0, since)) < stuck
}
