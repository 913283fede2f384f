package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// maxBatch bounds the operations of one commit, and so the memory of a crowd.
	maxBatch = 1024
	// rideFor is how long news that nobody waits for may wait for a promised commit.
	rideFor = 5 * time.Millisecond
	// maxSleep is how late a timer may be whose clock was set forward meanwhile, as a Pi's is some
	// time after it started.
	maxSleep = time.Minute
	// retryTimers is when timers are looked at again after the disk refused a commit.
	retryTimers = 5 * time.Second
)

// op is one operation on its way through the writer.
type op struct {
	run  func(*Tx) error
	done chan error
	// ran, unless nil, is closed when the operation ran and only the disk is still to come (shown),
	// or it was answered. What was shown cannot run again with another result.
	ran   chan struct{}
	shown bool
	err   error
}

func newOp(run func(*Tx) error) *op { return &op{run: run, done: make(chan error, 1)} }

func (o *op) answer(err error) {
	o.done <- err
	if o.ran != nil && !o.shown {
		close(o.ran)
	}
}

// Do runs f in a write transaction, together with whatever else waits, and returns after the commit.
// An f that returns an error must not have written before; otherwise all its writes are undone. It
// may run more than once, each time on what is stored then, and only the last time counts.
func (s *Store) Do(ctx context.Context, f func(*Tx) error) error {
	o := newOp(f)
	if err := s.hand(ctx, o); err != nil {
		return err
	}
	return s.await(o)
}

// Ride is Do for news that nobody waits for: while a commit is promised it waits for that, 5 ms at
// the most.
func (s *Store) Ride(ctx context.Context, f func(*Tx) error) error {
	if s.promised.Load() <= 0 {
		return s.Do(ctx, f)
	}
	if s.closing() {
		return ErrClosed
	}
	o := newOp(f)
	s.riders.add(o)
	return s.await(o)
}

// Ahead is Do for a caller that has something to prepare while the disk works: it returns as soon as
// f ran. If shown is true then f's result stands unless stored fails, and stored waits for the disk;
// otherwise nothing is to be prepared, and stored says why.
func (s *Store) Ahead(ctx context.Context, f func(*Tx) error) (shown bool, stored func() error, err error) {
	o := newOp(f)
	o.ran = make(chan struct{})
	if err := s.hand(ctx, o); err != nil {
		return false, nil, err
	}
	select {
	case <-o.ran:
	case <-s.ended:
	}
	return o.shown, sync.OnceValue(func() error { return s.await(o) }), nil
}

func (s *Store) closing() bool {
	select {
	case <-s.ending:
		return true
	default:
		return false
	}
}

// hand gives o to the writer.
func (s *Store) hand(ctx context.Context, o *op) error {
	if s.closing() {
		return ErrClosed
	}
	select {
	case s.ops <- o:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ending:
		return ErrClosed
	}
}

// await waits until o is on disk.
func (s *Store) await(o *op) error {
	select {
	case err := <-o.done:
		return err
	case <-s.ended:
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
func (s *Store) write() {
	defer close(s.ended)
	alarm := time.NewTimer(0) // the first round finds out what is due
	defer alarm.Stop()
	for {
		var batch []*op
		select {
		case o := <-s.ops:
			batch = s.drain([]*op{o})
		case <-s.late:
			batch = s.drain(nil)
		case <-alarm.C:
			if next := s.nextDue(); next > time.Now().UnixMilli() {
				alarm.Reset(sleep(next))
				continue
			}
		case <-s.ending:
			for batch = s.drain(nil); len(batch) > 0; batch = s.drain(nil) {
				s.commit(batch)
			}
			return
		}
		if next := s.commit(batch); next > 0 {
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
func (s *Store) nextDue() (next int64) {
	_ = s.db.View(func(btx *bolt.Tx) error {
		next = nextTimer(btx.Bucket(bucketTimers))
		return nil
	})
	return next
}

// drain appends what waits to batch, and what rides along.
func (s *Store) drain(batch []*op) []*op {
	batch = append(batch, s.riders.take()...)
	for len(batch) < maxBatch {
		select {
		case o := <-s.ops:
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
func (s *Store) commit(batch []*op) (next int64) {
	var done *Tx
	err := s.db.Update(func(btx *bolt.Tx) error {
		t := s.begin(btx)
		if err := t.runAll(batch); err != nil {
			return err
		}
		if done = t; !s.guest {
			t.fireDue()
			next = nextTimer(t.timers)
		}
		if t.Err == nil && t.writes == 0 {
			return errNothing // spares the card an empty commit
		}
		if t.Err == nil {
			show(batch)
		}
		return t.Err
	})
	if err != nil && !errors.Is(err, errNothing) {
		return s.refused(batch, err)
	}
	s.promised.Add(done.promised)
	for _, f := range done.after {
		f()
	}
	for _, o := range batch {
		o.answer(o.err)
	}
	return next
}

// refused answers a batch whose commit failed. Of several operations one spoilt it for all: each
// gets another try on its own, unless its result was shown.
func (s *Store) refused(batch []*op, err error) (next int64) {
	err = fmt.Errorf("store: %w", err)
	if len(batch) <= 1 {
		for _, o := range batch {
			o.answer(cmp.Or(o.err, err))
		}
		return time.Now().Add(retryTimers).UnixMilli()
	}
	for _, o := range batch {
		if o.shown {
			o.answer(err)
			continue
		}
		o.err = nil
		next = s.commit([]*op{o})
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

// errNothing rolls back a transaction that wrote nothing.
var errNothing = errors.New("nothing to commit")

// runAll runs the operations. One that fails before it wrote fails alone; one that fails after it
// wrote fails the transaction.
func (t *Tx) runAll(batch []*op) error {
	for _, o := range batch {
		writes, after := t.writes, len(t.after)
		if o.err = o.run(t); o.err == nil {
			continue
		}
		if t.writes != writes {
			return o.err
		}
		t.after = t.after[:after] // what was to follow, did not come about
	}
	return t.Err
}
