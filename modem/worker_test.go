package modem_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// Registration news come by URC and count at once, even in the midst of a dialogue.
func TestRegistrationByURC(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		steps := []struct {
			urc, creg, cgreg string
			state            modem.State
			stat             int
		}{
			{"+CREG: 2", "1,2", "1,1", modem.StateReady, 1}, // still registered for packets
			{"+CGREG: 0", "1,2", "1,0", modem.StateNotRegistered, 2},
			{"+CREG: 3", "1,3", "1,0", modem.StateNotRegistered, 3},
			{`+CREG: 5,"00C3","12AB",2`, "1,5", "1,0", modem.StateReady, 5},
			{"+CREG: 8", "1,8", "1,0", modem.StateNotRegistered, 8}, // emergency calls only
			{"+CGREG: 10", "1,8", "1,10", modem.StateReady, 10},
		}
		for _, step := range steps {
			p.answer("+CREG?", ok("+CREG: "+step.creg))
			p.answer("+CGREG?", ok("+CGREG: "+step.cgreg))
			p.urc("\r\n" + step.urc + "\r\n")
			synctest.Wait()
			if st := w.Status(); st.State != step.state || st.Registration != step.stat {
				t.Errorf("after %s: %s, %d; want %s, %d", step.urc, st.State, st.Registration, step.state, step.stat)
			}
		}
		if p.sessions != 1 {
			t.Errorf("%d sessions", p.sessions)
		}
	})
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.answer("+CGREG?", refused)
		p.sent = func(int) string { time.Sleep(time.Minute); return ok("+CMGS: 1") }
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		p.urc("\r\n+CREG: 0\r\n")
		synctest.Wait()
		if st := w.Status(); st.State != modem.StateNotRegistered {
			t.Errorf("in the midst of AT+CMGS: %s", st.State)
		}
		<-done
	})
}

// Without URCs a dongle that finds its network is seen by the keep-alive.
func TestRegistrationByKeepAlive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.answer("+CREG?", ok("+CREG: 0,2"))
		p.answer("+CGREG?", refused)
		w := start(t, modem.Config{Open: p.open})
		time.Sleep(time.Second)
		synctest.Wait()
		if st := w.Status(); st.Problem != modem.ProblemNotRegistered {
			t.Fatalf("%+v", st)
		}
		p.answer("+CREG?", ok("+CREG: 0,1"))
		time.Sleep(80 * time.Second)
		synctest.Wait()
		if st := w.Status(); !st.Ready() || st.Problem != "" || st.Hint != "" || p.sessions != 1 {
			t.Fatalf("session %d: %+v", p.sessions, st)
		}
	})
}

// No network in answer to a message makes us look at once, without a new session.
func TestNoServiceIsLookedInto(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.sent = func(int) string {
			p.answer("+CREG?", ok("+CREG: 1,0"))
			p.answer("+CGREG?", ok("+CGREG: 1,0"))
			return "\r\n+CMS ERROR: 331\r\n"
		}
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err == nil {
			t.Fatal("no error")
		}
		synctest.Wait()
		if st := w.Status(); st.State != modem.StateNotRegistered || p.sessions != 1 {
			t.Fatalf("session %d: %+v", p.sessions, st)
		}
	})
}

// The line is silent while there is work, and asked one question in a while otherwise.
func TestKeepAlive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		before := len(p.heard())
		for range 100 {
			time.Sleep(5 * time.Second)
			if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(p.heard()) - before; n != 200 { // command and PDU
			t.Fatalf("%d lines for 100 messages", n)
		}
		before = len(p.heard())
		time.Sleep(150 * time.Second)
		asked := p.heard()[before:]
		if n := len(asked); n < 5 || n > 10 {
			t.Fatalf("idle for 150 s: %q", asked)
		}
		if !slices.Contains(asked, "AT+CREG?") || !slices.Contains(asked, "AT+CSQ") {
			t.Fatalf("idle for 150 s: %q", asked)
		}
		if age := time.Since(w.Status().LastSeen); age > 30*time.Second {
			t.Fatalf("last seen %v ago", age)
		}
	})
}

// A submission waits for one question at most, though many are due.
func TestQuestionsGiveWay(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		p.answer("+CREG?", silence)
		p.urc("\r\n+CREG: 5\r\n")
		synctest.Wait() // all questions are due, and the first has no answer yet
		before := len(p.heard())
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		p.urc(ok("+CREG: 1,5"))
		<-done
		heard := p.heard()[before:]
		if len(heard) < 1 || heard[0][:8] != "AT+CMGS=" {
			t.Fatalf("after the question in progress: %q", heard)
		}
	})
}

