package webhook

import (
	"bytes"
	"context"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/post"
	"dongled/scheduler/store"
)

// device is this gateway's own ID, once it is known.
func (h *Hooks) device() string {
	select {
	case <-h.ready:
		return h.deviceID
	default:
		return ""
	}
}

// Deliveries returns the latest deliveries of a webhook, newest first, and how many there are in all;
// state may be empty.
func (h *Hooks) Deliveries(_ context.Context, id, state string, limit, offset int) (page []Delivery, total int, err error) {
	reg := h.registry.Load()
	n, found := reg.find("", id)
	if !found {
		return nil, 0, ErrNotFound
	}
	page = []Delivery{}
	err = h.view(func(t *bolt.Tx) {
		backwards(t, n, func(_, v []byte) bool {
			if state != "" && stateNames[v[0]] != state {
				return true
			}
			if total++; total <= offset || len(page) == limit {
				return true
			}
			if r, err := decodeRow(v); err == nil {
				page = append(page, r.delivery(reg.hooks[n], h.device()))
			} else {
				h.opts.Log.Error("a delivery is not shown", "lane", n, "err", err)
			}
			return true
		})
	})
	return page, total, err
}

// backwards calls f with the rows of a lane, newest first, until it returns false. What is too short to
// have a state is left out.
func backwards(t *bolt.Tx, lane uint64, f func(k, v []byte) bool) {
	c := t.Bucket(bucketDeliveries).Cursor()
	last := c.Prev
	if k, _ := c.Seek(laneKey(lane + 1)); k == nil {
		last = c.Last
	}
	for k, v := last(); bytes.HasPrefix(k, laneKey(lane)); k, v = c.Prev() {
		if len(k) == 16 && len(v) >= rowHead && int(v[0]) < len(stateNames) && !f(k, v) {
			return
		}
	}
}

// Replay has a delivery that is delivered or failed tried again as if it were new, with the same ID.
// Others are ErrNotEnded.
func (h *Hooks) Replay(ctx context.Context, id, delivery string) (d Delivery, err error) {
	n, found := h.registry.Load().find("", id)
	if !found {
		return Delivery{}, ErrNotFound
	}
	p := place{lane: n}
	if err := h.view(func(t *bolt.Tx) {
		backwards(t, n, func(k, v []byte) bool {
			if string(v[1:1+idLen]) == delivery {
				p.seq = seqOf(k)
			}
			return p.seq == 0
		})
	}); err != nil {
		return Delivery{}, err
	}
	err = h.store.Do(ctx, func(t *store.Tx) error {
		hook, registered := h.load(t.Tx).hooks[n]
		r, ok := h.get(t, p)
		switch {
		case !registered || !ok || p.seq == 0:
			return ErrNotFound
		case r.state != delivered && r.state != failed:
			return ErrNotEnded
		}
		anew := r
		anew.state, anew.Since = pending, t.Now
		anew.Attempts, anew.Last, anew.Next, anew.Ended, anew.Status, anew.Error = 0, 0, 0, 0, 0, ""
		h.save(t, p, r, anew)
		t.After(func() { h.wake(n, false) })
		d = anew.delivery(hook, h.device())
		return nil
	})
	return d, err
}

// Test posts a sample event to a webhook, once and at once, beside what its lane does, and says what
// became of it. It is among the deliveries then.
func (h *Hooks) Test(ctx context.Context, id string) (Delivery, error) {
	n, found := h.registry.Load().find("", id)
	if !found {
		return Delivery{}, ErrNotFound
	}
	if err := h.admitTest(ctx); err != nil {
		return Delivery{}, err
	}
	defer func() { <-h.tests }()
	hook, found := h.registry.Load().hooks[n]
	if !found {
		return Delivery{}, ErrNotFound
	}
	now := time.Now()
	r := row{state: pending, id: store.NewID(), payload: sample(hook.Event, now), fields: fields{
		Event: hook.Event, Device: hook.DeviceID, Created: now.UnixMilli(), Since: now.UnixMilli(),
	}}
	v := h.post(ctx, hook.URL, r.body(hook.ID, h.deviceID))
	if v.Kind == post.Cut {
		return Delivery{}, errors.Join(errors.New("the test was given up"), ctx.Err())
	}
	r, err := h.keepTest(ctx, n, r, v)
	if err != nil {
		return Delivery{}, err
	}
	return r.delivery(hook, h.deviceID), nil
}

// admitTest waits until this gateway's ID is known and a connection is free.
func (h *Hooks) admitTest(ctx context.Context) error {
	select {
	case <-h.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case h.tests <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// keepTest stores a test that was made, unless the webhook was deleted meanwhile.
func (h *Hooks) keepTest(ctx context.Context, n uint64, r row, v post.Verdict) (after row, err error) {
	err = h.store.Do(context.WithoutCancel(ctx), func(t *store.Tx) error {
		after = r.tried(try{Verdict: v, at: t.Now, limit: 1})
		if t.Bucket(bucketHooks).Get(laneKey(n)) == nil {
			return nil
		}
		seq, err := t.Bucket(bucketDeliveries).NextSequence()
		t.Fail(err)
		h.save(t, place{n, seq}, row{}, after)
		if v.Kind == post.Accepted || v.Kind == post.Answered {
			t.After(func() { h.wake(n, true) })
		}
		return nil
	})
	return after, err
}
