package uplink

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

var (
	bucketUplink = []byte("uplink")
	bucketOwed   = []byte("uplink_owed")

	keyRegistration = []byte("registration")
	keyCursor       = []byte("cursor")
	keySettings     = []byte("settings")
)

// registration is this gateway as a device of a server.
type registration struct {
	URL   string `json:"url"`
	ID    string `json:"id"`
	Token string `json:"token"`
	Login string `json:"login"`
	// Password is that of an account that was made with the device; Shown says the user was shown it.
	Password string `json:"password,omitempty"`
	Shown    bool   `json:"shown,omitempty"`
	// Made are when this gateway registered, in the last day.
	Made []time.Time `json:"made,omitempty"`
}

// owedReport is a report that the server has not taken. It never will if it Refused it; then the entry
// keeps the message from being taken a second time.
type owedReport struct {
	report
	Refused bool `json:"refused,omitempty"`
}

// Buckets implements store.Room.
func (*Uplink) Buckets() [][]byte { return [][]byte{bucketUplink, bucketOwed} }

// Kinds implements store.Room.
func (*Uplink) Kinds() []byte { return nil }

// Prepare implements store.Room.
func (u *Uplink) Prepare(t *store.Tx) error {
	u.store = t.Store()
	return nil
}

// Due implements store.Room.
func (*Uplink) Due(*store.Tx, byte, []byte) {}

// registration is the stored one, or the zero one.
func (u *Uplink) registration() (r registration) {
	raw := u.read(keyRegistration)
	if raw == nil {
		return r
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		u.log.Error("the registration with the server is damaged; the gateway registers anew", "err", err)
		return registration{}
	}
	return r
}

// read returns what the room has under key, nil if nothing.
func (u *Uplink) read(key []byte) (value []byte) {
	err := u.store.View(func(btx *bolt.Tx) error {
		value = bytes.Clone(btx.Bucket(bucketUplink).Get(key))
		return nil
	})
	if err != nil {
		u.log.Error("the store cannot be read", "err", err)
	}
	return value
}

// putRegistration stores r. What belonged to the device before goes if it is another one.
func (u *Uplink) putRegistration(ctx context.Context, r registration) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	before := u.registration().ID
	return u.store.Do(ctx, func(t *store.Tx) error {
		b := t.Bucket(bucketUplink)
		t.Put(b, keyRegistration, raw)
		if before == r.ID {
			return t.Err
		}
		t.Del(b, keySettings)
		var stale [][]byte
		owed := t.Bucket(bucketOwed)
		for k := range keys(owed) {
			stale = append(stale, bytes.Clone(k))
		}
		for _, k := range stale {
			t.Del(owed, k)
		}
		return t.Err
	})
}

func keys(b *bolt.Bucket) func(func([]byte, []byte) bool) {
	return func(yield func([]byte, []byte) bool) {
		c := b.Cursor()
		for k, v := c.First(); k != nil && yield(k, v); k, v = c.Next() {
		}
	}
}

// cursor is the number of the last event that was seen.
func (u *Uplink) cursor() uint64 {
	raw := u.read(keyCursor)
	if len(raw) != 8 {
		return 0 // none yet, or damaged: reports are told once more
	}
	return binary.BigEndian.Uint64(raw)
}

// owe stores reports that the server has not taken, and that events up to cursor were seen.
func (u *Uplink) owe(ctx context.Context, reports []owedReport, cursor uint64) error {
	return u.store.Do(ctx, func(t *store.Tx) error {
		for _, r := range reports {
			raw, err := json.Marshal(r)
			if err != nil {
				return err
			}
			t.Put(t.Bucket(bucketOwed), []byte(r.ID), raw)
		}
		t.Put(t.Bucket(bucketUplink), keyCursor, binary.BigEndian.AppendUint64(nil, cursor))
		return t.Err
	})
}

// settle stores that the server took reports and that events up to cursor were seen.
func (u *Uplink) settle(ctx context.Context, reports []report, cursor uint64) error {
	return u.store.Do(ctx, func(t *store.Tx) error {
		owed := t.Bucket(bucketOwed)
		for _, r := range reports {
			if owed.Get([]byte(r.ID)) != nil {
				t.Del(owed, []byte(r.ID))
			}
		}
		t.Put(t.Bucket(bucketUplink), keyCursor, binary.BigEndian.AppendUint64(nil, cursor))
		return t.Err
	})
}

// owed returns the first reports behind an ID that the server has not taken and may yet take, at most
// limit.
func (u *Uplink) owed(after string, limit int) (reports []owedReport, err error) {
	err = u.store.View(func(btx *bolt.Tx) error {
		c := btx.Bucket(bucketOwed).Cursor()
		k, v := c.Seek([]byte(after))
		for ; k != nil && len(reports) < limit; k, v = c.Next() {
			if string(k) == after {
				continue
			}
			var r owedReport
			if err := json.Unmarshal(v, &r); err != nil {
				u.log.Error("a stored report is damaged", "id", string(k), "err", err)
			}
			if r.ID = string(k); !r.Refused {
				reports = append(reports, r)
			}
		}
		return nil
	})
	return reports, err
}

// isOwed reports whether the server has not taken the report of a message, which it has if there is one.
func (u *Uplink) isOwed(id string) (owed bool, err error) {
	err = u.store.View(func(btx *bolt.Tx) error {
		owed = btx.Bucket(bucketOwed).Get([]byte(id)) != nil
		return nil
	})
	return owed, err
}
