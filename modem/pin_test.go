package modem_test

import (
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// pinPeer is a SIM that wants a PIN; iccid must be the test's own, as refusals are remembered.
func pinPeer(iccid, answer string) *peer {
	p := newPeer()
	p.answer("+CCID", refused)
	if iccid != "" {
		p.answer("+CCID", ok("+CCID: "+iccid))
	}
	p.answer("+CPIN?", ok("+CPIN: SIM PIN"))
	p.answer(`+CPIN="1234"`, answer)
	return p
}

func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestPINAccepted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := pinPeer("89490200000000000011", ok())
		w := start(t, modem.Config{Open: p.open, PIN: "1234"})
		settle(2 * time.Second)
		if n := p.count("AT+CPIN="); n != 1 {
			t.Fatalf("PIN entered %d times while the SIM starts up", n)
		}
		p.answer("+CPIN?", "\r\n+CME ERROR: 14\r\n") // busy for a while
		settle(2 * time.Second)
		p.answer("+CPIN?", ok("+CPIN: READY"))
		ready(t, w)

		p.answer("+CPIN?", ok("+CPIN: SIM PIN")) // after a power cut it is wanted again
		p.hangUp(nil)
		settle(2 * time.Second)
		if n := p.count("AT+CPIN="); n != 2 {
			t.Fatalf("PIN entered %d times after the second start", n)
		}
	})
}

// A wrong PIN is tried once, whatever happens afterwards.
func TestPINRefusedIsRemembered(t *testing.T) {
	for iccid, answer := range map[string]string{
		"89490200000000000101": "\r\n+CME ERROR: 16\r\n",
		"89490200000000000102": refused,
		"89490200000000000103": silence,
	} {
		t.Run(answer, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := pinPeer(iccid, answer)
				w := start(t, modem.Config{Open: p.open, PIN: "1234"})
				settle(10 * time.Minute)
				st := w.Status()
				if st.State != modem.StateNeedsPIN || st.Problem != modem.ProblemPINRefused || st.Hint == "" {
					t.Fatalf("%+v", st)
				}
				if n := p.count("AT+CPIN="); n != 1 || p.sessions < 5 {
					t.Fatalf("PIN entered %d times in %d sessions", n, p.sessions)
				}
				// The card in another dongle, under another port.
				other := pinPeer(iccid, ok())
				w2 := start(t, modem.Config{SIM: 2, Port: "/dev/ttyUSB9", Open: other.open, PIN: "1234"})
				settle(time.Minute)
				if st := w2.Status(); st.Problem != modem.ProblemPINRefused || other.count("AT+CPIN=") != 0 {
					t.Fatalf("elsewhere: %+v", st)
				}
			})
		})
	}
}

// Without an ICCID the port stands for the card.
func TestPINRefusedIsRememberedByPort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := pinPeer("", "\r\n+CME ERROR: 16\r\n")
		start(t, modem.Config{Port: "pin-by-port", Open: p.open, PIN: "1234"})
		settle(5 * time.Minute)
		if n := p.count("AT+CPIN="); n != 1 {
			t.Fatalf("PIN entered %d times", n)
		}
	})
}

func TestPINLastTryIsNotRisked(t *testing.T) {
	for tries, entered := range map[string]int{"1": 0, "2": 1, "3": 1} {
		bubble(t, func(t *testing.T) {
			p := pinPeer("8949020000000000020"+tries, "\r\n+CME ERROR: 16\r\n")
			p.answer(`+CPINR="SIM PIN"`, ok("+CPINR: SIM PIN,"+tries+",3"))
			w := start(t, modem.Config{Open: p.open, PIN: "1234"})
			settle(time.Minute)
			if st := w.Status(); st.Problem != modem.ProblemPINRefused || p.count("AT+CPIN=") != entered {
				t.Errorf("%s tries left: %s, entered %d times", tries, st.Problem, p.count("AT+CPIN="))
			}
		})
	}
}

func TestPINThatBlocksTheSIM(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := pinPeer("89490200000000000031", "\r\n+CME ERROR: 12\r\n")
		w := start(t, modem.Config{Open: p.open, PIN: "1234"})
		settle(500 * time.Millisecond)
		if st := w.Status(); st.State != modem.StateNeedsPIN || st.Problem != modem.ProblemPUKNeeded {
			t.Fatalf("%+v", st)
		}
	})
}

// A dongle that is gone before it answers to the PIN is unlocked when it is back, if the SIM shows that
// no try was lost.
func TestPINUnanswered(t *testing.T) {
	tests := map[string]struct {
		tries   string
		entered int
	}{"none lost": {ok("+CPINR: SIM PIN,3,3"), 2}, "one lost": {ok("+CPINR: SIM PIN,2,3"), 1}, "not told": {refused, 1}}
	for name, test := range tests {
		bubble(t, func(t *testing.T) {
			p := pinPeer("8949020000000000041"+name[:1], silence)
			p.answer(`+CPINR="SIM PIN"`, test.tries)
			w := start(t, modem.Config{Open: p.open, PIN: "1234"})
			settle(5 * time.Second)
			p.answer(`+CPIN="1234"`, ok())
			settle(20 * time.Second)
			if n := p.count("AT+CPIN="); n != test.entered {
				t.Errorf("%s: PIN entered %d times, %s", name, n, w.Status().Problem)
			}
		})
	}
}
