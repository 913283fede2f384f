package probe_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem/probe"
)

// at opens what spec names and says under which tty it is.
func at(t *testing.T, p *probe.Prober, spec string) (tty string, port io.Closer, err error) {
	t.Helper()
	s, err := probe.ParseSpec(spec)
	if err != nil {
		t.Fatal(err)
	}
	line, err := p.Opener(s, 0)(t.Context())
	if err != nil {
		return "", nil, err
	}
	return filepath.Base(line.(interface{ Tty() string }).Tty()), line, nil
}

// opens fails the test unless spec is found at tty; it closes it.
func opens(t *testing.T, p *probe.Prober, spec, tty string) {
	t.Helper()
	got, port, err := at(t, p, spec)
	if err != nil {
		t.Fatalf("%s: %v", spec, err)
	}
	port.Close()
	if got != tty {
		t.Errorf("%s is %s, want %s", spec, got, tty)
	}
}

func TestOpenerSpecs(t *testing.T) {
	for spec, want := range map[string]string{
		"imei:" + imeiB:            "ttyUSB5",
		"imei:" + imeiB[:14]:       "ttyUSB5", // without its check digit
		"imei:" + imeiB[:14] + "0": "ttyUSB5", // as it is transmitted
		"imsi:" + imsiA:            "ttyUSB2",
		"usb:2c7c:0125":            "ttyUSB5",
		"usb:2c7c:0125#3":          "ttyUSB10",
		"usb:12d1:1001":            "ttyUSB2",
	} {
		t.Run(spec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTree(t)
				tr.plug(e173)
				tr.plug(ec25)
				behind := map[string]*talker{"ttyUSB2": dongle(imeiA, imsiA), "ttyUSB5": dongle(imeiB, imsiB)}
				p := prober(tr, behind)
				openings := func() (n int) {
					for _, k := range behind {
						n += k.opened()
					}
					return n
				}
				opens(t, p, spec, want)
				before := openings()
				opens(t, p, spec, want)
				if again := openings(); again != before+1 {
					t.Errorf("the second time took %d openings", again-before)
				}
				checkPolite(t, behind["ttyUSB2"], behind["ttyUSB5"])
			})
		})
	}
}

func TestOpenerPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		k := dongle(imeiA, imsiA)
		p := prober(tr, map[string]*talker{"ttyUSB2": k, "ttyS0": {}})
		opens(t, p, tr.node("ttyUSB2"), "ttyUSB2")
		opens(t, p, tr.path("dev/serial/by-path/pci-usb-1-1.4-if02"), "ttyUSB2")
		opens(t, p, tr.node("ttyS0"), "ttyS0") // not USB's
		if heard := k.heardLines(); len(heard) > 0 {
			t.Errorf("a port named by path was told %q", heard)
		}
	})
}

// Two sticks swap their ttys, as they may at any enumeration.
func TestOpenerFollowsTheDongle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		first := stick{device: "1-1", address: 5, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB0"}}
		second := stick{device: "1-2", address: 6, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB1"}}
		tr.plug(first)
		tr.plug(second)
		a, b := dongle(imeiA, imsiA), dongle(imeiB, imsiB)
		behind := map[string]*talker{"ttyUSB0": a, "ttyUSB1": b}
		p := prober(tr, behind)
		opens(t, p, "imei:"+imeiA, "ttyUSB0")
		opens(t, p, "imsi:"+imsiB, "ttyUSB1")
		tr.unplug(first)
		tr.unplug(second)
		first.address, first.ports = 7, []string{"2 ff/01/02 ttyUSB1"}
		second.address, second.ports = 8, []string{"2 ff/01/02 ttyUSB0"}
		tr.plug(second)
		tr.plug(first)
		behind["ttyUSB0"], behind["ttyUSB1"] = b, a
		opens(t, p, "imei:"+imeiA, "ttyUSB1")
		opens(t, p, "imsi:"+imsiB, "ttyUSB0")
	})
}

// A reset gives the ttys other names, and the device keeps its address.
func TestOpenerAfterReset(t *testing.T) {
	for _, spec := range []string{"imei:" + imeiA, "imsi:" + imsiA, "usb:12d1:1001"} {
		t.Run(spec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTree(t)
				tr.plug(e173)
				behind := map[string]*talker{"ttyUSB2": dongle(imeiA, imsiA)}
				p := prober(tr, behind)
				opens(t, p, spec, "ttyUSB2")
				tr.unplug(e173)
				renamed := e173
				renamed.ports = []string{"0 ff/01/01 ttyUSB7", "1 ff/01/03 ttyUSB8", "2 ff/01/02 ttyUSB9"}
				tr.plug(renamed)
				behind["ttyUSB9"] = behind["ttyUSB2"]
				opens(t, p, spec, "ttyUSB9")
			})
		})
	}
}

