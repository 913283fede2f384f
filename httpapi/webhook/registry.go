package webhook

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// maxHooks is how many webhooks there may be for a client to register another, and twice what an uplink
// can bring: each costs a row for every event.
const maxHooks = 256

// registry is what is registered; it never changes.
type registry struct {
	// order are the lanes in the order of registration.
	order  []uint64
	hooks  map[uint64]Hook
	events map[string][]uint64
}

// load reads what is registered. A damaged webhook is as good as none.
func (h *Hooks) load(t *bolt.Tx) *registry {
	r := &registry{hooks: map[uint64]Hook{}, events: map[string][]uint64{}}
	_ = t.Bucket(bucketHooks).ForEach(func(k, v []byte) error {
		var hook Hook
		if err := json.Unmarshal(v, &hook); err != nil || len(k) != 8 {
			h.opts.Log.Error("a webhook cannot be read: the store is damaged; register it anew", "key", k, "err", err)
			return nil
		}
		n := binary.BigEndian.Uint64(k)
		r.order = append(r.order, n)
		r.hooks[n] = hook
		r.events[hook.Event] = append(r.events[hook.Event], n)
		return nil
	})
	return r
}

// reload is what a commit that changed the registry ends with.
func (h *Hooks) reload() {
	if err := h.view(func(t *bolt.Tx) { h.registry.Store(h.load(t)) }); err != nil {
		h.opts.Log.Error("webhooks cannot be read", "err", err)
	}
}

// find is the lane of a webhook, which must be of source unless that is empty; then Local goes first.
func (r *registry) find(source, id string) (lane uint64, found bool) {
	for _, n := range r.order {
		hook := r.hooks[n]
		if hook.ID != id || source != "" && hook.Source != source {
			continue
		}
		if hook.Source == Local || source != "" {
			return n, true
		}
		lane, found = n, true
	}
	return lane, found
}

// List returns the webhooks of a source, in the order of registration.
func (h *Hooks) List(_ context.Context, source string) ([]Hook, error) {
	r := h.registry.Load()
	list := []Hook{}
	for _, n := range r.order {
		if hook := r.hooks[n]; hook.Source == source {
			list = append(list, hook)
		}
	}
	return list, nil
}

// Put registers hook, or replaces the one of the same ID; an empty ID is given one, an empty source is
// Local. A *Fault is the client's. It returns after the commit. What is pending goes to the new URL.
func (h *Hooks) Put(ctx context.Context, hook Hook) (Hook, error) {
	if hook.ID == "" {
		hook.ID = store.NewID()
	}
	if hook.Source == "" {
		hook.Source = Local
	}
	if err := h.check(hook); err != nil {
		return Hook{}, err
	}
	err := h.store.Do(ctx, func(t *store.Tx) error {
		r := h.load(t.Tx)
		if _, known := r.find(hook.Source, hook.ID); !known && len(r.order) >= maxHooks {
			return &Fault{"id", fmt.Sprintf("there are %d webhooks already; delete some first", maxHooks)}
		}
		h.put(t, r, hook)
		return nil
	})
	if err != nil {
		return Hook{}, err
	}
	return hook, nil
}

// put stores hook, unless r has it as it is.
func (h *Hooks) put(t *store.Tx, r *registry, hook Hook) {
	b := t.Bucket(bucketHooks)
	n, known := r.find(hook.Source, hook.ID)
	old := r.hooks[n]
	if known && old == hook {
		return
	}
	if !known {
		var err error
		n, err = b.NextSequence()
		t.Fail(err)
	}
	value, err := json.Marshal(hook)
	t.Fail(err)
	t.Put(b, laneKey(n), value)
	t.After(func() {
		h.reload()
		if known && old.URL != hook.URL {
			h.wake(n, true)
		}
	})
}

// Delete forgets a webhook of the clients' and what is still to be delivered to it; one that is not
// there is no error.
func (h *Hooks) Delete(ctx context.Context, id string) error {
	return h.store.Do(ctx, func(t *store.Tx) error {
		if n, found := h.load(t.Tx).find(Local, id); found {
			h.drop(t, n)
		}
		return nil
	})
}

// drop deletes a webhook at once and its deliveries soon: those may be many.
func (h *Hooks) drop(t *store.Tx, n uint64) {
	t.Del(t.Bucket(bucketHooks), laneKey(n))
	t.At(t.Now, kindClear, laneKey(n))
	t.After(func() {
		h.reload()
		h.wake(n, false)
	})
}

// Sync makes hooks the webhooks of a source. One that could not be registered here is left out, and
// logged.
func (h *Hooks) Sync(ctx context.Context, source string, hooks []Hook) error {
	wanted := make([]Hook, 0, len(hooks))
	for _, hook := range hooks {
		hook.Source = source
		if err := h.check(hook); err != nil || hook.ID == "" || len(wanted) == maxHooks/2 {
			h.opts.Log.Warn("a webhook is left out", "source", source, "webhook", hook.ID, "err", err)
			continue
		}
		wanted = append(wanted, hook)
	}
	return h.store.Do(ctx, func(t *store.Tx) error {
		r := h.load(t.Tx)
		for _, n := range r.order {
			old := r.hooks[n]
			if old.Source == source && !slices.ContainsFunc(wanted, func(w Hook) bool { return w.ID == old.ID }) {
				h.drop(t, n)
			}
		}
		for i, hook := range wanted {
			if last := !slices.ContainsFunc(wanted[i+1:], func(w Hook) bool { return w.ID == hook.ID }); last {
				h.put(t, r, hook)
			}
		}
		return nil
	})
}
