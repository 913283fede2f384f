package virtual

import (
	"slices"
	"strings"
	"time"
)

// Quirks are the ways in which a make departs from V.250, 27.005 and 27.007, or fills what they
// leave open. The zero value departs in nothing.
type Quirks struct {
	// Commands, each by its name as Fault.On has it: CEREG, ^CURC.

	Unsupported []string            // those of the standard that it does not know
	Vendor      map[string][]string // those it has besides or otherwise, with the lines they answer; {iccid}, {imei}, {imsi} are filled in
	Restart     string              // its own for +CFUN=1,1
	Prefixed    []string            // those of 27.007 section 5 that put their name before the line
	NoFinal     []string            // those that end without OK, in the form given: CPIN?

	// Lines and prompt.

	UnknownFinal string // instead of ERROR to a command it does not know
	LineEnd      string // after a line of information; empty is CR LF
	BlankLine    bool   // an empty line stands between information and OK
	Prompt       string // empty is CR LF > space
	EchoEntry    bool   // what follows the prompt is echoed although ATE0

	// Readiness and noise.

	Unsolicited []Unsolicited
	// Busy is how long the SIM cannot be used for messages once its PIN is there; BusyCode is the
	// +CMS ERROR till then, 0 being 314.
	Busy     time.Duration
	BusyCode int
	// UnreadLimit is how many result codes may wait in the stick while the port is closed before it
	// crashes and boots again. With 0 the oldest are lost.
	UnreadLimit int

	// Messages.

	Memories      string   // what +CPMS=? offers, and all that +CPMS= takes; empty is DefaultMemories
	Memory        string   // the one selected at power-up; empty is the first offered in each place
	CNMIRefused   []string // settings answered by ERROR though offered: the first values, * for any
	CNMIPlus      string   // what +CNMI=? offers with +CSMS=1, if something else
	ServiceTail   string   // what follows the four values of +CSMS?
	ReportMemory  string   // where <ds> 2 stores; empty is SR
	StoredReport  string   // how it is announced; empty is +CDSI: "{mem}",{index}
	StoredMessage string   // how a message is; empty is +CMTI: "{mem}",{index}
	DirectReport  string   // what stands before the length of a <ds> 1 report; empty is "+CDS: "
	DirectStored  bool     // <ds> 1 is taken, and reports are stored without a word
	// MangledReports: the SCA is cut short, and before the digits of TP-RA stands an octet too many.
	MangledReports bool
	StoredPrefix   string // hexadecimal digits before the PDU of a stored report
	// AckFatal: a +CDS may not be acknowledged (CMS 340), and must be: else nothing is answered any
	// more until the power is cut.
	AckFatal bool

	EmptyPlace   EmptyPlace
	CountLag     time.Duration // how much later than +CMTI the counters of +CPMS know of a message
	DeletesWhole bool          // deleting the first part of a long message deletes its other parts
	FullURC      string        // said of a memory that takes no more, {mem} being its name; empty: nothing

	// PackedUSSD: <str> in the default alphabet is packed septets in hexadecimal digits both ways,
	// and anything else an error. USSDMode is the command with which 0 changes that.
	PackedUSSD bool
	USSDMode   string
	// StrictCancel: +CUSD=2 is an error when there is no session.
	StrictCancel bool
}

// DefaultMemories is what +CPMS=? offers.
const DefaultMemories = `("SM","ME","SR"),("SM","ME"),("SM","ME")`

// EmptyPlace is what +CMGR says of a place without a message.
type EmptyPlace uint8

// The answers to be met.
const (
	EmptyRefused EmptyPlace = iota // +CMS ERROR: 321
	EmptySilent                    // OK
	EmptyBlank                     // +CMGR: 0,,0, an empty PDU, OK
)

// Unsolicited is something that a stick says of itself.
type Unsolicited struct {
	// After is counted from power-up, or with Ready from when the SIM can be used.
	After time.Duration
	Ready bool
	Every time.Duration // again; 0 is once
	Until string        // the command that ends it until the next power-up: CPMS, ^CURC=0
	Lines []string
}

// key is a command as the quirks name it, with ? when it reads.
func (c call) key() string {
	if c.form == readForm {
		return c.name + "?"
	}
	return c.name
}

