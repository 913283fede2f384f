package main

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// sims are modems whose states change.
type sims struct {
	mu      sync.Mutex
	list    []modem.Status
	asked   int
	changed chan struct{}
}

func (s *sims) modems() []modem.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.list
}

func (s *sims) set(states ...modem.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = nil
	for i, st := range states {
		s.list = append(s.list, modem.Status{SIM: i + 1, State: st})
	}
	nudge(s.changed)
}

func TestAwaitSIMs(t *testing.T) {
	const (
		ready   = modem.StateReady
		opening = modem.StateOpening
		locked  = modem.StateNeedsPIN
	)
	for _, tt := range []struct {
		name  string
		first []modem.State
		// then comes after that time.
		after time.Duration
		then  []modem.State
		want  time.Duration
		asked int
	}{
		{"all at once", []modem.State{ready, ready}, 0, nil, 0, 1},
		{"found later", nil, 5 * time.Second, []modem.State{ready}, 5 * time.Second, 2},
		{"the last of two", []modem.State{ready, opening}, 20 * time.Second, []modem.State{ready, ready}, 20 * time.Second, 2},
		{"one never", []modem.State{ready, locked}, 0, nil, time.Minute, 1},
		{"too late", []modem.State{opening}, 2 * time.Minute, []modem.State{ready}, time.Minute, 1},
		{"none", nil, 0, nil, time.Minute, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &sims{changed: make(chan struct{}, 1)}
				s.set(tt.first...)
				<-s.changed
				began := time.Now()
				if tt.after > 0 {
					time.AfterFunc(tt.after, func() { s.set(tt.then...) })
				}
				if known := awaitSIMs(t.Context(), s.modems, s.changed); !known || time.Since(began) != tt.want || s.asked != tt.asked {
					t.Errorf("%t after %v, asked %d times; want after %v, asked %d times", known, time.Since(began), s.asked, tt.want, tt.asked)
				}
			})
		})
	}
}

func TestAwaitSIMsEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if awaitSIMs(ctx, func() []modem.Status { return nil }, nil) {
			t.Error("the start is told of while it stops")
		}
	})
}
