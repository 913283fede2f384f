package queue

import (
	"bytes"
	"strconv"
	"strings"

	"dongled/scheduler/store"
)

// The lanes: LaneAny holds what any SIM may send, those up to LaneRoutes what one SIM must, by its
// simNumber, and those from there on what the SIMs of a route may.
const (
	LaneAny    = 0
	LaneRoutes = 256
)

// pooled reports whether several SIMs share a lane.
func pooled(lane int) bool { return lane == LaneAny || lane >= LaneRoutes }

// Route puts recipients into a lane.
type Route struct {
	// Prefix begins the number: in E.164 form, or as dialled where validation was skipped.
	Prefix string
	// Lane is LaneRoutes or above, below 65536. Several routes may share one.
	Lane int
}

// lane is where recipients with this number wait that were not begun.
func (t *tx) lane(m *message, to string) int {
	if m.SIM != 0 {
		return m.SIM
	}
	for _, r := range t.opts.Routes {
		if strings.HasPrefix(to, r.Prefix) {
			return r.Lane
		}
	}
	return LaneAny
}

// readyKey is where d waits.
//
// A recipient of whom some parts went out goes before all others and stays with its SIM, so that
// the phone at the other end gets the rest soon, from the same sender. One of whom a part may have
// gone out stays with it too: another SIM's repetition could not be told from a second message.
func (t *tx) readyKey(m *message, d *delivery) []byte {
	switch {
	case d.started():
		return readyKey(d.SIM, 127, d.seq, d.rcpt)
	case d.doubtful():
		return readyKey(d.SIM, m.Priority, d.seq, d.rcpt)
	default:
		return readyKey(t.lane(m, d.To), m.Priority, d.seq, d.rcpt)
	}
}

var keyRoutes = []byte("routes")

// moveBatch bounds the recipients that one commit puts into other lanes: some megabytes of pages.
const moveBatch = 1000

// Move implements store.Mover: it brings the lanes in line with the schema and the routes, if either
// differs from what the store was last opened with. What waits for a timer gets its lane when that is
// due. After a crash it begins anew, and passes over what is in its place.
func (q *Queue) Move(st *store.Tx) (more bool, err error) {
	t := q.in(st)
	routes := t.routes()
	if bytes.Equal(t.meta.Get(keySchema), []byte{schema}) && bytes.Equal(t.meta.Get(keyRoutes), routes) {
		return false, nil
	}
	if q.moved = t.relane(q.moved, moveBatch); q.moved != nil {
		return true, t.Err
	}
	t.put(t.meta, keyRoutes, routes)
	t.put(t.meta, keySchema, []byte{schema})
	return false, t.Err
}

// routes is what the store remembers of the routes.
func (t *tx) routes() (routes []byte) {
	for _, r := range t.opts.Routes {
		routes = strconv.AppendQuote(routes, r.Prefix)
		routes = strconv.AppendInt(routes, int64(r.Lane), 10)
	}
	return routes
}

// relane puts up to limit entries of ready into their lanes, from a key on, and returns the last one,
// or nil if there are no more.
func (t *tx) relane(from []byte, limit int) (last []byte) {
	var keys [][]byte
	c := t.ready.Cursor()
	for k, _ := c.Seek(from); k != nil && len(keys) < limit; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	for _, k := range keys {
		t.relaneOne(k)
	}
	if len(keys) < limit {
		return nil
	}
	return keys[limit-1]
}

func (t *tx) relaneOne(key []byte) {
	m, d := t.loadBoth(splitDelivery(deliveryOf(key)))
	if d == nil {
		t.del(t.ready, key)
		return
	}
	now := t.readyKey(m, d)
	if bytes.Equal(key, now) {
		return
	}
	t.del(t.ready, key)
	t.put(t.ready, now, []byte{})
	if !bytes.Equal(d.Ready, now) {
		d.Ready = now
		t.store(m, d)
	}
}
