package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// TestCancelRacesTheWorkers: while two SIMs claim and the unsealer opens, clients cancel. Who is told
// that a message was cancelled is told the truth: none of it went out. What was not cancelled did.
func TestCancelRacesTheWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newSIM(t, 1), newSIM(t, 2)
		var told events
		r := idle(t, scheduler.Options{Passphrase: passphrase, Selection: scheduler.RoundRobin, Told: told.tell}, a, b)
		const n = 60
		for i := range n {
			sub := queue.Submission{Content: queue.Content{Text: fmt.Sprint("m", i)}, Recipients: []string{"+4915112345678", "+4916098765432"}}
			if i%3 == 0 {
				sub = sealed(sealedHi, sealedAlice, sealedBob)
			}
			sub.ID = fmt.Sprint("m", i)
			r.post(sub)
		}
		r.run()
		var mu sync.Mutex
		cancelled := map[string]bool{}
		var clients sync.WaitGroup
		for c := range 4 {
			clients.Go(func() {
				for i := range n / 4 {
					id := fmt.Sprint("m", 4*i+c)
					m, err := r.Cancel(context.Background(), id)
					switch {
					case err == nil && m.State == queue.Cancelled:
						mu.Lock()
						cancelled[id] = true
						mu.Unlock()
					case !errors.Is(err, queue.ErrNotPending):
						t.Errorf("%s: %v, %v", id, m.State, err)
					}
				}
			})
		}
		clients.Wait()
		time.Sleep(time.Hour)
		synctest.Wait()
		texts := append(a.texts(), b.texts()...)
		want, withdrawn := 0, 0
		for i := range n {
			id := fmt.Sprint("m", i)
			state := queue.Sent
			if cancelled[id] {
				state, withdrawn = queue.Cancelled, withdrawn+1
			} else {
				want += 2
			}
			r.expect(id, state, "")
			if cancelled[id] && slices.Contains(texts, id) {
				t.Errorf("%s was cancelled, and went out", id)
			}
		}
		if len(texts) != want {
			t.Errorf("%d went out, want %d", len(texts), want)
		}
		if log := told.told(); len(log) != want+2*withdrawn {
			t.Errorf("%d events for %d that went out and %d that did not", len(log), want, 2*withdrawn)
		}
		t.Logf("%d of %d were cancelled in time", withdrawn, n)
	})
}
