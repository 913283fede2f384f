package queue

import (
	"context"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// tx is a write transaction as the queue sees it.
type tx struct {
	*Queue
	*store.Tx
	id    int
	now   int64 // ms since 1970
	woken map[int]struct{}
	// fifo is Queue.fifo for the whole transaction: a search must not change its order on the way.
	fifo bool
	// stated are the messages whose change the uplink is told of already.
	stated map[uint64]bool

	ids, messages, deliveries, ready *bolt.Bucket
	reports, orphans, sends          *bolt.Bucket
	meta                             *bolt.Bucket
}

// in returns the queue's view of a transaction, the same for every operation in it. Only the store's
// writer has transactions, and Open before there is one.
func (q *Queue) in(st *store.Tx) *tx {
	if q.current == nil || q.current.Tx != st {
		q.current = &tx{
			Queue: q, Tx: st, id: st.ID(), now: st.Now, fifo: q.fifo.Load(),
			ids: st.Bucket(bucketIDs), messages: st.Bucket(bucketMessages), deliveries: st.Bucket(bucketDeliveries),
			ready: st.Bucket(bucketReady), reports: st.Bucket(bucketReports), orphans: st.Bucket(bucketOrphans),
			sends: st.Bucket(bucketSends), meta: st.Bucket(bucketMeta),
		}
	}
	return q.current
}

// do runs f in a write transaction; see store.Store.Do.
func (q *Queue) do(ctx context.Context, f func(*tx) error) error {
	return q.store.Do(ctx, func(st *store.Tx) error { return f(q.in(st)) })
}

// setState moves a message from one state to another in the census. 0 stands for one that was not
// there before, or will not be.
func (t *tx) setState(seq uint64, m *message, before, after State) {
	census.Set(t.Tx, seq, m.Created, byte(before), byte(after))
	t.age(seq, m, before, after)
}

func (t *tx) put(b *bolt.Bucket, k, v []byte) { t.Put(b, k, v) }

func (t *tx) del(b *bolt.Bucket, k []byte) { t.Del(b, k) }

// wake has Options.Wake called for lane after the commit.
func (t *tx) wake(lane int) {
	if t.woken == nil {
		t.woken = make(map[int]struct{})
		t.After(func() {
			for lane := range t.woken {
				t.opts.Wake(lane)
			}
		})
	}
	t.woken[lane] = struct{}{}
}
