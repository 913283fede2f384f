package modem_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"dongled/modem"
)

// A breakingPort takes part of the first PDU, and says so by the count alone.
type breakingPort struct {
	net.Conn
	keep int // octets of the PDU that get through; -1 for all but the Ctrl-Z
}

func (p *breakingPort) Write(b []byte) (int, error) {
	if !bytes.HasSuffix(b, []byte{0x1a}) {
		return p.Conn.Write(b)
	}
	n := p.keep
	if n < 0 {
		n = len(b) - 1
	}
	return p.Conn.Write(b[:n])
}

// On a hang-up the serial library's Write returns a short count and no error. A PDU without its
// Ctrl-Z has not left: the message is sent in the next session, and once.
func TestTrapShortWrite(t *testing.T) {
	for _, keep := range []int{0, 10, -1} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			open := func(ctx context.Context) (io.ReadWriteCloser, error) {
				c, err := p.open(ctx)
				if err != nil || p.sessions > 1 {
					return c, err
				}
				return &breakingPort{c.(net.Conn), keep}, nil
			}
			w := start(t, modem.Config{Open: open})
			ready(t, w)
			_, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
			if e := submitError(t, err); e.Submitted || e.Fault.Action != modem.ModemFault {
				t.Fatalf("%d octets written: %+v", keep, e)
			}
			time.Sleep(time.Second)
			ready(t, w)
			if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 251 || len(p.bodies()) != 1 {
				t.Fatalf("in the next session: %d, %v, PDUs %q", mr, err, p.bodies())
			}
		})
	}
}