// A SIM changes its dongle without any enumeration.
func TestOpenerFollowsTheSIM(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		tr.plug(sara)
		a, b := dongle(imeiA, imsiA), dongle(imeiB, imsiB)
		p := prober(tr, map[string]*talker{"ttyUSB2": a, "ttyACM0": b})
		opens(t, p, "imsi:"+imsiA, "ttyUSB2")
		time.Sleep(time.Minute)
		a.answer = answers(map[string]string{"AT+CGSN": imeiA, "AT+CIMI": imsiB})
		b.answer = answers(map[string]string{"AT+CGSN": imeiB, "AT+CIMI": imsiA})
		opens(t, p, "imsi:"+imsiA, "ttyACM0")
		opens(t, p, "imsi:"+imsiB, "ttyUSB2")
		opens(t, p, "imei:"+imeiA, "ttyUSB2")
	})
}

// A dongle that stopped answering is opened all the same: the worker has the means to rouse it.
func TestOpenerOpensTheSilent(t *testing.T) {
	for _, spec := range []string{"imei:" + imeiA, "imsi:" + imsiA, "usb:12d1:1001"} {
		t.Run(spec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTree(t)
				tr.plug(e173)
				k := dongle(imeiA, imsiA)
				p := prober(tr, map[string]*talker{"ttyUSB2": k})
				opens(t, p, spec, "ttyUSB2")
				time.Sleep(time.Hour)
				k.answer = nil
				opens(t, p, spec, "ttyUSB2")
			})
		})
	}
}

// One that never answered can only be told by its make.
func TestOpenerOpensTheLikeliest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		opens(t, prober(tr, map[string]*talker{}), "usb:12d1:1001", "ttyUSB2")
	})
}

// Whoever names a serial adapter means it, though nobody asks what is behind it.
func TestOpenerOpensAdapter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(adapter)
		k := dongle(imeiA, imsiA)
		start := time.Now()
		opens(t, prober(tr, map[string]*talker{"ttyUSB40": k}), "usb:1a86:7523", "ttyUSB40")
		if heard := k.heardLines(); len(heard) > 0 || time.Since(start) > 0 {
			t.Errorf("told %q, after %v", heard, time.Since(start))
		}
	})
}

func TestOpenerWaitsForBoot(t *testing.T) {
	for name, late := range map[string]func(ready func() bool) func(string) []said{
		"dongle": func(ready func() bool) func(string) []said {
			return func(line string) []said {
				if !ready() {
					return nil
				}
				return answers(nil)(line)
			}
		},
		"SIM": func(ready func() bool) func(string) []said {
			return func(line string) []said {
				busy := map[string]string{}
				if !ready() {
					busy = map[string]string{"AT+CPIN?": "+CME ERROR: 14", "AT+CIMI": "+CME ERROR: 14"}
				}
				return answers(busy)(line)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTree(t)
				tr.plug(e173)
				boot := time.Now().Add(60 * time.Second)
				k := &talker{answer: late(func() bool { return time.Now().After(boot) })}
				opens(t, prober(tr, map[string]*talker{"ttyUSB2": k}), "imsi:"+imsiA, "ttyUSB2")
				if after := time.Since(boot); after > 45*time.Second {
					t.Errorf("found %v after it was ready", after)
				}
			})
		})
	}
}

