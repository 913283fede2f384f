package modem

import (
	"sync"
	"time"
)

// A TraceLine is one line of the dialogue with a dongle.
type TraceLine struct {
	At time.Time
	// Sent says that we said it; otherwise the dongle did. A Text that begins with "# " is neither's
	// but a remark on what was done to the dongle.
	Sent bool
	// Text is the line without its end; octets that do not print are written \xNN.
	Text string
}

const (
	// ringLines is how much of the dialogue is kept: some twenty messages, or an hour of silence.
	ringLines = 400
	// ringLine bounds a line in octets. A PDU of SMS-SUBMIT has 350 digits.
	ringLine = 512
)

// A ring keeps the last lines of the dialogue with a dongle, over its sessions.
type ring struct {
	mu    sync.Mutex
	lines []tracedLine
	next  int // in lines, once it is full
}

// A tracedLine is a line as it was, but for secrets, which are not even kept.
type tracedLine struct {
	at   time.Time
	kind lineKind
	// private says that the line is somebody's text, whatever it looks like.
	private bool
	text    []byte
}

type lineKind uint8

const (
	heard lineKind = iota
	said
	remark
)

// add keeps a copy of text.
func (r *ring) add(kind lineKind, private bool, text []byte) {
	text = text[:min(len(text), ringLine)]
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) < ringLines {
		r.lines = append(r.lines, tracedLine{})
	}
	line := &r.lines[r.next]
	line.at, line.kind, line.private = time.Now(), kind, private
	line.text = append(line.text[:0], text...)
	r.next = (r.next + 1) % ringLines
}

// last are the last n lines, oldest first.
func (r *ring) last(n int, texts bool) []TraceLine {
	r.mu.Lock()
	defer r.mu.Unlock()
	n = min(n, len(r.lines))
	list := make([]TraceLine, n)
	for i := range list {
		line := &r.lines[(r.next-n+i+ringLines)%ringLines]
		list[i] = TraceLine{At: line.at, Sent: line.kind == said, Text: line.show(texts)}
	}
	return list
}
