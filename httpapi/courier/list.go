package courier

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// Delivery is a callback as people see it. It holds nothing of a URL but the host, as paths and queries
// may hold tokens.
type Delivery struct {
	ID      string
	Dialect string
	Method  string
	// Host is name and port.
	Host string
	// Ref is the message that it tells of.
	Ref string
	// State is one of the constants below.
	State    string
	Attempts int
	// Status is the HTTP status of the last try, 0 if there was no answer; Error says what was wrong.
	Status  int
	Error   string
	Created time.Time
	// Next is when it is tried again, zero if that was not tried yet or has ended.
	Next time.Time
}

// The states of a Delivery.
const (
	Pending   = "pending"
	Delivered = "delivered"
	Failed    = "failed"
)

// List returns the latest callbacks, newest first, and how many there are in all; state may be empty.
func (c *Courier) List(_ context.Context, state string, limit, offset int) (page []Delivery, total int, err error) {
	page = []Delivery{}
	err = c.store.View(func(t *bolt.Tx) error {
		cur := store.Bucket(t, bucketCallbacks).Cursor()
		for k, v := cur.Last(); k != nil; k, v = cur.Prev() {
			if len(k) != 8 || len(v) < rowHead || int(v[0]) >= len(stateNames) || state != "" && stateNames[v[0]] != state {
				continue
			}
			if total++; total <= offset || len(page) == limit {
				continue
			}
			if r, err := decodeRow(v); err == nil {
				page = append(page, r.delivery(binary.BigEndian.Uint64(k)))
			} else {
				c.log.Error("a callback is not shown", "key", k, "err", err)
			}
		}
		return nil
	})
	return page, total, err
}

func (r row) delivery(seq uint64) Delivery {
	d := Delivery{
		ID: strconv.FormatUint(seq, 10), Dialect: r.Dialect, Method: r.Method, Host: r.Host, Ref: r.Ref,
		State: stateNames[r.state], Attempts: r.Attempts, Status: r.Status, Error: r.Error, Created: time.UnixMilli(r.Created),
	}
	if r.state == pending && r.at != 0 {
		d.Next = time.UnixMilli(r.at)
	}
	return d
}
