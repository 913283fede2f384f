package modem

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"dongled/pdu"
)

// A place is where the dongle keeps something.
type place struct {
	memory string
	index  int
}

// A letter is what was read at a place.
type letter struct {
	place
	arrival
	road reportRoad
}

// stored is what is known of the messages and reports that the dongle keeps. Each goes the same
// way: told or listed → found, that is read → handed on to the Sink → spent → deleted. Nothing is
// deleted while something is left to be read, because on some dongles (SIM600) the parts of a
// concatenated message all go with the first of them.
type stored struct {
	// wake rouses the goroutine of Run.
	wake chan struct{}

	mu   sync.Mutex
	told []urc // of +CMTI and +CDSI, oldest first, each once
	// full asks for a sweep: a memory is full, or no place was told.
	full bool

	// The rest belongs to the goroutine of Run.

	names  []string // of the memories there are
	home   []string // chosen by the dongle for itself; nil if not known
	chosen string   // mem1; empty if not known
	found  []letter // read, to be handed on
	spent  []letter // handed on, to be deleted
	held   []urc    // the Sink did not take them: again at the next tick
	// refusals counts the letters that it did not take in a row.
	refusals int
	todo     []string // memories that the sweep has still to search
	sweeps   int      // begun in this session
	single   slotwise // the search of a memory that cannot be listed
	// left is how much of a memory was in use when all that is ours was out of it.
	left              map[string]int
	sweptAt, lookedAt time.Time
}

func newStored() *stored {
	return &stored{wake: make(chan struct{}, 1), left: make(map[string]int)}
}

// tell notes a place, once, or that a sweep is needed. The consumer of URCs calls it.
func (l *stored) tell(u urc) {
	l.mu.Lock()
	switch {
	case u.kind != urcStored, u.index < 0, !isMemory(u.text), len(l.told) >= maxURCs:
		l.full = true
	case !slices.Contains(l.told, u):
		l.told = append(l.told, u)
	}
	l.mu.Unlock()
	signal(l.wake)
}

// isMemory keeps what a dongle says out of a command where it could mean something else.
func isMemory(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func (l *stored) nextTold() (u urc, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.told) == 0 {
		return urc{}, false
	}
	u = l.told[0]
	l.told = slices.Delete(l.told, 0, 1)
	return u, true
}

func (l *stored) anyTold() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.told) > 0
}

func (l *stored) isTold(p place) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.told, func(u urc) bool { return p == place{u.text, u.index} })
}

// sweepAsked says whether a sweep was asked for, and takes that back.
func (l *stored) sweepAsked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	asked := l.full
	l.full = false
	return asked
}

// errand is the next thing to be done with what the dongle keeps, one or a few commands; nil is
// nothing.
func (s *session) errand() func() error {
	l := s.stored
	s.unswept = l.sweepAsked() || s.unswept
	switch {
	case l.sweptAt.IsZero():
		return s.beginSweep
	case len(l.found) > 0:
		return s.handOn
	case l.anyTold():
		return s.readTold
	case l.single.memory != "":
		return s.readNext
	case len(l.spent) > 0:
		return s.deleteSpent
	case len(l.todo) > 0:
		return s.search
	case s.unswept && time.Since(l.sweptAt) >= sweepAgain:
		return s.beginSweep
	case len(l.home) > 0 && l.chosen != l.home[0]:
		return s.selectHome
	}
	return nil
}

// noteErrands notes the errands that are due by the clock.
func (s *session) noteErrands() {
	l := s.stored
	for _, u := range l.held {
		l.tell(u)
	}
	l.held, l.refusals = nil, 0
	if time.Since(l.sweptAt) >= s.sweepEvery() {
		s.unswept = true
	}
	if len(l.home) > 0 && time.Since(l.lookedAt) >= storageEvery {
		s.check(s.lookAtStorage)
	}
	if time.Since(s.verifiedAt) >= settingsEvery {
		s.check(s.verify)
	}
	signal(l.wake)
}

// readTold reads one place that the dongle told of. A report is looked for elsewhere as well: some
// store in SR but tell of SM. Where nothing is found, the memories are searched.
func (s *session) readTold() error {
	u, ok := s.stored.nextTold()
	if !ok {
		return nil
	}
	memories := []string{u.text}
	if u.report {
		memories = append(memories, "SR", "SM", "ME")
	}
	for i, memory := range memories {
		if slices.Contains(memories[:i], memory) {
			continue
		}
		got, err := s.read(place{memory, u.index}, u.report, reportTold)
		if err = unlessRefused(err); err != nil {
			return err
		}
		if got != nil && (!u.report || got.report != nil) {
			return nil
		}
	}
	s.log.Debug("nothing new where the modem said", "memory", u.text, "index", u.index)
	s.unswept = true
	return nil
}

