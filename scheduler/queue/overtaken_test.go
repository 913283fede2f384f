package queue

import (
	"fmt"
	"testing"
	"time"
)

// TestReportBetweenUnknownAndInFlight: a part of unknown outcome, and another to the same number under
// way, when a report comes that may be about either. It is told by the TP-MR of the one under way.
func TestReportBetweenUnknownAndInFlight(t *testing.T) {
	const u, a, d = PartUnknown, PartAccepted, PartDelivered
	for _, tt := range []struct {
		name  string
		fresh bool // the card has not accepted anything before
		mr    uint8
		end   func(f *fixture, j *Job)
		state State
		parts []PartState
	}{
		{"the unknown part never left", false, 101, acceptedAs(101), Processed, []PartState{u, d}},
		{"the unknown part had left", false, 101, acceptedAs(102), Sent, []PartState{d, a}},
		{"fresh card, never left", true, 5, acceptedAs(5), Processed, []PartState{u, d}},
		{"fresh card, had left", true, 5, acceptedAs(6), Sent, []PartState{d, a}},
		{"the card began anew", false, 101, acceptedAs(100), Sent, []PartState{d, a}},
		{"the other did not leave", false, 101, func(f *fixture, j *Job) {
			f.step(&Outcome{Job: j, Kind: OutcomeDeferred, RetryAt: time.Now().Add(time.Minute)}, nil)
		}, Processed, []PartState{d, PartQueued}},
		{"both are unknown: the newest", false, 101, (*fixture).lose, Processed, []PartState{u, d}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{}, func(f *fixture) {
				if !tt.fresh {
					f.sent("before", bob, 100)
				}
				f.put(Submission{ID: "m"}, 2)
				f.lose(f.take(sim1))
				j := f.take(sim1)
				f.report(card1, tt.mr, alice, VerdictDelivered, Orphan)
				f.wantState("m", Processed, u, PartSubmitting)
				tt.end(f, j)
				f.wantState("m", tt.state, tt.parts...)
			})
		})
	}
}

func acceptedAs(mr uint8) func(*fixture, *Job) {
	return func(f *fixture, j *Job) { f.acceptAs(j, mr) }
}

// TestReportAfterUnknown: what the card accepted after an unknown part bounds the TP-MR of that part.
func TestReportAfterUnknown(t *testing.T) {
	for between := range uint8(3) {
		t.Run(fmt.Sprint(between), func(t *testing.T) {
			bubble(t, Options{}, func(f *fixture) {
				f.sent("before", bob, 100)
				f.puts("m")
				f.lose(f.take(sim1))
				f.sent("after", bob, 101+between) // the modem counted what it refused in between
				f.report(card1, 101+between, alice, VerdictDelivered, Orphan)
				f.report(card1, 102+between, alice, VerdictDelivered, Orphan)
				f.wantState("m", Processed, PartUnknown)
				if between > 0 {
					f.report(card1, 100+between, alice, VerdictDelivered, Matched)
					f.wantState("m", Delivered, PartDelivered)
				}
			})
		})
	}
}
