package virtual

import (
	"strings"
	"time"
)

// taBuffer bounds the result codes that wait for the TE (27.005 3.4.1: the oldest may be replaced).
const taBuffer = 512

// offTheBus is how long a rebooting stick is still there to say OK.
const offTheBus = 100 * time.Millisecond

// urcState is what of the unsolicited result codes waits for the TE.
type urcState struct {
	reserved bool     // the TE is entering a PDU: "the link is reserved"
	ta       []string // new message codes held back by <mode> of +CNMI
	link     []string // codes that came while the port was closed
}

// URC sends unsolicited result codes now, in order, between whatever lines the dongle is sending.
// A code of two lines, such as +CDS with its PDU, is one string with CR LF in it. While the port
// is closed they wait in the stick's buffer, as the endpoint of a USB stick does; while unplugged
// they are lost.
func (d *Dongle) URC(codes ...string) {
	d.lock()
	defer d.unlock()
	if !d.plugged {
		return
	}
	for _, c := range codes {
		d.send(c)
	}
}

// send writes one unsolicited result code to the TE. mu is held.
func (d *Dongle) send(code string) {
	if d.chatter.dead {
		return
	}
	if d.session == nil {
		d.urc.link = bounded(d.urc.link, code)
		if limit := d.opts.Quirks.UnreadLimit; limit > 0 && len(d.urc.link) == limit+1 {
			d.reboot()
		}
		return
	}
	d.session.out.push(d.appendLine(nil, code))
}

// releaseLink sends what came while the port was closed. mu is held.
func (d *Dongle) releaseLink() {
	codes := d.urc.link
	d.urc.link = nil
	for _, c := range codes {
		d.send(c)
	}
}

// reserveLink begins or ends the time in which the TE enters a PDU. mu is held.
func (d *Dongle) reserveLink(reserved bool) {
	if d.urc.reserved == reserved {
		return
	}
	d.urc.reserved = reserved
	if !reserved {
		d.releaseTA()
		d.pump()
	}
}

// holdsBack says what <mode> of +CNMI makes of a new message code now (27.005 3.4.1): 0 buffers
// always; 1 refuses and 2 buffers while the link is reserved.
func (d *Dongle) holdsBack() (buffer, refuse bool) {
	switch mode := d.settings.cnmi[0]; {
	case mode == 0:
		return true, false
	case !d.urc.reserved:
		return false, false
	default:
		return mode == 2, mode == 1
	}
}

// newMessage sends a result code about a new message, or a status report, as <mode> says. It
// reports false when the code was refused. mu is held.
func (d *Dongle) newMessage(code string) bool {
	buffer, refuse := d.holdsBack()
	switch {
	case refuse:
		return false
	case buffer:
		d.urc.ta = bounded(d.urc.ta, code)
	default:
		d.send(code)
	}
	return true
}

// releaseTA sends the buffered codes, if the mode allows it by now. mu is held.
func (d *Dongle) releaseTA() {
	if buffer, refuse := d.holdsBack(); buffer || refuse {
		return
	}
	codes := d.urc.ta
	d.urc.ta = nil
	for _, c := range codes {
		d.send(c)
	}
}

func bounded(queue []string, code string) []string {
	if len(queue) == taBuffer {
		queue = append(queue[:0], queue[1:]...)
	}
	return append(queue, code)
}

// reboot is +CFUN=1,1: the stick answers, leaves the bus and comes back. mu is held.
func (d *Dongle) reboot() {
	d.later(offTheBus, func() {
		d.pullOut()
		d.later(d.opts.RebootTime, d.plugIn)
	})
}

// stormLines are what sticks say unasked, in the tongues of Huawei, ZTE, Quectel and SIMCom.
var stormLines = []string{
	"^RSSI: 18", "^DSFLOWRPT: 00000012,00000000,0000000000000000,00000000000001C2,0003E800,0003E800",
	`^HCSQ: "LTE",46,53,161,30`, "+ZUSIMR:2", "^BOOT:20430879,0,0,0,89", "RING",
	`+CLIP: "+999123",145`, "^MODE: 5,4", `+QIND: "csq",22,99`, "*PSUTTZ: 2026,4,5,10,11,12,\"+8\",0",
	"UNDER-VOLTAGE WARNNING", "^SRVST: 2",
}

// noise sends what a garbage or urc-storm fault has: octets as they are, or lines.
func (s *session) noise(f *Fault) {
	switch f.Do {
	case Garbage:
		octets := strings.Join(f.Lines, "")
		if len(f.Lines) == 0 {
			octets = "\x00\xff\xfe\x80~\x00AT\x1b[\xf0\r\n\xc3("
		}
		s.answer = append(s.answer, octets...)
	case URCStorm:
		lines := f.Lines
		if len(lines) == 0 {
			lines = stormLines
		}
		for _, l := range lines {
			s.answer = s.d.appendLine(s.answer, l)
		}
	}
}
