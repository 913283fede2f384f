package probe_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"dongled/modem"
	"dongled/modem/probe"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// These run on a simulated bus, whose ports are pseudo-terminals that are opened as real ports are,
// by modem.Serial.

// A machine has virtual dongles on its bus.
type machine struct {
	*virtual.Bus
	t *testing.T
}

func newMachine(t *testing.T) machine {
	bus, err := virtual.NewBus(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
	return machine{bus, t}
}

func (m machine) bus() probe.Bus {
	path := func(dir string) string { return filepath.Join(m.Root, dir) }
	return probe.Bus{Sys: path("sys"), Dev: path("dev"), Proc: path("proc"), Run: path("run")}
}

// plug puts a dongle of a family into a socket, and returns what it should say.
func (m machine) plug(family, socket string) probe.Answer {
	m.t.Helper()
	opts, ok := virtual.Builtin(family)
	if !ok {
		m.t.Fatalf("no dongle %q", family)
	}
	d := virtual.New(opts)
	m.t.Cleanup(func() { d.Close() })
	m.do(m.Plug(d.Stick(socket)))
	return probe.Answer{
		AT: true, Manufacturer: opts.Manufacturer, Model: opts.Model, Revision: opts.Revision, IMEI: opts.IMEI, IMSI: opts.IMSI,
	}
}

func (m machine) do(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// All families at once: each is found by its own port, with all that its maker does differently.
func TestFamilies(t *testing.T) {
	t.Parallel() // it is waiting, most of the time
	m := newMachine(t)
	at := map[string]int{ // the interface
		"huawei-e173": 2, "huawei-e1752": 3, "huawei-e3372": 2, "zte-mf190": 1, "quectel-ec25": 2,
		"sim800": 0, "sim7600": 2, "wavecom": 0, "tc35": 0, "novatel": 0, "ublox": 0, "generic": 1,
	}
	if got := virtual.Families(); len(got) != len(at) {
		t.Fatalf("families %q", got)
	}
	want := map[string]probe.Answer{}
	family := map[string]string{}
	for i, name := range virtual.Families() {
		socket := fmt.Sprintf("1-1.%d", i+1)
		family[socket] = name
		answer := m.plug(name, socket)
		if name == "wavecom" { // knows no AT+CGMR, and begins its names with a space
			answer.Manufacturer, answer.Model, answer.Revision = "WAVECOM MODEM", "MULTIBAND  900E  1800", ""
		}
		want[socket] = answer
	}
	p := &probe.Prober{Bus: m.bus(), Adapters: true}
	dongles := find(t, p)
	if len(dongles) != len(at) {
		t.Errorf("%d dongles", len(dongles))
	}
	for _, d := range dongles {
		name := family[d.Device]
		if d.AT == nil || d.AT.Interface != at[name] || d.Answer != want[d.Device] {
			t.Errorf("%s: AT port %+v says\n%+v, want interface %d and\n%+v", name, d.AT, d.Answer, at[name], want[d.Device])
		}
	}
	for socket, answer := range want {
		spec, err := probe.ParseSpec("imsi:" + answer.IMSI)
		m.do(err)
		port, err := p.Opener(spec, 0)(t.Context())
		if err != nil {
			t.Errorf("%s: %v", family[socket], err)
			continue
		}
		if tty := port.(interface{ Tty() string }).Tty(); tty != m.Node(socket, at[family[socket]]) {
			t.Errorf("%s is opened at %s", family[socket], tty)
		}
		port.Close()
	}
}

// A port in use is left alone.
func TestProbePortInUse(t *testing.T) {
	t.Parallel() // it is waiting, most of the time
	m := newMachine(t)
	said := m.plug("huawei-e173", "1-1")
	p := &probe.Prober{Bus: m.bus()}
	find(t, p)
	port, err := modem.Serial(m.Node("1-1", 2), 0)(t.Context())
	m.do(err)
	if d := find(t, p)[0]; !d.Busy || d.Answer != said || !slices.Equal(asked(d), []string{"ttyUSB2"}) {
		t.Errorf("in use: %+v", d)
	}
	port.Close()
	if d := find(t, p)[0]; d.Busy || d.Answer != said {
		t.Errorf("free again: %+v", d)
	}
}

// The ports of a known dongle that take no commands are never opened.
func TestProbeAllPorts(t *testing.T) {
	t.Parallel() // it is waiting, most of the time
	m := newMachine(t)
	said := m.plug("quectel-ec25", "1-1")
	d := find(t, &probe.Prober{Bus: m.bus(), All: true})[0]
	if got := asked(d); !slices.Equal(got, []string{"ttyUSB1", "ttyUSB2", "ttyUSB3"}) {
		t.Errorf("asked %q", got)
	}
	if !d.Ports[1].Answer.NMEA || !d.Ports[3].Answer.AT || d.AT.Interface != 2 || d.Answer != said {
		t.Errorf("found %+v", d)
	}
}

func TestRebindOnBus(t *testing.T) {
	t.Parallel() // it is waiting, most of the time
	m := newMachine(t)
	said := m.plug("zte-mf190", "1-1")
	p := &probe.Prober{Bus: m.bus()}
	find(t, p)
	c := watched(t, p)
	m.do(p.Bus.Rebind(t.Context(), "1-1"))
	c.await("the stick is back", func() bool { return m.Node("1-1", 1) != "" })
	if d := find(t, p)[0]; d.Answer != said || d.AT.Node != m.Node("1-1", 1) {
		t.Errorf("found %+v", d)
	}
}

// changes are calls of Watch's changed.
type changes struct {
	t  *testing.T
	ch chan struct{}
}

// watched watches the bus of p until the test ends.
func watched(t *testing.T, p *probe.Prober) changes {
	c := changes{t, make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		err := p.Watch(ctx, func() {
			select {
			case c.ch <- struct{}{}:
			default:
			}
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return c
}

func (c changes) await(what string, is func() bool) {
	c.t.Helper()
	limit := time.After(60 * time.Second)
	for !is() {
		select {
		case <-c.ch:
		case <-limit:
			c.t.Fatal("not so: " + what)
		}
	}
}

// sink takes what a worker has to say.
type sink struct{ changed chan struct{} }

func (s sink) Reported(context.Context, modem.Origin, pdu.Report) error     { return nil }
func (s sink) Received(context.Context, modem.Origin, modem.Incoming) error { return nil }
func (s sink) Called(context.Context, modem.Origin, modem.Call) error       { return nil }
func (s sink) Changed(modem.Status) {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// A worker keeps its dongle over an unplugging after which another stick has its tty.
func TestWorkerFollowsItsDongle(t *testing.T) {
	t.Parallel() // it is waiting, most of the time
	m := newMachine(t)
	said := m.plug("huawei-e173.a", "1-1")
	m.plug("huawei-e173.b", "1-2")
	p := &probe.Prober{Bus: m.bus()}
	spec, err := probe.ParseSpec("imei:" + said.IMEI)
	m.do(err)
	c := watched(t, p)
	s := sink{make(chan struct{}, 1)}
	w := modem.New(modem.Config{SIM: 1, Port: spec.String(), Open: p.Opener(spec, 0), Plugged: c.ch, Sink: s})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = w.Run(ctx) })
	defer running.Wait()
	defer cancel()
	ready := func() bool {
		st := w.Status()
		return st.Ready() && st.IMEI == said.IMEI
	}
	changes{t, s.changed}.await("ready", ready)
	before := m.Node("1-1", 2)
	m.do(m.Swap("1-1", "1-2"))
	sessions := w.Status().Sessions
	changes{t, s.changed}.await("ready again", func() bool { return w.Status().Sessions > sessions && ready() })
	if after := m.Node("1-1", 2); after == before || after == "" {
		t.Errorf("the stick is at %q, and was at %q", after, before)
	}
}
