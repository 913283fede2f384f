package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dongled/modem/virtual"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// plan is all that happens to a gateway with two SIMs: what is asked of it, and what goes wrong.
type plan struct {
	Options scheduler.Options
	Dongles []virtual.Options
	Steps   []step
}

// GoString is what rapid prints of a plan that fails: what is not at its default, a line each.
func (p plan) GoString() string {
	var b strings.Builder
	fmt.Fprintf(&b, "selection %s, FIFO %v, retry %v\n", p.Options.Selection, p.Options.FIFO, p.Options.RetryUnknown)
	for i, d := range p.Dongles {
		fmt.Fprintf(&b, "SIM %d: prompt %v, answer %v, report %v, +CNMI=? %s\n",
			i+1, d.PromptDelay, d.SubmitDelay, d.ReportDelay, d.CNMI)
		for _, f := range d.Faults {
			fmt.Fprintf(&b, "  %+v\n", f)
		}
	}
	for _, s := range p.Steps {
		fmt.Fprintf(&b, "+%v: %v", s.Gap, actionNames[s.Do])
		switch s.Do {
		case doSend:
			fmt.Fprintf(&b, " %+v", s.Order)
		case doCancel:
			fmt.Fprintf(&b, " %d", s.Which)
		case doUnplug, doDeregister:
			fmt.Fprintf(&b, " SIM %d for %v", s.SIM, s.For)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// step is one event of a plan, Gap after the one before it.
type step struct {
	Gap time.Duration
	Do  action
	// Order is what to send, for doSend.
	Order order
	// SIM is whose, and For how long, for doUnplug and doDeregister.
	SIM int
	For time.Duration
	// Which is the number of the message to withdraw, for doCancel.
	Which int
}

type action int

const (
	doSend action = iota
	doCancel
	doUnplug
	doDeregister
	doRestart
	doCrash
)

var actionNames = [...]string{"send", "cancel", "unplug", "deregister", "restart", "crash"}

// order is a message to be sent, with times counted from its submission; 0 is none.
type order struct {
	Kind          alphabet
	Length        int
	To            []string
	SIM           int
	Priority      int8
	Report        bool
	ValidFor, Due time.Duration
}

type alphabet int

const (
	gsm7 alphabet = iota
	ucs2
	octets
)

// content is Length characters or octets of one kind, which tell the n-th message from all others in
// every one of its parts: A, B, C …; А, Б, В …; 1, 2, 3 …
func (o order) content(n int) queue.Content {
	switch o.Kind {
	case ucs2:
		return queue.Content{Text: strings.Repeat(string(rune('А'+n)), o.Length)}
	case octets:
		return queue.Content{Data: bytes.Repeat([]byte{byte(1 + n)}, o.Length), Port: 2948}
	default:
		return queue.Content{Text: strings.Repeat(string(rune('A'+n)), o.Length)}
	}
}

// messageOf is the number of the message that a part on the air belongs to.
func messageOf(s virtual.Submission) int {
	if len(s.Submit.Data) > 0 {
		return int(s.Submit.Data[0]) - 1
	}
	first := []rune(s.Submit.Text)[0]
	if first >= 'А' {
		return int(first - 'А')
	}
	return int(first - 'A')
}

// The parts that each length makes, by TS 23.040: 160 and 153 septets, 70 and 67 UTF-16 units, with
// ports 133 and 128 octets.
func (o order) parts() int {
	single, multi := 160, 153
	switch o.Kind {
	case ucs2:
		single, multi = 70, 67
	case octets:
		single, multi = 133, 128
	}
	if o.Length <= single {
		return 1
	}
	return (o.Length + multi - 1) / multi
}

// phones are few, so that messages to the same one meet.
var phones = []string{"+4915112345601", "+4915112345602", "+4915112345603", "12346"}

// unknownAfter is short of the default day: an idle gateway asks its dongles something four times a minute.
const unknownAfter = 20 * time.Minute

func anyPlan(retry bool) *rapid.Generator[plan] {
	return rapid.Custom(func(t *rapid.T) plan {
		p := plan{Options: scheduler.Options{
			RetryUnknown: retry, UnknownAfter: unknownAfter, FIFO: rapid.Bool().Draw(t, "FIFO"),
			Selection: rapid.SampledFrom([]scheduler.Selection{
				scheduler.OSDefault, scheduler.RoundRobin, scheduler.Random,
			}).Draw(t, "selection"),
		}}
		for range 2 {
			p.Dongles = append(p.Dongles, anyDongle().Draw(t, "dongle"))
		}
		p.Steps = rapid.SliceOfN(anyStep(), 4, 20).Draw(t, "steps")
		return p
	})
}

func anyDongle() *rapid.Generator[virtual.Options] {
	return rapid.Custom(func(t *rapid.T) virtual.Options {
		return virtual.Options{
			PromptDelay: seconds(0, 2).Draw(t, "prompt delay"),
			SubmitDelay: seconds(0, 8).Draw(t, "submit delay"),
			ReportDelay: seconds(0, 20).Draw(t, "report delay"),
			CNMI: rapid.SampledFrom([]string{
				virtual.DefaultCNMI, "(0,1),(0,1,2,3),(0,2,3),(0,2),(0)", "(2),(0-3),(0,2),(0,1),(1)",
			}).Draw(t, "+CNMI=?"),
			Faults: rapid.SliceOfN(anyFault(), 2, 8).Draw(t, "faults"),
		}
	})
}

func anyStep() *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		s := step{
			Gap: rapid.OneOf(rapid.Just(time.Duration(0)), seconds(1, 10), seconds(10, 600)).Draw(t, "gap"),
			Do: rapid.SampledFrom([]action{
				doSend, doSend, doSend, doSend, doSend, doCancel, doUnplug, doDeregister, doRestart, doCrash, doCrash,
			}).Draw(t, "do"),
		}
		switch s.Do {
		case doSend:
			s.Order = anyOrder().Draw(t, "order")
		case doCancel:
			s.Which = rapid.IntRange(0, 7).Draw(t, "which")
		case doUnplug, doDeregister:
			s.SIM = rapid.IntRange(1, 2).Draw(t, "SIM")
			s.For = rapid.OneOf(seconds(1, 30), seconds(30, 1800)).Draw(t, "for")
		}
		return s
	})
}

