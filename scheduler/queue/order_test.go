package queue

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestHighestPriorityFirst(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		for id, prio := range map[string]int8{"low": -128, "below": -1, "normal": 0, "above": 1, "urgent": 100, "top": 127} {
			f.put(Submission{ID: id, Priority: prio}, 1)
		}
		equal(t, "order", f.run(sim1), []string{"top", "urgent", "above", "normal", "below", "low"})
	})
}

func TestNewestFirst(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("a", "b", "c")
		equal(t, "LIFO", f.run(sim1), []string{"c", "b", "a"})
	})
}

func TestOldestFirst(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		f.puts("a", "b", "c")
		f.put(Submission{ID: "vip", Priority: 5}, 1)
		equal(t, "FIFO", f.run(sim1), []string{"vip", "a", "b", "c"})
	})
}

// TestOrderChanges: the order may change while messages wait, and while one is under way.
func TestOrderChanges(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("a", "b", "c", "d")
		j := f.take(sim1)
		equal(t, "newest first", []string{name(j)}, []string{"d"})
		f.SetFIFO(true)
		f.accept(j)
		j = f.take(sim1)
		equal(t, "then oldest first", []string{name(j)}, []string{"a"})
		f.accept(j)
		f.SetFIFO(false)
		equal(t, "and back", f.run(sim1), []string{"c", "b"})
	})
}

// TestLanes: a SIM takes what names it and what names none, as one queue; never another's.
func TestLanes(t *testing.T) {
	for _, fifo := range []bool{false, true} {
		bubble(t, Options{FIFO: fifo}, func(f *fixture) {
			f.put(Submission{ID: "any1"}, 1)
			f.put(Submission{ID: "own1", SIM: 1}, 1)
			f.put(Submission{ID: "other", SIM: 2, Priority: 127}, 1)
			f.put(Submission{ID: "any2"}, 1)
			f.put(Submission{ID: "own2", SIM: 1}, 1)
			f.put(Submission{ID: "anyvip", Priority: 9}, 1)
			equal(t, "another SIM", f.run(Claim{SIM: 3, IMSI: "262033333333333"}), nil)
			if fifo {
				equal(t, "with the shared lane", f.run(sim1), []string{"anyvip", "any1", "own1", "any2", "own2"})
			} else {
				equal(t, "with the shared lane", f.run(sim1), []string{"anyvip", "own2", "any2", "own1", "any1"})
			}
			f.put(Submission{ID: "any3"}, 1)
			f.put(Submission{ID: "own3", SIM: 1}, 1)
			equal(t, "without the shared lane", f.run(Claim{SIM: 1, IMSI: card1}), []string{"own3"})
			equal(t, "SIM 2 alone", f.run(Claim{SIM: 2, IMSI: card2}), []string{"other"})
			equal(t, "SIM 2", f.run(sim2), []string{"any3"})
		})
	}
}

// TestRecipientsTogether: the recipients of a message go in their order, and the rest of a begun
// message before newer ones of the same priority, but not before higher ones.
func TestRecipientsTogether(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m", Recipients: []string{alice, bob, "12345"}}, 1)
		j := f.take(sim1)
		f.put(Submission{ID: "newer"}, 1)
		if !j.First || !j.Rest || j.Lane != LaneAny || !j.Waiting {
			t.Errorf("first job of three: %+v", j)
		}
		f.accept(j)
		c := sim1
		c.Last = j
		j = f.take(c)
		if name(j) != "m/1" || j.First {
			t.Errorf("after m came %s (first: %t), want m/1", name(j), j.First)
		}
		f.put(Submission{ID: "vip", Priority: 1}, 1)
		f.accept(j)
		equal(t, "the rest", f.run(c), []string{"vip", "newer", "m/2"})
	})
}

func TestLastMessageGoesOn(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "m", Recipients: []string{alice, bob, "12345"}}, 1)
		j := f.take(sim1)
		f.puts("newer")
		f.accept(j)
		c := sim1
		c.Last = j
		equal(t, "order", f.run(c), []string{"m/1", "m/2", "newer"})
	})
}

func TestTwoSIMsShareALane(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		f.puts("a", "b", "c")
		one, two := f.take(sim1), f.take(sim2)
		equal(t, "claims", []string{name(one), name(two)}, []string{"a", "b"})
		if one.SIM != 1 || two.SIM != 2 || two.IMSI != card2 {
			t.Errorf("jobs %+v and %+v", one, two)
		}
		if one.Rest {
			t.Error("a message to one recipient has no rest")
		}
	})
}

