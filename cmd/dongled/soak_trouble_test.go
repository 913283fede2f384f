package main_test

import (
	"fmt"
	"strings"
	"time"

	"dongled/modem/virtual"
)

// restart ends the gateway, by SIGKILL or SIGTERM, and starts it again after a pause.
type restart struct {
	kill  bool
	pause time.Duration
}

func (r restart) String() string {
	if r.kill {
		return fmt.Sprintf("SIGKILL, back after %v", r.pause)
	}
	return fmt.Sprintf("SIGTERM, back after %v", r.pause)
}

func (r restart) play(s *soak) { s.restart(r) }

// trouble is something that happens to a dongle, and ends by itself.
type trouble struct {
	sim  int
	name string
	do   func(s *soak, d *virtual.Dongle)
}

func (t trouble) String() string { return fmt.Sprintf("SIM %d: %s", t.sim, t.name) }

func (t trouble) play(s *soak) { t.do(s, s.sticks[t.sim-1].Dongle) }

// trouble draws one that is not bound to a message.
func (p *planner) trouble() trouble {
	t := trouble{sim: p.sim()}
	lasts := p.within(time.Second/5, 3*time.Second)
	switch p.IntN(9) {
	case 0, 1:
		t.unplugged(lasts)
	case 2:
		stat := pick(p, []int{0, 2, 3})
		t.name = fmt.Sprintf("registration %d for %v", stat, lasts)
		t.do = func(s *soak, d *virtual.Dongle) {
			d.SetRegistration(stat)
			s.after(lasts, func() { d.SetRegistration(virtual.DefaultRegistration) })
		}
	case 3:
		up := p.within(time.Second/10, time.Second)
		t.name = fmt.Sprintf("browns out %v after each boot for %v", up, lasts)
		t.do = func(s *soak, d *virtual.Dongle) {
			d.SetBrownOut(up)
			s.after(lasts, func() { d.SetBrownOut(0) })
		}
	case 4:
		t.name = "URC storm"
		t.do = func(_ *soak, d *virtual.Dongle) {
			for range 50 {
				d.URC("^RSSI: 18", "+ZUSIMR:2", `+QIND: "csq",22,99`, "^MODE: 5,4", "RING", `+CLIP: "`+nobody+`",145`, "NO CARRIER")
			}
		}
	case 5:
		t.out(lasts)
	default:
		t.armed(p.commandFault())
	}
	return t
}

// nobody calls in a URC storm.
const nobody = "+999123"

func (t *trouble) unplugged(d time.Duration) {
	t.name = fmt.Sprintf("unplugged for %v", d)
	t.do = func(s *soak, stick *virtual.Dongle) {
		stick.Unplug()
		s.after(d, stick.Plug)
	}
}

func (t *trouble) out(d time.Duration) {
	t.name = fmt.Sprintf("SIM taken out for %v", d)
	t.do = func(s *soak, stick *virtual.Dongle) {
		stick.SetSIM(false)
		s.after(d, func() { stick.SetSIM(true) })
	}
}

func (t *trouble) armed(f virtual.Fault) {
	t.name = fmt.Sprintf("%+v", f)
	t.do = func(_ *soak, d *virtual.Dongle) { d.AddFaults(f) }
}

// commandFault stands on a line, a prompt or any command besides +CMGS.
func (p *planner) commandFault() virtual.Fault {
	f := virtual.Fault{On: virtual.OnLine, Nth: 1 + p.IntN(10)}
	switch p.IntN(4) {
	case 0:
		f.Do = pick(p, []virtual.Action{virtual.Garbage, virtual.URCStorm})
		return f
	case 1:
		return p.promptFault()
	}
	f.On = pick(p, []string{"CREG", "CSQ", "CPMS", "CPMS", "CMGL", "CMGR", "CMGD", "CMGD", "CNMI", "CPIN", "COPS"})
	f.Nth = 1
	switch p.IntN(6) {
	case 0:
		f.Do, f.Code = virtual.CMS, pick(p, []int{301, 320, 321, 322, 500})
	case 1:
		f.Do, f.Code = virtual.CME, pick(p, []int{3, 13, 14, 20, 100})
	case 2:
		f.Do = virtual.PlainError
	case 3:
		f.Do, f.Delay = virtual.LateAnswer, p.within(time.Second/10, 2*time.Second)
	case 4:
		f.Do = virtual.Garbage
	case 5:
		f.Do = virtual.Silence
	}
	return f
}

// promptFault stands before the PDU of whatever is sent next: nothing has left.
func (p *planner) promptFault() virtual.Fault {
	f := virtual.Fault{On: virtual.OnPrompt}
	switch p.IntN(5) {
	case 0:
		f.Do, f.Delay = virtual.LatePrompt, p.within(time.Second/5, 3*time.Second)
	case 1:
		f.Do, f.Code = virtual.CMS, pick(p, transientCMS)
	case 2:
		f.Do, f.Code = virtual.CMS, pick(p, modemCMS)
	case 3:
		f.Do = virtual.URCStorm
	case 4:
		f.Do = virtual.NoPrompt
	}
	return f
}

// call is somebody calling, from a number of his own.
type call struct {
	sim    int
	number string
}

func (p *planner) call() call {
	p.calls++
	return call{p.sim(), fmt.Sprintf("+49171%07d", p.calls)}
}

func (c call) String() string { return fmt.Sprintf("SIM %d: call from %s", c.sim, c.number) }

func (c call) play(s *soak) {
	d := s.sticks[c.sim-1].Dongle
	if d.Call(c.number) == nil {
		s.calls = append(s.calls, called{c, time.Now()})
		s.after(time.Second, d.EndCall)
	}
}

// families are the makes that a soak takes three of, each with a boot that fits into it.
func (p *planner) families() []virtual.Options {
	names := virtual.Families()
	p.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var all []virtual.Options
	for i, name := range names[:soakSIMs] {
		o, ok := virtual.Builtin(name + ".soak")
		if !ok {
			panic("no family is called " + name)
		}
		o.IMSI = fmt.Sprintf("26201000000010%d", i)
		o.RebootTime, o.RegisterDelay, o.Slots = bootTime, bootTime/2, 10
		o.Quirks.Busy = min(o.Quirks.Busy, bootTime)
		o.PromptDelay, o.SubmitDelay = time.Millisecond, p.within(10*time.Millisecond, 40*time.Millisecond)
		o.ReportDelay = p.within(10*time.Millisecond, time.Second)
		all = append(all, o)
	}
	return all
}

// bootTime is that of a stick in a soak, off the bus and then until it has a network.
const bootTime = 500 * time.Millisecond

// describe is a family as the log of a soak has it.
func describe(o virtual.Options) string {
	return fmt.Sprintf("%s, answers after %v, reports after %v", strings.TrimSuffix(o.Name, ".soak"), o.SubmitDelay, o.ReportDelay)
}
