package uplink

import (
	"context"
	"math/rand/v2"
	"time"
)

// pauses are those of SMSGate's app between attempts to reach the server.
var pauses = []time.Duration{5 * time.Second, 30 * time.Second, time.Minute}

// backoff is the pause after an attempt that failed, when failures had failed before it; up to a fifth
// of it is chance, so that a server that comes back does not meet all its devices at once.
func backoff(failures int) time.Duration {
	pause := pauses[min(failures, len(pauses)-1)]
	return pause - rand.N(pause/5)
}

// sleep is false when ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