// read notes what is at a place as found; nil is nothing of ours. What seems spoilt is read once
// more: it is deleted afterwards, and the line may have been to blame. The error may be a *refusal.
func (s *session) read(p place, report bool, road reportRoad) (*letter, error) {
	slots, err := s.readSlots(p)
	if err == nil && slices.ContainsFunc(slots, func(sl slot) bool { return sl.text != "" && !sl.whole() }) {
		slots, err = s.readSlots(p)
	}
	if err != nil {
		return nil, err
	}
	for _, slot := range slots {
		if got := slot.letter(p.memory, report); got != nil {
			s.stored.find(*got, road)
			return got, nil
		}
	}
	return nil, nil
}

func (s *session) readSlots(p place) ([]slot, error) {
	if err := s.choose(p.memory); err != nil {
		return nil, err
	}
	lines, err := s.command("+CMGR="+strconv.Itoa(p.index), want{prefix: "+CMGR", bare: barePDU}, commandTimeout)
	if inTextMode(lines) {
		return nil, leftPDUMode()
	}
	return parseSlots(lines, p.index), err
}

// find notes a letter that was read, so that being told of it any longer is no news. What the first
// sweep finds untold may be older than the session, and is no fault of the dongle's.
func (l *stored) find(got letter, road reportRoad) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.told)
	l.told = slices.DeleteFunc(l.told, func(u urc) bool { return got.place == place{u.text, u.index} })
	got.road = road
	if l.sweeps <= 1 || len(l.told) < before {
		got.road = reportTold
	}
	l.found = append(l.found, got)
}

// letter is what the slot holds, unless it is empty, or somebody's own SMS-SUBMIT, which is left
// alone: whatever <stat> says of it, the network does not send those.
func (sl slot) letter(memory string, report bool) *letter {
	if sl.own || sl.text == "" {
		return nil
	}
	if raw, err := pdu.DecodeHex(sl.text); err == nil {
		if _, err := pdu.DecodeSubmit(raw); err == nil {
			return nil
		}
	}
	return &letter{place: place{memory, sl.index}, arrival: arrivalOf(sl.text, report || memory == "SR")}
}

// maxRefusals is how many letters in a row the Sink may refuse before it is not asked again for now.
// One alone may be a letter that it never takes, which must not keep the others from it.
const maxRefusals = 3

// handOn gives one letter to the Sink.
func (s *session) handOn() error {
	l := s.stored
	got := l.found[0]
	l.found = l.found[1:]
	if err := s.offerOnce(func(ctx context.Context) error { return s.take(ctx, got.arrival) }); err != nil {
		s.log.Warn("not stored yet; the modem keeps it", "what", got.arrival, "error", err)
		l.hold(got)
		if l.refusals++; l.refusals >= maxRefusals || errors.Is(err, context.DeadlineExceeded) {
			l.hold(l.found...)
			l.found = nil
		}
		return nil
	}
	l.refusals = 0
	if got.report != nil {
		s.reportCame(got.road)
	}
	if !slices.ContainsFunc(l.spent, func(s letter) bool { return s.place == got.place }) {
		l.spent = append(l.spent, got)
	}
	return nil
}

// hold keeps the places of letters until they are read again.
func (l *stored) hold(letters ...letter) {
	for _, got := range letters {
		l.held = append(l.held, urc{kind: urcStored, text: got.memory, index: got.index, report: got.report != nil})
	}
}

// beginsMessage says that this is the first of several parts.
func (got letter) beginsMessage() bool {
	return got.message != nil && got.message.Deliver.Concat != nil && got.message.Deliver.Concat.Number == 1
}

// deleteSpent deletes one letter that is stored with us, in the memory in which it was found; those
// with which others may go come last, so that the places of those are not deleted again, with what
// is new there. If the dongle has told of the place since, there may be another letter by now.
func (s *session) deleteSpent() error {
	l := s.stored
	i := max(0, slices.IndexFunc(l.spent, func(got letter) bool { return !got.beginsMessage() }))
	p := l.spent[i].place
	l.spent = slices.Delete(l.spent, i, i+1)
	silent := "+CMGD in " + p.memory
	if l.isTold(p) || s.w.muted(silent) {
		return nil
	}
	err := s.choose(p.memory)
	if err == nil {
		err = s.do("+CMGD=" + strconv.Itoa(p.index))
		s.w.noteSilence(silent, err)
	}
	switch r, refused := asRefusal(err); {
	case err == nil:
		s.noteDeleted(p.memory)
	case refused && !(r.fault.Family == "CMS" && r.fault.Code == 321): // 321: no such place any more
		s.log.Warn("the modem does not delete what is stored here", "memory", p.memory, "index", p.index, "answer", r.line)
		l.left[p.memory]++
	}
	return unlessRefused(err)
}
