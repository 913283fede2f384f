package probe

import (
	"context"
	"slices"
	"sync"

	"dongled/modem"
)

// A Dongle is a USB device with ttys.
type Dongle struct {
	// Device, VID, PID, Manufacturer, Product and Serial are those of its Ports.
	Device       string `json:"device"`
	VID          ID     `json:"vid"`
	PID          ID     `json:"pid"`
	Manufacturer string `json:"manufacturer,omitempty"`
	Product      string `json:"product,omitempty"`
	Serial       string `json:"serial,omitempty"`
	// Ports are its ttys by interface number.
	Ports []ProbedPort `json:"ports"`
	// AT is the port to configure; nil if none answered.
	AT *Port `json:"at"`
	// Answer is what AT said; of a Busy dongle, what it said before, if it was asked before.
	Answer Answer `json:"answer"`
	// Busy says that a program holds a port which is, or may be, the AT port. Such a dongle is
	// not asked: another port of it could answer and seem to be a dongle that is free.
	Busy bool `json:"busy"`
}

// A ProbedPort is a Port and what it said.
type ProbedPort struct {
	Port
	// Asked says that Answer is one of just now.
	Asked   bool     `json:"asked"`
	Answer  Answer   `json:"answer,omitzero"`
	Holders []Holder `json:"holders,omitempty"`
}

// Spec names the dongle as a configuration does best: by its IMEI, else by its socket, else by the
// node. It is false for a dongle without an AT port.
func (d Dongle) Spec() (Spec, bool) {
	switch {
	case d.AT == nil:
		return Spec{}, false
	case isDigits(d.Answer.IMEI, 14, 16):
		return Spec{imei: d.Answer.IMEI}, true
	case d.AT.ByPath != "":
		return Spec{path: d.AT.ByPath}, true
	}
	return Spec{path: d.AT.Node}, true
}

// dongles are the devices that ports belong to, which are in the order of Bus.Ports.
func dongles(ports []Port) []Dongle {
	var all []Dongle
	for _, p := range ports {
		if n := len(all); n == 0 || all[n-1].Device != p.Device {
			all = append(all, Dongle{
				Device: p.Device, VID: p.VID, PID: p.PID,
				Manufacturer: p.Manufacturer, Product: p.Product, Serial: p.Serial,
			})
		}
		d := &all[len(all)-1]
		d.Ports = append(d.Ports, ProbedPort{Port: p})
	}
	return all
}

// any is one of its ports, for what they have in common.
func (d *Dongle) any() Port { return d.Ports[0].Port }

// now is the port that was at when it answered, nil if it is not there. A reset can give it another
// name without a new enumeration.
func (d *Dongle) now(at *Port) *Port {
	for i := range d.Ports {
		if at != nil && d.Ports[i].Interface == at.Interface {
			return &d.Ports[i].Port
		}
	}
	return nil
}

// Probe asks every dongle there is, four at a time, and returns them in the order of their sockets.
// It takes up to AskTimeout for each port that does not answer. The error is that of ctx, or of a
// machine without Bus.Sys.
func (p *Prober) Probe(ctx context.Context) ([]Dongle, error) {
	ports, err := p.Bus.Ports()
	if err != nil {
		return nil, err
	}
	all := dongles(ports)
	p.examineAll(ctx, all, func(*Dongle) bool { return true })
	return all, ctx.Err()
}

// examineAll examines the dongles that are wanted by the time that it is their turn.
func (p *Prober) examineAll(ctx context.Context, all []Dongle, wanted func(*Dongle) bool) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range all {
		d := &all[i]
		wg.Go(func() {
			back, err := p.turn(ctx, d.any())
			if err != nil {
				return
			}
			defer back()
			if !wanted(d) {
				return
			}
			// The slot comes after the turn, so that nobody has a slot and waits.
			give, err := p.slot(ctx)
			if err != nil {
				return
			}
			defer give()
			p.examine(ctx, d)
		})
	}
}

// examine asks the ports of one dongle, likeliest first. It needs the dongle's turn.
func (p *Prober) examine(ctx context.Context, d *Dongle) {
	p.Bus.heldBy(d)
	d.Busy = slices.ContainsFunc(d.Ports, func(port ProbedPort) bool {
		return len(port.Holders) > 0 && p.asks(port.Port) && port.commands()
	})
	for _, i := range inTurn(d.Ports) {
		port := &d.Ports[i]
		if d.Busy || ctx.Err() != nil || d.AT != nil && d.Answer.identified() && !p.All {
			break
		}
		if len(port.Holders) > 0 || !p.asks(port.Port) {
			continue
		}
		port.Answer, port.Asked = Ask(ctx, p.open(port.Node, p.Baud)), true
		switch {
		case port.Answer.Problem == modem.ProblemPortBusy:
			d.Busy = d.AT == nil && port.commands()
		case d.AT == nil && port.Answer.AT, !d.Answer.identified() && port.Answer.identified():
			at := port.Port
			d.AT, d.Answer = &at, port.Answer
		}
	}
	if d.Busy {
		before := p.known(d.any())
		d.AT, d.Answer = d.now(before.at), before.said
	} else if d.AT != nil {
		p.learn(*d.AT, d.Answer)
	}
}

// asks says whether port is one to be asked.
func (p *Prober) asks(port Port) bool {
	return port.Skip == "" || port.Skip == SkipAdapter && p.Adapters
}

// candidate says whether any of the dongle's ports is one to be asked.
func (p *Prober) candidate(d *Dongle) bool {
	return slices.ContainsFunc(d.Ports, func(port ProbedPort) bool { return p.asks(port.Port) })
}
