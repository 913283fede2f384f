package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
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
	// imsi is set before the consumer of urcs starts.
	imsi string
	// offering lets one report at a time through to the Sink.
	offering sync.Mutex
	// consumed is closed when the consumer has ended; nil before it started.
	consumed chan struct{}

	// jobs hands submissions over; gone is closed when nobody takes them any more.
	jobs chan *job
	gone chan struct{}
	// acks asks for a +CNMA, refresh for a new look at the network.
	acks, refresh chan struct{}
	// stored are reports to be fetched from the dongle's memory; unswept says that some may be
	// there that we were not told of.
	stored  *storedReports
	unswept bool
	// checks are questions to be asked when no submission waits.
	checks    []func() error
	nextCheck int

	// mustAck says that the network waits for +CNMA after each report (AT+CSMS=1).
	mustAck atomic.Bool
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
		stored: newStoredReports(),
	}
	s.f = newFilter(port, newTracer(w.log), s.heard, s.urcs.free)
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
		case urcReport:
			s.report(u.text)
		case urcStored:
			s.stored.add(u)
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

// end closes the session and waits until its goroutines have ended and every report that came
// has been offered to the Sink.
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
	s.f.begin(exchange{want: w}, limit)
	lines, err := s.at.Command(cmd)
	ex := s.f.end()
	if err == nil {
		s.w.seen()
		return lines, nil
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

// keepAlive is how long the line is silent before a question shows that the modem still works.
const keepAlive = 15 * time.Second

// serve runs the session once it is up, until it ends; nil means because of ctx. A submission
// waits for at most the one command in progress.
func (s *session) serve() error {
	idle := time.NewTicker(keepAlive)
	defer idle.Stop()
	for s.ctx.Err() == nil {
		if err := s.turn(idle.C); err != nil {
			return err
		}
	}
	return nil
}

// turn does the next thing there is to do.
func (s *session) turn(idle <-chan time.Time) error {
	select {
	case <-s.acks: // the network waits for it, and holds the next report back
		return s.acknowledge()
	default:
	}
	select {
	case j := <-s.jobs:
		return s.run(j)
	default:
	}
	if len(s.checks) > 0 {
		check := s.checks[0]
		s.checks = s.checks[1:]
		return check()
	}
	select {
	case <-s.acks:
		return s.acknowledge()
	case j := <-s.jobs:
		return s.run(j)
	case <-s.refresh:
		s.recheck()
	case <-s.stored.wake:
		s.checks = append(s.checks, s.fetchReports)
	case <-idle:
		signal(s.stored.wake) // for what could not be stored before
		if time.Since(s.w.lastSeen()) >= keepAlive {
			s.checkNext()
		}
	case <-s.at.Closed():
		return s.lost(at.ErrClosed)
	case <-s.ctx.Done():
	}
	return nil
}

func (s *session) run(j *job) error {
	result, err := s.submit(j)
	j.done <- result
	return err
}
