package virtual

import (
	"fmt"
	"strings"
	"time"

	"dongled/pdu"
)

// storageCommands are +CPMS (27.005 3.2.2) and reading and deleting (3.4.2, 3.4.3, 3.5.4).
var storageCommands = map[string]command{
	"CPMS": {needs: simForCMS, do: (*session).cpms},
	"CMGL": {needs: simForCMS, do: (*session).cmgl},
	"CMGR": {needs: simForCMS, do: (*session).cmgr},
	"CMGD": {needs: simForCMS, do: (*session).cmgd},
}

func (s *session) cpms(c call) error {
	st := &s.d.store
	switch c.form {
	case testForm:
		s.info("+CPMS: " + s.d.opts.Quirks.Memories)
		return nil
	case execForm:
		return errSyntax
	case setForm:
		wanted, err := st.wanted(c.params())
		if err != nil {
			return err
		}
		s.d.selectMemories(wanted)
	}
	var before time.Time
	if lag := s.d.opts.Quirks.CountLag; lag > 0 {
		before = time.Now().Add(-lag)
	}
	var fields []string
	for _, m := range st.selected[:len(st.choice)] {
		if c.form == readForm {
			fields = append(fields, quote(m.name))
		}
		fields = append(fields, fmt.Sprintf("%d,%d", m.countedBefore(before), len(m.slots)))
	}
	s.info("+CPMS: " + strings.Join(fields, ","))
	return nil
}

// wanted are the memories of +CPMS=; those left out stay as they are.
func (st *store) wanted(p params) ([3]*memory, error) {
	wanted := st.selected
	if len(p) < 1 || len(p) > len(st.choice) {
		return wanted, errSyntax
	}
	for i := range p {
		name, err := p.text(i, wanted[i].name)
		if err != nil {
			return wanted, err
		}
		if wanted[i] = st.choose(i, name); wanted[i] == nil {
			return wanted, cmsNotAllowed
		}
	}
	if len(st.choice) < len(wanted) {
		wanted[2] = wanted[1]
	}
	return wanted, nil
}

// selectMemories is +CPMS=. Another <mem3> that has room is room for what the old one had not.
func (d *Dongle) selectMemories(wanted [3]*memory) {
	before, now := d.store.selected[2], wanted[2]
	d.store.selected = wanted
	for i := range d.network.queue {
		if a := &d.network.queue[i]; a.noRoom == before && !a.isReport() {
			a.noRoom = now
		}
	}
	d.freed()
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
	for i, place := range m.slots {
		if place.stored == nil || state != allStates && place.state != state {
			continue
		}
		s.infof("+CMGL: %d,%d,,%d\r\n%s", m.first+i, place.state, place.length(), s.d.shown(place.stored))
		place.read()
	}
	return nil
}

// shown is the PDU of a stored message as it is listed.
func (d *Dongle) shown(m *stored) string {
	if m.isReport() {
		return d.opts.Quirks.StoredPrefix + hexOf(m.raw)
	}
	return hexOf(m.raw)
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
	place := s.d.store.selected[0].at(index)
	if place == nil || place.stored == nil {
		return s.emptyPlace()
	}
	s.infof("+CMGR: %d,,%d\r\n%s", place.state, place.length(), s.d.shown(place.stored))
	place.read()
	return nil
}

func (s *session) emptyPlace() error {
	switch s.d.opts.Quirks.EmptyPlace {
	case EmptySilent:
		return nil
	case EmptyBlank:
		s.info("+CMGR: 0,,0\r\n")
		return nil
	}
	return cmsInvalidIndex
}

// cmgd deletes from <mem1>: <delflag> 0 the one at the index, 1 all read, 2 also sent, 3 also
// unsent, 4 all. Room for one makes the SC try again with what it could not deliver (RP-SMMA).
func (s *session) cmgd(c call) error {
	m := s.d.store.selected[0]
	if c.form == testForm {
		var taken []string
		for i, place := range m.slots {
			if place.stored != nil {
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
		place := m.at(index)
		if place == nil {
			return cmsInvalidIndex
		}
		s.d.remove(m, place)
	}
	for _, place := range m.slots {
		if place.stored != nil && deletedBy[flag][place.state] {
			place.stored = nil
		}
	}
	s.d.freed()
	return nil
}

// remove empties one place, and with DeletesWhole those of the parts that follow.
func (d *Dongle) remove(m *memory, place *slot) {
	first := place.stored
	place.stored = nil
	if first == nil || !d.opts.Quirks.DeletesWhole {
		return
	}
	head, err := pdu.DecodeDeliver(first.raw)
	if err != nil || head.Concat == nil || head.Concat.Number != 1 {
		return
	}
	for _, other := range m.slots {
		if other.stored == nil {
			continue
		}
		part, err := pdu.DecodeDeliver(other.raw)
		if err == nil && part.Concat != nil && part.Concat.Reference == head.Concat.Reference && part.Originator == head.Originator {
			other.stored = nil
		}
	}
}

// deletedBy says for each <delflag> which states it deletes.
var deletedBy = [5][4]bool{
	1: {recRead: true},
	2: {recRead: true, stoSent: true},
	3: {recRead: true, stoSent: true, stoUnsent: true},
	4: {recUnread: true, recRead: true, stoSent: true, stoUnsent: true},
}
