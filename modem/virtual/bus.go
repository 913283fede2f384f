package virtual

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Reasons why a Bus does not do what it is told: the caller's mistakes.
var (
	ErrSocketTaken = errors.New("virtual: the socket is taken")
	ErrNoStick     = errors.New("virtual: there is no such stick in that socket")
)

// errUnbound is why the ports of a stick end when it is taken from its driver.
var errUnbound = errors.New("virtual: the stick was taken from its driver")

// Bus is the USB of a machine, as the kernel and udev show it: a directory with sys, dev, proc and
// run below. The nodes in dev are symbolic links to pseudo-terminals, which a program opens as it
// would the real ones; nobody is said to hold them, as proc is empty.
//
// A stick that leaves the bus by itself, by +CFUN=1,1 or a fault or Dongle.Unplug, leaves the tree
// too, and comes back under another device number and with the lowest ttys that are free then.
// Writing its socket to sys/bus/usb/drivers/usb/unbind and bind takes its interfaces away and gives
// them back, without cutting its power.
type Bus struct {
	// Root is the directory; its owner removes it after Close.
	Root string

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu       sync.Mutex
	sticks   map[string]*plugged // by socket
	ttys     map[string]bool     // names taken
	held     []string            // names that stay taken until the next enumeration ends
	devices  int                 // enumerations so far
	changed  chan struct{}       // closed, and made anew, at each change of the tree
	failures []error
}

// Stick is a dongle as USB presents it.
type Stick struct {
	Dongle *Dongle
	// Socket is where it is, as sysfs names the device: 1-1.4 is bus 1, port 1 of its root hub,
	// port 4 of the hub there.
	Socket   string
	VID, PID uint16
	// Manufacturer, Product and Serial are its strings; most sticks have no Serial.
	Manufacturer, Product, Serial string
	Driver                        string // of its interfaces; empty is option
	Ports                         []StickPort
}

// StickPort is one interface of a stick that has a tty.
type StickPort struct {
	Interface                 int
	Class, SubClass, Protocol uint8
	Kind                      PortKind
}

// PortKind is what is behind a tty.
type PortKind uint8

const (
	// PortSilent takes what it is sent and says nothing, as a diagnostic or audio port does.
	PortSilent PortKind = iota
	// PortAT is the port of the Dongle itself.
	PortAT
	// PortModem is the one for data calls: it answers AT for the same stick, but no result code
	// comes unasked. What is sent there is told to OnSubmit and not to the Dongle.
	PortModem
	// PortNMEA is a satellite receiver without a fix.
	PortNMEA
)

// plugged is a stick in its socket. Its goroutine, which enumerates it and serves its ports, ends
// when it is taken out.
type plugged struct {
	Stick
	ttys   []string                // while it is enumerated, one for each port
	number int                     // devnum of the last enumeration
	bound  chan struct{}           // closed while it has its driver
	unbind context.CancelCauseFunc // while it is enumerated
	take   context.CancelFunc
	gone   chan struct{} // closed when the goroutine has ended
}

// NewBus makes an empty bus below dir, which must exist.
func NewBus(dir string) (*Bus, error) {
	b := &Bus{Root: dir, sticks: make(map[string]*plugged), ttys: make(map[string]bool), changed: make(chan struct{})}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	for _, d := range []string{
		"sys/class/tty", "sys/bus/usb/devices", "sys/bus/usb/drivers/usb", "sys/bus/usb-serial/devices",
		"dev/serial/by-id", "dev/serial/by-path", "proc", "run/udev/data",
	} {
		if err := os.MkdirAll(b.path(d), 0o755); err != nil {
			return nil, err
		}
	}
	if err := b.serveDriver(); err != nil {
		b.cancel()
		return nil, err
	}
	return b, nil
}

func (b *Bus) path(elem ...string) string { return filepath.Join(append([]string{b.Root}, elem...)...) }

// Plug puts a stick into its socket and waits until it is enumerated. Its Dongle is switched on, if
// it was unplugged. It stays the caller's, who closes it after the Bus.
func (b *Bus) Plug(s Stick) error {
	setDefault(&s.Driver, "option")
	ctx, cancel := context.WithCancel(b.ctx)
	p := &plugged{Stick: s, take: cancel, gone: make(chan struct{}), bound: make(chan struct{})}
	close(p.bound)
	b.mu.Lock()
	if b.sticks[s.Socket] != nil {
		b.mu.Unlock()
		cancel()
		return fmt.Errorf("%w: %s", ErrSocketTaken, s.Socket)
	}
	b.sticks[s.Socket] = p
	b.mu.Unlock()
	s.Dongle.Plug()
	b.wg.Go(func() {
		defer close(p.gone)
		if err := b.serve(ctx, p); !errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed) {
			b.fail(err)
		}
	})
	return b.await(p, true)
}

// Unplug takes the stick out of a socket, and waits until it is off the tree.
func (b *Bus) Unplug(socket string) error {
	b.mu.Lock()
	p := b.sticks[socket]
	delete(b.sticks, socket)
	b.mu.Unlock()
	if p == nil {
		return fmt.Errorf("%w: %s", ErrNoStick, socket)
	}
	p.Dongle.Unplug()
	p.take()
	<-p.gone
	return nil
}

