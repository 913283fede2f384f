package modem

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/warthog618/modem/at"
)

// bringUp is all that makes an opened port a session, in order. Each step tolerates what some
// dongle lacks; an error ends the session, to be tried anew.
var bringUp = []struct {
	name string
	do   func(*session) error
}{
	{"wake", (*session).wake},
	{"echo off", func(s *session) error { return s.try("E0") }},
	{"numeric errors", func(s *session) error { return s.try("+CMEE=1") }},
	{"equipment", (*session).identifyEquipment},
	{"profile", (*session).introduce},
	{"radio on", (*session).radioOn},
	{"SIM card", (*session).identifyCard},
	{"PIN", (*session).unlock},
	{"subscriber", (*session).identifySubscriber},
	{"PDU mode", (*session).pduMode},
	{"messages", (*session).awaitMessages},
	{"service centre", (*session).serviceCentre},
	{"reports", (*session).askForReports},
	{"caller number", (*session).callerNumber},
	{"registration", (*session).register},
}

func (s *session) bringUp() error {
	for _, step := range bringUp {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		if err := step.do(s); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

const (
	wakeTries   = 8
	wakeTimeout = time.Second
	// quiet is how long late answers are waited for, and noise is left to end.
	quiet = 500 * time.Millisecond
)

// wake ends a prompt that an earlier life may have left open, and repeats AT until it is
// answered. Answers to the earlier ones may still come, so it then waits for silence; +CPIN?,
// which has an answer that is no other's, later proves that we are in step.
func (s *session) wake() error {
	s.f.begin(exchange{}, wakeTries*2*wakeTimeout)
	s.at.Escape()
	s.f.end()
	defer s.awake.Store(true)
	for try := range wakeTries {
		s.f.begin(exchange{}, 2*wakeTimeout) // frees a Write that waits
		_, err := s.at.Command("", at.WithTimeout(wakeTimeout))
		s.f.end()
		if err == nil && try == 0 {
			return nil
		}
		if s.f.closedBy() != nil {
			return s.lost(err)
		}
		if waitErr := s.pause(quiet); err == nil || waitErr != nil {
			return waitErr
		}
	}
	return fault(ProblemNoAnswer, fmt.Errorf("no OK to %d times AT", wakeTries))
}

const radioTimeout = 30 * time.Second

// radioOn ends a minimum or flight mode (TS 27.007 section 8.2).
func (s *session) radioOn() error {
	level, err := s.ask("+CFUN?", "+CFUN")
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(field(level, 0)); err != nil || n != 0 && n != 4 {
		return nil
	}
	_, err = s.command("+CFUN=1", want{}, radioTimeout)
	return unlessRefused(err)
}

// pduMode is the one setting without which nothing works.
func (s *session) pduMode() error {
	err := s.do("+CMGF=0")
	if r, ok := asRefusal(err); ok {
		return fault(ProblemNoPDUMode, r)
	}
	return err
}

// awaitMessages waits while the dongle reads the SIM's messages, after a restart or a PIN: until it
// has, it refuses +CSCA, every +CNMI and +CMGS, though +CPIN says READY. Not all say "SMS DONE".
func (s *session) awaitMessages() error {
	const question = "+CPMS?"
	for waited := time.Duration(0); !s.w.muted(question); waited += simPoll {
		_, err := s.command(question, want{prefix: "+CPMS"}, commandTimeout)
		s.w.noteSilence(question, err)
		r, refused := asRefusal(err)
		if !refused || !r.fault.isSIMBusy() || waited >= simSettle {
			return unlessRefused(err)
		}
		if err := s.pause(simPoll); err != nil {
			return err
		}
	}
	return nil
}

// openTime bounds Config.Open, which may look for the dongle on the bus.
const openTime = 45 * time.Second

// open runs Config.Open and names what went wrong.
func (w *Worker) open(ctx context.Context) (*session, error) {
	opening, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	port, err := w.cfg.Open(opening)
	if err != nil {
		return nil, fault(PortProblem(err), err)
	}
	s := w.newSession(ctx, port)
	if t, ok := port.(interface{ Tty() string }); ok {
		s.tty = t.Tty()
	}
	return s, nil
}
