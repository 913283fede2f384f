package probe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dongled/modem"
)

// AskTimeout bounds Ask, whatever the port does.
const AskTimeout = 8 * time.Second

const (
	// closeTime is what of it is left for closing the port.
	closeTime = time.Second
	wakeTries = 3
	wakeTime  = time.Second
	queryTime = 2 * time.Second
	// quiet is how long late answers are waited for.
	quiet = 200 * time.Millisecond
	// simPoll is the time between two looks at a SIM that is busy.
	simPoll = 500 * time.Millisecond
)

// An Answer is what a port said of itself.
type Answer struct {
	// AT says that the port answered AT with OK.
	AT bool `json:"at"`
	// NMEA says that the port speaks the language of satellite receivers unasked.
	NMEA bool `json:"nmea,omitempty"`
	// Manufacturer, Model, Revision: +CGMI, +CGMM, +CGMR (TS 27.007 sections 5.1 to 5.3).
	Manufacturer string `json:"manufacturer,omitempty"`
	Model        string `json:"model,omitempty"`
	Revision     string `json:"revision,omitempty"`
	// IMEI is the dongle's (+CGSN), IMSI the SIM's (+CIMI).
	IMEI string `json:"imei,omitempty"`
	IMSI string `json:"imsi,omitempty"`
	// Problem is one of package modem's Problem identifiers: why there is no AT or no IMSI.
	Problem string `json:"problem,omitempty"`
	// Detail is the error or the dongle's own words behind Problem.
	Detail string `json:"detail,omitempty"`
}

// identified says that the port told whose it is; a port for data calls may answer AT and nothing else.
func (a Answer) identified() bool { return a.IMEI != "" || a.Manufacturer != "" || a.Model != "" }

// Ask opens a port, asks politely who is there, and closes it. It takes AskTimeout at most, and
// about a second where all is well.
func Ask(ctx context.Context, open modem.Opener) Answer {
	ctx, cancel := context.WithTimeout(ctx, AskTimeout-closeTime)
	defer cancel()
	port, err := openWithin(ctx, open)
	if err != nil {
		return Answer{Problem: modem.PortProblem(err), Detail: err.Error()}
	}
	d := converse(ctx, port)
	defer d.end()
	var a Answer
	if err := d.interrogate(&a); err != nil && a.Problem == "" {
		a.Problem, a.Detail = modem.ProblemPortLost, err.Error()
		if errors.Is(err, errSilent) {
			a.Problem = modem.ProblemNoAnswer
		}
	}
	a.NMEA = d.nmea && !a.AT
	return a
}

// interrogate is the whole of what is asked. Nothing that is said here outlasts the power of the
// dongle, and nothing follows before AT is answered.
func (d *dialogue) interrogate(a *Answer) error {
	if err := d.wake(); err != nil {
		return err
	}
	a.AT = true
	for _, setting := range []string{"ATE0", "AT+CMEE=1"} {
		if _, err := d.ask(setting); err != nil {
			return err
		}
	}
	for _, q := range []struct {
		cmd   string
		value func(string) string
		into  *string
	}{
		{"+CGMI", freeText, &a.Manufacturer},
		{"+CGMM", freeText, &a.Model},
		{"+CGMR", freeText, &a.Revision},
		{"+CGSN", digits(14, 16), &a.IMEI},
	} {
		r, err := d.ask("AT" + q.cmd)
		if err != nil {
			return err
		}
		*q.into = r.value(q.cmd, q.value)
	}
	return d.askSIM(a)
}

// askSIM reads the IMSI, for which the SIM must be unlocked; no PIN is ever tried.
func (d *dialogue) askSIM(a *Answer) error {
	for {
		r, err := d.ask("AT+CPIN?")
		if err != nil {
			return err
		}
		state := r.value("+CPIN", freeText)
		a.Problem, a.Detail = simProblem(state, r.final)
		if a.Problem != "" {
			return nil
		}
		if r, err = d.ask("AT+CIMI"); err != nil {
			return err
		}
		if a.IMSI = r.value("+CIMI", digits(6, 15)); a.IMSI != "" {
			return nil
		}
		a.Problem = modem.ProblemSIMFailure // for good, if there is no time left
		a.Detail = fmt.Sprintf("no IMSI: AT+CPIN? says %q, AT+CIMI %q", state, r.final)
		if err := d.pause(simPoll); err != nil {
			return err
		}
	}
}

// simProblem reads <code> of +CPIN? (TS 27.007 section 8.3) or the error in its place (section 9.2);
// empty if the SIM is ready, busy or does not tell.
func simProblem(state, final string) (problem, detail string) {
	switch state {
	case "READY", "SIM PIN2", "SIM PUK2": // the second PIN has no part in messages
		return "", ""
	case "SIM PIN":
		return modem.ProblemPINNeeded, state
	case "SIM PUK":
		return modem.ProblemPUKNeeded, state
	case "":
		code, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(final, "+CME ERROR:")))
		if err != nil {
			return "", ""
		}
		if fault := modem.CME(code); fault.Warning != "" {
			return fault.Warning, final
		}
		return "", ""
	}
	return modem.ProblemSIMLocked, state
}
