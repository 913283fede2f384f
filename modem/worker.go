package modem

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"dongled/pdu"
)

// Opener opens the line to a dongle. Close of what it returns must end a Read and a Write that
// are waiting. ctx bounds the opening only.
type Opener func(ctx context.Context) (io.ReadWriteCloser, error)

// Origin says which SIM something came in on.
type Origin struct {
	// SIM is the simNumber of the Worker.
	SIM int
	// IMSI is the SIM's identity. If the session ended before it could be read, it is that of the
	// SIM seen last in this dongle; empty if there was none, or another one has been noticed since.
	IMSI string
	// ICCID is the card's and IMEI the dongle's; Number is the subscriber's own. Empty if not known.
	ICCID, IMEI, Number string
}

// Incoming is one SMS-DELIVER, or what a dongle kept as one.
type Incoming struct {
	// Raw is SCA and TPDU as the dongle gave them; never empty unless Err says why.
	Raw []byte
	// Line is what the dongle said where that is no hex at all.
	Line string
	// Deliver is Raw decoded; meaningful only without Err.
	Deliver pdu.Deliver
	// Err says why Raw cannot be read. It is archived, so that it stops nothing behind it.
	Err error
}

// Call is an incoming voice call.
type Call struct {
	// Number is the caller's (+CLIP); empty if withheld or not told.
	Number string
	At     time.Time
}

// Sink takes what a dongle has to say unasked. Both methods may be called from any goroutine,
// but each one at a time for a Worker, in the order in which things happened.
type Sink interface {
	// Reported returns nil after the report is stored; only then is it acknowledged to the
	// network, where that is wanted. On an error the report is offered again.
	// It must not wait for a submission.
	Reported(ctx context.Context, from Origin, r pdu.Report) error
	// Received returns nil after the message is stored; only then is it acknowledged to the network
	// or deleted from the dongle. The same message may be offered more than once.
	// It must not wait for a submission.
	Received(ctx context.Context, from Origin, m Incoming) error
	// Called tells of a call that came in, once a call; it returns nil after that is stored.
	Called(ctx context.Context, from Origin, c Call) error
	// Changed follows every change of the status, except of LastSeen. It must not block.
	Changed(Status)
}

// Config is what a Worker needs to know. Open and Sink are required.
type Config struct {
	// SIM is the simNumber, 1 to 255.
	SIM int
	// Port names the port in the status and in the log.
	Port string
	Open Opener
	// Name is what Status calls the SIM. Number is the subscriber's own, whatever the SIM says; empty leaves
	// it to the SIM.
	Name, Number string
	// PIN unlocks the SIM: 4 to 8 digits, or empty.
	PIN string
	// SMSC is written to the SIM if the SIM's differs; empty leaves the SIM's.
	SMSC string
	// SendTimeout bounds the wait for the answer to a PDU; 0 is DefaultSendTimeout.
	SendTimeout time.Duration
	// HangUp ends incoming calls (AT+CHUP); otherwise they ring out.
	HangUp bool
	// Plugged, if not nil, receives when something changed on the bus, so that a port that was
	// missing is worth another try at once; it is then looked for only every five minutes
	// otherwise. It is not received from while a session stands, so send without waiting.
	Plugged <-chan struct{}
	// Recovery are the steps beyond the dongle's own AT commands, mildest first: USB reset, driver
	// rebind, the user's command. Each is given 30 s to act, and the dongle 30 s to settle and
	// 120 s to come back.
	Recovery []RecoveryStep
	// Host, if not nil, tells what the machine suffers from; it is asked when a session fails and
	// once a minute, beside the sessions. Run returns only after it did.
	Host func() Host
	// Log is nil for no logging. At level Debug it holds the dialogue, with PIN and PDUs masked.
	Log  *slog.Logger
	Sink Sink
}

// A RecoveryStep is one way to bring a dongle back that does not answer.
type RecoveryStep struct {
	// Name goes into log, status and trace: "usb-reset", "usb-rebind", "reset-command".
	Name string
	// Do acts; tty is the node the dongle was last seen at, its Status the latest.
	Do func(ctx context.Context, tty string, st Status) error
}

// DefaultSendTimeout bounds the answer to AT+CMGS. Networks were seen to take 135 s, and the
// makers ask for 180 s; NB-IoT modules may need 405 s.
const DefaultSendTimeout = 180 * time.Second

// A Worker owns one dongle for the life of the process.
type Worker struct {
	cfg Config
	log *slog.Logger

	// live is the session that takes submissions, nil while there is none.
	live atomic.Pointer[session]
	// seenAt is when the dongle last answered, in Unix nanoseconds; 0 is never.
	seenAt atomic.Int64

	// ring keeps the dialogue.
	ring ring

	// changing is held from a change of the status until the Sink has heard of it, so that it
	// hears of changes in their order; the Sink may call Status meanwhile.
	changing sync.Mutex
	mu       sync.Mutex
	status   Status
	reg      registration
	resets   []time.Time // of the last day

	// silences are what the dongle fell silent at; they belong to the goroutine of Run.
	silences silences
	// learned, ladder, gone and plugged belong to the goroutine of Run, too. gone says that the port
	// was lost or missing, plugged is when the bus last changed.
	learned learned
	ladder  ladder
	gone    bool
	plugged time.Time
	// failed wakes keepHouse.
	failed chan struct{}
}

