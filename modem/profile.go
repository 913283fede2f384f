package modem

import (
	"strings"
	"time"
)

// A Profile is what is known of a family of dongles beyond what its members tell of themselves.
// Everything in it is a preference: a dongle that behaves otherwise is still met, only later.
// There is nothing here about URCs, because the filter lets none of them near a dialogue.
type Profile struct {
	// Name goes into Status.Profile.
	Name string
	// Makers and Models recognise the family: +CGMI has to contain one of Makers, and +CGMM one of
	// Models, both in lower case; an empty list is content with anything.
	Makers, Models []string

	// Init are commands, without AT, that come right after the family is known. They may be
	// refused, and never write what outlasts a power cycle.
	Init []string
	// Restart is said where +CFUN=1,1 is refused, without AT; empty for nothing.
	Restart string
	// SettleTime is the rest after a restart before the port is opened again; 0 is 30 s.
	SettleTime time.Duration

	// NoOK are commands, without AT, that are answered by their line alone, without OK.
	NoOK []string
	// CNMI are the settings of +CNMI to be tried before those derived from +CNMI=?, best first.
	CNMI []string
	// AckNever says that +CNMA does harm, so that AT+CSMS=1, which asks for it, is out of the question.
	AckNever bool
	// PaceBeforePDU is the time between the prompt of AT+CMGS and the PDU, for those that lose
	// octets sent at once.
	PaceBeforePDU time.Duration

	// PackedUSSD says that AT+CUSD takes and gives the text as packed septets (TS 23.038
	// section 6.1.2.3) in hex, whatever its <dcs> and AT+CSCS.
	PackedUSSD bool
}

// profileOf finds the family by the answers to +CGMI and +CGMM.
func profileOf(manufacturer, model string) Profile {
	manufacturer, model = strings.ToLower(manufacturer), strings.ToLower(model)
	for _, p := range profiles {
		if containsOne(manufacturer, p.Makers) && containsOne(model, p.Models) {
			return p
		}
	}
	return genericProfile
}

func containsOne(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return len(parts) == 0
}

// introduce says what the family wants to hear first. A command that was met with silence twice is
// left out.
func (s *session) introduce() error {
	st := s.w.Status()
	s.family = profileOf(st.Manufacturer, st.Model)
	s.w.update(func(st *Status) { st.Profile = s.family.Name })
	for _, cmd := range s.family.Init {
		if err := s.tryLightly(cmd); err != nil {
			return err
		}
	}
	return nil
}
