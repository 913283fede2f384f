package queue

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// maxBatch bounds the operations of one commit, and so the memory of a crowd.
	maxBatch = 1024
	// rideFor is how long news that nobody waits for may wait for the commit of a part in flight.
	rideFor = 5 * time.Millisecond
	// maxSleep is how late a timer may be whose clock was set forward meanwhile, as a Pi's is some
	// time after it started.
	maxSleep = time.Minute
)

// op is one operation on its way through the writer.
type op struct {
	run  func(*tx) error
	done chan error
	// rides says the operation may wait up to rideFor for the commit of a part in flight.
	rides bool
	// ran, unless nil, is closed when the operation ran and only the disk is still to come (shown),
	// or it was answered. What was shown cannot run again with another result.
	ran   chan struct{}
	shown bool
	// landed, unless nil, is called after the commit.
	landed func()
	err    error
}

func (o *op) answer(err error) {
	if err == nil && o.landed != nil {
		o.landed()
	}
	o.done <- err
	if o.ran != nil && !o.shown {
		close(o.ran)
	}
}

// do runs f in a write transaction, together with whatever else waits, and returns after the commit.
// An f that returns an error must not have written before; otherwise all its writes are undone.
func (q *Queue) do(ctx context.Context, f func(*tx) error) error {
	return q.submit(ctx, &op{run: f, done: make(chan error, 1)})
}

func (q *Queue) submit(ctx context.Context, o *op) error {
	if err := q.hand(ctx, o); err != nil {
		return err
	}
	return q.await(o)
}

// hand gives o to the writer.
func (q *Queue) hand(ctx context.Context, o *op) error {
	select {
	case <-q.ending:
		return ErrClosed
	default:
	}
	if o.rides && q.inFlight.Load() > 0 {
		q.riders.add(o)
		return nil
	}
	select {
	case q.ops <- o:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-q.ending:
		return ErrClosed
	}
}

// await waits until o is on disk.
func (q *Queue) await(o *op) error {
	select {
	case err := <-o.done:
		return err
	case <-q.ended:
		// The writer may have answered with its last breath.
		select {
		case err := <-o.done:
			return err
		default:
			return ErrClosed
		}
	}
}

// write is the writer: the only goroutine that opens write transactions after Open.
func (q *Queue) write() {
	defer close(q.ended)
	alarm := time.NewTimer(0) // the first round finds out what is due
	defer alarm.Stop()
	for {
		var batch []*op
		select {
		case o := <-q.ops:
			batch = q.drain([]*op{o})
		case <-q.late:
			batch = q.drain(nil)
		case <-alarm.C:
			if next := q.nextDue(); next > time.Now().UnixMilli() {
				alarm.Reset(sleep(next))
				continue
			}
		case <-q.ending:
			for batch = q.drain(nil); len(batch) > 0; batch = q.drain(nil) {
				q.commit(batch)
			}
			return
		}
		if next := q.commit(batch); next > 0 {
			alarm.Reset(sleep(next))
		} else {
			alarm.Stop()
		}
	}
}

// sleep is how long to wait for a timer due at a time in ms.
func sleep(until int64) time.Duration {
	return min(maxSleep, max(0, time.Until(time.UnixMilli(until))))
}

// nextDue is when the first timer is due in ms, 0 if that cannot be told; it writes nothing.
func (q *Queue) nextDue() (next int64) {
	_ = q.db.View(func(btx *bolt.Tx) error {
		next = (&tx{timers: btx.Bucket(bucketTimers)}).nextTimer()
		return nil
	})
	return next
}

// drain appends what waits to batch, and what rides along.
func (q *Queue) drain(batch []*op) []*op {
	batch = append(batch, q.riders.take()...)
	for len(batch) < maxBatch {
		select {
		case o := <-q.ops:
			batch = append(batch, o)
		default:
			return batch
		}
	}
	return batch
}

// riders are operations that wait for the commit of another one, at most rideFor.
type riders struct {
	mu   sync.Mutex
	ops  []*op
	kick *time.Timer
}

func (r *riders) add(o *op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ops = append(r.ops, o); len(r.ops) == 1 {
		r.kick.Reset(rideFor)
	}
}

