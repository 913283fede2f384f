package scheduler_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// network is the truth of a random run: what became of every part, whatever dongled was told.
type network struct {
	plan      *plan
	sims      []*fakeSIM
	scheduler atomic.Pointer[scheduler.Scheduler]

	mu      sync.Mutex
	answers [2][]verdict
	outages [2]int
	reports int
	parts   map[partKey]*truth
}

type partKey struct {
	number string
	part   int // from 1
}

// truth is the history of one part: its submissions in order, and the final reports that dongled got.
type truth struct {
	verdicts          []verdict
	delivered, failed bool
}

func (h *truth) taken() bool {
	return slices.ContainsFunc(h.verdicts, verdict.taken)
}

func newNetwork(p *plan, sims ...*fakeSIM) *network {
	n := &network{plan: p, sims: sims, answers: p.Answers, parts: map[partKey]*truth{}}
	for i, f := range sims {
		f.answer = func(s submission) error { return n.answer(i, s) }
	}
	return n
}

// answer decides about a submission on SIM i, and sends its reports.
func (n *network) answer(i int, s submission) error {
	k := partKey{s.Destination, 1}
	if s.Concat != nil {
		k.part = int(s.Concat.Number)
	}
	n.mu.Lock()
	v := takes
	if len(n.answers[i]) > 0 {
		v, n.answers[i] = n.answers[i][0], n.answers[i][1:]
	}
	h := n.parts[k]
	if h == nil {
		h = &truth{}
		n.parts[k] = h
	}
	h.verdicts = append(h.verdicts, v)
	w := n.plan.Tidings[n.reports%len(n.plan.Tidings)]
	n.reports++
	n.mu.Unlock()

	switch {
	case !v.taken() || !s.Report || w.Lost:
	case w.After < 0:
		n.deliver(s, k, w)
	default:
		go n.deliver(s, k, w)
	}
	return v.answer()
}

// report hands a report over as a Worker does: what was not stored is not acknowledged, and comes again.
func (n *network) report(s submission, st pdu.Status) {
	from := modem.Origin{SIM: s.SIM, IMSI: n.sims[s.SIM-1].Status().IMSI}
	r := pdu.Report{SMSC: "+491710760000", MR: s.MR, Recipient: s.Destination, Status: st}
	for n.scheduler.Load().Reported(context.Background(), from, r) != nil {
		time.Sleep(time.Second)
	}
}

// judge lists what is untrue in what dongled says of a recipient.
func (n *network) judge(m message, r queue.Recipient) (faults []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]*truth, len(r.Parts))
	taken, delivered := 0, 0
	for i := range r.Parts {
		h := n.parts[partKey{r.Number, i + 1}]
		if h == nil {
			h = &truth{}
		}
		all[i] = h
		for j, v := range h.verdicts {
			if j+1 < len(h.verdicts) && (v.taken() || v.unknown() || v == rejects) {
				faults = append(faults, "a part was submitted again after it had, or may have, or could not have left")
			}
		}
		if h.taken() {
			taken++
		}
		if h.delivered {
			delivered++
		}
	}
	has := func(f func(*truth) bool) bool { return slices.ContainsFunc(all, f) }
	failed := has(func(h *truth) bool { return h.failed })
	wrong := ""
	switch {
	case r.State == queue.Delivered && delivered < len(all):
		wrong = "not every part was"
	case r.State != queue.Delivered && delivered == len(all):
		wrong = "every part was delivered, and reported so"
	case r.State == queue.Sent && (taken < len(all) || failed):
		wrong = "a part was not taken, or reported as failed"
	case r.State == queue.Failed && !n.reason(m, r, all):
		wrong = "that reason is not true"
	}
	if wrong != "" {
		faults = append(faults, wrong)
	}
	return faults
}

// reason reports whether the error of a recipient that failed says what happened.
func (n *network) reason(m message, r queue.Recipient, all []*truth) bool {
	has := func(f func(*truth) bool) bool { return slices.ContainsFunc(all, f) }
	switch {
	case strings.HasPrefix(r.Error, "TTL expired"):
		return m.TTL > 0 && has(func(h *truth) bool { return !h.taken() })
	case strings.HasPrefix(r.Error, "Send result: RESULT_NETWORK_REJECT"):
		return has(func(h *truth) bool { return slices.Contains(h.verdicts, rejects) })
	case strings.HasPrefix(r.Error, "gave up after"):
		return has(func(h *truth) bool {
			n := 0
			for _, v := range h.verdicts {
				if v == busy || v == outOfOrder || v == protocol {
					n++
				}
			}
			return n >= 2 && !h.taken()
		})
	case strings.HasPrefix(r.Error, "Delivery result from SC +491710760000: 70 "):
		return has(func(h *truth) bool { return h.failed })
	case strings.HasPrefix(r.Error, "not submitted, as another part failed: "+lost):
		return has(func(h *truth) bool { return !h.taken() })
	case r.Error == lost:
		return has(func(h *truth) bool { return slices.ContainsFunc(h.verdicts, verdict.unknown) && !h.delivered })
	}
	return false
}