// TestPartsTogether: the parts of a recipient follow one another over the SIM that began, with one
// reference, whatever else comes in.
func TestPartsTogether(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "long"}, 3)
		j := f.take(sim1)
		f.put(Submission{ID: "vip", Priority: 127}, 1)
		equal(t, "SIM 2 meanwhile", f.run(sim2), []string{"vip"})
		f.wantState("long", Processed, PartSubmitting, PartQueued, PartQueued)
		if !j.Waiting || j.Parts != 3 {
			t.Errorf("first of three parts: %+v", j)
		}
		f.puts("newer")
		ref := j.Reference
		f.accept(j)
		for _, want := range []string{"long.1", "long.2"} {
			j = f.take(sim1)
			if name(j) != want || j.Reference != ref || j.First {
				t.Errorf("claimed %s with reference %d (first: %t), want %s with %d", name(j), j.Reference, j.First, want, ref)
			}
			f.accept(j)
		}
		f.wantState("long", Sent, PartAccepted, PartAccepted, PartAccepted)
		equal(t, "then", f.run(sim1), []string{"newer"})
	})
}

// TestResumedFirst: a message with parts out goes on before all others, over its own SIM, after a
// back-off and after a restart.
func TestResumedFirst(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "long"}, 2)
		f.accept(f.take(sim1))
		j := f.take(sim1)
		at := time.Now().Add(10 * time.Second)
		f.step(&Outcome{Job: j, Kind: OutcomeDeferred, RetryAt: at, Error: "congestion"}, nil)
		f.put(Submission{ID: "vip", Priority: 126}, 1)
		f.puts("plain")
		equal(t, "SIM 1 during the back-off", []string{name(f.take(sim1))}, []string{"vip"})
		f.wakes()
		time.Sleep(10*time.Second + time.Millisecond)
		synctest.Wait()
		equal(t, "woken lanes", f.wakes(), []int{1})
		equal(t, "SIM 2", f.run(sim2), []string{"plain"})
	})
}

func TestRestartGoesOn(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "long"}, 3)
		j := f.take(sim1)
		f.accept(j)
		f.reopen()
		f.put(Submission{ID: "vip", Priority: 126}, 1)
		equal(t, "another SIM", f.run(sim2), []string{"vip"})
		next := f.take(sim1)
		if name(next) != "long.1" || next.Reference != j.Reference {
			t.Errorf("claimed %s with reference %d, want long.1 with %d", name(next), next.Reference, j.Reference)
		}
		f.accept(next)
		equal(t, "the rest", f.run(sim1), []string{"long.2"})
	})
}

// TestReferencesCountUp: one number never sees a reference twice within 256 long messages, over
// restarts; messages of one part need none.
func TestReferencesCountUp(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		for want := range 5 {
			if want == 3 {
				f.reopen()
			}
			f.put(Submission{}, 2)
			f.put(Submission{}, 1)
			f.put(Submission{Recipients: []string{bob}}, 2)
			for i := range 5 {
				j := f.take(sim1)
				if j.Parts == 2 && int(j.Reference) != want || j.Parts == 1 && j.Reference != 0 {
					t.Errorf("round %d, job %d to %s: reference %d of %d parts", want, i, j.To, j.Reference, j.Parts)
				}
				f.accept(j)
			}
		}
	})
}

func TestJob(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		until := time.Now().Add(time.Hour)
		m := f.put(Submission{ID: "x", SIM: 1, Priority: -3, ValidUntil: until, Recipients: []string{bob}}, 1)
		if m.State != Pending || m.Recipients[0].SIM != 0 || !m.ValidUntil.Equal(until) {
			t.Errorf("accepted as %+v", m)
		}
		j := f.take(sim1)
		if j.ID != "x" || j.To != bob || j.Content.Text != "hello" || !j.Report || j.Priority != -3 || !j.ValidUntil.Equal(until) ||
			j.SIM != 1 || j.IMSI != card1 || j.Attempts != 1 || j.Faults != 0 || !j.First || j.Lane != 1 || j.Rest || j.Waiting {
			t.Errorf("job %+v", j)
		}
		f.acceptAs(j, 17)
		r := f.get("x").Recipients[0]
		p := r.Parts[0]
		if r.SIM != 1 || p.IMSI != card1 || p.MR != 17 || p.Attempts != 1 || p.Status != -1 ||
			!p.Submitted.Equal(time.Now()) || !p.Accepted.Equal(time.Now()) || !p.Settled.IsZero() {
			t.Errorf("part %+v", p)
		}
	})
}
