package auth

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

var never = func() bool { return false }

// tried is one try of an address: how long it has to wait, and the delay that begins with it.
func tried(t *testing.T, g *gate, addr string, wrong bool) (wait, delay time.Duration) {
	t.Helper()
	leave, err := g.enter(t.Context(), addr, never)
	var tooMany *TooMany
	switch {
	case errors.As(err, &tooMany):
		return tooMany.RetryAfter, 0
	case err != nil:
		t.Fatal(err)
	}
	return 0, leave(wrong)
}

func TestGateDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		for i := range 4 {
			if wait, delay := tried(t, g, "a", true); wait != 0 || delay != 0 {
				t.Errorf("try %d: %v, %v", i, wait, delay)
			}
			tried(t, g, "a", false) // makes up for nothing
		}
		const s = time.Second
		for _, want := range []time.Duration{1 * s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s, 60 * s} {
			if wait, delay := tried(t, g, "a", true); wait != 0 || delay != want {
				t.Errorf("got %v, %v; want the delay %v", wait, delay, want)
			}
			for range 3 { // what is not judged makes it no longer
				if wait, _ := tried(t, g, "a", true); wait != want {
					t.Errorf("got %v, want %v", wait, want)
				}
			}
			time.Sleep(want - time.Millisecond)
			if wait, _ := tried(t, g, "a", true); wait != time.Millisecond {
				t.Errorf("at the end %v", wait)
			}
			if wait, delay := tried(t, g, "b", false); wait != 0 || delay != 0 {
				t.Errorf("another address: %v, %v", wait, delay)
			}
			time.Sleep(time.Millisecond)
		}
		// 15 minutes after the last wrong one all is forgotten, and a moment before nothing.
		time.Sleep(14*time.Minute - time.Millisecond)
		if _, delay := tried(t, g, "a", true); delay != time.Minute {
			t.Errorf("a moment too early: %v", delay)
		}
		time.Sleep(15 * time.Minute)
		if _, delay := tried(t, g, "a", true); delay != 0 {
			t.Errorf("not forgotten: %v", delay)
		}
	})
}

// What is known passes, but not in a delay.
func TestGateKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		known := func() bool { return true }
		if leave, err := g.enter(t.Context(), "a", known); leave != nil || err != nil {
			t.Error(err)
		}
		for range 5 {
			tried(t, g, "a", true)
		}
		var tooMany *TooMany
		if _, err := g.enter(t.Context(), "a", known); !errors.As(err, &tooMany) {
			t.Errorf("in a delay: %v", err)
		}
	})
}

// Tries that are being judged count; who comes too many waits for their outcome.
func TestGateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		var leaves []func(bool) time.Duration
		for range 5 {
			leave, err := g.enter(t.Context(), "a", never)
			if err != nil {
				t.Fatal(err)
			}
			leaves = append(leaves, leave)
		}
		outcomes := make(chan string, 1)
		sixth := func(ctx context.Context) {
			leave, err := g.enter(ctx, "a", never)
			outcomes <- fmt.Sprint(leave != nil, err)
			if leave != nil {
				leave(false)
			}
		}
		go sixth(t.Context())
		synctest.Wait()
		if len(outcomes) != 0 {
			t.Fatalf("did not wait: %s", <-outcomes)
		}
		leaves[0](false)
		if got := <-outcomes; got != "true <nil>" {
			t.Errorf("after a right one: %s", got)
		}
		leaves[0], _ = g.enter(t.Context(), "a", never)
		go sixth(t.Context())
		synctest.Wait()
		for _, leave := range leaves {
			leave(true)
		}
		if got := <-outcomes; got != "false too many wrong credentials, try again in 1s" {
			t.Errorf("after five wrong ones: %s", got)
		}
		time.Sleep(time.Second)
		held, err := g.enter(t.Context(), "a", never)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go sixth(ctx) // one at a time now
		synctest.Wait()
		cancel()
		if got := <-outcomes; got != "false "+ErrBusy.Error() {
			t.Errorf("at the end of the server: %s", got)
		}
		held(false)
		if g.waiting != 0 {
			t.Errorf("%d are still waiting", g.waiting)
		}
	})
}

// What has no try is not compared: its answer would be a try of its own.
func TestGateComparesNothingWithoutATry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		for range freeTries {
			if _, err := g.enter(t.Context(), "a", never); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		compared := 0
		for range mostWaiting + 10 {
			go func() { _, _ = g.enter(ctx, "a", func() bool { compared++; return false }) }()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		if compared != 0 {
			t.Errorf("%d passwords were compared while five were being judged", compared)
		}
	})
}

func TestGateBoundsTheWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		for range freeTries {
			_, _ = g.enter(t.Context(), "a", never)
		}
		ctx, cancel := context.WithCancel(t.Context())
		for range mostWaiting {
			go func() { _, _ = g.enter(ctx, "a", never) }()
		}
		synctest.Wait()
		if _, err := g.enter(ctx, "a", never); !errors.Is(err, ErrBusy) {
			t.Error(err)
		}
		cancel()
	})
}

func TestGateForgetsBeyondItsSize(t *testing.T) {
	g := newGate()
	for i := range mostAddresses + 100 {
		tried(t, g, fmt.Sprint(i), true)
	}
	if got := g.tries.order.Len(); got != mostAddresses || len(g.tries.items) != got {
		t.Errorf("%d addresses, %d in the index", got, len(g.tries.items))
	}
	if _, found := g.tries.get("99"); found {
		t.Error("the oldest is still there")
	}
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1":                "192.0.2.1",
		"::ffff:192.0.2.1":         "192.0.2.1",
		"2001:db8:1:2:3:4:5:6":     "2001:db8:1:2::/64",
		"2001:db8:1:2::1":          "2001:db8:1:2::/64",
		"2001:db8:1:3::1":          "2001:db8:1:3::/64",
		"fe80::1%eth0":             "fe80::/64",
		"::1":                      "::/64",
		"a socket without address": "a socket without address",
		"":                         "",
	} {
		if got := network(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}

func TestLRU(t *testing.T) {
	l := newLRU[string, int](2)
	l.put("a", 1)
	l.put("b", 2)
	l.put("a", 3)
	l.put("c", 4) // b was used least lately
	l.get("a")
	l.put("d", 5)
	for key, want := range map[string]int{"a": 3, "b": 0, "c": 0, "d": 5} {
		if got, found := l.get(key); got != want || found != (want != 0) {
			t.Errorf("%s: %d, %t", key, got, found)
		}
	}
}
