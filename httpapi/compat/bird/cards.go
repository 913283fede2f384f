package bird

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"dongled/modem"
	"dongled/scheduler/store"
)

// card is a SIM that has a channel.
type card struct {
	ID    string `json:"-"`
	ICCID string `json:"iccid,omitempty"`
	IMSI  string `json:"imsi,omitempty"`
	Phone string `json:"phone,omitempty"`
	// SIM is the simNumber where it was last, 0 once another card was seen there; Name is what that was
	// called.
	SIM  int    `json:"sim"`
	Name string `json:"name,omitempty"`
}

func cardOf(st modem.Status) card {
	return card{ICCID: st.ICCID, IMSI: st.IMSI, Phone: st.Number, SIM: st.SIM, Name: st.Name}
}

// same reports whether both are one SIM. An operator may give a new card the old IMSI, not the reverse.
func (c card) same(o card) bool {
	switch {
	case c.ICCID != "" && o.ICCID != "":
		return c.ICCID == o.ICCID
	case c.IMSI != "" && o.IMSI != "":
		return c.IMSI == o.IMSI
	}
	return c.ICCID == o.ICCID && c.IMSI == o.IMSI && c.Phone != "" && c.Phone == o.Phone
}

// identity is what the id of its channel is derived from, empty if nothing is known that stays.
func (c card) identity() string {
	switch {
	case c.ICCID != "":
		return "iccid:" + c.ICCID
	case c.IMSI != "":
		return "imsi:" + c.IMSI
	case c.Phone != "":
		return "number:" + c.Phone
	}
	return ""
}

// settle derives the gateway's own id, and stores it for what happens before the next Mount.
func (d *Dialect) settle(ctx context.Context, deviceID string) {
	seed := derived(namespace.String(), "gateway:"+deviceID)
	d.mu.Lock()
	known := d.seed == seed
	d.seed = seed
	d.mu.Unlock()
	if known {
		return
	}
	err := d.store.Do(ctx, func(t *store.Tx) error {
		t.Put(store.Bucket(t, bucketChannels), keySeed, []byte(seed))
		return nil
	})
	if err != nil {
		d.base.Log.Error("the id that channels are derived from is not stored", "err", err)
	}
}

// loadCards reads what was seen before this start.
func (d *Dialect) loadCards(t *store.Tx) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t.Fail(store.Bucket(t, bucketChannels).ForEach(func(k, v []byte) error {
		if string(k) == string(keySeed) {
			d.seed = string(v)
			return nil
		}
		var c card
		if err := json.Unmarshal(v, &c); err != nil {
			d.base.Log.Error("the record of a channel is damaged; it comes back with its SIM", "channel", string(k), "err", err)
			return nil
		}
		c.ID = string(k)
		d.cards[c.ID] = c
		return nil
	}))
}

// sims are the SIMs there are, none before Mount.
func (d *Dialect) sims() []modem.Status {
	if d.g.SIMs == nil {
		return nil
	}
	return d.g.SIMs.Modems()
}

// remember stores SIMs that are new, or not where they were.
func (d *Dialect) remember(ctx context.Context) {
	changed := d.unknown(d.sims())
	if len(changed) == 0 {
		return
	}
	err := d.store.Do(ctx, func(t *store.Tx) error {
		for _, c := range changed {
			write(t, store.Bucket(t, bucketChannels), c.ID, c)
		}
		t.After(func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			for _, c := range changed {
				d.cards[c.ID] = c
			}
		})
		return nil
	})
	if err != nil && ctx.Err() == nil {
		d.base.Log.Error("channels of new SIMs are not stored; tried again", "err", err)
	}
}

// unknown are the cards in sims that differ from what is remembered.
func (d *Dialect) unknown(sims []modem.Status) (changed []card) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, st := range sims {
		if !told(st) {
			continue
		}
		if c, isNew := d.compare(cardOf(st)); isNew {
			changed = append(changed, c)
		}
	}
	return append(changed, d.replaced(changed)...)
}

// told reports whether what is known of a SIM is enough to tell it from others. A dongle that is being set
// up may have told one of its numbers and not the other; one that did not begin, or is gone, has none but
// the configuration's.
func told(st modem.Status) bool {
	if st.State == modem.StateOpening || st.State == modem.StateIdentifying {
		return false
	}
	return st.ICCID != "" || st.IMSI != "" || works(st)
}

// replaced are the remembered cards whose place one of seen has, without that place: nothing is sent by
// them until they are seen again. The caller holds d.mu.
func (d *Dialect) replaced(seen []card) (gone []card) {
	for _, known := range d.cards {
		here := func(c card) bool { return c.ID == known.ID }
		there := func(c card) bool { return c.SIM == known.SIM && known.SIM != 0 }
		if slices.ContainsFunc(seen, there) && !slices.ContainsFunc(seen, here) {
			known.Name, known.SIM = cmp.Or(known.Name, "SIM "+strconv.Itoa(known.SIM)), 0
			gone = append(gone, known)
		}
	}
	return gone
}

// compare completes what is seen of a card with what is remembered, and reports whether that differs. The
// caller holds d.mu.
func (d *Dialect) compare(c card) (card, bool) {
	if c.identity() == "" || d.seed == "" {
		return card{}, false
	}
	known, found := d.find(c)
	c.ID = known.ID
	if !found {
		c.ID = derived(d.seed, c.identity())
	}
	c.ICCID, c.IMSI = cmp.Or(c.ICCID, known.ICCID), cmp.Or(c.IMSI, known.IMSI)
	c.Phone, c.Name = cmp.Or(c.Phone, known.Phone), cmp.Or(c.Name, known.Name)
	return c, c != known
}

// meet remembers the card that a message came in by, before its SIM was looked at.
func (d *Dialect) meet(t *store.Tx, c card) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, isNew := d.compare(c)
	if !isNew {
		return
	}
	seen := []card{c}
	for _, c := range append(seen, d.replaced(seen)...) {
		write(t, store.Bucket(t, bucketChannels), c.ID, c)
		d.cards[c.ID] = c
	}
}

// find is the remembered card that is c. The caller holds d.mu.
func (d *Dialect) find(c card) (card, bool) {
	for _, known := range d.cards {
		if known.same(c) {
			return known, true
		}
	}
	return card{}, false
}

// lookEvery is how long a new SIM may wait for its line in the log.
const lookEvery = 10 * time.Second

// watch names channels in the log, each once, and remembers their SIMs, until ctx ends.
func (d *Dialect) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		d.remember(ctx)
		d.announce()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (d *Dialect) announce() {
	for _, ch := range d.channels() {
		d.mu.Lock()
		before := d.logged[ch.ID]
		d.logged[ch.ID] = true
		d.mu.Unlock()
		if !before {
			d.base.Log.Info("bird channel", "workspace", d.workspace(), "channel", ch.ID, "sim", ch.SIM, "name", ch.Name, "kind", ch.Kind)
		}
	}
}
