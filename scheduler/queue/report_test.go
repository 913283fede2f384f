package queue

import (
	"testing"
	"time"
)

// sent is a message to a number whose parts were all accepted.
func (f *fixture) sent(id, to string, mrs ...uint8) {
	f.Helper()
	f.put(Submission{ID: id, Recipients: []string{to}, SIM: 1}, len(mrs))
	for _, mr := range mrs {
		f.acceptAs(f.take(sim1), mr)
	}
}

func TestReportSettles(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("m", alice, 250)
		pause(time.Second)
		if _, err := f.Report(ctx, Report{IMSI: card1, MR: 250, Recipient: alice, Status: 0x20, Verdict: VerdictTrying}); err != nil {
			t.Fatal(err)
		}
		f.wantState("m", Sent, PartAccepted)
		if p := f.get("m").Recipients[0].Parts[0]; p.Status != 0x20 || !p.Settled.IsZero() {
			t.Errorf("part while the service centre tries: %+v", p)
		}
		got, err := f.Report(ctx, Report{IMSI: card1, MR: 250, Recipient: alice, Status: 0x01, Verdict: VerdictDelivered, Text: "forwarded"})
		if err != nil || got != Matched {
			t.Fatal(got, err)
		}
		f.wantState("m", Delivered, PartDelivered)
		r := f.get("m").Recipients[0]
		if p := r.Parts[0]; p.Status != 0x01 || !p.Settled.Equal(time.Now()) || p.MR != 250 || r.Error != "forwarded" {
			t.Errorf("recipient %+v", r)
		}
	})
}

func TestReportOfFailure(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m"}, 3)
		f.accept(f.take(sim1)) // 1
		j := f.take(sim1)      // in flight
		f.report(card1, 1, alice, VerdictFailed, Matched)
		f.wantState("m", Failed, PartUndelivered, PartSubmitting, PartRejected)
		if got := f.get("m").Recipients[0].Error; got != "no such subscriber" {
			t.Errorf("error %q", got)
		}
		f.accept(j)
		f.idle(sim1)
		f.wantState("m", Failed, PartUndelivered, PartAccepted, PartRejected)
		f.report(card1, 2, alice, VerdictDelivered, Matched)
		if got := f.get("m").Recipients[0].Error; got != "no such subscriber" {
			t.Errorf("error %q after the report of another part", got)
		}
		f.wantState("m", Failed, PartUndelivered, PartDelivered, PartRejected)
	})
}

// TestReportOfFailureWhileWaiting: the parts that wait for their back-off are not sent any more.
func TestReportOfFailureWhileWaiting(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m"}, 2)
		f.accept(f.take(sim1))
		f.step(&Outcome{Job: f.take(sim1), Kind: OutcomeDeferred, RetryAt: time.Now().Add(time.Minute)}, nil)
		f.report(card1, 1, alice, VerdictFailed, Matched)
		pause(time.Hour)
		f.idle(sim1)
		f.wantState("m", Failed, PartUndelivered, PartRejected)
	})
}

// TestReportBeforeAnswer: a report that overtakes its +CMGS is kept and applied with it.
func TestReportBeforeAnswer(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m")
		j := f.take(sim1)
		f.report(card1, 1, alice, VerdictDelivered, Orphan)
		f.wantState("m", Processed, PartSubmitting)
		f.wantOrphans(1)
		f.acceptAs(j, 1)
		f.wantState("m", Delivered, PartDelivered)
		f.wantOrphans(0)
	})
}

// TestReportsBeforeAnswerInWrongOrder: all in one commit, the intermediate one last.
func TestReportsBeforeAnswerInWrongOrder(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("m")
		j := f.take(sim1)
		f.ok(f.do(ctx, func(t *tx) error {
			for _, v := range []Verdict{VerdictDelivered, VerdictTrying} {
				if m, err := t.report(&Report{IMSI: card1, MR: 9, Recipient: alice, Status: uint8(v), Verdict: v}); m != Orphan || err != nil {
					f.Errorf("found %d, %v", m, err)
				}
			}
			return nil
		}))
		f.wantOrphans(2)
		f.acceptAs(j, 9)
		f.wantState("m", Delivered, PartDelivered)
		if p := f.get("m").Recipients[0].Parts[0]; p.Status != int(VerdictDelivered) {
			t.Errorf("status %d, want that of the delivery", p.Status)
		}
	})
}

func TestFailureBeforeAnswer(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m"}, 2)
		j := f.take(sim1)
		f.report(card1, 1, alice, VerdictFailed, Orphan)
		f.acceptAs(j, 1)
		f.wantState("m", Failed, PartUndelivered, PartRejected)
		f.idle(sim1)
	})
}

