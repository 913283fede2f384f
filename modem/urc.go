package modem

import (
	"bytes"
	"strconv"
	"sync"
)

// A urc is an unsolicited result code that concerns us; the rest is noise.
type urc struct {
	kind urcKind
	// text is the PDU of a report in hex, or the memory that holds one.
	text string
	// index is the report's place in that memory.
	index int
	// domain and stat are those of a registration.
	domain domain
	stat   int
}

type urcKind uint8

const (
	urcReport       urcKind = iota + 1 // +CDS with its PDU
	urcStored                          // +CDSI
	urcRegistration                    // +CREG, +CGREG, +CEREG
	urcRestarted                       // the dongle booted and forgot its settings
)

// restarts begin the lines by which dongles say that they booted.
var restarts = [][]byte{[]byte("RDY"), []byte("^SYSSTART"), []byte("*ATREADY"), []byte("+AT: READY")}

func parseURC(line []byte) (urc, bool) {
	for _, r := range restarts {
		if bytes.HasPrefix(line, r) {
			return urc{kind: urcRestarted}, true
		}
	}
	name, args, ok := bytes.Cut(line, []byte(":"))
	switch {
	case !ok:
		return urc{}, false
	case string(name) == "+CDSI":
		index, err := strconv.Atoi(field(string(args), 1))
		return urc{kind: urcStored, text: field(string(args), 0), index: index}, err == nil && index >= 0
	case isRegistration(string(name)) && !isRegistrationAnswer(args):
		stat, err := strconv.Atoi(field(string(args), 0))
		return urc{kind: urcRegistration, domain: domainOf(string(name)), stat: stat}, err == nil
	}
	return urc{}, false
}

// maxURCs bounds the queue of URCs.
const maxURCs = 1024

// A urcQueue keeps URCs in order between the reader and their consumer. A full one holds the
// reader back, so that the port itself does, and never loses a report. That cannot deadlock:
// the consumer waits for the store alone, and a deadline that passes meanwhile closes the port,
// which frees the reader; it then has but a few lines left.
type urcQueue struct {
	mu     sync.Mutex
	change sync.Cond
	items  []urc
	freed  bool // a full queue does not hold the reader back any more
	closed bool
}

func newURCQueue() *urcQueue {
	q := &urcQueue{}
	q.change.L = &q.mu
	return q
}

func (q *urcQueue) push(u urc) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) >= maxURCs && !q.freed {
		q.change.Wait()
	}
	q.items = append(q.items, u)
	q.change.Broadcast()
}

// pop waits for the next URC; ok is false once the queue is closed and empty.
func (q *urcQueue) pop() (u urc, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 && !q.closed {
		q.change.Wait()
	}
	if len(q.items) == 0 {
		return urc{}, false
	}
	u = q.items[0]
	q.items = q.items[1:]
	q.change.Broadcast()
	return u, true
}

// free lets the reader end, whose port is closed.
func (q *urcQueue) free() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.freed = true
	q.change.Broadcast()
}

// close lets the consumer drain the queue and end.
func (q *urcQueue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.change.Broadcast()
}
