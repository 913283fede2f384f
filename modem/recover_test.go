package modem_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// An event is something done to a dongle, and when.
type event struct {
	what string
	at   time.Time
}

// A patient is a peer on whom the steps of recovery are tried.
type patient struct {
	*peer
	mu     sync.Mutex
	events []event
	// cure, if set, runs on every step, "restart" included.
	cure func(step string)
	// fail is what a step gives.
	fail map[string]error
}

func newPatient() *patient {
	p := &patient{peer: newPeer(), fail: map[string]error{}}
	p.answer("+CFUN=1,1", ok())
	p.onSaid = func(line string) {
		if line == "AT+CFUN=1,1" {
			go p.step("restart")
		}
	}
	return p
}

func (p *patient) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, event{what, time.Now()})
}

func (p *patient) step(name string) {
	p.note(name)
	if p.cure != nil {
		p.cure(name)
	}
}

func (p *patient) open(ctx context.Context) (io.ReadWriteCloser, error) {
	p.note("open")
	return p.peer.open(ctx)
}

// config is that of a machine with all means of recovery.
func (p *patient) config() modem.Config {
	cfg := modem.Config{Open: p.open, Port: "/dev/ttyUSB2"}
	for _, name := range []string{"usb-reset", "usb-rebind", "reset-command"} {
		cfg.Recovery = append(cfg.Recovery, modem.RecoveryStep{Name: name, Do: func(context.Context, string, modem.Status) error {
			p.step(name)
			return p.fail[name]
		}})
	}
	return cfg
}

// done are the events so far; with steps only those that are no opening.
func (p *patient) done(steps bool) (list []event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if !steps || e.what != "open" {
			list = append(list, e)
		}
	}
	return list
}

func names(events []event) (list []string) {
	for _, e := range events {
		list = append(list, e.what)
	}
	return list
}

// A dongle that falls silent is red within a minute, and gets every step in order, each with its
// rest, ever more rarely, and no more than ten a day.
func TestLadder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient()
		w := start(t, p.config())
		ready(t, w)
		p.die(true)
		died := time.Now()
		time.Sleep(time.Minute)
		synctest.Wait()
		if st := w.Status(); st.Problem != modem.ProblemNoAnswer || st.State != modem.StateLost {
			t.Fatalf("after a minute of silence: %+v", st)
		}
		if steps := p.done(true); len(steps) != 0 && steps[0].at.Sub(died) < 30*time.Second {
			t.Errorf("reset after %v", steps[0].at.Sub(died))
		}
		time.Sleep(10 * time.Minute)
		if !slices.ContainsFunc(w.Trace(false), func(l modem.TraceLine) bool { return l.Text == "# restart" && !l.Sent }) {
			t.Error("the trace does not tell of the restart")
		}
		time.Sleep(30*time.Hour + 30*time.Minute)
		steps := p.done(true)
		cycle := []string{"restart", "usb-reset", "usb-rebind", "reset-command"}
		for i, step := range steps {
			if want := cycle[i%4]; step.what != want {
				t.Fatalf("step %d is %s, want %s: %q", i, step.what, want, names(steps))
			}
		}
		var today int
		for _, step := range steps {
			if time.Since(step.at) < 24*time.Hour {
				today++
			}
		}
		if len(steps) <= 10 {
			t.Errorf("%d steps in 30 hours, want ten a day", len(steps))
		}
		for i := 1; i < 9; i++ {
			least := min(30*time.Second<<i, time.Hour) + 30*time.Second
			if gap := steps[i].at.Sub(steps[i-1].at); gap < least || gap > least+3*time.Minute {
				t.Errorf("%v between steps %d and %d, want about %v", gap, i-1, i, least)
			}
		}
		for i := range steps {
			if i >= 10 && steps[i].at.Sub(steps[i-10].at) < 24*time.Hour {
				t.Errorf("steps %d to %d are within %v", i-10, i, steps[i].at.Sub(steps[i-10].at))
			}
		}
		for i, e := range p.done(false) {
			if i > 0 && e.what == "open" {
				if before := p.done(false)[i-1]; before.what != "open" && e.at.Sub(before.at) < 30*time.Second {
					t.Errorf("opened %v after %s", e.at.Sub(before.at), before.what)
				}
			}
		}
		st := w.Status()
		if st.Resets != today || st.LastReset != steps[len(steps)-1].what || st.LastResetAt.Sub(steps[len(steps)-1].at) > 10*time.Second {
			t.Errorf("status %+v after %+v", st, steps[len(steps)-1])
		}
		p.die(false)
		time.Sleep(2 * time.Minute)
		ready(t, w)
		time.Sleep(25 * time.Hour)
		if st := w.Status(); st.Resets != 0 || st.LastReset == "" {
			t.Errorf("a day later: %+v", st)
		}
	})
}

