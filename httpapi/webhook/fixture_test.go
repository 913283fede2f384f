package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"dongled/hack/models"
	"dongled/httpapi/post/posttest"
	"dongled/httpapi/webhook"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

const (
	device = "PyDmBQZZXYmyxMwED8Fzy"
	day    = 24 * time.Hour
)

// fixture is the room in a store of its own, posting into a network of its own.
type fixture struct {
	testing.TB
	*webhook.Hooks
	opts  webhook.Options
	store *store.Store
	out   *outbox.Outbox
	path  string
	net   *posttest.Network
	log   *models.Log
	// onMachine has it post into the machine's network.
	onMachine bool
	// broken has the store refuse commits once the saboteur's timer is due.
	broken atomic.Bool
	// halt ends Run.
	halt func()
}

// bubble runs f with a fresh room in virtual time, which starts at 2000-01-01 00:00 UTC.
func bubble(t *testing.T, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		x := &fixture{TB: t, path: filepath.Join(t.TempDir(), "s.db"), net: posttest.NewNetwork(), log: &models.Log{}}
		x.opts = webhook.Options{Version: "1.2.3", AllowLAN: true, Log: x.log.Logger()}
		x.start()
		defer func() {
			x.close()
			x.net.Close()
		}()
		f(x)
	})
}

// start opens the store and runs the room.
func (f *fixture) start() {
	f.Helper()
	f.Hooks = webhook.New(f.opts)
	f.out = outbox.New(f.Tell, nil)
	s, err := store.Open(f.path, store.Options{}, f.out, f.Hooks, saboteur{&f.broken})
	f.ok(err)
	f.store = s
	f.ok(s.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
	f.Configure(webhook.Policy{SigningKey: "secret12"})
	if !f.onMachine {
		f.DialThrough(f.net.Dial)
	}
	f.run()
}

func (f *fixture) run() {
	running, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	hooks := f.Hooks
	go func() {
		defer close(ended)
		hooks.Run(running, device)
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
	f.start()
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// hook registers a webhook for an event at a host of the network, under the host's name.
func (f *fixture) hook(host, event string) {
	f.Helper()
	_, err := f.Put(ctx, webhook.Hook{ID: host, URL: "http://" + host + "/hook", Event: event})
	f.ok(err)
}

// tell puts an event for each text in one commit, and lets everything settle.
func (f *fixture) tell(event string, texts ...string) {
	f.Helper()
	f.ok(f.store.Do(ctx, func(t *store.Tx) error {
		for _, text := range texts {
			f.out.Put(t, event, "", map[string]string{"message": text})
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

// all are the deliveries of a webhook, the first event first.
func (f *fixture) all(id string) []webhook.Delivery {
	f.Helper()
	page, total, err := f.Deliveries(ctx, id, "", 1_000_000, 0)
	f.ok(err)
	if total != len(page) {
		f.Errorf("%d deliveries, %d in all", len(page), total)
	}
	for i, j := 0, len(page)-1; i < j; i, j = i+1, j-1 {
		page[i], page[j] = page[j], page[i]
	}
	return page
}

// want checks the deliveries of a webhook: text, state, attempts.
func (f *fixture) want(id string, want ...string) {
	f.Helper()
	var got []string
	for _, d := range f.all(id) {
		got = append(got, fmt.Sprint(textOf(f, d.Body), " ", d.State, " ", d.Attempts))
	}
	f.equal("deliveries of "+id, got, want)
}

// seen are the requests that a host had: seconds since a time, and text.
func (f *fixture) seen(h *posttest.Host, since time.Time) (all []string) {
	f.Helper()
	for _, r := range h.Had() {
		all = append(all, fmt.Sprintf("%g %s", r.At.Sub(since).Seconds(), textOf(f, r.Body)))
	}
	return all
}

func (f *fixture) equal(what string, got, want []string) {
	f.Helper()
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		f.Errorf("%s:\n got  %s\n want %s", what, strings.Join(got, "; "), strings.Join(want, "; "))
	}
}

// textOf is the text of the event in a body.
func textOf(t testing.TB, body []byte) string {
	t.Helper()
	var b struct{ Payload struct{ Message string } }
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return b.Payload.Message
}

// idOf is the id in a body.
func idOf(t testing.TB, body []byte) string {
	t.Helper()
	var b struct{ ID string }
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return b.ID
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
