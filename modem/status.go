package modem

import "time"

// State is where a Worker stands with its dongle.
type State string

// The states of a Worker. Only StateReady accepts submissions.
const (
	// StateOpening: the port is being opened.
	StateOpening State = "opening"
	// StateIdentifying: the port is open and the dongle is being set up.
	StateIdentifying State = "identifying"
	// StateNeedsPIN: the SIM wants a PIN or PUK that the Worker does not have or must not try.
	StateNeedsPIN State = "needs-pin"
	// StateNotRegistered: the dongle works but has no network.
	StateNotRegistered State = "not-registered"
	// StateReady: registered; Submit may be called.
	StateReady State = "ready"
	// StatePaused: the dongle works, but the scheduler lets the SIM rest after it was refused.
	StatePaused State = "paused"
	// StateLost: no session; the next one is opened after a back-off.
	StateLost State = "lost"
	// StateStopped: Run has not started, or has ended.
	StateStopped State = "stopped"
)

// The problems a Status can name. They are stable identifiers, to be matched and translated.
const (
	ProblemPortMissing   = "port-missing"
	ProblemPortDenied    = "port-denied"
	ProblemPortBusy      = "port-busy"
	ProblemPortError     = "port-error"
	ProblemNoAnswer      = "no-answer"
	ProblemOutOfStep     = "out-of-step"
	ProblemPortLost      = "port-lost"
	ProblemModemFault    = "modem-fault"
	ProblemNoSIM         = "no-sim"
	ProblemSIMFailure    = "sim-failure"
	ProblemSIMLocked     = "sim-locked"
	ProblemPINNeeded     = "pin-needed"
	ProblemPINRefused    = "pin-refused"
	ProblemPUKNeeded     = "puk-needed"
	ProblemNotRegistered = "not-registered"
	ProblemDenied        = "registration-denied"
	ProblemSMSC          = "smsc-refused"
	ProblemNoPDUMode     = "no-pdu-mode"
)

// hints says to a person what to do about each problem.
var hints = map[string]string{
	ProblemPortMissing:   "the port does not exist: is the dongle plugged in, and is the path right?",
	ProblemPortDenied:    "no permission for the port: add the daemon's user to the group that owns it (often dialout)",
	ProblemPortBusy:      "another program holds the port: stop it (ModemManager often does)",
	ProblemPortError:     "the port cannot be opened as a serial line: does the path name the dongle's AT port?",
	ProblemNoAnswer:      "the port opens but nothing answers AT: try the dongle's other ports, or replug it",
	ProblemOutOfStep:     "the dongle gave answers that fit no question; it is being set up anew",
	ProblemPortLost:      "the dongle hung up: check plug, hub and power supply",
	ProblemModemFault:    "the dongle reported a fault of its own; it is being set up anew",
	ProblemNoSIM:         "no SIM card is seen: insert it, or clean its contacts",
	ProblemSIMFailure:    "the SIM card does not work: reinsert it, or try it in a telephone",
	ProblemSIMLocked:     "the dongle is locked to another network or SIM: unlock it, or use another dongle",
	ProblemPINNeeded:     "the SIM asks for its PIN: configure pin for this modem",
	ProblemPINRefused:    "the SIM refused the PIN, or has too few tries left to risk it; no further try is made: correct pin, then restart",
	ProblemPUKNeeded:     "the SIM is blocked: enter the PUK in a telephone",
	ProblemNotRegistered: "no network yet: check antenna, coverage and that the SIM is active",
	ProblemDenied:        "the network refuses this SIM: ask its operator",
	ProblemSMSC:          "the SIM does not take the configured smsc: check the number",
	ProblemNoPDUMode:     "the dongle does not take AT+CMGF=0 (PDU mode) on this port: try its other ports",
}

