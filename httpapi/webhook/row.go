package webhook

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// idLen is the length of a delivery's id.
const idLen = store.IDLen

// row is a delivery as stored: state and id, which are looked for, then the length of fields as JSON in
// two octets, those, and the payload as the event had it.
type row struct {
	state byte
	id    string
	fields
	payload []byte
}

// fields have times in ms since 1970, 0 for never.
type fields struct {
	Event string `json:"event"`
	// Device is what the body says instead of this gateway's own ID.
	Device  string `json:"device,omitempty"`
	Created int64  `json:"created"`
	// Since is when it became pending: Created, or the last replay.
	Since    int64  `json:"since"`
	Attempts int    `json:"attempts,omitempty"`
	Last     int64  `json:"last,omitempty"`
	Next     int64  `json:"next,omitempty"`
	Ended    int64  `json:"ended,omitempty"`
	Status   int    `json:"status,omitempty"`
	Error    string `json:"error,omitempty"`
	// Unreachable says that the last try found the endpoint so.
	Unreachable bool `json:"unreachable,omitempty"`
}

// The states as stored. They must not be renumbered.
const (
	pending byte = 1 + iota
	delivered
	failed
	superseded
)

var stateNames = [...]string{"", Pending, Delivered, Failed, Superseded}

// rowHead is the length of a row before its fields.
const rowHead = 1 + idLen + 2

var errDamaged = errors.New("a delivery does not decode: the store is damaged")

func decodeRow(v []byte) (r row, err error) {
	if len(v) < rowHead || v[0] < pending || v[0] > superseded {
		return row{}, errDamaged
	}
	n := int(binary.BigEndian.Uint16(v[1+idLen:]))
	if len(v) < rowHead+n {
		return row{}, errDamaged
	}
	if err := json.Unmarshal(v[rowHead:rowHead+n], &r.fields); err != nil {
		return row{}, errors.Join(errDamaged, err)
	}
	r.state, r.id, r.payload = v[0], string(v[1:1+idLen]), bytes.Clone(v[rowHead+n:])
	return r, nil
}

func (r row) encode() ([]byte, error) {
	f, err := json.Marshal(r.fields)
	if err != nil {
		return nil, err
	}
	v := make([]byte, 0, rowHead+len(f)+len(r.payload))
	v = append(append(v, r.state), r.id...)
	v = binary.BigEndian.AppendUint16(v, uint16(len(f)))
	return append(append(v, f...), r.payload...), nil
}

// The classes of index keys.
const (
	classNew byte = iota
	classRetry
	classUnreachable
	classPing
	classEnded
)

// place is where a row stands: its lane and number.
type place struct{ lane, seq uint64 }

func laneKey(lane uint64) []byte { return binary.BigEndian.AppendUint64(nil, lane) }

func (p place) key() []byte { return binary.BigEndian.AppendUint64(laneKey(p.lane), p.seq) }

// classKey is how the index keys of a class begin.
func classKey(lane uint64, class byte) []byte { return append(laneKey(lane), class) }

func (p place) index(class byte) []byte {
	return binary.BigEndian.AppendUint64(classKey(p.lane, class), p.seq)
}

func (p place) timed(class byte, at int64) []byte {
	k := binary.BigEndian.AppendUint64(classKey(p.lane, class), uint64(at))
	return binary.BigEndian.AppendUint64(k, p.seq)
}

// seqOf is the number that an index key ends with.
func seqOf(k []byte) uint64 { return binary.BigEndian.Uint64(k[len(k)-8:]) }

// timeOf is the time in the key of a class that has one.
func timeOf(k []byte) int64 { return int64(binary.BigEndian.Uint64(k[9:])) }

// validIndex is false for a damaged key.
func validIndex(k []byte) bool {
	if len(k) < 9 {
		return false
	}
	if class := k[8]; class == classRetry || class == classEnded {
		return len(k) == 25
	}
	return len(k) == 17
}

