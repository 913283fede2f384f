package modem_test

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
)

// More traps of package at: those that lie in the port, and in what is written to it.

// A stuck port is a line on which writing blocks until it is closed.
type stuckPort struct {
	net.Conn
	once sync.Once
	end  chan struct{}
}

func (p *stuckPort) Write(b []byte) (int, error) {
	if strings.HasPrefix(string(b), "AT+CMGS") {
		<-p.end
		return 0, net.ErrClosed
	}
	return p.Conn.Write(b)
}

func (p *stuckPort) Close() error {
	p.once.Do(func() { close(p.end) })
	return p.Conn.Close()
}

// The library's time-outs do not cover writing: a modem that does not read blocks it for ever.
func TestTrapWriteThatBlocks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		open := func(ctx context.Context) (io.ReadWriteCloser, error) {
			c, err := p.open(ctx)
			if err != nil || p.sessions > 1 {
				return c, err
			}
			return &stuckPort{Conn: c.(net.Conn), end: make(chan struct{})}, nil
		}
		w := start(t, modem.Config{Open: open})
		ready(t, w)
		begun := time.Now()
		_, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
		if e := submitError(t, err); e.Submitted || e.Fault.Action != modem.ModemFault {
			t.Fatalf("%+v", e)
		}
		if took := time.Since(begun); took != 10*time.Second {
			t.Fatalf("gave up after %v", took)
		}
		ready(t, w)
		if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 250 {
			t.Fatalf("in the next session: %d, %v", mr, err)
		}
	})
}

// An impatientPort has a read time-out, at which Read gives nothing and no error.
type impatientPort struct {
	net.Conn
	wait time.Duration
}

func (p *impatientPort) Read(b []byte) (int, error) {
	p.SetReadDeadline(time.Now().Add(p.wait))
	n, err := p.Conn.Read(b)
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return n, nil
	}
	return n, err
}

// After 100 reads without an octet the library closes itself.
func TestTrapEmptyReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		open := func(ctx context.Context) (io.ReadWriteCloser, error) {
			c, err := p.open(ctx)
			return &impatientPort{c.(net.Conn), 10 * time.Millisecond}, err
		}
		w := start(t, modem.Config{Open: open})
		ready(t, w)
		time.Sleep(14 * time.Second) // 1400 empty reads
		if mr, err := w.Submit(t.Context(), segment(t, "x"), false, nil); err != nil || mr != 250 || p.sessions != 1 {
			t.Fatalf("Submit = %d, %v in session %d", mr, err, p.sessions)
		}
	})
}

type panickingPort struct{ net.Conn }

func (p *panickingPort) Read([]byte) (int, error) { panic("index out of range [17] with length 16") }

// A panic in Read, in the library's own goroutine, kills the process.
func TestTrapPanicInRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		open := func(ctx context.Context) (io.ReadWriteCloser, error) {
			c, err := p.open(ctx)
			if p.sessions == 1 {
				c = &panickingPort{c.(net.Conn)}
			}
			return c, err
		}
		s := &sink{}
		w := start(t, modem.Config{Open: open, Sink: s})
		ready(t, w)
		if p.sessions != 2 {
			t.Fatalf("%d sessions", p.sessions)
		}
		if !slices.Contains(s.states(), modem.StateLost) {
			t.Fatalf("states %v", s.states())
		}
	})
}

// The library writes what it is given: a PIN or a number with a line end would be a command.
func TestTrapInjection(t *testing.T) {
	for _, bad := range []string{"1234\"\r\nAT+CMGD=1,4", "12\x1a34", "12\x1b34", "1234\r"} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			p.answer("+CPIN?", ok("+CPIN: SIM PIN"))
			w := start(t, modem.Config{Open: p.open, PIN: bad})
			time.Sleep(time.Second)
			synctest.Wait()
			if st := w.Status(); st.State != modem.StateNeedsPIN || st.Problem != modem.ProblemPINNeeded {
				t.Errorf("PIN %q: %+v", bad, st)
			}
			if n := p.count("AT+CPIN=") + p.count("AT+CMGD"); n != 0 {
				t.Errorf("PIN %q was written", bad)
			}
		})
	}
	for _, bad := range []string{"+49171\"\r\nAT+CMGD=1,4", "+49\x1a", "+49\x1b", "0171\r\n"} {
		bubble(t, func(t *testing.T) {
			p := newPeer()
			w := start(t, modem.Config{Open: p.open, SMSC: bad})
			time.Sleep(time.Second)
			synctest.Wait()
			if st := w.Status(); st.Problem != modem.ProblemSMSC {
				t.Errorf("SMSC %q: %+v", bad, st)
			}
			if n := p.count("AT+CSCA=") + p.count("AT+CMGD"); n != 0 {
				t.Errorf("SMSC %q was written", bad)
			}
		})
	}
}

// The library sends a LF after the CR, which aborts a command that takes its time (V.250 5.6.1).
func TestTrapNoOctetAfterCR(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := newPeer()
		w := start(t, modem.Config{Open: p.open})
		ready(t, w)
		for _, line := range p.heard() {
			if strings.ContainsRune(line, '\n') {
				t.Fatalf("a LF in %q", line)
			}
		}
	})
}

// A store that hangs holds the port back instead of filling the memory.
func TestTrapReportsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stuck := make(chan struct{})
		s := &sink{store: func(pdu.Report) error { <-stuck; return nil }}
		p := newPeer()
		w := start(t, modem.Config{Open: p.open, Sink: s})
		ready(t, w)
		var said atomic.Int32
		go func() {
			for i := range 5000 {
				p.urc(cds(i % 256))
				said.Add(1)
			}
		}()
		synctest.Wait()
		if n := said.Load(); n < 1000 || n > 1100 {
			t.Errorf("the modem could say %d reports to a store that hangs", n)
		}
		close(stuck)
		time.Sleep(time.Second)
		if n := len(s.references()); n != 5000 {
			t.Errorf("%d reports of 5000", n)
		}
	})
}

// An answer that is held back behind the reports misses its deadline, which frees everybody.
func TestTrapHeldBackPortDoesNotDeadlock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		stuck := make(chan struct{})
		s := &sink{store: func(pdu.Report) error { <-stuck; return nil }}
		d := dongle(t, virtual.Options{})
		w := start(t, modem.Config{Open: d.Open, Sink: s})
		ready(t, w)
		for i := range 3000 {
			d.URC("+CDS: 25\r\n" + statusReport(i%256))
		}
		synctest.Wait()
		begun := time.Now()
		_, err := w.Submit(t.Context(), segment(t, "x"), false, nil)
		if e := submitError(t, err); e.Submitted || time.Since(begun) != 10*time.Second {
			t.Errorf("%v after %v", e, time.Since(begun))
		}
		close(stuck)
		time.Sleep(5 * time.Second)
		ready(t, w)
		if n := len(s.references()); n < 1024 {
			t.Errorf("%d reports of those that had come", n)
		}
	})
}
