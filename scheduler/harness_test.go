package scheduler_test

import (
	"context"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// submission is one SMS-SUBMIT that a fakeSIM was handed, as the network reads it.
type submission struct {
	pdu.Submit
	SIM     int
	At      time.Duration // since the fakeSIM was made
	MR      uint8
	Waiting bool
}

// fakeSIM is a Sender whose answers are scripted. Its time is the bubble's.
type fakeSIM struct {
	t      *testing.T
	number int
	born   time.Time
	// prompt passes before the PDU is handed over, latency from there to the answer.
	prompt, latency time.Duration
	// answer says what the network answers; nil accepts everything.
	answer func(submission) error

	mu     sync.Mutex
	sink   modem.Sink
	status modem.Status
	mr     uint8
	log    []submission

	talk talk
}

// newSIM returns a ready SIM that answers at once. Its next TP-MR is 250, so that few messages wrap it.
func newSIM(t *testing.T, number int) *fakeSIM {
	return &fakeSIM{
		t: t, number: number, born: time.Now(), mr: 249,
		status: modem.Status{SIM: number, State: modem.StateReady, IMSI: "26201000000000" + string(rune('0'+number))},
	}
}

func (f *fakeSIM) SIM() int { return f.number }

func (f *fakeSIM) Status() modem.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.status
}

func (f *fakeSIM) set(state modem.State) {
	f.mu.Lock()
	f.status.State = state
	st, sink := f.status, f.sink
	f.mu.Unlock()
	if sink != nil {
		sink.Changed(st)
	}
}

// Submit behaves as modem.Worker does: ctx counts until the PDU is handed over.
func (f *fakeSIM) Submit(ctx context.Context, seg pdu.Segment, waiting bool, cleared func() error) (uint8, error) {
	select {
	case <-ctx.Done():
		return 0, heldBack(ctx.Err())
	case <-time.After(f.prompt):
	}
	if !f.Status().Ready() {
		return 0, noPrompt()
	}
	if err := cleared(); err != nil {
		return 0, heldBack(err)
	}
	raw, err := pdu.DecodeHex(seg.Hex())
	if err != nil {
		f.t.Errorf("SIM %d: %v", f.number, err)
	}
	s := submission{SIM: f.number, At: time.Since(f.born), Waiting: waiting}
	if s.Submit, err = pdu.DecodeSubmit(raw); err != nil {
		f.t.Errorf("SIM %d: the network would refuse % X: %v", f.number, raw, err)
	}
	f.mu.Lock()
	f.mr++
	s.MR = f.mr
	f.log = append(f.log, s)
	answer := f.answer
	f.mu.Unlock()
	time.Sleep(f.latency)
	if answer != nil {
		if err := answer(s); err != nil {
			return 0, err
		}
	}
	return s.MR, nil
}

func heldBack(why error) error {
	return &modem.SubmitError{
		Fault: modem.Fault{Action: modem.Transient, Text: "cancelled before the message was handed over"},
		Err:   why,
	}
}

// sent is what the SIM was handed so far.
func (f *fakeSIM) sent() []submission {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log)
}

func (f *fakeSIM) texts() (out []string) {
	for _, s := range f.sent() {
		out = append(out, s.Text)
	}
	return out
}

// times is when the SIM was handed each submission, since it was made.
func (f *fakeSIM) times() (out []time.Duration) {
	for _, s := range f.sent() {
		out = append(out, s.At)
	}
	return out
}

// The answers of a network and of a dongle.

func refused(code int) error {
	return &modem.SubmitError{Fault: modem.CMS(code), Submitted: true}
}

func noPrompt() error {
	return &modem.SubmitError{Fault: modem.Fault{
		Action: modem.ModemFault, Text: "no prompt for the message", Result: "RESULT_MODEM_ERROR",
	}}
}

func silence() error {
	return &modem.SubmitError{Submitted: true, Fault: modem.Fault{
		Action: modem.Ambiguous, Text: "no answer after the message was handed over", Result: "RESULT_MODEM_ERROR",
	}}
}

// inTurn answers submission by submission, and then accepts. nil accepts.
func inTurn(answers ...error) func(submission) error {
	return func(submission) (err error) {
		if len(answers) > 0 {
			err, answers = answers[0], answers[1:]
		}
		return err
	}
}

// forText answers err to the parts of one text only.
func forText(text string, err error) func(submission) error {
	return func(s submission) error {
		if s.Text == text {
			return err
		}
		return nil
	}
}

// rig is a scheduler on a store of its own, running over fake SIMs.
type rig struct {
	*scheduler.Scheduler
	t    *testing.T
	path string
	opts scheduler.Options
	sims []*fakeSIM
	halt func()
}

// idle opens a scheduler that does not run yet.
func idle(t *testing.T, opts scheduler.Options, sims ...*fakeSIM) *rig {
	t.Helper()
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "dongled.db"), opts: opts, sims: sims, halt: func() {}}
	r.open()
	t.Cleanup(func() {
		r.halt()
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// start opens a scheduler and runs it.
func start(t *testing.T, opts scheduler.Options, sims ...*fakeSIM) *rig {
	t.Helper()
	r := idle(t, opts, sims...)
	r.run()
	return r
}

func (r *rig) open() {
	r.t.Helper()
	s, err := scheduler.Open(r.path, r.opts)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Scheduler = s
	for _, f := range r.sims {
		f.mu.Lock()
		f.sink = s
		f.mu.Unlock()
		s.Add(f)
	}
}

// run starts Run; halt ends it and waits for its end.
func (r *rig) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.halt = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	})
}

// restart stops gracefully and comes back on the same store.
func (r *rig) restart() {
	r.t.Helper()
	r.halt()
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.open()
	r.run()
}

// text is a submission of text to one number.
func text(s string) queue.Submission {
	return queue.Submission{Content: queue.Content{Text: s}, Recipients: []string{"+4915112345678"}, Report: true}
}

// post submits and returns the ID.
func (r *rig) post(sub queue.Submission) string {
	r.t.Helper()
	m, err := r.Submit(context.Background(), sub)
	if err != nil {
		r.t.Fatalf("submit %q: %v", sub.Content.Text, err)
	}
	return m.ID
}

func (r *rig) get(id string) queue.Message {
	r.t.Helper()
	m, err := r.Get(context.Background(), id)
	if err != nil {
		r.t.Fatalf("get %s: %v", id, err)
	}
	return m
}

// expect checks the state of a message and the error of its first recipient.
func (r *rig) expect(id string, state queue.State, problem string) {
	r.t.Helper()
	m := r.get(id)
	if m.State != state || m.Recipients[0].Error != problem {
		r.t.Errorf("message is %v, error %q\n     want %v, error %q", m.State, m.Recipients[0].Error, state, problem)
	}
}

// report has a status report about s come in on its SIM.
func (r *rig) report(s submission, st pdu.Status) {
	r.t.Helper()
	from := modem.Origin{SIM: s.SIM, IMSI: r.sim(s.SIM).Status().IMSI}
	err := r.Reported(context.Background(), from, pdu.Report{
		SMSC: "+491710760000", MR: s.MR, Recipient: s.Destination, Status: st,
	})
	if err != nil {
		r.t.Errorf("report: %v", err)
	}
}

func (r *rig) sim(number int) *fakeSIM {
	i := slices.IndexFunc(r.sims, func(f *fakeSIM) bool { return f.number == number })
	return r.sims[i]
}
