package modem

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
)

// A urc is an unsolicited result code that concerns us; the rest is noise.
type urc struct {
	kind urcKind
	// text is a PDU in hex, the memory that holds one, or what follows the name.
	text string
	// index is the place in that memory, or -1: somewhere.
	index int
	// report says that a status report was promised, which may be wrong.
	report bool
	// domain and stat are those of a registration.
	domain domain
	stat   int
}

type urcKind uint8

const (
	urcTPDU         urcKind = iota + 1 // +CDS or +CMT with its PDU
	urcTextMode                        // the same in text mode, which we never asked for
	urcStored                          // +CDSI or +CMTI
	urcFull                            // a memory is full
	urcSettled                         // the SIM can be read from now on
	urcRegistration                    // +CREG, +CGREG, +CEREG
	urcUSSD                            // +CUSD
	urcRing                            // RING, +CRING
	urcCaller                          // +CLIP
	urcUnnamed                         // our own: no +CLIP came
	urcCallEnded                       // NO CARRIER and the like after a RING, or our hanging up
	urcRestarted                       // the dongle booted and forgot its settings
)

// restarts begin the lines by which dongles say that they booted.
var restarts = [][]byte{[]byte("RDY"), []byte("^SYSSTART"), []byte("*ATREADY"), []byte("+AT: READY")}

// settled are the lines by which dongles say that they have read the SIM; Quectel puts "+QIND: "
// before them. Until then some refuse the memories (+CMS ERROR: 314 or 515).
var settled = map[string]bool{"SMS DONE": true, "SMS READY": true, "PB DONE": true}

func parseURC(line []byte) (urc, bool) {
	for _, r := range restarts {
		if bytes.HasPrefix(line, r) {
			return urc{kind: urcRestarted}, true
		}
	}
	upper := strings.ToUpper(string(line))
	if settled[strings.TrimPrefix(upper, "+QIND: ")] {
		return urc{kind: urcSettled}, true
	}
	name, rest, ok := bytes.Cut(line, []byte(":"))
	args := string(rest)
	switch {
	case !ok:
		return urc{}, false
	case string(name) == "+CDSI", string(name) == "+CMTI":
		u := urc{kind: urcStored, text: field(args, 0), index: -1, report: string(name) == "+CDSI"}
		if index, err := strconv.Atoi(field(args, 1)); err == nil && index >= 0 {
			u.index = index
		}
		return u, true
	case string(name) == "^SMMEMFULL", isFull(string(name), upper):
		return urc{kind: urcFull}, true
	case isRegistration(string(name)) && !isRegistrationAnswer(rest):
		stat, err := strconv.Atoi(field(args, 0))
		return urc{kind: urcRegistration, domain: domainOf(string(name)), stat: stat}, err == nil
	}
	return urc{}, false
}

// isFull reads +CIEV: "smsfull",1 (TS 27.007 section 8.10 has it as an indicator) and Quectel's
// +QIND: "smsfull","SM". An indicator that goes back to 0 says that there is room.
func isFull(name, upper string) bool {
	return (name == "+CIEV" || name == "+QIND") && strings.Contains(upper, "SMSFULL") &&
		strings.TrimSpace(upper[strings.LastIndexByte(upper, ',')+1:]) != "0"
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
