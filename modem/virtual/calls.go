package virtual

import (
	"errors"
	"fmt"
	"time"
)

// ErrNoCall: the call was not put through, as the dongle is unplugged, not registered or engaged.
var ErrNoCall = errors.New("virtual: the call was not put through")

// ringEvery is the cadence of RING: one second of tone, four of silence.
const ringEvery = 5 * time.Second

// ringing is the one incoming call there can be.
type ringing struct {
	active bool
	number string
	turn   int // counts calls, so that an old timer is known as such
}

// callCommands are those of 27.007 that have to do with a call that comes in. A data stick cannot
// take one: ATA is refused, see noCall.
var callCommands = map[string]command{
	"CRC":  {do: parameter("CRC", 1, func(p *settings) *int { return &p.cellularCodes })},
	"CLIP": {needs: simForCME, do: (*session).clip},
	"CLCC": {do: (*session).clcc},
	"CHUP": {do: (*session).hangUpCall},
	"CPAS": {do: text(func(d *Dongle) string {
		if d.ringing.active {
			return "+CPAS: 3"
		}
		return "+CPAS: 0"
	})},
	"H": {do: (*session).hangUpCall},
}

// Call makes the network ring the dongle, until EndCall or until the TE hangs up. An empty number
// is withheld by the caller. The error is ErrNoCall.
func (d *Dongle) Call(number string) error {
	d.lock()
	defer d.unlock()
	if !d.plugged || !d.registered() || d.ringing.active {
		return ErrNoCall
	}
	d.ringing = ringing{active: true, number: number, turn: d.ringing.turn + 1}
	d.ring(d.ringing.turn)
	return nil
}

// EndCall is the caller giving up. Without effect when nobody calls.
func (d *Dongle) EndCall() {
	d.lock()
	defer d.unlock()
	if d.ringing.active {
		d.ringing.active = false
		d.send("NO CARRIER")
	}
}

// ring indicates the call and goes on doing so. mu is held.
func (d *Dongle) ring(turn int) {
	if !d.ringing.active || d.ringing.turn != turn {
		return
	}
	if d.settings.cellularCodes == 1 {
		d.send("+CRING: VOICE") // 27.007 6.11
	} else {
		d.send("RING")
	}
	if d.settings.clip == 1 {
		d.send(d.callerLine())
	}
	d.later(ringEvery, func() { d.ring(turn) })
}

// callerLine is +CLIP (27.007 7.6). A number that is withheld is empty, of unknown type, and has
// <CLI validity> 1.
func (d *Dongle) callerLine() string {
	if d.ringing.number == "" {
		return `+CLIP: "",128,,,,1`
	}
	return fmt.Sprintf("+CLIP: %s,%d,,,,0", quote(d.ringing.number), typeOfAddress(d.ringing.number))
}

// clip is calling line identification presentation; the network provides it (<m> 1).
func (s *session) clip(c call) error {
	if c.form == readForm {
		s.infof("+CLIP: %d,1", s.d.settings.clip)
		return nil
	}
	return parameter("CLIP", 1, func(p *settings) *int { return &p.clip })(s, c)
}

// clcc lists the call: <dir> 1 mobile terminated, <stat> 4 incoming, <mode> 0 voice (27.007 7.18).
func (s *session) clcc(c call) error {
	if c.form == readForm || c.form == setForm {
		return errSyntax
	}
	if call := s.d.ringing; call.active && c.form == execForm {
		s.infof("+CLCC: 1,1,4,0,0,%s,%d", quote(call.number), typeOfAddress(call.number))
	}
	return nil
}

// hangUpCall is +CHUP and ATH.
func (s *session) hangUpCall(c call) error {
	switch c.form {
	case execForm:
		s.d.ringing.active = false
	case testForm:
	default:
		return errSyntax
	}
	return nil
}
