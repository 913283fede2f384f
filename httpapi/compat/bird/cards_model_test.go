package bird

import (
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dongled/modem"
)

// cardModel moves cards between three dongles, as people do, and knows which channels there have to be.
type cardModel struct {
	d *Dialect
	// in are the cards by dongle, nil for none; states those of the dongles.
	in     [3]*modem.Status
	states [3]modem.State
	// known are the channels that there ever were, and place the dongles that the cards were seen in last, 0
	// once another was seen there; both by the card's identity.
	known map[string]string
	place map[string]int
}

var modelCards = []modem.Status{
	{ICCID: "8949020000000000001", IMSI: "262010000000001", Number: "+491510000001"},
	{ICCID: "8949020000000000002", IMSI: "262010000000001"}, // a new card with the old IMSI
	{ICCID: "8949020000000000003"},
	{IMSI: "262010000000004", Number: "+491510000004"},
	{Number: "+491510000005"}, // nothing else was readable
}

func (m *cardModel) sims() (all slots) {
	for i, c := range m.in {
		st := modem.Status{SIM: i + 1, State: m.states[i]}
		if c != nil {
			st.ICCID, st.IMSI, st.Number = c.ICCID, c.IMSI, c.Number
		}
		all = append(all, st)
	}
	return all
}

// Put puts a card into a dongle, from wherever it is.
func (m *cardModel) Put(t *rapid.T) {
	c, at := &modelCards[rapid.IntRange(0, len(modelCards)-1).Draw(t, "card")], rapid.IntRange(0, 2).Draw(t, "dongle")
	for i := range m.in {
		if m.in[i] == c {
			m.in[i], m.states[i] = nil, modem.StateLost
		}
	}
	m.in[at], m.states[at] = c, modem.StateReady
}

// Pull takes a card out.
func (m *cardModel) Pull(t *rapid.T) {
	at := rapid.IntRange(0, 2).Draw(t, "dongle")
	m.in[at], m.states[at] = nil, modem.StateLost
}

// Turn has a dongle be in another state.
func (m *cardModel) Turn(t *rapid.T) {
	at := rapid.IntRange(0, 2).Draw(t, "dongle")
	if m.in[at] != nil {
		m.states[at] = rapid.SampledFrom([]modem.State{modem.StateReady, modem.StateNotRegistered, modem.StateIdentifying}).Draw(t, "state")
	}
}

// Check looks at all channels, as a client does that lists them.
func (m *cardModel) Check(t *rapid.T) {
	sims := m.sims()
	m.d.g.SIMs = sims
	m.d.remember(t.Context())
	here := map[string]modem.Status{}
	for _, st := range sims {
		if id := cardOf(st).identity(); id != "" && works(st) {
			here[id] = st
			m.known[id] = derived(m.d.workspace(), id)
			maps.DeleteFunc(m.place, func(_ string, sim int) bool { return sim == st.SIM })
		}
	}
	for id, st := range here {
		m.place[id] = st.SIM
	}
	var listed []string
	for _, ch := range m.d.channels() {
		listed = append(listed, ch.ID)
		id := m.cardOf(ch)
		st, isHere := here[id]
		switch {
		case ch.Name == "any SIM":
		case isHere && (!ch.Active || ch.Away || ch.SIM != st.SIM):
			t.Fatalf("the card in dongle %d has the channel %+v", st.SIM, ch)
		case !isHere && (ch.Active || ch.Away != m.displaced(id)):
			t.Fatalf("the card of the channel %+v is not there, with %v", ch, m.states)
		}
	}
	slices.Sort(listed)
	want := append(slices.Collect(maps.Values(m.known)), derived(m.d.workspace(), "any"))
	slices.Sort(want)
	if !slices.Equal(listed, want) {
		t.Fatalf("channels %v, want %v", listed, want)
	}
}

func (m *cardModel) cardOf(ch channel) string {
	for id, channel := range m.known {
		if channel == ch.ID {
			return id
		}
	}
	return ""
}

// displaced reports whether another card is where one was last, or was seen there since.
func (m *cardModel) displaced(id string) bool {
	sim := m.place[id]
	if sim == 0 {
		return true
	}
	now := m.in[sim-1]
	return now != nil && cardOf(*now).identity() != id
}

// TestCardsMove: a card keeps its channel wherever it goes, and nothing is ever sent by another one's.
func TestCardsMove(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := opened(t, filepath.Join(t.TempDir(), "dongled.db"), nil, slog.New(slog.DiscardHandler))
		m := &cardModel{d: d, known: map[string]string{}, place: map[string]int{}, states: [3]modem.State{modem.StateStopped, modem.StateLost, modem.StateOpening}}
		rt.Repeat(rapid.StateMachineActions(m))
	})
}
