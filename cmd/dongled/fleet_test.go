package main

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"dongled/configs"
	"dongled/modem"
)

// auto runs a test with a fleet that takes what it finds.
func auto(t *testing.T, test func(t *testing.T, f *fleetTest)) {
	synctest.Test(t, func(t *testing.T) { test(t, newFleetTest(t, configs.Default())) })
}

// TestFound: dongles are taken as they come, and numbered by their SIMs.
func TestFound(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		f.insert(t, imeiX, imsiA)
		f.insert(t, imeiY, imsiB)
		f.run()
		f.pass(time.Minute)
		f.expect("1 ready 7 1, 2 ready 8 2")
		f.insert(t, imeiZ, imsiC)
		f.event()
		f.pass(time.Minute)
		f.expect("1 ready 7 1, 2 ready 8 2, 3 ready 9 3")
	})
}

// TestNothingFound: an empty bus is looked at when something happens, and at no other time.
func TestNothingFound(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		f.run()
		f.pass(time.Minute)
		before := f.probes
		f.pass(24 * time.Hour)
		if f.probes != before {
			t.Errorf("%d looks at a bus where nothing happened", f.probes-before)
		}
		f.insert(t, imeiX, imsiA)
		f.event()
		f.pass(time.Minute)
		f.expect("1 ready 7 1")
		before = f.probes
		f.pass(24 * time.Hour)
		if f.probes != before {
			t.Errorf("%d looks while all is well", f.probes-before)
		}
	})
}

// TestReplugged: a dongle that comes back is the same, whatever its port is by then.
func TestReplugged(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, imsiA)
		f.insert(t, imeiY, imsiB)
		f.run()
		f.pass(time.Minute)
		f.pull(x)
		f.event()
		f.pass(time.Minute)
		f.expect("1 lost 7 1, 2 ready 8 2")
		f.insert(t, imeiX, imsiA)
		f.event()
		f.pass(time.Minute)
		f.expect("1 ready 7 1, 2 ready 8 2")
	})
}

// TestTakenAway: a dongle that was pulled out is missed for a day, and no longer; should it come back,
// it is the same.
func TestTakenAway(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, imsiA)
		f.insert(t, imeiY, imsiB)
		f.run()
		f.pass(time.Minute)
		f.pull(x)
		f.event()
		f.pass(23 * time.Hour)
		f.expect("1 lost 7 1, 2 ready 8 2")
		f.pass(time.Hour + time.Minute)
		f.expect("2 ready 8 2")
		before := f.probes
		f.pass(48 * time.Hour)
		if f.probes != before {
			t.Errorf("%d looks while nothing happened", f.probes-before)
		}
		f.insert(t, imeiX, imsiA)
		f.event()
		f.pass(time.Minute)
		f.expect("1 ready 7 1, 2 ready 8 2")
	})
}

// TestMissedAnew: one that comes back in time is missed for a whole day when it goes again.
func TestMissedAnew(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, imsiA)
		f.run()
		f.pass(time.Minute)
		for range 3 {
			f.pull(x)
			f.event()
			f.pass(20 * time.Hour)
			f.expect("1 lost 7 1")
			x = f.insert(t, imeiX, imsiA)
			f.event()
			f.pass(20 * time.Hour)
			f.expect("1 ready 7 1")
		}
	})
}

// TestSameIMEI: two dongles to which their maker gave one IMEI are two, and stay so.
func TestSameIMEI(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		f.insert(t, imeiX, imsiA)
		f.run()
		f.pass(time.Minute)
		f.insert(t, imeiX, imsiB)
		f.event()
		f.pass(time.Minute)
		f.expect("1 ready 7 1, 2 ready 8 1")
		before := f.probes
		f.pass(24 * time.Hour)
		f.expect("1 ready 7 1, 2 ready 8 1")
		if f.probes != before {
			t.Errorf("%d looks while all is well", f.probes-before)
		}
	})
	auto(t, func(t *testing.T, f *fleetTest) {
		f.insert(t, imeiX, imsiA)
		f.insert(t, imeiX, imsiB)
		f.run()
		f.pass(2 * time.Minute)
		f.expect("1 ready 7 1, 2 ready 8 1")
	})
}

// TestSIMsSwapped: two SIMs change dongles; each keeps its number.
func TestSIMsSwapped(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x, y := f.insert(t, imeiX, imsiA), f.insert(t, imeiY, imsiB)
		f.run()
		f.pass(time.Minute)
		f.pull(x)
		f.pull(y)
		f.event()
		f.pass(time.Minute)
		f.insert(t, imeiX, imsiB)
		f.insert(t, imeiY, imsiA)
		f.event()
		f.pass(2 * time.Minute)
		f.expect("1 ready 7 2, 2 ready 8 1")
	})
}

// TestSIMMoved: a SIM goes into another dongle and takes its number with it; the dongle that it left
// gets one of its own.
func TestSIMMoved(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, imsiA)
		f.run()
		f.pass(time.Minute)
		f.pull(x)
		f.event()
		f.pass(time.Minute)
		f.insert(t, imeiX, "")
		f.insert(t, imeiY, imsiA)
		f.event()
		f.pass(5 * time.Minute)
		f.expect("1 ready 7 2, 2 lost - 1")
	})
}

// TestSIMInserted: a dongle without a SIM is given time, then a number of its own; with a SIM that
// is seen later it goes on under the number of that.
func TestSIMInserted(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, "")
		f.run()
		f.pass(20 * time.Second)
		f.expect("")
		f.pass(5 * time.Minute)
		f.expect("1 lost - 1")

		f.pull(x)
		f.insert(t, imeiX, imsiA)
		f.event()
		f.pass(2 * time.Minute)
		f.expect("2 ready 7 1")
	})
}

