package probe_test

import (
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/probe"
)

const (
	imeiA, imsiA = "490154203237518", "262010123456789"
	imeiB, imsiB = "356938035643809", "262020987654321"
)

// find is Probe without an error.
func find(t *testing.T, p *probe.Prober) []probe.Dongle {
	t.Helper()
	dongles, err := p.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dongles
}

// asked are the ttys of a dongle that were asked.
func asked(d probe.Dongle) []string {
	var ttys []string
	for _, p := range d.Ports {
		if p.Asked {
			ttys = append(ttys, filepath.Base(p.Node))
		}
	}
	return ttys
}

func TestProbe(t *testing.T) {
	everything := answers(map[string]string{"AT+CGSN": imeiA})
	dataOnly := answers(map[string]string{"AT+CGMI": "ERROR", "AT+CGMM": "ERROR", "AT+CGMR": "ERROR", "AT+CGSN": "ERROR"})
	for name, c := range map[string]struct {
		stick   stick
		behind  map[string]*talker
		prepare func(tree, *probe.Prober)
		at      string   // the AT port, empty for none
		asked   []string // all that were asked
		busy    bool
	}{
		"likeliest first, and no further": {
			stick: e173, behind: map[string]*talker{"ttyUSB2": {answer: everything}, "ttyUSB0": {answer: everything}},
			at: "ttyUSB2", asked: []string{"ttyUSB2"},
		},
		"all": {
			stick: e173, behind: map[string]*talker{"ttyUSB2": {answer: everything}, "ttyUSB0": {answer: everything}},
			prepare: func(_ tree, p *probe.Prober) { p.All = true },
			at:      "ttyUSB2", asked: []string{"ttyUSB0", "ttyUSB1", "ttyUSB2"},
		},
		"likeliest is silent": {
			stick: e173, behind: map[string]*talker{"ttyUSB0": {answer: everything}},
			at: "ttyUSB0", asked: []string{"ttyUSB0", "ttyUSB2"},
		},
		"the diagnostic port of a known product is left alone": {
			stick: ec25, behind: map[string]*talker{"ttyUSB10": {answer: everything}},
			at: "ttyUSB10", asked: []string{"ttyUSB5", "ttyUSB10"},
		},
		"all but the diagnostic port": {
			stick: ec25, behind: map[string]*talker{},
			asked: []string{"ttyUSB4", "ttyUSB5", "ttyUSB10"},
		},
		"unknown layout": {
			stick: mf190, behind: map[string]*talker{"ttyUSB22": {answer: everything}},
			at: "ttyUSB22", asked: []string{"ttyUSB21", "ttyUSB22"},
		},
		"a port that says who it is beats one that does not": {
			stick: mf190, behind: map[string]*talker{"ttyUSB21": {answer: dataOnly}, "ttyUSB22": {answer: everything}},
			at: "ttyUSB22", asked: []string{"ttyUSB21", "ttyUSB22"},
		},
		"a port that does not is better than none": {
			stick: mf190, behind: map[string]*talker{"ttyUSB21": {answer: dataOnly}},
			at: "ttyUSB21", asked: []string{"ttyUSB20", "ttyUSB21", "ttyUSB22"},
		},
		"AT port held": {
			stick: e173, behind: map[string]*talker{"ttyUSB0": {answer: everything}, "ttyUSB2": {answer: everything}},
			prepare: func(tr tree, _ *probe.Prober) { tr.holds(9, "minicom", "ttyUSB2") },
			busy:    true,
		},
		"AT port locked by whom we cannot see": {
			stick: e173, behind: map[string]*talker{"ttyUSB0": {answer: everything}, "ttyUSB2": {openErr: errTaken}},
			asked: []string{"ttyUSB2"}, busy: true,
		},
		"satellite and data ports held": {
			stick: ec25, behind: map[string]*talker{"ttyUSB5": {answer: everything}},
			prepare: func(tr tree, _ *probe.Prober) {
				tr.holds(9, "gpsd", "ttyUSB4")
				tr.holds(10, "pppd", "ttyUSB10")
			},
			at: "ttyUSB5", asked: []string{"ttyUSB5"},
		},
		"firmware download": {stick: download, behind: map[string]*talker{"ttyUSB30": {answer: everything}}},
		"no modem":          {stick: arduino, behind: map[string]*talker{"ttyACM5": {answer: everything}}},
		"serial adapter":    {stick: adapter, behind: map[string]*talker{"ttyUSB40": {answer: everything}}},
		"serial adapter, held": {
			stick: adapter, behind: map[string]*talker{},
			prepare: func(tr tree, _ *probe.Prober) { tr.holds(9, "zigbee", "ttyUSB40") },
		},
		"serial adapter, wanted and held": {
			stick: adapter, behind: map[string]*talker{},
			prepare: func(tr tree, p *probe.Prober) {
				p.Adapters = true
				tr.holds(9, "smsd", "ttyUSB40")
			},
			busy: true,
		},
		"serial adapter, wanted": {
			stick: adapter, behind: map[string]*talker{"ttyUSB40": {answer: everything}},
			prepare: func(_ tree, p *probe.Prober) { p.Adapters = true },
			at:      "ttyUSB40", asked: []string{"ttyUSB40"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTree(t)
				tr.plug(c.stick)
				p := prober(tr, c.behind)
				if c.prepare != nil {
					c.prepare(tr, p)
				}
				dongles := find(t, p)
				if len(dongles) != 1 {
					t.Fatalf("%d dongles", len(dongles))
				}
				d := dongles[0]
				at := ""
				if d.AT != nil {
					at = filepath.Base(d.AT.Node)
				}
				if at != c.at || d.Busy != c.busy || (at != "") != d.Answer.AT {
					t.Errorf("AT port %q, busy %v, answer %+v; want %q, %v", at, d.Busy, d.Answer, c.at, c.busy)
				}
				if got := asked(d); !slices.Equal(got, c.asked) {
					t.Errorf("asked %q, want %q", got, c.asked)
				}
				for tty, k := range c.behind {
					if !slices.Contains(c.asked, tty) && k.opened() > 0 {
						t.Errorf("%s was opened", tty)
					}
					checkPolite(t, k)
				}
			})
		})
	}
}

func TestProbeSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		for _, s := range []stick{sara, ec25, e173, mf190} {
			tr.plug(s)
		}
		p := prober(tr, map[string]*talker{"ttyUSB2": dongle(imeiA, imsiA), "ttyUSB5": dongle(imeiB, imsiB)})
		var got []string
		for _, d := range find(t, p) {
			spec, known := d.Spec()
			if !known {
				got = append(got, d.Device+" nothing")
				continue
			}
			got = append(got, d.Device+" "+spec.String())
		}
		want := []string{"1-1.2 nothing", "1-1.4 imei:" + imeiA, "1-1.10 imei:" + imeiB, "1-2 nothing"}
		if !slices.Equal(got, want) {
			t.Errorf("found %q, want %q", got, want)
		}
	})
}

// Each asking draws current; not more than four dongles are asked at a time, by all callers together.
func TestProbeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		for i := range 10 {
			n := string(rune('0' + i))
			tr.plug(stick{device: "1-1." + n, address: i + 1, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB" + n}})
		}
		var mu sync.Mutex
		open, most := 0, 0
		p := &probe.Prober{Bus: tr.bus(), Open: func(string, int) modem.Opener {
			k := dongle(imeiA, imsiA)
			k.openTime = time.Second
			return func(ctx context.Context) (io.ReadWriteCloser, error) {
				mu.Lock()
				open++
				most = max(most, open)
				mu.Unlock()
				port, err := k.open(ctx)
				return closer{port, func() {
					mu.Lock()
					open--
					mu.Unlock()
				}}, err
			}
		}}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { find(t, p) })
		}
		both.Wait()
		if most != 4 {
			t.Errorf("%d at once, want 4", most)
		}
	})
}

type closer struct {
	io.ReadWriteCloser
	closed func()
}

func (c closer) Close() error {
	c.closed()
	return c.ReadWriteCloser.Close()
}

// What a dongle said stays known while a program has it, until it is enumerated anew.
func TestProbeRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		k := dongle(imeiA, imsiA)
		p := prober(tr, map[string]*talker{"ttyUSB2": k})
		find(t, p)
		port, err := k.open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d := find(t, p)[0]
		if !d.Busy || d.Answer.IMEI != imeiA || d.AT == nil || d.AT.Interface != 2 {
			t.Errorf("in use: %+v", d)
		}
		again := e173
		again.address = 42
		tr.unplug(e173)
		tr.plug(again)
		if d := find(t, p)[0]; !d.Busy || d.AT != nil || d.Answer != (probe.Answer{}) {
			t.Errorf("another by now: %+v", d)
		}
		port.Close()
	})
}

func TestProbeEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		tr.plug(mf190)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := prober(tr, map[string]*talker{}).Probe(ctx); err == nil {
			t.Error("no error")
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestDongleSpec(t *testing.T) {
	at := probe.Port{Node: "/dev/ttyUSB2", ByPath: "/dev/serial/by-path/x"}
	for want, d := range map[string]probe.Dongle{
		"imei:" + imeiA:         {AT: &at, Answer: probe.Answer{IMEI: imeiA}},
		"/dev/serial/by-path/x": {AT: &at},
		"/dev/ttyUSB2":          {AT: &probe.Port{Node: "/dev/ttyUSB2"}},
		"":                      {Answer: probe.Answer{IMEI: imeiA}},
	} {
		spec, known := d.Spec()
		if spec.String() != want || known != (want != "") {
			t.Errorf("spec %q, %v; want %q", spec, known, want)
		}
	}
}

func TestDongleJSON(t *testing.T) {
	b, err := json.Marshal(probe.Dongle{
		Device: "1-1.4", VID: 0x12d1, PID: 0x1001,
		Ports: []probe.ProbedPort{{Port: probe.Port{Node: "/dev/ttyUSB2", VID: 0x12d1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"vid":"12d1"`, `"pid":"1001"`, `"node":"/dev/ttyUSB2"`, `"at":null`, `"busy":false`} {
		if !strings.Contains(string(b), part) {
			t.Errorf("%s is not in %s", part, b)
		}
	}
}
