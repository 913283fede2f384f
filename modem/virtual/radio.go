package virtual

import (
	"fmt"
	"slices"
)

// Registration <stat> of 27.007 7.2 that the radio comes to by itself.
const (
	notSearching = 0
	searching    = 2
)

// smsStats are the <stat> with which SMS works: home, roaming, each of them for SMS only or with
// CSFB not preferred.
var smsStats = []int{1, 5, 6, 7, 9, 10}

// radio is the ME's side of the network: where it is registered and how well it hears.
type radio struct {
	off    bool // +CFUN=0 or 4, or +COPS=2
	stat   int  // <stat> now
	target int  // <stat> that the network grants
	rssi   int  // 27.007 8.5
	power  int  // counts power-downs: a registration begun before one must not end after it
}

func (r *radio) powerUp() { r.off, r.stat = false, notSearching }

// registered reports whether SMS can be sent and received.
func (d *Dongle) registered() bool { return slices.Contains(smsStats, d.radio.stat) }

// acquireNetwork starts registration, when there is a card to register with. mu is held.
func (d *Dongle) acquireNetwork() {
	if !d.plugged || d.radio.off || d.sim.ready() != nil {
		return
	}
	if d.opts.RegisterDelay > 0 {
		d.setStat(searching)
	}
	power := d.radio.power
	d.later(d.opts.RegisterDelay, func() {
		if d.radio.power == power {
			d.setStat(d.radio.target)
		}
	})
}

// detachNetwork leaves the network. mu is held.
func (d *Dongle) detachNetwork() {
	d.radio.power++
	d.network.detached()
	d.endUSSD()
	d.ringing.active = false
	d.setStat(notSearching)
}

// setStat changes the registration and says so where the TE asked for it. mu is held.
func (d *Dongle) setStat(stat int) {
	if d.radio.stat == stat {
		return
	}
	before := d.radio.stat
	d.radio.stat = stat
	for i, name := range regNames {
		n := d.settings.regURC[i]
		if n > 0 && domainStat(i, stat) != domainStat(i, before) {
			d.send("+" + name + ": " + d.regState(i, n))
		}
	}
	d.pump()
}

// SetRegistration sets the 27.007 <stat> that the network grants, 0 to 10, at once if the dongle
// is on the air. 6, 7, 9 and 10 exist in the circuit-switched domain only (+CREG): then +CGREG
// says 0 and +CEREG says 1 or 5.
func (d *Dongle) SetRegistration(stat int) {
	d.lock()
	defer d.unlock()
	d.radio.target = stat
	if d.plugged && !d.radio.off && d.sim.ready() == nil {
		d.setStat(stat)
	}
}

// SetSignal sets the <rssi> of +CSQ: 0 to 31, 2 dBm each from -113 dBm, or 99 for unknown.
func (d *Dongle) SetSignal(rssi int) {
	d.lock()
	defer d.unlock()
	d.radio.rssi = rssi
}

// regNames in the order of settings.regURC.
var regNames = [3]string{"CREG", "CGREG", "CEREG"}

// domainStat is the <stat> of one domain, see SetRegistration.
func domainStat(domain, stat int) int {
	const packet, eps = 1, 2
	switch {
	case domain == eps && (stat == 6 || stat == 9):
		return 1
	case domain == eps && (stat == 7 || stat == 10):
		return 5
	case domain == packet && slices.Contains([]int{6, 7, 9, 10}, stat):
		return notSearching
	}
	return stat
}

// regState is <stat>, and with <n>=2 also where: <lac>, <ci> and <AcT> 2 UTRAN or 7 E-UTRAN.
func (d *Dongle) regState(domain, n int) string {
	stat := domainStat(domain, d.radio.stat)
	if n < 2 || !slices.Contains(smsStats, stat) {
		return fmt.Sprint(stat)
	}
	act := 2
	if domain == 2 || stat > 5 {
		act = 7
	}
	return fmt.Sprintf(`%d,"00C3","0000A1B2",%d`, stat, act)
}

// radioCommands are 27.007 section 7 and those of section 8 that have to do with the air.
var radioCommands = map[string]command{
	"CREG":  {do: registration(0)},
	"CGREG": {do: registration(1)},
	"CEREG": {do: registration(2)},
	"COPS":  {do: (*session).cops},
	"CFUN":  {do: (*session).cfun},
	"CSQ": {do: text(func(d *Dongle) string {
		return fmt.Sprintf("+CSQ: %d,99", d.radio.rssi)
	})},
}

// registration is +CREG, +CGREG or +CEREG (27.007 7.2, 10.1.20, 10.1.22).
func registration(domain int) func(*session, call) error {
	name := regNames[domain]
	set := parameter(name, 2, func(p *settings) *int { return &p.regURC[domain] })
	return func(s *session, c call) error {
		if c.form == readForm {
			n := s.d.settings.regURC[domain]
			s.infof("+%s: %d,%s", name, n, s.d.regState(domain, n))
			return nil
		}
		return set(s, c)
	}
}

// cops is operator selection (27.007 7.3); there is one operator.
func (s *session) cops(c call) error {
	d := s.d
	names := [3]string{quote(d.opts.Operator), quote(d.opts.Operator), quote(d.opts.Network)}
	switch c.form {
	case testForm:
		s.infof("+COPS: (2,%s,%s,%s,7),,(0-4),(0-2)", names[0], names[1], names[2])
		return nil
	case readForm:
		switch {
		case d.radio.off:
			s.info("+COPS: 2")
		case !d.registered():
			s.info("+COPS: 0")
		default:
			s.infof("+COPS: 0,%d,%s,7", d.settings.copsFormat, names[d.settings.copsFormat])
		}
		return nil
	case execForm:
		return errSyntax
	}
	p := c.params()
	mode, err := p.number(0, 0)
	if err != nil {
		return err
	}
	format, err := p.number(1, d.settings.copsFormat)
	if err != nil || mode > 4 || format > 2 {
		return errSyntax
	}
	if mode == 1 && !(p.given(2) && slices.Contains(names[:], p[2])) {
		return cmeNoNetwork
	}
	d.settings.copsFormat = format
	switch {
	case mode == 2:
		d.setOff(true)
	case mode != 3:
		d.setOff(false)
	}
	return nil
}

// setOff switches the radio. mu is held.
func (d *Dongle) setOff(off bool) {
	if d.radio.off == off {
		return
	}
	d.radio.off = off
	if off {
		d.detachNetwork()
	} else {
		d.acquireNetwork()
	}
}

// cfun is phone functionality (27.007 8.2): 0 minimum, 1 full, 4 radio off; <rst> 1 reboots.
func (s *session) cfun(c call) error {
	switch c.form {
	case testForm:
		s.info("+CFUN: (0,1,4),(0,1)")
		return nil
	case readForm:
		fun := 1
		if s.d.radio.off {
			fun = 4
		}
		s.infof("+CFUN: %d", fun)
		return nil
	case execForm:
		return errSyntax
	}
	p := c.params()
	fun, err := p.number(0, 1)
	if err != nil {
		return err
	}
	reset, err := p.number(1, 0)
	if err != nil || reset > 1 || len(p) > 2 {
		return errSyntax
	}
	if fun != 0 && fun != 1 && fun != 4 {
		return cmeNotSupported
	}
	if reset == 1 {
		s.d.reboot()
		return nil
	}
	s.d.setOff(fun != 1)
	return nil
}
