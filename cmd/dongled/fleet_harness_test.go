package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/configs"
	"dongled/modem"
	"dongled/modem/probe"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
)

// socket is a place on the bus of a fleetTest, with a virtual dongle in it, or nothing.
type socket struct {
	dongle     *virtual.Dongle
	imei, imsi string
	// deaf dongles do not answer, foreign ones are held by another program.
	deaf, foreign bool
	open          bool // by a worker
}

// fleetTest is a fleet on a bus of virtual dongles, in a synctest bubble.
type fleetTest struct {
	t *testing.T
	*fleet
	*testBus
	*testRoster
}

// testBus is a bus, of which IMEIs are what its sockets are known by.
type testBus struct {
	mu      sync.Mutex
	sockets []*socket
	probes  int
	watches int
	deny    error // of the next Watch
	changed func()
	// opening and most count the dongles between open and ready.
	opening, most int
}

func (b *testBus) lock() func() { b.mu.Lock(); return b.mu.Unlock }

// insert puts a dongle with a SIM into the next socket; without imsi there is no SIM.
func (b *testBus) insert(t *testing.T, imei, imsi string) *socket {
	s := &socket{imei: imei, imsi: imsi}
	s.dongle = virtual.New(virtual.Options{Name: "fleet", IMEI: imei, IMSI: imsi, CommandDelay: 50 * time.Millisecond})
	s.dongle.SetSIM(imsi != "")
	t.Cleanup(func() { _ = s.dongle.Close() })
	defer b.lock()()
	b.sockets = append(b.sockets, s)
	return s
}

// pull takes a dongle off the bus.
func (b *testBus) pull(s *socket) {
	s.dongle.Unplug()
	defer b.lock()()
	b.sockets = slices.DeleteFunc(b.sockets, func(x *socket) bool { return x == s })
}

func (b *testBus) Probe(ctx context.Context) ([]probe.Dongle, error) {
	time.Sleep(time.Second) // as asking takes
	defer b.lock()()
	b.probes++
	var out []probe.Dongle
	for i, s := range b.sockets {
		at := probe.Port{Node: fmt.Sprintf("/dev/ttyUSB%d", i), Device: fmt.Sprintf("1-%d", i+1)}
		d := probe.Dongle{Device: at.Device, Ports: []probe.ProbedPort{{Port: at}}, Busy: s.open || s.foreign}
		if !s.deaf && !s.foreign { // of one that is busy, what it said before
			d.AT, d.Answer = &at, probe.Answer{AT: true, IMEI: s.imei, IMSI: s.imsi}
		}
		out = append(out, d)
	}
	return out, ctx.Err()
}

func (b *testBus) Opener(spec probe.Spec, _ int) modem.Opener {
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		defer b.lock()()
		for i, s := range b.sockets {
			node := fmt.Sprintf("/dev/ttyUSB%d", i)
			if "imei:"+s.imei == spec.String() && !s.open || spec.String() == node {
				port, err := s.dongle.Open(ctx)
				if err != nil {
					return nil, err
				}
				s.open = true
				b.opening++
				b.most = max(b.most, b.opening)
				return testPort{port, node, func() { defer b.lock()(); s.open = false }}, nil
			}
		}
		return nil, fs.ErrNotExist
	}
}

type testPort struct {
	io.ReadWriteCloser
	tty    string
	closed func()
}

func (p testPort) Tty() string { return p.tty }

func (p testPort) Close() error {
	p.closed()
	return p.ReadWriteCloser.Close()
}

func (b *testBus) Watch(ctx context.Context, changed func()) error {
	unlock := b.lock()
	b.watches++
	b.changed = changed
	err := b.deny
	b.deny = nil
	unlock()
	if err != nil {
		return err
	}
	changed()
	<-ctx.Done()
	return nil
}

// event is what the kernel says when something is plugged in or out.
func (b *testBus) event() {
	unlock := b.lock()
	changed := b.changed
	unlock()
	changed()
}

func (b *testBus) Host(string) modem.Host                 { return modem.Host{} }
func (b *testBus) Recovery([]string) []modem.RecoveryStep { return nil }

// testRoster numbers SIMs as the scheduler does, and knows who is in use.
type testRoster struct {
	t       *testing.T
	mu      sync.Mutex
	senders map[int]scheduler.Sender
	numbers map[string]int
}

func (r *testRoster) Add(s scheduler.Sender) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.senders[s.SIM()] != nil {
		r.t.Errorf("SIM %d is added twice", s.SIM())
	}
	r.senders[s.SIM()] = s
}

func (r *testRoster) Remove(_ context.Context, sim int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.senders[sim] == nil {
		return errors.New("no such SIM")
	}
	delete(r.senders, sim)
	return nil
}

func (r *testRoster) Number(_ context.Context, keys ...string) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		if n := r.numbers[key]; n != 0 {
			return n, nil
		}
	}
	n := len(r.numbers) + 1
	for _, key := range keys {
		r.numbers[key] = n
	}
	return n, nil
}

// quiet is a sink; bringing counts down what the bus counts up.
type quiet struct{ bus *testBus }

func (quiet) Reported(context.Context, modem.Origin, pdu.Report) error     { return nil }
func (quiet) Received(context.Context, modem.Origin, modem.Incoming) error { return nil }
func (quiet) Called(context.Context, modem.Origin, modem.Call) error       { return nil }
func (q quiet) Changed(st modem.Status) {
	if st.Ready() {
		defer q.bus.lock()()
		q.bus.opening--
	}
}

// newFleetTest makes a fleet for a configuration, without starting it.
func newFleetTest(t *testing.T, cfg configs.Config) *fleetTest {
	b := &testBus{}
	r := &testRoster{t: t, senders: map[int]scheduler.Sender{}, numbers: map[string]int{}}
	f := newFleet(cfg, r, b, quiet{b}, slog.New(slog.DiscardHandler))
	return &fleetTest{t: t, fleet: f, testBus: b, testRoster: r}
}

// run starts the fleet and stops it at the end of the test.
func (f *fleetTest) run() {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		f.fleet.Run(ctx)
		close(ended)
	}()
	f.t.Cleanup(func() {
		stop()
		<-ended
	})
}

// pass lets that time go by.
func (f *fleetTest) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// use is who is in use: the number, the state, the IMSI and the last digit of the IMEI of each.
func (f *fleetTest) use() string {
	f.testRoster.mu.Lock()
	defer f.testRoster.mu.Unlock()
	var out []string
	for _, n := range slices.Sorted(maps.Keys(f.senders)) {
		st := f.senders[n].Status()
		out = append(out, fmt.Sprintf("%d %s %s %s", n, st.State, last(st.IMSI), last(st.IMEI)))
	}
	return strings.Join(out, ", ")
}

func last(s string) string {
	if s == "" {
		return "-"
	}
	return s[len(s)-1:]
}

func (f *fleetTest) expect(want string) {
	f.t.Helper()
	if got := f.use(); got != want {
		f.t.Errorf("in use: %s\nwant:   %s", got, want)
	}
}

const (
	imeiX = "490154203237511"
	imeiY = "490154203237522"
	imeiZ = "490154203237533"
	imsiA = "262010000000007"
	imsiB = "262010000000008"
	imsiC = "262010000000009"
)