func (r *riders) take() (ops []*op) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ops) > 0 {
		r.kick.Stop()
		ops, r.ops = r.ops, nil
	}
	return ops
}

// commit runs the batch and what is due in one transaction, answers everybody after it is on disk,
// and returns when the next timer is due, in milliseconds, or 0.
func (q *Queue) commit(batch []*op) (next int64) {
	var done *tx
	err := q.db.Update(func(btx *bolt.Tx) error {
		t := q.begin(btx)
		if err := t.runAll(batch); err != nil {
			return err
		}
		t.fireDue()
		next, done = t.nextTimer(), t
		if t.err == nil && t.writes == 0 {
			return errNothing // spares the card an empty commit
		}
		if t.err == nil {
			show(batch)
		}
		return t.err
	})
	switch {
	case err == nil, errors.Is(err, errNothing):
		for _, o := range batch {
			o.answer(o.err)
		}
		for lane := range done.woken {
			q.opts.Wake(lane)
		}
		return next
	case len(batch) <= 1:
		for _, o := range batch {
			if o.err == nil {
				o.err = fmt.Errorf("store: %w", err)
			}
			o.answer(o.err)
		}
		return time.Now().Add(retryTimers).UnixMilli()
	}
	// One operation spoilt it for all: each on its own.
	for _, o := range batch {
		if o.shown {
			o.answer(fmt.Errorf("store: %w", err))
			continue
		}
		o.err = nil
		next = q.commit([]*op{o})
	}
	return next
}

// show lets those go on who need not wait for the disk.
func show(batch []*op) {
	for _, o := range batch {
		if o.ran != nil && o.err == nil {
			o.shown = true
			close(o.ran)
		}
	}
}

// retryTimers is when timers are looked at again after the disk refused a commit.
const retryTimers = 5 * time.Second

// errNothing rolls back a transaction that wrote nothing.
var errNothing = errors.New("nothing to commit")

// tx is a write transaction with its clock and what has to happen after the commit.
// put and del remember the first error, which fails the transaction at its end.
type tx struct {
	*Queue
	id     int
	now    int64 // ms since 1970
	writes int
	err    error
	woken  map[int]struct{}

	ids, messages, deliveries, ready, timers *bolt.Bucket
	reports, orphans, sends                  *bolt.Bucket
	blocks, supers, meta                     *bolt.Bucket
}

func (q *Queue) begin(btx *bolt.Tx) *tx {
	return &tx{
		Queue: q, id: btx.ID(), now: time.Now().UnixMilli(),
		ids: btx.Bucket(bucketIDs), messages: btx.Bucket(bucketMessages), deliveries: btx.Bucket(bucketDeliveries),
		ready: btx.Bucket(bucketReady), timers: btx.Bucket(bucketTimers), reports: btx.Bucket(bucketReports),
		orphans: btx.Bucket(bucketOrphans), sends: btx.Bucket(bucketSends), blocks: btx.Bucket(bucketBlocks),
		supers: btx.Bucket(bucketSupers), meta: btx.Bucket(bucketMeta),
	}
}

// runAll runs the operations. One that fails before it wrote fails alone; one that fails after it
// wrote fails the transaction.
func (t *tx) runAll(batch []*op) error {
	for _, o := range batch {
		before := t.writes
		if o.err = o.run(t); o.err != nil && t.writes != before {
			return o.err
		}
	}
	return t.err
}

func (t *tx) put(b *bolt.Bucket, k, v []byte) {
	t.writes++
	if err := b.Put(k, v); err != nil && t.err == nil {
		t.err = err
	}
}

func (t *tx) del(b *bolt.Bucket, k []byte) {
	t.writes++
	if err := b.Delete(k); err != nil && t.err == nil {
		t.err = err
	}
}

// wake has Options.Wake called for lane after the commit.
func (t *tx) wake(lane int) {
	if t.woken == nil {
		t.woken = make(map[int]struct{})
	}
	t.woken[lane] = struct{}{}
}

// nextTimer is when the first timer is due in ms, or 0.
func (t *tx) nextTimer() int64 {
	k, _ := t.timers.Cursor().First()
	if k == nil {
		return 0
	}
	return max(1, int64(binary.BigEndian.Uint64(k)))
}
