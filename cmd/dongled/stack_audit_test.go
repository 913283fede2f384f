package main

import (
	"errors"
	"slices"
	"time"

	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler/queue"
)

func asSubmitError(err error, target **modem.SubmitError) bool { return errors.As(err, target) }

// taken is an SMS-SUBMIT that the network has, and the reports about it that the dongle got.
type taken struct {
	virtual.Submission
	sim     int
	reports []pdu.Report
}

// reported says whether a report of that kind came.
func (s taken) reported(is func(pdu.Class) bool) bool {
	return slices.ContainsFunc(s.reports, func(r pdu.Report) bool { return is(r.Status.Class()) })
}

func isDelivered(c pdu.Class) bool { return c == pdu.StatusDelivered }
func isFailure(c pdu.Class) bool   { return c == pdu.StatusFailed || c == pdu.StatusGaveUp }

// about says whether r is a report about s: they share TP-MR, number, and the time at which the
// service centre got the message, in seconds as on the air.
func (s taken) about(r heard) bool {
	return s.sim == r.sim && s.MR == r.MR && pdu.SameNumber(s.Submit.Destination, r.Recipient) &&
		s.At.Truncate(time.Second).Equal(r.SCTS.Truncate(time.Second))
}

// audit compares what the gateway says in the end with what was on the air.
func (j *journal) audit() []string {
	a := &audit{journal: j, air: j.onAir(), ledger: map[partOf]*queue.Part{}, claimed: map[claim]partOf{}}
	var messages []queue.Message
	for n, m := range j.sent {
		got, err := j.s.Get(j.s.t.Context(), m.id)
		if err != nil {
			j.wrong("message %d was accepted and is gone: %v", n, err)
		}
		messages = append(messages, got)
		for i, r := range got.Recipients {
			for part := range r.Parts {
				a.ledger[partOf{n, i, part}] = &r.Parts[part]
			}
		}
	}
	for n, m := range j.sent {
		a.message(n, m, messages[n])
		for i := range messages[n].Recipients {
			a.recipient(partOf{n, i, 0}, m, &messages[n].Recipients[i])
		}
	}
	a.unclaimed()
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.faults
}

// audit is the comparison of the ledger with the air.
type audit struct {
	*journal
	air    map[partOf][]taken
	ledger map[partOf]*queue.Part
	// claimed holds which part without +CMGS took the report of which submission for its own.
	claimed map[claim]partOf
}

type claim struct {
	imsi string
	mr   uint8
	at   time.Time
}

// onAir is everything that the network took, by part.
func (j *journal) onAir() map[partOf][]taken {
	air := map[partOf][]taken{}
	for _, r := range j.s.radios {
		reports := r.reports()
		for _, s := range r.Submissions() {
			k := partOf{message: messageOf(s)}
			if s.Submit.Concat != nil {
				k.part = int(s.Submit.Concat.Number) - 1
			}
			if k.message >= len(j.sent) {
				j.wrong("on the air without a message: %q", s.Submit.Text)
				continue
			}
			if k.recipient = slices.Index(j.sent[k.message].To, s.Submit.Destination); k.recipient < 0 {
				j.wrong("message %d went to %s", k.message, s.Submit.Destination)
				continue
			}
			one := taken{Submission: s, sim: r.sim}
			for _, p := range reports {
				if one.about(heard{r.sim, r.imsi, p}) {
					one.reports = append(one.reports, p)
				}
			}
			air[k] = append(air[k], one)
		}
	}
	return air
}

// message checks that the state of a message is final and follows from its recipients'.
func (j *audit) message(n int, m *sending, got queue.Message) {
	if len(got.Recipients) != len(m.To) {
		j.wrong("message %d has %d recipients of %d", n, len(got.Recipients), len(m.To))
	}
	count := map[queue.State]int{}
	for _, r := range got.Recipients {
		count[r.State]++
	}
	all := len(got.Recipients)
	want := queue.Sent
	switch {
	case count[queue.Pending]+count[queue.Processed] > 0:
		j.wrong("message %d has no end: %+v", n, got.Recipients)
		return
	case count[queue.Cancelled] > 0:
		want = queue.Cancelled
	case count[queue.Failed] == all:
		want = queue.Failed
	case count[queue.Delivered] == all:
		want = queue.Delivered
	}
	if got.State != want {
		j.wrong("message %d is %v, its recipients are %v", n, got.State, count)
	}
	if m.cancelled != (got.State == queue.Cancelled) {
		j.wrong("message %d is %v; withdrawn by us: %v", n, got.State, m.cancelled)
	}
}

// recipient checks the state of a recipient against the ledger, and the ledger against the air.
func (j *audit) recipient(k partOf, m *sending, r *queue.Recipient) {
	if r.Number != m.To[k.recipient] || len(r.Parts) != m.parts() {
		j.wrong("%v: %s in %d parts, want %s in %d", k, r.Number, len(r.Parts), m.To[k.recipient], m.parts())
	}
	states := map[queue.PartState]int{}
	sims := map[int]bool{}
	for i := range r.Parts {
		k.part = i
		states[r.Parts[i].State]++
		for _, s := range j.air[k] {
			sims[s.sim] = true
		}
		j.part(k, m, &r.Parts[i])
	}
	want := queue.Sent
	switch {
	case states[queue.PartRejected]+states[queue.PartUndelivered]+states[queue.PartLost] > 0:
		want = queue.Failed
	case states[queue.PartCancelled] > 0:
		want = queue.Cancelled
	case states[queue.PartDelivered] == len(r.Parts):
		want = queue.Delivered
	}
	if r.State != want || r.State == queue.Failed && r.Error == "" {
		j.wrong("message %d, recipient %d is %v, error %q; its parts are %v", k.message, k.recipient, r.State, r.Error, states)
	}
	if len(sims) > 1 && !j.plan.Options.RetryUnknown || m.SIM != 0 && len(sims) > 0 && !sims[m.SIM] {
		j.wrong("message %d, recipient %d, for SIM %d, went over SIMs %v", k.message, k.recipient, m.SIM, sims)
	}
}

