package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"dongled/modem"
)

const (
	// patience is how long a dongle may take from its enumeration until it answers.
	patience = 120 * time.Second
	// firstPause and longestPause are the times between two looks meanwhile.
	firstPause   = 2 * time.Second
	longestPause = 30 * time.Second
	// fresh is how long an answer may be taken for what is so now.
	fresh = 10 * time.Second
)

// Opener opens the dongle that spec names, in whatever socket and under whatever name it is by then;
// baud 0 is modem.DefaultBaud.
//
// A dongle that is known is opened as it is, even if it is silent: to rouse it is the worker's. For
// one that is not, the dongles that nobody holds are asked; some were enumerated within the last two
// minutes and do not answer yet, and those are waited for. What is not there is fs.ErrNotExist.
//
// What the Opener returns has a method Tty() string with the node in use.
func (p *Prober) Opener(spec Spec, baud int) modem.Opener {
	if spec.path != "" {
		return func(ctx context.Context) (io.ReadWriteCloser, error) { return p.openPath(ctx, spec.path, baud) }
	}
	s := search{p, spec, baud}
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		for pause := firstPause; ; pause = min(2*pause, longestPause) {
			port, hope, err := s.look(ctx, true)
			if err == nil || ctx.Err() != nil {
				return port, err
			}
			if !hope && spec.usb {
				port, _, err = s.look(ctx, false)
			}
			if !hope {
				return port, err
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
}

// openPort is a port that knows its name.
type openPort struct {
	io.ReadWriteCloser
	tty string
}

// Tty is the device node in use.
func (o openPort) Tty() string { return o.tty }

// openPath opens a port by name, which need be no USB device's.
func (p *Prober) openPath(ctx context.Context, path string, baud int) (io.ReadWriteCloser, error) {
	port, known := p.portOf(path)
	if !known {
		line, err := p.open(path, baud)(ctx)
		if err != nil {
			return nil, err
		}
		return openPort{line, path}, nil
	}
	back, err := p.turn(ctx, port)
	if err != nil {
		return nil, err
	}
	defer back()
	return p.openNode(ctx, port, baud)
}

// openNode opens port and remembers where it is. It needs the dongle's turn. No lock keeps root from
// sharing a port with a program that does not lock it, so we look.
func (p *Prober) openNode(ctx context.Context, port Port, baud int) (io.ReadWriteCloser, error) {
	if holder, held := p.Bus.foreign(port.Node); held {
		return nil, fmt.Errorf("%s is held by %s (process %d): %w", port.Node, holder.Name, holder.PID, syscall.EBUSY)
	}
	line, err := p.open(port.Node, baud)(ctx)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened == nil {
		p.opened = make(map[string]Port)
	}
	p.opened[port.Node] = port
	return openPort{line, port.Node}, nil
}

// A search looks for one dongle on the bus.
type search struct {
	p    *Prober
	spec Spec
	baud int
}

// numbered says that the port is given by its interface, so that nobody need be asked.
func (s search) numbered() bool { return s.spec.usb && s.spec.iface >= 0 }

// look goes over the bus once. hope says that a dongle there may yet turn out to be the one. Without
// patience a dongle that only its make tells is opened even though it never answered.
func (s search) look(ctx context.Context, patient bool) (line io.ReadWriteCloser, hope bool, err error) {
	ports, err := s.p.Bus.Ports()
	if err != nil {
		return nil, false, err
	}
	all := s.candidates(dongles(ports))
	if line, err = s.openKnown(ctx, all); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return line, false, err
	}
	s.p.examineAll(ctx, all, s.worthAsking)
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	if line, err = s.openKnown(ctx, all); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return line, false, err
	}
	if s.numbered() {
		return nil, false, s.notFound(all)
	}
	if s.spec.usb && !patient && len(all) > 0 {
		line, err = s.openLikeliest(ctx, all)
		return line, false, err
	}
	for i := range all {
		hope = hope || s.mayYet(&all[i])
	}
	return nil, hope, s.notFound(all)
}

// candidates are the dongles that spec may mean.
func (s search) candidates(all []Dongle) []Dongle {
	var may []Dongle
	for _, d := range all {
		if s.spec.usb && (d.VID == s.spec.vid && d.PID == s.spec.pid) || !s.spec.usb && s.p.candidate(&d) {
			may = append(may, d)
		}
	}
	return may
}

