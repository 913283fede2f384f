// Package outbox holds the events that others are to be told of, as a room of the store.
//
// A room writes an event in the transaction that makes it true, so that neither is there without the
// other. Events are numbered in the order of those commits and never change; whoever passes them on
// remembers the number he has come to.
//
// # Layout
//
//	outbox      number                               → time, event
package outbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// The names of events are SMSGate's, or in its manner where it has none.
const (
	SMSReceived     = "sms:received"
	DataSMSReceived = "sms:data-received"
	MMSReceived     = "mms:received"
	SMSSent         = "sms:sent"
	SMSDelivered    = "sms:delivered"
	SMSFailed       = "sms:failed"
	SMSCancelled    = "sms:cancelled"
	CallReceived    = "call:received"
	SystemPing      = "system:ping"
	AppStarted      = "app:started"
	// Several messages of a refresh in one event.
	BatchSMSReceived     = "sms:batch:received"
	BatchDataSMSReceived = "sms:batch:data-received"
	BatchMMSReceived     = "mms:batch:received"
	// MessageState is for the uplink alone: a message of its server reached a state. Its Ref is the
	// message, its payload empty.
	MessageState = "message:state"
)

// Event is one thing that happened.
type Event struct {
	// Seq rises from event to event, over restarts.
	Seq  uint64    `json:"-"`
	At   time.Time `json:"-"`
	Name string    `json:"name"`
	// Ref is the ID of what the event is about, empty if that is not stored.
	Ref string `json:"ref,omitempty"`
	// Payload is a JSON object as webhooks carry it.
	Payload json.RawMessage `json:"payload"`
}

// TimeFormat is how payloads write a time.
const TimeFormat = "2006-01-02T15:04:05.000Z07:00"

// keepFor is how long events are kept, told or not.
const keepFor = 30 * 24 * time.Hour

// kindSweep is the timer upon which old events are deleted; it has no rest.
const kindSweep byte = 20

// maxSweep bounds the events that one commit deletes.
const maxSweep = 512

var bucketEvents = []byte("outbox")

// Outbox is a room of the store. Its methods may be called from any goroutine once that is open.
type Outbox struct {
	store *store.Store
	log   *slog.Logger
	told  func(*store.Tx, Event)
	// opened is when this run began, by the monotonic clock too; before is the last event of the run
	// before.
	opened time.Time
	before uint64
}

// New makes an outbox. told, if set, is called with each event in the transaction that it is put in;
// log gets what has no caller to be told, nil discards it.
func New(told func(*store.Tx, Event), log *slog.Logger) *Outbox {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Outbox{told: told, log: log}
}

// Buckets implements store.Room.
func (*Outbox) Buckets() [][]byte { return [][]byte{bucketEvents} }

// Kinds implements store.Room.
func (*Outbox) Kinds() []byte { return []byte{kindSweep} }

// Prepare implements store.Room.
func (o *Outbox) Prepare(t *store.Tx) error {
	o.store, o.opened, o.before = t.Store(), time.Now(), t.Bucket(bucketEvents).Sequence()
	return nil
}

// Put adds an event of now to t. The payload must encode as JSON.
func (o *Outbox) Put(t *store.Tx, name, ref string, payload any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		t.Fail(fmt.Errorf("outbox: payload of %s: %w", name, err))
		return
	}
	e := Event{At: time.UnixMilli(t.Now), Name: name, Ref: ref, Payload: raw}
	value, err := json.Marshal(e)
	t.Fail(err)
	b := t.Bucket(bucketEvents)
	b.FillPercent = 1 // nothing is ever put between
	seq, err := b.NextSequence()
	t.Fail(err)
	t.Put(b, binary.BigEndian.AppendUint64(nil, seq), append(binary.BigEndian.AppendUint64(nil, uint64(t.Now)), value...))
	t.Within(t.Now+keepFor.Milliseconds(), kindSweep)
	if e.Seq = seq; o.told != nil {
		o.told(t, e)
	}
}

// Events returns the first events behind after, at most limit, in their order.
func (o *Outbox) Events(after uint64, limit int) (events []Event, err error) {
	err = o.store.View(func(btx *bolt.Tx) error {
		c := btx.Bucket(bucketEvents).Cursor()
		for k, v := c.Seek(binary.BigEndian.AppendUint64(nil, after+1)); k != nil && len(events) < limit; k, v = c.Next() {
			e, err := decode(k, v)
			if err != nil {
				return err
			}
			events = append(events, e)
		}
		return nil
	})
	return events, err
}

// ErrDamaged says that the event after those returned does not decode. The numbers of events are without
// a gap, so that whoever wants to go on may leave out one.
var ErrDamaged = errors.New("outbox: an event does not decode: the store is damaged")

func decode(k, v []byte) (e Event, err error) {
	if len(k) != 8 || len(v) < 8 {
		return Event{}, ErrDamaged
	}
	if err := json.Unmarshal(v[8:], &e); err != nil {
		return Event{}, errors.Join(ErrDamaged, err)
	}
	e.Seq, e.At = binary.BigEndian.Uint64(k), time.UnixMilli(madeAt(v))
	return e, nil
}

// madeAt is when the event was made, in ms; the store's own writing is never shorter than that.
func madeAt(v []byte) int64 {
	if len(v) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// Due implements store.Room.
func (o *Outbox) Due(t *store.Tx, _ byte, _ []byte) {
	before := t.Now - keepFor.Milliseconds()
	b := t.Bucket(bucketEvents)
	var old [][]byte
	c := b.Cursor()
	for k, v := c.First(); k != nil && len(old) < maxSweep; k, v = c.Next() {
		at := madeAt(v)
		if up := time.Since(o.opened); at < before && up < keepFor && len(k) == 8 && binary.BigEndian.Uint64(k) > o.before {
			// It is no older than this run: the clock was set since.
			t.Within(t.Now+(keepFor-up).Milliseconds(), kindSweep)
			break
		}
		if at >= before && at <= t.Now {
			break
		}
		if at < before { // and not of a time when the clock was wrong
			old = append(old, append([]byte{}, k...))
		}
	}
	for _, k := range old {
		t.Del(b, k)
	}
	if len(old) > 0 {
		o.log.Info("old events were deleted", "events", len(old))
	}
	if len(old) == maxSweep {
		t.At(t.Now, kindSweep, nil)
	}
}
