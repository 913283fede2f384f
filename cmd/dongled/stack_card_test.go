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
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// stands is what a user sees of SIM 1: the warning, empty for none, and the state.
func (s *stack) stands(state modem.State, warning string) {
	s.t.Helper()
	st := s.Modems()[0]
	var ids []string
	for _, w := range st.Warnings(time.Now()) {
		ids = append(ids, w.ID)
		if w.Text == "" {
			s.t.Errorf("%s does not say what to do", w.ID)
		}
	}
	if st.State != state || strings.Join(ids, " ") != warning {
		s.t.Errorf("SIM 1 is %s with %q, want %s with %q: %+v", st.State, ids, state, warning, st)
	}
}

// waits and arrives: what is asked of a SIM that cannot send is not lost, not counted, and not sent twice.
func (s *stack) waits(text string) (arrives func()) {
	s.t.Helper()
	id := s.post(to(phone, text))
	s.pass(3 * time.Hour)
	m := s.get(id)
	if p := m.Recipients[0].Parts[0]; m.State != queue.Pending || p.Attempts != 0 {
		s.t.Errorf("%q is %v after %d attempts", text, m.State, p.Attempts)
	}
	return func() {
		s.t.Helper()
		s.expect(id, queue.Delivered, "")
		n := 0
		for _, on := range s.radios[0].texts() {
			if on == text {
				n++
			}
		}
		if n != 1 {
			s.t.Errorf("%q was %d times on the air", text, n)
		}
	}
}

// TestStackPIN: a SIM without its PIN waits for it; with it, it is given after each start of the stick.
func TestStackPIN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRadio(1, virtual.Options{Name: "stack-pin-given", PIN: "2468"})
		r.pin = ""
		s := stackOf(t, scheduler.Options{}, r)
		arrives := s.waits("behind the PIN")
		s.stands(modem.StateNeedsPIN, modem.ProblemPINNeeded)
		s.stop()
		r.pin = "2468" // as the hint says
		s.start()
		s.pass(2 * time.Minute)
		s.stands(modem.StateReady, "")
		arrives()
		for range 2 {
			r.Unplug()
			s.pass(time.Minute)
			r.Plug()
			s.pass(3 * time.Minute)
			s.stands(modem.StateReady, "")
		}
		if n := s.Modems()[0].Resets; n != 0 {
			t.Errorf("%d resets", n)
		}
	})
}

// TestStackPUK: nothing is tried on a SIM that asks for its PUK; after its owner has given that in a
// telephone it goes on.
func TestStackPUK(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRadio(1, virtual.Options{Name: "stack-puk", PIN: "1357"})
		for range 3 {
			r.ask(t, "AT+CPIN=\"0000\"\r")
		}
		s := stackOf(t, scheduler.Options{}, r)
		arrives := s.waits("behind the PUK")
		s.stands(modem.StateNeedsPIN, modem.ProblemPUKNeeded)
		s.stop()
		if got := r.ask(t, "AT+CPINR=\"SIM PUK\"\r"); !strings.Contains(got, "SIM PUK,10,10") {
			t.Errorf("tries left: %q, want all 10", got)
		}
		r.ask(t, "AT+CPIN=\"12345678\",\"1357\"\r")
		s.start()
		s.pass(5 * time.Minute)
		s.stands(modem.StateReady, "")
		arrives()
	})
}

// TestStackSIMOutAndIn: the stick is not at fault, so it is left alone meanwhile.
func TestStackSIMOutAndIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, virtual.Options{})
		s.pass(time.Minute)
		before := s.post(to(phone, "before"))
		s.pass(time.Minute)
		s.radios[0].SetSIM(false)
		s.pass(time.Minute)
		s.stands(modem.StateLost, modem.ProblemNoSIM)
		arrives := s.waits("without a SIM")
		s.stands(modem.StateLost, modem.ProblemNoSIM)
		s.radios[0].SetSIM(true)
		s.pass(3 * time.Minute)
		s.stands(modem.StateReady, "")
		arrives()
		s.expect(before, queue.Delivered, "")
		if n := s.Modems()[0].Resets; n != 0 {
			t.Errorf("%d resets", n)
		}
	})
}