// TestSIMStartsSlowly: one that is read at the second look has its own number from the start.
func TestSIMStartsSlowly(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, "")
		f.run()
		f.pass(5 * time.Second)
		f.pull(x)
		f.insert(t, imeiX, imsiA) // no event: it was there all the time
		f.pass(time.Minute)
		f.expect("1 ready 7 1")
	})
}

// TestStrangeSIM: nothing is sent by a SIM that came into a dongle unnoticed, under the number of
// the one before it.
func TestStrangeSIM(t *testing.T) {
	m := &member{bound: true, imsi: imsiA}
	for imsi, want := range map[string]bool{imsiA: false, imsiB: true, "": false} {
		if got := m.strange(modem.Status{IMSI: imsi}); got != want {
			t.Errorf("%q: %v", imsi, got)
		}
	}
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, imsiA)
		f.run()
		f.pass(time.Minute)
		f.pull(x)
		f.event()
		f.pass(time.Minute)
		f.insert(t, imeiX, imsiB)
		for _, m := range f.list() {
			nudge(m.plugged) // the worker is faster than the one who looks
		}
		sent := false
		for range 600 {
			f.pass(100 * time.Millisecond)
			f.testRoster.mu.Lock()
			if s := f.senders[1]; s != nil {
				st := s.Status()
				sent = sent || st.Ready() && st.IMSI == imsiB
			}
			f.testRoster.mu.Unlock()
		}
		if sent {
			t.Error("SIM B was ready under the number of SIM A")
		}
		f.expect("2 ready 8 1")
	})
}

// TestHeldDongle: one that another program has is looked at again, more and more rarely, and taken
// when it is free.
func TestHeldDongle(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, imsiA)
		x.foreign = true
		f.run()
		f.pass(time.Hour)
		if f.probes < 12 || f.probes > 20 {
			t.Errorf("%d looks in an hour, want one in 5 minutes at last", f.probes)
		}
		unlock := f.testBus.lock()
		x.foreign = false
		unlock()
		f.pass(6 * time.Minute)
		f.expect("1 ready 7 1")
	})
}

// TestDeafDongle: one that does not answer yet is looked at again too.
func TestDeafDongle(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		x := f.insert(t, imeiX, imsiA)
		x.deaf = true
		f.run()
		f.pass(15 * time.Second)
		unlock := f.testBus.lock()
		x.deaf = false
		unlock()
		f.pass(time.Minute)
		f.expect("1 ready 7 1")
	})
}

// TestSameSIMTwice: two dongles that show one SIM do not take turns; the first keeps it.
func TestSameSIMTwice(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		f.insert(t, imeiX, imsiA)
		f.run()
		f.pass(time.Minute)
		f.insert(t, imeiY, imsiA)
		f.event()
		f.pass(time.Hour)
		f.expect("1 ready 7 1")
	})
}

// TestWatchFails: a watch that ends is begun again, and what came meanwhile is found then.
func TestWatchFails(t *testing.T) {
	auto(t, func(t *testing.T, f *fleetTest) {
		f.deny = errors.New("no netlink here")
		f.run()
		f.pass(30 * time.Second)
		f.insert(t, imeiX, imsiA)
		f.pass(2 * time.Minute)
		f.expect("1 ready 7 1")
		if f.watches != 2 {
			t.Errorf("%d watches", f.watches)
		}
	})
}

// TestConfigured: modems of the configuration have the numbers that it says, are found by IMEI, and
// no others are used.
func TestConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := configs.Default()
		one := configs.DefaultModem()
		one.SIM, one.Port, one.Name, one.Number = 7, "imei:"+imeiY, "hall", "+4930123456"
		cfg.Modems = []configs.Modem{one}
		f := newFleetTest(t, cfg)
		if err := f.configure(one, nil); err != nil {
			t.Fatal(err)
		}
		f.insert(t, imeiX, imsiA)
		f.run()
		f.pass(time.Minute)
		f.expect("7 lost - -")
		f.insert(t, imeiY, imsiB)
		f.event()
		f.pass(time.Minute)
		f.expect("7 ready 8 2")
		if st := f.list()[0].Status(); st.Name != "hall" || st.Number != "+4930123456" {
			t.Errorf("its name is %q, its number %q", st.Name, st.Number)
		}
		if f.probes != 0 {
			t.Errorf("%d looks for other dongles", f.probes)
		}
	})
}

// TestBringUpIsBounded: of ten dongles four are brought up at a time, and one that never comes up
// does not keep the others waiting for long.
func TestBringUpIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := configs.Default()
		for i := range 10 {
			m := configs.DefaultModem()
			m.SIM, m.Port = i+1, fmt.Sprintf("imei:49015420323750%d", i)
			cfg.Modems = append(cfg.Modems, m)
		}
		f := newFleetTest(t, cfg)
		for i, m := range cfg.Modems {
			if err := f.configure(m, nil); err != nil {
				t.Fatal(err)
			}
			if i != 2 { // SIM 3 is missing
				f.insert(t, m.Port[len("imei:"):], fmt.Sprintf("26201000000000%d", i))
			}
		}
		f.run()
		f.pass(2 * time.Minute)
		ready := 0
		for _, s := range f.senders {
			if s.Status().Ready() {
				ready++
			}
		}
		if ready != 9 || f.most != 4 {
			t.Errorf("%d are ready; %d were brought up at a time", ready, f.most)
		}
	})
}

func TestWatchedPorts(t *testing.T) {
	for path, want := range map[string]bool{
		"": true, "/dev/ttyUSB2": true, "/dev/serial/by-path/x": true, "/dev/ttyACM0": true,
		"/tmp/link": false, "/dev/pts/3": false,
	} {
		if got := watched(path); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}
