package queue

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// faults takes what a check finds: a testing.TB, or a rapid.T.
type faults interface {
	Helper()
	Error(...any)
	Errorf(string, ...any)
}

// checker compares everything in a store with everything else: each record with the index entries
// it ought to have, and each entry with the record it points to.
type checker struct {
	t   faults
	btx *bolt.Tx
	ms  map[uint64]*message
	ds  map[string]*delivery // by delivery key
}

// checkStore fails t for whatever does not fit together in q.
func checkStore(t faults, q *Queue) {
	t.Helper()
	err := q.view(func(btx *bolt.Tx) error {
		for err := range btx.Check() {
			t.Errorf("bbolt: %v", err)
		}
		c := &checker{t: t, btx: btx, ms: map[uint64]*message{}, ds: map[string]*delivery{}}
		c.load()
		c.census()
		c.lanes()
		c.active()
		c.reports()
		c.timers()
		c.sealed()
		c.ages(q.opts.Limits.MaxPendingAge > 0)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func (c *checker) each(bucket []byte, f func(k, v []byte)) {
	_ = c.btx.Bucket(bucket).ForEach(func(k, v []byte) error { f(k, v); return nil })
}

func (c *checker) has(bucket, k []byte) bool { return c.btx.Bucket(bucket).Get(k) != nil }

func (c *checker) fault(format string, args ...any) {
	c.t.Helper()
	c.t.Errorf("store: "+format, args...)
}

func (c *checker) load() {
	recipients := 0
	c.each(bucketMessages, func(k, v []byte) {
		m, err := decodeMessage(v)
		if err != nil {
			c.fault("message %x: %v", k, err)
			return
		}
		c.ms[binary.BigEndian.Uint64(k)] = m
		recipients += m.Recipients
		if !bytes.Equal(c.btx.Bucket(bucketIDs).Get([]byte(m.ID)), k) {
			c.fault("ID %s does not lead to message %x", m.ID, k)
		}
	})
	ids := 0
	c.each(bucketIDs, func([]byte, []byte) { ids++ })
	c.each(bucketDeliveries, func(k, v []byte) {
		d, err := decodeDelivery(k, v)
		if err != nil {
			c.fault("delivery %x: %v", k, err)
			return
		}
		c.ds[string(k)] = d
		if c.ms[d.seq] == nil || int(d.rcpt) >= c.ms[d.seq].Recipients {
			c.fault("delivery %x without message", k)
		}
		if d.was != d.state() {
			c.fault("delivery %x stored as %v, parts say %v", k, d.was, d.state())
		}
	})
	if ids != len(c.ms) || len(c.ds) != recipients {
		c.fault("%d IDs for %d messages, %d deliveries for %d recipients", ids, len(c.ms), len(c.ds), recipients)
	}
}

// census checks that every message is counted in its state, and nothing else is.
func (c *checker) census() {
	want := map[State][]uint64{}
	for seq, m := range c.ms {
		var n stateCounts
		for i := range m.Recipients {
			if d := c.ds[string(deliveryKey(seq, uint8(i)))]; d != nil {
				n[d.state()]++
			}
		}
		want[n.fold()] = append(want[n.fold()], seq)
	}
	for st := State(0); st <= Cancelled; st++ {
		slices.Sort(want[st])
		got, total := census.Select(c.btx, store.Query{Mark: byte(st), Limit: len(c.ms) + 1, OldestFirst: true})
		if st == 0 {
			if total != len(c.ms) {
				c.fault("%d messages are counted, there are %d", total, len(c.ms))
			}
			continue
		}
		if !slices.Equal(got, want[st]) || total != len(want[st]) {
			c.fault("%d are counted as %v: %d, recipients say %d", total, st, got, want[st])
		}
	}
}

// lanes checks that every recipient with parts left waits in exactly one place.
func (c *checker) lanes() {
	c.each(bucketReady, func(k, _ []byte) {
		if d := c.ds[string(deliveryOf(k))]; d == nil || !bytes.Equal(d.Ready, k) || d.Due != 0 {
			c.fault("ready entry %x without a recipient that waits there", k)
		}
	})
	for key, d := range c.ds {
		switch {
		case d.Ready == nil:
			if d.nextQueued() >= 0 && !c.inHand(d, key) && !c.has(bucketSealed, seqKey(d.seq)) {
				c.fault("delivery %x has parts left and waits nowhere", key)
			}
			continue
		case d.nextQueued() < 0:
			c.fault("delivery %x waits with nothing to send", key)
		case d.Due == 0 && !c.has(bucketReady, d.Ready):
			c.fault("delivery %x is missing in ready", key)
		case d.Due > 0 && !c.has(bucketTimers, timerKey(d.Due, timerReady, d.Ready)):
			c.fault("delivery %x has no timer for its return", key)
		}
		if until := c.ms[d.seq].ValidUntil; until > 0 && !c.has(bucketTimers, timerKey(until, timerExpire, seqKey(d.seq))) {
			c.fault("delivery %x waits without a timer for its expiry", key)
		}
	}
}

// sealed checks that what waits to be opened is Pending, and in no lane.
func (c *checker) sealed() {
	c.each(bucketSealed, func(k, _ []byte) {
		m := c.ms[binary.BigEndian.Uint64(k)]
		if m == nil || !m.Encrypted {
			c.fault("%x waits to be opened, which is no encrypted message", k)
			return
		}
		for i := range m.Recipients {
			if d := c.ds[string(deliveryKey(binary.BigEndian.Uint64(k), uint8(i)))]; d == nil || d.Ready != nil || d.state() != Pending || d.Cipher != "" {
				c.fault("recipient %d of sealed message %x is %+v", i, k, d)
			}
		}
	})
}

// ages checks that the age of every message that is Pending is known, if it is to be, and of no other.
func (c *checker) ages(kept bool) {
	if !kept {
		return
	}
	want := map[string]bool{}
	for _, d := range c.ds {
		if m := c.ms[d.seq]; d.was == Pending && m != nil {
			want[string(ageKey(m, d.seq))] = true
		}
	}
	c.each(bucketAges, func(k, _ []byte) {
		if !want[string(k)] {
			c.fault("age entry %x without a message that is Pending", k)
		}
		delete(want, string(k))
	})
	for k := range want {
		c.fault("age entry %x is missing", k)
	}
}

func (c *checker) inHand(d *delivery, key string) bool {
	return string(c.btx.Bucket(bucketMeta).Get(activeKey(d.SIM))) == key
}

func (c *checker) active() {
	cur := c.btx.Bucket(bucketMeta).Cursor()
	for k, v := cur.Seek(prefixActive); hasPrefix(k, prefixActive); k, v = cur.Next() {
		if d := c.ds[string(v)]; d == nil || d.SIM != int(k[len(prefixActive)]) || d.Ready != nil {
			c.fault("SIM %d is in the middle of %x, which it is not", k[len(prefixActive)], v)
		}
	}
	for key, d := range c.ds {
		flying := 0
		for i := range d.Parts {
			if d.Parts[i].State == PartSubmitting {
				flying++
			}
		}
		if flying > 1 || flying == 1 && !c.inHand(d, key) {
			c.fault("delivery %x has %d parts in flight, its SIM knows otherwise", key, flying)
		}
	}
}

func (c *checker) reports() {
	want := map[string]bool{}
	for _, d := range c.ds {
		for i := range d.Parts {
			p := &d.Parts[i]
			if !c.ms[d.seq].Report {
				continue
			}
			if p.Accepted > 0 {
				want[string(reportKey(p.IMSI, int(p.MR), d.To, d.seq, d.rcpt, i))] = true
			}
			for _, imsi := range p.Unanswered {
				want[string(reportKey(imsi, mrUnknown, d.To, d.seq, d.rcpt, i))] = true
			}
		}
	}
	c.each(bucketReports, func(k, _ []byte) {
		if !want[string(k)] {
			c.fault("report entry %x without a part", k)
		}
		delete(want, string(k))
	})
	for k := range want {
		c.fault("report entry %x is missing", k)
	}
}

func (c *checker) timers() {
	unknown, orphans := map[string]bool{}, map[string]bool{}
	c.each(bucketTimers, func(k, _ []byte) {
		at, rest := int64(binary.BigEndian.Uint64(k)), k[9:]
		switch k[8] {
		case timerReady:
			if d := c.ds[string(deliveryOf(rest))]; d == nil || d.Due != at || !bytes.Equal(d.Ready, rest) {
				c.fault("timer for the return of %x, which does not wait for it", rest)
			}
		case timerExpire:
			if m := c.ms[binary.BigEndian.Uint64(rest)]; m == nil || m.ValidUntil != at {
				c.fault("timer for the expiry of message %x, which has none then", rest)
			}
		case timerUnknown: // outlives its part's being unknown, and does nothing then
			unknown[string(rest)] = true
		case timerOrphan: // likewise
			orphans[string(rest)] = true
		case 20: // the outbox's
		default:
			c.fault("timer of kind %d", k[8])
		}
	})
	for key, d := range c.ds {
		for i := range d.Parts {
			if d.Parts[i].State == PartUnknown && !unknown[string(append([]byte(key), byte(i)))] {
				c.fault("part %d of %x is unknown for ever", i, key)
			}
		}
	}
	c.each(bucketOrphans, func(k, v []byte) {
		if !orphans[string(k)] {
			c.fault("orphan %x is kept for ever", k)
		}
		if err := json.Unmarshal(v, new(orphan)); err != nil {
			c.fault("orphan %x: %v", k, err)
		}
	})
}

// wantGone fails t if any key of any bucket still holds one of these sequence numbers or IDs. What limits
// count goes with its own time.
func wantGone(t testing.TB, q *Queue, seqs []uint64, ids []string) {
	t.Helper()
	holds := func(bucket, k []byte) bool {
		offset := map[string]int{
			string(bucketMessages): 0, string(bucketDeliveries): 0, string(bucketReady): prioSize,
			string(bucketReports): -10, string(bucketSealed): 0, string(bucketAges): 8,
		}
		at, ok := offset[string(bucket)]
		if at < 0 {
			at += len(k)
		}
		if string(bucket) == string(bucketTimers) && k[8] != timerOrphan {
			at, ok = 9, true
			if k[8] == timerReady {
				at += prioSize
			}
		}
		return ok && slices.Contains(seqs, binary.BigEndian.Uint64(k[at:]))
	}
	_ = q.view(func(btx *bolt.Tx) error {
		return btx.ForEach(func(bucket []byte, b *bolt.Bucket) error {
			return b.ForEach(func(k, _ []byte) error {
				if holds(bucket, k) || bytes.Equal(bucket, bucketIDs) && slices.Contains(ids, string(k)) {
					t.Errorf("%s still holds %x", bucket, k)
				}
				return nil
			})
		})
	})
}
