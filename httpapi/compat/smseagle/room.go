package smseagle

import (
	"errors"

	"dongled/scheduler/store"
)

// The layout: smseagle is empty. Its sequence counts the recipients of messages.
var bucket = []byte("vendors/smseagle")

// Buckets implements store.Room.
func (*Dialect) Buckets() [][]byte { return [][]byte{bucket} }

// Kinds implements store.Room: there are no timers.
func (*Dialect) Kinds() []byte { return nil }

// Prepare implements store.Room.
func (*Dialect) Prepare(*store.Tx) error { return nil }

// Due implements store.Room.
func (*Dialect) Due(*store.Tx, byte, []byte) {}

// reserve takes n IDs, and returns the first.
func reserve(t *store.Tx, n int) (first uint64) {
	b := store.Bucket(t, bucket)
	first = b.Sequence() + 1
	t.Fail(b.SetSequence(b.Sequence() + uint64(n)))
	return first
}

// errTest undoes an order that was a test.
var errTest = errors.New("only a test")
