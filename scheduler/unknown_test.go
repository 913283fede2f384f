package scheduler_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

const lost = "outcome unknown: the modem gave no answer and no report came; the message may have gone out"

func TestUnknownIsNeverSentAgain(t *testing.T) {
	for _, answer := range []error{silence(), refused(332), refused(500), errors.New("no SubmitError at all")} {
		t.Run(answer.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				sim.answer = inTurn(answer)
				r := start(t, scheduler.Options{UnknownAfter: 12 * time.Hour}, sim)
				id := r.post(text("a"))
				synctest.Wait()
				r.expect(id, queue.Processed, "")
				next := r.post(text("b"))
				synctest.Wait()
				r.expect(next, queue.Sent, "") // nobody waits for it
				r.restart()

				time.Sleep(12*time.Hour - second)
				r.expect(id, queue.Processed, "")
				time.Sleep(2 * second)
				r.expect(id, queue.Failed, lost)
				time.Sleep(48 * time.Hour)
				if got, want := sim.texts(), []string{"a", "b"}; !slices.Equal(got, want) {
					t.Errorf("sent %q, want %q", got, want)
				}
			})
		})
	}
}

func TestUnknownAfterDefaultsToADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(silence())
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text("a"))
		time.Sleep(24*time.Hour - second)
		r.expect(id, queue.Processed, "")
		time.Sleep(2 * second)
		r.expect(id, queue.Failed, lost)
	})
}

func TestReportSettlesTheUnknown(t *testing.T) {
	const failed = "Delivery result from SC +491710760000: 70 (SM validity period expired)"
	tests := []struct {
		name    string
		after   time.Duration // of the submission; 0: while it waits for the answer
		status  pdu.Status
		state   queue.State
		problem string
	}{
		{"delivered", time.Hour, 0, queue.Delivered, ""},
		{"given up", time.Hour, 0x46, queue.Failed, failed},
		{"still trying", time.Hour, 0x30, queue.Failed, lost},
		{"delivered, after it was given up", 25 * time.Hour, 0, queue.Delivered, ""},
		{"before the silence was one", 0, 0, queue.Delivered, ""},
	}
	for _, tt := range tests {
		for _, first := range []string{"first of the card", "with messages before"} {
			t.Run(tt.name+", "+first, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					sim := newSIM(t, 1)
					r := start(t, scheduler.Options{}, sim)
					if first == "with messages before" {
						r.post(text("before"))
						synctest.Wait()
					}
					sim.latency, sim.answer = 3*time.Minute, inTurn(silence())
					id := r.post(text("a"))
					time.Sleep(second)
					time.Sleep(tt.after)
					r.report(sim.sent()[len(sim.sent())-1], tt.status)
					time.Sleep(26 * time.Hour)
					r.expect(id, tt.state, tt.problem)
				})
			})
		}
	}
}

// The rest of a message follows although one part got no answer: its report may still come.
func TestUnknownPartOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(nil, silence())
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text(strings.Repeat("a", 400)))
		synctest.Wait()
		r.expect(id, queue.Processed, "")
		log := sim.sent()
		if len(log) != 3 {
			t.Fatalf("%d parts submitted of 3", len(log))
		}
		for _, i := range []int{2, 0, 1} {
			r.expect(id, queue.Processed, "")
			r.report(log[i], 0)
		}
		r.expect(id, queue.Delivered, "")
	})
}

// A report that comes twice must not settle a second part of which nothing is known.
func TestRepeatedReportSettlesOneUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(silence(), silence())
		r := start(t, scheduler.Options{}, sim)
		id := r.post(text(strings.Repeat("a", 300)))
		synctest.Wait()
		first := sim.sent()[0]
		r.report(first, 0)
		r.report(first, 0)
		r.expect(id, queue.Processed, "")
		time.Sleep(48 * time.Hour)
		r.expect(id, queue.Failed, lost)
	})
}

func TestRetryPolicySendsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(silence())
		r := start(t, scheduler.Options{RetryUnknown: true}, sim)
		id := r.post(text("a"))
		time.Sleep(time.Minute)
		r.expect(id, queue.Sent, "")
		if n := len(sim.sent()); n != 2 {
			t.Fatalf("%d submissions, want 2", n)
		}
		r.report(sim.sent()[0], 0) // the first had arrived after all
		r.expect(id, queue.Delivered, "")
	})
}

func TestRetryPolicyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = forText("a", silence())
		r := start(t, scheduler.Options{RetryUnknown: true}, sim)
		id := r.post(text("a"))
		time.Sleep(23 * time.Hour)
		r.expect(id, queue.Processed, "")
		time.Sleep(2 * time.Hour)
		r.expect(id, queue.Failed, lost)
		if n := len(sim.sent()); n != 3 {
			t.Errorf("%d submissions, want 3", n)
		}
	})
}
