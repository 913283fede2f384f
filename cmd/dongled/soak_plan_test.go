package main_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"dongled/modem/virtual"
)

const (
	// soakSIMs is how many dongles a soak has.
	soakSIMs = 3
	// beat is the measure of a soak: a busy time, in which everything happens, and a quiet one, in
	// which nothing new does, so that the gateway can be measured at like points.
	beat, busy = 4 * time.Second, 2500 * time.Millisecond
	// soakRound is after how long at most the gateway is restarted again; each round begins with
	// short lives and ends with a long one.
	soakRound = 10 * time.Minute
	// sendTimeout and unknownAfter are the gateway's, short of the defaults for the time that is there.
	sendTimeout, unknownAfter = 5 * time.Second, 15 * time.Second
	// latestReport is by how much the network is late with a report at most: beyond unknownAfter, so
	// that some come when their part was given up.
	latestReport = 12 * time.Second
)

// soakAct is one thing that happens in a soak.
type soakAct interface {
	play(*soak)
	String() string
}

// soakStep is an act and its time since the start.
type soakStep struct {
	at  time.Duration
	act soakAct
}

func (s soakStep) String() string {
	return fmt.Sprintf("%8.3fs %s", s.at.Seconds(), s.act)
}

// planner draws the acts of a soak. What it draws follows from the seed alone.
type planner struct {
	*rand.Rand
	letters, notes, calls, vendors int
}

// soakPlan is all that happens in a soak of that length, in order.
func soakPlan(seed uint64, length time.Duration) (plan []soakStep) {
	p := &planner{Rand: rand.New(rand.NewPCG(seed, 3))}
	for at := time.Duration(0); at < length; at += beat {
		plan = append(plan, p.beat(at)...)
	}
	for from := time.Duration(0); from < length; from += soakRound {
		plan = append(plan, p.restarts(from, min(soakRound, length-from))...)
	}
	plan = append(plan, p.manners(length)...)
	slices.SortStableFunc(plan, func(a, b soakStep) int { return int(a.at - b.at) })
	return plan
}

// beat is what happens in one busy time.
func (p *planner) beat(at time.Duration) (steps []soakStep) {
	add := func(act soakAct) { steps = append(steps, soakStep{at + p.within(0, busy), act}) }
	for range 10 + p.IntN(12) {
		add(p.letter())
	}
	for range 2 + p.IntN(4) {
		add(p.vendorLetter())
	}
	for range 2 + p.IntN(4) {
		add(p.note())
	}
	if p.oneIn(3) {
		add(p.call())
	}
	if p.oneIn(2) {
		add(p.export())
	}
	for range p.IntN(3) {
		add(p.setting())
	}
	for range p.IntN(3) {
		add(p.trouble())
	}
	return steps
}

// restarts end the gateway four times in the first two fifths of a round; the life after that is long
// enough to be measured. A SIM that is barred rests for a minute or longer, which only a restart ends.
func (p *planner) restarts(from, length time.Duration) (steps []soakStep) {
	const lives = 5
	for n := 1; n < lives; n++ {
		at := from + length*time.Duration(n)/10 + p.within(-beat/2, beat/2)
		steps = append(steps, soakStep{at, restart{kill: n%2 == 1, pause: p.within(0, time.Second)}})
		if n == 1 {
			barred := p.letter()
			barred.fault = &virtual.Fault{Do: virtual.CMS, Code: pick(p, simCMS)}
			steps = append(steps, soakStep{at + time.Second, barred.exposed(p)})
		}
	}
	return steps
}

func (p *planner) oneIn(n int) bool { return p.IntN(n) == 0 }

func (p *planner) within(from, to time.Duration) time.Duration {
	return from + time.Duration(p.Int64N(int64(to-from)))
}

func (p *planner) sim() int { return 1 + p.IntN(soakSIMs) }

func pick[T any](p *planner, of []T) T { return of[p.IntN(len(of))] }

// letter is a message that a client has sent.
type letter struct {
	id    string
	text  string
	data  []byte
	to    []string
	parts int
	flash bool
	// said and shown are the content and the numbers as the client encrypted them, if it did.
	said  string
	shown []string

	sim      int // 0 is any
	priority int
	report   bool
	// cancel is after how long the client withdraws it; 0 is never.
	cancel time.Duration
	// fault stands on its first part to the first of to; nil is none. Its SIM is known then.
	fault *virtual.Fault
}

func (l *letter) String() string {
	s := fmt.Sprintf("send %s, %d parts to %v by SIM %d, priority %d, report %v", l.id, l.parts, l.to, l.sim, l.priority, l.report)
	if l.said != "" {
		s += ", encrypted"
	}
	if l.cancel > 0 {
		s += fmt.Sprintf(", withdrawn after %v", l.cancel)
	}
	if l.fault != nil {
		s += fmt.Sprintf(", and %+v", *l.fault)
	}
	return s
}

