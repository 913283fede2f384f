package modem

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// firstRetry follows a hang-up: it may have been a passing one, and nothing is worn by trying.
	firstRetry = 200 * time.Millisecond
	minRetry   = time.Second
	maxRetry   = time.Minute
)

// A backoff spaces the sessions of one dongle.
type backoff struct{ last time.Duration }

// next is how long to wait after a session ended with problem; ready says that it had been up,
// which starts the series afresh.
func (b *backoff) next(ready bool, problem string) time.Duration {
	switch {
	case ready && problem == ProblemPortLost:
		b.last = 0
		return firstRetry
	case ready, b.last == 0:
		b.last = minRetry
	default:
		b.last = min(2*b.last, maxRetry)
	}
	// A fifth either way, so that many dongles on one hub do not start together.
	return time.Duration(float64(b.last) * (0.8 + 0.4*rand.Float64()))
}

const (
	// plugRetry is how long a missing port is looked for by the series after the bus changed: its
	// node and the right to it come a little later.
	plugRetry = time.Minute
	// plugLook is how often it is looked for otherwise, should a change have been missed.
	plugLook = 5 * time.Minute
	// returnLook is how often a dongle that was reset is looked for.
	returnLook = 5 * time.Second
)

// wait waits before the next session, until the bus changes at most.
func (w *Worker) wait(ctx context.Context, pause *backoff, d time.Duration, problem string) {
	switch {
	case problem != ProblemPortMissing:
	case w.ladder.returning():
		d = min(d, returnLook)
	case w.cfg.Plugged != nil && !w.ladder.away && time.Since(w.plugged) >= plugRetry:
		d = plugLook
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case _, open := <-w.cfg.Plugged:
		if !open {
			w.cfg.Plugged = nil // nobody watches the bus any more
		}
		w.plugged = time.Now()
		*pause = backoff{}
	case <-ctx.Done():
	}
}
