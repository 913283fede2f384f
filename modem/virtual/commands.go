package virtual

import (
	"errors"
	"fmt"
	"slices"
)

// command is what the ME does for one command name.
type command struct {
	needs need
	do    func(*session, call) error
}

// need is what must work before a command does, and whose error says that it does not.
type need uint8

const (
	nothing   need = iota
	simForCME      // a (U)SIM with its PIN given, else +CME ERROR
	simForCMS      // the same, else +CMS ERROR
)

// commands by name. It is filled once, in init, because the handlers refer to it in turn.
var commands map[string]command

func init() {
	commands = make(map[string]command)
	for _, section := range []map[string]command{
		basicCommands,    // V.250 6
		identityCommands, // 27.007 5
		simCommands,      // 27.007 8.1, 8.3
		radioCommands,    // 27.007 7, 8.5
		serviceCommands,  // 27.005 3.2, 3.3
		routingCommands,  // 27.005 3.4
		storageCommands,  // 27.005 3.2.2, 3.4.2, 3.5.4
		sendingCommands,  // 27.005 3.5.1, 3.5.6
		callCommands,     // 27.007 6, 7.6
		ussdCommands,     // 27.007 7.15
	} {
		for name, c := range section {
			commands[name] = c
		}
	}
}

// execute runs a command line (V.250 5.2.1): the commands in turn until one does not succeed.
func (s *session) execute(body string) {
	if !s.sleep(s.d.opts.CommandDelay) {
		return
	}
	last := ""
	for body != "" {
		c, rest, ok := nextCall(body)
		if !ok {
			s.final(errSyntax)
			return
		}
		body = rest
		if c.name == "" {
			continue
		}
		if err := s.one(c); err != nil {
			s.final(err)
			return
		}
		last = c.key()
	}
	if slices.Contains(s.d.opts.Quirks.NoFinal, last) {
		s.flush()
		return
	}
	s.final(nil)
}

// one runs one command, or the fault that stands in for it.
func (s *session) one(c call) error {
	if fired := s.d.fire(c.name, c.args, ""); len(fired) > 0 {
		if err := s.disturb(fired); err != nil {
			return err
		}
	}
	s.d.heed(c)
	if err, known := s.vendor(c); known {
		return err
	}
	cmd, known := commands[c.name]
	if !known {
		return s.unknown()
	}
	if err := s.d.require(cmd.needs); err != nil && c.form != testForm {
		return err
	}
	return cmd.do(s, c)
}

// require checks a need. mu is held.
func (d *Dongle) require(n need) error {
	err := d.sim.ready()
	var cme cmeError
	if n == nothing || !errors.As(err, &cme) {
		return d.busy(n)
	}
	if n == simForCME {
		return cme
	}
	return cmsFromSIM[cme]
}

// settings are the parameters of the ME that V.250, 27.005 and 27.007 let the TE change.
type settings struct {
	echo, verbose, quiet bool
	s3, s4, s5           byte
	cmee                 int
	format               int // +CMGF: 0 PDU, 1 text
	service              int // +CSMS
	cnmi                 [5]int
	regURC               [3]int // <n> of +CREG, +CGREG, +CEREG
	copsFormat           int
	moreMessages         int // +CMMS
	ussd                 int // +CUSD <n>
	ussdMode             int // ^USSDMODE: 1 packed, 0 text
	clip                 int // +CLIP <n>
	cellularCodes        int // +CRC
}

// factory is what AT&F sets: V.250 and 27.005 defaults. +CNMI begins with no routing at all.
func factory() settings {
	return settings{echo: true, verbose: true, s3: cr, s4: lf, s5: bs, ussdMode: 1}
}

// parameter is a command that reads and sets one number from 0 to top.
func parameter(name string, top int, field func(*settings) *int) func(*session, call) error {
	if isLetter(name[0]) {
		name = "+" + name
	}
	return func(s *session, c call) error {
		value := field(&s.d.settings)
		switch c.form {
		case testForm:
			s.infof("%s: (0-%d)", name, top)
		case readForm:
			s.infof("%s: %d", name, *value)
		case execForm:
			return errSyntax
		case setForm:
			p := c.params()
			n, err := p.number(0, *value)
			if err != nil || len(p) > 1 || n > top {
				return errSyntax
			}
			*value = n
		}
		return nil
	}
}

// accepted is a command without effect on a stick: it takes what it is given.
func accepted(*session, call) error { return nil }

// text is a command that answers one line, and OK to its test.
func text(line func(*Dongle) string) func(*session, call) error {
	return func(s *session, c call) error {
		switch c.form {
		case execForm:
			if slices.Contains(s.d.opts.Quirks.Prefixed, c.name) {
				s.infof("+%s: %s", c.name, line(s.d))
				return nil
			}
			s.info(line(s.d))
		case testForm:
		default:
			return errSyntax
		}
		return nil
	}
}

// prefixed is text with the command's name in front, which may be asked for with ? as well.
func prefixed(name string, value func(*Dongle) string) func(*session, call) error {
	return func(s *session, c call) error {
		if c.form == execForm || c.form == readForm {
			s.info(fmt.Sprintf("+%s: %s", name, value(s.d)))
			return nil
		}
		if c.form == testForm {
			return nil
		}
		return errSyntax
	}
}
