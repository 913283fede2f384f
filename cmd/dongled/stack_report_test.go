package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// What happens to status reports between the network and the state of a message, with every part of
// the way the real one except the dongle.

const phone = "+4915112345678"

// silent is a dongle about whose messages the network says nothing by itself.
func silent(mr uint8) virtual.Options {
	return virtual.Options{FirstMR: mr, Faults: []virtual.Fault{{Do: virtual.ReportNever, Every: 1}}}
}

// reportAs has the network send a report about the last message to number that bears mr.
func (r *radio) reportAs(t *testing.T, mr uint8, number string, status pdu.Status) {
	t.Helper()
	now := time.Now().UTC()
	err := r.SendReport(pdu.Report{
		SMSC: virtual.DefaultSMSC, MR: mr, Recipient: number, SCTS: now, Discharge: now, Status: status,
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(rides)
	synctest.Wait()
}

// rides is longer than a report waits for the commit of a part in flight to share.
const rides = 10 * time.Millisecond

func TestStackReportBeforeAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, virtual.Options{
			SubmitDelay: time.Second, Faults: []virtual.Fault{{Do: virtual.ReportBefore, Every: 1}},
		})
		var order []string
		s.onPart = func(_ *queue.Job, _ error, after bool) {
			if after {
				order = append(order, "+CMGS")
			}
		}
		id := s.post(to(phone, strings.Repeat("two parts ", 20)))
		s.pass(time.Minute)
		s.expect(id, queue.Delivered, "")
		for i, p := range s.get(id).Recipients[0].Parts {
			if p.Accepted.IsZero() || p.MR != virtual.DefaultFirstMR+uint8(i) {
				t.Errorf("part %d: accepted %v under TP-MR %d", i+1, p.Accepted, p.MR)
			}
		}
		if len(order) != 2 {
			t.Errorf("%d answers", len(order))
		}
	})
}

// Two messages to one phone bear the same TP-MR once 256 others were sent: the report is the newest
// one's, and the next such report the old one's.
func TestStackReportAfterWrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{FIFO: true}, silent(255))
		old := s.post(to(phone, "old"))
		for range 255 {
			s.post(to("+4915100000000", "in between"))
		}
		late := s.post(to(phone, "late"))
		s.pass(time.Minute)
		for _, id := range []string{old, late} {
			s.expect(id, queue.Sent, "")
			if p := s.get(id).Recipients[0].Parts[0]; p.MR != 255 {
				t.Fatalf("TP-MR %d, want 255", p.MR)
			}
		}
		s.radios[0].reportAs(t, 255, phone, 0)
		s.expect(late, queue.Delivered, "")
		s.expect(old, queue.Sent, "")
		s.radios[0].reportAs(t, 255, phone, 0)
		s.expect(old, queue.Delivered, "")
	})
}

// A card counts on from 255 to 0 in the middle of a message.
func TestStackReportsAcrossZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, silent(255))
		id := s.post(to(phone, strings.Repeat("three parts here ", 20)))
		s.pass(time.Minute)
		r := s.radios[0]
		for i, mr := range []uint8{1, 255, 0} {
			want := queue.Sent
			r.reportAs(t, mr, phone, 0)
			if i == 2 {
				want = queue.Delivered
			}
			s.expect(id, want, "")
		}
	})
}

func TestStackReportNumbers(t *testing.T) {
	for _, tt := range []struct{ sent, reported string }{
		{"+4915112345678", "015112345678"},
		{"+4915112345678", "004915112345678"},
		{"+4915112345678", "15112345678"},
		{"015112345678", "+4915112345678"},
		{"12346", "12346"},
	} {
		t.Run(tt.sent+" as "+tt.reported, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStack(t, scheduler.Options{}, silent(9))
				id := s.post(to(tt.sent, "hello"))
				s.pass(time.Minute)
				s.radios[0].reportAs(t, 9, "+4917100000000", 0) // a stranger's
				s.expect(id, queue.Sent, "")
				s.radios[0].reportAs(t, 9, tt.reported, 0)
				s.expect(id, queue.Delivered, "")
			})
		})
	}
}

func TestStackReportsOfTwoParts(t *testing.T) {
	const failed = "Delivery result from SC +491710760000: 70 (validity period expired)"
	for _, tt := range []struct {
		name     string
		statuses [2]pdu.Status // of part 2, then of part 1
		between  queue.State
		after    queue.State
	}{
		{"both delivered, the second first", [2]pdu.Status{0, 0}, queue.Sent, queue.Delivered},
		{"one delivered, one not", [2]pdu.Status{0, 0x46}, queue.Sent, queue.Failed},
		{"one not, one delivered", [2]pdu.Status{0x46, 0}, queue.Failed, queue.Failed},
		{"still trying, then delivered", [2]pdu.Status{0x20, 0}, queue.Sent, queue.Sent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStack(t, scheduler.Options{}, silent(20))
				id := s.post(to(phone, strings.Repeat("two parts ", 20)))
				s.pass(time.Minute)
				for i, want := range []queue.State{tt.between, tt.after} {
					s.radios[0].reportAs(t, 21-uint8(i), phone, tt.statuses[i])
					got := s.get(id)
					if got.State != want {
						t.Errorf("after report %d the message is %v, want %v", i+1, got.State, want)
					}
					if text := got.Recipients[0].Error; want == queue.Failed && !strings.Contains(text, "70") {
						t.Errorf("error %q, want one like %q", text, failed)
					}
				}
			})
		})
	}
}