// TestReportAfterWrap: TP-MR comes round after 256 submissions; the newest of the same number counts,
// whether the old one was settled or not, and whether or not +CMGS came first.
func TestReportAfterWrap(t *testing.T) {
	for _, settled := range []bool{false, true} {
		for _, overtakes := range []bool{false, true} {
			bubble(t, Options{}, func(f *fixture) {
				f.sent("old", alice, 0)
				old := PartAccepted
				if settled {
					f.report(card1, 0, alice, VerdictDelivered, Matched)
					old = PartDelivered
				}
				f.sent("between", bob, 254)
				f.sent("before", alice, 255)
				f.puts("new")
				j := f.take(sim1)
				if overtakes {
					f.report(card1, 0, alice, VerdictDelivered, Orphan)
					f.acceptAs(j, 0)
				} else {
					f.acceptAs(j, 0)
					f.report(card1, 0, alice, VerdictDelivered, Matched)
				}
				f.wantState("new", Delivered, PartDelivered)
				f.wantState("before", Sent, PartAccepted)
				if got := f.get("old").Recipients[0].Parts[0].State; got != old {
					t.Errorf("settled %t, overtakes %t: the old part is %v, want %v", settled, overtakes, got, old)
				}
			})
		}
	}
}

// TestLateReportWhileBusy: a report of a recent message is its own, although another part to the
// same number is in flight.
func TestLateReportWhileBusy(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("m", alice, 3)
		f.puts("busy")
		j := f.take(sim1)
		f.report(card1, 3, alice, VerdictDelivered, Matched)
		f.report(card1, 3, alice, VerdictDelivered, Repeated)
		f.accept(j)
		f.wantState("m", Delivered)
		f.wantState("busy", Sent)
	})
}

// TestReportNumbers: networks give the recipient in other forms than it was dialled in.
func TestReportNumbers(t *testing.T) {
	for _, c := range []struct {
		to, from string
		match    Match
	}{
		{alice, "4915112345678", Matched},
		{alice, "015112345678", Matched},      // national, trunk zero
		{alice, "15112345678", Matched},       // national significant
		{alice, "004915112345678", Matched},   // international prefix dialled
		{alice, "+#084915112345678", Matched}, // ZTE's nested address
		{alice, "345678", Matched},            // six digits are the least
		{alice, "45678", Orphan},              // five are too few
		{alice, "+4916012345678", Orphan},     // same end, other number
		{alice, bob, Orphan},                  //
		{alice, "", Orphan},                   //
		{"12345", "12345", Matched},           // short codes match as a whole
		{"12345", "+12345", Matched},          //
		{"12345", "2345", Orphan},             //
		{"123456", "123456", Matched},         // six digits
		{"123456", "+49123456", Matched},      //
		{"123456", "123457", Orphan},          //
		{"*100#", "*100#", Matched},           //
		{"*100#", "100", Orphan},              //
		{"+491512000000", "000000", Orphan},   // nothing but trunk zeros
		{"015112345678", "+4915112345678", Matched},
	} {
		bubble(t, Options{}, func(f *fixture) {
			f.sent("m", c.to, 7)
			f.report(card1, 7, c.from, VerdictDelivered, c.match)
			want := Delivered
			if c.match == Orphan {
				want = Sent
			}
			if got := f.get("m").State; got != want {
				t.Errorf("sent to %s, reported for %s: %v, want %v", c.to, c.from, got, want)
			}
		})
	}
}

func TestReportsOfTwoParts(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("m", alice, 255, 0)
		f.report(card1, 0, alice, VerdictDelivered, Matched)
		f.wantState("m", Sent, PartAccepted, PartDelivered)
		f.report(card1, 255, alice, VerdictDelivered, Matched)
		f.wantState("m", Delivered, PartDelivered, PartDelivered)
	})
}

func TestReportAfterRestart(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("m", alice, 8)
		f.puts("overtaken")
		j := f.take(sim1)
		f.report(card1, 9, alice, VerdictDelivered, Orphan)
		f.reopen() // j's outcome never comes; its report did
		f.report(card1, 8, alice, VerdictDelivered, Matched)
		f.wantState("m", Delivered)
		f.wantState("overtaken", Delivered, PartDelivered)
		if p := f.get("overtaken").Recipients[0].Parts[0]; p.MR != 9 || j.Attempts != p.Attempts {
			t.Errorf("part %+v", p)
		}
	})
}

func TestRepeatedReport(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("m", alice, 4)
		f.report(card1, 4, alice, VerdictDelivered, Matched)
		pause(time.Hour)
		settled := f.get("m").Recipients[0].Parts[0]
		for _, v := range []Verdict{VerdictDelivered, VerdictFailed, VerdictTrying} {
			f.report(card1, 4, alice, v, Repeated)
		}
		if got := f.get("m").Recipients[0].Parts[0]; got != settled {
			t.Errorf("part %+v, was %+v", got, settled)
		}
		f.wantOrphans(0)
		// Nor does it settle what is unknown since.
		f.puts("unknown")
		f.lose(f.take(sim1))
		f.report(card1, 4, alice, VerdictDelivered, Repeated)
		f.wantState("unknown", Processed, PartUnknown)
	})
}

