package modem

import (
	"fmt"
	"slices"
	"time"
)

// A Warning is something about a dongle that a person can act on.
type Warning struct {
	// ID is stable: one of the Problem or Warning constants, or what the scheduler put into
	// Status.Problem.
	ID string
	// Severity is SeverityFail or SeverityWarn.
	Severity string
	// Text says what is wrong and what to do about it.
	Text string
}

const (
	// SeverityWarn: the dongle works, but not as well as it could, or may not for long.
	SeverityWarn = "warn"
	// SeverityFail: it cannot send or cannot receive.
	SeverityFail = "fail"
)

// The warnings that are no problems of a session.
const (
	WarningUnderVoltage      = "under-voltage"
	WarningPortHeld          = "port-held"
	WarningReenumerating     = "re-enumerating"
	WarningWeakSignal        = "weak-signal"
	WarningSMSCMissing       = "smsc-missing"
	WarningStorageFull       = "storage-full"
	WarningStorageNearlyFull = "storage-nearly-full"
	WarningNoReports         = "no-reports"
	WarningRecentlyReset     = "recently-reset"
	WarningLowBalance        = "low-balance"
)

const (
	// weakSignal is +CSQ 4 in dBm (TS 27.007 section 8.5); below it sending often fails.
	weakSignal = -105
	// nearlyFull is the part of a memory in per cent from which it is worth a look.
	nearlyFull = 80
	// recently bounds what is told of resets and enumerations.
	recently = time.Hour
)

// A warnable is a state of affairs that may be warned of.
type warnable struct {
	id, severity string
	// holds says whether it is so, and text what to say of it.
	holds func(st Status, now time.Time) bool
	text  func(st Status) string
	// follows are what it is a mere consequence of. While one of them holds it is not told, and
	// passes its severity on.
	follows []string
}

// warnables is in the order in which warnings are told: causes stand before what follows from them.
var warnables = []warnable{
	{WarningUnderVoltage, SeverityWarn,
		func(st Status, _ time.Time) bool { return st.Host.UnderVoltage },
		says("the machine noticed too little supply voltage, which makes dongles fail: use a stronger power supply, or a hub with its own"), nil},
	{WarningPortHeld, SeverityWarn,
		func(st Status, _ time.Time) bool { return st.Host.Holder != "" },
		func(st Status) string {
			return fmt.Sprintf("%s uses the dongle's ports: stop it, or keep it off this dongle", st.Host.Holder)
		}, nil},
	{WarningReenumerating, SeverityWarn, reenumerating,
		says("the dongle keeps falling off the bus: check plug, cable, hub and power supply"), []string{WarningUnderVoltage}},
	problem(ProblemPortMissing),
	problem(ProblemPortDenied),
	problem(ProblemPortBusy, WarningPortHeld),
	problem(ProblemPortError),
	problem(ProblemPortLost, WarningUnderVoltage, WarningReenumerating),
	problem(ProblemNoAnswer, WarningPortHeld),
	problem(ProblemOutOfStep, WarningPortHeld),
	problem(ProblemModemFault),
	problem(ProblemNoPDUMode),
	problem(ProblemNoSIM),
	problem(ProblemSIMFailure),
	problem(ProblemSIMLocked),
	problem(ProblemPINNeeded),
	problem(ProblemPINRefused),
	problem(ProblemPUKNeeded),
	problem(ProblemSMSC),
	problem(ProblemDenied),
	{WarningWeakSignal, SeverityWarn,
		func(st Status, _ time.Time) bool { return st.SignalDBM != 0 && st.SignalDBM < weakSignal },
		func(st Status) string {
			return fmt.Sprintf("the signal is weak, %d dBm: move the dongle or its antenna, for instance by a USB extension cable", st.SignalDBM)
		}, []string{ProblemDenied}},
	problem(ProblemNotRegistered, WarningWeakSignal),
	{WarningSMSCMissing, SeverityFail,
		func(st Status, _ time.Time) bool { return st.isUp() && st.SMSC == "" },
		says("the SIM holds no service centre address, so that nothing can be sent: configure smsc for this modem; its operator knows the number"), nil},
	{WarningStorageFull, SeverityFail,
		func(st Status, _ time.Time) bool { return len(st.filled(100)) > 0 },
		func(st Status) string {
			return fmt.Sprintf("the memory for messages is full (%s), so that nothing more comes in: delete what is not ours, by a telephone", st.filled(100))
		}, nil},
	{WarningStorageNearlyFull, SeverityWarn,
		func(st Status, _ time.Time) bool { return len(st.filled(nearlyFull)) > 0 },
		func(st Status) string {
			return fmt.Sprintf("the memory for messages is nearly full (%s): delete what is not ours, by a telephone", st.filled(nearlyFull))
		}, []string{WarningStorageFull}},
	{WarningNoReports, SeverityWarn,
		func(st Status, _ time.Time) bool { return st.isUp() && !st.Reports },
		says("the dongle does not pass delivery reports on, so that messages stay at sent: use another dongle if you need them"), nil},
	{WarningRecentlyReset, SeverityWarn,
		func(st Status, now time.Time) bool {
			return st.Resets > 0 && st.Problem == "" && now.Sub(st.LastResetAt) < recently
		},
		func(st Status) string {
			return fmt.Sprintf("the dongle had to be reset, %d times in a day, last by %s: if that goes on, check its power supply, or replace it", st.Resets, st.LastReset)
		}, []string{WarningUnderVoltage, WarningReenumerating}},
	{WarningLowBalance, SeverityWarn,
		func(st Status, _ time.Time) bool { return st.Balance.Low },
		says("the balance is below what was configured: top the SIM up"), nil},
}