// Whichever step helps, nothing more is done, and the dongle is back without a restart of ours. What
// was, is forgotten once it has worked for a while.
func TestLadderStopsWhereItHelps(t *testing.T) {
	for helps, want := range map[string][]string{
		"restart":       {"restart"},
		"usb-reset":     {"restart", "usb-reset"},
		"usb-rebind":    {"restart", "usb-reset", "usb-rebind"},
		"reset-command": {"restart", "usb-reset", "usb-rebind", "reset-command"},
	} {
		t.Run(helps, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPatient()
				p.cure = func(step string) {
					if step == helps {
						p.die(false)
					}
				}
				w := start(t, p.config())
				ready(t, w)
				for range 2 {
					before := len(p.done(true))
					p.die(true)
					time.Sleep(time.Minute)
					synctest.Wait()
					for range 100 {
						time.Sleep(10 * time.Second)
						if synctest.Wait(); w.Status().Ready() {
							break
						}
					}
					if got := names(p.done(true))[before:]; !slices.Equal(got, want) {
						t.Fatalf("steps %q, want %q", got, want)
					}
					ready(t, w)
					if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}

// A step that cannot be taken is followed by the next at once, and is told of.
func TestLadderSkipsWhatFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient()
		p.fail["usb-reset"] = fs.ErrPermission
		w := start(t, p.config())
		ready(t, w)
		p.die(true)
		time.Sleep(10 * time.Minute)
		steps := p.done(true)
		if len(steps) < 3 || steps[1].what != "usb-reset" || steps[2].what != "usb-rebind" || !steps[1].at.Equal(steps[2].at) {
			t.Fatalf("steps %v", steps)
		}
		var told bool
		for _, line := range w.Trace(false) {
			told = told || line.Text == "# usb-reset failed"
		}
		if !told {
			t.Error("the trace does not tell that usb-reset failed")
		}
	})
}

// Each way of dying is seen within a minute and gets the same treatment.
func TestWaysToDie(t *testing.T) {
	tests := map[string]struct {
		kill    func(p *patient)
		problem string
	}{
		"silence": {func(p *patient) { p.die(true) }, modem.ProblemNoAnswer},
		"garbage": {func(p *patient) {
			p.peer.mu.Lock()
			for cmd := range p.answers {
				p.answers[cmd] = "\r\n\x00\xfe}~~" + cmd + "\r\n\x7f\r\n"
			}
			p.peer.mu.Unlock()
		}, modem.ProblemNoAnswer},
		"wrong answers": {func(p *patient) {
			p.peer.mu.Lock()
			for cmd := range p.answers {
				p.answers[cmd] = ok("+CREG: x,y")
			}
			p.peer.mu.Unlock()
		}, modem.ProblemOutOfStep},
		"errors alone": {func(p *patient) {
			p.peer.mu.Lock()
			clear(p.answers)
			p.answers[""] = ok()
			p.peer.mu.Unlock()
		}, modem.ProblemSIMFailure}, // it does not even tell whose it is
		"EIO": {func(p *patient) { p.peer.hangUp(&fs.PathError{Op: "open", Path: "/dev/ttyUSB2", Err: syscall.EIO}) }, modem.ProblemPortError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPatient()
				w := start(t, p.config())
				ready(t, w)
				test.kill(p)
				time.Sleep(time.Minute)
				synctest.Wait()
				if st := w.Status(); st.Problem != test.problem || st.Hint == "" {
					t.Errorf("after a minute: %+v, want %s", st, test.problem)
				}
				if len(w.Status().Warnings(time.Now())) == 0 {
					t.Error("no warning")
				}
				time.Sleep(30 * time.Minute)
				got := names(p.done(true))
				if len(got) < 3 || !slices.Contains(got, "usb-reset") || !slices.Contains(got, "reset-command") {
					t.Errorf("steps in half an hour: %q", got)
				}
			})
		})
	}
}

