package modem_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"dongled/modem"
)

// talkative has the peer answer each of the commands slowly and with a further URC, so that there
// always is something to do.
func talkative(t *testing.T, p *peer, prefix, urc string) {
	t.Cleanup(func() { time.Sleep(time.Second) }) // until it has said the last of them
	n := 0
	p.before = func(cmd string) {
		if strings.HasPrefix(cmd, prefix) {
			n++
			time.Sleep(100 * time.Millisecond)
			p.urc("\r\n" + urc + strconv.Itoa(n%200) + "\r\n")
		}
	}
}

// A dongle that tells of ever more messages, at which there are none, is still looked after: the loss
// of its network, which it does not tell, is noticed, and its storage is looked at.
func TestEndlessStorm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		onShelf(p, map[string]map[int]string{"SM": {}})
		talkative(t, p, "+CMGR", `+CMTI: "SM",`)
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		p.urc("\r\n+CMTI: \"SM\",1\r\n")
		settle(5 * time.Minute)
		p.answer("+CREG?", ok("+CREG: 1,0"))
		p.answer("+CGREG?", ok("+CGREG: 1,0"))
		before, looks := p.count("AT+CMGR="), p.count("AT+CPMS?")
		settle(2 * time.Minute)
		if n := p.count("AT+CMGR=") - before; n < 500 {
			t.Fatalf("no storm: %d", n)
		}
		if st := w.Status(); st.State != modem.StateNotRegistered || st.Sessions != 1 || p.count("AT+CPMS?") == looks {
			t.Errorf("%+v, storage looked at %d times", st, p.count("AT+CPMS?")-looks)
		}
	})
}

// Nor do news of the network without end keep messages from being read.
func TestEndlessRegistration(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		sh := onShelf(p, map[string]map[int]string{"SM": {}})
		talkative(t, p, "+CREG?", "+CREG: 5,\"00")
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		p.urc("\r\n+CREG: 1\r\n")
		settle(time.Minute)
		sh.put("SM", 3, inbox("a"))
		p.urc("\r\n+CMTI: \"SM\",3\r\n")
		settle(5 * time.Second)
		if got := s.texts(); len(got) != 1 || sh.left() != "" {
			t.Errorf("messages %q, left %q", got, sh.left())
		}
	})
}

// A scheduler that always has another message keeps nothing else from being done.
func TestEndlessSubmissions(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		sh := onShelf(p, map[string]map[int]string{"SM": {}, "ME": {}})
		p.sent = func(n int) string {
			time.Sleep(3 * time.Second)
			return ok("+CMGS: 1")
		}
		t.Cleanup(func() { time.Sleep(10 * time.Second) })
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		stop := make(chan struct{})
		for range 2 { // one waits while the other is sent
			go func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, _ = w.Submit(t.Context(), segment(t, "x"), false, nil)
					}
				}
			}()
		}
		settle(time.Minute)
		sh.put("ME", 1, inbox("untold"))
		settle(time.Hour + time.Minute)
		if got := s.texts(); len(got) != 1 || p.count("AT+CPMS?") < 10 {
			t.Errorf("messages %q after an hour, storage looked at %d times", got, p.count("AT+CPMS?"))
		}
		close(stop)
	})
}
