package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// stack is the gateway below its API, in a synctest bubble: scheduler and store, and a modem worker
// on a virtual dongle for each SIM. The dongles, their cards and the network outlive the gateway.
type stack struct {
	t      *testing.T
	path   string
	opts   scheduler.Options
	radios []*radio
	*life
	lives int

	// onPart is told what the scheduler tells of each part, and onReport of each status report
	// that is on disk; not of what a life did after its end.
	onPart   func(job *queue.Job, err error, after bool)
	onReport func(from modem.Origin, r pdu.Report)
}

// radio is one dongle with what its owner may know.
type radio struct {
	*virtual.Dongle
	sim  int
	pin  string
	imsi string
	// recovery is what the machine can do beyond AT commands.
	recovery []modem.RecoveryStep

	mu       sync.Mutex
	received []pdu.Report // by the dongle, from the network
	states   []modem.State
}

// life is the gateway from one start to the next.
type life struct {
	*scheduler.Scheduler
	workers []*modem.Worker
	leads   []*lead
	dead    atomic.Bool

	stopSending, stopModems context.CancelFunc
	sending, modems         sync.WaitGroup
}

// newStack plugs a dongle in for each of opts and starts a gateway on them. Time is the bubble's.
func newStack(t *testing.T, opts scheduler.Options, dongles ...virtual.Options) *stack {
	t.Helper()
	var radios []*radio
	for i, o := range dongles {
		radios = append(radios, newRadio(i+1, o))
	}
	return stackOf(t, opts, radios...)
}

// stackOf starts a gateway on dongles that there are.
func stackOf(t *testing.T, opts scheduler.Options, radios ...*radio) *stack {
	t.Helper()
	s := &stack{t: t, path: filepath.Join(t.TempDir(), "dongled.db"), opts: opts, radios: radios}
	s.start()
	t.Cleanup(func() {
		s.stop()
		for _, r := range s.radios {
			if err := r.Close(); err != nil {
				t.Errorf("SIM %d: %v", r.sim, err)
			}
		}
	})
	return s
}

func newRadio(sim int, o virtual.Options) *radio {
	if o.Name == "" {
		o.Name = fmt.Sprintf("stack%d", sim)
	}
	if o.IMSI == "" {
		o.IMSI = fmt.Sprintf("26201000000000%d", sim)
	}
	r := &radio{sim: sim, pin: o.PIN, imsi: o.IMSI}
	o.OnReport = func(p pdu.Report) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.received = append(r.received, p)
	}
	r.Dongle = virtual.New(o)
	return r
}

// reports are those that the dongle has from the network.
func (r *radio) reports() []pdu.Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.received)
}

// ask opens the port by itself and returns all that the dongle says to a command within a second.
func (r *radio) ask(t *testing.T, command string) string {
	t.Helper()
	port, err := r.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, r.Unplug)
	if _, err := io.WriteString(port, command); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(port)
	if !errors.Is(err, virtual.ErrUnplugged) {
		t.Errorf("the port ended with %v", err)
	}
	r.Plug()
	return string(answer)
}

// start begins a life on the store as it is.
func (s *stack) start() {
	s.t.Helper()
	l := &life{}
	opts := s.opts
	opts.OnPart = func(job *queue.Job, _ pdu.Segment, err error, after bool) {
		if s.onPart != nil && !l.dead.Load() {
			s.onPart(job, err, after)
		}
	}
	sched, err := scheduler.Open(s.path, opts)
	if err != nil {
		s.t.Fatal(err)
	}
	l.Scheduler = sched
	for _, r := range s.radios {
		d := &lead{dongle: r.Dongle}
		w := modem.New(modem.Config{
			SIM: r.sim, Port: "virtual", Open: d.open, PIN: r.pin, Recovery: r.recovery, Sink: sink{s, l, r},
		})
		l.leads, l.workers = append(l.leads, d), append(l.workers, w)
		sched.Add(w)
	}
	s.run(l)
	s.life = l
	s.lives++
}

func (s *stack) run(l *life) {
	var sending, modems context.Context
	sending, l.stopSending = context.WithCancel(context.Background())
	modems, l.stopModems = context.WithCancel(context.Background())
	for _, w := range l.workers {
		l.modems.Go(func() {
			if err := w.Run(modems); err != nil {
				s.t.Errorf("SIM %d: %v", w.SIM(), err)
			}
		})
	}
	l.sending.Go(func() {
		if err := l.Run(sending); err != nil {
			s.t.Errorf("scheduler: %v", err)
		}
	})
}

// stop ends the life as SIGTERM does: no more claims while parts in flight finish, then the ports,
// then the store.
func (s *stack) stop() {
	s.t.Helper()
	s.stopSending()
	s.sending.Wait()
	s.stopModems()
	s.modems.Wait()
	if err := s.Close(); err != nil {
		s.t.Errorf("close: %v", err)
	}
}

