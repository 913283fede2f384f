package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"dongled/modem"
)

// level is the result of a check.
type level string

const (
	levelOK   level = "ok"
	levelWarn level = "warn"
	levelFail level = "fail"
)

// check is one question that doctor answers.
type check struct {
	// Name is stable; SIM and Port say which modem it is about, if it is about one.
	Name string `json:"name"`
	SIM  int    `json:"sim,omitempty"`
	Port string `json:"port,omitempty"`

	Status level `json:"status"`
	// Detail is what was found, Hint what to do about it.
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"`
}

// modemCheck turns the warnings of a modem's status into the answer to one question.
type modemCheck struct {
	name string
	// covers are the warnings that answer it with warn or fail.
	covers []string
	// detail is what is shown without one; nil shows the check where it failed only.
	detail func(modem.Status) string
}

// modemChecks are in the order in which one needs the other: what follows one that failed is not
// asked. A warning hides those it causes, so causes come first too.
var modemChecks = []modemCheck{
	{"power", []string{modem.WarningUnderVoltage}, nil}, // the machine's check tells of it otherwise
	{"bus", []string{modem.WarningReenumerating}, says("the dongle stays on the bus")},
	{"port", []string{modem.ProblemPortMissing, modem.ProblemPortLost, modem.ProblemPortError}, node},
	{"permission", []string{modem.ProblemPortDenied}, says("the port may be opened")},
	{"holder", []string{modem.ProblemPortBusy, modem.WarningPortHeld}, says("no other program has the port")},
	{atCheck, []string{modem.ProblemNoAnswer, modem.ProblemOutOfStep, modem.ProblemModemFault, modem.ProblemNoPDUMode}, func(st modem.Status) string {
		return fmt.Sprintf("%s, revision %s, IMEI %s", name(st.Manufacturer, st.Model), known(st.Revision), known(st.IMEI))
	}},
	{"sim", []string{
		modem.ProblemNoSIM, modem.ProblemSIMFailure, modem.ProblemSIMLocked,
		modem.ProblemPINNeeded, modem.ProblemPINRefused, modem.ProblemPUKNeeded,
	}, func(st modem.Status) string { return fmt.Sprintf("IMSI %s, ICCID %s", known(st.IMSI), known(st.ICCID)) }},
	{"signal", []string{modem.WarningWeakSignal}, func(st modem.Status) string {
		if st.SignalDBM == 0 {
			return "level not known"
		}
		return fmt.Sprintf("%d dBm", st.SignalDBM)
	}},
	{"registration", []string{modem.ProblemNotRegistered, modem.ProblemDenied}, func(st modem.Status) string {
		return fmt.Sprintf("network %s, registration %d", known(st.Operator), st.Registration)
	}},
	{"smsc", []string{modem.ProblemSMSC, modem.WarningSMSCMissing}, func(st modem.Status) string { return known(st.SMSC) }},
	{"storage", []string{modem.WarningStorageFull, modem.WarningStorageNearlyFull}, storage},
	{"reports", []string{modem.WarningNoReports}, says("status reports are passed on (+CNMI takes a <ds>)")},
	{"resets", []string{modem.WarningRecentlyReset}, func(st modem.Status) string { return fmt.Sprintf("%d today", st.Resets) }},
}

// atCheck is the first that needs the dongle to have been brought up.
const atCheck = "at"

func says(text string) func(modem.Status) string { return func(modem.Status) string { return text } }

func known(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}

func node(st modem.Status) string {
	if st.Tty != "" && st.Tty != st.Port {
		return st.Port + " is " + st.Tty
	}
	return st.Port
}

func storage(st modem.Status) string {
	var parts []string
	for _, m := range st.Storage {
		if m.Name != "" {
			parts = append(parts, fmt.Sprintf("%s %d of %d", m.Name, m.Used, m.Total))
		}
	}
	if parts == nil {
		return "not told"
	}
	return strings.Join(parts, ", ") + " used"
}

// checkModem answers all questions about one modem. access, if not empty, says why this process may
// not use its node, and what to do.
func checkModem(st modem.Status, now time.Time, access string) []check {
	warnings := st.Warnings(now)
	var out []check
	for _, c := range modemChecks {
		r := c.result(st, warnings)
		switch {
		case c.name == "permission" && access != "":
			r.Status, r.Detail, r.Hint = levelFail, modem.ProblemPortDenied, access
		case c.name == atCheck && st.Problem == "" && !isUp(st.State):
			r.Detail, r.Hint = "the dongle is being brought up", "ask again in a minute"
			r.Status = levelWarn
			return append(out, r)
		}
		if c.detail != nil || r.Status == levelFail {
			out = append(out, r)
		}
		if r.Status == levelFail {
			return out
		}
	}
	return append(out, heldBack(st, warnings))
}