// problem is the row of a Status.Problem.
func problem(id string, follows ...string) warnable {
	return warnable{id, SeverityFail, func(st Status, _ time.Time) bool { return st.Problem == id }, says(hints[id]), follows}
}

func says(text string) func(Status) string { return func(Status) string { return text } }

func reenumerating(st Status, now time.Time) bool {
	oldest := st.EnumeratedAt[len(st.EnumeratedAt)-1]
	return !oldest.IsZero() && now.Sub(oldest) < recently
}

// isUp says that a session has asked the dongle all it wants to know.
func (s Status) isUp() bool {
	return s.State == StateReady || s.State == StateNotRegistered || s.State == StatePaused
}

// filled names the memories that are taken by so many per cent at least.
func (s Status) filled(percent int) string {
	var list string
	for _, m := range s.Storage {
		if m.Total > 0 && m.Used*100 >= m.Total*percent {
			if list != "" {
				list += ", "
			}
			list += fmt.Sprintf("%s: %d of %d", m.Name, m.Used, m.Total)
		}
	}
	return list
}

// Warnings says what a person should look at, causes only: what follows from another warning is
// left out, and that one is as severe as what it hides.
func (s Status) Warnings(now time.Time) []Warning {
	severity := make(map[string]string)
	for _, w := range warnables {
		if w.holds(s, now) {
			severity[w.id] = w.severity
		}
	}
	var list []Warning
	for _, w := range slices.Backward(warnables) {
		grade, holds := severity[w.id]
		if !holds {
			continue
		}
		hidden := false
		for _, cause := range w.follows {
			if _, holds := severity[cause]; holds {
				hidden = true
				if grade == SeverityFail {
					severity[cause] = grade
				}
			}
		}
		if !hidden {
			list = append(list, Warning{w.id, grade, w.text(s)})
		}
	}
	slices.Reverse(list)
	if _, known := hints[s.Problem]; s.Problem != "" && !known { // the scheduler's
		list = append(list, Warning{s.Problem, SeverityWarn, s.Hint})
	}
	return list
}
