package scheduler_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// verdict is what the fake network does with one submission.
type verdict int

const (
	takes       verdict = iota
	busy                // transient, soon again
	outOfOrder          // transient, much later
	protocol            // transient, twice at most
	rejects             // permanent
	barred              // the SIM is at fault
	noDialogue          // the modem is, before the PDU
	modemFails          // the modem is, after the PDU
	takesMute           // takes it, but no answer comes
	ignoresMute         // does not take it, and no answer comes
)

func (v verdict) taken() bool   { return v == takes || v == takesMute }
func (v verdict) unknown() bool { return v == takesMute || v == ignoresMute }

func (v verdict) answer() error {
	switch v {
	case busy:
		return refused(41)
	case outOfOrder:
		return refused(38)
	case protocol:
		return refused(111)
	case rejects:
		return refused(21)
	case barred:
		return refused(30)
	case noDialogue:
		return noPrompt()
	case modemFails:
		return refused(300)
	case takesMute, ignoresMute:
		return silence()
	}
	return nil
}

// tidings is what the network reports of a message it took.
type tidings struct {
	After  time.Duration // of the answer; negative: before it
	Lost   bool
	Trying bool // a report of trying comes first
	Twice  bool
	Failed bool
}

type outage struct{ At, For time.Duration }

// plan is one random run.
type plan struct {
	Selection scheduler.Selection
	FIFO      bool
	Routes    []scheduler.Route
	Quotas    map[int]queue.Quota
	Latency   [2]time.Duration
	Answers   [2][]verdict
	Outages   [2][]outage
	Tidings   []tidings
	Restarts  []time.Duration
	Messages  []message
}

type message struct {
	At, TTL, Schedule time.Duration
	Recipients, Parts int
	Priority          int8
	SIM               int
	Report            bool
}

// upTo draws a duration of 0 to n steps.
func upTo(n int, step time.Duration) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.IntRange(0, n), func(i int) time.Duration { return time.Duration(i) * step })
}

func drawPlan(rt *rapid.T) plan {
	p := plan{
		Selection: rapid.SampledFrom([]scheduler.Selection{"OSDefault", "RoundRobin", "Random"}).Draw(rt, "selection"),
		FIFO:      rapid.Bool().Draw(rt, "fifo"),
		Routes: rapid.SampledFrom([][]scheduler.Route{
			nil, {{Prefix: "+49", SIMs: []int{2, 1}}}, {{Prefix: "+4915112000", SIMs: []int{2}}, {Prefix: "+4915112", SIMs: []int{1, 2}}},
		}).Draw(rt, "routes"),
		Quotas: rapid.SampledFrom([]map[int]queue.Quota{
			nil, {0: {Minute: queue.Caps{Parts: 2}}}, {1: {Hour: queue.Caps{Messages: 3, Recipients: 2}}, 2: {Day: queue.Caps{Parts: 9}}},
		}).Draw(rt, "quotas"),
		Tidings:  rapid.SliceOfN(rapid.Custom(drawTidings), 1, 12).Draw(rt, "tidings"),
		Restarts: rapid.SliceOfN(upTo(600, 7*time.Second), 0, 2).Draw(rt, "restarts"),
		Messages: rapid.SliceOfN(rapid.Custom(drawMessage), 1, 8).Draw(rt, "messages"),
	}
	for i := range 2 {
		p.Latency[i] = upTo(10, time.Second).Draw(rt, "latency")
		// A report to a part without +CMGS is found by the TP-MR due next: not after any number
		// of failures in a row (queue.maxMRGap).
		for range rapid.IntRange(0, 4).Draw(rt, "rows") {
			faults := rapid.SliceOfN(rapid.IntRange(0, int(ignoresMute)), 0, 5).Draw(rt, "answers")
			for _, v := range faults {
				p.Answers[i] = append(p.Answers[i], verdict(v))
			}
			p.Answers[i] = append(p.Answers[i], takes)
		}
		p.Outages[i] = rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) outage {
			return outage{upTo(600, time.Second).Draw(rt, "at"), upTo(100, time.Minute).Draw(rt, "for")}
		}), 0, 3).Draw(rt, "outages")
	}
	return p
}

func drawTidings(rt *rapid.T) tidings {
	return tidings{
		After: rapid.SampledFrom([]time.Duration{
			-1, 0, time.Second, 7 * time.Second, time.Minute, time.Hour, 30 * time.Hour,
		}).Draw(rt, "after"),
		Lost:   rapid.IntRange(0, 5).Draw(rt, "lost") == 5,
		Trying: rapid.IntRange(0, 3).Draw(rt, "trying") == 3,
		Twice:  rapid.IntRange(0, 2).Draw(rt, "twice") == 2,
		Failed: rapid.IntRange(0, 5).Draw(rt, "failed") == 5,
	}
}

