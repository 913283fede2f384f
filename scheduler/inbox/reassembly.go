package inbox

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"dongled/pdu"
)

// sameMessage is how far apart the Service Centre may have got the parts of one message. Phones send
// them within seconds; a part that was refused for a while comes within the hour.
const sameMessage = time.Hour

// waiting is a long message that is not whole yet.
type waiting struct {
	// From is where the last part came in.
	From Origin `json:"from"`
	// Have says which parts are there, that of number 1 first.
	Have []bool `json:"have"`
	// First and Last bound TP-SCTS of the parts, in ms; 0 as long as none could be read.
	First int64 `json:"first,omitempty"`
	Last  int64 `json:"last,omitempty"`
	// Until is when it is given up, in ms.
	Until int64 `json:"until"`
}

// groupOf is what the parts of a message have in common, and messages with the same reference too.
// Octets and text never belong together, whatever their header says.
func groupOf(card string, d pdu.Deliver) hash {
	c := d.Concat
	return digest("group", card, d.Originator,
		fmt.Sprint(c.Reference, c.Wide, c.Total, d.Alphabet == pdu.Octets))
}

// part stores a part, and delivers its message if that is whole now.
func (t *tx) part(from Origin, d pdu.Deliver) {
	key, w := t.find(groupOf(from.card(), d), d)
	if w == nil {
		if inSlot, found := t.find(groupOf(from.slot(), d), d); found != nil {
			key, w = inSlot, found
		}
	}
	if w == nil {
		set, err := t.open.NextSequence()
		t.Fail(err)
		key = binary.BigEndian.AppendUint64(key, set)
		w = &waiting{Have: make([]bool, d.Concat.Total)}
	} else {
		t.Tx.Cancel(w.Until, kindPartial, key)
	}
	w.From, w.Until = from, t.Now+t.opts.PartialAfter.Milliseconds()
	w.take(d)
	if w.whole() {
		t.complete(key, w, &d)
		return
	}
	t.Put(t.parts, partKey(key, int(d.Concat.Number)), d.Raw)
	t.wait(key, w)
}

// wait stores a message that is not whole, until it is given up.
func (t *tx) wait(key []byte, w *waiting) {
	v, err := json.Marshal(w)
	t.Fail(err)
	t.Put(t.open, key, v)
	t.At(w.Until, kindPartial, key)
}

// find returns the message of a group that d belongs to: of those that lack it the one sent nearest
// to it in time, the oldest of equals. If there is none it returns nil and the group as a key.
func (t *tx) find(group hash, d pdu.Deliver) (key []byte, found *waiting) {
	var best time.Duration
	c := t.open.Cursor()
	for k, v := c.Seek(group[:]); bytes.HasPrefix(k, group[:]); k, v = c.Next() {
		w := new(waiting)
		if err := json.Unmarshal(v, w); err != nil || len(w.Have) != int(d.Concat.Total) {
			t.opts.Log.Error("a message in parts is left as it is", "key", k, "err", err)
			continue
		}
		apart := w.apart(d)
		if !w.Have[d.Concat.Number-1] && apart <= sameMessage && (found == nil || apart < best) {
			key, found, best = bytes.Clone(k), w, apart
		}
	}
	if found == nil {
		return group[:], nil
	}
	return key, found
}

// apart is how far d would spread w over time; 0 if that cannot be told.
func (w *waiting) apart(d pdu.Deliver) time.Duration {
	if d.SCTS.IsZero() || w.First == 0 {
		return 0
	}
	at := d.SCTS.UnixMilli()
	return time.Duration(max(w.Last-at, at-w.First, 0)) * time.Millisecond
}

func (w *waiting) take(d pdu.Deliver) {
	w.Have[d.Concat.Number-1] = true
	if d.SCTS.IsZero() {
		return
	}
	at := d.SCTS.UnixMilli()
	if w.First == 0 || at < w.First {
		w.First = at
	}
	w.Last = max(w.Last, at)
}

func (w *waiting) whole() bool {
	for _, have := range w.Have {
		if !have {
			return false
		}
	}
	return true
}

// partKey is the key of a part; the set alone, without its group, tells one message from another.
func partKey(key []byte, number int) []byte {
	return append(bytes.Clone(key[len(hash{}):]), byte(number))
}

// complete delivers what there is of w, last included unless it is nil, and forgets it.
func (t *tx) complete(key []byte, w *waiting, last *pdu.Deliver) {
	parts := make([]pdu.Deliver, len(w.Have))
	for i := range parts {
		k := partKey(key, i+1)
		switch raw := t.parts.Get(k); {
		case raw != nil:
			d, err := pdu.DecodeDeliver(raw)
			if err != nil { // it was decoded before it was stored
				t.opts.Log.Error("a part is lost", "key", k, "err", err)
			}
			parts[i] = d
			t.Del(t.parts, k)
		case last != nil && int(last.Concat.Number) == i+1:
			parts[i] = *last
		}
	}
	t.Del(t.open, key)
	t.deliver(w.From, parts)
}

// giveUp delivers a message of which parts never came.
func (t *tx) giveUp(key []byte) {
	v := t.open.Get(key)
	if v == nil {
		return
	}
	w := new(waiting)
	if err := json.Unmarshal(v, w); err != nil {
		t.opts.Log.Error("a message in parts is dropped", "key", key, "err", err)
		t.Del(t.open, key)
		return
	}
	if until := t.settled(min(settling, t.opts.PartialAfter)); until > t.Now {
		w.Until = until
		t.wait(key, w)
		return
	}
	t.complete(key, w, nil)
}
