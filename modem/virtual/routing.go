package virtual

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dongled/pdu"
)

// serviceCommands are 27.005 3.2 and 3.3: which service, which mode, which service centre.
var serviceCommands = map[string]command{
	"CMGF": {do: parameter("CMGF", 1, func(p *settings) *int { return &p.format })},
	"CSMS": {do: (*session).csms},
	"CSCA": {needs: simForCMS, do: (*session).csca},
}

// routingCommands are 27.005 3.4: what of new messages and reports the TE is told.
var routingCommands = map[string]command{
	"CNMI": {needs: simForCMS, do: (*session).cnmi},
	"CNMA": {needs: simForCMS, do: (*session).cnma},
}

// csms selects the service (27.005 3.2.1): 0 phase 2, 1 phase 2+, where +CMT and +CDS want +CNMA.
func (s *session) csms(c call) error {
	switch c.form {
	case testForm:
		s.info("+CSMS: (0,1)")
	case readForm:
		s.infof("+CSMS: %d,1,1,1%s", s.d.settings.service, s.d.opts.Quirks.ServiceTail)
	case execForm:
		return errSyntax
	case setForm:
		p := c.params()
		n, err := p.number(0, 0)
		if err != nil || len(p) > 1 {
			return errSyntax
		}
		if n > 1 {
			return cmsNotSupported
		}
		s.d.settings.service = n
		s.d.dropUnoffered()
		s.info("+CSMS: 1,1,1")
		s.d.routingChanged()
	}
	return nil
}

// dropUnoffered takes back the routing that the service now selected does not offer. mu is held.
func (d *Dongle) dropUnoffered() {
	offered := compound(d.offeredCNMI())
	for i, value := range d.settings.cnmi[:4] {
		if value != 0 && !offers(offered, i, value) {
			d.settings.cnmi[i] = 0
		}
	}
}

// csca sets the SC's address on the SIM (27.005 3.3.1).
func (s *session) csca(c call) error {
	switch c.form {
	case testForm:
	case readForm:
		s.infof("+CSCA: %s,%d", quote(s.d.sim.smsc), typeOfAddress(s.d.sim.smsc))
	case execForm:
		return errSyntax
	case setForm:
		p := c.params()
		number, err := p.text(0, "")
		if err != nil {
			return err
		}
		toa, err := p.number(1, typeOfAddress(number))
		if err != nil || len(p) > 2 {
			return errSyntax
		}
		if toa == 145 && number != "" && number[0] != '+' {
			number = "+" + number
		}
		if pdu.ValidSMSC(number) != nil {
			return cmsNotAllowed
		}
		s.d.sim.smsc = number
	}
	return nil
}

// cnmi says how new messages are indicated (27.005 3.4.1): <mode>,<mt>,<bm>,<ds>,<bfr>. What is
// left out stays as it was (27.007 3.1).
func (s *session) cnmi(c call) error {
	set := &s.d.settings
	switch c.form {
	case testForm:
		s.info("+CNMI: " + s.d.offeredCNMI())
		return nil
	case readForm:
		n := set.cnmi
		s.infof("+CNMI: %d,%d,%d,%d,%d", n[0], n[1], n[2], n[3], n[4])
		return nil
	}
	wanted := set.cnmi
	p := c.params()
	if len(p) > len(wanted) {
		return errSyntax
	}
	offered := compound(s.d.offeredCNMI())
	for i := range wanted {
		n, err := p.number(i, wanted[i])
		if err != nil {
			return err
		}
		if p.given(i) && !offers(offered, i, n) {
			return cmsNotSupported
		}
		wanted[i] = n
	}
	if slices.ContainsFunc(s.d.opts.Quirks.CNMIRefused, func(pattern string) bool { return matches(pattern, wanted) }) {
		return errSyntax
	}
	set.cnmi = wanted
	if wanted[0] != 0 && wanted[4] == 1 {
		s.d.urc.ta = nil // <bfr> 1: what was buffered is cleared
	}
	s.d.routingChanged()
	return nil
}

// offeredCNMI is what +CNMI=? says of the service selected. mu is held.
func (d *Dongle) offeredCNMI() string {
	if plus := d.opts.Quirks.CNMIPlus; plus != "" && d.settings.service == 1 {
		return plus
	}
	return d.opts.CNMI
}

// matches reports whether a setting of +CNMI begins with the values of a pattern.
func matches(pattern string, cnmi [5]int) bool {
	for i, value := range strings.Split(pattern, ",") {
		if value != "*" && value != strconv.Itoa(cnmi[i]) {
			return false
		}
	}
	return true
}

// compound splits a 27.007 compound value: "(0-2),(0,1)" into "0-2" and "0,1".
func compound(list string) []string {
	parts := strings.Split(list, "),(")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], "() ")
	}
	return parts
}

