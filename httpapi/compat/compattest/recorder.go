package compattest

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/httpapi/courier"
	"dongled/scheduler/store"
)

// Recorder takes callbacks in place of a courier, and keeps them.
type Recorder struct {
	mu    sync.Mutex
	plans map[string]courier.Plan
	put   []courier.Callback
	rung  *signal
}

func newRecorder() *Recorder {
	return &Recorder{plans: map[string]courier.Plan{}, rung: newSignal()}
}

// Register implements compat.Callbacks.
func (r *Recorder) Register(dialect string, p courier.Plan) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plans[dialect] = p
}

// Plan is what a dialect registered.
func (r *Recorder) Plan(dialect string) courier.Plan {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.plans[dialect]
}

// Check implements compat.Callbacks: it takes http and https anywhere.
func (*Recorder) Check(url string) error {
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		return errors.New("must be an http or https URL")
	}
	return nil
}

// Put implements compat.Callbacks; a callback counts once its transaction is committed.
func (r *Recorder) Put(t *store.Tx, c courier.Callback) {
	t.After(func() {
		r.mu.Lock()
		r.put = append(r.put, c)
		r.mu.Unlock()
		r.rung.ring()
	})
}

// All are the callbacks so far, in the order of the commits.
func (r *Recorder) All() []courier.Callback {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.put)
}

// Await waits until there are n callbacks, and returns all.
func (r *Recorder) Await(t testing.TB, n int) []courier.Callback {
	t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		rung := r.rung.next()
		if all := r.All(); len(all) >= n {
			return all
		}
		select {
		case <-rung:
		case <-late.C:
			t.Fatalf("%d callbacks, want %d: %+v", len(r.All()), n, r.All())
		}
	}
}
