package queue

import (
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// The bucket quotas, by card. Times are those of quotaTime, which never goes back, so each list is in
// the order of time.
//
//	IMSI, quotaPart, n          → time of the n-th part counted
//	IMSI, quotaMessage, n       → time of the n-th text begun
//	IMSI, quotaRecipient, time, number → a number was last written to then
//	IMSI, quotaNumber, number   → that time, and the one before it
type quotaKind byte

const (
	quotaPart quotaKind = iota + 1
	quotaMessage
	quotaRecipient
	quotaNumber
)

func quotaPrefix(imsi string, kind quotaKind) []byte {
	return append(append([]byte{byte(len(imsi))}, imsi...), byte(kind))
}

func quotaKey(imsi string, kind quotaKind, n uint64) []byte {
	return binary.BigEndian.AppendUint64(quotaPrefix(imsi, kind), n)
}

// quotas is opened where there are quotas only: each bucket in a transaction costs a little at its end.
func (t *tx) quotas() *bolt.Bucket { return t.Bucket(bucketQuotas) }

// charge is what one submission counts, to be taken back.
type charge struct {
	at int64
	// part and message say what was counted; to is the recipient, or empty.
	part, message bool
	to            string
}

// charge counts the next part of d in the quotas of the card.
func (t *tx) charge(c *Claim, d *delivery) (ch charge) {
	if c.Quota == (Quota{}) {
		return charge{}
	}
	ch.at = t.stamp()
	oldest := ch.at
	var caps Caps
	for _, w := range c.Quota.windows(ch.at, t.opts.Zone) {
		oldest = min(oldest, w.start)
		caps.Messages, caps.Parts = max(caps.Messages, w.Messages), max(caps.Parts, w.Parts)
		caps.Recipients = max(caps.Recipients, w.Recipients)
	}
	if ch.part = caps.Parts > 0; ch.part {
		t.count(c.IMSI, quotaPart, ch.at, oldest)
	}
	if ch.message = caps.Messages > 0 && !d.started(); ch.message {
		t.count(c.IMSI, quotaMessage, ch.at, oldest)
	}
	if caps.Recipients > 0 {
		ch.to = d.To
		t.see(c.IMSI, d.To, ch.at, oldest)
	}
	return ch
}

// refund takes back what j counted. Nothing was counted on its card since: a card has one part in
// flight.
func (t *tx) refund(j *Job) {
	ch := j.charge
	if ch.part {
		t.uncount(j.IMSI, quotaPart, ch.at)
	}
	if ch.message {
		t.uncount(j.IMSI, quotaMessage, ch.at)
	}
	if ch.to != "" {
		t.unsee(j.IMSI, ch.to, ch.at)
	}
}

// count appends to a list, and forgets what no window holds any more.
func (t *tx) count(imsi string, kind quotaKind, now, oldest int64) {
	old := stale(t.quotas(), quotaPrefix(imsi, kind), func(_, v []byte) bool { return msOf(v) < oldest })
	n, _ := t.lastCount(imsi, kind)
	t.put(t.quotas(), quotaKey(imsi, kind, n+1), msKey(now))
	for _, k := range old {
		t.del(t.quotas(), k)
	}
}

// uncount takes the latest off a list, if it is of that time.
func (t *tx) uncount(imsi string, kind quotaKind, at int64) {
	if n, last := t.lastCount(imsi, kind); last == at {
		t.del(t.quotas(), quotaKey(imsi, kind, n))
	}
}

// lastCount is the number and the time of the latest in a list, both 0 if it is empty.
func (t *tx) lastCount(imsi string, kind quotaKind) (n uint64, at int64) {
	prefix := quotaPrefix(imsi, kind)
	k, v := seekLast(t.quotas().Cursor(), prefix)
	if !hasPrefix(k, prefix) {
		return 0, 0
	}
	return binary.BigEndian.Uint64(k[len(prefix):]), msOf(v)
}

// nth is the time of the n-th latest in a list, if there are so many since start. For recipients it
// takes as many steps.
func (t *tx) nth(imsi string, kind quotaKind, n int, start int64) (at int64, ok bool) {
	if kind != quotaRecipient {
		last, _ := t.lastCount(imsi, kind)
		if uint64(n) > last {
			return 0, false
		}
		v := t.quotas().Get(quotaKey(imsi, kind, last-uint64(n)+1))
		return msOf(v), v != nil && msOf(v) >= start
	}
	prefix := quotaPrefix(imsi, kind)
	c := t.quotas().Cursor()
	k, _ := seekLast(c, prefix)
	for ; hasPrefix(k, prefix) && msOf(k[len(prefix):]) >= start; k, _ = c.Prev() {
		if n--; n == 0 {
			return msOf(k[len(prefix):]), true
		}
	}
	return 0, false
}

// sight is when a card last wrote to a number, and when before that; 0 for never, or long ago.
type sight struct{ last, before int64 }

func (t *tx) seen(imsi, number string) sight {
	v := t.quotas().Get(numberKey(imsi, number))
	if v == nil {
		return sight{}
	}
	return sight{msOf(v), msOf(v[8:])}
}

func numberKey(imsi, number string) []byte { return append(quotaPrefix(imsi, quotaNumber), number...) }

func recipientKey(imsi string, at int64, number string) []byte {
	return append(quotaKey(imsi, quotaRecipient, uint64(at)), number...)
}

// see notes that a card writes to a number, and forgets those that no window holds any more.
func (t *tx) see(imsi, number string, now, oldest int64) {
	prefix := quotaPrefix(imsi, quotaRecipient)
	old := stale(t.quotas(), prefix, func(k, _ []byte) bool { return msOf(k[len(prefix):]) < oldest })
	s := t.seen(imsi, number)
	t.move(imsi, number, s, sight{now, s.last})
	for _, k := range old {
		// What was seen again just now has another key already.
		if other := string(k[len(prefix)+8:]); other != number {
			t.move(imsi, other, t.seen(imsi, other), sight{})
		}
	}
}

// unsee takes back that a card wrote to a number at that time.
func (t *tx) unsee(imsi, number string, at int64) {
	if s := t.seen(imsi, number); s.last == at {
		t.move(imsi, number, s, sight{last: s.before})
	}
}

// move writes what is known of a number.
func (t *tx) move(imsi, number string, from, to sight) {
	if from.last > 0 {
		t.del(t.quotas(), recipientKey(imsi, from.last, number))
	}
	if to.last == 0 {
		t.del(t.quotas(), numberKey(imsi, number))
		return
	}
	t.put(t.quotas(), recipientKey(imsi, to.last, number), []byte{})
	t.put(t.quotas(), numberKey(imsi, number), append(msKey(to.last), msKey(to.before)...))
}

func msKey(ms int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(ms)) }

// msOf reads what msKey wrote; what is not there is 0.
func msOf(v []byte) int64 {
	if len(v) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// eachQuota calls f for what stands in the bucket quotas, with the kind of the key and the rest of it.
func eachQuota(b *bolt.Bucket, f func(imsi string, kind quotaKind, rest, v []byte)) {
	_ = b.ForEach(func(k, v []byte) error {
		n := 1 + int(k[0])
		if len(k) <= n {
			return nil // damaged
		}
		f(string(k[1:n]), quotaKind(k[n]), k[n+1:], v)
		return nil
	})
}
