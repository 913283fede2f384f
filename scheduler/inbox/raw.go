package inbox

import (
	"context"
	"encoding/json"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// maxRaw bounds the archive of what cannot be decoded.
const maxRaw = 1000

// Archive stores what came in on a SIM and cannot be decoded, so that it may be deleted from the
// dongle and stops nothing behind it; nothing if it was seen before. u.At, SIM and IMSI are set from
// the clock and from. It returns after the commit.
func (b *Inbox) Archive(ctx context.Context, from Origin, u Unreadable) error {
	seen := digest("unreadable", from.card(), string(u.PDU), u.Line)
	u.SIM, u.IMSI = from.SIM, from.IMSI
	return b.store.Do(ctx, func(st *store.Tx) error {
		t := b.in(st)
		if t.repeated(seen, memoryFor) {
			return t.Err
		}
		seq, err := t.raw.NextSequence()
		t.Fail(err)
		u.At = time.UnixMilli(t.Now)
		v, err := json.Marshal(u)
		t.Fail(err)
		t.Put(t.raw, seqKey(seq), v)
		if seq > maxRaw {
			t.Del(t.raw, seqKey(seq-maxRaw))
		}
		t.grows(t.Now)
		return t.Err
	})
}

// Unreadable returns the latest of the archive, at most limit, and how many were ever archived.
func (b *Inbox) Unreadable(_ context.Context, limit int) (latest []Unreadable, ever uint64, err error) {
	err = b.store.View(func(btx *bolt.Tx) error {
		raw := btx.Bucket(bucketRaw)
		ever = raw.Sequence()
		c := raw.Cursor()
		for k, v := c.Last(); k != nil && len(latest) < limit; k, v = c.Prev() {
			var u Unreadable
			if err := json.Unmarshal(v, &u); err != nil {
				return err
			}
			latest = append(latest, u)
		}
		return nil
	})
	return latest, ever, err
}
