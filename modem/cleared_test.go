package modem_test

import (
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
)

// The PDU leaves after cleared returned nil, which is called once, at the prompt.
func TestCleared(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		calls := 0
		mr, err := w.Submit(t.Context(), segment(t, "x"), false, func() error {
			calls++
			if p.count("AT+CMGS=") != 1 {
				t.Error("cleared before the dongle was asked")
			}
			time.Sleep(9 * time.Second) // a slow disk
			synctest.Wait()
			if len(p.bodies()) != 0 {
				t.Error("the PDU left before it was cleared")
			}
			return nil
		})
		if err != nil || mr != 250 || calls != 1 {
			t.Fatalf("Submit = %d, %v; cleared %d times", mr, err, calls)
		}
	})
}

// An error of cleared holds the PDU back, and the dongle is usable again at once.
func TestClearedRefuses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		full := errors.New("disk full")
		_, err := w.Submit(t.Context(), segment(t, "x"), false, func() error { return full })
		if e := submitError(t, err); e.Submitted || !errors.Is(err, full) || e.Fault.Action != modem.Transient {
			t.Fatalf("%+v", e)
		}
		time.Sleep(2 * time.Second)
		ready(t, w)
		if mr, err := w.Submit(t.Context(), segment(t, "y"), false, nil); err != nil || mr != 251 {
			t.Fatalf("the next one: %d, %v", mr, err)
		}
		if got := p.bodies(); !slices.Equal(got, []string{segment(t, "y").Hex()}) {
			t.Fatalf("PDUs %q", got)
		}
	})
}

// What ends the dialogue before the PDU is cleared: it then stays here.
func TestClearedTooLate(t *testing.T) {
	t.Run("a final result", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			_, err := w.Submit(t.Context(), segment(t, "x"), false, func() error {
				io.WriteString(p.line, "\r\n+CMS ERROR: 332\r\n") // it did not want to wait
				synctest.Wait()
				return nil
			})
			if e := submitError(t, err); e.Submitted || e.Fault.Code != 332 || e.Fault.Action != modem.Transient {
				t.Fatalf("%+v", e)
			}
		})
	})
	t.Run("a disk that hangs", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			_, err := w.Submit(t.Context(), segment(t, "x"), false, func() error {
				time.Sleep(time.Minute)
				return nil
			})
			if e := submitError(t, err); e.Submitted || e.Fault.Action != modem.ModemFault || len(p.bodies()) != 0 {
				t.Fatalf("%+v, PDUs %q", e, p.bodies())
			}
		})
	})
	t.Run("no prompt", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.prompt = func(int) string { return refused }
			w := start(t, modem.Config{Open: p.open})
			ready(t, w)
			_, err := w.Submit(t.Context(), segment(t, "x"), false, func() error {
				t.Error("cleared without a prompt")
				return nil
			})
			if submitError(t, err).Submitted {
				t.Fatal(err)
			}
		})
	})
}
