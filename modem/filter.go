package modem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// A filter sits between the port and package at. Towards at it lets through only what answers
// the command in progress; everything else goes to urc. It closes the port when a deadline
// passes, so that an answer that comes later can never meet another command.
type filter struct {
	port  io.ReadWriteCloser
	trace *tracer
	// urc takes each URC, whole, in the order in which they came. Only the reader calls it.
	urc func(urc)
	// closing is called once, after the port is closed; it must free urc.
	closing func()

	// in to joiner belong to the goroutine that calls Read.
	in     [1024]byte
	unread []byte // of in
	line   []byte // what came of the present line
	long   bool   // the present line is too long and is being skipped
	out    []byte // for at
	empty  int    // reads in a row that gave nothing
	joiner joiner

	mu       sync.Mutex
	ex       exchange
	timer    *time.Timer
	deadline time.Time
	closed   bool
	cause    error // of closing
}

// maxLine bounds a line. The longest that means something is a PDU with filling, some 700 digits.
const maxLine = 4096

var (
	errDeadline = errors.New("the modem did not answer in time")
	errHungUp   = errors.New("the modem hung up")
	errShut     = errors.New("the session was shut")
	errGate     = errors.New("the PDU was held back")
)

func newFilter(port io.ReadWriteCloser, trace *tracer, take func(urc), closing func()) *filter {
	f := &filter{port: port, trace: trace, urc: take, closing: closing}
	f.timer = time.AfterFunc(time.Hour, f.expire)
	f.timer.Stop()
	return f
}

// phase is how far an exchange has come.
type phase uint8

const (
	idle     phase = iota
	armed          // begun, not yet written: what comes now answers something older
	asked          // the command line is written
	prompted       // AT+CMGS: the prompt came
	handed         // AT+CMGS: the PDU is being written or was
)

// An exchange is one command and its answer.
type exchange struct {
	phase phase
	want  want
	// pdu is what follows the prompt of AT+CMGS, empty for other commands.
	pdu string
	// ctx can hold the PDU back until it is written, and so can cleared, unless nil.
	ctx     context.Context
	cleared func() error
	// heldBack is why ctx or cleared did.
	heldBack error
	// answer is the time allowed from the PDU to the final result.
	answer time.Duration
	// handedOver says that the PDU may have been written to its end, the Ctrl-Z.
	handedOver bool
	// final is the final result in the modem's own words, if it is an error.
	final string
	// headed says that the last line of the answer was one that a bare PDU follows.
	headed bool
}

// begin arms the filter for one exchange, which must end within limit; for AT+CMGS that is the
// time until the prompt.
func (f *filter) begin(ex exchange, limit time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ex.phase = armed
	f.ex = ex
	f.setDeadline(limit)
}

// end is what became of the exchange.
func (f *filter) end() exchange {
	f.mu.Lock()
	defer f.mu.Unlock()
	ex := f.ex
	f.ex = exchange{}
	f.timer.Stop()
	return ex
}

// setDeadline needs mu.
func (f *filter) setDeadline(limit time.Duration) {
	f.deadline = time.Now().Add(limit)
	f.timer.Reset(limit)
}

// expire runs when the timer fires, which may be late: the deadline may have moved since.
func (f *filter) expire() {
	f.mu.Lock()
	late := f.ex.phase != idle && !time.Now().Before(f.deadline)
	f.mu.Unlock()
	if late {
		f.closeWith(errDeadline)
	}
}

// closeWith closes the port, once; the first cause counts.
func (f *filter) closeWith(cause error) {
	f.mu.Lock()
	first := !f.closed
	if first {
		f.closed, f.cause = true, cause
	}
	f.mu.Unlock()
	if first {
		f.timer.Stop()
		f.port.Close()
		f.closing()
	}
}

// shut closes the port unless a PDU waits for its answer, which would leave the outcome unknown.
func (f *filter) shut() {
	f.mu.Lock()
	open := f.ex.phase == handed
	if !open && f.ex.phase == prompted {
		f.ex.phase = armed // no PDU from here on
	}
	f.mu.Unlock()
	if !open {
		f.closeWith(errShut)
	}
}

func (f *filter) closedBy() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause
}

const (
	ctrlZ = 0x1a
	esc   = 0x1b
)

