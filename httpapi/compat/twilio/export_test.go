package twilio

import (
	"context"
	"net/url"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// Signature is signature.
func Signature(token, target string, body []byte) string {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	return signature(token, u, body)
}

// Parse is parse.
func Parse(contentType string, body []byte) (url.Values, error) {
	p, err := parse(contentType, body)
	return p.Values, err
}

// Deleted counts the notes about deleted messages.
func (d *Dialect) Deleted() (n int) {
	if err := d.store.View(func(t *bolt.Tx) error {
		n = store.Bucket(t, bucketDeleted).Stats().KeyN
		return nil
	}); err != nil {
		panic(err)
	}
	return n
}

// Note notes that a message was deleted.
func (d *Dialect) Note(sid string) {
	err := d.store.Do(context.Background(), func(t *store.Tx) error {
		t.Put(store.Bucket(t, bucketDeleted), []byte(sid), []byte{})
		return t.Err
	})
	if err != nil {
		panic(err)
	}
}
