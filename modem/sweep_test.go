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