// offers reports whether value i of a compound holds n. A value not offered can only be left out.
func offers(compound []string, i, n int) bool {
	if i >= len(compound) {
		return false
	}
	for _, r := range strings.Split(compound[i], ",") {
		low, high, isRange := strings.Cut(r, "-")
		if !isRange {
			high = low
		}
		l, errLow := strconv.Atoi(low)
		h, errHigh := strconv.Atoi(high)
		if errLow == nil && errHigh == nil && l <= n && n <= h {
			return true
		}
	}
	return false
}

// routingChanged lets out what the new routing allows. mu is held.
func (d *Dongle) routingChanged() {
	if d.settings.service == 0 {
		d.network.awaiting = false
	}
	d.releaseTA()
	d.pump()
}

// cnma acknowledges a message or report (27.005 3.4.4): <n> 0 and 1 well, 2 with RP-ERROR. An
// acknowledgement with a TPDU of its own is not simulated.
func (s *session) cnma(c call) error {
	switch c.form {
	case testForm:
		s.info("+CNMA: (0-2)")
		return nil
	case readForm:
		return errSyntax
	}
	p := c.params()
	n, err := p.number(0, 0)
	if err != nil {
		return err
	}
	length, err := p.number(1, 0)
	switch {
	case err != nil:
		return err
	case n > 2 || length > 0:
		return cmsNotSupported
	case !s.d.network.awaiting, s.d.opts.Quirks.AckFatal:
		return cmsNoAckExpected
	}
	s.d.network.awaiting = false
	s.d.network.unacked = arrival{}
	s.d.network.ackTimer++
	s.d.pump()
	return nil
}

// route gives a TPDU to the TE or the store, as +CNMI says. What is not taken the SC keeps; the
// memory is the one that was full. mu is held.
func (d *Dongle) route(a arrival) (verdict, *memory) {
	if a.isReport() {
		return d.routeReport(a)
	}
	if mt := d.settings.cnmi[1]; mt == 2 {
		return d.direct(a, fmt.Sprintf("+CMT: ,%d", a.length())), nil
	}
	form := cmp.Or(d.opts.Quirks.StoredMessage, `+CMTI: "{mem}",{index}`)
	if d.settings.cnmi[1] == 0 {
		form = ""
	}
	return d.keep(a, d.store.selected[2], form)
}

// keep stores a TPDU and says so in that form, if any. mu is held.
func (d *Dongle) keep(a arrival, m *memory, form string) (verdict, *memory) {
	index, ok := m.add(recUnread, a)
	if !ok {
		return full, m
	}
	if form != "" {
		d.newMessage(strings.NewReplacer("{mem}", m.shown, "{index}", strconv.Itoa(index)).Replace(form))
	}
	if !m.hasRoom() {
		d.announceFull(m)
	}
	return taken, nil
}

// announceFull says that a memory takes no more, where the ME does. mu is held.
func (d *Dongle) announceFull(m *memory) {
	if urc := d.opts.Quirks.FullURC; urc != "" {
		d.send(strings.ReplaceAll(urc, "{mem}", m.shown))
	}
}

// routeReport is route for an SMS-STATUS-REPORT, by <ds>.
func (d *Dongle) routeReport(a arrival) (verdict, *memory) {
	switch ds := d.settings.cnmi[3]; {
	case ds == 1 && d.opts.Quirks.DirectStored:
		return d.keep(a, d.store.reports, "")
	case ds == 1:
		v := d.direct(a, cmp.Or(d.opts.Quirks.DirectReport, "+CDS: ")+strconv.Itoa(a.length()))
		if v == taken && d.opts.Quirks.AckFatal {
			power := d.chatter.power
			d.later(d.opts.AckTimeout, func() { d.chatter.dead = d.chatter.dead || d.chatter.power == power })
		}
		return v, nil
	case ds == 2:
		return d.keep(a, d.store.reports, cmp.Or(d.opts.Quirks.StoredReport, `+CDSI: "{mem}",{index}`))
	}
	if a.again {
		return refused, nil
	}
	return taken, nil
}

// direct sends header and TPDU to the TE, and with phase 2+ waits for +CNMA. mu is held.
func (d *Dongle) direct(a arrival, header string) verdict {
	if !d.newMessage(header + "\r\n" + hexOf(a.raw)) {
		return refused
	}
	if d.settings.service == 1 {
		d.awaitAck(a)
	}
	return taken
}

// awaitAck starts the time in which +CNMA must come. Else the ME answers RP-ERROR, so that the SC
// sends again later, and routes nothing to the TE any more: <mt> and <ds> are 0 (27.005 3.4.4).
func (d *Dongle) awaitAck(a arrival) {
	n := &d.network
	n.awaiting, n.unacked = true, a
	n.ackTimer++
	due := n.ackTimer
	d.later(d.opts.AckTimeout, func() {
		if !n.awaiting || n.ackTimer != due {
			return
		}
		d.settings.cnmi[1], d.settings.cnmi[3] = 0, 0
		n.detached()
		d.pump()
	})
}
