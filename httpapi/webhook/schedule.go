package webhook

import (
	"time"

	"dongled/httpapi/post"
	"dongled/scheduler/store"
)

const (
	// firstPause is the pause after the first try, which doubles with every other, up to maxPause.
	firstPause = 5 * time.Second
	maxPause   = 24 * time.Hour
	// maxAge ends what an endpoint that takes long to refuse could keep pending for ever.
	maxAge = 7 * 24 * time.Hour
	// clockSlack is how far a clock is corrected back without anybody setting it.
	clockSlack = time.Minute
)

// pause is that after try n.
func pause(n int) time.Duration {
	if n > 15 { // 5 s * 2^15 is more than a day
		return maxPause
	}
	return min(maxPause, firstPause<<max(0, n-1))
}

// wait is how long it is to the next try. What is further off than its pause was put there by a clock
// that was set back since.
func (r row) wait(now int64) time.Duration {
	if r.Attempts == 0 {
		return 0
	}
	d := time.Duration(r.Next-now) * time.Millisecond
	if d > pause(r.Attempts)+clockSlack {
		return 0
	}
	return max(0, d)
}

// try is a try of a delivery, with what decides on what follows.
type try struct {
	post.Verdict
	at    int64
	early bool
	// limit is how many tries there are.
	limit int
}

// tried is the row after a try.
func (r row) tried(t try) row {
	if r.state != pending && t.Kind != post.Accepted {
		return r // superseded while it was tried
	}
	r.Last, r.Status, r.Error = t.at, t.Status, t.Err
	if t.Kind == post.Accepted || !t.early {
		r.Attempts++
	}
	r.Unreachable = t.Kind == post.Unreachable
	switch {
	case t.Kind == post.Accepted:
		return r.end(delivered, t.at)
	case t.Kind == post.Malformed, !t.early && r.Attempts >= t.limit:
		return r.end(failed, t.at)
	case !t.early:
		r.Next = t.at + pause(r.Attempts).Milliseconds()
	}
	return r
}

func (r row) end(state byte, at int64) row {
	r.state, r.Ended, r.Next, r.Unreachable = state, at, 0, false
	return r
}

// limit is how often a delivery may be tried, the first time included, which for one that is too old is as often as it was. What
// was entered in this run is no older than that, whatever the clock was set to.
func (h *Hooks) limit(t *store.Tx, j job) int {
	age := time.Duration(t.Now-j.Since) * time.Millisecond
	if j.seq > h.before {
		age = min(age, time.Since(h.opened))
	}
	if age >= maxAge {
		return 1
	}
	return 1 + h.policy.Load().RetryCount
}
