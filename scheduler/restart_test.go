package scheduler_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// What fell due while the daemon was down is found at once, although the store's wakes come before
// the SIMs are there.
func TestDueWhileDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{}, sim)
		for range 5 {
			sub := text("later")
			sub.ScheduleAt = time.Now().Add(time.Hour)
			r.post(sub)
		}
		r.halt()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		sims := r.sims
		r.sims = nil
		r.open()
		time.Sleep(second)
		for _, f := range sims {
			r.Add(f)
		}
		r.run()
		synctest.Wait()
		if n := len(sim.sent()); n != 5 {
			t.Errorf("%d of 5 sent", n)
		}
	})
}

// The parts that follow after a restart must fit those that went out before: same reference, same
// cuts, no part twice.
func TestPartsAgreeOverRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.latency = second
		r := start(t, scheduler.Options{}, sim)
		whole := strings.Repeat("Zwölf Boxkämpfer jagen Viktor. €[]", 20)
		other := r.post(text(strings.Repeat("b", 400))) // takes the first reference of the number
		time.Sleep(time.Minute)
		id := r.post(text(whole))
		for range 4 {
			time.Sleep(1500 * time.Millisecond)
			r.restart()
		}
		time.Sleep(time.Minute)
		r.expect(other, queue.Sent, "")
		r.expect(id, queue.Sent, "")

		log := sim.sent()[3:]
		var got strings.Builder
		for i, s := range log {
			got.WriteString(s.Text)
			if c := s.Concat; int(c.Number) != i+1 || int(c.Total) != len(log) || c.Reference != log[0].Concat.Reference || !s.Report {
				t.Errorf("submission %d: %+v, report %t", i, *c, s.Report)
			}
		}
		if got.String() != whole {
			t.Errorf("the parts make %q", got.String())
		}
		if log[0].Concat.Reference == sim.sent()[0].Concat.Reference {
			t.Errorf("two messages to one number share reference %d", log[0].Concat.Reference)
		}
	})
}

func TestValidityGoesIntoTheTPDU(t *testing.T) {
	tests := []struct {
		name  string
		valid time.Duration // at submission to us
		wait  time.Duration // until the SIM is ready
		want  pdu.Validity
	}{
		{"none", 0, time.Hour, pdu.Validity{Format: pdu.ValidityNone}},
		{"relative", time.Hour, 0, pdu.Validity{Format: pdu.ValidityRelative, For: time.Hour}},
		{"what remains", 2 * time.Hour, 90 * time.Minute, pdu.Validity{Format: pdu.ValidityRelative, For: 30 * time.Minute}},
		{"rounded up", 62 * time.Minute, 0, pdu.Validity{Format: pdu.ValidityRelative, For: 65 * time.Minute}},
		{"absolute", 13*time.Hour + 7*time.Minute, 0,
			pdu.Validity{Format: pdu.ValidityAbsolute, Until: time.Date(2000, 1, 1, 13, 7, 0, 0, time.UTC)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sim := newSIM(t, 1)
				r := idle(t, scheduler.Options{}, sim)
				sub := text(strings.Repeat("a", 300))
				if tt.valid > 0 {
					sub.ValidUntil = time.Now().Add(tt.valid)
				}
				r.post(sub)
				time.Sleep(tt.wait)
				r.run()
				synctest.Wait()
				for i, s := range sim.sent() {
					v := s.Validity
					if v.Format != tt.want.Format || v.For != tt.want.For || !v.Until.Equal(tt.want.Until) {
						t.Errorf("part %d: validity %+v, want %+v", i+1, v, tt.want)
					}
				}
				if n := len(sim.sent()); n != 2 {
					t.Errorf("%d parts", n)
				}
			})
		})
	}
}

// A part that is tried again later must not outlive the message in the network.
func TestValidityShrinksWithRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		sim.answer = inTurn(nil, refused(30), refused(30), refused(30)) // pauses of 1, 2 and 4 minutes
		r := start(t, scheduler.Options{}, sim)
		sub := text(strings.Repeat("a", 300))
		sub.ValidUntil = time.Now().Add(30 * time.Minute)
		r.post(sub)
		time.Sleep(time.Hour)
		var got []time.Duration
		for _, s := range sim.sent() {
			got = append(got, s.Validity.For/time.Minute)
		}
		if want := []time.Duration{30, 30, 30, 30, 25}; !slices.Equal(got, want) {
			t.Errorf("TP-VP of the submissions: %v minutes, want %v", got, want)
		}
	})
}

func TestWaitingTellsThatMoreFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := idle(t, scheduler.Options{}, sim)
		r.post(text(strings.Repeat("a", 300)))
		r.post(text("b"))
		r.run()
		synctest.Wait()
		for i, want := range []bool{true, true, false} {
			if got := sim.sent()[i].Waiting; got != want {
				t.Errorf("submission %d: waiting %t, want %t", i, got, want)
			}
		}
	})
}

func TestContentReachesTheTPDU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := newSIM(t, 1)
		r := start(t, scheduler.Options{FIFO: true}, sim)
		r.post(queue.Submission{
			Content: queue.Content{Data: []byte{0, 1, 255}, Port: 53739}, Recipients: []string{"22122"}, SkipPhoneValidation: true,
		})
		r.post(queue.Submission{Content: queue.Content{Text: "я", Flash: true}, Recipients: []string{"+447911123456"}, Report: true})
		synctest.Wait()
		data, flash := sim.sent()[0], sim.sent()[1]
		if data.Destination != "22122" || data.International || data.Report ||
			string(data.Data) != "\x00\x01\xff" || data.Ports.Destination != 53739 || data.Alphabet != pdu.Octets {
			t.Errorf("data message: %+v", data)
		}
		if flash.Destination != "+447911123456" || !flash.International || !flash.Report || !flash.Flash ||
			flash.Text != "я" || flash.Alphabet != pdu.UCS2 {
			t.Errorf("flash message: %+v", flash)
		}
	})
}
