package queue

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// night is a claim in quiet hours that last for d more.
func night(c Claim, d time.Duration) Claim {
	c.QuietUntil = time.Now().Add(d)
	return c
}

// hush puts quiet messages of one part.
func (f *fixture) hush(ids ...string) {
	f.Helper()
	for _, id := range ids {
		f.put(Submission{ID: id, Quiet: true}, 1)
	}
}

// waiting is how many entries all lanes have.
func (f *fixture) waiting() (n int) {
	f.Helper()
	f.ok(f.do(ctx, func(t *tx) error { n = t.ready.Stats().KeyN; return nil }))
	return n
}

// TestQuietWaits: a quiet message leaves the lane until quiet hours end, and then wakes its SIM; it is not
// looked at meanwhile.
func TestQuietWaits(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.hush("a")
		if again := f.idle(night(sim1, time.Hour)); !again.IsZero() {
			t.Errorf("ask again at %v: there is a timer", again)
		}
		if n := f.waiting(); n != 0 {
			t.Errorf("%d wait in lanes", n)
		}
		f.wakes()
		time.Sleep(time.Hour - time.Millisecond)
		synctest.Wait()
		f.idle(night(sim1, time.Millisecond))
		equal(t, "wakes before the end", f.wakes(), nil)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		equal(t, "wakes at the end", f.wakes(), []int{LaneAny})
		equal(t, "sent", f.run(sim1), []string{"a"})
	})
}

// TestQuietBounds: quiet hours that end now, or ended, hold nothing.
func TestQuietBounds(t *testing.T) {
	for _, left := range []time.Duration{0, -time.Second, time.Nanosecond} {
		bubble(t, Options{}, func(f *fixture) {
			f.hush("a")
			equal(t, fmt.Sprint("sent, ", left, " before the end"), f.run(night(sim1, left)), []string{"a"})
		})
	}
}

// TestQuietByPriority: quiet hours are about the recipient, so that no priority passes them; others pass what
// is held, whatever theirs.
func TestQuietByPriority(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "urgent", Quiet: true, Priority: 127}, 1)
		f.put(Submission{ID: "loud", Priority: -128}, 1)
		f.hush("usual")
		equal(t, "by night", f.run(night(sim1, time.Hour)), []string{"loud"})
		time.Sleep(time.Hour)
		synctest.Wait()
		equal(t, "by day", f.run(sim1), []string{"urgent", "usual"})
	})
}

// TestQuietCrowd: however many wait, a message that does not is found, and each is put off once.
func TestQuietCrowd(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		const crowd = 3*maxSkip + 7
		for i := range crowd {
			f.hush(fmt.Sprint("q", i))
		}
		f.puts("loud")
		c := night(sim1, time.Hour)
		claims := 1
		j, again := f.step(nil, &c)
		for ; j == nil; claims++ {
			if again.IsZero() || again.After(time.Now()) {
				t.Fatalf("nothing after %d claims, again at %v", claims, again)
			}
			j, again = f.step(nil, &c)
		}
		if j.ID != "loud" || claims != 4 {
			t.Errorf("got %s at claim %d, want loud at the 4th", j.ID, claims)
		}
		f.accept(j)
		f.idle(c)
		time.Sleep(time.Hour)
		synctest.Wait()
		if sent := f.run(sim1); len(sent) != crowd || sent[0] != "q0" || sent[crowd-1] != fmt.Sprint("q", crowd-1) {
			t.Errorf("sent %d in the morning: %q", len(sent), sent)
		}
	})
}

// TestQuietGoesOn: of whom something may have gone out gets the rest; whose first part did not get out waits,
// and so do the other recipients of the message.
func TestQuietGoesOn(t *testing.T) {
	t.Run("the parts left", func(t *testing.T) {
		bubble(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", Quiet: true}, 3)
			j := f.take(sim1)
			c := night(sim1, time.Hour)
			c.Last = j
			f.mr[card1]++
			next, _ := f.step(&Outcome{Job: j, Kind: OutcomeAccepted, MR: 1}, &c)
			if next == nil || name(next) != "a.1" {
				t.Fatalf("claimed %+v", next)
			}
			f.accept(next)
			equal(t, "the rest", f.run(c), []string{"a.2"})
		})
	})
	t.Run("a part in doubt", func(t *testing.T) {
		bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
			f.hush("a")
			f.lose(f.take(sim1))
			equal(t, "sent", f.run(night(sim1, time.Hour)), []string{"a"})
		})
	})
	t.Run("a part that did not get out", func(t *testing.T) {
		bubble(t, Options{}, func(f *fixture) {
			f.hush("a")
			f.step(&Outcome{Job: f.take(sim1), Kind: OutcomeDeferred, Error: "busy"}, nil)
			f.idle(night(sim1, time.Hour))
			f.wantState("a", Pending, PartQueued)
		})
	})
	t.Run("the other recipients", func(t *testing.T) {
		bubble(t, Options{}, func(f *fixture) {
			f.put(Submission{ID: "a", Quiet: true, Recipients: []string{alice, bob}}, 1)
			j := f.take(sim1)
			f.accept(j)
			c := night(sim1, time.Hour)
			c.Last = j
			f.idle(c)
			time.Sleep(time.Hour)
			synctest.Wait()
			equal(t, "sent in the morning", f.run(sim1), []string{"a/1"})
		})
	})
}