// Replug takes a stick out and puts it in again. Its ttys get other names, as they do when a
// program still has the old ones open.
func (b *Bus) Replug(socket string) error {
	p, err := b.stick(socket)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.held = append(b.held, p.ttys...)
	b.mu.Unlock()
	return errors.Join(b.Unplug(socket), b.Plug(p.Stick))
}

// Swap takes two sticks out and puts them in again, each in its own socket, in the other order, so
// that sticks with as many ports exchange the names of their ttys.
func (b *Bus) Swap(socket, other string) error {
	first, err := b.stick(socket)
	second, errOther := b.stick(other)
	if err := errors.Join(err, errOther); err != nil {
		return err
	}
	b.mu.Lock()
	if len(first.ttys) > 0 && len(second.ttys) > 0 && first.number > second.number {
		first, second = second, first
	}
	b.mu.Unlock()
	return errors.Join(b.Unplug(first.Socket), b.Unplug(second.Socket), b.Plug(second.Stick), b.Plug(first.Stick))
}

func (b *Bus) stick(socket string) (*plugged, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.sticks[socket]
	if p == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoStick, socket)
	}
	return p, nil
}

// Node is the device node of an interface of the stick in a socket, empty while there is none.
func (b *Bus) Node(socket string, iface int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.sticks[socket]; p != nil && p.ttys != nil {
		for i, port := range p.Ports {
			if port.Interface == iface {
				return b.path("dev", p.ttys[i])
			}
		}
	}
	return ""
}

// Close takes all sticks out and waits until nothing of the bus runs any more. The error tells what
// went wrong meanwhile: the machine's fault, such as no pseudo-terminals.
func (b *Bus) Close() error {
	b.cancel()
	b.wg.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return errors.Join(b.failures...)
}

func (b *Bus) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keep(err)
	b.change()
}

// keep remembers what went wrong. mu is held.
func (b *Bus) keep(err error) {
	if err != nil {
		b.failures = append(b.failures, err)
	}
}

// change wakes those who wait for the tree. mu is held.
func (b *Bus) change() {
	close(b.changed)
	b.changed = make(chan struct{})
}

// await returns when a stick is, or is not, enumerated; else what went wrong.
func (b *Bus) await(p *plugged, there bool) error {
	for {
		b.mu.Lock()
		changed, is, failures := b.changed, p.ttys != nil, errors.Join(b.failures...)
		b.mu.Unlock()
		if is == there || failures != nil {
			return failures
		}
		select {
		case <-changed:
		case <-b.ctx.Done():
			return ErrClosed
		}
	}
}

// serve enumerates a stick whenever it is on the bus and has its driver, until ctx ends.
func (b *Bus) serve(ctx context.Context, p *plugged) error {
	defer b.removeDevice(p)
	for {
		if err := p.Dongle.waitPlugged(ctx); err != nil {
			return err
		}
		b.mu.Lock()
		bound := p.bound
		b.mu.Unlock()
		select {
		case <-bound:
		case <-ctx.Done():
			return ctx.Err()
		}
		err := b.enumerated(ctx, p)
		if errors.Is(err, ErrUnplugged) {
			b.removeDevice(p)
		} else if !errors.Is(err, errUnbound) {
			return err
		}
	}
}

// enumerated is one appearance of a stick's ttys, to their end.
func (b *Bus) enumerated(ctx context.Context, p *plugged) error {
	ports, err := openPTYs(len(p.Ports))
	if err != nil {
		return err
	}
	closePorts := sync.OnceFunc(func() {
		for _, port := range ports {
			_ = port.Close() // nobody waits for what was written last
		}
	})
	defer closePorts()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if err := b.appear(p, ports, cancel); err != nil {
		return err
	}
	defer b.vanish(p)
	var others sync.WaitGroup
	defer others.Wait()
	defer closePorts() // ends the others
	at := slices.IndexFunc(p.Ports, func(p StickPort) bool { return p.Kind == PortAT })
	if at < 0 {
		return errors.New("virtual: a stick without an AT port")
	}
	for i, port := range p.Ports {
		if i != at {
			others.Go(func() { port.serve(ctx, p.Dongle, ports[i]) })
		}
	}
	err = p.Dongle.Serve(ctx, ports[at])
	if errors.Is(context.Cause(ctx), errUnbound) {
		return errUnbound
	}
	return err
}

// names takes the lowest free ttys, as the kernel numbers them. mu is held.
func (b *Bus) names(s Stick) []string {
	stem := "ttyUSB"
	if s.Driver == driverACM {
		stem = "ttyACM"
	}
	var names []string
	for n := 0; len(names) < len(s.Ports); n++ {
		if name := fmt.Sprint(stem, n); !b.ttys[name] && !slices.Contains(b.held, name) {
			names = append(names, name)
		}
	}
	b.held = nil
	return names
}
