package virtual

import (
	"strconv"
)

// basicCommands are those of V.250 that matter without a call.
var basicCommands = map[string]command{
	"E": {do: flag(func(p *settings) *bool { return &p.echo })},
	"V": {do: flag(func(p *settings) *bool { return &p.verbose })},
	"Q": {do: flag(func(p *settings) *bool { return &p.quiet })},
	"Z": {do: func(s *session, _ call) error {
		s.d.settings = s.d.profile
		s.d.routingChanged()
		return nil
	}},
	"&F": {do: func(s *session, _ call) error {
		s.d.settings = factory()
		s.d.routingChanged()
		return nil
	}},
	"&W": {do: func(s *session, _ call) error {
		s.d.profile = s.d.settings
		return nil
	}},
	"S3": {do: sRegister(func(p *settings) *byte { return &p.s3 })},
	"S4": {do: sRegister(func(p *settings) *byte { return &p.s4 })},
	"S5": {do: sRegister(func(p *settings) *byte { return &p.s5 })},
	"I": {do: func(s *session, _ call) error {
		s.info(s.d.opts.Manufacturer)
		s.info(s.d.opts.Model)
		s.info(s.d.opts.Revision)
		return nil
	}},
	"D":  {do: noCall},
	"A":  {do: noCall},
	"O":  {do: noCall},
	"L":  {do: accepted},
	"M":  {do: accepted},
	"X":  {do: accepted},
	"&C": {do: accepted},
	"&D": {do: accepted},
	"&K": {do: accepted},
	"&S": {do: accepted},
	"S0": {do: accepted},
	"S7": {do: accepted},
}

// flag is a basic command that is off with 0 and on with 1; no number means 0.
func flag(field func(*settings) *bool) func(*session, call) error {
	return func(s *session, c call) error {
		switch c.args {
		case "", "0":
			*field(&s.d.settings) = false
		case "1":
			*field(&s.d.settings) = true
		default:
			return errSyntax
		}
		return nil
	}
}

// sRegister is S3, S4 or S5: a character 0 to 127 (V.250 6.2.1 to 6.2.3).
func sRegister(field func(*settings) *byte) func(*session, call) error {
	return func(s *session, c call) error {
		value := field(&s.d.settings)
		if c.form == readForm {
			s.infof("%03d", *value)
			return nil
		}
		n, err := strconv.ParseUint(c.args, 10, 7)
		if err != nil {
			return errSyntax
		}
		*value = byte(n)
		return nil
	}
}

func noCall(*session, call) error { return errNoCarrier }
