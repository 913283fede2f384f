// Package virtual is a simulated GSM dongle: what a terminal equipment (TE) finds behind the AT
// port of a USB stick with a SIM in it, with a network behind that.
//
// It answers as ITU-T V.250, 3GPP TS 27.007 and TS 27.005 say, not as our own client happens to
// need, so that a fault it shows is a fault of the client. What real sticks do otherwise is data:
// the Quirks of their Family, and what goes wrong now and then a list of Fault, written in YAML or
// in Go.
//
// One Dongle is one stick with one SIM. It outlives its serial links: settings of the ME survive
// closing and opening the port, the SIM (last TP-MR, storage, PIN counters) survives unplugging
// too. A link is the in-memory cable of Open, any stream given to Serve, or a pseudo-terminal; a Bus
// shows it as the kernel shows a USB device with several of those.
//
// Everything that takes time goes through package time, so a Dongle works inside a
// testing/synctest bubble; with the zero Options nothing takes any time.
package virtual

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// Reasons why a link ends or does not begin. None is the caller's fault; ErrUnplugged passes when
// the dongle is plugged in again, ErrClosed never does.
var (
	ErrUnplugged = errors.New("virtual: the dongle is unplugged")
	ErrTaken     = errors.New("virtual: hung up because the port was opened again")
	ErrClosed    = errors.New("virtual: the dongle was closed")
)

// Dongle is one simulated stick with its SIM. All methods may be called from any goroutine.
//
// Each open link has one engine goroutine, which holds mu while it works on received octets and
// lets it go while it reads or sleeps.
type Dongle struct {
	opts Options
	wg   sync.WaitGroup // engines of cables made by Open

	mu       sync.Mutex
	after    []func() // callbacks of the owner, run by unlock once mu is free
	timers   map[*time.Timer]struct{}
	closed   bool
	ended    chan struct{} // closed by Close
	plug     chan struct{} // closed while plugged in
	plugged  bool
	session  *session // nil while the port is closed
	sessions int
	faults   []armed

	settings settings // the ME's volatile parameters
	profile  settings // what ATZ and power-up restore: AT&W
	urc      urcState
	sim      sim
	radio    radio
	store    store
	network  network
	ussd     ussdState
	ringing  ringing
	chatter  chatter
	brownOut time.Duration // from each power-up until the supply gives way; 0 is never
}

// New returns a dongle that is plugged in and switched on. It panics when opts.Faults holds a
// fault that Validate refuses: check faults that come from outside before.
func New(opts Options) *Dongle {
	opts = opts.withDefaults()
	d := &Dongle{
		opts:    opts,
		timers:  make(map[*time.Timer]struct{}),
		profile: factory(),
		sim:     newSIM(opts),
		radio:   radio{target: opts.Registration, rssi: opts.Signal},
		store:   newStore(opts),
		plug:    make(chan struct{}),
		ended:   make(chan struct{}),
	}
	d.arm(opts.Faults)
	d.lock()
	defer d.unlock()
	d.plugIn()
	return d
}

// Open opens the port over an in-memory cable: it is a modem.Opener. The context bounds nothing,
// opening takes no time. A cable that is still open is hung up first, as there is one port.
//
// Errors: ErrUnplugged until Plug, ErrClosed after Close.
func (d *Dongle) Open(ctx context.Context) (io.ReadWriteCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in, out := newWire(), newWire()
	d.lock()
	defer d.unlock()
	s, err := d.attach(out, func(err error) { in.close(err) })
	if err != nil {
		return nil, err
	}
	d.wg.Go(func() { s.run(in) })
	return &cable{session: s, toModem: in, toTE: out}, nil
}

// Serve is the dongle on any stream, until the TE closes it (nil), the dongle is unplugged
// (ErrUnplugged), the port is opened elsewhere (ErrTaken) or the context ends (its error).
// Serve closes rw; a Read in progress must return then.
func (d *Dongle) Serve(ctx context.Context, rw io.ReadWriteCloser) error {
	out := newWire()
	closing := sync.OnceFunc(func() { _ = rw.Close() })
	defer closing()
	d.lock()
	s, err := d.attach(out, func(error) { closing() })
	d.unlock()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { d.hangUp(s, ctx.Err()) })
	defer stop()

	var writer sync.WaitGroup
	writer.Go(func() {
		if err := out.drain(rw); err != nil {
			d.hangUp(s, err)
		}
	})
	s.run(rw)
	out.close(io.EOF) // what was answered before the TE closed still goes out
	writer.Wait()
	return s.reason()
}