// part checks one line of the ledger against what the network has of that part.
func (j *audit) part(k partOf, m *sending, p *queue.Part) {
	on, doubts, again := j.air[k], j.doubts[k], 0
	if j.plan.Options.RetryUnknown {
		again = min(doubts, 2)
	}
	if len(on) > 1+again {
		j.wrong("%v was sent %d times, having been in doubt %d times", k, len(on), doubts)
	}
	var holds bool
	switch p.State {
	case queue.PartAccepted:
		holds = slices.ContainsFunc(on, func(s taken) bool { return s.MR == p.MR && j.imsi(s) == p.IMSI })
	case queue.PartDelivered:
		holds = j.reported(k, p, isDelivered)
	case queue.PartUndelivered:
		holds = j.reported(k, p, isFailure)
	case queue.PartRejected:
		holds = len(on) <= again
	case queue.PartCancelled:
		holds = len(on) <= again // withdrawn while the repetition waited
	case queue.PartLost:
		holds = doubts > 0
	}
	if !holds {
		j.wrong("%v is %v: %+v, in doubt %d times; on the air: %+v", k, p.State, *p, doubts, on)
	}
	j.times(k, m, on)
	j.missed(k, p, on)
}

func (j *audit) imsi(s taken) string { return j.s.radios[s.sim-1].imsi }

// reported says whether the network reported on part k, in the sense of is.
//
// A part that never got its +CMGS has no TP-MR of its own. It may have been taken for another one
// like it, to the same number by the same card, since nobody can tell them apart; but not for a
// submission whose TP-MR is known, and each report settles one part only.
func (j *audit) reported(k partOf, p *queue.Part, is func(pdu.Class) bool) bool {
	if !p.Accepted.IsZero() {
		return slices.ContainsFunc(j.air[k], func(s taken) bool { return s.reported(is) })
	}
	for other, on := range j.air {
		if j.number(other) != j.number(k) {
			continue
		}
		for _, s := range on {
			c := claim{j.imsi(s), s.MR, s.At}
			_, twice := j.claimed[c]
			card := p.IMSI == c.imsi || j.plan.Options.RetryUnknown // sent again, over another one
			if !twice && card && s.MR == p.MR && s.reported(is) && !j.numbered(other, s) {
				j.claimed[c] = k
				return true
			}
		}
	}
	return false
}

// numbered says whether +CMGS told the TP-MR of the submission s of part k.
func (j *audit) numbered(k partOf, s taken) bool {
	p := j.ledger[k]
	return !p.Accepted.IsZero() && p.MR == s.MR && p.IMSI == j.imsi(s)
}

func (j *audit) number(k partOf) string { return j.sent[k.message].To[k.recipient] }

// handing is how long after its claim a part may still reach the network: the dongle may be in the
// middle of another command, and then be slow to prompt.
const handing = 30 * time.Second

func (j *audit) times(k partOf, m *sending, on []taken) {
	for _, s := range on {
		if due := m.sub.ScheduleAt.Truncate(time.Millisecond); s.At.Before(due) {
			j.wrong("%v went out %v too early", k, due.Sub(s.At))
		}
		if end := m.sub.ValidUntil; !end.IsZero() && s.At.After(end.Add(handing)) {
			j.wrong("%v went out %v after it had expired", k, s.At.Sub(end))
		}
	}
}

// missed checks that a part which got its +CMGS did not miss a final report that was stored. A report
// which reached a session that ended before it could ask for the SIM's IMSI is nobody's.
func (j *audit) missed(k partOf, p *queue.Part, on []taken) {
	if p.State != queue.PartAccepted {
		return
	}
	for _, s := range on {
		if s.MR == p.MR && j.heard(s) {
			j.wrong("%v is accepted under TP-MR %d, although its final report was stored", k, p.MR)
		}
	}
}

// unclaimed checks that no part was given up as lost whose report was stored, unless that report was
// taken for another one's that had no TP-MR either.
func (j *audit) unclaimed() {
	for k, on := range j.air {
		if p := j.ledger[k]; p.State == queue.PartLost && len(on) == 1 {
			c := claim{j.imsi(on[0]), on[0].MR, on[0].At}
			if _, claimed := j.claimed[c]; !claimed && j.heard(on[0]) {
				j.wrong("%v is lost, although its report was stored: %+v", k, on[0])
			}
		}
	}
}

// heard says whether a final report about s was stored, under the card that it was for.
func (j *audit) heard(s taken) bool {
	return slices.ContainsFunc(j.stored, func(r heard) bool {
		return s.about(r) && r.imsi == j.imsi(s) && r.Status.Final()
	})
}
