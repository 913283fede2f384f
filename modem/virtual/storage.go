package virtual

import (
	"fmt"
	"strings"
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
	sm, me, sr *memory
	selected   [3]*memory // <mem1> read and delete, <mem2> write and send, <mem3> received
}

// memory is one message storage.
type memory struct {
	name  string
	first int // the lowest index
	slots []*stored
}

type stored struct {
	arrival
	state int
}

func newStore(o Options) store {
	memoryNamed := func(name string) *memory {
		m := &memory{name: name, first: 1, slots: make([]*stored, o.Slots)}
		if o.ZeroIndex {
			m.first = 0
		}
		return m
	}
	st := store{sm: memoryNamed("SM"), me: memoryNamed("ME"), sr: memoryNamed("SR")}
	st.selected = [3]*memory{st.sm, st.sm, st.sm}
	return st
}

// add stores in the first free place; ok is false when there is none.
func (m *memory) add(state int, a arrival) (index int, ok bool) {
	for i, slot := range m.slots {
		if slot == nil {
			m.slots[i] = &stored{arrival: a, state: state}
			return m.first + i, true
		}
	}
	return 0, false
}

// at is the place of an index, nil when there is no such place.
func (m *memory) at(index int) **stored {
	if index < m.first || index >= m.first+len(m.slots) {
		return nil
	}
	return &m.slots[index-m.first]
}

func (m *memory) used() int {
	n := 0
	for _, slot := range m.slots {
		if slot != nil {
			n++
		}
	}
	return n
}

// storageCommands are +CPMS (27.005 3.2.2) and reading and deleting (3.4.2, 3.4.3, 3.5.4).
var storageCommands = map[string]command{
	"CPMS": {needs: simForCMS, do: (*session).cpms},
	"CMGL": {needs: simForCMS, do: (*session).cmgl},
	"CMGR": {needs: simForCMS, do: (*session).cmgr},
	"CMGD": {needs: simForCMS, do: (*session).cmgd},
}

func (st *store) named(name string) *memory {
	for _, m := range []*memory{st.sm, st.me, st.sr} {
		if m.name == name {
			return m
		}
	}
	return nil
}

func (s *session) cpms(c call) error {
	st := &s.d.store
	switch c.form {
	case testForm:
		s.info(`+CPMS: ("SM","ME","SR"),("SM","ME"),("SM","ME")`)
		return nil
	case execForm:
		return errSyntax
	}
	if c.form == setForm {
		p := c.params()
		if len(p) < 1 || len(p) > 3 {
			return errSyntax
		}
		wanted := st.selected
		for i := range p {
			name, err := p.text(i, wanted[i].name)
			if err != nil {
				return err
			}
			if wanted[i] = st.named(name); wanted[i] == nil || i > 0 && wanted[i] == st.sr {
				return cmsNotAllowed
			}
		}
		st.selected = wanted
	}
	var fields []string
	for _, m := range st.selected {
		if c.form == readForm {
			fields = append(fields, quote(m.name))
		}
		fields = append(fields, fmt.Sprintf("%d,%d", m.used(), len(m.slots)))
	}
	s.info("+CPMS: " + strings.Join(fields, ","))
	return nil
}

// inPDUMode refuses a message command whose parameters are of the other mode (+CMGF), and text
// mode altogether, which is not simulated.
func (s *session) inPDUMode(p params) error {
	if s.d.settings.format == 0 {
		return nil
	}
	if p.given(0) && p[0][0] == '"' {
		return cmsNotSupported
	}
	return cmsInvalidText
}

// cmgl lists <mem1>. What it shows as unread is read then.
func (s *session) cmgl(c call) error {
	if c.form == testForm {
		s.info("+CMGL: (0-4)")
		return nil
	}
	p := c.params()
	if err := s.inPDUMode(p); err != nil {
		return err
	}
	state, err := p.number(0, recUnread)
	if err != nil || c.form == readForm || len(p) > 1 {
		return errSyntax
	}
	if state > allStates {
		return cmsNotSupported
	}
	m := s.d.store.selected[0]
	for i, slot := range m.slots {
		if slot == nil || state != allStates && slot.state != state {
			continue
		}
		s.infof("+CMGL: %d,%d,,%d\r\n%s", m.first+i, slot.state, slot.length(), hexOf(slot.raw))
		slot.read()
	}
	return nil
}

func (m *stored) read() {
	if m.state == recUnread {
		m.state = recRead
	}
}

// cmgr reads one message of <mem1>.
func (s *session) cmgr(c call) error {
	if c.form == testForm {
		return nil
	}
	p := c.params()
	index, err := p.number(0, -1)
	if err != nil || c.form != setForm || len(p) > 1 {
		return errSyntax
	}
	if err := s.inPDUMode(nil); err != nil {
		return cmsNotSupported
	}
	slot := s.d.store.selected[0].at(index)
	if slot == nil || *slot == nil {
		return cmsInvalidIndex
	}
	m := *slot
	s.infof("+CMGR: %d,,%d\r\n%s", m.state, m.length(), hexOf(m.raw))
	m.read()
	return nil
}

// cmgd deletes from <mem1>: <delflag> 0 the one at the index, 1 all read, 2 also sent, 3 also
// unsent, 4 all. Room for one makes the SC try again with what it could not deliver (RP-SMMA).
func (s *session) cmgd(c call) error {
	m := s.d.store.selected[0]
	if c.form == testForm {
		var taken []string
		for i, slot := range m.slots {
			if slot != nil {
				taken = append(taken, fmt.Sprint(m.first+i))
			}
		}
		s.infof("+CMGD: (%s),(0-4)", strings.Join(taken, ","))
		return nil
	}
	p := c.params()
	index, err := p.number(0, -1)
	if err != nil || c.form != setForm || len(p) > 2 {
		return errSyntax
	}
	flag, err := p.number(1, 0)
	if err != nil || flag > 4 {
		return errSyntax
	}
	if flag == 0 {
		slot := m.at(index)
		if slot == nil {
			return cmsInvalidIndex
		}
		*slot = nil
	}
	for i, slot := range m.slots {
		if slot != nil && flag > 0 && deletedBy[flag][slot.state] {
			m.slots[i] = nil
		}
	}
	s.d.pump()
	return nil
}

// deletedBy says for each <delflag> which states it deletes.
var deletedBy = [5][4]bool{
	1: {recRead: true},
	2: {recRead: true, stoSent: true},
	3: {recRead: true, stoSent: true, stoUnsent: true},
	4: {recUnread: true, recRead: true, stoSent: true, stoUnsent: true},
}
