package queue

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"dongled/scheduler/store"
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
	err = q.store.Ride(ctx, func(st *store.Tx) error {
		match, err = q.in(st).report(&r)
		return err
	})
	return match, err
}

func (t *tx) report(r *Report) (Match, error) {
	found := t.candidates(r)
	if repeated(found, r) {
		return Repeated, nil
	}
	if len(found) == 0 || t.overtaken(r, found[0]) {
		t.keepOrphan(r)
		return Orphan, t.Err
	}
	for _, c := range found {
		if t.applyReport(c, r) {
			return Matched, t.Err
		}
	}
	return Repeated, nil
}

// candidate is a submission of a part that a report may be about.
type candidate struct {
	m    *message
	d    *delivery
	part int
	// numbered says that it bears the report's TP-MR, by +CMGS. Otherwise it got no +CMGS, and base
	// is the TP-MR that its card had used before, or -1.
	numbered bool
	base     int
	// intent is that of the submission; the part may have been submitted again since.
	intent int
}

// repeated reports whether a part of found, without +CMGS, was settled by a report of the same TP-MR:
// then r is that report again, and not about another part of which nothing is known.
func repeated(found []candidate, r *Report) bool {
	return slices.ContainsFunc(found, func(c candidate) bool {
		p := &c.d.Parts[c.part]
		return p.Accepted == 0 && p.MR == r.MR && (p.State == PartDelivered || p.State == PartUndelivered)
	})
}

// candidates are the parts that r may be about, the newest submission first: those that bear its
// TP-MR, and those without +CMGS, submitted since, whose number was due next after the card's last.
func (t *tx) candidates(r *Report) []candidate {
	found := t.filed(r, int(r.MR))
	// A card that repeats its TP-MR is believed only where nothing else bears it.
	least, last := min(1, len(found)), t.lastMR(r.IMSI)
	for _, c := range t.filed(r, mrUnknown) {
		if c.wasDue(r.MR, least, last) {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.intent, a.intent) })
	taken := false
	return slices.DeleteFunc(found, func(c candidate) bool {
		taken = taken || c.numbered
		return taken && !c.numbered
	})
}

// wasDue reports whether a submission without +CMGS may have got mr, from least on after its base.
// last is what the card has used by now.
func (c candidate) wasDue(mr uint8, least, last int) bool {
	if c.base < 0 {
		return true
	}
	gap, most := int(mr-uint8(c.base)), maxMRGap
	if since := int(uint8(last) - uint8(c.base)); since > 0 {
		most = min(most, since-1) // it came before what the card has accepted since
	}
	return gap >= least && gap <= most
}

// filed returns the submissions filed under mr, those of the newest message first.
func (t *tx) filed(r *Report, mr int) (found []candidate) {
	prefix := reportPrefix(r.IMSI, mr, r.Recipient)
	cur := t.reports.Cursor()
	k, v := seekLast(cur, prefix)
	for range maxCandidates {
		if !hasPrefix(k, prefix) {
			break
		}
		rest := k[len(prefix):]
		m, d := t.loadBoth(binary.BigEndian.Uint64(rest), rest[8])
		if d != nil && sameNumber(d.To, r.Recipient) {
			c := candidate{m: m, d: d, part: int(rest[9])}
			if mr != mrUnknown {
				c.numbered, c.intent = true, d.Parts[c.part].Intent
				found = append(found, c)
			}
			for entry := range slices.Chunk(v, unansweredSize) {
				c.intent = int(binary.BigEndian.Uint64(entry))
				c.base = int(binary.BigEndian.Uint16(entry[8:])) - 1
				found = append(found, c)
			}
		}
		k, v = cur.Prev()
	}
	return found
}

// overtaken reports whether r may rather be about a part that is being submitted than about c: the
// card gives this TP-MR next, so that c, if it bears it, is some 250 submissions old, and if it is
// without one perhaps never left. Which it is shows when that part is settled (see offerAgain).
func (t *tx) overtaken(r *Report, c candidate) bool {
	last := t.lastMR(r.IMSI)
	gap := int(r.MR - uint8(last))
	switch {
	case last < 0 && c.numbered, last >= 0 && (gap == 0 || gap > maxMRGap):
		return false
	}
	cur := t.meta.Cursor()
	for k, v := cur.Seek(prefixActive); hasPrefix(k, prefixActive); k, v = cur.Next() {
		m, d := t.loadBoth(binary.BigEndian.Uint64(v), v[8])
		if d == nil || !m.Report || !sameNumber(d.To, r.Recipient) {
			continue
		}
		for i := range d.Parts {
			if p := &d.Parts[i]; p.State == PartSubmitting && p.IMSI == r.IMSI {
				itself := d.seq == c.d.seq && d.rcpt == c.d.rcpt && i == c.part // submitted again
				return !itself
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

// unansweredSize is the length of what appendUnanswered appends.
const unansweredSize = 10

// appendUnanswered appends a submission without +CMGS to the index entry of its part: its intent, and
// the TP-MR that its card had used before, -1 for none.
func appendUnanswered(entry []byte, intent, last int) []byte {
	entry = binary.BigEndian.AppendUint64(bytes.Clone(entry), uint64(intent))
	return binary.BigEndian.AppendUint16(entry, uint16(last+1))
}
