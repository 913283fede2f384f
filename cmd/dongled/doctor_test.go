package main

import (
	"context"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// patient is a virtual dongle that is examined, in a bubble; what is put in before is done by adjust.
func patient(t *testing.T, opts virtual.Options, adjust func(*virtual.Dongle)) (st modem.Status, took time.Duration, d *virtual.Dongle) {
	t.Helper()
	d = virtual.New(opts)
	t.Cleanup(func() { _ = d.Close() })
	if adjust != nil {
		adjust(d)
	}
	start := time.Now()
	st = observe(t.Context(), modem.Config{SIM: 1, Port: "virtual", Open: d.Open})
	return st, time.Since(start), d
}

// say asks a dongle that nobody has open.
func say(t *testing.T, d *virtual.Dongle, command string) string {
	t.Helper()
	port, err := d.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(time.Second, func() { _ = port.Close() })
	if _, err := io.WriteString(port, command+"\r"); err != nil {
		t.Fatal(err)
	}
	answer, _ := io.ReadAll(port) // it ends with our own Close
	return string(answer)
}

// TestObserve: each patient is watched as long as its state may pass, and no longer.
func TestObserve(t *testing.T) {
	for _, tt := range []struct {
		is      string
		opts    virtual.Options
		adjust  func(*virtual.Dongle)
		problem string
		within  time.Duration
	}{
		{"well", virtual.Options{}, nil, "", 10 * time.Second},
		{"slow to register", virtual.Options{RegisterDelay: 20 * time.Second}, nil, "", 30 * time.Second},
		{"without network", virtual.Options{}, func(d *virtual.Dongle) { d.SetRegistration(2) }, modem.ProblemNotRegistered, 40 * time.Second},
		{"refused", virtual.Options{Registration: 3}, nil, modem.ProblemDenied, 10 * time.Second},
		{"without SIM", virtual.Options{}, func(d *virtual.Dongle) { d.SetSIM(false) }, modem.ProblemNoSIM, 20 * time.Second},
		{"locked", virtual.Options{PIN: "1234"}, nil, modem.ProblemPINNeeded, 10 * time.Second},
	} {
		t.Run(tt.is, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st, took, _ := patient(t, tt.opts, tt.adjust)
				if st.Problem != tt.problem || took > tt.within {
					t.Errorf("%v with %q after %v", st.State, st.Problem, took)
				}
			})
		})
	}
}

// TestObserveMissing: a port that comes within seconds is waited for, one that does not is told.
func TestObserveMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		missing := func(context.Context) (io.ReadWriteCloser, error) { return nil, fs.ErrNotExist }
		start := time.Now()
		st := observe(t.Context(), modem.Config{SIM: 1, Port: "virtual", Open: missing})
		if took := time.Since(start); st.Problem != modem.ProblemPortMissing || took != problemTime {
			t.Errorf("%q after %v", st.Problem, took)
		}
		d := virtual.New(virtual.Options{})
		defer func() { _ = d.Close() }()
		from := time.Now().Add(3 * time.Second)
		late := func(ctx context.Context) (io.ReadWriteCloser, error) {
			if time.Now().Before(from) {
				return nil, fs.ErrNotExist
			}
			return d.Open(ctx)
		}
		if st := observe(t.Context(), modem.Config{SIM: 1, Port: "virtual", Open: late}); !st.Ready() {
			t.Errorf("%v with %q", st.State, st.Problem)
		}
	})
}

// TestObserveHarmsNothing: no try of the PIN is spent, and what waits on the SIM stays there.
func TestObserveHarmsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, d := patient(t, virtual.Options{PIN: "1234"}, nil)
		if got := say(t, d, `AT+CPINR="SIM PIN"`); !strings.Contains(got, "SIM PIN,3,3") {
			t.Errorf("tries left: %q", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		st, _, d := patient(t, virtual.Options{}, func(d *virtual.Dongle) {
			if err := d.Deliver(pdu.Deliver{Originator: "+4915112345678", Text: "keep me", SCTS: noon}); err != nil {
				t.Fatal(err)
			}
			d.SetRegistration(2) // so that it is looked at for long enough to be swept
		})
		if st.Problem != modem.ProblemNotRegistered {
			t.Fatalf("%v with %q", st.State, st.Problem)
		}
		if got := say(t, d, "AT+CPMS?"); !strings.Contains(got, `"SM",1,`) {
			t.Errorf("memories: %q", got)
		}
	})
}
