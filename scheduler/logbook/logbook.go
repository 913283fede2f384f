// Package logbook keeps what the gateway logged where clients can read it, as a room of the store.
//
// # What is kept
//
// Lines of INFO and above, the latest [MaxEntries] of them and none older than the lifetime. A line
// that comes again and again is kept a few times a minute and then counted (flow.go): a dongle that
// stammers for a night must not push everything else out.
//
// # When it is written
//
// A line is in memory at once, and in [Book.List]; it comes to disk with others every 30 s, within a
// second after an error, and at the end of [Book.Run]. So a card is not worn by a commit a line, and
// a crash loses half a minute of lines, all of which the next handler has had.
//
// Logging never waits for the store, and nothing here logs into the book: the store logs as well,
// and its troubles would feed themselves.
//
// # Layout
//
//	logbook     id, 8 octets                         → time in ms, 8 octets; JSON of the rest
//	logbook_ids "reserved"                           → the first id that no run may have given out, 8 octets
//
// An id is given to a line when it is logged and never changes. So that a run after a crash cannot
// give it again, ids are reserved on disk before they are given, a block at a time; a line that finds
// none left, because the store refuses, is counted and left out.
package logbook

import (
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"dongled/scheduler/store"
)

const (
	// MaxEntries is the most that is kept.
	MaxEntries = 10_000
	// slack is how many entries below MaxEntries are left when the oldest are deleted, so that they
	// are counted once in a while and not in every commit.
	slack = 200
	// block is how many ids are reserved, and so the most that waits in memory for the disk.
	block = 1000

	flushEvery = 30 * time.Second
	// flushSoon is how soon after an error.
	flushSoon = time.Second
)

// The priorities are SMSGate's.
const (
	Info  = "INFO"
	Warn  = "WARN"
	Error = "ERROR"
)

// Entry is one line of the log.
type Entry struct {
	// ID rises from entry to entry, over restarts.
	ID uint64
	// At is to the millisecond.
	At time.Time
	// Level is Info, Warn or Error; Module the component that logged it.
	Level, Module, Message string
	// Context is a JSON object of the line's attributes; nil if it had none.
	Context json.RawMessage
}

// Book is a room of the store. Its methods may be called from any goroutine.
type Book struct {
	// wake asks Run for a flush, soon for one in a second; relived says that the lifetime changed.
	wake, soon, relived chan struct{}

	// The writer's alone. first is the first id of this run, opened when it began, by the monotonic
	// clock too; stored is how many entries there are at most.
	first  uint64
	opened time.Time
	stored int

	mu    sync.Mutex
	store *store.Store // nil until it is open
	// pending are the entries that are not on disk, by ascending id. Those that came before the
	// store was open get their ids when it opens.
	pending []Entry
	flows   map[string]*flow
	// next is the id of the next entry; those from limit on are not reserved yet.
	next, limit uint64
	// lost counts what found no id.
	lost     int
	lifetime time.Duration
	// report logs past the book.
	report *slog.Logger
}

// New makes a book; entries that come before the store is open are kept until it is.
func New() *Book {
	return &Book{
		wake: make(chan struct{}, 1), soon: make(chan struct{}, 1), relived: make(chan struct{}, 1),
		flows: map[string]*flow{}, next: 1, limit: 1 + block, report: slog.New(slog.DiscardHandler),
	}
}

// SetLifetime has entries of that age deleted; 0 keeps as many as fit.
func (b *Book) SetLifetime(d time.Duration) {
	b.mu.Lock()
	changed := b.lifetime != d
	b.lifetime = d
	b.mu.Unlock()
	if changed {
		nudge(b.relived)
	}
}

func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // the one that waits says as much
	}
}

// add takes a line in, unless it is one of a flood.
func (b *Book) add(e Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.passes(e) {
		b.enter(e)
	}
}

// enter gives a line its id; mu is held.
func (b *Book) enter(e Entry) {
	if b.next >= b.limit {
		b.lost++
		return
	}
	if b.lost > 0 && b.next+1 < b.limit {
		lost := b.lost
		b.lost = 0
		b.enter(Entry{
			At: e.At, Level: Warn, Module: "logbook", Message: "lines were left out, since the store did not take those before",
			Context: object("lines", lost),
		})
	}
	e.ID = b.next
	b.next++
	b.pending = append(b.pending, e)
	switch {
	case e.Level == Error:
		nudge(b.soon)
	case b.limit-b.next < block/2:
		nudge(b.wake)
	}
}

// reporter logs past the book what must not come into it.
func (b *Book) reporter() *slog.Logger {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.report
}

func object(key string, value int) json.RawMessage {
	raw, _ := json.Marshal(map[string]int{key: value}) // integers encode
	return raw
}
