package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"dongled/configs"
	"dongled/modem"
	"dongled/modem/probe"
	"dongled/modem/virtual"
	"dongled/scheduler"
)

const (
	// startSlots is how many dongles are brought up at a time: each draws most current then, and a
	// hub that feeds eight may not bear it.
	startSlots = 4
	// startPatience is after how long the next one is begun all the same.
	startPatience = time.Minute
	// watchRetry is when a watch of the bus that failed is tried again.
	watchRetry = time.Minute
)

// roster is who sends; *scheduler.Scheduler is one.
type roster interface {
	Add(scheduler.Sender)
	Remove(ctx context.Context, sim int) error
	Number(ctx context.Context, keys ...string) (int, error)
}

// bus is where dongles are plugged in; *probe.Prober is one.
type bus interface {
	Probe(context.Context) ([]probe.Dongle, error)
	Opener(spec probe.Spec, baud int) modem.Opener
	Watch(ctx context.Context, changed func()) error
	Host(node string) modem.Host
	Recovery(argv []string) []modem.RecoveryStep
}

// fleet owns the modem workers: one for each configured modem or, with auto, for each dongle found.
type fleet struct {
	roster  roster
	bus     bus
	sink    modem.Sink
	log     *slog.Logger
	timeout time.Duration
	auto    bool

	slots chan struct{}
	// looks asks for a look at the bus, in auto.
	looks   chan struct{}
	running sync.WaitGroup

	mu      sync.Mutex
	members []*member
}

func newFleet(cfg configs.Config, r roster, b bus, sink modem.Sink, log *slog.Logger) *fleet {
	return &fleet{
		roster: r, bus: b, sink: sink, log: log, timeout: cfg.Messages.SendTimeout, auto: len(cfg.Modems) == 0,
		slots: make(chan struct{}, startSlots), looks: make(chan struct{}, 1),
	}
}

// member is a modem worker as the scheduler sees it, by the simNumber of one SIM.
type member struct {
	*modem.Worker
	// place is where its dongle is, as modems[].port says it; no two members have the same.
	place string
	// bound says that the number is that of the SIM imsi, or of the dongle while no SIM was seen in it.
	bound bool
	imsi  string

	plugged chan struct{}
	// missing says that the port was by the latest status; the worker's alone.
	missing bool
	// missed is since when find misses its dongle, zero if it does not; find's alone.
	missed time.Time
	// up is closed when the first bring-up came to an end, well or not.
	up     chan struct{}
	upOnce sync.Once
	stop   context.CancelFunc
	ended  chan struct{}
}

// strange reports whether the dongle has another SIM than the number belongs to.
func (m *member) strange(st modem.Status) bool { return m.bound && st.IMSI != "" && st.IMSI != m.imsi }

// Status shows a dongle with a strange SIM as not ready, so that nothing leaves by the wrong card
// until it has that card's number.
func (m *member) Status() modem.Status {
	st := m.Worker.Status()
	if m.strange(st) {
		st.State = modem.StateIdentifying
	}
	return st
}

// link is the sink of one member.
type link struct {
	modem.Sink
	f *fleet
	m *member
}

// Changed implements modem.Sink.
func (l link) Changed(st modem.Status) {
	if st.State != modem.StateOpening && st.State != modem.StateIdentifying {
		l.m.upOnce.Do(func() { close(l.m.up) })
	}
	missing := st.Problem == modem.ProblemPortMissing
	if l.m.strange(st) || missing && !l.m.missing {
		nudge(l.f.looks)
	}
	l.m.missing = missing
	l.Sink.Changed(st)
}

func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default: // the one that waits says as much
	}
}

// configureAll adds the modems of the configuration; virtual ones are plugged in at the bench.
func (f *fleet) configureAll(modems []configs.Modem, b *bench, adjust func(*virtual.Options)) error {
	for _, m := range modems {
		open, err := b.opener(m, adjust, f.log)
		if err == nil {
			err = f.configure(m, open)
		}
		if err != nil {
			return fmt.Errorf("modem of SIM %d: %w", m.SIM, err)
		}
	}
	return nil
}

// configure adds a modem of the configuration. open is nil for a port on the bus.
func (f *fleet) configure(c configs.Modem, open modem.Opener) error {
	m := &member{place: c.Port}
	w := modem.Config{
		SIM: c.SIM, Port: c.Port, Open: open, Name: c.Name, Number: c.Number, PIN: c.PIN, SMSC: c.SMSC, HangUp: c.HangUpCalls,
	}
	if open == nil {
		spec, err := probe.ParseSpec(c.Port)
		if err != nil {
			return err
		}
		f.plug(&w, m, spec, c.Baud, c.ResetCommand)
	}
	f.enlist(w, m)
	return nil
}

// plug completes w for a dongle on the bus.
func (f *fleet) plug(w *modem.Config, m *member, spec probe.Spec, baud int, resetCommand []string) {
	w.Open, w.Recovery = f.bus.Opener(spec, baud), f.bus.Recovery(resetCommand)
	w.Host = func() modem.Host { return f.bus.Host(m.Worker.Status().Tty) }
	if watched(spec.Path()) {
		m.plugged = make(chan struct{}, 1)
		w.Plugged = m.plugged
	}
}

// watched reports whether the kernel tells when the port comes and goes. A path elsewhere, such as
// a link to a pseudo-terminal, has to be looked at.
func watched(path string) bool {
	return path == "" || strings.HasPrefix(path, "/dev/tty") || strings.HasPrefix(path, "/dev/serial/")
}

// enlist makes the worker of m and tells the scheduler of it.
func (f *fleet) enlist(w modem.Config, m *member) {
	m.up, m.ended = make(chan struct{}), make(chan struct{})
	w.SendTimeout, w.Log, w.Sink = f.timeout, f.log, link{f.sink, f, m}
	m.Worker = modem.New(w)
	f.mu.Lock()
	f.members = append(f.members, m)
	f.mu.Unlock()
	f.roster.Add(m)
}

// Run runs the workers until ctx ends, and returns when all have ended.
func (f *fleet) Run(ctx context.Context) {
	onBus := f.auto
	for _, m := range f.list() {
		onBus = onBus || m.plugged != nil
		f.start(ctx, m)
	}
	if onBus {
		f.running.Go(func() { f.watch(ctx) })
	}
	if f.auto {
		f.running.Go(func() { f.find(ctx) })
	}
	f.running.Wait()
}

func (f *fleet) list() []*member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members)
}

// start runs m as soon as there is a slot to bring it up.
func (f *fleet) start(ctx context.Context, m *member) {
	ctx, m.stop = context.WithCancel(ctx)
	f.running.Go(func() {
		defer close(m.ended)
		defer m.stop()
		select {
		case f.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		f.running.Go(func() {
			patience := time.NewTimer(startPatience)
			defer patience.Stop()
			select {
			case <-m.up:
			case <-patience.C:
			case <-ctx.Done():
			}
			<-f.slots
		})
		if err := m.Run(ctx); err != nil {
			f.log.Error("a modem worker gave up", "sim", m.SIM(), "err", err)
		}
	})
}

// watch passes on that something was plugged in or out.
func (f *fleet) watch(ctx context.Context) {
	for {
		err := f.bus.Watch(ctx, func() {
			for _, m := range f.list() {
				if m.plugged != nil {
					nudge(m.plugged)
				}
			}
			nudge(f.looks)
		})
		if ctx.Err() != nil {
			return
		}
		f.log.Warn("plugging in and out is not noticed; it is tried again in a minute", "err", err)
		if !pause(ctx, watchRetry) {
			return
		}
	}
}

// pause waits, and reports whether ctx is still good after that.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
