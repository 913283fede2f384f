package scheduler_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

func TestPermanentFails(t *testing.T) {
	tests := []struct {
		name    string
		err     error
		problem string
	}{
		{"transfer rejected", refused(21), "Send result: RESULT_NETWORK_REJECT (+CMS ERROR: 21 (short message transfer rejected))"},
		{"bad number", refused(1), "Send result: RESULT_INVALID_ARGUMENTS (+CMS ERROR: 1 (unassigned (unallocated) number))"},
		{"no result named", &modem.SubmitError{Fault: modem.Fault{Action: modem.Permanent, Text: "no"}},
			"Send result: RESULT_ERROR_GENERIC_FAILURE (no)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				sim.answer = inTurn(tt.err)
				r := start(t, scheduler.Options{FIFO: true}, sim)
				bad, good := r.post(text(strings.Repeat("a", 300))), r.post(text("good"))
				time.Sleep(48 * time.Hour)
				r.expect(bad, queue.Failed, tt.problem)
				r.expect(good, queue.Sent, "")
				if n := len(sim.sent()); n != 2 {
					t.Errorf("%d submissions; the second part is of no use without the first", n)
				}
				if got := r.get(bad).Recipients[0].Parts[1].State; got != queue.PartRejected {
					t.Errorf("second part is %v", got)
				}
			})
		})
	}
}

// One number that is refused leaves the other recipients alone.
func TestPermanentIsTheRecipients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(nil, refused(21))
		r := start(t, scheduler.Options{}, sim)
		sub := text("a")
		sub.Recipients = numbers(3)
		id := r.post(sub)
		time.Sleep(time.Minute)
		m := r.get(id)
		for i, want := range []queue.State{queue.Sent, queue.Failed, queue.Sent} {
			if got := m.Recipients[i].State; got != want {
				t.Errorf("recipient %d is %v, want %v", i, got, want)
			}
		}
	})
}

// within reports whether each gap is the given seconds, give or take a fifth.
func within(t *testing.T, times []time.Duration, want []int) {
	t.Helper()
	if len(times) != len(want)+1 {
		t.Fatalf("%d submissions at %v, want %d", len(times), times, len(want)+1)
	}
	for i, s := range want {
		gap, d := times[i+1]-times[i], time.Duration(s)*second
		if gap < d*4/5-time.Millisecond || gap > d*6/5+time.Millisecond {
			t.Errorf("gap %d is %v, want %v give or take a fifth", i+1, gap, d)
		}
	}
}

func TestTransientBacksOff(t *testing.T) {
	tests := []struct {
		name    string
		fault   modem.Fault
		gaps    []int // seconds
		problem string
	}{
		{"the scheduler's own delay", modem.Fault{Action: modem.Transient, Text: "later", Result: "RESULT_NETWORK_ERROR"},
			[]int{30, 60, 120, 240, 480, 960, 1920},
			"gave up after 8 attempts: Send result: RESULT_NETWORK_ERROR (later)"},
		{"41, temporary failure", modem.CMS(41), []int{5, 10, 20, 40, 80, 160, 320},
			"gave up after 8 attempts: Send result: RESULT_NETWORK_ERROR (+CMS ERROR: 41 (temporary failure))"},
		{"38, capped at an hour", modem.CMS(38), []int{300, 600, 1200, 2400, 3600, 3600, 3600},
			"gave up after 8 attempts: Send result: RESULT_NETWORK_ERROR (+CMS ERROR: 38 (network out of order))"},
		{"111, two tries", modem.CMS(111), []int{30},
			"gave up after 2 attempts: Send result: RESULT_NETWORK_ERROR (+CMS ERROR: 111 (protocol error, unspecified))"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				sim.answer = forText("bad", &modem.SubmitError{Fault: tt.fault, Submitted: true})
				r := start(t, scheduler.Options{}, sim)
				id := r.post(text("bad"))
				synctest.Wait()
				if m := r.get(id); m.State != queue.Pending || m.Recipients[0].Parts[0].Attempts != 1 {
					t.Errorf("after the first refusal: %+v", m)
				}
				time.Sleep(48 * time.Hour)
				within(t, sim.times(), tt.gaps)
				r.expect(id, queue.Failed, tt.problem)
			})
		})
	}
}

func TestBackoffIsJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		first := map[string]bool{}
		sim.answer = func(s submission) error {
			if !first[s.Text] {
				first[s.Text] = true
				return refused(42)
			}
			return nil
		}
		r := start(t, scheduler.Options{}, sim)
		for i := range 20 {
			r.post(text(fmt.Sprint(i)))
		}
		time.Sleep(time.Hour)
		again := map[time.Duration]bool{}
		for _, at := range sim.times()[20:] {
			again[at] = true
		}
		if len(again) < 15 {
			t.Errorf("20 messages refused together came back at %d different times", len(again))
		}
	})
}

func TestTransientThenAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(nil, refused(41), refused(41))
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text(strings.Repeat("a", 300)))
		time.Sleep(time.Hour)
		r.expect(id, queue.Sent, "")
		var parts []uint8
		for _, s := range sim.sent() {
			parts = append(parts, s.Concat.Number)
		}
		if !slices.Equal(parts, []uint8{1, 2, 2, 2}) {
			t.Errorf("parts submitted: %v; the first was accepted", parts)
		}
		if p := r.get(id).Recipients[0].Parts[1]; p.Attempts != 3 || p.Error != "" {
			t.Errorf("second part: %d attempts, error %q", p.Attempts, p.Error)
		}
	})
}

// one number that keeps being refused holds up nobody, in either order.
func TestPoisonHoldsUpNobody(t *testing.T) {
	for _, fifo := range []bool{true, false} {
		t.Run(fmt.Sprintf("FIFO=%t", fifo), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				sim.latency = second
				sim.answer = forText("poison", refused(38))
				r := start(t, scheduler.Options{FIFO: fifo}, sim)
				poison := r.post(text("poison"))
				var good []string
				for i := range 10 {
					good = append(good, r.post(text(fmt.Sprint(i))))
				}
				time.Sleep(11*second + time.Millisecond) // eleven submissions, a second each
				for _, id := range good {
					r.expect(id, queue.Sent, "")
				}
				r.expect(poison, queue.Pending, "")
			})
		})
	}
}

func TestTransientEndsWithTheValidity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = forText("bad", refused(38))
		r := start(t, scheduler.Options{}, sim)
		sub := text("bad")
		sub.ValidUntil = time.Now().Add(6*time.Minute + second)
		id := r.post(sub)
		time.Sleep(6*time.Minute + 2*second)
		r.expect(id, queue.Failed, "TTL expired: validUntil passed before the message could be submitted")
		time.Sleep(24 * time.Hour)
		if n := len(sim.sent()); n != 2 { // the second fell due after 4 to 6 minutes
			t.Errorf("%d submissions, want 2", n)
		}
	})
}