// TestStackRegistration has the network grant each <stat> of TS 27.007 section 7.2 in turn.
func TestStackRegistration(t *testing.T) {
	for stat, problem := range []string{
		modem.ProblemNotRegistered, "", modem.ProblemNotRegistered, modem.ProblemDenied, modem.ProblemNotRegistered,
		"", "", "", modem.ProblemNotRegistered, "", "",
	} {
		t.Run(fmt.Sprint(stat), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRadio(1, virtual.Options{})
				r.SetRegistration(stat)
				s := stackOf(t, scheduler.Options{}, r)
				s.pass(time.Minute)
				if problem == "" {
					s.stands(modem.StateReady, "")
					id := s.post(to(phone, "hello"))
					s.pass(time.Minute)
					s.expect(id, queue.Delivered, "")
					return
				}
				s.stands(modem.StateNotRegistered, problem)
				r.SetRegistration(0) // 0 → 2 → 1, as after a tunnel
				arrives := s.waits("into a tunnel")
				r.SetRegistration(2)
				s.pass(5 * time.Minute)
				r.SetRegistration(1)
				s.pass(3 * time.Minute)
				arrives()
			})
		})
	}
}

// TestStackDeniedIsLeftAlone: a SIM that the network refuses is no fault of the stick's.
func TestStackDeniedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStack(t, scheduler.Options{}, virtual.Options{})
		s.pass(time.Minute)
		s.radios[0].SetRegistration(3)
		s.pass(time.Minute)
		s.stands(modem.StateNotRegistered, modem.ProblemDenied)
		arrives := s.waits("refused by the network")
		if st := s.Modems()[0]; st.Resets != 0 || st.Sessions != 1 {
			t.Errorf("%d resets, %d sessions", st.Resets, st.Sessions)
		}
		s.radios[0].SetRegistration(1)
		s.pass(time.Minute)
		s.stands(modem.StateReady, "")
		arrives()
	})
}

// TestStackFullSIM: a SIM full of what is not ours can still send, and says why nothing comes in. What the
// network kept meanwhile comes when there is room, and what is not ours stays.
func TestStackFullSIM(t *testing.T) {
	draft := []byte{0, 0x11, 0, 0x0b, 0x91, 0x99, 0x89, 0x10, 0x32, 0x54, 0xf6, 0, 0, 0xa7, 0}
	for _, tt := range []struct {
		ours    int // of ten places
		warning string
		comesIn bool
	}{
		{7, "", true}, {8, modem.WarningStorageNearlyFull, true}, {10, modem.WarningStorageFull, false},
	} {
		t.Run(fmt.Sprint(tt.ours), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRadio(1, virtual.Options{Slots: 10})
				for range tt.ours {
					if err := r.Keep("SM", draft); err != nil {
						t.Fatal(err)
					}
				}
				s := stackOf(t, scheduler.Options{}, r)
				c := &suite{stack: s, radio: r, t: t}
				s.pass(2 * time.Minute)
				s.stands(modem.StateReady, tt.warning)
				id := s.post(to(phone, "hello"))
				for i := range 20 {
					c.says("+491701234567", fmt.Sprint("number ", i))
				}
				s.pass(2 * time.Hour)
				s.expect(id, queue.Delivered, "")
				s.stands(modem.StateReady, tt.warning)
				if n := len(s.inboxTexts()); n != 20 && tt.comesIn || n != 0 && !tt.comesIn {
					t.Errorf("%d messages came in", n)
				}
				if n := len(r.Stored("SM")); n != tt.ours {
					t.Errorf("%d are left on the SIM, want %d", n, tt.ours)
				}
				if !tt.comesIn {
					s.stop()
					r.ask(t, "AT+CMGD=1\r")
					s.start()
					s.pass(2 * time.Hour)
					if n := len(s.inboxTexts()); n != 20 {
						t.Errorf("%d messages came in when there was room", n)
					}
					s.stands(modem.StateReady, modem.WarningStorageNearlyFull)
				}
				got := s.inboxTexts()
				slices.Sort(got)
				if len(slices.Compact(got)) != 20 {
					t.Errorf("in the inbox: %q", got)
				}
			})
		})
	}
}