func TestOpenerNotFound(t *testing.T) {
	for name, c := range map[string]struct {
		spec   string
		sticks []stick
		behind map[string]*talker
		words  string        // in the error
		within time.Duration // it is said
	}{
		"empty bus":    {"imei:" + imeiA, nil, nil, "no dongle is plugged in", 0},
		"another make": {"usb:19d2:0117", []stick{e173}, map[string]*talker{"ttyUSB2": dongle(imeiA, imsiA)}, "no dongle is plugged in", 0},
		"another IMEI": {"imei:" + imeiA, []stick{e173}, map[string]*talker{"ttyUSB2": dongle(imeiB, imsiB)}, "1-1.4 (IMEI " + imeiB + ")", time.Second},
		"another SIM":  {"imsi:" + imsiA, []stick{e173}, map[string]*talker{"ttyUSB2": dongle(imeiB, imsiB)}, "1-1.4 (IMSI " + imsiB + ")", time.Second},
		"SIM locked": {
			"imsi:" + imsiA, []stick{e173},
			map[string]*talker{"ttyUSB2": {answer: answers(map[string]string{"AT+CPIN?": "+CPIN: SIM PIN"})}},
			"tells no IMSI: pin-needed", time.Second,
		},
		"held": {
			"imei:" + imeiA, []stick{e173}, map[string]*talker{"ttyUSB2": {openErr: errTaken}},
			"1-1.4 (held by another program)", time.Second,
		},
		"no interface of that number": {"usb:12d1:1001#7", []stick{e173}, nil, "1-1.4 (no tty at interface 7)", 0},
		"silent":                      {"imei:" + imeiA, []stick{e173}, map[string]*talker{}, "1-1.4 (does not answer)", 3 * time.Minute},
		"never asked":                 {"imei:" + imeiA, []stick{arduino, download, adapter}, map[string]*talker{}, "no dongle is plugged in", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTree(t)
				for _, s := range c.sticks {
					tr.plug(s)
				}
				if c.behind == nil {
					c.behind = map[string]*talker{}
				}
				start := time.Now()
				_, _, err := at(t, prober(tr, c.behind), c.spec)
				if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), c.words) {
					t.Errorf("error %v", err)
				}
				if took := time.Since(start); took > c.within {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

// What is known but held is not missing.
func TestOpenerHeld(t *testing.T) {
	for _, spec := range []string{"imei:" + imeiA, "usb:12d1:1001", "usb:12d1:1001#2"} {
		t.Run(spec, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := newTree(t)
				tr.plug(e173)
				p := prober(tr, map[string]*talker{"ttyUSB2": dongle(imeiA, imsiA)})
				_, port, err := at(t, p, spec)
				if err != nil {
					t.Fatal(err)
				}
				defer port.Close()
				if _, _, err := at(t, p, spec); !errors.Is(err, errTaken) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// A program that does not lock the port holds it all the same.
func TestOpenerLeavesOthersAlone(t *testing.T) {
	tr := newTree(t)
	tr.plug(e173)
	tr.holds(100, "minicom", "ttyUSB2")
	k := dongle(imeiA, imsiA)
	p := prober(tr, map[string]*talker{"ttyUSB2": k})
	for _, spec := range []string{tr.node("ttyUSB2"), "usb:12d1:1001#2"} {
		_, _, err := at(t, p, spec)
		if !errors.Is(err, errTaken) || !strings.Contains(err.Error(), "minicom (process 100)") {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if k.opened() > 0 {
		t.Error("it was opened")
	}
}

// Of several of a make each worker gets one.
func TestOpenerSharesAMake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		behind := map[string]*talker{}
		for i, device := range []string{"1-1", "1-2", "1-3"} {
			tty := "ttyUSB" + string(rune('0'+i))
			tr.plug(stick{device: device, address: 5 + i, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 " + tty}})
			behind[tty] = dongle("49015420323751"+string(rune('0'+i)), "26201012345678"+string(rune('0'+i)))
		}
		p := prober(tr, behind)
		got := map[string]bool{}
		for range 3 {
			tty, port, err := at(t, p, "usb:12d1:1001")
			if err != nil {
				t.Fatal(err)
			}
			defer port.Close()
			got[tty] = true
		}
		if len(got) != 3 {
			t.Errorf("opened %v", got)
		}
	})
}

// Many workers that start at once ask each dongle once between them, and do not disturb each other.
func TestOpenersAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		behind := map[string]*talker{}
		imei := func(i int) string { return "4901542032375" + string(rune('0'+i)) + "0" }
		for i := range 8 {
			n := string(rune('0' + i))
			tr.plug(stick{device: "1-" + n, address: 5 + i, vid: "12d1", pid: "1001", ports: []string{"2 ff/01/02 ttyUSB" + n}})
			behind["ttyUSB"+n] = dongle(imei(i), imsiA)
		}
		p := prober(tr, behind)
		var workers sync.WaitGroup
		for i := range 8 {
			workers.Go(func() {
				tty, port, err := at(t, p, "imei:"+imei(i))
				if err != nil || tty != "ttyUSB"+string(rune('0'+i)) {
					t.Errorf("%s: %q, %v", imei(i), tty, err)
					return
				}
				port.Close()
			})
		}
		workers.Wait()
		for tty, k := range behind {
			if n := k.opened(); n != 2 {
				t.Errorf("%s was opened %d times, want once to ask and once to use", tty, n)
			}
		}
	})
}

func TestOpenerEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTree(t)
		tr.plug(e173)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		spec, err := probe.ParseSpec("imei:" + imeiA)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := prober(tr, map[string]*talker{}).Opener(spec, 0)(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrNotExist) {
			t.Errorf("error %v", err)
		}
		if took := time.Since(start); took != 20*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
