package queue

import "testing"

// TestReportBesideAPartSentAgain: a part got no answer and is sent again, after another message to the
// same number. The report that bears this one's TP-MR is its, though the part's last submission is newer.
func TestReportBesideAPartSentAgain(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*fixture, *Job)
		part PartState
	}{
		{"accepted", acceptedAs(102), PartAccepted},
		{"unknown again", (*fixture).lose, PartQueued},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
				f.sent("before", bob, 100)
				f.put(Submission{ID: "again", Priority: -1}, 1)
				j := f.take(sim1)
				f.put(Submission{ID: "between", Priority: 1}, 1)
				f.lose(j)
				f.acceptAs(f.take(sim1), 101)
				tt.end(f, f.take(sim1))
				f.report(card1, 101, alice, VerdictDelivered, Matched)
				f.wantState("between", Delivered, PartDelivered)
				if got := f.get("again").Recipients[0].Parts[0].State; got != tt.part {
					t.Errorf("the other part is %v, want %v", got, tt.part)
				}
			})
		})
	}
}

// TestReportOfUnknownWhileMoreIsSent: the TP-MR that was due when a part got no answer cannot be that of
// a part under way two submissions later.
func TestReportOfUnknownWhileMoreIsSent(t *testing.T) {
	for _, fresh := range []bool{false, true} {
		bubble(t, Options{}, func(f *fixture) {
			if !fresh {
				f.sent("before", bob, 100)
			}
			f.put(Submission{ID: "m"}, 3)
			f.lose(f.take(sim1))
			f.acceptAs(f.take(sim1), 102)
			j := f.take(sim1)
			f.report(card1, 101, alice, VerdictDelivered, Matched)
			f.wantState("m", Processed, PartDelivered, PartAccepted, PartSubmitting)
			f.acceptAs(j, 103)
			f.report(card1, 103, alice, VerdictDelivered, Matched)
			f.report(card1, 102, alice, VerdictDelivered, Matched)
			f.wantState("m", Delivered, PartDelivered, PartDelivered, PartDelivered)
		})
	}
}

// TestEverySubmissionMayBeReported: a part that got no answer twice is settled by the report of either
// submission, though another message was accepted in between.
func TestEverySubmissionMayBeReported(t *testing.T) {
	for _, mr := range []uint8{101, 103} {
		bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
			f.sent("before", bob, 100)
			f.put(Submission{ID: "again", Priority: -1}, 1)
			j := f.take(sim1)
			f.put(Submission{ID: "between", Priority: 1}, 1)
			f.lose(j)
			f.acceptAs(f.take(sim1), 102)
			f.lose(f.take(sim1))
			f.report(card1, mr, alice, VerdictDelivered, Matched)
			f.wantState("again", Delivered, PartDelivered)
			f.wantState("between", Sent, PartAccepted)
		})
	}
}

// TestRepeatedReportWhileMoreIsSent: a report and its repetition come while a part to the same number is
// under way, which then gets no answer either. They settle one part, and not another with the repetition.
func TestRepeatedReportWhileMoreIsSent(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("before", bob, 100)
		f.puts("first", "second")
		f.lose(f.take(sim1))
		j := f.take(sim1)
		for range 2 {
			f.report(card1, 101, alice, VerdictDelivered, Orphan)
		}
		f.lose(j)
		delivered := 0
		for _, id := range []string{"first", "second"} {
			if f.get(id).State == Delivered {
				delivered++
			}
		}
		if delivered != 1 {
			t.Errorf("%d messages are delivered by one report", delivered)
		}
		f.wantOrphans(0)
	})
}
