package store

import (
	"errors"
	"fmt"
	"log/slog"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Room is a package that keeps buckets of its own in the store.
type Room interface {
	// Buckets are those that the room needs; they are made if they are not there. One named "a/b" is
	// within a, see Bucket. Those of rooms that most commits do not write belong together in one: each
	// commit writes the list of all that are in none, which should stay within a page.
	Buckets() [][]byte
	// Prepare checks what is there and ends what a crash left open. It runs once, in the first
	// transaction, when all buckets are there, room by room; an error keeps the store from opening.
	Prepare(*Tx) error
	// Kinds are the timer kinds that the room owns, no two rooms the same: 1 to 9 are the queue's,
	// 10 to 19 the inbox's.
	Kinds() []byte
	// Due is called for each timer of those kinds when it is due; the timer is gone by then. What
	// it was about may have been settled. A fault is the room's to log: it must not stop the
	// commits of all others.
	Due(t *Tx, kind byte, rest []byte)
}

// Mover is a Room that may have more to bring in order than one transaction should hold.
type Mover interface {
	// Move does a bounded part of it. It is called in transactions of their own until more is false,
	// after all rooms are prepared and before anybody else writes. A crash leaves what was done.
	Move(*Tx) (more bool, err error)
}

// Options configure a Store.
type Options struct {
	// Log gets what has no caller to be told; nil discards it.
	Log *slog.Logger
	// Guest leaves timers alone. It is for whoever opens only some of the rooms: a timer that is due
	// and whose room is not there would be dropped.
	Guest bool
}

// Store is the file. Its methods may be called from any goroutine.
type Store struct {
	db    *bolt.DB
	log   *slog.Logger
	guest bool
	// owners are the rooms by timer kind.
	owners [256]Room

	ops    chan *op
	ending chan struct{}
	ended  chan struct{}
	once   sync.Once
	// promised counts the commits that are certain to come soon (Tx.Promise).
	promised atomic.Int64
	riders   riders
	// late says that riders have waited long enough.
	late chan struct{}
}

const (
	lockTimeout = 2 * time.Second
	// initialMmap spares writers the wait for readers whenever the file grows within it.
	initialMmap = 64 << 20
	// maxSize32 stays clear of bbolt's 2 GiB map on 32-bit ARM, where the map grows by doubling.
	maxSize32 = 512 << 20
)

// ErrClosed says the store is shutting down; the request may be repeated after a restart.
var ErrClosed = errors.New("store is closed")

var bucketTimers = []byte("timers")

// Open opens or creates the store at path, has each room prepare what is its own, and starts the
// writer. The file is locked against a second process; a lock that is held for two seconds is an
// error. Close must be called.
func Open(path string, opts Options, rooms ...Room) (*Store, error) {
	bo := &bolt.Options{
		Timeout: lockTimeout, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
		InitialMmapSize: initialMmap,
	}
	if bits.UintSize == 32 {
		bo.MaxSize = maxSize32
	}
	db, err := bolt.Open(path, 0o600, bo)
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("store %s is in use by another process", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	s := newStore(db, opts)
	if err = s.prepare(rooms); err == nil {
		err = s.move(rooms)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), db.Close())
	}
	go s.write()
	return s, nil
}

func newStore(db *bolt.DB, opts Options) *Store {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		db: db, log: opts.Log, guest: opts.Guest, ops: make(chan *op, maxBatch),
		ending: make(chan struct{}), ended: make(chan struct{}), late: make(chan struct{}, 1),
	}
	s.riders.kick = time.AfterFunc(time.Hour, func() {
		select {
		case s.late <- struct{}{}:
		default:
		}
	})
	s.riders.kick.Stop()
	return s
}

// prepare makes the buckets and lets the rooms in.
func (s *Store) prepare(rooms []Room) error {
	return s.db.Update(func(btx *bolt.Tx) error {
		buckets := [][]byte{bucketTimers}
		for _, r := range rooms {
			buckets = append(buckets, r.Buckets()...)
			for _, kind := range r.Kinds() {
				if s.owners[kind] != nil {
					panic(fmt.Sprintf("store: two rooms own timer kind %d", kind))
				}
				s.owners[kind] = r
			}
		}
		for _, name := range buckets {
			if err := create(btx, name); err != nil {
				return err
			}
		}
		t := s.begin(btx)
		for _, r := range rooms {
			if err := r.Prepare(t); err != nil {
				return err
			}
		}
		return t.Err
	})
}

// move has the rooms bring in order what may be much.
func (s *Store) move(rooms []Room) error {
	for _, r := range rooms {
		m, is := r.(Mover)
		for more := is; more; {
			err := s.db.Update(func(btx *bolt.Tx) (err error) {
				t := s.begin(btx)
				more, err = m.Move(t)
				return errors.Join(err, t.Err)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends the writer after the operations it has already taken and closes the file.
// Operations that come later get ErrClosed.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.ending) })
	<-s.ended
	return s.db.Close()
}

// View runs f in a read transaction, which sees the file as one commit left it. What f gets from the
// transaction is valid until it returns.
func (s *Store) View(f func(*bolt.Tx) error) error {
	err := s.db.View(f)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
