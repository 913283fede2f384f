package queue

import (
	"crypto/rand"
	"encoding/json"
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

// Options configure a Queue. The zero value is SMSGate's defaults.
type Options struct {
	// FIFO sends messages of equal priority in the order of acceptance, instead of newest first.
	FIFO bool
	// RetryUnknown sends a part again whose outcome is unknown, at the risk of a duplicate, instead
	// of waiting for a report.
	RetryUnknown bool
	// UnknownAfter is how long a part may stay unknown before it ends as lost; 0 means 24 h.
	UnknownAfter time.Duration
	// Log gets what has no caller to be told; nil discards it.
	Log *slog.Logger
	// Wake is called after a commit that made work claimable in a lane. It must not block. Lane 0 is work for any SIM.
	Wake func(lane int)
}

// Queue is the store. Its methods may be called from any goroutine.
type Queue struct {
	opts Options
	db   *bolt.DB

	ops    chan *op
	ending chan struct{}
	ended  chan struct{}
	once   sync.Once
	// inFlight counts parts handed out by Step whose outcome has not come back; a commit for each
	// is certain to come, so news that nobody waits for may ride along with it.
	inFlight atomic.Int64
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
	schema    = 1
)

var (
	bucketIDs        = []byte("ids")
	bucketMessages   = []byte("messages")
	bucketDeliveries = []byte("deliveries")
	bucketReady      = []byte("ready")
	bucketTimers     = []byte("timers")
	bucketReports    = []byte("reports")
	bucketOrphans    = []byte("orphans")
	bucketSends      = []byte("sends")
	bucketBlocks     = []byte("blocks")
	bucketSupers     = []byte("supers")
	bucketMeta       = []byte("meta")
)

// Open opens or creates the store at path, ends what a crash left open (see recover), and starts
// the writer. The file is locked against a second process; a lock that is held for two seconds is
// an error. Close must be called.
func Open(path string, opts Options) (*Queue, error) {
	if opts.UnknownAfter <= 0 {
		opts.UnknownAfter = 24 * time.Hour
	}
	if opts.Wake == nil {
		opts.Wake = func(int) {}
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
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
	q := &Queue{opts: opts, db: db, ops: make(chan *op, maxBatch), ending: make(chan struct{}), ended: make(chan struct{})}
	q.late = make(chan struct{}, 1)
	q.riders.kick = time.AfterFunc(time.Hour, func() {
		select {
		case q.late <- struct{}{}:
		default:
		}
	})
	q.riders.kick.Stop()
	if err := q.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", path, err), db.Close())
	}
	go q.write()
	return q, nil
}

// Close ends the writer after the operations it has already taken and closes the file.
// Operations that come later get ErrClosed.
func (q *Queue) Close() error {
	q.once.Do(func() { close(q.ending) })
	<-q.ended
	return q.db.Close()
}

// prepare makes the buckets of a new store, checks the schema and recovers from a crash.
func (q *Queue) prepare() error {
	return q.db.Update(func(btx *bolt.Tx) error {
		for _, name := range [][]byte{
			bucketIDs, bucketMessages, bucketDeliveries, bucketReady, bucketTimers, bucketReports,
			bucketOrphans, bucketSends, bucketBlocks, bucketSupers, bucketMeta,
		} {
			if _, err := btx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		t := q.begin(btx)
		if err := t.prepareMeta(); err != nil {
			return err
		}
		if err := t.recover(); err != nil {
			return err
		}
		return t.err
	})
}

// Gateway is the identity that the store keeps for the device clients see.
type Gateway struct {
	// ID is 21 URL-safe characters, as SMSGate's device IDs are.
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
}

var (
	keySchema  = []byte("schema")
	keyGateway = []byte("gateway")
)

func (t *tx) prepareMeta() error {
	switch v := t.meta.Get(keySchema); {
	case v == nil:
		t.put(t.meta, keySchema, []byte{schema})
		g := Gateway{ID: newID(), Created: time.UnixMilli(t.now).UTC()}
		t.put(t.meta, keyGateway, mustJSON(g))
	case len(v) != 1 || v[0] != schema:
		return fmt.Errorf("schema %v is not the one this version reads (%d): use the version that wrote it", v, schema)
	}
	return t.err
}

// view runs f in a read transaction.
func (q *Queue) view(f func(*bolt.Tx) error) error {
	err := q.db.View(f)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Gateway returns the identity of this store.
func (q *Queue) Gateway() (g Gateway, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		return json.Unmarshal(btx.Bucket(bucketMeta).Get(keyGateway), &g)
	})
	return g, err
}

// newID returns 21 random URL-safe characters (105 bits).
func newID() string { return rand.Text()[:21] }
