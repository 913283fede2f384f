package webhook

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/post"
	"dongled/scheduler/store"
)

// lane posts what is pending for one webhook. It is there while there is anything.
type lane struct {
	h *Hooks
	n uint64
	// ctx is Run's; posting outlasts it by grace.
	ctx, posting context.Context
	// woken says that there may be something new to look at.
	woken chan struct{}
	// early says that the endpoint answered last, or may be another one, so that what found it
	// unreachable need not wait.
	early atomic.Bool

	// The lane's goroutine owns what follows.

	// ill says that the endpoint was found unreachable last.
	ill bool
	// older says that the last try was of a new event, so that an older one has its turn.
	older bool
}

// wake has a lane look for what is to be done; early also has it try what found the endpoint
// unreachable. It never blocks.
func (h *Hooks) wake(n uint64, early bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lanes == nil {
		return // Run looks at all lanes when it starts
	}
	l := h.lanes[n]
	if l == nil {
		l = &lane{h: h, n: n, ctx: h.ctx, posting: h.posting, woken: make(chan struct{}, 1)}
		h.lanes[n] = l
		h.running.Go(l.run)
	}
	if early {
		l.early.Store(true)
	}
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

func (l *lane) run() {
	for l.ctx.Err() == nil {
		_, wait, found := l.look()
		switch {
		case !found:
			if l.leave() {
				return
			}
		case wait > 0:
			l.sleep(wait)
		case !l.turn():
			return
		}
	}
}

// leave ends the lane, unless it was woken meanwhile.
func (l *lane) leave() bool {
	l.h.mu.Lock()
	defer l.h.mu.Unlock()
	select {
	case <-l.woken:
		return false
	default:
		delete(l.h.lanes, l.n)
		return true
	}
}

func (l *lane) sleep(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.woken:
	case <-l.ctx.Done():
	}
}

// job is what a lane does next.
type job struct {
	place
	row
	hook Hook
	// early says that this try is before its time, new that it is the first.
	early, new bool
	// lost is an index key that leads to no row: the store is damaged.
	lost []byte
}

// look says what is to be done next, and how long to wait before it.
func (l *lane) look() (j job, wait time.Duration, found bool) {
	hook, registered := l.h.registry.Load().hooks[l.n]
	if !registered {
		return job{}, 0, false
	}
	err := l.h.view(func(t *bolt.Tx) {
		now := time.Now().UnixMilli()
		fresh := first(t, l.n, classNew)
		if fresh != nil && !l.older {
			j, found = l.job(t, fresh), true
			return
		}
		if key := l.oldest(t); key != nil {
			j, found = l.job(t, key), true
			wait = j.wait(now)
			if j.lost == nil && wait > 0 && l.early.Load() && j.Unreachable {
				j.early, wait = true, 0
			}
		}
		if fresh != nil && (!found || wait > 0) {
			j, wait, found = l.job(t, fresh), 0, true
		}
	})
	if err != nil {
		return job{}, 0, false // it is closed; what is pending stays so
	}
	j.hook = hook
	return j, wait, found
}

// oldest is the key of what was tried before and is next.
func (l *lane) oldest(t *bolt.Tx) []byte {
	if l.early.Load() {
		if key := first(t, l.n, classUnreachable); key != nil {
			return key
		}
	}
	return first(t, l.n, classRetry)
}

func (l *lane) job(t *bolt.Tx, key []byte) job {
	j := job{place: place{l.n, seqOf(key)}, new: key[8] == classNew}
	var err error
	if j.row, err = decodeRow(t.Bucket(bucketDeliveries).Get(j.key())); err != nil || j.state != pending {
		j = job{place: j.place, lost: key}
	}
	return j
}

// turn tries one delivery; false says that the lane has to end.
func (l *lane) turn() bool {
	slots := l.h.well
	if l.ill {
		slots = l.h.ill
	}
	select {
	case slots <- struct{}{}:
	case <-l.ctx.Done():
		return false
	}
	defer func() { <-slots }()
	// It may have waited for long.
	j, wait, found := l.look()
	switch {
	case !found || wait > 0:
		return true
	case j.lost != nil:
		return l.forget(j)
	}
	v := l.h.post(l.posting, j.hook.URL, j.body(j.hook.ID, l.h.deviceID))
	l.older = j.new
	l.note(j, v)
	return l.settle(j, v)
}

// note learns about the endpoint, if the webhook still has that.
func (l *lane) note(j job, v post.Verdict) {
	if l.h.registry.Load().hooks[l.n].URL != j.hook.URL {
		return
	}
	log := l.h.opts.Log.With("webhook", j.hook.ID, "event", j.Event)
	switch {
	case v.Kind == post.Unreachable:
		l.early.Store(false)
		if !l.ill {
			log.Warn("webhook endpoint is unreachable; deliveries to it wait", "err", v.Err)
		}
		l.ill = true
	case v.Kind == post.Accepted || v.Kind == post.Answered:
		l.early.Store(true)
		if l.ill {
			log.Info("webhook endpoint answers again", "status", v.Status)
		}
		l.ill = false
	}
}

// retryStore is when a result is stored again that the disk refused. Meanwhile nothing is posted: the
// same delivery would be next.
const retryStore = 5 * time.Second

// settle stores what became of a try; false says that the lane has to end.
func (l *lane) settle(j job, v post.Verdict) bool {
	if v.Kind == post.Cut {
		return false
	}
	for {
		var after row
		err := l.h.store.Ride(context.WithoutCancel(l.ctx), func(t *store.Tx) error {
			r, ok := l.h.get(t, j.place)
			if !ok {
				return nil // the webhook was deleted meanwhile
			}
			after = r.tried(try{Verdict: v, at: t.Now, early: j.early, limit: l.h.limit(t, j)})
			l.h.save(t, j.place, r, after)
			return nil
		})
		if err == nil {
			if after.state == failed {
				l.h.opts.Log.Warn("webhook delivery failed for good", "webhook", j.hook.ID, "event", j.Event,
					"delivery", j.id, "attempts", after.Attempts, "err", v.Err)
			}
			return true
		}
		if !l.holdOn(err) {
			return false
		}
	}
}

// holdOn waits before the store is asked again; false says that the lane has to end.
func (l *lane) holdOn(err error) bool {
	if errors.Is(err, store.ErrClosed) {
		return false
	}
	l.h.opts.Log.Error("what became of a webhook delivery could not be stored", "err", err)
	timer := time.NewTimer(retryStore)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// forget deletes an index key that leads to no row, and the row where that is damaged.
func (l *lane) forget(j job) bool {
	l.h.opts.Log.Error("a webhook delivery is lost: the store is damaged", "lane", l.n, "number", j.seq)
	err := l.h.store.Do(l.ctx, func(t *store.Tx) error {
		l.h.get(t, j.place)
		t.Del(t.Bucket(bucketIndex), j.lost)
		return nil
	})
	return err == nil || l.holdOn(err)
}
