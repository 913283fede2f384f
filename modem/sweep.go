package modem

import (
	"slices"
	"time"
)

const (
	// sweepAgain is the least time from one search of all memories to the next.
	sweepAgain = 10 * time.Second
	// listTimeout bounds the answer to +CMGL: a full memory of some dongles takes that long.
	listTimeout = 60 * time.Second
	// unknownTotal is how many places are read of a memory that does not tell how many it has.
	unknownTotal = 50
)

// slotwise is a search place by place.
type slotwise struct {
	memory string // empty: none
	// next is the place to be read, last the last one, and rest how many are still to be found.
	next, last, rest int
}

// Sweep has the memories of the dongle searched soon, for what it never told of; without a session that
// happens anyway when the next one begins. It does not wait.
func (w *Worker) Sweep() {
	s := w.live.Load()
	if s == nil {
		return
	}
	s.stored.mu.Lock()
	s.stored.full = true
	s.stored.mu.Unlock()
	signal(s.stored.wake)
}

// beginSweep has all memories searched.
func (s *session) beginSweep() error {
	l := s.stored
	s.unswept = false
	l.sweptAt = time.Now()
	l.sweeps++
	if l.home == nil { // the first time, or the SIM was too busy to tell
		if err := s.memories(); err != nil {
			return err
		}
	}
	l.todo = slices.Clone(l.names)
	return nil
}

// search lists one memory, and has it read place by place where it cannot be listed.
func (s *session) search() error {
	l := s.stored
	memory := l.todo[0]
	l.todo = l.todo[1:]
	l.chosen = "" // some list what is there only after a choice (T77W968)
	if err := s.choose(memory); err != nil {
		if r, refused := asRefusal(err); refused && r.fault.Action == Transient {
			s.unswept = true // the SIM is still being read
		}
		return unlessRefused(err)
	}
	slots, listed, err := s.list(memory)
	if err != nil {
		return err
	}
	ours := 0
	for _, slot := range slots {
		got := slot.letter(memory, false)
		if got == nil {
			continue
		}
		ours++
		if !slot.whole() { // see read
			l.tell(urc{kind: urcStored, text: memory, index: slot.index, report: got.report != nil})
			continue
		}
		l.find(*got, reportFound)
	}
	m, known := s.storage(memory)
	if _, swept := l.left[memory]; ours > 0 || !swept {
		l.left[memory] = max(m.Used-ours, 0)
	}
	switch {
	case known && m.Used > 0 && len(slots) == 0:
		l.single = slotwise{memory: memory, last: m.Total, rest: m.Used}
	case !known && !listed:
		l.single = slotwise{memory: memory, last: unknownTotal, rest: unknownTotal}
	}
	return nil
}

// list asks for all that the chosen memory holds; listed is false where that is refused, or was
// met with silence before.
func (s *session) list(memory string) (slots []slot, listed bool, err error) {
	const all = "+CMGL=4" // received and own, new and old (TS 27.005 section 4.1)
	silent := all + " in " + memory
	if s.w.muted(silent) {
		return nil, false, nil
	}
	lines, err := s.command(all, want{prefix: "+CMGL", bare: barePDU}, listTimeout)
	s.w.noteSilence(silent, err)
	if inTextMode(lines) {
		return nil, false, leftPDUMode()
	}
	return parseSlots(lines, 0), err == nil, unlessRefused(err)
}

// readNext reads one place of a memory that cannot be listed. Places are counted from 0 or from 1.
func (s *session) readNext() error {
	l := s.stored
	w := &l.single
	silent := "+CMGR in " + w.memory
	p := place{w.memory, w.next}
	if w.next > w.last || w.rest == 0 || s.w.muted(silent) {
		l.single = slotwise{}
		return nil
	}
	w.next++
	got, err := s.read(p, false, reportFound)
	s.w.noteSilence(silent, err)
	if got != nil {
		w.rest--
		l.left[p.memory] = max(l.left[p.memory]-1, 0)
	}
	return unlessRefused(err)
}
