package bird

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"dongled/modem"
	"dongled/scheduler/inbox"
)

// namespace is that of all ids that are derived here (RFC 9562, section 5.5). It must never change.
var namespace = uuid.MustParse("5e0f3c1a-7d42-4c39-9b0e-6a1d2f8b47c5")

// platform is what Bird calls its own SMS.
const platform = "sms-messagebird"

// channel is one SIM, or any, as clients of this dialect address it. A message keeps the one that it was
// sent by.
type channel struct {
	ID string `json:"id"`
	// SIM is a simNumber, 0 for any.
	SIM   int    `json:"sim,omitempty"`
	Name  string `json:"name,omitempty"`
	Kind  string `json:"kind,omitempty"`
	Phone string `json:"phone,omitempty"`
	// Active says that a SIM of it is in the gateway.
	Active bool `json:"-"`
	// Away says that its SIM gave its place to another one: what is sent there would leave by a stranger's.
	Away bool `json:"-"`
}

// connector is the id by which messages name the channel's line.
func (ch channel) connector() string { return derived(ch.ID, "connector") }

// derived is a UUIDv5 below another UUID.
func derived(below, name string) string {
	space, err := uuid.Parse(below)
	if err != nil {
		space = namespace
	}
	return uuid.NewSHA1(space, []byte(name)).String()
}

// workspace is the id of the only one.
func (d *Dialect) workspace() string {
	if d.opts.Workspace != "" {
		return d.opts.Workspace
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seed
}

// channels are all there are: those of the configuration, those of SIMs that it does not name, and the
// one of any SIM.
func (d *Dialect) channels() (all []channel) {
	sims := d.sims()
	named := map[int]bool{}
	for _, c := range d.opts.Channels {
		named[c.SIM] = true
		all = append(all, live(channel{ID: c.ID, SIM: c.SIM, Name: c.Name, Kind: c.Kind}, sims))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var own []channel
	for _, c := range d.cards {
		if c.SIM == 0 || !named[c.SIM] {
			own = append(own, c.channel(sims))
		}
	}
	slices.SortFunc(own, func(a, b channel) int { return cmp.Or(cmp.Compare(a.SIM, b.SIM), cmp.Compare(a.ID, b.ID)) })
	all = append(all, own...)
	if !named[0] {
		all = append(all, live(channel{ID: derived(d.seed, "any"), Name: "any SIM", Kind: defaultKind}, sims))
	}
	return all
}

// defaultKind is that of channels which the configuration does not name.
const defaultKind = "conversational"

// channel of a card; it is active where the card is in its place.
func (c card) channel(sims []modem.Status) channel {
	ch := channel{
		ID: c.ID, SIM: c.SIM, Phone: c.Phone, Kind: defaultKind, Name: cmp.Or(c.Name, "SIM "+strconv.Itoa(c.SIM)), Away: c.SIM == 0,
	}
	for _, st := range sims {
		if st.SIM != c.SIM {
			continue
		}
		there := cardOf(st)
		ch.Away = there.identity() != "" && !c.same(there)
		ch.Active = !ch.Away && works(st)
	}
	return ch
}

// live adds what the SIMs say to a channel that is bound to a simNumber.
func live(ch channel, sims []modem.Status) channel {
	for _, st := range sims {
		if ch.SIM != 0 && ch.SIM != st.SIM {
			continue
		}
		ch.Active = ch.Active || works(st)
		if ch.SIM != 0 {
			ch.Phone, ch.Name = st.Number, cmp.Or(ch.Name, st.Name)
		}
	}
	if ch.SIM != 0 {
		ch.Name = cmp.Or(ch.Name, "SIM "+strconv.Itoa(ch.SIM))
	}
	ch.Name, ch.Kind = cmp.Or(ch.Name, "any SIM"), cmp.Or(ch.Kind, defaultKind)
	return ch
}

// works says that a SIM sends, now or once it has a network again.
func works(st modem.Status) bool {
	return st.State == modem.StateReady || st.State == modem.StatePaused || st.State == modem.StateNotRegistered
}

// channel finds one by its id.
func (d *Dialect) channel(id string) (channel, bool) {
	d.remember(d.serving())
	for _, ch := range d.channels() {
		if ch.ID == id {
			return ch, true
		}
	}
	return channel{}, false
}

// hearing are the channels that a message came in by, the closest first: of the SIM by configuration, of
// the card, of any SIM.
func (d *Dialect) hearing(m inbox.Message) (all []channel) {
	for _, ch := range d.channels() {
		if d.hears(ch, m) {
			all = append(all, ch)
		}
	}
	slices.SortStableFunc(all, func(a, b channel) int { return cmp.Compare(anySIM(a), anySIM(b)) })
	return all
}

func anySIM(ch channel) int {
	if ch.SIM == 0 {
		return 1
	}
	return 0
}

// hears reports whether a message came in by a channel.
func (d *Dialect) hears(ch channel, m inbox.Message) bool {
	d.mu.Lock()
	c, isCard := d.cards[ch.ID]
	d.mu.Unlock()
	came := card{ICCID: m.ICCID, IMSI: m.IMSI, Phone: m.Recipient}
	if isCard && came.identity() != "" && !d.configured(ch.ID) {
		return c.same(came)
	}
	return ch.SIM == 0 || ch.SIM == m.SIM
}

func (d *Dialect) configured(id string) bool {
	return slices.ContainsFunc(d.opts.Channels, func(c Channel) bool { return c.ID == id })
}
