package queue

import (
	"context"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// Scan asks for messages of one origin, the latest first.
type Scan struct {
	Origin string
	// Before is where the page before ended, 0 for the first page.
	Before uint64
	// Limit is how many messages there are on a page, at least 1.
	Limit int
	// Keep, if set, leaves messages out.
	Keep func(Message) bool
}

// maxScan bounds the records that one Scan looks at, so that no request takes long: a page may have fewer
// messages than its limit, none even, and still be followed by another.
const maxScan = 10_000

// Scan returns a page, and where the next begins: 0 after the last.
func (q *Queue) Scan(_ context.Context, s Scan) (page []Message, next uint64, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		c := btx.Bucket(bucketMessages).Cursor()
		looked := 0
		for k, v := s.first(c); k != nil; k, v = c.Prev() {
			if len(page) >= s.Limit || looked == maxScan {
				return nil
			}
			looked++
			next = binary.BigEndian.Uint64(k)
			if m, found := q.scanned(btx, &s, next, v); found {
				page = append(page, m)
			}
		}
		next = 0
		return nil
	})
	return page, next, err
}

// first moves c to the latest record of the page.
func (s *Scan) first(c *bolt.Cursor) (k, v []byte) {
	if s.Before > 0 {
		if k, _ = c.Seek(seqKey(s.Before)); k != nil {
			return c.Prev()
		}
	}
	return c.Last()
}

// scanned returns the message of record v if it belongs on the page. One that is damaged does not: it must
// not hide all others.
func (q *Queue) scanned(btx *bolt.Tx, s *Scan, seq uint64, v []byte) (m Message, found bool) {
	if record, err := decodeMessage(v); err != nil || record.Origin != s.Origin {
		return Message{}, false
	}
	m, err := read(btx, seq)
	if err != nil {
		q.opts.Log.Error("a message is left out of a listing", "seq", seq, "err", err)
		return Message{}, false
	}
	return m, s.Keep == nil || s.Keep(m)
}
