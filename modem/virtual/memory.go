package virtual

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"time"
)

// States of a stored message, <stat> of 27.005 3.1 in PDU mode.
const (
	recUnread = iota
	recRead
	stoUnsent
	stoSent
	allStates
)

// store are the message memories of SIM and ME.
type store struct {
	memories []*memory
	choice   [][]string // what +CPMS= takes for <mem1>, <mem2> and <mem3>
	selected [3]*memory // <mem1> read and delete, <mem2> write and send, <mem3> received
	reports  *memory    // where <ds> 2 stores
}

// memory is one message storage.
type memory struct {
	name  string
	shown string // in result codes
	first int    // the lowest index
	slots []*slot
}

// slot is a place for a message. MT shows those of SIM and ME once more.
type slot struct{ *stored }

type stored struct {
	arrival
	state int
	since time.Time
}

var memoryGroup = regexp.MustCompile(`\("[^()]*"\)`)

func newStore(o Options) store {
	first := 1
	if o.ZeroIndex {
		first = 0
	}
	make := func(name string) *memory {
		m := &memory{name: name, shown: name, first: first}
		for range o.Slots {
			m.slots = append(m.slots, new(slot))
		}
		return m
	}
	sm, me, sr, bm := make("SM"), make("ME"), make("SR"), make("BM")
	// SIMCom's SM_P and ME_P prefer one memory; what is there is shown under its own name.
	smp := &memory{name: "SM_P", shown: "SM", first: first, slots: sm.slots}
	mep := &memory{name: "ME_P", shown: "ME", first: first, slots: me.slots}
	mt := &memory{name: "MT", shown: "MT", first: first, slots: slices.Concat(sm.slots, me.slots)}
	st := store{memories: []*memory{sm, me, sr, bm, smp, mep, mt}}
	for _, group := range memoryGroup.FindAllString(o.Quirks.Memories, 3) {
		st.choice = append(st.choice, strings.Split(strings.Trim(group, `()"`), `","`))
	}
	st.reports = cmp.Or(st.named(o.Quirks.ReportMemory), sr)
	return st
}

// powerUp selects what is selected when the TE says nothing. A <mem3> that +CPMS does not offer is
// the second one.
func (st *store) powerUp(preferred string) {
	for i := range st.selected {
		if i == len(st.choice) {
			st.selected[i] = st.selected[i-1]
			continue
		}
		st.selected[i] = cmp.Or(st.named(preferred), st.named(st.choice[i][0]))
	}
}

// named is the memory of that name; nil when there is none.
func (st *store) named(name string) *memory {
	for _, m := range st.memories {
		if m.name == name {
			return m
		}
	}
	return nil
}

// choose is the memory of that name, if it may stand in place i of +CPMS.
func (st *store) choose(i int, name string) *memory {
	if !slices.Contains(st.choice[i], name) {
		return nil
	}
	return st.named(name)
}

// add stores in the first free place; ok is false when there is none.
func (m *memory) add(state int, a arrival) (index int, ok bool) {
	for i, place := range m.slots {
		if place.stored == nil {
			place.stored = &stored{arrival: a, state: state, since: time.Now()}
			return m.first + i, true
		}
	}
	return 0, false
}

// at is the place of an index, nil when there is no such place.
func (m *memory) at(index int) *slot {
	if index < m.first || index >= m.first+len(m.slots) {
		return nil
	}
	return m.slots[index-m.first]
}

// countedBefore counts the messages, without those stored at a time or later unless it is zero.
func (m *memory) countedBefore(t time.Time) int {
	n := 0
	for _, place := range m.slots {
		if place.stored != nil && (t.IsZero() || place.since.Before(t)) {
			n++
		}
	}
	return n
}

func (m *memory) hasRoom() bool {
	return slices.ContainsFunc(m.slots, func(p *slot) bool { return p.stored == nil })
}

func (m *stored) read() {
	if m.state == recUnread {
		m.state = recRead
	}
}
