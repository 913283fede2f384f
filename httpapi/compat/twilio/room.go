package twilio

import (
	"context"
	"errors"
	"slices"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// The layout: twilio_deleted has the SIDs of the messages that were deleted here and that the queue may
// still have.
var bucketDeleted = []byte("vendors/twilio_deleted")

// Buckets implements store.Room.
func (*Dialect) Buckets() [][]byte { return [][]byte{bucketDeleted} }

// Kinds implements store.Room: there are no timers.
func (*Dialect) Kinds() []byte { return nil }

// Prepare implements store.Room.
func (d *Dialect) Prepare(t *store.Tx) error {
	d.store = t.Store()
	return nil
}

// Due implements store.Room.
func (*Dialect) Due(*store.Tx, byte, []byte) {}

// present leaves out what was deleted.
func (d *Dialect) present(all []queue.Message) (there []queue.Message, err error) {
	err = d.store.View(func(t *bolt.Tx) error {
		b := store.Bucket(t, bucketDeleted)
		there = slices.DeleteFunc(all, func(m queue.Message) bool { return b.Get([]byte(m.ID)) != nil })
		return nil
	})
	return there, err
}

// forget notes that a message was deleted, and drops notes about what the queue retired meanwhile.
func (d *Dialect) forget(ctx context.Context, sid string) error {
	retired, err := d.retired(ctx, sid)
	if err != nil {
		return err
	}
	return d.store.Do(ctx, func(t *store.Tx) error {
		b := store.Bucket(t, bucketDeleted)
		for _, old := range retired {
			t.Del(b, []byte(old))
		}
		t.Put(b, []byte(sid), []byte{})
		return t.Err
	})
}

// mostChecked bounds the notes that one request looks at. SIDs are random, and so are those that follow one
// in the bucket: with each message deleted as many are looked at, few stay that are about nothing.
const mostChecked = 16

// retired are those of the notes behind sid that are about nothing any more.
func (d *Dialect) retired(ctx context.Context, sid string) (gone []string, err error) {
	var noted []string
	err = d.store.View(func(t *bolt.Tx) error {
		c := store.Bucket(t, bucketDeleted).Cursor()
		k, _ := c.Seek([]byte(sid))
		for range mostChecked {
			if k == nil {
				k, _ = c.First()
			}
			if k == nil || slices.Contains(noted, string(k)) {
				return nil
			}
			noted = append(noted, string(k))
			k, _ = c.Next()
		}
		return nil
	})
	for _, old := range noted {
		if _, e := d.gateway.Messages.Get(ctx, old); errors.Is(e, queue.ErrNotFound) {
			gone = append(gone, old)
		}
	}
	return gone, err
}
