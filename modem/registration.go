package modem

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A domain is one of the three networks a dongle can be registered with; short messages go over
// any of them (TS 27.007 sections 7.2, 10.1.20 and 10.1.22).
type domain uint8

const (
	circuit domain = iota
	packet
	evolved
	domains
)

var domainCommands = [domains]string{circuit: "+CREG", packet: "+CGREG", evolved: "+CEREG"}

func isRegistration(name string) bool {
	return name == "+CREG" || name == "+CGREG" || name == "+CEREG"
}

func domainOf(name string) domain {
	switch name {
	case "+CGREG":
		return packet
	case "+CEREG":
		return evolved
	}
	return circuit
}

// isRegistrationAnswer tells "<n>,<stat>[,…]", the answer to a question, from the URC
// "<stat>[,<lac>,…]", whose <lac> is quoted or of four digits.
func isRegistrationAnswer(args []byte) bool {
	fields := bytes.SplitN(args, []byte(","), 3)
	if len(fields) < 2 {
		return false
	}
	stat := bytes.TrimSpace(fields[1])
	_, err := strconv.Atoi(string(stat))
	return err == nil && len(stat) <= 2
}

// registration holds <stat> by domain; unknownStat before it is known or where the dongle does
// not have the domain.
type registration [domains]int

const (
	unknownStat        = -1
	registrationDenied = 3
)

var unregistered = registration{unknownStat, unknownStat, unknownStat}

// best is the <stat> that says most: registered, else that of the circuit domain, else any.
func (r registration) best() int {
	for _, stat := range r {
		if Registered(stat) {
			return stat
		}
	}
	for _, stat := range r {
		if stat != unknownStat {
			return stat
		}
	}
	return 0
}

// denied says that a network refuses us, or allows emergency calls only. That of the packet
// domain says nothing: many a SIM is for calls and messages alone.
func (r registration) denied() bool {
	const emergencyOnly = 8
	for _, d := range []domain{circuit, evolved} {
		if r[d] == registrationDenied || r[d] == emergencyOnly {
			return true
		}
	}
	return false
}

// used is the domain whose news matter most: one we are registered with.
func (r registration) used() domain {
	for d, stat := range r {
		if Registered(stat) {
			return domain(d)
		}
	}
	return circuit
}

// register switches the URCs on and asks where we stand. One domain at least must answer.
func (s *session) register() error {
	for d := range domains {
		if err := s.try(domainCommands[d] + "=1"); err != nil {
			return err
		}
		if err := s.askRegistration(d); err != nil {
			return err
		}
	}
	if s.w.registered() == unregistered {
		return fault(ProblemModemFault, errors.New("no answer to AT+CREG?, AT+CGREG? or AT+CEREG?"))
	}
	if err := s.try("+COPS=3,0"); err != nil { // long alphanumeric names
		return err
	}
	if err := s.askOperator(); err != nil {
		return err
	}
	return s.askSignal()
}

// askRegistration reads <stat> of one domain; a dongle may lack it.
func (s *session) askRegistration(d domain) error {
	command := domainCommands[d]
	args, err := s.ask(command+"?", command)
	if err != nil {
		return err
	}
	before := s.w.registered()[d]
	if args == "" {
		return s.doubt(d, before)
	}
	stat, err := strconv.Atoi(field(args, 1))
	if err != nil {
		return outOfStep(fmt.Errorf("%s answered %q", command, args))
	}
	s.doubts[d] = 0
	s.setRegistration(d, stat)
	if Registered(before) && !Registered(stat) { // and maybe in the others, too
		signal(s.refresh)
	}
	return nil
}

// doubt notes that a domain gave no answer. One that did before has the question repeated, and then
// the session ends: a dongle that says ERROR or a bare OK to everything would otherwise pass for
// registered for ever.
func (s *session) doubt(d domain, before int) error {
	if before == unknownStat {
		return nil
	}
	if s.doubts[d]++; s.doubts[d] > 1 {
		return outOfStep(fmt.Errorf("no answer to %s? any more", domainCommands[d]))
	}
	signal(s.refresh)
	return nil
}

// setRegistration notes news of one domain, from an answer or from a URC.
func (s *session) setRegistration(d domain, stat int) {
	s.w.update(func(st *Status) {
		s.w.reg[d] = stat
		st.Registration = s.w.reg.best()
		s.w.settle(st)
	})
}

// network are the questions about the network, one command each.
var network = []func(*session) error{
	func(s *session) error { return s.askRegistration(circuit) },
	(*session).askSignal,
	func(s *session) error { return s.askRegistration(packet) },
	func(s *session) error { return s.askRegistration(evolved) },
	(*session).askOperator,
}

// recheck has all questions about the network asked.
func (s *session) recheck() {
	for _, ask := range network {
		s.check(func() error { return ask(s) })
	}
	if !s.w.ready() {
		s.check(s.checkCard)
	}
}

// checkNext has one of them asked, which also shows that the modem lives: every other time about
// the registration that matters, for some dongles do not tell of its loss.
func (s *session) checkNext() {
	s.workedAt = time.Now()
	n := s.nextCheck
	s.nextCheck++
	if n%2 == 0 {
		s.check(func() error { return s.askRegistration(s.w.registered().used()) })
		return
	}
	ask := network[n/2%len(network)]
	s.check(func() error { return ask(s) })
}

// askOperator reads the name of the network, and by what radio it is reached.
func (s *session) askOperator() error {
	args, err := s.ask("+COPS?", "+COPS")
	if err != nil {
		return err
	}
	s.w.update(func(st *Status) { st.Operator, st.Generation = field(args, 2), generation(field(args, 3)) })
	return nil
}

// generation of a radio access technology by its <AcT> (TS 27.007 section 7.3); 0 is unknown.
func generation(act string) int {
	generations := [...]int{
		0: 2, 1: 2, 2: 3, 3: 2, 4: 3, 5: 3, 6: 3, 7: 4,
		8: 2, 9: 4, // GSM and LTE for things
		10: 4, 11: 5, // LTE and NR at a 5G core
		12: 5, 13: 5, // NG-RAN; LTE with NR beside it
	}
	n, err := strconv.Atoi(act)
	if err != nil || n < 0 || n >= len(generations) {
		return 0
	}
	return generations[n]
}

func (s *session) askSignal() error {
	args, err := s.ask("+CSQ", "+CSQ")
	if err != nil {
		return err
	}
	s.w.update(func(st *Status) { st.SignalDBM = signalDBM(field(args, 0)) })
	return nil
}

// signalDBM turns <rssi> of +CSQ (TS 27.007 section 8.5) into dBm; 0 is unknown.
func signalDBM(rssi string) int {
	n, err := strconv.Atoi(rssi)
	if err != nil || n < 0 || n > 31 {
		return 0
	}
	return 2*n - 113
}

// field is the n-th of the comma-separated fields of an answer, without its quotes.
func field(args string, n int) string {
	quoted := false
	fields := strings.FieldsFunc(strings.ReplaceAll(args, ",", " ,"), func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
	if n >= len(fields) {
		return ""
	}
	return strings.Trim(strings.ReplaceAll(strings.TrimSpace(fields[n]), " ,", ","), `"`)
}