// TestQuietEnds: what is held can end otherwise than by being sent.
func TestQuietEnds(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "brief", Quiet: true, ValidUntil: time.Now().Add(time.Minute)}, 1)
		f.hush("unwanted")
		f.idle(night(sim1, time.Hour))
		_, err := f.Cancel(ctx, "unwanted")
		f.ok(err)
		time.Sleep(time.Minute)
		synctest.Wait()
		if m := f.get("brief"); m.State != Failed || !m.Reached[1].At.Equal(m.ValidUntil) || m.Recipients[0].Error != errExpired {
			t.Errorf("brief is %+v", m)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		equal(t, "sent in the morning", f.run(sim1), nil)
	})
}

// TestQuietSchedule: a message that comes due at night is held then, and not before.
func TestQuietSchedule(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "a", Quiet: true, ScheduleAt: time.Now().Add(30 * time.Minute)}, 1)
		f.idle(night(sim1, time.Hour))
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if n := f.waiting(); n != 1 {
			t.Errorf("%d wait, want the one that came due", n)
		}
		f.idle(night(sim1, 30*time.Minute))
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		equal(t, "sent in the morning", f.run(sim1), []string{"a"})
	})
}

// TestQuietSurvives a restart: that a message is quiet, and that it waits.
func TestQuietSurvives(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.hush("held", "fresh")
		f.idle(night(sim1, time.Hour))
		f.hush("later")
		f.reopen()
		if !f.get("held").Quiet || f.get("held").State != Pending {
			t.Errorf("came back as %+v", f.get("held"))
		}
		f.idle(night(sim1, time.Hour))
		time.Sleep(time.Hour)
		synctest.Wait()
		equal(t, "sent in the morning", f.run(sim1), []string{"later", "fresh", "held"})
	})
}

// TestQuietSealed: a message that is opened at night waits like others.
func TestQuietSealed(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "a", Quiet: true, Encrypted: true, Recipients: []string{"$x"}}, 1)
		f.ok(f.Unseal(ctx, 1, Opened{Content: Content{Text: "x"}, Parts: 1, Recipients: []OpenedRecipient{{Number: alice}}}))
		f.idle(night(sim1, time.Hour))
		if n := f.waiting(); n != 0 {
			t.Errorf("%d wait in lanes", n)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		j := f.take(sim1)
		if j.To != alice || j.Content.Text != "x" {
			t.Errorf("claimed %+v", j)
		}
		f.accept(j)
	})
}

// TestQuietHoursDoNotCloseTheQueue: what they put off is as old as their end, for Limits.MaxPendingAge,
// over a restart and a change of the limit too.
func TestQuietHoursDoNotCloseTheQueue(t *testing.T) {
	bubble(t, Options{Limits: Limits{MaxPendingAge: time.Hour}}, func(f *fixture) {
		f.hush("a", "b")
		f.idle(night(sim1, 8*time.Hour))
		time.Sleep(7 * time.Hour)
		f.hush("c")
		f.opts.Limits.MaxPendingAge = 0
		f.reopen()
		f.opts.Limits.MaxPendingAge = time.Hour
		f.reopen()
		f.idle(night(sim1, time.Hour))
		time.Sleep(2 * time.Hour) // they could be sent for an hour, which is not more
		synctest.Wait()
		f.puts("d")
		time.Sleep(time.Second)
		_, err := f.Enqueue(ctx, Submission{Recipients: []string{alice}}, 1)
		wantReason(t, err, "too old pending message: 2000-01-01T08:00:00Z")
	})
}

func wantReason(t *testing.T, err error, want string) {
	t.Helper()
	if limit, is := err.(*LimitError); !is || limit.Reason != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