// attach makes a session the one that owns the port. mu is held.
func (d *Dongle) attach(out *wire, hangUp func(error)) (*session, error) {
	switch {
	case d.closed:
		return nil, ErrClosed
	case !d.plugged:
		return nil, ErrUnplugged
	}
	if d.session != nil {
		d.session.hangUp(ErrTaken)
	}
	d.sessions++
	d.session = newSession(d, d.sessions, out, hangUp)
	d.releaseLink()
	return d.session, nil
}

// hangUp ends one session from outside.
func (d *Dongle) hangUp(s *session, reason error) {
	d.lock()
	defer d.unlock()
	s.hangUp(reason)
}

// Unplug pulls the stick: the open link fails as on a hang-up, the volatile settings are lost, and
// the network keeps what it has for the SIM. Without effect when unplugged already.
func (d *Dongle) Unplug() {
	d.lock()
	defer d.unlock()
	d.pullOut()
}

// Plug puts the stick in again; it boots as after power-up.
func (d *Dongle) Plug() {
	d.lock()
	defer d.unlock()
	d.plugIn()
}

// SetBrownOut makes the power supply too weak: the stick goes off the bus that long after each
// power-up, boots again, and so on. 0 mends it.
func (d *Dongle) SetBrownOut(after time.Duration) {
	d.lock()
	defer d.unlock()
	d.brownOut = after
	d.giveWay()
}

// giveWay is the supply at work. mu is held.
func (d *Dongle) giveWay() {
	power := d.chatter.power
	if d.brownOut <= 0 {
		return
	}
	d.later(d.brownOut, func() {
		if d.brownOut > 0 && d.plugged && d.chatter.power == power {
			d.pullOutFor(max(d.opts.RebootTime, offTheBus))
		}
	})
}

func (d *Dongle) pullOut() {
	if !d.plugged {
		return
	}
	d.plugged = false
	d.plug = make(chan struct{})
	if d.session != nil {
		d.session.hangUp(ErrUnplugged)
	}
	d.detachNetwork()
	d.urc = urcState{}
}

func (d *Dongle) plugIn() {
	if d.plugged || d.closed {
		return
	}
	d.plugged = true
	close(d.plug)
	d.settings = d.profile
	d.store.powerUp(d.opts.Quirks.Memory)
	d.sim.powerUp()
	d.radio.powerUp()
	d.startTalking()
	d.giveWay()
	d.cardReady()
	d.acquireNetwork()
}

// waitPlugged returns when the stick is plugged in or ctx ends.
func (d *Dongle) waitPlugged(ctx context.Context) error {
	d.lock()
	plug := d.plug
	d.unlock()
	select {
	case <-plug:
		return nil // when it was closed too, opening the port says so
	case <-d.ended:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the dongle for good: links are hung up, timers stopped, goroutines of Open ended.
// It must not be called from a callback.
func (d *Dongle) Close() error {
	d.lock()
	if !d.closed {
		d.closed = true
		close(d.ended)
	}
	for t := range d.timers {
		t.Stop()
	}
	clear(d.timers)
	if d.session != nil {
		d.session.hangUp(ErrClosed)
	}
	d.unlock()
	d.wg.Wait()
	return nil
}

func (d *Dongle) lock() { d.mu.Lock() }

// unlock frees mu, then runs the callbacks that came up meanwhile, so that they may call methods.
func (d *Dongle) unlock() {
	after := d.after
	d.after = nil
	d.mu.Unlock()
	for _, f := range after {
		f()
	}
}

// later runs f with mu held after a delay, at once when there is none. mu is held. Close cancels.
func (d *Dongle) later(delay time.Duration, f func()) {
	if d.closed {
		return
	}
	if delay <= 0 {
		f()
		return
	}
	var t *time.Timer
	t = time.AfterFunc(delay, func() {
		d.lock()
		defer d.unlock()
		if _, armed := d.timers[t]; armed {
			delete(d.timers, t)
			f()
		}
	})
	d.timers[t] = struct{}{}
}
