package courier_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"dongled/hack/models"
	"dongled/httpapi/courier"
	"dongled/httpapi/post/posttest"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

const day = 24 * time.Hour

// fixture is the room in a store of its own, making requests in a network of its own.
type fixture struct {
	testing.TB
	*courier.Courier
	plans map[string]courier.Plan
	// without are dialects whose plans are taken back.
	without []string
	store   *store.Store
	path    string
	net     *posttest.Network
	log     *models.Log
	began   time.Time
	// broken has the store refuse commits once the saboteur's timer is due.
	broken atomic.Bool
	// halt ends Run.
	halt func()
}

// plan is one with three tries.
var plan = courier.Plan{Pauses: []time.Duration{10 * time.Second, time.Minute}}

// bubble runs f with a fresh room in virtual time, which starts at 2000-01-01 00:00 UTC.
func bubble(t *testing.T, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := newFixture(t, filepath.Join(t.TempDir(), "s.db"))
		x.start()
		defer func() {
			x.close()
			x.net.Close()
		}()
		f(x)
	})
}

func newFixture(t testing.TB, path string) *fixture {
	return &fixture{
		TB: t, path: path, net: posttest.NewNetwork(), log: &models.Log{}, began: time.Now(),
		plans: map[string]courier.Plan{"bird": plan},
	}
}

// start opens the store and runs the room.
func (f *fixture) start() {
	f.Helper()
	f.Courier = courier.New(courier.Options{HTTP: courier.LAN, Version: "1.2.3", Log: f.log.Logger()})
	for dialect, p := range f.plans {
		f.Register(dialect, p)
	}
	for _, dialect := range f.without {
		f.Unregister(dialect)
	}
	s, err := store.Open(f.path, store.Options{}, f.Courier, saboteur{&f.broken})
	f.ok(err)
	f.store = s
	f.ok(s.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
	f.DialThrough(f.net.Dial)
	f.run()
}

func (f *fixture) run() {
	running, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	c := f.Courier
	go func() {
		defer close(ended)
		c.Run(running)
	}()
	f.halt = func() { cancel(); <-ended }
}

func (f *fixture) close() {
	f.Helper()
	f.halt()
	f.ok(f.store.Close())
}

func (f *fixture) reopen() {
	f.Helper()
	f.close()
	synctest.Wait() // receivers see that what was under way was cut
	f.start()
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// to is a callback of the usual plan.
func to(host, line, text string) courier.Callback {
	return courier.Callback{
		Dialect: "bird", Method: "POST", URL: "http://" + host + "/cb?token=s3cret", Line: line, Body: []byte(text), Ref: "msg-" + text,
		Header: map[string]string{"Content-Type": "application/json"}, Secret: "k3y",
	}
}

// put puts callbacks in one commit, and lets everything settle.
func (f *fixture) put(all ...courier.Callback) {
	f.Helper()
	f.ok(f.store.Do(ctx, func(t *store.Tx) error {
		for _, cb := range all {
			f.Put(t, cb)
		}
		return t.Err
	}))
	synctest.Wait()
}

// pass lets time pass, and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// all are the callbacks, the first one first.
func (f *fixture) all() []courier.Delivery {
	f.Helper()
	page, total, err := f.List(ctx, "", 1_000_000, 0)
	f.ok(err)
	if total != len(page) {
		f.Errorf("%d callbacks, %d in all", len(page), total)
	}
	slices.Reverse(page)
	return page
}

// want checks the callbacks: message, state, attempts.
func (f *fixture) want(want ...string) {
	f.Helper()
	var got []string
	for _, d := range f.all() {
		got = append(got, fmt.Sprint(strings.TrimPrefix(d.Ref, "msg-"), " ", d.State, " ", d.Attempts))
	}
	f.equal("callbacks", got, want)
}

// had checks what a host was asked: seconds since the beginning, and body.
func (f *fixture) had(host string, want ...string) {
	f.Helper()
	f.equal("requests to "+host, f.seen(host), want)
}

// hadAtOnce is had for requests in any order.
func (f *fixture) hadAtOnce(host string, want ...string) {
	f.Helper()
	got := f.seen(host)
	slices.Sort(got)
	f.equal("requests to "+host, got, want)
}

func (f *fixture) seen(host string) (got []string) {
	for _, r := range f.net.Host(host).Had() {
		got = append(got, fmt.Sprintf("%g %s", r.At.Sub(f.began).Seconds(), r.Body))
	}
	return got
}

func (f *fixture) equal(what string, got, want []string) {
	f.Helper()
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		f.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "; "), strings.Join(want, "; "))
	}
}

// idle checks that nothing is on the board.
func (f *fixture) idle() {
	f.Helper()
	if b := f.Board(); b != [3]int{} {
		f.Errorf("hosts, lines, tries when idle: %d", b)
	}
}

// rows is how many rows a bucket has.
func (f *fixture) rows(bucket string) (n int) {
	f.Helper()
	f.ok(f.store.View(func(t *bolt.Tx) error {
		n = store.Bucket(t, []byte(bucket)).Stats().KeyN
		return nil
	}))
	return n
}

// saboteur is a room whose timers fail the commits they fall due in, as a full disk does.
type saboteur struct{ broken *atomic.Bool }

const kindSabotage byte = 200

func (saboteur) Buckets() [][]byte { return nil }

func (saboteur) Prepare(*store.Tx) error { return nil }

func (saboteur) Kinds() []byte { return []byte{kindSabotage} }

func (s saboteur) Due(t *store.Tx, _ byte, _ []byte) {
	if s.broken.Load() {
		t.Fail(errors.New("no space left on device"))
	}
}
