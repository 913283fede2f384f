package probe

import (
	"cmp"
	"context"
	"sync"
	"time"

	"dongled/modem"
)

// maxAtOnce is how many dongles are asked at a time: they share a bus, and often a weak power supply.
const maxAtOnce = 4

// A Prober asks the dongles of a Bus and remembers which is which. Set its fields before the first
// use; its methods may be called from any goroutine, and share what they find.
type Prober struct {
	Bus Bus
	// Baud is the line speed at which Probe asks; only serial adapters heed it. 0 is
	// modem.DefaultBaud.
	Baud int
	// Adapters asks behind serial adapters too. Opening one restarts some devices.
	Adapters bool
	// All makes Probe ask every port, where it otherwise ends at a dongle's first AT port.
	All bool
	// Open opens a node; nil is modem.Serial.
	Open func(node string, baud int) modem.Opener

	once  sync.Once
	slots chan struct{} // taken by whoever asks a dongle

	mu     sync.Mutex
	places map[string]*place // by Port.Device
	opened map[string]Port   // by node: what the Opener opened there last
	// underVoltage was noticed.
	underVoltage bool
}

// A place is a socket, and what is known of the dongle in it. turn guards the dongle itself: who
// opens or asks one of its ports holds it.
type place struct {
	turn chan struct{}

	id    enumeration
	since time.Time // when this enumeration was seen first
	at    *Port     // nil until a port has answered
	asked time.Time
	said  Answer
}

// An enumeration is one appearance of a dongle on the bus.
type enumeration struct {
	vid, pid     ID
	bus, address int
}

func (p Port) enumeration() enumeration { return enumeration{p.VID, p.PID, p.Bus, p.Address} }

// place is that of port's device. Of another enumeration than the last nothing is known.
func (p *Prober) place(port Port) *place {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.places == nil {
		p.places = make(map[string]*place)
	}
	at := p.places[port.Device]
	if at == nil {
		at = &place{turn: make(chan struct{}, 1)}
		p.places[port.Device] = at
	}
	if id := port.enumeration(); at.id != id {
		at.id, at.since = id, time.Now()
		at.at, at.asked, at.said = nil, time.Time{}, Answer{}
	}
	return at
}

// known is what is remembered of the device of port.
func (p *Prober) known(port Port) place {
	at := p.place(port)
	p.mu.Lock()
	defer p.mu.Unlock()
	return *at
}

// learn notes what the AT port of a dongle said, unless the dongle was enumerated anew meanwhile.
func (p *Prober) learn(at Port, said Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if where := p.places[at.Device]; where.id == at.enumeration() {
		where.at, where.said, where.asked = &at, said, time.Now()
	}
}

// turn takes the turn of port's device; the function it returns gives it back.
func (p *Prober) turn(ctx context.Context, port Port) (func(), error) {
	turn := p.place(port).turn
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// slot takes one of maxAtOnce; the function it returns gives it back.
func (p *Prober) slot(ctx context.Context) (func(), error) {
	p.once.Do(func() { p.slots = make(chan struct{}, maxAtOnce) })
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *Prober) open(node string, baud int) modem.Opener {
	if p.Open != nil {
		return p.Open(node, baud)
	}
	return modem.Serial(node, baud)
}

// Host tells the worker that uses node what the machine suffers from, for its Config.Host. Under-voltage
// that was noticed once stays.
func (p *Prober) Host(node string) modem.Host {
	h := modem.Host{UnderVoltage: p.noticeVoltage()}
	if holder, held := p.Bus.foreign(node); held {
		h.Holder = cmp.Or(holder.Name, "another program")
		return h
	}
	if port, ok := p.portOf(node); ok && p.Bus.ModemManagerTakes(port) {
		h.Holder = modemManager
	}
	return h
}

func (p *Prober) noticeVoltage() bool {
	now := p.Bus.UnderVoltage()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.underVoltage = p.underVoltage || now
	return p.underVoltage
}

// portOf is the port at node now, by any of its names.
func (p *Prober) portOf(node string) (Port, bool) {
	ports, _ := p.Bus.Ports() // without sysfs there is none
	for _, port := range ports {
		if node == port.Node || node == port.ByID || node == port.ByPath {
			return port, true
		}
	}
	return Port{}, false
}

// Watch is the function Watch, and takes note of under-voltage, of which the kernel tells too.
func (p *Prober) Watch(ctx context.Context, changed func()) error {
	return p.Bus.watch(ctx, changed, func() { p.noticeVoltage() })
}
