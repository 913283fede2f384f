package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/post"
	"dongled/scheduler/store"
)

// Hook is one registered webhook: one URL for one event.
type Hook struct {
	ID string `json:"id"`
	// DeviceID is what bodies say instead of this gateway's own, where that is not empty.
	DeviceID string `json:"deviceId,omitempty"`
	URL      string `json:"url"`
	Event    string `json:"event"`
	// Source is Local for what clients of this gateway registered, Cloud for what the uplink brought.
	Source string `json:"source"`
}

// The sources of webhooks. Each has its own IDs.
const (
	Local = "Local"
	Cloud = "Cloud"
)

// Delivery is one event on its way to one webhook.
type Delivery struct {
	// ID is that of the body: the same in every attempt.
	ID        string
	WebhookID string
	Event     string
	// State is one of the constants below.
	State   string
	Created time.Time
	// Attempts are those that count; see the package comment.
	Attempts int
	// Last is when it was last tried, Next when it will be again; zero for never.
	Last, Next time.Time
	// Status is the HTTP status of the last attempt, 0 if there was no answer; Error says what was wrong.
	Status int
	Error  string
	Body   json.RawMessage
}

// The states of a delivery.
const (
	Pending    = "pending"
	Delivered  = "delivered"
	Failed     = "failed"
	Superseded = "superseded"
)

// Policy is what settings say of webhooks.
type Policy struct {
	// RetryCount is how often a delivery is tried again after the first time; 0 means 15.
	RetryCount int
	// SigningKey is that of X-Signature. Where nobody set one, the settings have made one.
	SigningKey string
}

// Options configure Hooks.
type Options struct {
	// AllowLAN takes http URLs of private networks besides those of the loopback.
	AllowLAN bool
	Version  string
	Log      *slog.Logger
}

// ErrNotFound says no webhook or delivery has this ID.
var ErrNotFound = errors.New("no such webhook or delivery")

// ErrNotEnded says that a delivery neither failed nor arrived, so that it cannot be tried anew.
var ErrNotEnded = errors.New("only a delivery that is delivered or failed can be replayed")

// Fault is the client's fault in one field of a registration; Problem is a sentence of its own, with
// SMSGate's words where it has any.
type Fault struct{ Field, Problem string }

func (f *Fault) Error() string { return f.Problem }

// Hooks is a room of the store. Its methods may be called from any goroutine once that is open.
type Hooks struct {
	opts   Options
	store  *store.Store
	client *post.Client
	policy atomic.Pointer[Policy]
	// registry is what the bucket holds, as of the last commit that changed it.
	registry atomic.Pointer[registry]
	// opened is when this run began, by the monotonic clock too; before is the last delivery of the
	// run before.
	opened time.Time
	before uint64

	// ready is closed once deviceID, the gateway's own, is known.
	ready    chan struct{}
	deviceID string

	mu sync.Mutex
	// lanes are those that run; nil unless Run does.
	lanes map[uint64]*lane
	// ctx is Run's, and posting ends some time after it; both of Run, guarded by mu.
	ctx, posting context.Context
	running      sync.WaitGroup
	// well and ill are the connections that lanes share, tests those of Test.
	well, ill, tests chan struct{}
}

const (
	// maxWell bounds the requests to endpoints that answer, maxIll those to endpoints that did not, which
	// may each take 30 s; maxTests those that a client waits for.
	maxWell  = 16
	maxIll   = 8
	maxTests = 4
	// grace is how long a stop waits for requests under way: cut off, they are posted again.
	grace = 5 * time.Second
)

var (
	bucketHooks      = []byte("webhooks")
	bucketDeliveries = []byte("webhook_deliveries")
	bucketIndex      = []byte("webhook_index")
	bucketEnded      = []byte("webhook_ended")
)

// The kinds of timers say what falls due.
const (
	kindSweep byte = 30 + iota // no rest: ended deliveries grew old
	kindClear                  // rest: lane of a deleted webhook
)

// New makes the room.
func New(o Options) *Hooks {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	h := &Hooks{
		opts: o, ready: make(chan struct{}),
		well: make(chan struct{}, maxWell), ill: make(chan struct{}, maxIll), tests: make(chan struct{}, maxTests),
	}
	h.client = newClient(o)
	h.registry.Store(&registry{})
	h.Configure(Policy{})
	return h
}

// Configure sets the policy; it takes effect with the next attempt.
func (h *Hooks) Configure(p Policy) {
	if p.RetryCount <= 0 {
		p.RetryCount = 15
	}
	h.policy.Store(&p)
}

// Buckets implements store.Room.
func (*Hooks) Buckets() [][]byte {
	return [][]byte{bucketHooks, bucketDeliveries, bucketIndex, bucketEnded}
}

// Kinds implements store.Room.
func (*Hooks) Kinds() []byte { return []byte{kindSweep, kindClear} }

// Prepare implements store.Room.
func (h *Hooks) Prepare(t *store.Tx) error {
	h.store, h.opened, h.before = t.Store(), time.Now(), t.Bucket(bucketDeliveries).Sequence()
	h.registry.Store(h.load(t.Tx))
	return nil
}

// Due implements store.Room.
func (h *Hooks) Due(t *store.Tx, kind byte, rest []byte) {
	switch {
	case kind == kindSweep:
		h.sweep(t)
	case len(rest) == 8:
		h.clear(t, rest)
	default:
		h.opts.Log.Error("a timer that clears a webhook names none and is dropped", "rest", rest)
	}
}

// Run posts until ctx ends and what is under way has, or for five seconds more. deviceID is this
// gateway's. It is called once.
func (h *Hooks) Run(ctx context.Context, deviceID string) {
	h.deviceID = deviceID
	close(h.ready)
	posting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	h.mu.Lock()
	h.lanes, h.ctx, h.posting = map[uint64]*lane{}, ctx, posting
	h.mu.Unlock()
	for _, n := range h.registry.Load().order {
		h.wake(n, false)
	}
	<-ctx.Done()
	h.mu.Lock()
	h.lanes = nil
	h.mu.Unlock()
	late := time.AfterFunc(grace, stop)
	defer late.Stop()
	h.running.Wait()
	h.client.Close()
}

// view is a read transaction on the room.
func (h *Hooks) view(f func(*bolt.Tx)) error {
	return h.store.View(func(t *bolt.Tx) error {
		f(t)
		return nil
	})
}