// An unplugged dongle is looked for at once, then ever more rarely.
func TestBackOff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{}
		var mu sync.Mutex
		var opened []time.Time
		w := start(t, modem.Config{Sink: s, Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
			mu.Lock()
			opened = append(opened, time.Now())
			mu.Unlock()
			return p.open(ctx)
		}})
		ready(t, w)
		synctest.Wait()
		gone := time.Now()
		p.hangUp(fs.ErrNotExist)
		time.Sleep(10 * time.Minute)
		mu.Lock()
		times := slices.Clone(opened[1:])
		mu.Unlock()
		wants := []time.Duration{200 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 32 * time.Second, time.Minute, time.Minute, time.Minute}
		last := gone
		for i, want := range wants {
			wait := times[i].Sub(last)
			last = times[i]
			if i == 0 && wait != want || wait < want*8/10 || wait > want*12/10 {
				t.Errorf("attempt %d after %v, want about %v", i, wait, want)
			}
		}
		if st := w.Status(); st.State != modem.StateLost || st.Problem != modem.ProblemPortMissing || st.Registration != 0 {
			t.Errorf("%+v", st)
		}
		p.hangUp(nil) // it is back
		time.Sleep(75 * time.Second)
		ready(t, w)
		mu.Lock()
		n := len(opened)
		mu.Unlock()
		synctest.Wait()
		gone = time.Now()
		p.hangUp(nil)
		time.Sleep(time.Second)
		ready(t, w)
		mu.Lock()
		defer mu.Unlock()
		if wait := opened[n].Sub(gone); wait != 200*time.Millisecond {
			t.Errorf("after a good session the first attempt comes after %v", wait)
		}
	})
}

// Every change is told, in order, and nothing else; a Sink may ask for the status meanwhile.
func TestChanges(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		s := &askingSink{}
		s.w = modem.New(modem.Config{SIM: 1, Open: p.open, Sink: s})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.w.Run(ctx) }()
		ready(t, s.w)
		n := s.count()
		for range 10 {
			if _, err := s.w.Submit(ctx, segment(t, "x"), false, nil); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if s.count() != n {
			t.Errorf("%d changes told while only LastSeen changed", s.count()-n)
		}
		cancel()
		<-ended
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, st := range s.told {
			st.LastSeen = time.Time{}
			if i > 0 && st == s.told[i-1] {
				t.Errorf("change %d changes nothing: %+v", i, st)
			}
			s.told[i] = st
		}
		if last := s.told[len(s.told)-1]; last.State != modem.StateStopped {
			t.Errorf("last state %s", last.State)
		}
	})
}

type askingSink struct {
	sink
	w    *modem.Worker
	told []modem.Status
}

func (s *askingSink) Changed(st modem.Status) {
	now := s.w.Status()
	s.mu.Lock()
	defer s.mu.Unlock()
	if now.State != st.State || now.Sessions != st.Sessions {
		panic(fmt.Sprintf("told %+v, is %+v", st, now))
	}
	s.told = append(s.told, st)
}

func (s *askingSink) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.told)
}

func TestStatusIsStoppedBeforeRun(t *testing.T) {
	w := modem.New(modem.Config{SIM: 7, Port: "p", Open: newPeer().open, Sink: &sink{}})
	if st := w.Status(); st.State != modem.StateStopped || w.SIM() != 7 || st.SIM != 7 || st.Port != "p" || st.Ready() {
		t.Fatalf("%+v", st)
	}
}

// A network that is lost without a word is missed within a minute, in whichever domain it was.
func TestSilentLossOfTheNetwork(t *testing.T) {
	for name, used := range map[string]string{"circuit": "+CREG", "packet": "+CGREG", "evolved": "+CEREG"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				for _, cmd := range []string{"+CREG", "+CGREG", "+CEREG"} {
					p.answer(cmd+"?", ok(cmd+": 1,0"))
				}
				p.answer(used+"?", ok(used+": 1,5"))
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				time.Sleep(10*time.Minute + 7*time.Second)
				p.answer(used+"?", ok(used+": 1,2"))
				time.Sleep(time.Minute)
				synctest.Wait()
				if st := w.Status(); st.Problem != modem.ProblemNotRegistered || p.sessions != 1 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// Another SIM is another subscriber, even if the port stays open while it is put in.
func TestSIMIsChanged(t *testing.T) {
	for name, lost := range map[string]func(p *peer){
		"told":   func(p *peer) { p.urc("\r\n+CREG: 0\r\n") },
		"untold": func(*peer) { time.Sleep(time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPeer()
				p.answer("+CGREG?", refused)
				w := start(t, modem.Config{Open: p.open})
				ready(t, w)
				p.answer("+CREG?", ok("+CREG: 1,2"))
				p.answer("+CIMI", ok("262020000000002"))
				p.answer("+CCID", ok("+CCID: 8949020000000000002F"))
				lost(p)
				synctest.Wait()
				p.answer("+CREG?", ok("+CREG: 1,1"))
				time.Sleep(30 * time.Second)
				ready(t, w)
				if st := w.Status(); st.IMSI != "262020000000002" || st.ICCID != "8949020000000000002" || st.Sessions != 2 {
					t.Errorf("%+v", st)
				}
			})
		})
	}
}

// A SIM that locks itself, as after a restart of its own, is unlocked by a new session.
func TestSIMIsLocked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		p.answer("+CGREG?", refused)
		w := start(t, modem.Config{Open: p.open, PIN: "4711"})
		ready(t, w)
		p.answer("+CPIN?", ok("+CPIN: SIM PIN"))
		p.answer("+CREG?", ok("+CREG: 1,0"))
		p.answer(`+CPIN="4711"`, ok())
		p.onSaid = func(line string) {
			if line == `AT+CPIN="4711"` {
				p.answers["+CPIN?"], p.answers["+CREG?"] = ok("+CPIN: READY"), ok("+CREG: 1,1")
			}
		}
		p.urc("\r\n+CREG: 0\r\n")
		time.Sleep(10 * time.Second)
		ready(t, w)
		if st := w.Status(); st.Sessions != 2 || p.count(`AT+CPIN="4711"`) != 1 {
			t.Errorf("%+v", st)
		}
	})
}
