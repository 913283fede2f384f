package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/warthog618/modem/at"
	"github.com/warthog618/modem/info"
)

// commandTimeout bounds an ordinary command.
const commandTimeout = 10 * time.Second

// A session is one opening of the port. It ends at the first doubt, and never recovers.
// Its methods, except heard and consume, belong to the goroutine of Worker.Run.
type session struct {
	w   *Worker
	ctx context.Context // of Run
	log *slog.Logger
	f   *filter
	at  *at.AT

	urcs *urcQueue
	// awake says that the settings are being made, so that a restart would undo them.
	awake atomic.Bool
	// tty is the device node of the port.
	tty string
	// family is the generic one until the dongle is known; set before the consumer of urcs starts.
	family Profile
	// imsi is set before the consumer of urcs starts.
	imsi string
	// offering lets one arrival or call at a time through to the Sink: it holds one while that is busy.
	// It is no Mutex, for which the time of a testing/synctest bubble does not go on.
	offering chan struct{}
	// consumed is closed when the consumer has ended; nil before it started.
	consumed chan struct{}

	// jobs hands submissions over; gone is closed when nobody takes them any more.
	jobs chan *job
	gone chan struct{}
	// acks asks for a +CNMA, refresh for a new look at the network, hangUps for the end of a call,
	// ussdEnds for that of a USSD dialogue; strayed says that the dongle left PDU mode.
	acks, refresh, hangUps, ussdEnds, strayed chan struct{}
	// orders are done before any submission.
	orders chan func() error
	// stored is what the dongle keeps in its memories; unswept says that something may be there
	// that we were not told of.
	stored  *stored
	unswept bool
	// submitted says that a submission was the last thing done.
	submitted bool
	ussd      ussdDesk
	// ringing belongs to the consumer of urcs.
	ringing ringing
	// checks are questions to be asked; checked says that one was the last chore done.
	checks    []func() error
	checked   bool
	nextCheck int
	// workedAt is when the dongle last took a message, or was asked about its network instead.
	workedAt time.Time
	// doubts counts, by domain, the questions in a row that had no answer.
	doubts [domains]int
	// with and without are since when the dongle has had a network, or none; zero if it is the
	// other way round.
	with, without time.Time

	// ds is <ds> of +CNMI as it was taken; untold counts the reports in a row that were found without
	// having been told of.
	ds     int
	untold atomic.Int32
	// mustAck says that the network waits for +CNMA after each report (AT+CSMS=1).
	mustAck atomic.Bool
	// verifiedAt is when the settings were last made, or seen to stand.
	verifiedAt time.Time
	// linkAsked says that AT+CMMS=2 was tried in this session.
	linkAsked bool
}

// A sessionError ends a session. Problem goes into the status.
type sessionError struct {
	problem string
	err     error
}

func (e *sessionError) Error() string { return e.problem + ": " + e.err.Error() }
func (e *sessionError) Unwrap() error { return e.err }

func fault(problem string, err error) error { return &sessionError{problem, err} }

// outOfStep says that an answer did not fit its question: it may have been another's.
func outOfStep(err error) error { return fault(ProblemOutOfStep, err) }

var errRestarted = errors.New("the modem restarted")

func (w *Worker) newSession(ctx context.Context, port io.ReadWriteCloser) *session {
	s := &session{
		w: w, ctx: ctx, log: w.log, urcs: newURCQueue(),
		jobs: make(chan *job), gone: make(chan struct{}),
		acks: make(chan struct{}, 1), refresh: make(chan struct{}, 1),
		hangUps: make(chan struct{}, 1), ussdEnds: make(chan struct{}, 1),
		strayed: make(chan struct{}, 1), offering: make(chan struct{}, 1),
		orders: make(chan func() error),
		stored: newStored(), unswept: true,
		family: genericProfile, tty: w.cfg.Port,
	}
	s.f = newFilter(port, newTracer(w.log, &w.ring, w.cfg.PIN), s.heard, s.urcs.free)
	// Deadlines are the filter's: one of at's own would leave the port open, out of step.
	s.at = at.New(s.f, at.WithTimeout(-1))
	return s
}

// heard runs in the reader of the port.
func (s *session) heard(u urc) {
	if u.kind == urcRestarted {
		if s.awake.Load() {
			s.f.closeWith(errRestarted)
		}
		return
	}
	s.urcs.push(u)
}

