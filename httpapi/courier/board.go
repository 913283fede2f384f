package courier

import (
	"cmp"
	"container/heap"
	"sync"
	"time"
)

const (
	// maxBusy bounds the requests under way, maxPerHost those to one host, maxIll those to hosts that were
	// found unreachable last, which may each take as long as a try may.
	maxBusy    = 16
	maxPerHost = 4
	maxIll     = maxBusy / 2
)

// board is what is pending, and what of it may be tried.
type board struct {
	mu    sync.Mutex
	hosts map[string]*host
	lines map[string]*line
	// busy are the tries under way, ill those that count against maxIll.
	busy, ill int
	// turns counts the tries there were.
	turns uint64
}

// entry is a pending callback.
type entry struct {
	seq uint64
	// due is when it may be tried, on the courier's clock.
	due  time.Duration
	host *host
	line *line
	// ill says that its try counts against maxIll.
	ill bool
}

// host is a receiver. It is there while anything is pending for it.
type host struct {
	name string
	// ready are those of its callbacks that wait for nothing but their time.
	ready byDue
	// pending counts all of them, busy those that are being tried.
	pending, busy int
	// ill says that it was found unreachable last.
	ill bool
	// turn is when its last try was, as board.turns has it.
	turn uint64
}

// line is the callbacks of one, in their order. It is there while it has any.
type line struct {
	name    string
	waiting []*entry
}

func newBoard() *board { return &board{hosts: map[string]*host{}, lines: map[string]*line{}} }

// add puts up a callback behind those of its line.
func (b *board) add(seq uint64, hostName, lineName string, due time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := b.hosts[hostName]
	if h == nil {
		h = &host{name: hostName}
		b.hosts[hostName] = h
	}
	h.pending++
	e := &entry{seq: seq, due: due, host: h}
	if lineName == "" {
		heap.Push(&h.ready, e)
		return
	}
	l := b.lines[lineName]
	if l == nil {
		l = &line{name: lineName}
		b.lines[lineName] = l
	}
	e.line, l.waiting = l, append(l.waiting, e)
	if len(l.waiting) == 1 {
		heap.Push(&h.ready, e)
	}
}

// take takes down what is to be tried now. Otherwise there is none, and wait is how long it is until
// there may be; negative if that depends on what else happens.
func (b *board) take(now time.Duration) (e *entry, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait = -1
	if b.busy == maxBusy {
		return nil, wait
	}
	var best *host
	for _, h := range b.hosts {
		if len(h.ready) == 0 || h.busy == maxPerHost || h.ill && b.ill == maxIll {
			continue
		}
		if d := h.ready[0].due - now; d > 0 {
			if wait < 0 || d < wait {
				wait = d
			}
		} else if best == nil || h.before(best) {
			best = h
		}
	}
	if best == nil {
		return nil, wait
	}
	return b.begin(best), 0
}

// before says that h has its turn before o.
func (h *host) before(o *host) bool {
	return cmp.Or(cmp.Compare(h.busy, o.busy), cmp.Compare(h.turn, o.turn), compareDue(h.ready[0], o.ready[0])) < 0
}

func (b *board) begin(h *host) *entry {
	e := heap.Pop(&h.ready).(*entry)
	b.turns++
	h.turn, e.ill = b.turns, h.ill
	h.busy, b.busy = h.busy+1, b.busy+1
	if e.ill {
		b.ill++
	}
	return e
}

// release ends a try.
func (b *board) release(e *entry) {
	e.host.busy, b.busy = e.host.busy-1, b.busy-1
	if e.ill {
		b.ill--
	}
}

// again ends the try of a callback that is to be tried again.
func (b *board) again(e *entry, due time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release(e)
	e.due = due
	heap.Push(&e.host.ready, e)
}

// remove ends the try of a callback that has ended, and lets the next one of its line go.
func (b *board) remove(e *entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release(e)
	if e.host.pending--; e.host.pending == 0 {
		delete(b.hosts, e.host.name)
	}
	l := e.line
	if l == nil {
		return
	}
	l.waiting[0] = nil
	if l.waiting = l.waiting[1:]; len(l.waiting) == 0 {
		delete(b.lines, l.name)
		return
	}
	heap.Push(&l.waiting[0].host.ready, l.waiting[0])
}

// found learns how a host is, and says whether that is new.
func (b *board) found(e *entry, ill bool) (changed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed, e.host.ill = e.host.ill != ill, ill
	return changed
}

// byDue is a heap (container/heap).
type byDue []*entry

func (q byDue) Len() int           { return len(q) }
func (q byDue) Less(i, j int) bool { return compareDue(q[i], q[j]) < 0 }
func (q byDue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *byDue) Push(e any)        { *q = append(*q, e.(*entry)) }

func (q *byDue) Pop() any {
	old := *q
	last := len(old) - 1
	e := old[last]
	old[last], *q = nil, old[:last]
	return e
}

func compareDue(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.seq, b.seq))
}