// The report of a message that an earlier life of the gateway sent; it comes while none runs, or
// while the next one is coming up.
func TestStackReportAfterRestart(t *testing.T) {
	for _, tt := range []struct {
		name string
		next func(*stack, func())
	}{
		{"while stopped", func(s *stack, report func()) { s.stop(); report(); s.start() }},
		{"after a restart", func(s *stack, report func()) { s.restart(); report() }},
		{"after a crash", func(s *stack, report func()) { s.crash(nil); report() }},
		{"hours after", func(s *stack, report func()) { s.restart(); s.pass(3 * time.Hour); report() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStack(t, scheduler.Options{}, silent(77))
				id := s.post(to(phone, "hello"))
				s.pass(time.Minute)
				s.expect(id, queue.Sent, "")
				tt.next(s, func() { s.radios[0].reportAs(t, 77, phone, 0) })
				s.pass(time.Minute)
				s.expect(id, queue.Delivered, "")
			})
		})
	}
}

// The report about a part that was in the air during a crash is all that the next life learns of it.
func TestStackReportSettlesWhatACrashLeftOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, virtual.Options{SubmitDelay: 20 * time.Second, ReportDelay: time.Minute})
		first := s.post(to("+4915100000000", "before"))
		s.pass(30 * time.Second)
		id := s.post(to(phone, "in the air"))
		s.pass(10 * time.Second)
		s.crash(nil)
		s.pass(10 * time.Second)
		s.expect(id, queue.Processed, "")
		s.pass(2 * time.Minute)
		s.expect(id, queue.Delivered, "")
		s.expect(first, queue.Delivered, "")
		if n := len(s.radios[0].Submissions()); n != 2 {
			t.Errorf("%d parts on the air, want 2", n)
		}
	})
}

func TestStackReportTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, silent(5))
		id := s.post(to(phone, "hello"))
		s.pass(time.Minute)
		r := s.radios[0]
		r.reportAs(t, 5, phone, 0)
		before := s.get(id).Recipients[0]
		s.pass(time.Minute)
		for _, status := range []pdu.Status{0, 0x46, 0x20} {
			r.reportAs(t, 5, phone, status)
		}
		s.expect(id, queue.Delivered, "")
		if p := s.get(id).Recipients[0].Parts[0]; !p.Settled.Equal(before.Parts[0].Settled) || p.Status != 0 {
			t.Errorf("settled %v with TP-ST %d, before %v", p.Settled, p.Status, before.Parts[0].Settled)
		}
	})
}

// A report that belongs to nobody is kept, and not given to a message that is sent afterwards, though
// it has the report's TP-MR and number.
func TestStackOrphan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, silent(40))
		s.pass(time.Minute)
		s.radios[0].reportAs(t, 40, phone, 0)
		s.pass(time.Minute)
		id := s.post(to(phone, "hello"))
		s.pass(time.Minute)
		s.expect(id, queue.Sent, "")
		s.radios[0].reportAs(t, 40, phone, 0)
		s.expect(id, queue.Delivered, "")
	})
}

// A dongle that only stores reports and says where (+CDSI). More of them than it has room for show
// that each is deleted once it is on disk.
func TestStackStoredReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, virtual.Options{
			CNMI: "(0-2),(0-3),(0,2),(0,2),(0,1)", Slots: 3, SubmitDelay: time.Second, ReportDelay: 1500 * time.Millisecond,
		})
		for range 20 {
			s.post(to(phone, "hello"))
		}
		s.pass(time.Minute)
		all, _, err := s.List(context.Background(), queue.Filter{Limit: 50})
		if err != nil || len(all) != 20 {
			t.Fatalf("%d messages, %v", len(all), err)
		}
		for _, m := range all {
			s.expect(m.ID, queue.Delivered, "")
		}
	})
}

// The same, with reports that come while no gateway listens, or a session that is lost before it
// has fetched them.
func TestStackStoredReportsAreFound(t *testing.T) {
	for name, next := range map[string]func(*stack, func()){
		"while stopped": func(s *stack, report func()) { s.stop(); report(); s.start() },
		"before a crash": func(s *stack, report func()) {
			s.radios[0].AddFaults(virtual.Fault{On: "CPMS", Do: virtual.Silence})
			report()
			s.crash(nil)
		},
		"and the dongle falls silent": func(s *stack, report func()) {
			s.radios[0].AddFaults(virtual.Fault{On: "CPMS", Do: virtual.Silence})
			report()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := silent(77)
				o.CNMI = "(0-2),(0-3),(0,2),(0,2),(0,1)"
				s := newStack(t, scheduler.Options{}, o)
				id := s.post(to(phone, "hello"))
				s.pass(time.Minute)
				s.expect(id, queue.Sent, "")
				next(s, func() { s.radios[0].reportAs(t, 77, phone, 0) })
				s.pass(time.Minute)
				s.expect(id, queue.Delivered, "")
			})
		})
	}
}

// Reports follow the card: two SIMs use the same TP-MR for the same phone, and one report comes in
// while the other SIM waits for the network.
func TestStackReportsOfTwoSIMs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := silent(99)
		slow.SubmitDelay = 100 * time.Second
		s := newStack(t, scheduler.Options{}, silent(99), slow)
		s.pass(10 * time.Second)
		ids := make([]string, 2)
		for i := range ids {
			sub := to(phone, "hello")
			sub.SIM = i + 1
			ids[i] = s.post(sub)
		}
		s.pass(10 * time.Second)
		s.radios[0].reportAs(t, 99, phone, 0)
		s.expect(ids[0], queue.Delivered, "")
		s.expect(ids[1], queue.Processed, "")
		s.pass(100 * time.Second)
		s.expect(ids[1], queue.Sent, "")
		s.radios[1].reportAs(t, 99, phone, 0)
		s.expect(ids[1], queue.Delivered, "")
	})
}
