package queue

import (
	"encoding/binary"
	"fmt"
	"time"

	"dongled/scheduler/store"
)

// Limits refuse new messages with a *LimitError; 0 is no limit. What was accepted before is not
// touched, and an ID that is in use stays ErrDuplicateID.
type Limits struct {
	// MaxPending is how many messages may be Pending.
	MaxPending int
	// MaxPendingAge is for how long the oldest may be. A message that is scheduled counts from that
	// time on, so that one for next month does not close the queue, and one that quiet hours put off from
	// their end.
	MaxPendingAge time.Duration
	// MaxFailed is from how many failed messages on no more are taken, of those created within
	// MaxFailedAge, or ever.
	MaxFailed    int
	MaxFailedAge time.Duration
}

// LimitError says that the queue takes no message for now (Options.Limits); nothing was stored. The
// words are SMSGate's.
type LimitError struct{ Reason string }

func (e *LimitError) Error() string { return "queue limits exceeded: " + e.Reason }

// admit returns a *LimitError if the queue is not well. The census and ages spare it the messages.
func (t *tx) admit() error {
	l := t.opts.Limits
	if l.MaxPending > 0 {
		if n := t.counted(Pending, time.Time{}); n >= l.MaxPending {
			return &LimitError{fmt.Sprintf("too many pending messages: %d / %d", n, l.MaxPending)}
		}
	}
	if l.MaxPendingAge > 0 {
		if since, is := t.tooOld(l.MaxPendingAge); is {
			return &LimitError{"too old pending message: " + timeOf(since).UTC().Format(time.RFC3339)}
		}
	}
	if l.MaxFailed > 0 {
		var from time.Time
		if l.MaxFailedAge > 0 {
			from = timeOf(t.now).Add(-l.MaxFailedAge)
		}
		if t.counted(Failed, from) >= l.MaxFailed {
			return &LimitError{"too many failed messages"}
		}
	}
	return nil
}

// tooOld is since when the oldest pending message could have been sent, if that is longer ago than limit.
// What was accepted in this run is no older than that: where it seems to be, the clock was set since. A
// damaged message never leaves Pending, and must not close the queue for ever.
func (t *tx) tooOld(limit time.Duration) (since int64, is bool) {
	young := time.Since(t.opened) <= limit
	c := t.Bucket(bucketAges).Cursor()
	for k, _ := c.First(); k != nil && t.now-msOf(k) > limit.Milliseconds(); k, _ = c.Next() {
		if len(k) != 16 || young && binary.BigEndian.Uint64(k[8:]) > t.earlier {
			continue
		}
		if m, err := loadMessage(t.messages, binary.BigEndian.Uint64(k[8:])); m != nil && err == nil {
			return msOf(k), true
		}
	}
	return 0, false
}

// counted is how many messages created from a time on are in a state.
func (t *tx) counted(s State, from time.Time) int {
	_, n := census.Select(t.Tx.Tx, store.Query{Mark: byte(s), From: from, At: func(seq uint64) int64 {
		return createdOf(t.messages.Get(seqKey(seq)))
	}})
	return n
}

// age keeps ages in line with a message that went from one state to another.
func (t *tx) age(seq uint64, m *message, before, after State) {
	if t.opts.Limits.MaxPendingAge <= 0 || (before == Pending) == (after == Pending) {
		return
	}
	k := ageKey(m, seq)
	if after == Pending {
		t.put(t.Bucket(bucketAges), k, []byte{})
		return
	}
	t.del(t.Bucket(bucketAges), k)
}

// ageKey sorts by the time from which a message could have been sent.
func ageKey(m *message, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(msKey(max(m.Created, m.ScheduleAt, m.Held)), seq)
}

// keyAges says that ages is kept.
var keyAges = []byte("ages")

// prepareAges fills ages when the limit is new, and has it filled anew when the limit comes back.
func (t *tx) prepareAges() error {
	kept, wanted := t.meta.Get(keyAges) != nil, t.opts.Limits.MaxPendingAge > 0
	switch {
	case kept == wanted:
		return t.Err
	case kept:
		t.del(t.meta, keyAges)
		return t.Err
	}
	if err := t.DeleteBucket(bucketAges); err != nil {
		return err
	}
	if _, err := t.CreateBucket(bucketAges); err != nil {
		return err
	}
	t.put(t.meta, keyAges, []byte{})
	_, total := census.Select(t.Tx.Tx, store.Query{Mark: byte(Pending)})
	pending, _ := census.Select(t.Tx.Tx, store.Query{Mark: byte(Pending), Limit: total, OldestFirst: true})
	for _, seq := range pending {
		m, err := loadMessage(t.messages, seq)
		if m == nil || err != nil {
			t.opts.Log.Error("a message does not count as pending", "seq", seq, "err", err)
			continue
		}
		t.age(seq, m, 0, Pending)
	}
	return t.Err
}
