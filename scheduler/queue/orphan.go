package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	bolt "go.etcd.io/bbolt"
)

// orphanFor is how long a report that matched nothing is kept. It waits for the +CMGS it overtook,
// which takes minutes at the most; days let a person look into what came for nobody.
const orphanFor = 7 * 24 * time.Hour

// orphan is a stored report that matched nothing, and the transaction that stored it.
type orphan struct {
	Report
	Tx int `json:"tx"`
}

func (t *tx) keepOrphan(r *Report) {
	n, err := t.orphans.NextSequence()
	if err != nil {
		t.Fail(err)
		return
	}
	k := binary.BigEndian.AppendUint64(reportPrefix(r.IMSI, int(r.MR), r.Recipient), n)
	t.put(t.orphans, k, mustJSON(orphan{*r, t.id}))
	t.At(t.now+orphanFor.Milliseconds(), timerOrphan, k)
}

// adoptUnknown applies the reports to part i that came although its +CMGS never did.
func (t *tx) adoptUnknown(d *delivery, i int) {
	last, gaps := t.lastMR(d.Parts[i].IMSI), maxMRGap+1
	if last < 0 {
		gaps = 256 // the card's first message: it may bear any TP-MR
	}
	for gap := range gaps {
		t.adopt(d, i, uint8(last+gap))
	}
}

// adopt applies the reports to part i, of that TP-MR, that came before the part was filed.
func (t *tx) adopt(d *delivery, i int, mr uint8) {
	p := &d.Parts[i]
	prefix := reportPrefix(p.IMSI, int(mr), d.To)
	var taken [][]byte
	c := t.orphans.Cursor()
	for k, v := c.Seek(prefix); hasPrefix(k, prefix); k, v = c.Next() {
		var o orphan
		if err := json.Unmarshal(v, &o); err != nil || o.Tx <= p.Intent || !sameNumber(d.To, o.Recipient) {
			continue
		}
		t.note(d, i, &o.Report)
		taken = append(taken, bytes.Clone(k))
	}
	for _, k := range taken {
		t.del(t.orphans, k)
	}
}

// offerAgain applies the reports that waited for o, and were not about its part, to those without
// TP-MR: they were submitted before it, so their TP-MR is one after last, and before o's.
func (t *tx) offerAgain(o *Outcome, to string, last int) {
	span := maxMRGap
	first := uint8(last + 1)
	switch {
	case o.Kind != OutcomeAccepted && last < 0:
		span = 256 // nothing is known of the card's numbers
	case o.Kind != OutcomeAccepted:
	case last >= 0:
		span = min(span, int(o.MR-first))
	default:
		first = o.MR - uint8(span)
	}
	for i := range span {
		prefix := reportPrefix(o.Job.IMSI, int(first+uint8(i)), to)
		c := t.orphans.Cursor()
		for k, v := c.Seek(prefix); hasPrefix(k, prefix); k, v = c.Seek(append(k, 0)) {
			k = bytes.Clone(k)
			var held orphan
			if err := json.Unmarshal(v, &held); err != nil {
				continue
			}
			found := t.candidates(&held.Report)
			if repeated(found, &held.Report) || len(found) > 0 && t.applyReport(found[0], &held.Report) {
				t.del(t.orphans, k)
			}
		}
	}
}

// Orphans is how many reports are kept that matched nothing.
func (q *Queue) Orphans() (n int, err error) {
	err = q.view(func(btx *bolt.Tx) error {
		n = btx.Bucket(bucketOrphans).Stats().KeyN
		return nil
	})
	return n, err
}
