package modem_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// storingPeer is a dongle that only stores reports (ds 2), and has two of them of which nobody heard.
func storingPeer() *peer {
	p := newPeer()
	p.answer("+CNMI=?", ok("+CNMI: (0-2),(0-3),(0,2),(0,2),(0,1)"))
	p.answer("+CNMI=2,1,0,2,0", ok())
	p.answer("+CNMI?", ok("+CNMI: 2,1,0,2,0"))
	p.answer(`+CPMS="SR"`, ok("+CPMS: 2,10,0,10,0,10"))
	p.answer("+CMGL=4", ok("+CMGL: 1,1,,25\r\n"+statusReport(5), "+CMGL: 3,0,,25\r\n"+statusReport(6)))
	p.answer("+CMGR=1", ok("+CMGR: 1,,25\r\n"+statusReport(5)))
	p.answer("+CMGR=3", ok("+CMGR: 0,,25\r\n"+statusReport(6)))
	p.answer("+CMGD=1", ok())
	p.answer("+CMGD=3", ok())
	return p
}

// Reports that were stored while the port was closed, or that an earlier session was told of and did
// not fetch, are found by the next one.
func TestSweep(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := storingPeer(), &sink{}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		synctest.Wait()
		if got := s.references(); !slices.Equal(got, []int{5, 6}) {
			t.Errorf("reports %v, want 5 and 6", got)
		}
		if p.count("AT+CMGD=1") != 1 || p.count("AT+CMGD=3") != 1 {
			t.Errorf("dialogue %q", p.heard())
		}
	})
}

// One that is told of while it is found counts once.
func TestSweepAndIndication(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := storingPeer(), &sink{}
		p.answer("+CMGL=4", "\r\n+CDSI: \"SR\",3\r\n"+p.answers["+CMGL=4"])
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		synctest.Wait()
		if got := s.references(); len(got) != 2 || !slices.Contains(got, 5) || !slices.Contains(got, 6) {
			t.Errorf("reports %v, want 5 and 6", got)
		}
	})
}

// A dongle that refuses the list, or falls silent at it, goes on sending.
func TestSweepWithoutAnswer(t *testing.T) {
	for name, answer := range map[string]string{"refused": refused, "silent": silence} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := storingPeer()
				p.answer("+CMGL=4", answer)
				w := start(t, modem.Config{Open: p.open})
				time.Sleep(5 * time.Minute)
				ready(t, w)
				sessions := w.Status().Sessions
				time.Sleep(time.Hour)
				if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 250 {
					t.Errorf("Submit = %d, %v", mr, err)
				}
				if n := w.Status().Sessions; n != sessions {
					t.Errorf("%d sessions, later %d", sessions, n)
				}
			})
		})
	}
}

// What the bring-up finds, however the dongle can be read, and which memories are chosen at the end.
func TestSweepOfMemories(t *testing.T) {
	full := func() map[string]map[int]string {
		return map[string]map[int]string{
			"SM": {0: inbox("a"), 2: draft(3), 9: inbox("b")}, "ME": {1: inbox("c"), 4: report(5)}, "SR": {10: report(6)},
		}
	}
	lists := map[string]string{"listed": "", "list refused": "\r\n+CMS ERROR: 303\r\n", "list is empty": ok()}
	for name, list := range lists {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, s := newPeer(), &sink{}
				if list != "" {
					p.answer("+CMGL=4", list)
				}
				sh := onShelf(p, full())
				w := start(t, modem.Config{Open: p.open, Sink: s})
				ready(t, w)
				synctest.Wait()
				got := s.texts()
				slices.Sort(got)
				if !slices.Equal(got, []string{"a", "b", "c"}) {
					t.Errorf("messages %q", got)
				}
				if got := s.references(); !slices.Equal(got, []int{5, 6}) {
					t.Errorf("reports %v", got)
				}
				if got := sh.left(); got != "SM2" {
					t.Errorf("left %q", got)
				}
				heard := p.heard()
				if last := heard[len(heard)-1]; last != `AT+CPMS="SM","SM","SM"` {
					t.Errorf("the last word is %q", last)
				}
			})
		})
	}
}

// A memory that falls silent when it is listed is read place by place in the third session, and one
// that falls silent even then is left alone; the others are read all the same.
func TestSilentMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		p.answer("+CMGL=4", silence)
		onShelf(p, map[string]map[int]string{"ME": {1: inbox("a")}, "SM": {1: inbox("b"), 2: inbox("c")}})
		w := start(t, modem.Config{Open: p.open, Sink: s})
		time.Sleep(30 * time.Minute)
		ready(t, w)
		sessions := w.Status().Sessions
		time.Sleep(3 * time.Hour)
		if got := s.texts(); !slices.Equal(got, []string{"b", "c", "a"}) {
			t.Errorf("messages %q", got)
		}
		if n := w.Status().Sessions; n != sessions || n > 6 {
			t.Errorf("%d sessions, later %d", sessions, n)
		}
	})
}

// A dongle that falls silent at anything it is asked about its memories goes on sending, after some
// sessions.
func TestSilenceAboutMemories(t *testing.T) {
	for _, cmd := range []string{"+CPMS=?", "+CPMS?", `+CPMS="ME"`, "+CMGD=1", "+CMGR=1"} {
		t.Run(cmd, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, s := newPeer(), &sink{}
				onShelf(p, map[string]map[int]string{"ME": {1: inbox("a")}, "SM": {2: inbox("b")}})
				p.answer("+CMGL=4", refused)
				usual := p.answering
				p.answering = func(asked string) (string, bool) {
					if asked == cmd {
						return silence, true
					}
					return usual(asked)
				}
				w := start(t, modem.Config{Open: p.open, Sink: s})
				time.Sleep(time.Hour)
				ready(t, w)
				sessions := w.Status().Sessions
				if got := s.texts(); !slices.Contains(got, "b") && cmd != "+CMGR=1" { // SM is read on past place 1 only if that answers
					t.Errorf("messages %q", got)
				}
				time.Sleep(5 * time.Hour)
				if n := w.Status().Sessions; n != sessions {
					t.Errorf("%d sessions, later %d", sessions, n)
				}
				if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
					t.Errorf("Submit: %v", err)
				}
			})
		})
	}
}

// A SIM that is still being read refuses its memories; they are searched when it says that it is
// done, or a little later.
func TestSIMThatIsBusy(t *testing.T) {
	for name, says := range map[string]string{"says when": "\r\n+QIND: SMS DONE\r\n", "says nothing": ""} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, s := newPeer(), &sink{}
				for _, cmd := range []string{"+CPMS=?", "+CPMS?", `+CPMS="SM"`, `+CPMS="ME"`, `+CPMS="SR"`} {
					p.answer(cmd, "\r\n+CMS ERROR: 314\r\n")
				}
				w := start(t, modem.Config{Open: p.open, Sink: s})
				ready(t, w)
				time.Sleep(11 * time.Second)
				onShelf(p, map[string]map[int]string{"SM": {1: inbox("a")}})
				p.urc(says)
				wait := 20 * time.Second
				if says != "" {
					wait = 0
				}
				time.Sleep(wait)
				synctest.Wait()
				if got := s.texts(); !slices.Equal(got, []string{"a"}) {
					t.Errorf("messages %q, dialogue %q", got, p.heard())
				}
			})
		})
	}
}