// Write passes one command line, one PDU or one escape on, as package at writes them.
func (f *filter) Write(p []byte) (int, error) {
	if err := f.admit(p); err != nil {
		return 0, err
	}
	f.trace.sent(p)
	// V.250 lets any octet after the CR abort a command that takes its time, so the LF that at
	// adds stays behind.
	line := bytes.TrimSuffix(p, []byte("\n"))
	n, err := f.port.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		f.takeBack(line, n)
		f.closeWith(fmt.Errorf("%w: %w", errHungUp, err))
		return 0, err
	}
	return len(p), nil
}

// takeBack notes that a PDU did not leave: without its Ctrl-Z the dongle does nothing.
func (f *filter) takeBack(p []byte, written int) {
	if p[len(p)-1] == ctrlZ && written < len(p) {
		f.mu.Lock()
		f.ex.handedOver = false
		f.mu.Unlock()
	}
}

// admit says whether p may be written now, and moves the exchange on.
func (f *filter) admit(p []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return f.cause
	case len(p) == 0 || p[0] == esc:
	case p[len(p)-1] == ctrlZ:
		return f.release()
	default:
		f.ex.phase = asked
	}
	return nil
}

// release lets the PDU go once it is cleared. It needs mu, and gives it up meanwhile.
func (f *filter) release() error {
	if f.ex.phase != prompted {
		return errGate
	}
	err, cleared := f.ex.ctx.Err(), f.ex.cleared
	if err == nil && cleared != nil {
		f.setDeadline(promptTimeout) // the modem waits for us, and not for ever
		f.mu.Unlock()
		err = cleared()
		f.mu.Lock()
	}
	switch {
	case f.closed:
		return f.cause
	case f.ex.phase != prompted: // a final result came instead
		return errGate
	case err != nil:
		f.ex.phase, f.ex.heldBack = armed, err
		return errGate
	}
	f.ex.phase, f.ex.handedOver = handed, true
	f.setDeadline(f.ex.answer)
	return nil
}

// Read gives at the next lines that are meant for it. A panic below ends the session, and not
// the daemon, which could not recover it in at's goroutine.
func (f *filter) Read(p []byte) (n int, err error) {
	defer func() {
		if r := recover(); r != nil {
			f.closeWith(fmt.Errorf("%w: reading panicked: %v", errHungUp, r))
			n, err = 0, io.EOF
		}
	}()
	for {
		if len(f.out) > 0 {
			n := copy(p, f.out)
			f.out = f.out[:copy(f.out, f.out[n:])]
			return n, nil
		}
		if len(f.unread) == 0 {
			if err := f.fill(); err != nil {
				return 0, io.EOF
			}
		}
		f.next()
	}
}

// fill waits for more of the port. Empty reads, as a port with a read time-out gives them, only
// go on; should they not even wait, the pause spares the processor.
func (f *filter) fill() error {
	n, err := f.port.Read(f.in[:])
	f.unread = f.in[:n]
	switch {
	case n > 0:
		f.empty = 0
		return nil
	case err != nil:
		f.closeWith(fmt.Errorf("%w: %w", errHungUp, err))
		return err
	}
	if f.empty++; f.empty > 100 {
		time.Sleep(time.Millisecond)
	}
	return f.closedBy()
}

// next takes from unread up to the end of a line or a prompt.
func (f *filter) next() {
	if len(f.line) == 0 && !f.long && f.joiner.quoted == nil {
		// Nothing that begins a line of an answer is below 0x21; line noise is, and the space
		// that may follow a prompt.
		f.unread = bytes.TrimLeftFunc(f.unread, func(r rune) bool { return r <= ' ' || r >= 0x7f })
		if len(f.unread) > 0 && f.unread[0] == '>' && f.takePrompt() {
			f.unread = f.unread[1:]
			return
		}
	}
	i := bytes.IndexAny(f.unread, "\r\n")
	if i < 0 {
		f.append(f.unread)
		f.unread = nil
		return
	}
	f.append(f.unread[:i])
	f.unread = f.unread[i+1:]
	if line := bytes.TrimRight(f.line, " \x1a\x00"); len(line) > 0 && !f.long {
		f.trace.received(line)
		f.take(line)
	}
	f.line, f.long = f.line[:0], false
}

func (f *filter) append(b []byte) {
	if f.long || len(f.line)+len(b) > maxLine {
		f.line, f.long = f.line[:0], true
		return
	}
	f.line = append(f.line, b...)
}

// takePrompt lets one prompt of AT+CMGS through; at would answer a second one with the PDU again.
func (f *filter) takePrompt() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ex.pdu == "" || f.ex.phase != asked {
		return false
	}
	f.ex.phase = prompted
	f.out = append(f.out, '>')
	return true
}
