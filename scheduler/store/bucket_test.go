package store_test

import (
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// shelf is a room whose buckets are those names.
type shelf [][]byte

func (s shelf) Buckets() [][]byte         { return s }
func (shelf) Kinds() []byte               { return nil }
func (shelf) Prepare(*store.Tx) error     { return nil }
func (shelf) Due(*store.Tx, byte, []byte) {}

// TestBucketInBucket: rooms that share a bucket have buckets of their own in it, over restarts, and the
// list of all has one entry for them.
func TestBucketInBucket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	rooms := []store.Room{shelf{[]byte("shared/one"), []byte("plain")}, shelf{[]byte("shared/two")}}
	for run, want := range []string{"", "value"} {
		s, err := store.Open(path, store.Options{}, rooms...)
		if err != nil {
			t.Fatal(err)
		}
		err = s.Do(t.Context(), func(tx *store.Tx) error {
			b := store.Bucket(tx, []byte("shared/one"))
			if got := string(b.Get([]byte("key"))); got != want {
				t.Errorf("run %d: the value is %q, want %q", run, got, want)
			}
			tx.Put(b, []byte("key"), []byte("value"))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(func(tx *bolt.Tx) error {
			if store.Bucket(tx, []byte("shared/two")).Get([]byte("key")) != nil || store.Bucket(tx, []byte("plain")).Get([]byte("key")) != nil {
				t.Error("it is in another room's bucket")
			}
			names := ""
			err := tx.ForEach(func(name []byte, _ *bolt.Bucket) error { names += string(name) + " "; return nil })
			if names != "plain shared timers " {
				t.Errorf("in no bucket are %s", names)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
