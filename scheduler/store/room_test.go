package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"dongled/scheduler/store"
)

// TestMain fails if a closed store leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// room keeps values under keys, and hears of the timers of two kinds.
type room struct {
	bucket  []byte
	kinds   []byte
	prepare func(*store.Tx) error

	mu sync.Mutex
	// fired is what was due, in order: kind and rest.
	fired []string
	// onDue, if set, acts when a timer is due.
	onDue func(t *store.Tx, kind byte, rest []byte)
}

func (r *room) Buckets() [][]byte { return [][]byte{r.bucket} }

func (r *room) Kinds() []byte { return r.kinds }

func (r *room) Prepare(t *store.Tx) error {
	if r.prepare == nil {
		return nil
	}
	return r.prepare(t)
}

func (r *room) Due(t *store.Tx, kind byte, rest []byte) {
	r.mu.Lock()
	r.fired = append(r.fired, fmt.Sprintf("%d %s", kind, rest))
	r.mu.Unlock()
	if r.onDue != nil {
		r.onDue(t, kind, rest)
	}
}

// heard returns what was due since it was last called.
func (r *room) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	fired := r.fired
	r.fired = nil
	return fired
}

func (r *room) put(t *store.Tx, key string) { t.Put(t.Bucket(r.bucket), []byte(key), []byte{1}) }

func (r *room) has(t *testing.T, s *store.Store, key string) (has bool) {
	t.Helper()
	if err := s.View(func(btx *bolt.Tx) error {
		has = btx.Bucket(r.bucket).Get([]byte(key)) != nil
		return nil
	}); err != nil {
		t.Error(err)
	}
	return has
}

// fixture is a store on a file of its own with two rooms.
type fixture struct {
	*testing.T
	*store.Store
	path     string
	one, two *room
}

// bubble runs f with a fresh store in virtual time, which starts at 2000-01-01 00:00 UTC.
func bubble(t *testing.T, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &fixture{
			T: t, path: filepath.Join(t.TempDir(), "s.db"),
			one: &room{bucket: []byte("one"), kinds: []byte{1, 2}}, two: &room{bucket: []byte("two"), kinds: []byte{3}},
		}
		x.start()
		defer func() { x.ok(x.Close()) }()
		f(x)
	})
}

func (f *fixture) start() {
	f.Helper()
	s, err := store.Open(f.path, store.Options{}, f.one, f.two)
	if err != nil {
		f.Fatal(err)
	}
	f.Store = s
	f.ok(s.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// put stores key in the first room.
func (f *fixture) put(key string) error {
	return f.Do(ctx, func(t *store.Tx) error { f.one.put(t, key); return nil })
}

func (f *fixture) want(keys ...string) {
	f.Helper()
	for _, key := range keys {
		if !f.one.has(f.T, f.Store, key) {
			f.Errorf("%s is not stored", key)
		}
	}
}

func (f *fixture) wantNot(keys ...string) {
	f.Helper()
	for _, key := range keys {
		if f.one.has(f.T, f.Store, key) {
			f.Errorf("%s is stored", key)
		}
	}
}

// hold keeps the writer busy until the channel it returns is closed.
func (f *fixture) hold() chan struct{} {
	release, held := make(chan struct{}), make(chan struct{})
	go func() {
		_ = f.Do(ctx, func(*store.Tx) error { close(held); <-release; return nil })
	}()
	<-held
	return release
}

// commits counts the transactions committed while run ran: each takes the next transaction ID, and
// one that is rolled back gives it back.
func (f *fixture) commits(run func()) int {
	f.Helper()
	id := func() (id int) {
		f.ok(f.Do(ctx, func(t *store.Tx) error { id = t.ID(); return nil }))
		return id
	}
	before := id()
	run()
	return id() - before
}

func (f *fixture) setMax(n int) {
	f.Helper()
	f.ok(f.Do(ctx, func(t *store.Tx) error { t.DB().MaxSize = n; return nil }))
}

// in is the time in ms that lies d ahead.
func in(d time.Duration) int64 { return time.Now().Add(d).UnixMilli() }

func equal[T comparable](t testing.TB, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

var errSpoilt = errors.New("spoilt")