// letter draws the next message. Each of its recipients gets no other one, so that what left by radio
// tells it.
func (p *planner) letter() *letter {
	l := &letter{id: fmt.Sprintf("soak-%06d", p.letters), sim: p.IntN(soakSIMs + 1), report: !p.oneIn(4)}
	for range 1 + p.IntN(8)/6 + p.IntN(12)/11 {
		l.to = append(l.to, fmt.Sprintf("+49151%08d", 10_000_000+4*p.letters+len(l.to)))
	}
	p.letters++
	l.priority = pick(p, []int{0, 0, 0, -128, 50, 100, 127})
	p.fill(l)
	l.shown = l.to
	if l.flash = l.data == nil && p.oneIn(6); p.oneIn(5) {
		l.shown = nil
		l.seal(p)
	}
	switch {
	case p.oneIn(12):
		l.cancel = p.within(1, 500*time.Millisecond)
	case p.oneIn(8):
		l.fault = p.submitFault()
		l.exposed(p)
	case p.oneIn(6) && l.report:
		l.fault = p.reportFault()
		l.exposed(p)
	}
	return l
}

// exposed names the SIM on which the fault of l stands.
func (l *letter) exposed(p *planner) *letter {
	l.fault.To, l.cancel = l.to[0], 0
	if l.sim == 0 {
		l.sim = p.sim()
	}
	return l
}

// fill gives l its content. The parts that each makes follow from TS 23.040: 160 and 153 septets, 70
// and 67 UTF-16 units, with ports 133 and 128 octets.
func (p *planner) fill(l *letter) {
	head := l.id + ". " // 13 characters
	switch p.IntN(8) {
	case 0: // 13 + 8*50 = 413 septets
		l.text, l.parts = head+strings.Repeat(" septets", 50), 3
	case 1: // 13 + 9*13 = 130 units
		l.text, l.parts = head+strings.Repeat(" юникоды!", 13), 2
	case 2: // 13 + 2*25 = 63 units
		l.text, l.parts = head+strings.Repeat("😀", 25), 1
	case 3:
		l.data, l.parts = []byte(head), 1
	case 4: // 13 + 200 = 213 octets
		l.data, l.parts = append([]byte(head), make([]byte, 200)...), 2
	default:
		l.text, l.parts = head+"Short and simple.", 1
	}
}

// Codes of each action that +CMS ERROR may ask for (modem/outcome_cms.go), without those upon which
// the next attempt is minutes away. What one of openCMS leaves open is whether the message left.
var (
	permanentCMS = []int{1, 21, 96, 176, 195, 304}
	transientCMS = []int{31, 41, 81, 212, 301, 512}
	modemCMS     = []int{34, 300, 302, 331, 515}
	simCMS       = []int{8, 10, 50, 330}
	openCMS      = []int{127, 332, 350, 500, 513, 999}
)

// submitFault stands behind the Ctrl-Z.
func (p *planner) submitFault() *virtual.Fault {
	f := &virtual.Fault{On: virtual.OnSubmit}
	network := pick(p, []virtual.Network{virtual.Takes, virtual.Misses})
	switch p.IntN(12) {
	case 0, 1:
		f.Do, f.Code = virtual.CMS, pick(p, permanentCMS)
	case 2, 3:
		f.Do, f.Code = virtual.CMS, pick(p, transientCMS)
	case 4:
		f.Do, f.Code = virtual.CMS, pick(p, modemCMS)
	case 5:
		f.Do, f.Code, f.Network = virtual.CMS, pick(p, openCMS), network
	case 6:
		f.Do, f.Network = virtual.PlainError, network
	case 7:
		f.Do, f.Network = virtual.Silence, network
	case 8:
		f.Do, f.Delay = virtual.LateAnswer, p.within(sendTimeout/10, 3*sendTimeout/2)
	case 9:
		f.Do = virtual.NoReference
	case 10:
		f.Do = pick(p, []virtual.Action{virtual.Garbage, virtual.URCStorm})
	case 11:
		f.Do, f.Network, f.Return = virtual.Unplug, network, p.within(time.Second/2, 3*time.Second)
	}
	return f
}

// rejects says whether the network refuses the message for good.
func (l *letter) rejects() bool {
	return l.fault != nil && l.fault.Do == virtual.CMS && slices.Contains(permanentCMS, l.fault.Code)
}

// fallsSilent says whether the dongle leaves open what became of the message.
func (l *letter) fallsSilent() bool {
	if l.fault == nil || l.fault.On != virtual.OnSubmit {
		return false
	}
	switch l.fault.Do {
	case virtual.CMS:
		return slices.Contains(openCMS, l.fault.Code)
	case virtual.LateAnswer:
		return l.fault.Delay > sendTimeout-time.Second
	case virtual.PlainError, virtual.Silence, virtual.NoReference, virtual.Unplug:
		return true
	}
	return false
}

// reportFault stands on the way back.
func (p *planner) reportFault() *virtual.Fault {
	f := &virtual.Fault{On: virtual.OnReport, Do: pick(p, []virtual.Action{
		virtual.ReportBefore, virtual.ReportLate, virtual.ReportTwice, virtual.ReportReorder, virtual.ReportNever,
		virtual.ReportStatus, virtual.ReportStatus,
	})}
	switch f.Do {
	case virtual.ReportLate:
		f.Delay = p.within(time.Second, latestReport)
	case virtual.ReportTwice:
		f.Delay = p.within(time.Millisecond, 3*time.Second)
	case virtual.ReportStatus: // 23.040 9.2.3.15: still trying, permanent error, no more attempts
		f.Code, f.Delay = pick(p, []int{0x20, 0x30, 0x41, 0x46, 0x60}), p.within(time.Second/10, 3*time.Second)
	}
	return f
}
