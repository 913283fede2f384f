package courier

import (
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/post"
	"dongled/scheduler/store"
)

const (
	// grace is how long a stop waits for requests under way: cut off, they are made again.
	grace = 5 * time.Second
	// retryStore is when a result is stored again that the disk refused. Meanwhile its callback is not
	// tried, and has its place among those under way.
	retryStore = 5 * time.Second
)

// Run makes requests until ctx ends and what is under way has, or for five seconds more. It is called
// once.
func (c *Courier) Run(ctx context.Context) {
	posting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	alarm := time.NewTimer(math.MaxInt64)
	defer alarm.Stop()
	for ctx.Err() == nil {
		e, wait := c.board.take(c.clock())
		if e != nil {
			c.trying.Go(func() { c.try(ctx, posting, e) })
			continue
		}
		if wait >= 0 {
			alarm.Reset(wait)
		} else {
			alarm.Stop()
		}
		select {
		case <-alarm.C:
		case <-c.woken:
		case <-ctx.Done():
		}
	}
	late := time.AfterFunc(grace, stop)
	defer late.Stop()
	c.trying.Wait()
	c.client.Close()
}

// try makes the request of a callback once, and has stored what came of it. ctx is Run's, and posting
// outlasts it by grace. A callback that it leaves off the board is the next start's.
func (c *Courier) try(ctx, posting context.Context, e *entry) {
	defer c.nudge()
	r, err := c.read(e.seq)
	if errors.Is(err, store.ErrClosed) {
		return
	}
	if err != nil {
		c.forget(ctx, e, err)
		return
	}
	plan := c.plans[r.Dialect]
	v := c.client.Do(posting, plan.request(r))
	if v.Kind == post.Cut {
		return
	}
	c.note(e, v)
	after, stored := c.settle(ctx, e, r, v)
	switch {
	case !stored:
	case after.state == pending:
		pause, _ := plan.pause(after.Attempts)
		c.board.again(e, c.clock()+pause)
	default:
		c.board.remove(e)
	}
}

// request is the one that r asks for.
func (p Plan) request(r row) post.Request {
	out := post.Request{Method: r.Method, URL: r.URL, Header: r.Header, Body: r.body, Timeout: p.Timeout, Taken: p.Taken}
	if p.Sign != nil {
		out.Finish = func(req *http.Request) { p.Sign(req, r.body, string(r.Secret), time.Now()) }
	}
	return out
}

// read reads a pending row.
func (c *Courier) read(seq uint64) (r row, err error) {
	err = c.store.View(func(t *bolt.Tx) (err error) {
		r, err = decodeRow(store.Bucket(t, bucketCallbacks).Get(key(seq)))
		if err == nil && r.state != pending {
			err = errDamaged
		}
		return err
	})
	return r, err
}

// note learns about the receiver.
func (c *Courier) note(e *entry, v post.Verdict) {
	switch v.Kind {
	case post.Unreachable:
		if c.board.found(e, true) {
			c.log.Warn("the receiver of callbacks is unreachable", "host", e.host.name, "err", v.Err)
		}
	case post.Accepted, post.Answered:
		if c.board.found(e, false) {
			c.log.Info("the receiver of callbacks answers again", "host", e.host.name, "status", v.Status)
		}
	}
}

// settle stores what became of a try; without stored the store is closed, or Run has to end.
func (c *Courier) settle(ctx context.Context, e *entry, r row, v post.Verdict) (after row, stored bool) {
	for {
		err := c.store.Ride(context.WithoutCancel(ctx), func(t *store.Tx) error {
			after = r.tried(c.plans[r.Dialect], v, t.Now)
			c.save(t, e.seq, after)
			if after.state != pending {
				c.keep(t, after.state)
			}
			return nil
		})
		if err == nil {
			break
		}
		if !c.holdOn(ctx, err) {
			return row{}, false
		}
	}
	if after.state == failed {
		c.log.Warn("a callback is given up", "dialect", after.Dialect, "host", after.Host, "message", after.Ref,
			"attempts", after.Attempts, "err", v.Err)
	}
	return after, true
}

// holdOn waits before the store is asked again; false says that there is no use.
func (c *Courier) holdOn(ctx context.Context, err error) bool {
	if errors.Is(err, store.ErrClosed) {
		return false
	}
	c.log.Error("what became of a callback could not be stored", "err", err)
	timer := time.NewTimer(retryStore)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// forget deletes a row that cannot be read, so that it is in nobody's way.
func (c *Courier) forget(ctx context.Context, e *entry, why error) {
	c.log.Error("a callback is lost", "number", e.seq, "host", e.host.name, "err", why)
	for {
		err := c.store.Do(ctx, func(t *store.Tx) error {
			t.Del(store.Bucket(t, bucketCallbacks), key(e.seq))
			return nil
		})
		if err == nil {
			c.board.remove(e)
			return
		}
		if !c.holdOn(ctx, err) {
			return
		}
	}
}
