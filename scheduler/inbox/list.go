package inbox

import (
	"context"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// Get returns the message of that ID, or ErrNotFound.
func (b *Inbox) Get(_ context.Context, id string) (m Message, err error) {
	kind, seq, ok := parseID(id)
	if !ok {
		return Message{}, ErrNotFound
	}
	err = b.store.View(func(btx *bolt.Tx) error {
		v := btx.Bucket(bucketRows).Get(seqKey(seq))
		if v == nil {
			return ErrNotFound
		}
		m, err = decode(seq, v)
		return err
	})
	if err == nil && m.Kind != kind {
		err = ErrNotFound
	}
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// List returns the page that f asks for, the latest first, and the number of all messages that match.
func (b *Inbox) List(_ context.Context, f Filter) (page []Message, total int, err error) {
	err = b.store.View(func(btx *bolt.Tx) error {
		rows := btx.Bucket(bucketRows)
		var seqs []uint64
		seqs, total = census.Select(btx, store.Query{
			Mark: byte(f.Kind), From: f.From, To: f.To, Limit: f.Limit, Offset: f.Offset,
			At: func(seq uint64) int64 { return receivedAt(rows.Get(seqKey(seq))) },
		})
		page = make([]Message, 0, len(seqs))
		for _, seq := range seqs {
			m, err := decode(seq, rows.Get(seqKey(seq)))
			if err != nil {
				// A damaged record must not hide all others.
				b.opts.Log.Error("a message is left out of a listing", "seq", seq, "err", err)
				continue
			}
			page = append(page, m)
		}
		return nil
	})
	return page, total, err
}