// indexes are the keys by which a row is found.
func (p place) indexes(r row) (keys [][]byte) {
	switch {
	case r.state == 0: // there is no row
		return nil
	case r.state != pending:
		return [][]byte{p.timed(classEnded, r.Ended)}
	case r.Attempts == 0:
		keys = append(keys, p.index(classNew))
	default:
		keys = append(keys, p.timed(classRetry, r.Next))
	}
	if r.Unreachable {
		keys = append(keys, p.index(classUnreachable))
	}
	if r.Event == outbox.SystemPing {
		keys = append(keys, p.index(classPing))
	}
	return keys
}

// get reads a row; ok is false if there is none. A damaged one is deleted, so that it is in nobody's way.
func (h *Hooks) get(t *store.Tx, p place) (r row, ok bool) {
	v := t.Bucket(bucketDeliveries).Get(p.key())
	if v == nil {
		return row{}, false
	}
	r, err := decodeRow(v)
	if err != nil {
		h.opts.Log.Error("a delivery is dropped", "lane", p.lane, "number", p.seq, "err", err)
		t.Del(t.Bucket(bucketDeliveries), p.key())
		return row{}, false
	}
	return r, true
}

// save changes a row from old to r, with all that goes with it; the zero row is none.
func (h *Hooks) save(t *store.Tx, p place, old, r row) {
	index := t.Bucket(bucketIndex)
	for _, k := range p.indexes(old) {
		t.Del(index, k)
	}
	for _, k := range p.indexes(r) {
		t.Put(index, k, []byte{})
	}
	if r.state == 0 {
		t.Del(t.Bucket(bucketDeliveries), p.key())
	} else {
		v, err := r.encode()
		t.Fail(err)
		t.Put(t.Bucket(bucketDeliveries), p.key(), v)
	}
	was, is := old.state > pending, r.state > pending
	switch {
	case is && !was:
		h.countEnded(t, p.lane, 1)
		t.Within(t.Now+keepFor.Milliseconds(), kindSweep)
	case was && !is:
		h.countEnded(t, p.lane, -1)
	}
}

// each calls f with the index keys of a class of a lane, in their order, until it returns false. f must
// not write.
func each(t *bolt.Tx, lane uint64, class byte, f func(k []byte) bool) {
	prefix := classKey(lane, class)
	c := t.Bucket(bucketIndex).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if validIndex(k) && !f(k) {
			return
		}
	}
}

// first is the first index key of a class of a lane, or nil.
func first(t *bolt.Tx, lane uint64, class byte) (found []byte) {
	each(t, lane, class, func(k []byte) bool {
		found = bytes.Clone(k)
		return false
	})
	return found
}

// delivery is the row as others see it. deviceID is the gateway's own.
func (r row) delivery(hook Hook, deviceID string) Delivery {
	d := Delivery{
		ID: r.id, WebhookID: hook.ID, Event: r.Event, State: stateNames[r.state], Created: time.UnixMilli(r.Created),
		Attempts: r.Attempts, Last: timeOrZero(r.Last), Status: r.Status, Error: r.Error, Body: r.body(hook.ID, deviceID),
	}
	if r.state == pending {
		d.Next = timeOrZero(max(r.Next, r.Since))
	}
	return d
}

func timeOrZero(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// body is what is posted. It is put together by hand so that no other version of a library ever makes
// another one of the same row.
func (r row) body(webhookID, deviceID string) []byte {
	if r.Device != "" {
		deviceID = r.Device
	}
	b := make([]byte, 0, 160+len(r.payload))
	for _, f := range [][2]string{{`{"id":`, r.id}, {`,"webhookId":`, webhookID}, {`,"event":`, r.Event}, {`,"deviceId":`, deviceID}} {
		b = appendString(append(b, f[0]...), f[1])
	}
	b = append(append(b, `,"payload":`...), r.payload...)
	return append(b, '}')
}

// appendString adds s as a JSON string (RFC 8259 section 7).
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
