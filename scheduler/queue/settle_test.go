package queue

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const lostText = "outcome unknown: the modem gave no answer and no report came; the message may have gone out"

func TestRejectedEndsTheRecipient(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m", Recipients: []string{alice, bob}}, 3)
		f.accept(f.take(sim1))
		next, _ := f.step(&Outcome{Job: f.take(sim1), Kind: OutcomeRejected, Error: "+CMS ERROR: 28"}, &sim1)
		if name(next) != "m/1" {
			t.Fatalf("claimed %s, want the next recipient", name(next))
		}
		f.wantState("m", Processed, PartAccepted, PartRejected, PartRejected)
		r := f.get("m").Recipients[0]
		if r.State != Failed || r.Error != "+CMS ERROR: 28" || r.Parts[1].Error != "+CMS ERROR: 28" || r.Parts[2].Error != "not submitted, as another part failed: +CMS ERROR: 28" {
			t.Errorf("recipient %+v", r)
		}
		if !r.Parts[1].Settled.Equal(time.Now()) || r.Parts[2].Attempts != 0 || r.Parts[1].Attempts != 1 {
			t.Errorf("parts %+v", r.Parts)
		}
		f.accept(next)
		f.run(sim1)
		f.wantState("m", Sent)
	})
}

func TestDeferredCountsAttempts(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m")
		for _, c := range []struct {
			uncounted        bool
			attempts, faults int // of the job
			attemptsAfter    int
		}{
			{uncounted: false, attempts: 1, faults: 0, attemptsAfter: 1},
			{uncounted: true, attempts: 2, faults: 0, attemptsAfter: 1},
			{uncounted: true, attempts: 2, faults: 1, attemptsAfter: 1},
			{uncounted: false, attempts: 2, faults: 2, attemptsAfter: 2},
			{uncounted: false, attempts: 3, faults: 0, attemptsAfter: 3},
		} {
			j := f.take(sim1)
			if j.Attempts != c.attempts || j.Faults != c.faults {
				t.Errorf("job of attempt %d after %d faults, want %d and %d", j.Attempts, j.Faults, c.attempts, c.faults)
			}
			f.step(&Outcome{Job: j, Kind: OutcomeDeferred, Uncounted: c.uncounted, Error: "busy"}, nil)
			f.wantState("m", Pending, PartQueued)
			if p := f.get("m").Recipients[0].Parts[0]; p.Attempts != c.attemptsAfter || p.Error != "busy" {
				t.Errorf("part %+v, want %d attempts", p, c.attemptsAfter)
			}
		}
		j := f.take(sim1)
		f.accept(j)
		f.wantState("m", Sent, PartAccepted)
		if p := f.get("m").Recipients[0].Parts[0]; p.Attempts != 4 || p.Error != "" {
			t.Errorf("accepted part %+v", p)
		}
	})
}

// TestUnknownWaits: the default policy never sends again; the other parts go out, and after
// UnknownAfter the recipient fails with a text that says what may have happened.
func TestUnknownWaits(t *testing.T) {
	bubble(t, Options{UnknownAfter: 6 * time.Hour}, func(f *fixture) {
		f.put(Submission{ID: "m"}, 2)
		f.lose(f.take(sim1))
		f.wantState("m", Processed, PartUnknown, PartQueued)
		equal(t, "the other part", f.run(sim1), []string{"m.1"})
		f.reopen()
		f.idle(sim1)
		pause(6*time.Hour - time.Millisecond)
		f.wantState("m", Processed, PartUnknown, PartAccepted)
		pause(time.Millisecond)
		f.wantState("m", Failed, PartLost, PartAccepted)
		r := f.get("m").Recipients[0]
		if r.Error != lostText || r.Parts[0].Attempts != 1 {
			t.Errorf("recipient %+v", r)
		}
		f.idle(sim1)

		// The proof that it had gone out comes days later.
		pause(48 * time.Hour)
		f.report(card1, 1, alice, VerdictDelivered, Matched) // part 2, accepted with TP-MR 1
		f.report(card1, 0, alice, VerdictDelivered, Matched) // part 1: the card's last TP-MR was not known
		f.wantState("m", Delivered, PartDelivered, PartDelivered)
		if r := f.get("m").Recipients[0]; r.Error != "" {
			t.Errorf("delivered with the error %q", r.Error)
		}
	})
}

// TestLostEndsTheRecipient: parts that wait for a SIM that went away meanwhile are not begun later.
func TestLostEndsTheRecipient(t *testing.T) {
	for _, deferred := range []bool{false, true} {
		bubble(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "m"}, 2)
			f.lose(f.take(sim1))
			if deferred {
				f.step(&Outcome{Job: f.take(sim1), Kind: OutcomeDeferred, RetryAt: time.Now().Add(72 * time.Hour)}, nil)
			}
			pause(24 * time.Hour)
			f.wantState("m", Failed, PartLost, PartRejected)
			pause(72 * time.Hour)
			f.idle(sim1)
			f.report(card1, 1, alice, VerdictDelivered, Matched)
			f.wantState("m", Failed, PartDelivered, PartRejected)
			if got := f.get("m").Recipients[0].Error; got != "not submitted, as another part failed: "+lostText {
				t.Errorf("failed with the error %q", got)
			}
		})
	}
}

func TestUnknownRetries(t *testing.T) {
	bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
		f.puts("m")
		for attempt := 1; attempt <= 3; attempt++ {
			j := f.take(sim1)
			if j.Attempts != attempt {
				t.Errorf("attempt %d, want %d", j.Attempts, attempt)
			}
			f.lose(j)
		}
		f.wantState("m", Processed, PartUnknown)
		f.idle(sim1)
		pause(24 * time.Hour)
		f.wantState("m", Failed, PartLost)
	})
}

