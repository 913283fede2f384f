package inbox

import (
	"log/slog"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// Options configure an Inbox.
type Options struct {
	// Outbox gets an event for every message; it is required, and a room of the same store.
	Outbox *outbox.Outbox
	// PartialAfter is how long the rest of a long message is waited for after its last part came;
	// 0 means 24 h.
	PartialAfter time.Duration
	// Retention deletes messages that long after they were received; 0 keeps them.
	Retention time.Duration
	// Received, if set, is called with every message in the transaction that stores it.
	Received func(*store.Tx, Message)
	// Log gets what has no caller to be told; nil discards it.
	Log *slog.Logger
}

// Inbox is a room of the store. Its methods may be called from any goroutine once that is open.
type Inbox struct {
	opts  Options
	store *store.Store
	// opened is when this run began, by the monotonic clock too; before is the last row of the run
	// before.
	opened time.Time
	before uint64
}

var (
	bucketRows   = []byte("inbox")
	bucketBlocks = []byte("inbox_blocks")
	bucketSupers = []byte("inbox_supers")
	bucketSeen   = []byte("inbox_seen")
	bucketOpen   = []byte("inbox_open")
	bucketParts  = []byte("inbox_parts")
	bucketRaw    = []byte("inbox_raw")
	bucketJobs   = []byte("inbox_replays")
)

// The kinds of timers say what falls due.
const (
	kindSweep   byte = 10 + iota // rest: number of the row to begin with, or nothing
	kindPartial                  // rest: key of a message in inbox_open that will not get whole
	kindForget                   // rest: hash of what needs no longer be remembered
	kindReplay                   // no rest: the first replay goes on
)

// census has the Kind of every message as its mark, and its receipt as its time.
var census = store.Census{Blocks: bucketBlocks, Supers: bucketSupers, Marks: byte(lastKind)}

// New makes an inbox, which is of use once a store was opened with it as a room.
func New(opts Options) *Inbox {
	if opts.PartialAfter <= 0 {
		opts.PartialAfter = 24 * time.Hour
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	return &Inbox{opts: opts}
}

// Buckets implements store.Room.
func (b *Inbox) Buckets() [][]byte {
	return [][]byte{bucketRows, bucketBlocks, bucketSupers, bucketSeen, bucketOpen, bucketParts, bucketRaw, bucketJobs}
}

// Prepare implements store.Room.
func (b *Inbox) Prepare(st *store.Tx) error {
	b.store, b.opened, b.before = st.Store(), time.Now(), st.Bucket(bucketRows).Sequence()
	if b.opts.Retention > 0 {
		st.At(st.Now, kindSweep, nil) // it may have been longer at the last start
	}
	if k, _ := st.Bucket(bucketJobs).Cursor().First(); k != nil {
		st.At(st.Now, kindReplay, nil)
	}
	return nil
}

// Kinds implements store.Room.
func (b *Inbox) Kinds() []byte { return []byte{kindSweep, kindPartial, kindForget, kindReplay} }

// Due implements store.Room.
func (b *Inbox) Due(st *store.Tx, kind byte, rest []byte) {
	t := b.in(st)
	switch kind {
	case kindSweep:
		t.sweep(rest)
	case kindPartial:
		t.giveUp(rest)
	case kindForget:
		t.forget(rest)
	case kindReplay:
		t.replay()
	}
}

// settling is how long after a start nothing is given up or forgotten. What came while we were off
// comes now, from the dongle and from the network, and a machine without a battery clock (a Pi) is set
// right meanwhile, by days or months: what came a minute ago is as old as that then.
const settling = 2 * time.Hour

// tx is a write transaction as the inbox sees it.
type tx struct {
	*Inbox
	*store.Tx
	rows, seen, open, parts, raw, jobs *bolt.Bucket
}

func (b *Inbox) in(st *store.Tx) *tx {
	return &tx{
		Inbox: b, Tx: st,
		rows: st.Bucket(bucketRows), seen: st.Bucket(bucketSeen), open: st.Bucket(bucketOpen),
		parts: st.Bucket(bucketParts), raw: st.Bucket(bucketRaw), jobs: st.Bucket(bucketJobs),
	}
}

// up is how long this run lasts, whatever the wall clock was set to, in ms.
func (t *tx) up() int64 { return time.Since(t.opened).Milliseconds() }

// settled is when this run has lasted for d, in ms of the wall clock as it goes now.
func (t *tx) settled(d time.Duration) int64 { return t.Now - t.up() + d.Milliseconds() }