func anyOrder() *rapid.Generator[order] {
	return rapid.Custom(func(t *rapid.T) order {
		o := order{
			Kind:     alphabet(rapid.IntRange(int(gsm7), int(octets)).Draw(t, "alphabet")),
			To:       rapid.SliceOfNDistinct(rapid.SampledFrom(phones), 1, 3, rapid.ID).Draw(t, "to"),
			SIM:      rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "SIM"),
			Priority: rapid.SampledFrom([]int8{0, 0, -128, 50, 100, 127}).Draw(t, "priority"),
			Report:   rapid.SampledFrom([]bool{true, true, true, false}).Draw(t, "report"),
			Length:   rapid.OneOf(rapid.IntRange(1, 60), rapid.IntRange(1, 350)).Draw(t, "length"),
		}
		if rapid.IntRange(0, 3).Draw(t, "has validity") == 3 {
			o.ValidFor = seconds(1, 7200).Draw(t, "valid for")
		}
		if rapid.IntRange(0, 3).Draw(t, "is scheduled") == 3 {
			o.Due = seconds(0, 1800).Draw(t, "due")
			if o.ValidFor > 0 {
				o.Due = min(o.Due, o.ValidFor)
			}
		}
		return o
	})
}

// play has the plan happen to a gateway of its own, and returns what must not have been.
func (p plan) play(t *testing.T) []string {
	s := newStack(t, p.Options, p.Dongles...)
	j := newJournal(s, p)
	time.Sleep(10 * time.Second) // the dongles come up, or are in the middle of it
	for _, step := range p.Steps {
		time.Sleep(step.Gap)
		p.do(s, j, step)
	}
	j.settle()
	return j.audit()
}

func (p plan) do(s *stack, j *journal, st step) {
	switch st.Do {
	case doSend:
		j.send(st.Order)
	case doCancel:
		j.cancel(st.Which)
	case doUnplug:
		r := s.radios[st.SIM-1]
		r.Unplug()
		time.AfterFunc(st.For, r.Plug)
	case doDeregister:
		r := s.radios[st.SIM-1]
		r.SetRegistration(2)
		time.AfterFunc(st.For, func() { r.SetRegistration(1) })
	case doRestart:
		s.restart()
	case doCrash:
		s.crash(j.crash)
	}
}

// send submits the next message.
func (j *journal) send(o order) {
	n := len(j.sent)
	sub := queue.Submission{
		ID: fmt.Sprintf("message-%d", n), Content: o.content(n), Recipients: o.To, SIM: o.SIM,
		Priority: o.Priority, Report: o.Report, SkipPhoneValidation: true,
	}
	now := time.Now()
	if o.ValidFor > 0 {
		sub.ValidUntil = now.Add(o.ValidFor)
	}
	if o.Due > 0 {
		sub.ScheduleAt = now.Add(o.Due)
	}
	m, err := j.s.Submit(context.Background(), sub)
	if err != nil {
		j.wrong("message %d was not accepted: %v", n, err)
		return
	}
	j.sent = append(j.sent, &sending{order: o, sub: sub, id: m.ID})
}

// cancel withdraws a message, if it was sent and may be withdrawn.
func (j *journal) cancel(n int) {
	if n >= len(j.sent) {
		return
	}
	switch _, err := j.s.Cancel(context.Background(), j.sent[n].id); {
	case err == nil:
		j.sent[n].cancelled = true
	case !errors.Is(err, queue.ErrNotPending):
		j.wrong("message %d cannot be cancelled: %v", n, err)
	}
}
