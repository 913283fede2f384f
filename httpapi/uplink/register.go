package uplink

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"dongled/modem"
)

// registerAfter are the pauses after a registration before the next one, by how many there were in the
// last day: a server that always says 401 does not get thousands of devices.
var registerAfter = []time.Duration{0, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}

// refusedAfter is the pause after a refusal: mostly somebody has to correct the configuration.
const refusedAfter = 5 * time.Minute

const (
	maxName       = 128
	maxCredential = 1024
)

type simCard struct {
	SlotIndex   int    `json:"slotIndex"`
	SIMNumber   int    `json:"simNumber"`
	PhoneNumber string `json:"phoneNumber,omitempty"`
	CarrierName string `json:"carrierName,omitempty"`
	ICCID       string `json:"iccid,omitempty"`
}

// simCards are the cards that can be seen, in the order of their numbers, with the last four characters
// of what they are known by, as SMSGate's app gives them away.
func simCards(modems []modem.Status) []simCard {
	cards := []simCard{}
	for _, m := range modems {
		if m.ICCID == "" && m.IMSI == "" {
			continue
		}
		cards = append(cards, simCard{
			SlotIndex: m.SIM - 1, SIMNumber: m.SIM,
			PhoneNumber: lastFour(m.Number), CarrierName: lastFour(m.Operator), ICCID: lastFour(m.ICCID),
		})
	}
	slices.SortFunc(cards, func(a, b simCard) int { return a.SIMNumber - b.SIMNumber })
	return cards
}

func lastFour(s string) string {
	r := []rune(s)
	return string(r[max(0, len(r)-4):])
}

// register makes this gateway a device of the server, however long that takes. It is false when ctx
// ended before.
func (u *Uplink) register(ctx context.Context, m Messages, before registration) (registration, bool) {
	for failures := 0; ; failures++ {
		made := slices.Concat(before.Made, u.attempts)
		if !sleep(ctx, registerIn(made, time.Now())) {
			return registration{}, false
		}
		known, err := u.registerOnce(ctx, m, before.Made)
		if err == nil {
			u.log.Info("registered with the server", "device", known.ID, "login", known.Login)
			return known, true
		}
		if ctx.Err() != nil {
			return registration{}, false
		}
		pause := backoff(failures)
		var answer *statusError
		if errors.As(err, &answer) && answer.status/100 == 4 {
			pause = refusedAfter
		}
		u.log.Warn("the gateway cannot register with the server", "err", err, "hint", u.registerHint(err), "again_in", pause)
		if !sleep(ctx, pause) {
			return registration{}, false
		}
	}
}

// registerIn is how long the next registration has to wait after those before.
func registerIn(made []time.Time, now time.Time) time.Duration {
	made = lastDay(made, now)
	if len(made) == 0 {
		return 0
	}
	last := slices.MaxFunc(made, time.Time.Compare)
	return last.Add(registerAfter[min(len(made), len(registerAfter)-1)]).Sub(now)
}

// lastDay are those of times that lie in the last day; the future is none of it, since the clock was
// wrong then or is now.
func lastDay(times []time.Time, now time.Time) (recent []time.Time) {
	for _, t := range times {
		if t.After(now.Add(-24*time.Hour)) && !t.After(now) {
			recent = append(recent, t)
		}
	}
	return recent
}

func (u *Uplink) registerHint(err error) string {
	switch {
	case !refused(err, http.StatusUnauthorized, http.StatusForbidden):
		return "see uplink.url"
	case u.opts.Code != "":
		return "a code is valid for a minute and once: get a new one and set uplink.code"
	case u.opts.PrivateToken != "":
		return "see uplink.private_token"
	case u.opts.Username != "":
		return "see uplink.username and uplink.password"
	default:
		return "this server wants one of uplink.private_token, uplink.username and uplink.code"
	}
}

// authorization is the configured way to register.
func (u *Uplink) authorization() string {
	switch o := u.opts; {
	case o.PrivateToken != "":
		return bearer(o.PrivateToken)
	case o.Username != "":
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(o.Username+":"+o.Password))
	case o.Code != "":
		return "Code " + o.Code
	default:
		return ""
	}
}

// newDevice is what a device tells of itself. A push token is missing on purpose: without one the
// server sends its events over the stream.
type newDevice struct {
	Name     string    `json:"name,omitempty"`
	SIMCards []simCard `json:"simCards,omitempty"`
}

// registerOnce registers and stores the answer before anybody uses it.
func (u *Uplink) registerOnce(ctx context.Context, m Messages, made []time.Time) (registration, error) {
	name := []rune(u.opts.Name)
	device := newDevice{Name: string(name[:min(len(name), maxName)]), SIMCards: simCards(m.Modems())}
	answer, err := u.postDevice(ctx, device)
	if refused(err, http.StatusBadRequest, http.StatusUnprocessableEntity) && len(device.SIMCards) > 0 {
		// A server that knows phones may not take so many cards.
		device.SIMCards = nil
		answer, err = u.postDevice(ctx, device)
	}
	if err != nil {
		return registration{}, err
	}
	now := time.Now()
	known := registration{
		URL: u.opts.URL, ID: answer.ID, Token: answer.Token, Login: answer.Login, Password: answer.Password,
		Made: append(lastDay(slices.Concat(made, u.attempts), now), now),
	}
	if err := u.putRegistration(ctx, known); err != nil {
		u.attempts = append(u.attempts, now)
		return registration{}, err
	}
	u.attempts = nil
	return known, nil
}

type madeDevice struct{ ID, Token, Login, Password string }

var errNoDevice = errors.New("the server's answer has no id and token: is uplink.url the base of its device API?")

// postDevice asks the server to make a device. That it may have made one although there is no good
// answer is remembered.
func (u *Uplink) postDevice(ctx context.Context, device newDevice) (made madeDevice, err error) {
	var left atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { left.Store(true) }})
	err = u.call(traced, http.MethodPost, "/device", u.authorization(), device, http.StatusCreated, &made)
	if err == nil && (!credential(made.ID) || !credential(made.Token)) {
		err = errNoDevice
	}
	var answer *statusError
	if err != nil && left.Load() && !errors.As(err, &answer) {
		u.attempts = append(u.attempts, time.Now())
	}
	return made, err
}

// credential reports whether s can be one that goes into a header.
func credential(s string) bool {
	return s != "" && len(s) <= maxCredential && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c <= ' ' || c > '~' })
}

// showAccount shows the user the account that the server made, and remembers that it did.
func (u *Uplink) showAccount(ctx context.Context, known *registration) {
	if known.Password == "" || known.Shown || u.opts.Account == nil {
		return
	}
	u.opts.Account(known.Login, known.Password)
	known.Shown = true
	if err := u.putRegistration(ctx, *known); err != nil && ctx.Err() == nil {
		u.log.Error("it was not stored that the account was shown", "err", err)
	}
}
