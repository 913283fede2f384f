package main

import (
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
)

// inboxTexts are those of all that came in, the latest first.
func (s *stack) inboxTexts() (all []string) {
	s.t.Helper()
	page, _, err := s.Inbox().List(s.t.Context(), inbox.Filter{Limit: 1000})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range page {
		all = append(all, m.Text)
	}
	return all
}

// TestStackBrownOut: the supply gives way some time after each start, be it in the middle of the bring-up or
// of a message. A user is told of it; when the supply is mended, all goes on, and nothing was sent twice.
func TestStackBrownOut(t *testing.T) {
	for _, after := range []time.Duration{3 * time.Second, 25 * time.Second} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, _ := virtual.Family("huawei-e173")
				o.RegisterDelay, o.SubmitDelay, o.ReportDelay = 5*time.Second, 4*time.Second, 2*time.Second
				s := newStack(t, scheduler.Options{FIFO: true, UnknownAfter: 2 * time.Hour}, o)
				r := s.radios[0]
				s.pass(2 * time.Minute)
				r.SetBrownOut(after)
				ids := map[string]string{}
				for i := range 12 {
					text := fmt.Sprint("message ", i)
					ids[text] = s.post(to(fmt.Sprintf("+49151000000%02d", i), text))
				}
				if err := r.Deliver(pdu.Deliver{Originator: "+491701234567", Text: "hello", SCTS: time.Now()}); err != nil {
					t.Fatal(err)
				}
				warned := 0
				for range 30 {
					s.pass(time.Minute)
					st := s.Modems()[0]
					n := len(st.Warnings(time.Now()))
					warned += min(n, 1)
					if n == 0 && !st.Ready() {
						t.Errorf("a user is told nothing: %+v", st)
					}
				}
				if warned == 0 {
					t.Error("in half an hour a user was told nothing")
				}
				r.SetBrownOut(0)
				s.pass(6 * time.Hour)
				s.stands(modem.StateReady, "")
				on := map[string]int{}
				for _, text := range r.texts() {
					on[text]++
				}
				for text, id := range ids {
					s.expect(id, queue.Delivered, "")
					if on[text] != 1 {
						t.Errorf("%q was %d times on the air", text, on[text])
					}
				}
				if got := s.inboxTexts(); len(got) != 1 {
					t.Errorf("in the inbox: %q", got)
				}
			})
		})
	}
}

// TestStackEIO: the driver gives up on the port while nothing happens, before the prompt, or while the
// network takes a message; the report then says that it did.
func TestStackEIO(t *testing.T) {
	for name, at := range map[string]time.Duration{
		"at rest": -time.Minute, "before the prompt": time.Second, "while the network takes it": 5 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStack(t, scheduler.Options{}, virtual.Options{
					PromptDelay: 3 * time.Second, SubmitDelay: 10 * time.Second, ReportDelay: time.Minute,
				})
				s.pass(time.Minute)
				eio := func() { s.leads[0].fail(syscall.EIO) }
				var id string
				if at < 0 {
					eio()
					s.pass(-at)
					id = s.post(to(phone, "hello"))
				} else {
					id = s.post(to(phone, "hello"))
					s.pass(at)
					eio()
				}
				s.pass(5 * time.Minute)
				s.stands(modem.StateReady, "")
				s.expect(id, queue.Delivered, "")
				if on := s.radios[0].texts(); len(on) != 1 {
					t.Errorf("on the air: %q", on)
				}
				if st := s.Modems()[0]; st.Sessions != 2 || st.Resets != 0 {
					t.Errorf("%d sessions, %d resets", st.Sessions, st.Resets)
				}
			})
		})
	}
}
