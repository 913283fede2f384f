package modem_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
)

const (
	ring = "\r\nRING\r\n"
	clip = "\r\n+CLIP: \"+491701234567\",145,,,,0\r\n"
)

// However often it rings, a call is told once, with the number if there is one.
func TestCall(t *testing.T) {
	type step struct {
		after time.Duration
		says  string
	}
	tests := map[string]struct {
		steps   []step
		callers []string
	}{
		"three rings":                {[]step{{0, ring + clip}, {5 * time.Second, ring + clip}, {5 * time.Second, ring + clip}}, []string{"+491701234567"}},
		"number after the second":    {[]step{{0, ring}, {2 * time.Second, clip}}, []string{"+491701234567"}},
		"number before the ring":     {[]step{{0, clip + ring}, {5 * time.Second, ring}}, []string{"+491701234567"}},
		"no number ever":             {[]step{{0, ring}, {5 * time.Second, ring}}, []string{""}},
		"withheld":                   {[]step{{0, ring + "\r\n+CLIP: \"\",128,,,,1\r\n"}, {5 * time.Second, ring}}, []string{""}},
		"international without plus": {[]step{{0, ring + "\r\n+CLIP: \"491701234567\",145\r\n"}}, []string{"+491701234567"}},
		"national":                   {[]step{{0, ring + "\r\n+CLIP: \"01701234567\",129\r\n"}}, []string{"01701234567"}},
		"+CRING":                     {[]step{{0, "\r\n+CRING: VOICE\r\n" + clip}}, []string{"+491701234567"}},
		"given up at once":           {[]step{{0, ring + "\r\nNO CARRIER\r\n"}}, []string{""}},
		"given up, and again": {
			[]step{{0, ring + clip}, {time.Second, "\r\nNO CARRIER\r\n"}, {time.Second, ring + clip}},
			[]string{"+491701234567", "+491701234567"},
		},
		"again after a while": {[]step{{0, ring + clip}, {11 * time.Second, ring + clip}}, []string{"+491701234567", "+491701234567"}},
		"another caller": {
			[]step{{0, ring + clip}, {5 * time.Second, ring + "\r\n+CLIP: \"+4930123\",145\r\n"}},
			[]string{"+491701234567", "+4930123"},
		},
		"the end of no call": {[]step{{0, "\r\nNO CARRIER\r\n"}, {0, "\r\nBUSY\r\n"}}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, s := newPeer(), &sink{}
				w := start(t, modem.Config{SIM: 4, Open: p.open, Sink: s})
				ready(t, w)
				var rang time.Time
				for i, step := range test.steps {
					time.Sleep(step.after)
					if i == 0 {
						rang = time.Now()
					}
					p.urc(step.says)
				}
				time.Sleep(20 * time.Second)
				if got := s.callers(); !slices.Equal(got, test.callers) {
					t.Fatalf("calls from %q, want %q", got, test.callers)
				}
				if len(s.calls) > 0 && (!s.calls[0].At.Equal(rang) || s.origins[0] != peerOrigin(4)) {
					t.Errorf("call at %v, rang at %v; origin %+v", s.calls[0].At, rang, s.origins[0])
				}
				if p.count("AT+CHUP")+p.count("ATH") != 0 || p.count("AT+CLIP=1") != 1 {
					t.Errorf("dialogue %q", p.heard())
				}
				if _, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil {
					t.Errorf("Submit: %v", err)
				}
			})
		})
	}
}

// A call that came just before the session ended is told, and one that the store does not take at
// first is told later, once.
func TestCallIsNotLost(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		tries := 0
		s := &sink{answer: func(modem.Call) error {
			if tries++; tries < 3 {
				return errors.New("disk full")
			}
			return nil
		}}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		p.urc(ring + clip)
		time.Sleep(time.Minute)
		if got := s.callers(); !slices.Equal(got, []string{"+491701234567"}) || tries != 3 {
			t.Errorf("calls %q after %d tries", got, tries)
		}
		p.urc(ring)
		synctest.Wait()
		p.hangUp(nil)
		time.Sleep(time.Second)
		if got := s.callers(); !slices.Equal(got, []string{"+491701234567", ""}) {
			t.Errorf("calls %q", got)
		}
	})
}

// A store that takes no calls does not keep reports from it.
func TestCallHoldsNothingBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, s := newPeer(), &sink{answer: func(modem.Call) error { return errors.New("no room for calls") }}
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		p.urc(ring + clip + cds(7))
		time.Sleep(20 * time.Second)
		if got := s.references(); !slices.Equal(got, []int{7}) || len(s.calls) != 0 {
			t.Errorf("reports %v, %d calls", got, len(s.calls))
		}
	})
}

// Hung up where that is wanted, after the number is known, by whichever command the dongle has.
func TestHangUp(t *testing.T) {
	for name, chup := range map[string]string{"CHUP": ok(), "ATH": refused} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				p, s := newPeer(), &sink{}
				p.answer("+CHUP", chup)
				p.answer("H", ok())
				w := start(t, modem.Config{Open: p.open, Sink: s, HangUp: true})
				ready(t, w)
				p.urc(ring)
				synctest.Wait()
				if p.count("AT+CHUP") != 0 {
					t.Error("hung up before the number is known")
				}
				p.urc(clip)
				synctest.Wait()
				want := 0
				if chup == refused {
					want = 1
				}
				if p.count("AT+CHUP") != 1 || p.count("ATH") != want || len(s.calls) != 1 {
					t.Errorf("%d calls, dialogue %q", len(s.calls), p.heard())
				}
				p.urc(ring + clip) // it rings on: once more, and no second call
				synctest.Wait()
				if p.count("AT+CHUP") != 2 || len(s.calls) != 1 {
					t.Errorf("%d calls, dialogue %q", len(s.calls), p.heard())
				}
			})
		})
	}
	bubble(t, func(t *testing.T) { // not within a submission
		p, s := newPeer(), &sink{}
		p.sent = func(n int) string {
			p.urc(ring + clip + "\r\nNO CARRIER\r\n")
			time.Sleep(10 * time.Second)
			return ok("+CMGS: " + itoa(n))
		}
		w := start(t, modem.Config{Open: p.open, Sink: s, HangUp: true})
		ready(t, w)
		if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 0 {
			t.Errorf("Submit = %d, %v", mr, err)
		}
		synctest.Wait()
		if got := s.callers(); !slices.Equal(got, []string{"+491701234567"}) {
			t.Errorf("calls %q", got)
		}
		if heard := p.heard(); !strings.HasSuffix(heard[slices.Index(heard, "AT+CHUP")-1], "^Z") {
			t.Errorf("dialogue %q", heard)
		}
	})
}

// The simulated dongle rings until it is hung up.
func TestVirtualCall(t *testing.T) {
	for name, hangUp := range map[string]bool{"rings out": false, "hung up": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				d, s := dongle(t, virtual.Options{}), &sink{}
				w := start(t, modem.Config{Open: d.Open, Sink: s, HangUp: hangUp})
				ready(t, w)
				if err := d.Call("+491701234567"); err != nil {
					t.Fatal(err)
				}
				settle(30 * time.Second)
				if got := s.callers(); !slices.Equal(got, []string{"+491701234567"}) {
					t.Errorf("calls %q", got)
				}
				if err := d.Call("+491701234567"); (err == nil) != hangUp {
					t.Errorf("another call: %v", err)
				}
				d.EndCall()
				settle(time.Second)
			})
		})
	}
}
