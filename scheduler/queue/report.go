package queue

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
)

// Verdict is what a status report says of its part.
type Verdict uint8

const (
	// VerdictTrying: the service centre still tries; nothing is settled.
	VerdictTrying Verdict = iota + 1
	// VerdictDelivered: the transaction is completed.
	VerdictDelivered
	// VerdictFailed: the service centre has given up.
	VerdictFailed
)

// Report is a status report (TS 23.040 section 9.2.2.3) as a SIM received it.
type Report struct {
	IMSI      string `json:"i"`
	MR        uint8  `json:"mr"`
	Recipient string `json:"ra"`
	// Status is TP-ST as received, Verdict its meaning, Text the meaning for people; Text is
	// empty where there is nothing to say.
	Status  uint8   `json:"st"`
	Verdict Verdict `json:"v"`
	Text    string  `json:"txt,omitempty"`
}

// Match is what Report found.
type Match uint8

const (
	// Orphan: no part matches yet; the report is kept for the +CMGS that may follow.
	Orphan Match = iota
	// Matched: the report was applied to a part.
	Matched
	// Repeated: the part it belongs to was settled before; nothing changed.
	Repeated
)

// maxCandidates bounds the parts looked at for one report: older ones of the same card, TP-MR and
// number are 256 messages back each.
const maxCandidates = 16

// maxMRGap is how far TP-MR may have run on between the last +CMGS of a card and a part that got
// none: the modem counts refused submissions too.
const maxMRGap = 8

// Report stores r and applies it to the newest part that is not settled and matches in card, TP-MR
// and the last digits of the recipient. It returns after the commit.
func (q *Queue) Report(ctx context.Context, r Report) (match Match, err error) {
	err = q.submit(ctx, &op{rides: true, done: make(chan error, 1), run: func(t *tx) error {
		match, err = t.report(&r)
		return err
	}})
	return match, err
}

func (t *tx) report(r *Report) (Match, error) {
	found := t.candidates(r)
	if slices.ContainsFunc(found, func(c candidate) bool { return c.settledBy(r) }) {
		return Repeated, nil
	}
	if len(found) == 0 || t.overtaken(r, found[0]) {
		t.keepOrphan(r)
		return Orphan, t.err
	}
	for _, c := range found {
		if t.applyReport(c, r) {
			return Matched, t.err
		}
	}
	return Repeated, nil
}

// candidate is a part that a report may be about.
type candidate struct {
	m    *message
	d    *delivery
	part int
	// numbered says that it bears the report's TP-MR, by +CMGS.
	numbered bool
}

func (c candidate) intent() int { return c.d.Parts[c.part].Intent }

// settledBy reports whether the part, without +CMGS, was settled by a report of the same TP-MR: then
// r is that report again, and not about another part of which nothing is known.
func (c candidate) settledBy(r *Report) bool {
	p := &c.d.Parts[c.part]
	return p.Accepted == 0 && p.MR == r.MR && (p.State == PartDelivered || p.State == PartUndelivered)
}

// candidates are the parts that r may be about, the newest submission first: those that bear its
// TP-MR, and those without +CMGS, submitted since, whose number was due next after the card's last.
func (t *tx) candidates(r *Report) []candidate {
	found := t.filed(nil, r, int(r.MR), func([]byte) bool { return true })
	// A card that repeats its TP-MR is believed only where nothing else bears it.
	least := min(1, len(found))
	last := t.lastMR(r.IMSI)
	found = t.filed(found, r, mrUnknown, func(base []byte) bool {
		if len(base) == 0 {
			return true
		}
		gap, most := int(r.MR-base[0]), maxMRGap
		if since := int(uint8(last) - base[0]); since > 0 {
			most = min(most, since-1) // it came before what the card has accepted since
		}
		return gap >= least && gap <= most
	})
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.intent(), a.intent()) })
	taken := false
	return slices.DeleteFunc(found, func(c candidate) bool {
		taken = taken || c.numbered
		return taken && !c.numbered
	})
}

// filed appends the parts filed under mr whose index entries fit, newest message first.
func (t *tx) filed(found []candidate, r *Report, mr int, fits func(value []byte) bool) []candidate {
	prefix := reportPrefix(r.IMSI, mr, r.Recipient)
	c := t.reports.Cursor()
	k, v := seekLast(c, prefix)
	for range maxCandidates {
		if !hasPrefix(k, prefix) {
			break
		}
		if fits(v) {
			rest := k[len(prefix):]
			m, d := t.loadBoth(binary.BigEndian.Uint64(rest), rest[8])
			if d != nil && sameNumber(d.To, r.Recipient) {
				found = append(found, candidate{m, d, int(rest[9]), mr != mrUnknown})
			}
		}
		k, v = c.Prev()
	}
	return found
}

// overtaken reports whether r may rather be about a part that is being submitted than about c: the
// card gives this TP-MR next, so what bears it is some 250 submissions old; or c is without TP-MR, and
// perhaps never left. Which it is shows when that part is settled (see offerAgain).
func (t *tx) overtaken(r *Report, c candidate) bool {
	if c.numbered {
		last := t.lastMR(r.IMSI)
		if gap := int(r.MR - uint8(last)); last < 0 || gap == 0 || gap > maxMRGap {
			return false
		}
	}
	cur := t.meta.Cursor()
	for k, v := cur.Seek(prefixActive); hasPrefix(k, prefixActive); k, v = cur.Next() {
		m, d := t.loadBoth(binary.BigEndian.Uint64(v), v[8])
		if d == nil || !m.Report || !sameNumber(d.To, r.Recipient) {
			continue
		}
		for i := range d.Parts {
			if p := &d.Parts[i]; p.State == PartSubmitting && p.IMSI == r.IMSI {
				return p.Intent != c.intent() // not itself, submitted again
			}
		}
	}
	return false
}

// applyReport gives r to the part c, and reports whether it still waited for one.
func (t *tx) applyReport(c candidate, r *Report) bool {
	if !t.note(c.d, c.part, r) {
		return false
	}
	if c.d.nextQueued() < 0 {
		t.unplace(c.d)
		t.leave(c.d)
	}
	t.store(c.m, c.d)
	return true
}

// note moves part i as the report says. It reports whether the report was news.
func (t *tx) note(d *delivery, i int, r *Report) bool {
	p := &d.Parts[i]
	switch p.State {
	case PartDelivered, PartUndelivered, PartRejected, PartCancelled:
		return false
	case PartAccepted:
		if r.Verdict == VerdictFailed && p.MR != r.MR {
			return false // of an earlier submission; this one may yet succeed
		}
	}
	p.Status = int(r.Status) + 1
	switch r.Verdict {
	case VerdictDelivered:
		if d.apply(i, evDeliver) {
			p.settle(r.MR, t.now)
			p.Error = r.Text
		}
	case VerdictFailed:
		if d.apply(i, evUndeliver) {
			p.settle(r.MR, t.now)
			d.fail(i, r.Text, t.now)
			t.unplace(d)
		}
	}
	return true
}

// settle notes when a report settled p, and its TP-MR if +CMGS never gave one.
func (p *part) settle(mr uint8, now int64) {
	p.Settled = now
	if p.Accepted == 0 {
		p.MR = mr
	}
}

func encodeMR(mr int) []byte {
	if mr < 0 {
		return []byte{}
	}
	return []byte{byte(mr)}
}