func drawMessage(rt *rapid.T) message {
	m := message{
		At:         upTo(300, time.Second).Draw(rt, "at"),
		Recipients: rapid.IntRange(1, 3).Draw(rt, "recipients"),
		Parts:      rapid.IntRange(1, 3).Draw(rt, "parts"),
		Priority:   rapid.SampledFrom([]int8{0, 0, -5, 5, 100, 127}).Draw(rt, "priority"),
		SIM:        rapid.IntRange(0, 2).Draw(rt, "sim"),
		Report:     rapid.IntRange(0, 4).Draw(rt, "report") < 4,
	}
	if rapid.Bool().Draw(rt, "scheduled") {
		m.Schedule = upTo(40, time.Minute).Draw(rt, "schedule")
	}
	if rapid.Bool().Draw(rt, "bounded") {
		m.TTL = m.Schedule + time.Second + upTo(90, time.Minute).Draw(rt, "ttl")
	}
	return m
}

// submission returns message i of a plan. No two recipients share their last six digits.
func (m message) submission(i int) queue.Submission {
	s := queue.Submission{
		ID: fmt.Sprint("m", i), Priority: m.Priority, SIM: m.SIM, Report: m.Report,
		Content: queue.Content{Text: strings.Repeat("a", 1+(m.Parts-1)*153+m.Parts/2*8)},
	}
	for n := range m.Recipients {
		s.Recipients = append(s.Recipients, fmt.Sprintf("+4915112%03d%03d", i, n))
	}
	if m.Schedule > 0 {
		s.ScheduleAt = time.Now().Add(m.Schedule)
	}
	if m.TTL > 0 {
		s.ValidUntil = time.Now().Add(m.TTL)
	}
	return s
}

// Whatever network, modems and daemon do, every accepted message ends in one state, and it is true.
func TestEveryMessageEndsInOneTrueState(t *testing.T) {
	models.Checks(12)
	rapid.Check(t, func(rt *rapid.T) {
		p := drawPlan(rt)
		var faults []string
		synctest.Test(t, func(t *testing.T) { faults = p.execute(t) })
		if len(faults) > 0 {
			rt.Fatalf("%s", strings.Join(faults, "\n"))
		}
	})
}

// execute runs the plan to its end, days later, and lists what is wrong then.
func (p *plan) execute(t *testing.T) (faults []string) {
	net := newNetwork(p, newSIM(t, 1), newSIM(t, 2))
	r := start(t, scheduler.Options{
		Selection: p.Selection, FIFO: p.FIFO, Routes: p.Routes, Quotas: p.Quotas,
	}, net.sims...)
	net.scheduler.Store(r.Scheduler)
	for i := range net.sims {
		net.sims[i].latency = p.Latency[i]
		for _, o := range p.Outages[i] {
			time.AfterFunc(o.At, func() { net.away(i, +1) })
			time.AfterFunc(o.At+o.For, func() { net.away(i, -1) })
		}
	}
	p.drive(r, net)
	time.Sleep(5 * 24 * time.Hour)
	for i, m := range p.Messages {
		got := r.get(fmt.Sprint("m", i))
		if got.State != queue.Sent && got.State != queue.Delivered && got.State != queue.Failed {
			faults = append(faults, fmt.Sprintf("message %d stays %v", i, got.State))
		}
		for _, rcpt := range got.Recipients {
			for _, f := range net.judge(m, rcpt) {
				faults = append(faults, fmt.Sprintf("message %d to %s, %v (%s): %s", i, rcpt.Number, rcpt.State, rcpt.Error, f))
			}
		}
	}
	return faults
}

// drive submits and restarts when the plan says so.
func (p *plan) drive(r *rig, net *network) {
	type event struct {
		at time.Duration
		do func()
	}
	var events []event
	for i, m := range p.Messages {
		events = append(events, event{m.At, func() { r.post(m.submission(i)) }})
	}
	for _, at := range p.Restarts {
		events = append(events, event{at, func() {
			r.restart()
			net.scheduler.Store(r.Scheduler)
		}})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	begin := time.Now()
	for _, e := range events {
		time.Sleep(e.at - time.Since(begin))
		e.do()
	}
}

// away counts the outages that SIM i is in.
func (n *network) away(i, change int) {
	n.mu.Lock()
	n.outages[i] += change
	state := modem.StateReady
	if n.outages[i] > 0 {
		state = modem.StateLost
	}
	n.mu.Unlock()
	n.sims[i].set(state)
}

// deliver sends the reports that the plan has for a submission.
func (n *network) deliver(s submission, k partKey, w tidings) {
	status := pdu.Status(0)
	if w.Failed {
		status = 0x46
	}
	if w.After > 0 {
		time.Sleep(w.After)
	}
	if w.Trying {
		n.report(s, 0x30)
	}
	n.report(s, status)
	n.mu.Lock()
	if w.Failed {
		n.parts[k].failed = true
	} else {
		n.parts[k].delivered = true
	}
	n.mu.Unlock()
	if w.Twice {
		n.report(s, status)
	}
}
