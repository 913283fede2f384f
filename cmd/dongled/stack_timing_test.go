package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// The network may take more than two minutes (Quectel: 135 s) to accept, to refuse, or to leave it
// open; nothing else is sent meanwhile, and what stayed open is never sent again.
func TestStackSlowNetwork(t *testing.T) {
	const slow = 135 * time.Second
	for _, tt := range []struct {
		name    string
		answer  virtual.Fault
		during  queue.State
		problem string // while it is open
		dayOn   queue.State
		end     string
		on      []string // the air
	}{
		{"accepts", virtual.Fault{}, queue.Sent, "", queue.Sent, "", []string{"slow", "next"}},
		{
			"+CMS ERROR: 350, having taken it",
			virtual.Fault{Do: virtual.CMS, Code: 350, Network: virtual.Takes}, queue.Processed, "", queue.Failed,
			"outcome unknown: the modem gave no answer and no report came; the message may have gone out",
			[]string{"slow", "next"},
		},
		{
			"+CMS ERROR: 350, not having taken it",
			virtual.Fault{Do: virtual.CMS, Code: 350}, queue.Processed, "", queue.Failed,
			"outcome unknown: the modem gave no answer and no report came; the message may have gone out",
			[]string{"next"},
		},
		{
			"refuses", virtual.Fault{Do: virtual.CMS, Code: 21}, queue.Failed,
			"Send result: RESULT_NETWORK_REJECT (+CMS ERROR: 21 (short message transfer rejected))", queue.Failed,
			"Send result: RESULT_NETWORK_REJECT (+CMS ERROR: 21 (short message transfer rejected))",
			[]string{"next"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := silent(7)
				o.Faults = append(o.Faults, virtual.Fault{Do: virtual.LateAnswer, Delay: slow})
				if tt.answer.Do != "" {
					o.Faults = append(o.Faults, tt.answer)
				}
				s := newStack(t, scheduler.Options{FIFO: true}, o)
				s.pass(time.Minute)
				asked := time.Now()
				id := s.post(to(phone, "slow"))
				next := s.post(to("+4915100000000", "next"))
				s.pass(slow - time.Second)
				s.expect(id, queue.Processed, "")
				s.expect(next, queue.Pending, "")
				s.pass(2 * time.Second)
				s.expect(id, tt.during, tt.problem)
				s.expect(next, queue.Sent, "")
				if p := s.get(next).Recipients[0].Parts[0]; p.MR != 8 || p.Submitted.Before(asked.Add(slow)) {
					t.Errorf("the next message has TP-MR %d and was begun after %v", p.MR, p.Submitted.Sub(asked))
				}
				s.pass(25 * time.Hour)
				s.expect(id, tt.dayOn, tt.end)
				if on := s.radios[0].texts(); !slices.Equal(on, tt.on) {
					t.Errorf("on the air: %q, want %q", on, tt.on)
				}
			})
		})
	}
}

// An answer that comes after send_timeout meets nobody: neither the next message nor the next session.
func TestStackAnswerAfterTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := silent(7)
		o.Faults = append(o.Faults, virtual.Fault{Do: virtual.LateAnswer, Delay: 190 * time.Second})
		s := newStack(t, scheduler.Options{FIFO: true}, o)
		s.pass(time.Minute)
		late := s.post(to(phone, "late"))
		next := s.post(to(phone, "next"))
		s.pass(4 * time.Minute)
		s.expect(late, queue.Processed, "")
		s.expect(next, queue.Sent, "")
		if p := s.get(next).Recipients[0].Parts[0]; p.MR != 8 {
			t.Errorf("the next message has TP-MR %d, want its own, 8", p.MR)
		}
		s.radios[0].reportAs(t, 7, phone, 0)
		s.expect(late, queue.Delivered, "")
		s.expect(next, queue.Sent, "")
	})
}

