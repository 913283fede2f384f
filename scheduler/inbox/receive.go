package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"dongled/pdu"
	"dongled/scheduler/store"
)

// Receive stores d, which pdu.DecodeDeliver read, or the message that it makes whole, with its event;
// nothing if it was seen before. It returns after the commit: only then may the dongle's copy be
// deleted, or be acknowledged.
func (b *Inbox) Receive(ctx context.Context, from Origin, d pdu.Deliver) error {
	seen := fingerprint(from.card(), d)
	inSlot := fingerprint(from.slot(), d)
	return b.store.Do(ctx, func(st *store.Tx) error {
		t := b.in(st)
		if t.repeated(seen, memory(d)) || t.seen.Get(inSlot[:]) != nil && from.IMSI != "" {
			return t.Err
		}
		if d.Concat != nil && d.Concat.Total > 1 {
			t.part(from, d)
		} else {
			t.deliver(from, []pdu.Deliver{d})
		}
		return t.Err
	})
}

// hash tells what came from everything else that came.
type hash [16]byte

// digest hashes fields so that no two lists of fields are the same.
func digest(fields ...string) (h hash) {
	sum := sha256.New()
	for _, f := range fields {
		_ = binary.Write(sum, binary.BigEndian, uint32(len(f)))
		sum.Write([]byte(f))
	}
	return hash(sum.Sum(nil))
}

// fingerprint is what a message is known by when it comes again: who got it from whom, over which
// Service Centre, when that got it, and the user data with its header. The Service Centre repeats a
// message whose acknowledgement it did not get with other flags than these.
func fingerprint(card string, d pdu.Deliver) hash {
	sent := ""
	if !d.SCTS.IsZero() {
		sent = d.SCTS.UTC().Format(time.RFC3339)
	}
	return digest("message", card, d.SMSC, d.Originator, sent, string(d.UserData()))
}

// card is what the inbox knows a card by: its IMSI, or as long as that could not be read its slot. What
// came in a slot counts for the card that shows its IMSI there later.
func (o Origin) card() string {
	if o.IMSI == "" {
		return o.slot()
	}
	return o.IMSI
}

func (o Origin) slot() string { return fmt.Sprintf("sim-%d", o.SIM) }

const (
	// memoryFor is how long what came is remembered after it was last seen. A dongle that does not
	// delete offers it again at every sweep, and is remembered as long as it does.
	memoryFor = 30 * 24 * time.Hour
	// timelessFor is the same for what bears no time: a person may send the same words again, and
	// the next sweep is an hour away.
	timelessFor = 2 * time.Hour
)

func memory(d pdu.Deliver) time.Duration {
	if d.SCTS.IsZero() {
		return timelessFor
	}
	return memoryFor
}

// repeated notes that h was seen and says whether it had been before. It writes only what is worth a
// commit: that it was seen again counts once an eighth of its memory has passed.
func (t *tx) repeated(h hash, keep time.Duration) bool {
	until, before := t.Now+keep.Milliseconds(), int64(0)
	v := t.seen.Get(h[:])
	if v != nil {
		before = int64(binary.BigEndian.Uint64(v))
		if until-before < keep.Milliseconds()/8 {
			return true
		}
		t.Tx.Cancel(before, kindForget, h[:])
	}
	t.Put(t.seen, h[:], binary.BigEndian.AppendUint64(nil, uint64(until)))
	t.At(until, kindForget, h[:])
	return v != nil
}

// forget drops what was seen long ago; what is remembered until later has a timer of its own.
func (t *tx) forget(h []byte) {
	if len(h) != len(hash{}) {
		t.opts.Log.Error("a timer that forgets what was seen names nothing and is dropped", "rest", h)
		return
	}
	if until := t.settled(settling); until > t.Now {
		t.Put(t.seen, h, binary.BigEndian.AppendUint64(nil, uint64(until)))
		t.At(until, kindForget, h)
		return
	}
	t.Del(t.seen, h)
}
