package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"dongled/modem"
)

// A dialogue is one conversation over an open port. Its goroutines are the reader, which ends when
// the port is closed, and at the end the one that closes it.
type dialogue struct {
	ctx    context.Context // ends the conversation
	cancel context.CancelFunc
	port   io.ReadWriteCloser
	lines  chan string   // closed by the reader
	gone   chan struct{} // closed when the port is closed and nobody reads it

	nmea bool // a line of NMEA 0183 was heard
}

// errSilent is a question without an answer.
var errSilent = errors.New("no answer")

// openWithin is open bounded by ctx, although an open(2) of a device that is about to leave may
// hang. A port that comes too late is closed.
func openWithin(ctx context.Context, open modem.Opener) (io.ReadWriteCloser, error) {
	type result struct {
		port io.ReadWriteCloser
		err  error
	}
	opened := make(chan result)
	go func() {
		port, err := open(ctx)
		select {
		case opened <- result{port, err}:
		case <-ctx.Done():
			if err == nil {
				_ = port.Close() // nobody wants it any more
			}
		}
	}()
	select {
	case r := <-opened:
		return r.port, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// converse begins a dialogue that ends with ctx; closing the port frees a Write that waits.
func converse(ctx context.Context, port io.ReadWriteCloser) *dialogue {
	d := &dialogue{port: port, lines: make(chan string), gone: make(chan struct{})}
	d.ctx, d.cancel = context.WithCancel(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(d.lines)
		d.read()
	}()
	context.AfterFunc(d.ctx, func() {
		defer close(d.gone)
		_ = d.port.Close() // whatever it says, we are done with it
		<-read
	})
	return d
}

// end closes the port. The kernel waits up to 30 s for a dongle to take what was written to it
// (closing_wait of its tty), so a Close that lasts is left behind: the port stays busy until then.
func (d *dialogue) end() {
	d.cancel()
	patience := time.NewTimer(closeTime)
	defer patience.Stop()
	select {
	case <-d.gone:
	case <-patience.C:
	}
}

// maxLine is what is kept of a line; all that are of use are shorter.
const maxLine = 256

// read passes on lines without their ends. CR and LF both end one, and empty ones are nothing.
func (d *dialogue) read() {
	buf, line := make([]byte, 1024), make([]byte, 0, maxLine)
	for {
		n, err := d.port.Read(buf)
		for _, c := range buf[:n] {
			switch {
			case c != '\r' && c != '\n':
				if len(line) < maxLine {
					line = append(line, c)
				}
				continue
			case len(bytes.TrimSpace(line)) == 0:
				line = line[:0]
				continue
			}
			select {
			case d.lines <- strings.TrimSpace(string(line)):
			case <-d.ctx.Done():
				return
			}
			line = line[:0]
		}
		if err != nil {
			return
		}
	}
}

// next is the next line; ok is false when limit has passed.
func (d *dialogue) next(limit <-chan time.Time) (line string, ok bool, err error) {
	select {
	case line, more := <-d.lines:
		if !more {
			return "", false, d.lost(io.ErrUnexpectedEOF)
		}
		d.nmea = d.nmea || isNMEA(line)
		return line, true, nil
	case <-limit:
		return "", false, nil
	case <-d.ctx.Done():
		return "", false, errSilent
	}
}

// lost is the error of a port that failed, unless we closed it because the time was over.
func (d *dialogue) lost(err error) error {
	if d.ctx.Err() != nil {
		return errSilent
	}
	return err
}

// A reply is what came between a command and its final result, URCs among it.
type reply struct {
	lines []string
	final string
}

// maxReply bounds the lines of a reply; the answers we look for have one.
const maxReply = 32

// exchange says a line and waits for a final result; a reply without one is silence.
func (d *dialogue) exchange(said string, limit time.Duration) (reply, error) {
	var r reply
	if _, err := d.port.Write([]byte(said)); err != nil {
		return r, d.lost(err)
	}
	patience := time.NewTimer(limit)
	defer patience.Stop()
	for {
		line, ok, err := d.next(patience.C)
		switch {
		case err != nil || !ok:
			return r, err
		case isFinal(line):
			r.final = line
			return r, nil
		case len(r.lines) < maxReply:
			r.lines = append(r.lines, line)
		}
	}
}

// wake repeats AT until it is answered. From the second time on it begins with ESC, which ends a
// prompt for a message that a program before us may have left (TS 27.005 section 3.5.1): there AT
// would be taken for the message. Then it waits for answers that come late.
func (d *dialogue) wake() error {
	said := "AT\r"
	for range wakeTries {
		r, err := d.exchange(said, wakeTime)
		if err != nil {
			return err
		}
		if r.final == "OK" {
			return d.settle()
		}
		said = "\x1b\rAT\r"
	}
	return errSilent
}

// settle lets answers pass that nobody waits for any more.
func (d *dialogue) settle() error {
	patience := time.NewTimer(quiet)
	defer patience.Stop()
	for {
		line, ok, err := d.next(patience.C)
		if err != nil || !ok {
			return err
		}
		if isFinal(line) {
			patience.Reset(quiet)
		}
	}
}

// ask issues a command that the dongle need not know. After one that is not ended, as AT+CPIN? by some
// of Wavecom, it makes sure that nothing which comes late is taken for the next one's.
func (d *dialogue) ask(cmd string) (reply, error) {
	r, err := d.exchange(cmd+"\r", queryTime)
	if err == nil && r.final == "" {
		return r, d.wake()
	}
	return r, err
}

func (d *dialogue) pause(t time.Duration) error {
	patience := time.NewTimer(t)
	defer patience.Stop()
	for {
		if _, ok, err := d.next(patience.C); err != nil || !ok {
			return err
		}
	}
}
