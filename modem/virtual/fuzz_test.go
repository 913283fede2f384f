package virtual_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"dongled/modem/virtual"
)

// oneSided is a TE that says one thing and closes.
type oneSided struct {
	io.Reader
	heard strings.Builder
}

func (o *oneSided) Write(p []byte) (int, error) { return o.heard.Write(p) }
func (o *oneSided) Close() error                { return nil }

// FuzzTE: whatever a TE sends, the dongle neither panics nor loses count of its TP-MR, and a
// message it says it took is one the network has.
func FuzzTE(f *testing.F) {
	f.Add("ATE0+CNMI=2,1,0,1,0\rAT+CMGS=19\r" + helloReport + ctrlZ)
	f.Fuzz(func(t *testing.T, say string) {
		d := virtual.New(virtual.Options{})
		te := &oneSided{Reader: strings.NewReader(say)}
		if err := d.Serve(context.Background(), te); err != nil {
			t.Fatalf("Serve: %v", err)
		}
		subs := d.Submissions()
		for i, s := range subs {
			if want := uint8(virtual.DefaultFirstMR + i); s.MR != want {
				t.Errorf("submission %d has TP-MR %d, want %d", i, s.MR, want)
			}
		}
		// The echo may hold a +CMGS: of the TE's own, so count only where there is none.
		if !strings.Contains(strings.ToUpper(say), "CMGS:") && strings.Count(te.heard.String(), "+CMGS: ") > len(subs) {
			t.Errorf("%d submissions, and heard %q", len(subs), te.heard.String())
		}
		_ = d.Close()
	})
}

// FuzzFamilies: nor does one of any make panic, with a memory that is full, a call and a USSD session
// under way; and what it took the network has.
func FuzzFamilies(f *testing.F) {
	f.Add(uint8(4), "ATE0+CNMI=1,1,0,1,0\rAT+CMGS=19\r"+helloReport+ctrlZ)
	f.Fuzz(func(t *testing.T, family uint8, say string) {
		families := virtual.Families()
		opts, _ := virtual.Family(families[int(family)%len(families)])
		opts.Slots, opts.USSD, opts.Quirks.Busy = 2, menu, 0
		d := virtual.New(opts)
		for range 3 {
			incoming(t, d)
		}
		call(t, d, "0123")
		d.NotifyUSSD(menu[len(menu)-1])
		te := &oneSided{Reader: strings.NewReader(say)}
		if err := d.Serve(context.Background(), te); err != nil {
			t.Fatalf("Serve: %v", err)
		}
		if heard := te.heard.String(); !strings.Contains(strings.ToUpper(say), "CMGS:") && strings.Count(heard, "+CMGS: ") > len(d.Submissions()) {
			t.Errorf("%d submissions, and heard %q", len(d.Submissions()), heard)
		}
		_ = d.Close()
	})
}

// FuzzFaults: a fault script is either refused or can be used.
func FuzzFaults(f *testing.F) {
	f.Add("- do: cms 38\n")
	f.Fuzz(func(t *testing.T, script string) {
		faults, err := virtual.ParseFaults([]byte(script))
		if err != nil {
			return
		}
		d := virtual.New(virtual.Options{Faults: faults})
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
}
