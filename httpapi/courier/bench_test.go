package courier_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/courier"
	"dongled/httpapi/webhook"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// payload is about what a status callback says.
var payload = strings.Repeat("x", 400)

// BenchmarkCallback puts a callback and has it taken over the loopback, a commit each, on top of 3000 that
// ended; and beside it the same for an event of a webhook. writes/op are those to the file by both commits.
func BenchmarkCallback(b *testing.B) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	b.Run("courier", func(b *testing.B) {
		c := courier.New(courier.Options{})
		c.Register("bird", plan)
		cb := to("", "", payload)
		cb.URL = receiver.URL
		measure(b, c.Run, func(t *store.Tx) { c.Put(t, cb) }, func() {}, c)
	})
	b.Run("webhook", func(b *testing.B) {
		h := webhook.New(webhook.Options{})
		out := outbox.New(h.Tell, nil)
		measure(b, func(ctx context.Context) { h.Run(ctx, "PyDmBQZZXYmyxMwED8Fzy") },
			func(t *store.Tx) { out.Put(t, outbox.SMSSent, "", map[string]string{"message": payload}) },
			func() {
				if _, err := h.Put(ctx, webhook.Hook{ID: "x", URL: receiver.URL, Event: outbox.SMSSent}); err != nil {
					b.Fatal(err)
				}
			}, out, h)
	})
}

// measure times put with what follows from it, which is one more commit.
func measure(b *testing.B, run func(context.Context), put func(*store.Tx), prepare func(), rooms ...store.Room) {
	b.Helper()
	s, err := store.Open(filepath.Join(b.TempDir(), "s.db"), store.Options{}, rooms...)
	if err != nil {
		b.Fatal(err)
	}
	running, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); run(running) }()
	defer func() { cancel(); <-ended; _ = s.Close() }()
	var db *bolt.DB
	one := func() {
		id := 0
		err := s.Do(ctx, func(t *store.Tx) error {
			db, id = t.DB(), t.ID()
			db.NoSync = true // the card's speed is not the question
			put(t)
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		for committed(b, s) == id {
			runtime.Gosched()
		}
	}
	prepare()
	for range 3000 {
		one()
	}
	before := db.Stats()
	for b.Loop() {
		one()
	}
	after := db.Stats()
	change := after.Sub(&before)
	b.ReportMetric(float64(change.TxStats.GetWrite())/float64(b.N), "writes/op")
	b.ReportMetric(float64(change.TxStats.GetPageAlloc())/float64(b.N), "written-B/op")
}

// committed is the number of the last commit.
func committed(b *testing.B, s *store.Store) (id int) {
	if err := s.View(func(t *bolt.Tx) error { id = t.ID(); return nil }); err != nil {
		b.Fatal(err)
	}
	return id
}

// BenchmarkStart opens a store with 10,000 pending callbacks.
func BenchmarkStart(b *testing.B) {
	path := filepath.Join(b.TempDir(), "s.db")
	open := func() (*courier.Courier, *store.Store) {
		c := courier.New(courier.Options{})
		c.Register("bird", plan)
		s, err := store.Open(path, store.Options{}, c)
		if err != nil {
			b.Fatal(err)
		}
		return c, s
	}
	c, s := open()
	for range 100 {
		if err := s.Do(ctx, func(t *store.Tx) error {
			t.DB().NoSync = true
			for range 100 {
				c.Put(t, to("box", "", payload))
			}
			return nil
		}); err != nil {
			b.Fatal(err)
		}
	}
	_ = s.Close()
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		c, s := open()
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(c)
		_ = s.Close()
	}
	b.ReportMetric((float64(after.HeapAlloc)-float64(before.HeapAlloc))/10_000, "B/callback")
}
