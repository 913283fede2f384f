package modem

import (
	"errors"
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

// next is how long to wait after a session ended with err; ready says that it had been up, which
// starts the series afresh.
func (b *backoff) next(ready bool, err error) time.Duration {
	var e *sessionError
	hungUp := errors.As(err, &e) && e.problem == ProblemPortLost
	switch {
	case ready && hungUp:
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
