package queue

import (
	"slices"
	"time"
)

// best is the recipient that goes first on a SIM, but for those passed: by priority, the rest of the
// last message, age.
func (md *model) best(c Claim, passed []*modelRecipient) (best *modelRecipient) {
	for _, m := range md.messages {
		for _, r := range m.recipients {
			lane := md.lane(r)
			open := r.waiting && !r.due.After(time.Now()) && (lane == c.SIM || slices.Contains(c.Lanes, lane)) && !slices.Contains(passed, r)
			if open && (best == nil || md.before(r, best, c.Last)) {
				best = r
			}
		}
	}
	return best
}

func (md *model) before(a, b *modelRecipient, last *Job) bool {
	switch {
	case a.prio != b.prio:
		return a.prio > b.prio
	case a.msg == b.msg:
		return a.n < b.n
	case last != nil && last.Priority == a.prio && last.ID == a.msg.id:
		return true
	case last != nil && last.Priority == a.prio && last.ID == b.msg.id:
		return false
	}
	return (a.msg.seq < b.msg.seq) == md.fifo
}

// claim returns the recipient and part to submit, or nil.
func (md *model) claim(c Claim) (*modelRecipient, int) {
	var passed []*modelRecipient
	for {
		r := md.active[c.SIM]
		if r == nil {
			r = md.best(c, passed)
		}
		if r == nil {
			return nil, 0
		}
		if i := r.queued(); i >= 0 && !r.msg.expired() {
			if r.msg.quiet && r.state() == Pending && c.QuietUntil.After(time.Now()) {
				r.due = c.QuietUntil
				continue
			}
			if held, others := md.held(c, r); held {
				if !others || md.active[c.SIM] == r {
					return nil, 0
				}
				passed = append(passed, r)
				continue
			}
			md.charge(c, r)
			r.waiting, r.sim = false, c.SIM
			r.parts[i].state = PartSubmitting
			r.parts[i].attempts++
			md.active[c.SIM] = r
			md.note(r)
			return r, i
		}
		r.drop()
		md.note(r)
		delete(md.active, c.SIM)
	}
}

// held reports whether a quota forbids the next part of r, and whether that is for its recipient only.
func (md *model) held(c Claim, r *modelRecipient) (held, others bool) {
	now := time.Now()
	y, m, d := now.UTC().Date()
	others = true
	for _, w := range []struct {
		Caps
		from time.Time // what is of then or later counts
	}{
		{c.Quota.Minute, now.Add(time.Millisecond - time.Minute)},
		{c.Quota.Hour, now.Add(time.Millisecond - time.Hour)},
		{c.Quota.Day, time.Date(y, m, d, 0, 0, 0, 0, time.UTC)},
		{c.Quota.Month, time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)},
	} {
		texts, parts, recipients := 0, 0, map[string]bool{}
		for _, ch := range md.charges {
			if ch.card != c.IMSI || ch.at.Before(w.from) {
				continue
			}
			parts++
			recipients[ch.to] = true
			if ch.beginning {
				texts++
			}
		}
		needed := 1
		if !r.begun() {
			needed = min(len(r.parts), w.Parts)
		}
		if w.Messages > 0 && !r.begun() && texts+1 > w.Messages || w.Parts > 0 && parts+needed > w.Parts {
			held, others = true, false
		}
		if w.Recipients > 0 && !recipients[r.to] && len(recipients)+1 > w.Recipients {
			held = true
		}
	}
	return held, others
}

func (md *model) charge(c Claim, r *modelRecipient) {
	r.charge = &modelCharge{at: time.Now(), card: c.IMSI, to: r.to, beginning: !r.begun()}
	md.charges = append(md.charges, r.charge)
}