// One bad number keeps nobody waiting, and is given up in the end.
func TestStackPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each = 3 * time.Second
		s := newStack(t, scheduler.Options{FIFO: true}, virtual.Options{
			SubmitDelay: each, Faults: []virtual.Fault{{Do: virtual.CMS, Code: 38, To: phone, Every: 1}},
		})
		s.pass(time.Minute)
		poison := s.post(to(phone, "poison"))
		var good []string
		for i := range 10 {
			good = append(good, s.post(to(fmt.Sprintf("+49151000000%02d", i), "good")))
		}
		s.pass(11*each + time.Second)
		for _, id := range good {
			s.expect(id, queue.Delivered, "")
		}
		if got := s.get(poison); got.State != queue.Pending || got.Recipients[0].Parts[0].Attempts != 1 {
			t.Errorf("the poison is %v after %d attempts", got.State, got.Recipients[0].Parts[0].Attempts)
		}
		s.pass(12 * time.Hour)
		s.expect(poison, queue.Failed, "gave up after 8 attempts: "+
			"Send result: RESULT_NETWORK_ERROR (+CMS ERROR: 38 (network out of order))")
	})
}

// Registration is lost in the middle of a queue, at rest or between prompt and PDU: messages wait as
// long as it takes, no attempt is counted, and +CREG sets them going at once.
func TestStackRegistrationLost(t *testing.T) {
	for _, tt := range []struct {
		name string
		lost time.Duration // after the queue began to move
	}{
		{"while the network takes one", 3500 * time.Millisecond},
		{"while the dongle makes its prompt", 4500 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStack(t, scheduler.Options{FIFO: true}, virtual.Options{PromptDelay: time.Second, SubmitDelay: time.Second})
				r := s.radios[0]
				s.pass(time.Minute)
				var ids []string
				for i := range 5 {
					ids = append(ids, s.post(to(phone, fmt.Sprint("message ", i))))
				}
				s.pass(tt.lost)
				r.SetRegistration(2)
				s.pass(5 * time.Hour)
				for _, id := range ids[2:] {
					m := s.get(id)
					if p := m.Recipients[0].Parts[0]; m.State != queue.Pending || p.Attempts != 0 {
						t.Errorf("%s is %v after %d attempts", m.Content.Text, m.State, p.Attempts)
					}
				}
				r.SetRegistration(5)
				s.pass(30 * time.Second)
				for _, id := range ids {
					s.expect(id, queue.Delivered, "")
					if p := s.get(id).Recipients[0].Parts[0]; p.Attempts != 1 {
						t.Errorf("%d attempts", p.Attempts)
					}
				}
				if on := r.texts(); !slices.Equal(on, []string{"message 0", "message 1", "message 2", "message 3", "message 4"}) {
					t.Errorf("on the air: %q", on)
				}
			})
		})
	}
}

// A PIN that the SIM refuses is entered once, however often the port is opened after that.
func TestStackWrongPIN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRadio(1, virtual.Options{Name: "stack-pin", PIN: "1234"})
		r.pin = "4321"
		s := stackOf(t, scheduler.Options{}, r)
		id := s.post(to(phone, "hello"))
		for range 3 {
			s.pass(time.Hour)
			r.Unplug()
			s.pass(time.Minute)
			r.Plug()
			s.pass(time.Hour)
			s.restart()
		}
		s.pass(time.Hour)
		st := s.Modems()[0]
		if st.State != modem.StateNeedsPIN || st.Problem != modem.ProblemPINRefused {
			t.Errorf("the SIM is %v with %q", st.State, st.Problem)
		}
		s.expect(id, queue.Pending, "")
		s.stop()
		if got := r.ask(t, "AT+CPINR=\"SIM PIN\"\r"); !strings.Contains(got, "SIM PIN,2,3") {
			t.Errorf("tries left: %q, want 2 of 3", got)
		}
		s.start()
	})
}

