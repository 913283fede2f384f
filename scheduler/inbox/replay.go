package inbox

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"dongled/scheduler/store"
)

// Replay says whose events are to be told again.
type Replay struct {
	// Since and Until bound Received, both included.
	Since, Until time.Time
	// Kinds are the kinds wanted; none is nothing.
	Kinds []Kind
	// Batch has up to 100 messages of a kind told in one event.
	Batch bool
}

const (
	// maxReplay bounds the messages that one commit tells of, so that others wait for milliseconds
	// only, and those of a batch: SMSGate has no more in one.
	maxReplay = 100
	// maxReplayBytes bounds the same where messages are long: a batch is the body of one request.
	maxReplayBytes = 512 << 10
)

// replay is a Replay as it is stored.
type replay struct {
	// Since and Until are in ms, both included.
	Since int64 `json:"since"`
	Until int64 `json:"until"`
	// Kinds are those left.
	Kinds []Kind `json:"kinds"`
	Batch bool   `json:"batch,omitempty"`
	// Next is the row to go on with, Last the last one there was when it was asked for.
	Next uint64 `json:"next,omitempty"`
	Last uint64 `json:"last"`
}

// Replay has the events of messages told again, as they were told the first time, the earliest message
// first; in a batch kind by kind. It returns after the wish is stored; the events follow soon.
func (b *Inbox) Replay(ctx context.Context, r Replay) error {
	if len(r.Kinds) == 0 {
		return nil
	}
	return b.store.Do(ctx, func(st *store.Tx) error {
		t := b.in(st)
		// Others may wait, but their timer may have been set by a clock that was wrong.
		t.At(t.Now, kindReplay, nil)
		seq, err := t.jobs.NextSequence()
		t.Fail(err)
		t.keep(seqKey(seq), replay{
			Since: r.Since.Add(time.Millisecond - time.Nanosecond).UnixMilli(), Until: r.Until.UnixMilli(),
			Kinds: slices.Compact(slices.Sorted(slices.Values(r.Kinds))), Batch: r.Batch, Last: t.rows.Sequence(),
		})
		return t.Err
	})
}

func (t *tx) keep(key []byte, j replay) {
	v, err := json.Marshal(j)
	t.Fail(err)
	t.Put(t.jobs, key, v)
}

// replay takes the oldest replay one page further. One timer is for all of them, so that however many
// there are, a commit has a page, or two where one was just asked for.
func (t *tx) replay() {
	k, v := t.jobs.Cursor().First()
	if k == nil {
		return
	}
	key, j := bytes.Clone(k), replay{}
	if err := json.Unmarshal(v, &j); err != nil || len(j.Kinds) == 0 {
		t.opts.Log.Error("events are not told again: what was asked for does not decode", "key", key, "err", err)
		t.Del(t.jobs, key)
	} else if t.page(&j) {
		t.keep(key, j)
	} else {
		t.Del(t.jobs, key)
	}
	if k, _ := t.jobs.Cursor().First(); k != nil {
		t.At(t.Now, kindReplay, nil)
	}
}

// page tells one page and says whether there is more.
func (t *tx) page(j *replay) (more bool) {
	kinds := j.Kinds
	if j.Batch {
		kinds = kinds[:1]
	}
	var batch struct {
		Messages []payload `json:"messages"`
	}
	more = t.rowsOf(j, kinds, func(m *Message, seq uint64) {
		if !j.Batch {
			t.tell(m, seq)
			return
		}
		batch.Messages = append(batch.Messages, payloadOf(m, seq))
	})
	if len(batch.Messages) > 0 {
		t.opts.Outbox.Put(t.Tx, batches[kinds[0]], "", batch)
	}
	if more || len(kinds) == len(j.Kinds) {
		return more
	}
	j.Kinds, j.Next = j.Kinds[1:], 0
	return true
}

// rowsOf hands a page of messages to do and moves j behind them.
func (t *tx) rowsOf(j *replay, kinds []Kind, do func(*Message, uint64)) (more bool) {
	wanted := func(mark byte) bool { return slices.Contains(kinds, Kind(mark)) }
	seqs, more := census.Between(t.Tx.Tx, j.Since, j.Until+1, j.Next, maxSweep, wanted)
	messages, size := 0, 0
	for _, seq := range seqs {
		if seq > j.Last {
			return false
		}
		j.Next = seq
		if messages == maxReplay || size >= maxReplayBytes {
			return true
		}
		j.Next++
		v := t.rows.Get(seqKey(seq))
		if at := receivedAt(v); at < j.Since || at > j.Until {
			continue
		}
		m, err := decode(seq, v)
		if err != nil {
			t.opts.Log.Error("a message is not told of again", "err", err)
			continue
		}
		messages, size = messages+1, size+len(v)
		do(&m, seq)
	}
	return more
}
