package main_test

import (
	"time"

	"dongled/pdu"
	"dongled/scheduler/queue"
)

// part checks one line of the ledger against what a network has of that part.
func (a *soakAudit) part(l *letter, r queue.Recipient, n int, p *queue.Part, on aired, sent bool) {
	var holds bool
	switch p.State {
	case queue.PartAccepted:
		holds = sent && on.MR == p.MR && on.stick.IMSI == p.IMSI
		a.missed(l, r, n, on)
	case queue.PartDelivered:
		holds = a.settled(r, p, on, sent, pdu.StatusDelivered)
	case queue.PartUndelivered:
		holds = a.settled(r, p, on, sent, pdu.StatusFailed, pdu.StatusGaveUp)
	case queue.PartRejected:
		holds = !sent && (l.rejects() || failedElsewhere(r, n))
	case queue.PartCancelled:
		holds = !sent
	case queue.PartLost:
		a.doubts++
		holds = a.inDoubt(l, r, p)
		if sent {
			a.missed(l, r, n, on)
		}
	}
	if !holds {
		at := p.Submitted
		if at.IsZero() {
			at = a.posted[l.id].at
		}
		a.wrong(at, "%s, part %d to %s is %v: %+v; on the air %v: %+v; the fault that stands on it: %+v", l.id, n+1, r.Number, p.State, *p, sent, on, l.fault)
	}
}

// settled says whether the network reported on a part. One that never got its +CMGS has no TP-MR of
// its own: it may have been taken for another one like it to the same number, since nobody can tell
// them apart; but each report settles one part.
func (a *soakAudit) settled(r queue.Recipient, p *queue.Part, on aired, sent bool, is ...pdu.Class) bool {
	if !p.Accepted.IsZero() {
		return sent && on.MR == p.MR && on.stick.IMSI == p.IMSI && on.reported(is...)
	}
	for n := range r.Parts {
		other, sent := a.air[airKey{r.Number, n + 1}]
		if sent && other.MR == p.MR && other.stick.IMSI == p.IMSI && other.reported(is...) && !a.claimed[other.Submission] {
			a.claimed[other.Submission] = true
			return true
		}
	}
	return false
}

// failedElsewhere says whether another part failed, so that this one was not worth sending any more.
func failedElsewhere(r queue.Recipient, n int) bool {
	for i, p := range r.Parts {
		if i != n && (p.State == queue.PartLost || p.State == queue.PartUndelivered || p.State == queue.PartRejected) {
			return true
		}
	}
	return false
}

// inHand is how long a part may be in a dongle's hand: the worker waits ten seconds for a prompt that does
// not come, and then knows that nothing left.
const inHand = 11 * time.Second

// inDoubt says whether nobody could know what became of a part: its dongle fell silent upon it, or the
// way to it was cut while it had the part in hand.
func (a *soakAudit) inDoubt(l *letter, r queue.Recipient, p *queue.Part) bool {
	if l.fallsSilent() && r.Number == l.to[0] {
		return true
	}
	for _, d := range a.sticks {
		if d.IMSI == p.IMSI {
			return a.wasCut(d.sim, p.Submitted, inHand)
		}
	}
	return false
}

// missed checks that no final report got lost between the dongle and the store, unless the way between
// them was cut just then.
func (a *soakAudit) missed(l *letter, r queue.Recipient, n int, on aired) {
	for _, h := range on.reports {
		if h.Status.Final() && !a.wasCut(h.sim, h.at, 0) {
			a.wrong(h.at, "%s, part %d to %s: the dongle got a final report, %v, and the part is %v", l.id, n+1, r.Number, h.Status, r.Parts[n].State)
		}
	}
}
