package bird

import (
	"encoding/json"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

var (
	bucketChannels      = []byte("vendors/bird_channels")
	bucketSubscriptions = []byte("vendors/bird_subscriptions")

	// keySeed is in bucketChannels, where all other keys are UUIDs.
	keySeed = []byte("seed")
)

// Buckets implements store.Room.
func (*Dialect) Buckets() [][]byte {
	return [][]byte{bucketChannels, bucketSubscriptions, bucketFrequency}
}

// Kinds implements store.Room: 90 to 94 are this room's.
func (*Dialect) Kinds() []byte { return []byte{kindFrequency} }

// Prepare implements store.Room.
func (d *Dialect) Prepare(t *store.Tx) error {
	d.store = t.Store()
	d.loadCards(t)
	return nil
}

// Due implements store.Room.
func (d *Dialect) Due(t *store.Tx, kind byte, _ []byte) {
	if kind == kindFrequency {
		d.forgetFrequency(t)
	}
}

// write stores a record as JSON.
func write(t *store.Tx, b *bolt.Bucket, key string, record any) {
	raw, err := json.Marshal(record)
	t.Fail(err)
	t.Put(b, []byte(key), raw)
}
