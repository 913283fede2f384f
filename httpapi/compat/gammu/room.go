package gammu

import (
	"context"
	"encoding/binary"
	"errors"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

// The layout: gammu has the inbox's IDs of what was deleted here, each with the time of that in ms. Its
// sequence counts the recipients of messages.
var bucket = []byte("vendors/gammu")

// Buckets implements store.Room.
func (*Dialect) Buckets() [][]byte { return [][]byte{bucket} }

// Kinds implements store.Room: there are no timers.
func (*Dialect) Kinds() []byte { return nil }

// Prepare implements store.Room.
func (d *Dialect) Prepare(t *store.Tx) error {
	d.store = t.Store()
	return nil
}

// Due implements store.Room.
func (*Dialect) Due(*store.Tx, byte, []byte) {}

// reserve takes n numbers, and returns the first.
func reserve(t *store.Tx, n int) (first uint64) {
	b := store.Bucket(t, bucket)
	first = b.Sequence() + 1
	t.Fail(b.SetSequence(b.Sequence() + uint64(n)))
	return first
}

func (d *Dialect) deleted() (ids map[string]bool, err error) {
	ids = map[string]bool{}
	err = d.store.View(func(t *bolt.Tx) error {
		return store.Bucket(t, bucket).ForEach(func(k, _ []byte) error {
			ids[string(k)] = true
			return nil
		})
	})
	return ids, err
}

// forget notes that a message was deleted here, and drops the notes about what the inbox has no more.
func (d *Dialect) forget(ctx context.Context, id string) error {
	gone, err := d.gone(ctx)
	if err != nil {
		return err
	}
	return d.store.Do(ctx, func(t *store.Tx) error {
		b := store.Bucket(t, bucket)
		for _, old := range gone {
			t.Del(b, []byte(old))
		}
		t.Put(b, []byte(id), binary.BigEndian.AppendUint64(nil, uint64(t.Now)))
		return t.Err
	})
}

// mostDropped bounds the notes that one request looks at.
const mostDropped = 16

// gone are the oldest of the notes that are about nothing any more.
func (d *Dialect) gone(ctx context.Context) (gone []string, err error) {
	var oldest []string
	err = d.store.View(func(t *bolt.Tx) error {
		c := store.Bucket(t, bucket).Cursor()
		for k, _ := c.First(); k != nil && len(oldest) < mostDropped; k, _ = c.Next() {
			oldest = append(oldest, string(k))
		}
		return nil
	})
	for _, id := range oldest {
		if _, e := d.gateway.Inbox.Get(ctx, id); errors.Is(e, inbox.ErrNotFound) {
			gone = append(gone, id)
		}
	}
	return gone, err
}