func TestOrphan(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.report(card1, 1, alice, VerdictDelivered, Orphan)
		pause(time.Second)
		f.report(card2, 1, alice, VerdictDelivered, Orphan)
		f.wantOrphans(2)
		// A message submitted later is not what an earlier report was about.
		f.sent("m", alice, 1)
		f.wantState("m", Sent)
		f.reopen()
		pause(7*24*time.Hour - time.Second - time.Millisecond)
		f.wantOrphans(2)
		pause(time.Millisecond)
		f.wantOrphans(1)
		pause(time.Second)
		f.wantOrphans(0)
	})
}

func TestReportOfAnotherCard(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("m", alice, 5)
		f.report(card2, 5, alice, VerdictDelivered, Orphan)
		f.report("26201111111111", 5, alice, VerdictDelivered, Orphan)
		f.report(card1, 6, alice, VerdictDelivered, Orphan)
		f.wantState("m", Sent)
	})
}

func TestNoReportAsked(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		_, err := f.Enqueue(ctx, Submission{ID: "m", Recipients: []string{alice}}, 1)
		f.ok(err)
		f.acceptAs(f.take(sim1), 5)
		f.report(card1, 5, alice, VerdictDelivered, Orphan)
		f.wantState("m", Sent)
	})
}

// TestReportOfUnknown: TP-MR goes up by one with each submission, refused ones included; so the
// report of a part without +CMGS is the one whose TP-MR is next after the card's last.
func TestReportOfUnknown(t *testing.T) {
	for _, c := range []struct {
		mr    uint8
		match Match
	}{{254, Orphan}, {255, Matched}, {0, Matched}, {7, Matched}, {8, Orphan}, {100, Orphan}} {
		bubble(t, Options{}, func(f *fixture) {
			f.sent("other", bob, 255)
			f.puts("m")
			f.lose(f.take(sim1))
			f.report(card1, c.mr, alice, VerdictDelivered, c.match)
			if c.match == Orphan {
				f.wantState("m", Processed, PartUnknown)
				return
			}
			f.wantState("m", Delivered, PartDelivered)
			if p := f.get("m").Recipients[0].Parts[0]; p.MR != c.mr {
				t.Errorf("TP-MR %d, want %d", p.MR, c.mr)
			}
			f.report(card1, c.mr, alice, VerdictDelivered, Repeated)
		})
	}
}

// TestReportThenNoAnswer: the report came, +CMGS never does; also where nothing was known of the
// card's TP-MR.
func TestReportThenNoAnswer(t *testing.T) {
	for _, first := range []bool{false, true} {
		bubble(t, Options{}, func(f *fixture) {
			if !first {
				f.sent("other", bob, 10)
			}
			f.puts("m")
			j := f.take(sim1)
			f.report(card1, 11, alice, VerdictDelivered, Orphan)
			f.lose(j)
			f.wantState("m", Delivered, PartDelivered)
			f.wantOrphans(0)
		})
	}
}

// TestUnknownAndWrap: a report whose TP-MR an old message bears too is of the newer unknown part, and
// a message accepted since keeps its own.
func TestUnknownAndWrap(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.sent("old", alice, 5)
		f.report(card1, 5, alice, VerdictDelivered, Matched)
		f.sent("last", bob, 4)
		f.puts("unknown")
		f.lose(f.take(sim1)) // 5, without +CMGS
		f.sent("since", alice, 6)
		f.report(card1, 6, alice, VerdictDelivered, Matched)
		f.report(card1, 6, alice, VerdictDelivered, Repeated)
		f.wantState("since", Delivered)
		f.wantState("unknown", Processed, PartUnknown)
		f.report(card1, 5, alice, VerdictDelivered, Matched)
		f.wantState("unknown", Delivered, PartDelivered)
	})
}

// TestReportOfFailureWhileInFlight: a part that comes back unsent, when another one's failure was
// reported meanwhile, is not sent again.
func TestReportOfFailureWhileInFlight(t *testing.T) {
	for _, kind := range []OutcomeKind{OutcomeDeferred, OutcomeUnknown} {
		bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
			f.put(Submission{ID: "m"}, 2)
			f.accept(f.take(sim1))
			j := f.take(sim1)
			f.report(card1, 1, alice, VerdictFailed, Matched)
			f.step(&Outcome{Job: j, Kind: kind, Error: "busy"}, nil)
			f.wantState("m", Failed, PartUndelivered, PartRejected)
			f.idle(sim1)
			if got := f.get("m").Recipients[0].Error; got != "no such subscriber" {
				t.Errorf("error %q", got)
			}
		})
	}
}
