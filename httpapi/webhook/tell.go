package webhook

import (
	"encoding/json"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// Tell enters e for every webhook that is registered for it, in the transaction that made it. It never
// waits for a lane.
func (h *Hooks) Tell(t *store.Tx, e outbox.Event) {
	for _, n := range h.registry.Load().events[e.Name] {
		// What t did to the webhook before counts too.
		var hook Hook
		v := t.Bucket(bucketHooks).Get(laneKey(n))
		if v == nil || json.Unmarshal(v, &hook) != nil || hook.Event != e.Name {
			continue
		}
		h.enter(t, n, hook, e)
	}
}

// enter adds a delivery to a lane.
func (h *Hooks) enter(t *store.Tx, n uint64, hook Hook, e outbox.Event) {
	if e.Name == outbox.SystemPing {
		h.supersede(t, n)
	}
	seq, err := t.Bucket(bucketDeliveries).NextSequence()
	t.Fail(err)
	h.save(t, place{n, seq}, row{}, row{
		state: pending, id: store.NewID(), payload: e.Payload,
		fields: fields{Event: e.Name, Device: hook.DeviceID, Created: t.Now, Since: t.Now},
	})
	t.After(func() { h.wake(n, false) })
}

// supersede ends the pings that are pending: only the latest says anything.
func (h *Hooks) supersede(t *store.Tx, n uint64) {
	var old []place
	each(t.Tx, n, classPing, func(k []byte) bool {
		old = append(old, place{n, seqOf(k)})
		return true
	})
	for _, p := range old {
		r, ok := h.get(t, p)
		if !ok {
			t.Del(t.Bucket(bucketIndex), p.index(classPing))
			continue
		}
		ended := r
		ended.state, ended.Ended, ended.Next, ended.Unreachable = superseded, t.Now, 0, false
		h.save(t, p, r, ended)
	}
}