// result is the check, with the worst of the warnings that it covers.
func (c modemCheck) result(st modem.Status, warnings []modem.Warning) check {
	r := check{Name: c.name, SIM: st.SIM, Port: st.Port, Status: levelOK}
	for _, w := range warnings {
		if slices.Contains(c.covers, w.ID) && r.Status != levelFail {
			r.Status, r.Detail, r.Hint = level(w.Severity), w.ID, w.Text
		}
	}
	if r.Status == levelOK && c.detail != nil {
		r.Detail = c.detail(st)
	}
	return r
}

// heldBack has the warnings that no other check covers, which are the scheduler's: a pause, a quota.
func heldBack(st modem.Status, warnings []modem.Warning) check {
	c := modemCheck{name: "sending", detail: says("nothing holds messages back")}
	for _, w := range warnings {
		if !slices.ContainsFunc(modemChecks, func(other modemCheck) bool { return slices.Contains(other.covers, w.ID) }) {
			c.covers = append(c.covers, w.ID)
		}
	}
	return c.result(st, warnings)
}

// isUp says that a session has asked the dongle all there is to know.
func isUp(s modem.State) bool {
	return s == modem.StateReady || s == modem.StateNotRegistered || s == modem.StatePaused
}

// checkMachine answers the questions about the computer.
func checkMachine(m machine, now time.Time) []check {
	return []check{m.clock(now), m.power(), m.rival()}
}

// checkService answers the questions about the daemon that are about no modem.
func checkService(s service) []check { return []check{s.disk(), s.dongles()} }

const (
	// earliestYear is before any release of this program: a clock behind it was never set.
	earliestYear = 2025
	latestYear   = 2099

	// The store is mapped into memory, of which a 32-bit process has 2 GB in one piece at most.
	storeWarn32 = 1 << 30
	storeFail32 = 1900 << 20
)

func (m machine) clock(now time.Time) check {
	c := check{Name: "clock", Status: levelOK, Detail: now.Format(time.RFC3339) + ", synchronised"}
	switch year := now.Year(); {
	case year < earliestYear || year > latestYear:
		c.Status, c.Detail = levelFail, "it is set to "+now.Format(time.DateOnly)
		c.Hint = "messages get wrong times and lifetimes: set the clock, or let systemd-timesyncd or chrony do so"
	case !m.synchronised:
		c.Status, c.Detail = levelWarn, now.Format(time.RFC3339)+", not synchronised"
		c.Hint = "start systemd-timesyncd or chrony: a machine without a battery clock starts with a wrong time"
	}
	return c
}

func (s service) disk() check {
	c := check{Name: "store", Status: levelOK, Detail: fmt.Sprintf("%s, %d MiB", s.store, (s.storeSize+1<<20-1)>>20)}
	switch {
	case s.storeProblem != "":
		c.Status, c.Detail = levelFail, s.storeProblem
		c.Hint = "the daemon must own the directory of store.path: sudo chown -R dongled: DIRECTORY"
	case s.wordSize == 32 && s.storeSize >= storeFail32:
		c.Status = levelFail
		c.Hint = "a 32-bit system cannot hold more than 2 GB: shorten messages.retention and start with a new store, or use a 64-bit system"
	case s.wordSize == 32 && s.storeSize >= storeWarn32:
		c.Status = levelWarn
		c.Hint = "a 32-bit system cannot hold more than 2 GB: shorten messages.retention"
	}
	return c
}

func (m machine) power() check {
	if m.underVoltage {
		return check{
			Name: "power", Status: levelWarn, Detail: "under-voltage since the machine was started",
			Hint: "use a stronger supply or a powered hub: dongles that draw current while they send drop off the bus",
		}
	}
	return check{Name: "power", Status: levelOK, Detail: "no under-voltage noticed"}
}

func (m machine) rival() check {
	if m.modemManager {
		return check{
			Name: "modemmanager", Status: levelWarn, Detail: "ModemManager runs",
			Hint: "it opens every modem it is not told to leave: install 70-dongled.rules, or stop it: sudo systemctl disable --now ModemManager",
		}
	}
	return check{Name: "modemmanager", Status: levelOK, Detail: "ModemManager does not run"}
}

func (s service) dongles() check {
	if s.modems == 0 {
		return check{
			Name: "dongles", Status: levelFail, Detail: "no dongle answers",
			Hint: "plug one in; dongled probe shows every port of every USB modem and what it says",
		}
	}
	return check{Name: "dongles", Status: levelOK, Detail: fmt.Sprintf("%d configured or found", s.modems)}
}
