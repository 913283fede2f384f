package virtual

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"
)

// USSD is one thing that the network says in an unstructured supplementary service, as a script
// (TS 24.090; 27.007 7.15).
type USSD struct {
	// Code is what it answers: a code such as *100#, or among Replies what the user chose. An
	// empty one answers whatever no other does.
	Code string
	// Text is shown as DCS and Quirks.PackedUSSD say; Str, if not empty, is <str> as it stands.
	Text, Str string
	// Status is <m>: 0 done, 1 a reply is wanted, 2 ended by the network, 4 not supported, 5 network
	// time-out, which comes after Options.USSDTimeout and has no text. With Replies 0 is 1.
	Status int
	// DCS is the cell broadcast data coding scheme of TS 23.038 section 5; 0 is DefaultUSSDCoding.
	// With 72 or 17 the text is UCS-2 in hexadecimal digits.
	DCS     int
	Delay   time.Duration
	Replies []USSD // the menu that this opens
}

// <m> of +CUSD that the simulation comes to by itself.
const (
	ussdReplyWanted  = 1
	ussdEnded        = 2
	ussdNotSupported = 4
	ussdTimeout      = 5
)

// maxUSSD is the longest string in characters: 160 octets of septets (TS 24.080 annex A).
const maxUSSD = 182

// ussdState is the dialogue with the network, of which there is one at a time.
type ussdState struct {
	asked   bool // the network owes an answer
	open    bool // the user owes a reply
	replies []USSD
	turn    int // counts what happens, so that an old timer is known as such
}

// ussdCommands are 27.007 7.15.
var ussdCommands = map[string]command{
	"CUSD": {needs: simForCME, do: (*session).cusd},
}

func (s *session) cusd(c call) error {
	switch c.form {
	case testForm:
		s.info("+CUSD: (0-2)")
		return nil
	case readForm:
		s.infof("+CUSD: %d", s.d.settings.ussd)
		return nil
	case execForm:
		return errSyntax
	}
	p := c.params()
	n, errN := p.number(0, 0)
	str, errStr := p.text(1, "")
	dcs, errDCS := p.number(2, DefaultUSSDCoding)
	if errN != nil || errStr != nil || errDCS != nil || len(p) > 3 || n > 2 || dcs > 255 {
		return errSyntax
	}
	if n == 2 {
		return s.d.cancelUSSD()
	}
	s.d.settings.ussd = n
	if !p.given(1) {
		return nil
	}
	request, err := s.d.readUSSD(str, dcs)
	switch {
	case err != nil:
		return err
	case !s.d.registered():
		return cmeNoNetwork
	case s.d.ussd.asked:
		return cmeNotAllowed
	}
	s.afterwards(func() { s.d.askUSSD(request) })
	return nil
}

// readUSSD is what the TE means by <str>.
func (d *Dongle) readUSSD(str string, dcs int) (string, error) {
	text := str
	if packed := d.packsUSSD() && !isUCS2(dcs); packed || isUCS2(dcs) {
		octets, err := hex.DecodeString(str)
		if err != nil {
			return "", errSyntax
		}
		if text = decodeUCS2(octets); packed {
			text = unpackUSSD(octets)
		}
	}
	if text == "" || len([]rune(text)) > maxUSSD {
		return "", errSyntax
	}
	return text, nil
}

func (d *Dongle) packsUSSD() bool { return d.opts.Quirks.PackedUSSD && d.settings.ussdMode == 1 }

// isUCS2 reads the alphabet out of a cell broadcast DCS (TS 23.038 section 5).
func isUCS2(dcs int) bool { return dcs == 0x11 || dcs&0xc0 == 0x40 && dcs&0x0c == 0x08 }

func decodeUCS2(octets []byte) string {
	units := make([]uint16, len(octets)/2)
	for i := range units {
		units[i] = uint16(octets[2*i])<<8 | uint16(octets[2*i+1])
	}
	return string(utf16.Decode(units))
}

func encodeUCS2(text string) []byte {
	var octets []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		octets = append(octets, byte(unit>>8), byte(unit))
	}
	return octets
}

// askUSSD gives a code or a reply to the network. mu is held.
func (d *Dongle) askUSSD(request string) {
	script, answer := d.opts.USSD, USSD{Status: ussdNotSupported}
	if d.ussd.open {
		script, answer = d.ussd.replies, USSD{Status: ussdEnded}
	}
	for _, u := range script {
		if u.Code == request {
			answer = u
			break
		}
		if u.Code == "" {
			answer = u
		}
	}
	d.endUSSD()
	d.ussd.asked = true
	delay := answer.Delay
	if answer.Status == ussdTimeout {
		delay += d.opts.USSDTimeout
	}
	d.laterInUSSD(delay, func() { d.sayUSSD(answer) })
}

// laterInUSSD is later, unless something else happens in the dialogue before. mu is held.
func (d *Dongle) laterInUSSD(delay time.Duration, f func()) {
	turn := d.ussd.turn
	d.later(delay, func() {
		if d.ussd.turn == turn {
			f()
		}
	})
}

// cancelUSSD is the user giving up. mu is held.
func (d *Dongle) cancelUSSD() error {
	if d.opts.Quirks.StrictCancel && !d.ussd.asked && !d.ussd.open {
		return errSyntax
	}
	d.endUSSD()
	return nil
}

// endUSSD ends the dialogue without a word. mu is held.
func (d *Dongle) endUSSD() { d.ussd = ussdState{turn: d.ussd.turn + 1} }

// NotifyUSSD makes the network say something by USSD unasked; with Status 1 or Replies it opens a
// session. A dongle that is not registered never hears of it.
func (d *Dongle) NotifyUSSD(u USSD) {
	d.lock()
	defer d.unlock()
	if d.plugged && d.registered() {
		d.sayUSSD(u)
	}
}

// sayUSSD is the network speaking. A session in which the user then says nothing is ended by the
// network after as long as it takes for its own time-out. mu is held.
func (d *Dongle) sayUSSD(u USSD) {
	d.endUSSD()
	status := u.Status
	if status == 0 && len(u.Replies) > 0 {
		status = ussdReplyWanted
	}
	if status == ussdReplyWanted {
		d.ussd.open, d.ussd.replies = true, u.Replies
		d.laterInUSSD(d.opts.USSDTimeout, func() { d.sayUSSD(USSD{Status: ussdEnded}) })
	}
	if d.settings.ussd == 1 {
		d.send(d.showUSSD(status, u))
	}
}

// showUSSD is the result code. The quotation marks of <str> are not escaped, and a text of several
// lines makes several lines.
func (d *Dongle) showUSSD(status int, u USSD) string {
	dcs, str := u.DCS, u.Str
	setDefault(&dcs, DefaultUSSDCoding)
	switch {
	case str != "":
	case u.Text == "":
		return fmt.Sprintf("+CUSD: %d", status)
	case isUCS2(dcs):
		str = hexOf(encodeUCS2(u.Text))
	case d.packsUSSD():
		str = hexOf(packUSSD(u.Text))
	default:
		str = inIRA(u.Text)
	}
	return fmt.Sprintf(`+CUSD: %d,"%s",%d`, status, str, dcs)
}

// inIRA is a text in the TE's character set, +CSCS: "IRA".
func inIRA(text string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, text)
}