// TestUnknownRetryIsSettledByItsFirstReport: also while it waits, is in flight again or was accepted
// over another card, and only for the better.
func TestUnknownRetryIsSettledByItsFirstReport(t *testing.T) {
	for _, c := range []struct {
		at   string
		part PartState
	}{{"waiting", PartQueued}, {"in flight", PartSubmitting}, {"accepted", PartAccepted}} {
		t.Run(c.at, func(t *testing.T) {
			bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
				f.puts("m")
				f.lose(f.take(sim1))
				var second *Job
				if c.at != "waiting" {
					second = f.take(swapped)
				}
				if c.at == "accepted" {
					f.acceptAs(second, 200)
				}
				f.report(card1, 7, alice, VerdictTrying, Matched)
				if got := f.get("m").Recipients[0].Parts[0].State; got != c.part {
					t.Errorf("after news of the first submission the part is %v", got)
				}
				if _, err := f.Report(ctx, Report{IMSI: card1, MR: 7, Recipient: alice, Verdict: VerdictFailed, Text: "no"}); err != nil {
					t.Fatal(err)
				}
				if got := f.get("m").Recipients[0].Parts[0].State; got != c.part {
					t.Errorf("the failure of the first submission turned the part to %v", got)
				}
				f.report(card1, 7, alice, VerdictDelivered, Matched)
				f.wantState("m", Delivered, PartDelivered)
				if c.at == "in flight" {
					f.acceptAs(second, 200)
				}
				f.idle(sim1)
				f.wantState("m", Delivered, PartDelivered)
			})
		})
	}
}

func TestStepWantsAnOutcomeItKnows(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m")
		j := f.take(sim1)
		if _, _, err := f.Step(ctx, &Outcome{Job: j}, &sim1); err == nil || !strings.Contains(err.Error(), "kind 0") {
			t.Errorf("outcome without kind: %v", err)
		}
		gone := *j
		gone.Message = 99
		gone.SIM = 9
		if _, _, err := f.Step(ctx, &Outcome{Job: &gone, Kind: OutcomeAccepted}, nil); err != nil {
			t.Errorf("outcome of a message that does not exist stops the SIM: %v", err)
		}
		f.wantState("m", Processed, PartSubmitting) // nothing was stored
		f.accept(j)
		if next, again := f.step(nil, nil); next != nil || !again.IsZero() {
			t.Errorf("a step for nothing gave %+v, %v", next, again)
		}
	})
}

// TestClaimWithoutOutcome: a SIM that asks for more and never says what became of the part it has
// is treated like a crash: the part is unknown, and not lost from sight.
func TestClaimWithoutOutcome(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m"}, 2)
		f.puts("next")
		equal(t, "first", []string{name(f.take(sim1))}, []string{"next"})
		equal(t, "second", []string{name(f.take(sim1))}, []string{"m"})
		f.wantState("next", Processed, PartUnknown)
		equal(t, "third", []string{name(f.take(sim1))}, []string{"m.1"})
		f.wantState("m", Processed, PartUnknown, PartSubmitting)
		f.idle(sim1)
		f.wantState("m", Processed, PartUnknown, PartUnknown)
	})
}

func TestCancel(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m", Recipients: []string{alice, bob}, ValidUntil: time.Now().Add(time.Hour)}, 2)
		f.put(Submission{ID: "later", ScheduleAt: time.Now().Add(time.Hour)}, 1)
		f.put(Submission{ID: "busy", Recipients: []string{alice, bob}, Priority: 1}, 1)
		j := f.take(sim1)
		for _, id := range []string{"m", "later", "m"} {
			m, err := f.Cancel(ctx, id)
			f.ok(err)
			if m.State != Cancelled || m.Recipients[0].Parts[0].State != PartCancelled || m.Recipients[0].Parts[0].Settled.IsZero() {
				t.Errorf("cancelled %s: %+v", id, m)
			}
		}
		_, err := f.Cancel(ctx, "busy")
		wantErr(t, err, ErrNotPending)
		_, err = f.Cancel(ctx, "nobody")
		wantErr(t, err, ErrNotFound)
		f.wantState("busy", Pending)
		f.accept(j)
		equal(t, "left to send", f.run(sim1), []string{"busy/1"})
		pause(2 * time.Hour)
		f.wantState("m", Cancelled)
		f.idle(sim1)
	})
}

func TestCancelAfterDeferral(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m")
		f.step(&Outcome{Job: f.take(sim1), Kind: OutcomeDeferred, RetryAt: time.Now().Add(time.Minute)}, nil)
		_, err := f.Cancel(ctx, "m")
		f.ok(err)
		pause(time.Hour)
		f.idle(sim1)
		f.wantState("m", Cancelled, PartCancelled)
	})
}

// TestReached: the times are those at which the aggregate first changed, oldest first.
func TestReached(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		start := time.Now()
		f.put(Submission{ID: "m", Recipients: []string{alice, bob}}, 1)
		pause(time.Second)
		a := f.accept(f.take(sim1)) // alice at 1 s, bob still pending
		pause(time.Second)
		j := f.take(sim1) // 2 s: nobody is pending any more
		pause(time.Second)
		b := f.accept(j)
		pause(time.Second)
		f.report(card1, a, alice, VerdictDelivered, Matched)
		pause(time.Second)
		f.report(card1, b, bob, VerdictDelivered, Matched)
		synctest.Wait()
		var got []time.Duration
		var states []State
		for _, r := range f.get("m").Reached {
			got = append(got, r.At.Sub(start))
			states = append(states, r.State)
		}
		equal(t, "states", states, []State{Pending, Processed, Sent, Delivered})
		equal(t, "times", got, []time.Duration{0, 2 * time.Second, 3 * time.Second, 5 * time.Second})
	})
}
