package skycore

import (
	"strconv"
	"testing"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// Store is where the dialect has its room.
func Store(d *Dialect) *store.Store { return d.store }

// SweepStep is how many subscribers one commit deletes.
const SweepStep = sweepStep

// Rows counts the rows of subscribers, and of their index.
func Rows(t testing.TB, d *Dialect) (n int) {
	t.Helper()
	err := d.store.View(func(btx *bolt.Tx) error {
		n = store.Bucket(btx, bucketSubscribers).Stats().KeyN + store.Bucket(btx, bucketNumbers).Stats().KeyN
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Fill makes campaigns c0, c1 and so on.
func Fill(t testing.TB, d *Dialect, n int) {
	t.Helper()
	err := d.store.Do(t.Context(), func(tx *store.Tx) error {
		for i := range n {
			save(tx, campaign{ID: uint64(i + 1), Ref: "c" + strconv.Itoa(i)})
		}
		return tx.Err
	})
	if err != nil {
		t.Fatal(err)
	}
}