// Status is what is known of one dongle and its SIM.
// The zero value of a field means that it is not known.
type Status struct {
	// SIM is the simNumber from the configuration.
	SIM  int
	Port string

	State State
	// Problem names what keeps the dongle from sending, one of the Problem constants;
	// empty when ready. It stays while a new session is tried.
	Problem string
	// Hint says to a person what to do about Problem.
	Hint string

	// IMEI is the dongle's identity (AT+CGSN).
	IMEI string
	// IMSI and ICCID are the SIM's (AT+CIMI; AT+CCID or EF-ICCID).
	IMSI, ICCID string
	// Manufacturer, Model and Revision as the dongle gives them (AT+CGMI, +CGMM, +CGMR).
	Manufacturer, Model, Revision string
	// Name is what the configuration calls the SIM; empty if it does not.
	Name string
	// Number is the subscriber's own: as configured, or else as the SIM holds it (AT+CNUM); many do not.
	Number string
	// SMSC is the service centre address in use (AT+CSCA).
	SMSC string
	// Operator is the network registered with (AT+COPS).
	Operator string
	// Generation of the network's radio is 2 (GSM) to 5 (NR), from <AcT> of AT+COPS.
	Generation int

	// Registration is <stat> of +CREG, +CGREG or +CEREG (TS 27.007 section 7.2), the best of the three.
	Registration int
	// SignalDBM is the received level from AT+CSQ in dBm, -113 to -51; 0 if not known.
	SignalDBM int
	// Reports says that the dongle passes status reports on (AT+CNMI took a <ds> other than 0).
	Reports bool

	// Profile is the family the dongle was recognised as, such as huawei-e173; "generic" otherwise.
	Profile string
	// Storage is how full the memories for short messages are (AT+CPMS), those that the dongle has.
	Storage [3]Memory

	// Tty is the device node in use, which Port may only describe (imei:…, usb:VID:PID).
	Tty string
	// Enumerations counts how often the port came back after it was lost or missing, but for what we
	// did ourselves; EnumeratedAt is when, latest first.
	Enumerations int
	EnumeratedAt [4]time.Time
	// Resets counts the steps taken in the last 24 hours to bring the dongle back, beyond opening the
	// port anew; LastReset names the latest, and LastResetAt is when.
	Resets      int
	LastReset   string
	LastResetAt time.Time
	// Host is what the machine around the dongle suffers from.
	Host Host
	// Balance is what the operator last told of the account. A Worker does not know it; the
	// scheduler fills it in where a check is configured.
	Balance Balance

	// LastSeen is when the dongle last answered a command well.
	LastSeen time.Time
	// Sessions counts the openings of the port since the Worker was made.
	Sessions int
}

// Memory is one memory for short messages.
type Memory struct {
	// Name is "SM" (SIM), "ME" (dongle), "SR" (status reports) ….
	Name string
	// Used of Total places are taken.
	Used, Total int
}

// Host is what the machine around a dongle suffers from.
type Host struct {
	// UnderVoltage says that the machine noticed too little supply voltage since it was started.
	UnderVoltage bool
	// Holder names a program that holds the port or probes it, such as ModemManager; empty for none.
	Holder string
}

// Balance is the credit of a prepaid SIM.
type Balance struct {
	// Amount is in the operator's currency.
	Amount float64
	// At is when the operator told it; zero if it never did.
	At time.Time
	// Low says that Amount is below what was configured.
	Low bool
}

// advance notes progress, except while a problem stands: each new session meets it again, and
// the state would only flap.
func (s *Status) advance(to State) {
	if s.Problem == "" {
		s.State = to
	}
}

func (s *Status) enumerated(at time.Time) {
	s.Enumerations++
	copy(s.EnumeratedAt[1:], s.EnumeratedAt[:])
	s.EnumeratedAt[0] = at
}

// Ready reports whether Submit may be called with hope.
func (s Status) Ready() bool { return s.State == StateReady }

// Registered reports whether a registration <stat> allows short messages: home or roaming, in
// full, for SMS only, or with circuit-switched fallback not preferred (TS 27.007 section 7.2).
func Registered(stat int) bool {
	switch stat {
	case 1, 5, 6, 7, 9, 10:
		return true
	}
	return false
}