// worthAsking says whether a dongle may be the one that is looked for.
func (s search) worthAsking(d *Dongle) bool {
	known := s.p.known(d.any())
	switch {
	case s.numbered():
		return false
	case known.at == nil:
		return true
	case s.spec.imsi != "": // a SIM can be changed without a new enumeration
		return time.Since(known.asked) >= fresh
	}
	return false
}

// mayYet says that a dongle has not said who it is, but was enumerated not long ago.
func (s search) mayYet(d *Dongle) bool {
	known := s.p.known(d.any())
	silent := known.at == nil || s.spec.imsi != "" && known.said.Problem == modem.ProblemSIMFailure
	return silent && s.p.candidate(d) && !d.Busy && time.Since(known.since) < patience
}

// openKnown opens the first dongle that is known to be the one; fs.ErrNotExist if none is.
func (s search) openKnown(ctx context.Context, all []Dongle) (io.ReadWriteCloser, error) {
	held := error(fs.ErrNotExist)
	for i := range all {
		line, err := s.openIfItIs(ctx, &all[i])
		if err == nil || ctx.Err() != nil {
			return line, err
		}
		if !errors.Is(err, fs.ErrNotExist) {
			held = err // of several of a make another may be free
		}
	}
	return nil, held
}

// openIfItIs opens a dongle if it is known to be the one; else fs.ErrNotExist.
func (s search) openIfItIs(ctx context.Context, d *Dongle) (io.ReadWriteCloser, error) {
	back, err := s.p.turn(ctx, d.any())
	if err != nil {
		return nil, err
	}
	defer back()
	known := s.p.known(d.any())
	at := d.now(known.at)
	switch {
	case s.numbered():
		for _, port := range d.Ports {
			if port.Interface == s.spec.iface {
				return s.p.openNode(ctx, port.Port, s.baud)
			}
		}
		return nil, fs.ErrNotExist
	case at == nil, !s.spec.usb && !s.spec.is(known.said):
		return nil, fs.ErrNotExist
	case s.spec.imsi != "" && time.Since(known.asked) >= fresh && s.changed(ctx, *at):
		return nil, fs.ErrNotExist
	}
	return s.p.openNode(ctx, *at, s.baud)
}

// changed says that another SIM is behind the port by now. A port that is silent has not changed.
func (s search) changed(ctx context.Context, at Port) bool {
	said := Ask(ctx, s.p.open(at.Node, s.baud))
	if !said.AT {
		return false
	}
	s.p.learn(at, said)
	return said.IMSI != "" && !s.spec.is(said)
}

// openLikeliest opens the first port that is free of those which are likeliest to take commands.
func (s search) openLikeliest(ctx context.Context, all []Dongle) (line io.ReadWriteCloser, err error) {
	err = s.notFound(all)
	for i := range all {
		for _, j := range inTurn(all[i].Ports) {
			port := all[i].Ports[j]
			if port.commands() && !all[i].Busy {
				if line, err = s.p.openNode(ctx, port.Port, s.baud); err == nil {
					return line, nil
				}
				break
			}
		}
	}
	return nil, err
}

// notFound says what there is instead.
func (s search) notFound(all []Dongle) error {
	var there []string
	for i := range all {
		d := &all[i]
		known := s.p.known(d.any())
		what := "does not answer"
		switch {
		case s.numbered():
			what = fmt.Sprintf("no tty at interface %d", s.spec.iface)
		case known.at != nil && s.spec.imsi != "" && known.said.IMSI == "":
			what = fmt.Sprintf("IMEI %s, tells no IMSI: %s", known.said.IMEI, known.said.Problem)
		case known.at != nil && s.spec.imsi != "":
			what = "IMSI " + known.said.IMSI
		case known.at != nil:
			what = "IMEI " + known.said.IMEI
		case d.Busy:
			what = "held by another program"
		}
		there = append(there, fmt.Sprintf("%s (%s)", d.Device, what))
	}
	if len(there) == 0 {
		return fmt.Errorf("%s: no dongle is plugged in that it could be: %w", s.spec, fs.ErrNotExist)
	}
	return fmt.Errorf("%s: not among %s: %w", s.spec, strings.Join(there, ", "), fs.ErrNotExist)
}