// What the SIM, the network, the person or nobody has to answer for is never met with a reset.
func TestNeverReset(t *testing.T) {
	answer := func(cmd, text string) func(p *patient) {
		return func(p *patient) { p.answer(cmd, text) }
	}
	tests := map[string]struct {
		ill     func(p *patient)
		problem string
	}{
		"no SIM":       {answer("+CPIN?", "\r\n+CME ERROR: 10\r\n"), modem.ProblemNoSIM},
		"PIN needed":   {answer("+CPIN?", ok("+CPIN: SIM PIN")), modem.ProblemPINNeeded},
		"PUK needed":   {answer("+CPIN?", ok("+CPIN: SIM PUK")), modem.ProblemPUKNeeded},
		"locked":       {answer("+CPIN?", ok("+CPIN: PH-NET PIN")), modem.ProblemSIMLocked},
		"no PDU mode":  {answer("+CMGF=0", refused), modem.ProblemNoPDUMode},
		"denied":       {answer("+CREG?", ok("+CREG: 1,3")), modem.ProblemDenied},
		"emergency":    {answer("+CREG?", ok("+CREG: 1,8")), modem.ProblemNotRegistered},
		"denied, LTE":  {func(p *patient) { p.answer("+CREG?", ok("+CREG: 1,0")); p.answer("+CEREG?", ok("+CEREG: 1,3")) }, modem.ProblemNotRegistered},
		"not there":    {func(p *patient) { p.broken = fs.ErrNotExist }, modem.ProblemPortMissing},
		"denied port":  {func(p *patient) { p.broken = fs.ErrPermission }, modem.ProblemPortDenied},
		"busy":         {func(p *patient) { p.broken = syscall.EBUSY }, modem.ProblemPortBusy},
		"no tty":       {func(p *patient) { p.broken = errors.New("not a serial port") }, modem.ProblemPortError},
		"no SIM later": {nil, modem.ProblemNoSIM},
		"unplugged":    {nil, modem.ProblemPortMissing},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPatient()
				p.answer("+CGREG?", refused)
				if test.ill != nil {
					test.ill(p)
				}
				w := start(t, p.config())
				switch name {
				case "no SIM later":
					ready(t, w)
					p.answer("+CPIN?", "\r\n+CME ERROR: 10\r\n")
					p.answer("+CREG?", ok("+CREG: 1,0"))
				case "unplugged":
					ready(t, w)
					p.hangUp(fs.ErrNotExist)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if st := w.Status(); st.Problem != test.problem {
					t.Errorf("after a minute: %+v, want %s", st, test.problem)
				}
				time.Sleep(3 * time.Hour)
				if steps := p.done(true); len(steps) != 0 || w.Status().Resets != 0 {
					t.Errorf("steps %q, status %+v", names(steps), w.Status())
				}
			})
		})
	}
}

