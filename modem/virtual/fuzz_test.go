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
