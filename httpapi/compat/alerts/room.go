package alerts

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"dongled/scheduler/store"
)

// The layout: of each dialect a bucket with digests of what was taken in the last minutes, each with the
// time of that in ms. A timer drops it.

// again is how long what comes again is known as such.
const again = 5 * time.Minute

// errRepeated says that the same was taken before.
var errRepeated = errors.New("the same alerts were taken before")

// The kinds of timers, whose rest is a digest.
const (
	kindAlertmanager byte = 100 + iota
	kindGrafana
)

func (d *Dialect) bucket() []byte { return []byte("vendors/alerts_" + d.name) }

func (d *Dialect) kind() byte {
	if d.signed {
		return kindGrafana
	}
	return kindAlertmanager
}

// Buckets implements store.Room.
func (d *Dialect) Buckets() [][]byte { return [][]byte{d.bucket()} }

// Kinds implements store.Room.
func (d *Dialect) Kinds() []byte { return []byte{d.kind()} }

// Prepare implements store.Room.
func (*Dialect) Prepare(*store.Tx) error { return nil }

// Due implements store.Room.
func (d *Dialect) Due(t *store.Tx, _ byte, rest []byte) { t.Del(store.Bucket(t, d.bucket()), rest) }

// mark is where it is noted that something was taken.
type mark struct {
	bucket []byte
	kind   byte
	digest [sha256.Size]byte
}

// key is the mark of what is sent to a receiver.
func (d *Dialect) key(identity string, r receiver) mark {
	return mark{d.bucket(), d.kind(), sha256.Sum256([]byte(identity + "\n" + strings.Join(r.To, ",")))}
}

// remember notes a mark, or returns errRepeated. One from the future was made by a clock that was set back
// since, and does not count.
func remember(t *store.Tx, m mark) error {
	b := store.Bucket(t, m.bucket)
	if v := b.Get(m.digest[:]); len(v) == 8 {
		at := int64(binary.BigEndian.Uint64(v))
		if at <= t.Now && t.Now-at < again.Milliseconds() {
			return errRepeated
		}
		t.Cancel(at+again.Milliseconds(), m.kind, m.digest[:])
	}
	t.Put(b, m.digest[:], binary.BigEndian.AppendUint64(nil, uint64(t.Now)))
	t.At(t.Now+again.Milliseconds(), m.kind, m.digest[:])
	return t.Err
}
