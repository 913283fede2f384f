package queue

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// Options configure a Queue. The zero value is SMSGate's defaults.
type Options struct {
	// FIFO sends messages of equal priority in the order of acceptance, instead of newest first; see
	// SetFIFO.
	FIFO bool
	// RetryUnknown sends a part again whose outcome is unknown, at the risk of a duplicate, instead
	// of waiting for a report.
	RetryUnknown bool
	// UnknownAfter is how long a part may stay unknown before it ends as lost; 0 means 24 h.
	UnknownAfter time.Duration
	// Limits refuse new messages.
	Limits Limits
	// Outbox gets the events of messages; nil: none.
	Outbox *outbox.Outbox
	// Changed, if set, is called in the transaction of each Change of a message that has an Origin.
	Changed func(*store.Tx, Change)
	// Own returns the subscriber's number of a SIM, empty if it is not known. It must not block.
	Own func(sim int) string
	// Sealed is called after a commit that stored an encrypted message. It must not block.
	Sealed func()
	// Log gets what has no caller to be told; nil discards it.
	Log *slog.Logger
	// Wake is called after a commit that made work claimable in a lane. It must not block.
	Wake func(lane int)
	// Routes put the recipients of messages that named no SIM into lanes. Recipients that no route
	// matches are in LaneAny.
	Routes []Route
	// Zone is where the days and months of quotas begin; nil means time.Local.
	Zone *time.Location
}

// Queue is a room of the store. Its methods may be called from any goroutine once the store is open.
type Queue struct {
	opts  Options
	store *store.Store
	// fifo is Options.FIFO as it stands.
	fifo atomic.Bool
	// current is the transaction that the store's writer is in; nobody else may look at it.
	current *tx
	// opened bears the monotonic clock that quotas go by (see quotaTime); earlier is the last message of
	// the run before.
	opened  time.Time
	earlier uint64
	// moved is how far Move has come.
	moved []byte
}

// schema is the form of the store. Form 1 had lanes of one octet; Move brings it up.
const schema = 2

var (
	bucketIDs        = []byte("ids")
	bucketMessages   = []byte("messages")
	bucketDeliveries = []byte("deliveries")
	bucketReady      = []byte("ready")
	bucketReports    = []byte("reports")
	bucketOrphans    = []byte("orphans")
	bucketSends      = []byte("sends")
	bucketQuotas     = []byte("quotas")
	bucketBlocks     = []byte("blocks")
	bucketSupers     = []byte("supers")
	bucketMeta       = []byte("meta")
	bucketSealed     = []byte("sealed")
	bucketAges       = []byte("ages")
)

// census has the State of every message as its mark, and its creation as its time.
var census = store.Census{Blocks: bucketBlocks, Supers: bucketSupers, Marks: byte(Cancelled)}

// New makes a queue, which is of use once a store was opened with it as a room.
func New(opts Options) *Queue {
	if opts.UnknownAfter <= 0 {
		opts.UnknownAfter = 24 * time.Hour
	}
	if opts.Wake == nil {
		opts.Wake = func(int) {}
	}
	if opts.Sealed == nil {
		opts.Sealed = func() {}
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Zone == nil {
		opts.Zone = time.Local
	}
	// The longest prefix is found first.
	opts.Routes = slices.SortedStableFunc(slices.Values(opts.Routes), func(a, b Route) int { return len(b.Prefix) - len(a.Prefix) })
	q := &Queue{opts: opts, opened: time.Now()}
	q.SetFIFO(opts.FIFO)
	return q
}

// SetFIFO changes the order among messages of equal priority, from the next claim on.
func (q *Queue) SetFIFO(fifo bool) { q.fifo.Store(fifo) }

// Buckets implements store.Room.
func (q *Queue) Buckets() [][]byte {
	return [][]byte{
		bucketIDs, bucketMessages, bucketDeliveries, bucketReady, bucketReports,
		bucketOrphans, bucketSends, bucketQuotas, bucketBlocks, bucketSupers, bucketMeta,
		bucketSealed, bucketAges,
	}
}

// Prepare implements store.Room: it checks the schema and recovers from a crash.
func (q *Queue) Prepare(st *store.Tx) error {
	q.store = st.Store()
	t := q.in(st)
	q.earlier = t.messages.Sequence()
	if err := t.prepareMeta(); err != nil {
		return err
	}
	if err := t.recover(); err != nil {
		return err
	}
	return t.prepareAges()
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
		g := Gateway{ID: store.NewID(), Created: time.UnixMilli(t.now).UTC()}
		t.put(t.meta, keyGateway, mustJSON(g))
	case len(v) != 1 || v[0] < 1 || v[0] > schema:
		return fmt.Errorf("schema %v is none that this version reads (1 to %d): use the version that wrote it", v, schema)
	}
	return t.Err
}

// view runs f in a read transaction.
func (q *Queue) view(f func(*bolt.Tx) error) error { return q.store.View(f) }

// Gateway returns the identity of this store.
func (q *Queue) Gateway() (g Gateway, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		return json.Unmarshal(btx.Bucket(bucketMeta).Get(keyGateway), &g)
	})
	return g, err
}