// A dongle that finds no network is left alone for a quarter of an hour, then reset ever more rarely.
func TestNeverRegisters(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient()
		p.answer("+CREG?", ok("+CREG: 1,2"))
		p.answer("+CGREG?", refused)
		begun := time.Now()
		w := start(t, p.config())
		time.Sleep(14*time.Minute + 50*time.Second)
		synctest.Wait()
		if st := w.Status(); st.Problem != modem.ProblemNotRegistered || len(p.done(true)) != 0 || st.Sessions != 1 {
			t.Fatalf("steps %q, status %+v", names(p.done(true)), st)
		}
		time.Sleep(4 * time.Hour)
		steps := p.done(true)
		if got := names(steps); !slices.Equal(got, []string{"restart", "usb-reset", "usb-rebind", "reset-command", "restart"}) {
			t.Fatalf("steps %q", got)
		}
		want := []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, time.Hour, time.Hour}
		last := begun
		for i, step := range steps {
			if gap := step.at.Sub(last); gap < want[i] || gap > want[i]+2*time.Minute {
				t.Errorf("%s after %v, want %v", step.what, gap, want[i])
			}
			last = step.at
		}
		p.answer("+CREG?", ok("+CREG: 1,1"))
		time.Sleep(2 * time.Minute)
		ready(t, w)
	})
}

// The outcome of an open AT+CMGS is told before anything is done to the dongle.
func TestOpenMessageIsMarkedBeforeAReset(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient()
		w := start(t, p.config())
		ready(t, w)
		p.sent = func(int) string {
			p.die(true)
			return silence
		}
		var marked time.Time
		_, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
		marked = time.Now()
		if e := submitError(t, err); e.Fault.Action != modem.Ambiguous || !e.Submitted {
			t.Errorf("outcome %+v", e)
		}
		if steps := p.done(true); len(steps) != 0 {
			t.Errorf("steps %q before the outcome was told", names(steps))
		}
		time.Sleep(30 * time.Minute)
		steps := p.done(true)
		if len(steps) == 0 || steps[0].at.Before(marked) || len(p.bodies()) != 1 {
			t.Errorf("steps %v, marked %v, %d PDUs", steps, marked, len(p.bodies()))
		}
	})
}

// What never answered may be another device: it is not reset before five minutes.
func TestStrangerIsSpared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient()
		p.die(true)
		begun := time.Now()
		start(t, p.config())
		time.Sleep(15 * time.Minute)
		steps := p.done(true)
		if len(steps) == 0 || steps[0].at.Sub(begun) < 5*time.Minute || steps[0].at.Sub(begun) > 8*time.Minute {
			t.Errorf("steps %v, begun %v", steps, begun)
		}
	})
}

// A dongle that leaves the bus after a reset is waited for, and then gets the next step. It does
// not count as falling off the bus.
func TestReturnAfterReset(t *testing.T) {
	for away, want := range map[time.Duration][]string{
		100 * time.Second: {"restart"},
		time.Hour:         {"restart", "usb-reset"},
	} {
		t.Run(fmt.Sprint(away), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p := newPatient()
				gone := 0
				p.cure = func(step string) {
					gone++
					p.die(false)
					if step == "restart" {
						p.hangUp(fs.ErrNotExist)
						time.Sleep(away)
					}
					p.hangUp(nil)
				}
				cfg := p.config()
				cfg.Plugged = make(chan struct{})
				w := start(t, cfg)
				ready(t, w)
				p.die(true)
				time.Sleep(20 * time.Minute)
				ready(t, w)
				if got := names(p.done(true)); !slices.Equal(got, want) {
					t.Errorf("steps %q, want %q", got, want)
				}
				time.Sleep(time.Hour)
			})
		})
	}
}

// Cancelled in the midst of a rest, Run ends at once.
func TestCancelDuringRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPatient()
		cfg := p.config()
		cfg.SIM, cfg.Sink = 1, &sink{}
		w := modem.New(cfg)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- w.Run(ctx) }()
		ready(t, w)
		p.die(true)
		for len(p.done(true)) == 0 {
			time.Sleep(time.Second)
		}
		time.Sleep(15 * time.Second)
		cancel()
		synctest.Wait()
		select {
		case <-ended:
		default:
			t.Error("still running")
		}
	})
}
