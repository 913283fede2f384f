package logbook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"dongled/hack/models"
	"dongled/scheduler/logbook"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// all is more than a book has.
const all = logbook.MaxEntries + 1000

// fixture is a book in a store of its own, with Run going.
type fixture struct {
	testing.TB
	*logbook.Book
	path     string
	lifetime time.Duration
	store    *store.Store
	log      *slog.Logger
	// terminal is what the next handler writes.
	terminal *models.Log
	stopRun  context.CancelFunc
	ran      chan struct{}
}

// bubble runs f with a fresh book in virtual time.
func bubble(t *testing.T, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &fixture{TB: t, path: filepath.Join(t.TempDir(), "s.db")}
		x.start()
		defer x.stop()
		f(x)
	})
}

// start opens a book on the file.
func (f *fixture) start() {
	f.Helper()
	f.Book, f.terminal = logbook.New(), &models.Log{}
	f.log = slog.New(f.Handler(slog.NewTextHandler(f.terminal, &slog.HandlerOptions{Level: slog.LevelDebug})))
	f.SetLifetime(f.lifetime)
	s, err := store.Open(f.path, store.Options{Log: f.log}, f.Book)
	f.ok(err)
	f.store = s
	f.ok(s.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
	run, stop := context.WithCancel(ctx)
	f.stopRun, f.ran = stop, make(chan struct{})
	go func(b *logbook.Book, ran chan struct{}) { b.Run(run); close(ran) }(f.Book, f.ran)
}

// stop ends it in an orderly way.
func (f *fixture) stop() {
	f.Helper()
	f.stopRun()
	<-f.ran
	f.ok(f.store.Close())
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// list is everything in the book, oldest first.
func (f *fixture) list() []logbook.Entry {
	f.Helper()
	return f.between(time.Time{}, time.Time{}, all)
}

func (f *fixture) between(from, to time.Time, limit int) []logbook.Entry {
	f.Helper()
	entries, err := f.List(ctx, from, to, limit)
	f.ok(err)
	return entries
}

// want compares the messages in the book.
func (f *fixture) want(messages ...string) {
	f.Helper()
	got, want := strings.Join(messagesOf(f.list()), " "), strings.Join(messages, " ")
	if got != want {
		f.Errorf("in the book:\n got %s\nwant %s", got, want)
	}
}

func messagesOf(entries []logbook.Entry) (messages []string) {
	for _, e := range entries {
		messages = append(messages, e.Message)
	}
	return messages
}

// commits is how many commits there were so far: each takes the next transaction's number.
func (f *fixture) commits() (id int) {
	f.Helper()
	f.ok(f.store.Do(ctx, func(t *store.Tx) error { id = t.ID(); return nil }))
	return id
}

var errDisk = errors.New("no space left on device")

// say logs lines of different messages, so that none is left out as a repetition.
func (f *fixture) say(from, to int) {
	for n := from; n < to; n++ {
		f.log.Info(fmt.Sprint("line ", n))
	}
}