// chatter is what a stick says of itself since power-up.
type chatter struct {
	power   int // counts power-ups, so that an old timer is known as such
	ready   int // counts the times that the SIM became usable
	hushed  map[string]bool
	busyTil time.Time
	dead    bool // nothing is answered any more
}

// startTalking begins what is said from power-up on. mu is held.
func (d *Dongle) startTalking() {
	d.chatter = chatter{power: d.chatter.power + 1, ready: d.chatter.ready, hushed: make(map[string]bool)}
	power := d.chatter.power
	for _, u := range d.opts.Quirks.Unsolicited {
		if !u.Ready {
			d.talk(u, u.After, func() bool { return d.chatter.power == power })
		}
	}
}

// cardReady begins what is said once the SIM can be used. mu is held.
func (d *Dongle) cardReady() {
	if !d.plugged || d.sim.ready() != nil {
		return
	}
	q := &d.opts.Quirks
	d.chatter.ready++
	d.chatter.busyTil = time.Now().Add(q.Busy)
	power, ready := d.chatter.power, d.chatter.ready
	for _, u := range q.Unsolicited {
		if u.Ready {
			d.talk(u, u.After, func() bool { return d.chatter.power == power && d.chatter.ready == ready })
		}
	}
}

// talk says one thing when it is time, as long as it still stands. mu is held.
func (d *Dongle) talk(u Unsolicited, after time.Duration, stands func() bool) {
	d.later(after, func() {
		if !stands() || !d.plugged || d.chatter.hushed[u.Until] {
			return
		}
		for _, l := range u.Lines {
			d.send(l)
		}
		if u.Every > 0 {
			d.talk(u, u.Every, stands)
		}
	})
}

// heed notes a command that ends some noise. mu is held.
func (d *Dongle) heed(c call) {
	for _, u := range d.opts.Quirks.Unsolicited {
		if name, args, exact := strings.Cut(u.Until, "="); name == c.name && u.Until != "" && (!exact || args == c.args) {
			d.chatter.hushed[u.Until] = true
		}
	}
}

// busy is the error of a SIM that cannot be used for messages yet. mu is held.
func (d *Dongle) busy(n need) error {
	if d.opts.Quirks.Busy == 0 || n == nothing || !time.Now().Before(d.chatter.busyTil) {
		return nil
	}
	if n == simForCME {
		return cmeSIMBusy
	}
	code := cmsError(d.opts.Quirks.BusyCode)
	setDefault(&code, cmsSIMBusy)
	return code
}

// vendor answers a command of the make's own; known is false when it is not one.
func (s *session) vendor(c call) (err error, known bool) {
	q := &s.d.opts.Quirks
	lines, listed := q.Vendor[c.name]
	switch {
	case c.name == q.Restart && q.Restart != "" && c.form == execForm:
		s.d.reboot()
		return nil, true
	case c.name == q.USSDMode && q.USSDMode != "":
		return parameter(c.name, 1, func(p *settings) *int { return &p.ussdMode })(s, c), true
	case slices.Contains(q.Unsupported, c.name):
		return s.unknown(), true
	case !listed:
		return nil, false
	}
	if c.form == execForm || c.form == readForm {
		for _, l := range lines {
			o := &s.d.opts
			s.info(strings.NewReplacer("{iccid}", o.ICCID, "{imei}", o.IMEI, "{imsi}", o.IMSI).Replace(l))
		}
	}
	return nil, true
}

// unknown is the final result of a command that the make does not know.
func (s *session) unknown() error {
	if final := s.d.opts.Quirks.UnknownFinal; final != "" {
		return verbatim(final)
	}
	return errSyntax
}

// mangle does to a status report what MangledReports says: 0291… becomes 0297F1, and TP-RA of 11
// digits one of 13 that begins with 0B.
func mangle(raw []byte) []byte {
	tp := raw[1+int(raw[0]):]
	if len(tp) < 4 {
		return raw
	}
	out := []byte{0x02, 0x97, 0xf1, tp[0], tp[1], tp[2] + 2, tp[3], 0x0b}
	return append(out, tp[4:]...)
}
