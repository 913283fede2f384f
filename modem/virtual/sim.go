package virtual

// Tries before a PIN and a PUK are blocked (TS 31.101 9.5.1, TS 31.102).
const (
	pinTries = 3
	pukTries = 10
)

// sim is the card. Its counters survive power-off.
type sim struct {
	inserted  bool
	pin, puk  string
	verified  bool // since power-up; always, when there is no PIN
	pinLeft   int
	pukLeft   int
	reference uint8  // EF-SMSS last used TP-MR (TS 31.102 4.2.9)
	smsc      string // EF-SMSP TP-SC address
}

func newSIM(o Options) sim {
	return sim{
		inserted: true, pin: o.PIN, puk: o.PUK, pinLeft: pinTries, pukLeft: pukTries,
		reference: o.FirstMR - 1, smsc: o.SMSC,
	}
}

func (c *sim) powerUp() { c.verified = c.pin == "" }

// ready is nil when the card can be used, else the cmeError that says why not.
func (c *sim) ready() error {
	switch {
	case !c.inserted:
		return cmeNoSIM
	case c.verified:
		return nil
	case c.pinLeft > 0:
		return cmeSIMPIN
	case c.pukLeft > 0:
		return cmeSIMPUK
	}
	return cmeSIMFailure
}

// cmsFromSIM says the same in the words of the message service.
var cmsFromSIM = map[cmeError]cmsError{
	cmeNoSIM: cmsNoSIM, cmeSIMPIN: cmsSIMPIN, cmeSIMPUK: cmsSIMPUK, cmeSIMFailure: cmsSIMFailure,
}

// simCommands are 27.007 8.3 and 8.65.
var simCommands = map[string]command{
	"CPIN": {do: (*session).cpin},
	"CPINR": {do: func(s *session, c call) error {
		if !s.d.sim.inserted {
			return cmeNoSIM
		}
		if c.form != testForm {
			s.infof("+CPINR: SIM PIN,%d,%d", s.d.sim.pinLeft, pinTries)
			s.infof("+CPINR: SIM PUK,%d,%d", s.d.sim.pukLeft, pukTries)
		}
		return nil
	}},
}

func (s *session) cpin(c call) error {
	card := &s.d.sim
	state := card.ready()
	switch c.form {
	case testForm:
		return nil
	case execForm:
		return errSyntax
	case readForm:
		switch state {
		case nil:
			s.info("+CPIN: READY")
		case cmeSIMPIN:
			s.info("+CPIN: SIM PIN")
		case cmeSIMPUK:
			s.info("+CPIN: SIM PUK")
		default:
			return state
		}
		return nil
	}
	p := c.params()
	if len(p) < 1 || len(p) > 2 {
		return errSyntax
	}
	switch {
	case state == nil:
		return cmeNotAllowed // 27.007 8.3: no PIN request is pending
	case state == cmeSIMPIN && len(p) == 1:
		return s.d.verify(p, &card.pinLeft, card.pin)
	case state == cmeSIMPUK && len(p) == 2:
		return s.d.verify(p, &card.pukLeft, card.puk)
	}
	return state
}

// verify compares a secret, counting wrong tries; with the PUK comes a new PIN.
func (d *Dongle) verify(p params, left *int, secret string) error {
	card := &d.sim
	if unquoted(p[0]) != secret {
		*left--
		return cmeWrongPassword
	}
	if len(p) == 2 {
		card.pin = unquoted(p[1])
	}
	card.verified, card.pinLeft, card.pukLeft = true, pinTries, pukTries
	d.cardReady()
	d.acquireNetwork()
	return nil
}

// unquoted takes the quotes off, which ME of many makes do not insist on for a PIN.
func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// nextMR is the TP-MR of the next SMS-SUBMIT: the last one of EF-SMSS plus 1, 255 → 0 (TS 23.040
// 9.2.3.6).
func (c *sim) nextMR() uint8 {
	c.reference++
	return c.reference
}

// SetLastMR sets the last used TP-MR of the SIM, so that the next is mr+1: what a process that
// stands for the same SIM again must do.
func (d *Dongle) SetLastMR(mr uint8) {
	d.lock()
	defer d.unlock()
	d.sim.reference = mr
}

// SetSIM takes the SIM out of its holder, or puts it in again, PIN not given.
func (d *Dongle) SetSIM(inserted bool) {
	d.lock()
	defer d.unlock()
	if d.sim.inserted == inserted {
		return
	}
	d.sim.inserted = inserted
	d.sim.powerUp()
	d.detachNetwork()
	d.cardReady()
	d.acquireNetwork()
}