// A stick that is pulled out in the middle of a queue and comes back: what was in the air is settled
// by its report, the others go on, and nothing is sent twice.
func TestStackUnplug(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault virtual.Fault
		on    int // parts on the air in the end
		third queue.State
		why   string
	}{
		{"the network took it", virtual.Fault{Do: virtual.Unplug, Nth: 3, Return: 5 * time.Minute, Network: virtual.Takes}, 6, queue.Delivered, ""},
		{
			"the network did not", virtual.Fault{Do: virtual.Unplug, Nth: 3, Return: 5 * time.Minute, Network: virtual.Misses}, 5, queue.Failed,
			"outcome unknown: the modem gave no answer and no report came; the message may have gone out",
		},
		{"before the prompt", virtual.Fault{Do: virtual.Unplug, On: virtual.OnPrompt, Nth: 3, Return: 5 * time.Minute}, 6, queue.Delivered, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStack(t, scheduler.Options{FIFO: true}, virtual.Options{
					SubmitDelay: 2 * time.Second, ReportDelay: time.Second, Faults: []virtual.Fault{tt.fault},
				})
				s.pass(time.Minute)
				var ids []string
				for i := range 6 {
					ids = append(ids, s.post(to(fmt.Sprintf("+49151000000%02d", i), fmt.Sprint("message ", i))))
				}
				s.pass(2 * time.Minute)
				s.expect(ids[0], queue.Delivered, "")
				s.expect(ids[3], queue.Pending, "")
				s.pass(10 * time.Minute)
				s.pass(25 * time.Hour)
				for i, id := range ids {
					if i == 2 {
						s.expect(id, tt.third, tt.why)
					} else {
						s.expect(id, queue.Delivered, "")
					}
				}
				if on := s.radios[0].texts(); len(on) != tt.on || len(slices.Compact(on)) != tt.on {
					t.Errorf("on the air: %q", on)
				}
			})
		})
	}
}

// What is left of the validity when a part goes out is what the network is told.
func TestStackValidity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRadio(1, virtual.Options{})
		r.SetRegistration(2)
		s := stackOf(t, scheduler.Options{}, r)
		sub := to(phone, strings.Repeat("two parts ", 20))
		sub.ValidUntil = time.Now().Add(10 * time.Hour)
		id := s.post(sub)
		gone := to(phone, "too late")
		gone.ValidUntil = time.Now().Add(time.Hour)
		expired := s.post(gone)
		s.pass(4 * time.Hour)
		s.expect(expired, queue.Failed, "TTL expired: validUntil passed before the message could be submitted")
		r.SetRegistration(1)
		s.pass(time.Minute)
		s.expect(id, queue.Delivered, "")
		if n := len(r.Submissions()); n != 2 {
			t.Fatalf("%d parts on the air", n)
		}
		for i, on := range r.Submissions() {
			if v := on.Submit.Validity; v.Format != pdu.ValidityRelative || v.For != 6*time.Hour {
				t.Errorf("part %d: TP-VP %+v, want 6 h, relative", i+1, v)
			}
		}
	})
}

// Unsolicited lines between any two lines of any dialogue, during bring-up and after, change nothing:
// not the states, not the TP-MRs, not what is on the air, not the sessions.
func TestStackStorm(t *testing.T) {
	type result struct {
		states   []queue.State
		mrs      []uint8
		on       []string
		sessions int
	}
	run := func(t *testing.T, noise ...virtual.Fault) (out result) {
		synctest.Test(t, func(t *testing.T) {
			faults := append([]virtual.Fault{
				{Do: virtual.CMS, Code: 41, Nth: 8}, {Do: virtual.CMS, Code: 21, Nth: 4},
				{Do: virtual.ReportBefore, Nth: 3}, {Do: virtual.ReportStatus, Code: 0x46, Nth: 5},
			}, noise...)
			s := newStack(t, scheduler.Options{FIFO: true}, virtual.Options{SubmitDelay: time.Second, Faults: faults})
			s.pass(time.Minute)
			for i := range 8 {
				s.post(to(fmt.Sprintf("+49151000000%02d", i), fmt.Sprint("message ", i)))
			}
			s.pass(10 * time.Minute)
			all, _, err := s.List(t.Context(), queue.Filter{Limit: 10, OldestFirst: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range all {
				out.states = append(out.states, m.State)
				out.mrs = append(out.mrs, m.Recipients[0].Parts[0].MR)
			}
			out.on, out.sessions = s.radios[0].texts(), s.Modems()[0].Sessions
		})
		return out
	}
	want := run(t)
	if len(want.states) != 8 || want.states[3] != queue.Failed || want.states[7] != queue.Delivered || want.sessions != 1 {
		t.Fatalf("without noise: %+v", want)
	}
	for _, noise := range []virtual.Fault{
		{Do: virtual.URCStorm, On: virtual.OnLine, Every: 1},
		{Do: virtual.URCStorm, On: virtual.OnSubmit, Every: 1},
		{Do: virtual.URCStorm, On: virtual.OnPrompt, Every: 1},
		{Do: virtual.Garbage, On: virtual.OnLine, Every: 1},
	} {
		if got := run(t, noise); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s on %s: %+v\nwithout: %+v", noise.Do, noise.On, got, want)
		}
	}
}
