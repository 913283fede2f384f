package main_test

import (
	"fmt"
	"strings"
	"time"

	"dongled/pdu"
)

// note is a message that a person sends in.
type note struct {
	sim  int
	from string
	sent time.Time // TP-SCTS of its first part, which no other note has
	text string
	data []byte
	port uint16
	// tpdus are its parts as they come: in any order, some of them twice.
	tpdus [][]byte
	parts int
	// again is after how long the dongle gets the first of them once more; 0 is not at all.
	again time.Duration
	// unreadable notes are of one TPDU that nobody can decode.
	unreadable bool
}

func (n *note) String() string {
	return fmt.Sprintf("SIM %d: %d TPDUs from %s, sent %v: %d parts, %.12q %x",
		n.sim, len(n.tpdus), n.from, n.sent.Format(time.DateTime), n.parts, n.text, n.data)
}

func (n *note) play(s *soak) {
	s.notes = append(s.notes, n)
	d := s.sticks[n.sim-1].Dongle
	deliver := func(raw []byte) {
		if err := d.DeliverRaw(raw); err != nil {
			s.wrong(time.Now(), "%v is no TPDU: %v", n, err)
		}
	}
	for _, raw := range n.tpdus {
		deliver(raw)
	}
	if n.again > 0 {
		s.after(n.again, func() { deliver(n.tpdus[0]) })
	}
}

// notesFrom is when the Service Centre got the first note; the others came a second after each other.
var notesFrom = time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC)

// notes are several acts at once.
type notes []*note

func (all notes) String() string {
	lines := make([]string, len(all))
	for i, n := range all {
		lines[i] = n.String()
	}
	return strings.Join(lines, "\n          ")
}

func (all notes) play(s *soak) {
	for _, n := range all {
		n.play(s)
	}
}

// note draws what comes in next: most often one message; one that was sent twice by a person; or more
// than the dongle has room for.
func (p *planner) note() notes {
	sim := p.sim()
	switch p.IntN(12) {
	case 0:
		first := p.noteTo(sim)
		second := *first
		second.sent = p.nextSCTS()
		return notes{p.coded(first), p.coded(&second)}
	case 1:
		flood := make(notes, 14)
		for i := range flood {
			flood[i] = p.coded(p.noteTo(sim))
		}
		return flood
	case 2:
		p.notes++
		// A TP-OA of 12 digits of which one octet is there.
		raw := append([]byte{0, 0x04, 12, 0x91, byte(p.notes)}, byte(p.notes>>8))
		return notes{{sim: sim, unreadable: true, tpdus: [][]byte{raw}, parts: 1}}
	}
	return notes{p.coded(p.noteTo(sim))}
}

func (p *planner) nextSCTS() time.Time {
	p.notes++
	return notesFrom.Add(time.Duration(p.notes) * time.Second)
}

// noteTo draws a note by its content: parts of 152 septets or 66 units, which fit beside a 16-bit reference.
func (p *planner) noteTo(sim int) *note {
	n := &note{sim: sim, from: pick(p, []string{"+491511", "+4915222222222", "12345", "Bank"}), sent: p.nextSCTS(), parts: 1}
	switch p.IntN(6) {
	case 0:
		n.parts = 2 + p.IntN(4)
		n.text = strings.Repeat("all of the parts ", 9*n.parts)[:152*n.parts-p.IntN(100)]
	case 1:
		n.parts = 2 + p.IntN(2)
		n.text = strings.Repeat("ж", 66*n.parts-p.IntN(60))
	case 2:
		n.text = "Grüße 😀"
	case 3:
		n.data, n.port = []byte{0, byte(p.notes), 0xff}, 2948
	default:
		n.text = "Yes"
	}
	return n
}

// coded makes the TPDUs of n, shuffles them, and doubles some.
func (p *planner) coded(n *note) *note {
	text, size := []rune(n.text), 152
	if n.parts > 1 && text[0] > 0x7f {
		size = 66
	}
	n.tpdus = nil
	ref := uint16(n.sent.Unix() % 256)
	for part := range n.parts {
		d := pdu.Deliver{SMSC: "+491710760000", Originator: n.from, SCTS: n.sent, Text: n.text, Data: n.data}
		if n.port != 0 {
			d.Ports = &pdu.Ports{Destination: n.port, Source: 1}
		}
		if n.parts > 1 {
			d.Text = string(text[size*part : min(size*(part+1), len(text))])
			d.SCTS = n.sent.Add(time.Duration(part) * time.Second / 2)
			d.Concat = &pdu.Concat{Reference: ref, Total: uint8(n.parts), Number: uint8(part + 1), Wide: ref%3 == 0}
		}
		raw, err := pdu.EncodeDeliver(d)
		if err != nil {
			panic(fmt.Sprintf("%v: %v", n, err))
		}
		n.tpdus = append(n.tpdus, raw)
	}
	p.Shuffle(n.parts, func(i, j int) { n.tpdus[i], n.tpdus[j] = n.tpdus[j], n.tpdus[i] })
	if p.oneIn(4) {
		n.tpdus = append(n.tpdus, n.tpdus[p.IntN(n.parts)])
	}
	if p.oneIn(6) {
		n.again = p.within(time.Second/10, 10*time.Second)
	}
	return n
}