// New makes a Worker; Run sets it going.
func New(cfg Config) *Worker {
	if cfg.SendTimeout <= 0 {
		cfg.SendTimeout = DefaultSendTimeout
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Worker{
		cfg:      cfg,
		log:      cfg.Log.With("sim", cfg.SIM, "port", cfg.Port),
		status:   Status{SIM: cfg.SIM, Port: cfg.Port, State: StateStopped, Name: cfg.Name, Number: cfg.Number},
		reg:      unregistered,
		silences: make(silences),
		failed:   make(chan struct{}, 1),
	}
}

// SIM is the simNumber.
func (w *Worker) SIM() int { return w.cfg.SIM }

// Status is the latest status.
func (w *Worker) Status() Status {
	w.mu.Lock()
	st := w.status
	w.mu.Unlock()
	st.LastSeen = w.lastSeen()
	return st
}

// Run keeps a session with the dongle open until ctx ends. A submission whose PDU was handed over
// by then is waited for. It returns nil, after every goroutine it started has ended; it may be
// called once.
func (w *Worker) Run(ctx context.Context) error {
	var house sync.WaitGroup
	defer house.Wait()
	house.Go(func() { w.keepHouse(ctx) })
	var pause backoff
	for ctx.Err() == nil {
		ready, err := w.session(ctx)
		if ctx.Err() != nil {
			break
		}
		problem := problemOf(err)
		w.lose(problem, err)
		if w.recover(ctx, problem, err) {
			pause = backoff{}
			continue
		}
		w.wait(ctx, &pause, pause.next(ready, problem), problem)
	}
	w.update(func(st *Status) { st.State, st.Problem, st.Hint = StateStopped, "", "" })
	return nil
}

// session runs one session, from the opening of the port to its closing; ready says that it got
// as far as taking submissions.
func (w *Worker) session(ctx context.Context) (ready bool, err error) {
	w.update(func(st *Status) { st.advance(StateOpening) })
	s, err := w.open(ctx)
	if err != nil {
		return false, err
	}
	defer s.end()
	defer closeWhenDone(ctx, s.f)()
	w.noteOpened(s.tty)
	if err := s.bringUp(); err != nil {
		return false, err
	}
	w.live.Store(s)
	defer w.live.Store(nil)
	w.update(w.settle)
	w.log.Info("the modem is up", "status", w.Status().State, "operator", w.Status().Operator)
	return true, s.serve()
}

// closeWhenDone shuts the port when ctx ends; the function it returns takes that back, or waits
// until it is done.
func closeWhenDone(ctx context.Context, f *filter) func() {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		f.shut()
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// noteOpened notes that the port is open.
func (w *Worker) noteOpened(tty string) {
	again := w.gone
	w.gone = false
	w.ladder.away = false
	w.update(func(st *Status) {
		st.advance(StateIdentifying)
		st.Sessions++
		st.Tty = tty
		if again {
			st.enumerated(time.Now())
		}
	})
}

// problemOf names why a session ended.
func problemOf(err error) string {
	var e *sessionError
	if errors.As(err, &e) {
		return e.problem
	}
	return ProblemPortError
}

// lose notes why a session ended.
func (w *Worker) lose(problem string, err error) {
	if problem == ProblemPortLost || problem == ProblemPortMissing {
		w.gone = w.gone || !w.ladder.away // what a reset of ours does is no news
	}
	signal(w.failed)
	level := slog.LevelWarn
	if w.Status().Problem == problem {
		level = slog.LevelDebug // it was said, and the next session meets it again
	}
	w.log.Log(context.Background(), level, "no session with the modem", "problem", problem, "error", err)
	switch problem {
	case ProblemNoAnswer, ProblemOutOfStep, ProblemModemFault:
		w.log.Log(context.Background(), level, "the end of the dialogue", "lines", w.dump())
	}
	w.update(func(st *Status) {
		w.reg = unregistered
		st.Registration, st.SignalDBM, st.Operator, st.Generation = 0, 0, "", 0
		st.State, st.Problem, st.Hint = StateLost, problem, hints[problem]
		switch problem {
		case ProblemPINNeeded, ProblemPINRefused, ProblemPUKNeeded:
			st.State = StateNeedsPIN
		}
	})
}

// settle derives the state of a session that is up from its registration; it needs mu.
func (w *Worker) settle(st *Status) {
	switch {
	case w.live.Load() == nil:
		return
	case Registered(st.Registration):
		st.State, st.Problem = StateReady, ""
	case st.Registration == registrationDenied:
		st.State, st.Problem = StateNotRegistered, ProblemDenied
	default:
		st.State, st.Problem = StateNotRegistered, ProblemNotRegistered
	}
	st.Hint = hints[st.Problem]
}

// update changes the status and tells the Sink, if there is anything to tell.
func (w *Worker) update(change func(*Status)) {
	w.changing.Lock()
	defer w.changing.Unlock()
	w.mu.Lock()
	before := w.status
	change(&w.status)
	after := w.status
	w.mu.Unlock()
	if after != before {
		after.LastSeen = w.lastSeen()
		w.cfg.Sink.Changed(after)
	}
}

func (w *Worker) seen() { w.seenAt.Store(time.Now().UnixNano()) }

func (w *Worker) lastSeen() time.Time {
	if n := w.seenAt.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

func (w *Worker) ready() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status.State == StateReady
}

// registered is the registration by domain.
func (w *Worker) registered() registration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reg
}
