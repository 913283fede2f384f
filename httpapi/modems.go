package httpapi

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/modem"
)

// Modems is the fleet of dongles as this package needs it. Only the USSD methods may wait.
type Modems interface {
	// Modems is the status of every dongle, by simNumber.
	Modems() []modem.Status
	// Trace is the latest of the dialogue with a dongle, oldest first. Numbers and the contents of
	// messages are masked unless texts is set; a PIN always is.
	Trace(sim int, texts bool) (lines []modem.TraceLine, found bool)
	// USSD sends a code, or the reply to an open dialogue, and waits for the network's answer. The
	// error is one of modem's ErrUSSD…, modem.ErrNotReady, or that of ctx.
	USSD(ctx context.Context, sim int, code string) (modem.USSD, error)
	// CancelUSSD ends a dialogue; it is no error that there is none.
	CancelUSSD(ctx context.Context, sim int) error
	// Sweep has the dongles searched for messages that they keep. It does not wait.
	Sweep()
}

var errNoModem = &statusError{fiber.StatusNotFound, "no modem has this simNumber"}

// modems answers GET /modems.
func (s *Server) modems(c *fiber.Ctx) error {
	now := time.Now()
	list := s.opt.Modems.Modems()
	states := make([]modemState, 0, len(list))
	for _, m := range list {
		states = append(states, newModemState(m, now))
	}
	return c.JSON(states)
}

// modem answers GET /modems/{sim}.
func (s *Server) modem(c *fiber.Ctx) error {
	m, err := s.named(c)
	if err != nil {
		return err
	}
	return c.JSON(newModemState(m, time.Now()))
}

// named finds the modem that the path names.
func (s *Server) named(c *fiber.Ctx) (modem.Status, error) {
	sim := c.Params("sim")
	for _, m := range s.opt.Modems.Modems() {
		if strconv.Itoa(m.SIM) == sim {
			return m, nil
		}
	}
	return modem.Status{}, errNoModem
}

// textScopes are wanted, besides that of logs, for the texts in a dialogue: they are messages, of both
// directions.
var textScopes = []string{"messages:read", "inbox:list"}

// trace answers GET /modems/{sim}/trace.
func (s *Server) trace(c *fiber.Ctx) error {
	q := queryOf(c)
	texts := q.flag("texts")
	if q.err != nil {
		return q.err
	}
	for _, scope := range textScopes {
		if texts && !identity(c).May(scope) {
			return refuse(c, &auth.Forbidden{Scope: scope})
		}
	}
	m, err := s.named(c)
	if err != nil {
		return err
	}
	lines, found := s.opt.Modems.Trace(m.SIM, texts)
	if !found {
		return errNoModem
	}
	dialogue := make([]traceLine, 0, len(lines))
	for _, l := range lines {
		dialogue = append(dialogue, traceLine{stamp(l.At), l.Sent, l.Text})
	}
	return c.JSON(dialogue)
}

// modemState is a modem.Status on the wire. A field that is absent is not known or empty.
type modemState struct {
	SIMNumber int    `json:"simNumber"`
	Name      string `json:"name,omitempty"`
	State     string `json:"state"`
	Problem   string `json:"problem,omitempty"`
	Hint      string `json:"hint,omitempty"`
	// Warnings name what a person should look at, gravest trouble included.
	Warnings []warning `json:"warnings"`

	Port         string `json:"port,omitempty"`
	TTY          string `json:"tty,omitempty"`
	Profile      string `json:"profile,omitempty"`
	Manufacturer string `json:"manufacturer,omitempty"`
	Model        string `json:"model,omitempty"`
	Revision     string `json:"revision,omitempty"`
	IMEI         string `json:"imei,omitempty"`
	IMSI         string `json:"imsi,omitempty"`
	ICCID        string `json:"iccid,omitempty"`
	PhoneNumber  string `json:"phoneNumber,omitempty"`
	SMSC         string `json:"smsc,omitempty"`
	CarrierName  string `json:"carrierName,omitempty"`
	Registration string `json:"registration,omitempty"`
	SignalDBM    int    `json:"signalDbm,omitempty"`
	// DeliveryReports says that the dongle passes status reports on.
	DeliveryReports bool     `json:"deliveryReports"`
	Storage         []memory `json:"storage"`
	Balance         *balance `json:"balance,omitempty"`

	Sessions     int    `json:"sessions"`
	Enumerations int    `json:"enumerations"`
	Resets       int    `json:"resets"`
	LastReset    string `json:"lastReset,omitempty"`
	LastResetAt  *stamp `json:"lastResetAt,omitempty"`
	LastSeen     *stamp `json:"lastSeen,omitempty"`
}

type warning struct {
	ID       string       `json:"id"`
	Severity healthStatus `json:"severity"`
	Text     string       `json:"text"`
}

// memory is one memory for short messages, by its name in TS 27.005 section 3.2.2.
type memory struct {
	Name  string `json:"name"`
	Used  int    `json:"used"`
	Total int    `json:"total"`
}

type balance struct {
	Amount float64 `json:"amount"`
	Low    bool    `json:"low"`
	At     stamp   `json:"at"`
}

type traceLine struct {
	At   stamp  `json:"at"`
	Sent bool   `json:"sent"`
	Text string `json:"text"`
}

// registrations names the <stat> of TS 27.007 section 7.2, by their value.
var registrations = [...]string{
	"not-registered", "home", "searching", "denied", "unknown", "roaming", "home-sms-only",
	"roaming-sms-only", "emergency-only", "home-csfb-not-preferred", "roaming-csfb-not-preferred",
	"emergency-rlos",
}

func newModemState(m modem.Status, now time.Time) modemState {
	state := modemState{
		SIMNumber: m.SIM, Name: m.Name, State: string(m.State), Problem: m.Problem, Hint: m.Hint,
		Warnings: []warning{},
		Port:     m.Port, TTY: m.Tty, Profile: m.Profile,
		Manufacturer: m.Manufacturer, Model: m.Model, Revision: m.Revision,
		IMEI: m.IMEI, IMSI: m.IMSI, ICCID: m.ICCID, PhoneNumber: m.Number,
		SMSC: m.SMSC, CarrierName: m.Operator, SignalDBM: m.SignalDBM,
		DeliveryReports: m.Reports, Storage: []memory{},
		Sessions: m.Sessions, Enumerations: m.Enumerations, Resets: m.Resets, LastReset: m.LastReset,
		LastResetAt: known(m.LastResetAt), LastSeen: known(m.LastSeen),
	}
	if m.Registration >= 0 && m.Registration < len(registrations) {
		state.Registration = registrations[m.Registration]
	}
	for _, w := range m.Warnings(now) {
		state.Warnings = append(state.Warnings, warning{w.ID, severity(w), w.Text})
	}
	for _, s := range m.Storage {
		if s.Name != "" {
			state.Storage = append(state.Storage, memory{s.Name, s.Used, s.Total})
		}
	}
	if b := m.Balance; !b.At.IsZero() {
		state.Balance = &balance{b.Amount, b.Low, stamp(b.At)}
	}
	return state
}

func severity(w modem.Warning) healthStatus {
	if w.Severity == modem.SeverityFail {
		return fail
	}
	return warn
}

// known is nil for a time that is not.
func known(t time.Time) *stamp {
	if t.IsZero() {
		return nil
	}
	at := stamp(t)
	return &at
}