func (s *stack) restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// crash ends the life as a power cut does, at a moment when everybody waits for something: the next
// one has the store as it was then, and nothing that the old one still does reaches a dongle.
// before is called at that moment.
func (s *stack) crash(before func()) {
	s.t.Helper()
	synctest.Wait()
	s.dead.Store(true)
	if before != nil {
		before()
	}
	left := fmt.Sprintf("%s.%d", s.path, s.lives)
	copyFile(s.t, left, s.path)
	for _, d := range s.leads {
		d.cut()
	}
	s.stopModems()
	s.stop()
	s.path = left
	s.start()
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// pass lets time pass and everybody come to rest.
func (s *stack) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// post submits sub and returns its ID.
func (s *stack) post(sub queue.Submission) string {
	s.t.Helper()
	m, err := s.Submit(context.Background(), sub)
	if err != nil {
		s.t.Fatalf("submit %q: %v", sub.Content.Text, err)
	}
	return m.ID
}

func (s *stack) get(id string) queue.Message {
	s.t.Helper()
	m, err := s.Get(context.Background(), id)
	if err != nil {
		s.t.Fatalf("get %s: %v", id, err)
	}
	return m
}

// expect checks the state of a message and the error of its first recipient.
func (s *stack) expect(id string, state queue.State, problem string) {
	s.t.Helper()
	m := s.get(id)
	if m.State != state || m.Recipients[0].Error != problem {
		s.t.Errorf("message %q is %v, error %q\n want %v, error %q",
			m.Content.Text, m.State, m.Recipients[0].Error, state, problem)
	}
}

// texts is what the network took on a SIM, in order.
func (r *radio) texts() (all []string) {
	for _, sub := range r.Submissions() {
		all = append(all, sub.Submit.Text)
	}
	return all
}

// to is a message of one text to one number, with reports.
func to(number, text string) queue.Submission {
	return queue.Submission{
		Content: queue.Content{Text: text}, Recipients: []string{number}, Report: true, SkipPhoneValidation: true,
	}
}

// sink is the scheduler of one life, as the worker of a SIM sees it.
type sink struct {
	s *stack
	l *life
	r *radio
}

func (k sink) Reported(ctx context.Context, from modem.Origin, r pdu.Report) error {
	err := k.l.Reported(ctx, from, r)
	if err == nil && k.s.onReport != nil && !k.l.dead.Load() {
		k.s.onReport(from, r)
	}
	return err
}

func (k sink) Received(ctx context.Context, from modem.Origin, m modem.Incoming) error {
	return k.l.Received(ctx, from, m)
}

func (k sink) Called(ctx context.Context, from modem.Origin, c modem.Call) error {
	return k.l.Called(ctx, from, c)
}

func (k sink) Changed(st modem.Status) {
	k.r.mu.Lock()
	if n := len(k.r.states); n == 0 || k.r.states[n-1] != st.State {
		k.r.states = append(k.r.states, st.State)
	}
	k.r.mu.Unlock()
	k.l.Changed(st)
}

// lead joins a worker to its dongle until it is cut, as the end of the process does.
type lead struct {
	dongle *virtual.Dongle

	mu    sync.Mutex
	isCut bool
	end   *driver // the cable in use
}

func (d *lead) open(ctx context.Context) (io.ReadWriteCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isCut {
		return nil, errors.New("the lead is cut")
	}
	rw, err := d.dongle.Open(ctx)
	if errors.Is(err, virtual.ErrUnplugged) {
		return nil, fmt.Errorf("%w: %w", fs.ErrNotExist, err) // as of a node that is gone
	}
	if err != nil {
		return nil, err
	}
	port := &driver{ReadWriteCloser: rw}
	d.end = port
	return port, nil
}

// fail has the driver give up on the open port, as it does when the hub lets the stick down.
func (d *lead) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.end.err.Store(&err)
	_ = d.end.Close() // the cable's never fails
}

// driver is an open port that may fail.
type driver struct {
	io.ReadWriteCloser
	err atomic.Pointer[error]
}

func (l *driver) Read(p []byte) (int, error) {
	n, err := l.ReadWriteCloser.Read(p)
	return n, l.reason(err)
}

func (l *driver) Write(p []byte) (int, error) {
	n, err := l.ReadWriteCloser.Write(p)
	return n, l.reason(err)
}

func (l *driver) reason(err error) error {
	if failed := l.err.Load(); failed != nil && err != nil {
		return *failed
	}
	return err
}

func (d *lead) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.isCut = true
	if d.end != nil {
		_ = d.end.Close() // the cable's never fails
	}
}