// consume deals with the URCs in order until the queue is closed and empty. It issues no
// commands, so that a report is stored while a submission still waits for the network.
func (s *session) consume() {
	for {
		u, ok := s.urcs.pop()
		if !ok {
			return
		}
		switch u.kind {
		case urcTPDU:
			s.arrived(arrivalOf(u.text, u.report))
		case urcTextMode:
			s.arrived(arrival{message: &Incoming{Line: u.text, Err: errTextMode}})
			signal(s.strayed)
		case urcStored, urcFull, urcSettled:
			s.stored.tell(u)
		case urcUSSD:
			s.heardUSSD(u.text)
		case urcRing, urcCaller, urcUnnamed, urcCallEnded:
			s.rings(u)
		case urcRegistration:
			s.setRegistration(u.domain, u.stat)
			signal(s.refresh)
		}
	}
}

// signal wakes the receiver, once for any number of signals.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// startConsumer hands the URCs so far, and those to come, to a goroutine of their own.
func (s *session) startConsumer() {
	s.consumed = make(chan struct{})
	go func() {
		defer close(s.consumed)
		s.consume()
	}()
}

// end closes the session and waits until its goroutines have ended and all that came has been
// offered to the Sink.
func (s *session) end() {
	close(s.gone)
	s.f.closeWith(errShut)
	s.urcs.close()
	<-s.at.Closed()
	if s.consumed != nil {
		<-s.consumed
	}
	if s.imsi == "" {
		s.imsi = s.w.Status().IMSI // of the SIM seen last: no other was noticed
	}
	s.consume() // what the reader put in after the consumer had left
	s.endRinging()
}

// A refusal is a final result other than OK. The session stands.
type refusal struct {
	fault Fault
	// line is the final result in the modem's own words.
	line string
}

func (r *refusal) Error() string { return r.line }

// asRefusal says whether err is one.
func asRefusal(err error) (*refusal, bool) {
	var r *refusal
	return r, errors.As(err, &r)
}

// command issues AT<cmd> and returns the lines of the answer. The error is a *refusal, or it
// ends the session.
func (s *session) command(cmd string, w want, limit time.Duration) ([]string, error) {
	if i := strings.IndexFunc(cmd, func(r rune) bool { return r < ' ' || r == 0x7f }); i >= 0 {
		return nil, fmt.Errorf("control character %U in a command", cmd[i])
	}
	w.lone = slices.Contains(s.family.NoOK, cmd)
	s.f.begin(exchange{want: w}, limit)
	lines, err := s.at.Command(cmd)
	ex := s.f.end()
	if err == nil {
		s.w.seen()
		if w.lone {
			err = s.pause(quiet) // should an OK follow all the same
		}
		return lines, err
	}
	if ex.final != "" {
		s.w.seen()
		return nil, &refusal{faultOfFinal(ex.final), ex.final}
	}
	return nil, s.lost(err)
}

// do issues a command that has no answer but OK.
func (s *session) do(cmd string) error {
	_, err := s.command(cmd, want{}, commandTimeout)
	return err
}

// try issues a command that may be refused.
func (s *session) try(cmd string) error { return unlessRefused(s.do(cmd)) }

// ask returns what follows prefix in the answer; empty if the question is refused.
func (s *session) ask(cmd, prefix string) (string, error) {
	lines, err := s.command(cmd, want{prefix: prefix}, commandTimeout)
	for _, line := range lines {
		if info.HasPrefix(line, prefix) {
			return info.TrimPrefix(line, prefix), nil
		}
	}
	return "", unlessRefused(err)
}

func unlessRefused(err error) error {
	if _, ok := asRefusal(err); ok {
		return nil
	}
	return err
}

// pause lets the modem settle.
func (s *session) pause(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-s.at.Closed():
		return s.lost(at.ErrClosed)
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
}

// lost is the error of a session whose port is closed.
func (s *session) lost(err error) error {
	switch cause := s.f.closedBy(); {
	case cause == nil:
		return outOfStep(err)
	case errors.Is(cause, errDeadline):
		return fault(ProblemNoAnswer, cause)
	case errors.Is(cause, errRestarted):
		return fault(ProblemModemFault, cause)
	default:
		return fault(ProblemPortLost, cause)
	}
}
