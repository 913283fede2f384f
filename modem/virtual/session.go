package virtual

import (
	"io"
	"time"
)

// Control characters of the AT interface (ITU-T T.50).
const (
	bs  = 0x08
	lf  = 0x0a
	cr  = 0x0d
	sub = 0x1a // Ctrl-Z
	esc = 0x1b
)

// maxLine bounds a command line and maxPDU the hex digits after a prompt: SCA and TPDU are at
// most 12+164 octets, the rest is room for a TE that is wrong.
const (
	maxLine = 1024
	maxPDU  = 1024
)

// session is one opening of the port: the engine that reads octets and answers them. Its fields
// belong to the engine goroutine unless said otherwise; the engine works with Dongle.mu held.
type session struct {
	d    *Dongle
	id   int // counts from 1 over the life of the dongle
	out  *wire
	hang func(error)   // ends the stream below; called once, under Dongle.mu
	done chan struct{} // closed when nobody listens any more; guarded by Dongle.mu
	gone bool          // done is closed; guarded by Dongle.mu
	end  error         // why the dongle hung up; guarded by Dongle.mu

	answer   []byte // what goes out with the next flush
	state    inputState
	line     []byte   // command line after AT
	last     string   // for A/
	entry    entry    // the PDU being entered
	informed bool     // a line of information was sent since the last final result
	after    []func() // what the network answers once the command line has its final result
}

// inputState says how the next octet is read.
type inputState uint8

const (
	idle      inputState = iota // before AT; anything else is noise
	gotA                        // after A
	inCommand                   // after AT
	inEntry                     // after the prompt
)

// entry is the PDU of a +CMGS between the prompt and Ctrl-Z.
type entry struct {
	length int // octets of the TPDU as +CMGS announced
	hex    []byte
	tooBig bool
}

func newSession(d *Dongle, id int, out *wire, hang func(error)) *session {
	return &session{d: d, id: id, out: out, hang: hang, done: make(chan struct{})}
}

// run is the engine goroutine: it returns when the stream ends or the dongle hung up.
func (s *session) run(r io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		s.d.lock()
		for _, c := range buf[:n] {
			if s.end != nil {
				break
			}
			s.octet(c)
		}
		s.flush()
		if err != nil {
			s.leave()
		}
		over := s.gone && (err != nil || s.end != nil)
		s.d.unlock()
		if over {
			return
		}
	}
}

// octet takes one octet from the TE.
func (s *session) octet(c byte) {
	set := &s.d.settings
	if s.d.chatter.dead {
		return
	}
	if set.echo || s.state == inEntry && s.d.opts.Quirks.EchoEntry && c != sub {
		s.answer = append(s.answer, c)
	}
	switch s.state {
	case inEntry:
		s.entryOctet(c)
	case inCommand:
		s.commandOctet(c)
	case gotA:
		s.state = idle
		switch c {
		case 'T', 't':
			s.state, s.line = inCommand, s.line[:0]
		case 'A', 'a':
			s.state = gotA
		case '/': // V.250 5.2.4: repeat, without waiting for S3
			s.execute(s.last)
		}
	case idle:
		if c == 'A' || c == 'a' {
			s.state = gotA
		}
	}
}

func (s *session) commandOctet(c byte) {
	switch set := &s.d.settings; {
	case c == set.s3:
		s.state = idle
		if len(s.line) > maxLine {
			s.final(errSyntax)
			return
		}
		s.last = string(s.line)
		s.execute(s.last)
	case c == set.s5:
		if len(s.line) > 0 {
			s.line = s.line[:len(s.line)-1]
		}
	case c < ' ', c == 0x7f, len(s.line) > maxLine: // V.250 5.2.2: control characters are ignored
	default:
		s.line = append(s.line, c)
	}
}

// entryOctet takes one octet after the prompt (27.005 3.5.1, PDU mode).
func (s *session) entryOctet(c byte) {
	e := &s.entry
	switch {
	case c == sub:
		s.endEntry()
		s.submit()
	case c == esc:
		s.endEntry()
		s.final(nil)
	case c == s.d.settings.s5:
		if len(e.hex) > 0 {
			e.hex = e.hex[:len(e.hex)-1]
		}
	case c == cr, c == lf: // a TE that ends its command line with CR LF sends the LF here
	case len(e.hex) >= maxPDU:
		e.tooBig = true
	default:
		e.hex = append(e.hex, c)
	}
}

func (s *session) beginEntry(length int) {
	s.entry = entry{length: length, hex: s.entry.hex[:0]}
	s.state = inEntry
	s.d.reserveLink(true)
}

func (s *session) endEntry() {
	s.state = idle
	s.d.reserveLink(false)
}

// flush sends the answer as one write. An answer nobody waits for any more is lost, as on a line.
func (s *session) flush() {
	if len(s.answer) > 0 {
		s.out.push(s.answer)
		s.answer = s.answer[:0]
	}
}

// sleep sends what there is and lets time pass with mu free. It returns early when the port is
// closed or hung up; false means that the engine must not answer any more.
func (s *session) sleep(delay time.Duration) bool {
	if delay <= 0 {
		return s.end == nil
	}
	s.flush()
	s.d.unlock()
	t := time.NewTimer(delay)
	select {
	case <-t.C:
	case <-s.done:
		t.Stop()
	}
	s.d.lock()
	return s.end == nil
}

// afterwards runs f, with mu held, when the command line has its final result.
func (s *session) afterwards(f func()) { s.after = append(s.after, f) }

// unlocked runs a callback of the dongle's owner with mu free.
func (s *session) unlocked(f func()) {
	s.d.unlock()
	f()
	s.d.lock()
}

// hangUp ends the session from the dongle's side. mu is held.
func (s *session) hangUp(reason error) {
	if s.end != nil {
		return
	}
	s.end = reason
	s.leave()
	s.out.close(reason)
	s.hang(reason)
}

// leave gives up the port: nobody listens. mu is held.
func (s *session) leave() {
	if s.d.session == s {
		s.d.session = nil
		s.d.reserveLink(false)
	}
	if !s.gone {
		s.gone = true
		close(s.done)
	}
}

// portClosed is told by the cable that the TE closed its end.
func (s *session) portClosed() {
	s.d.lock()
	defer s.d.unlock()
	s.leave()
}

// reason is why the dongle hung up, nil when the TE closed the port.
func (s *session) reason() error {
	s.d.lock()
	defer s.d.unlock()
	return s.end
}
