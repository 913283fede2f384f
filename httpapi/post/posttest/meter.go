package posttest

import (
	"cmp"
	"slices"
	"time"
)

// meter measures how many requests there were at once.
type meter struct{ spans []span }

// span is the time of a request; end is zero while it is under way.
type span struct{ begin, end time.Time }

func (m *meter) begin(now time.Time) (i int) {
	m.spans = append(m.spans, span{begin: now})
	return len(m.spans) - 1
}

func (m *meter) busy() (n int) {
	for _, s := range m.spans {
		if s.end.IsZero() {
			n++
		}
	}
	return n
}

// most leaves out what took no time. A client that gave a request up may begin the next one before the host
// has noticed: at one moment of virtual time the order of the two tells nothing.
func (m *meter) most() (most int) {
	type change struct {
		at time.Time
		by int
	}
	var changes []change
	for _, s := range m.spans {
		if s.end.IsZero() {
			s.end = time.Now().Add(1)
		}
		if s.end.After(s.begin) {
			changes = append(changes, change{s.begin, 1}, change{s.end, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.by, b.by)) })
	n := 0
	for _, c := range changes {
		n += c.by
		most = max(most, n)
	}
	return most
}
