package courier

import (
	"log/slog"
	"net/http"
	"sync"
	"time"

	"dongled/httpapi/post"
	"dongled/scheduler/store"
)

// Callback is one request that is to be made.
type Callback struct {
	// Dialect names the Plan, as it was registered.
	Dialect string
	// Method is POST if empty.
	Method string
	URL    string
	Header map[string]string
	Body   []byte
	// Line orders callbacks: of those with the same Line and not an empty one, none is tried before the
	// one before it has ended. Receivers then never see an older state after a newer one.
	Line string
	// Secret is what Plan.Sign is given.
	Secret string
	// Ref is the message that it tells of, for people.
	Ref string
}

// Plan is how the callbacks of a dialect are made.
type Plan struct {
	// Pauses are those after each try that failed; after the try behind the last one the callback is
	// given up. Their sum is how long a receiver may be away.
	Pauses []time.Duration
	// Timeout bounds one try, 30 s if 0.
	Timeout time.Duration
	// Taken says which statuses are success; nil: 200 to 299.
	Taken func(status int) bool
	// Sign, if set, completes a request just before each try, such as with a signature of that moment.
	// It is called by several goroutines.
	Sign func(r *http.Request, body []byte, secret string, now time.Time)
}

// pause is that after try n, and whether there is one.
func (p Plan) pause(n int) (time.Duration, bool) {
	if n < 1 || n > len(p.Pauses) {
		return 0, false
	}
	return p.Pauses[n-1], true
}

// Reach is where http, which anybody on the way can read, may go; https may go anywhere.
type Reach = post.Reach

// The reaches.
const (
	Loopback = post.Loopback
	LAN      = post.LAN
	Any      = post.Any
)

// Options configure a Courier.
type Options struct {
	// HTTP is where plain http may go; the zero value is Loopback.
	HTTP    Reach
	Version string
	// Log may be nil.
	Log *slog.Logger
}

// Courier is a room of the store. Its methods may be called from any goroutine once that is open.
type Courier struct {
	opts   Options
	log    *slog.Logger
	store  *store.Store
	client *post.Client
	// plans do not change once the store is open.
	plans map[string]Plan
	board *board
	// opened is when the room was, by the monotonic clock too.
	opened time.Time
	// woken says that there may be something new to do.
	woken  chan struct{}
	trying sync.WaitGroup

	// The store's writer owns what follows.

	// ended counts the rows of each state that is an end.
	ended map[byte]int
	// away are the dialects that were found without a plan in this run, not before.
	away map[string]bool
}

var (
	bucketCallbacks = []byte("vendors/callbacks")
	bucketAway      = []byte("vendors/callbacks_away")
)

// The kinds of timers say what falls due.
const (
	kindSweep byte = 60 + iota // no rest: ended callbacks grew old, or too many
	kindAway                   // rest: dialect that was without a plan for long
)

// New makes the room.
func New(o Options) *Courier {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Courier{
		opts: o, log: o.Log, plans: map[string]Plan{}, board: newBoard(), opened: time.Now(),
		client: post.New(post.Options{HTTP: o.HTTP, Agent: "dongled/" + o.Version}),
		woken:  make(chan struct{}, 1), ended: map[byte]int{}, away: map[string]bool{},
	}
}

// Register sets the plan of a dialect, before the store is opened.
func (c *Courier) Register(dialect string, p Plan) { c.plans[dialect] = p }

// Unregister takes the plan of a dialect back that is switched off, before the store is opened.
func (c *Courier) Unregister(dialect string) { delete(c.plans, dialect) }

// Put adds a callback to t. Its URL has passed Check; what it holds is kept as it is.
func (c *Courier) Put(t *store.Tx, cb Callback) {
	seq, err := store.Bucket(t, bucketCallbacks).NextSequence()
	t.Fail(err)
	r := newRow(cb, t.Now)
	c.save(t, seq, r)
	if _, planned := c.plans[cb.Dialect]; !planned {
		return // the next start finds out how long it may stay
	}
	t.After(func() {
		c.board.add(seq, r.Host, r.line(), c.clock())
		c.nudge()
	})
}

// clock is the time since the room was opened, which nobody sets.
func (c *Courier) clock() time.Duration { return time.Since(c.opened) }

func (c *Courier) nudge() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

// Buckets implements store.Room.
func (*Courier) Buckets() [][]byte { return [][]byte{bucketCallbacks, bucketAway} }

// Kinds implements store.Room: 60 to 69 are this room's.
func (*Courier) Kinds() []byte { return []byte{kindSweep, kindAway} }

// Due implements store.Room.
func (c *Courier) Due(t *store.Tx, kind byte, rest []byte) {
	if kind == kindSweep {
		c.sweep(t)
		return
	}
	c.dropAway(t, string(rest))
}
