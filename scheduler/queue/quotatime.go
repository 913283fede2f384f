package queue

import (
	"encoding/binary"
	"time"
)

// quotaClock is the clock that quotas go by, as stored in meta. A machine without a clock of its own,
// as a Pi, starts with the time it stopped at or with 1970, and is set right minutes later. So this
// one never goes back: where the wall clock is behind what was counted last, it goes on from there.
// And while the daemon runs it goes as fast as the monotonic clock: where the wall clock is set
// forward, what was counted since the start is taken to be as long ago as it was, and so moves with
// it; what was counted before the start is as old as the wall clock says. What escapes it is a clock
// that is set while the daemon is down, after it counted with the wrong one.
//
// A wall clock that was once years ahead leaves this one there: days then begin at another hour, but
// no window gets longer.
type quotaClock struct {
	// run tells the runs of the daemon apart.
	run int64
	// base is the time when this run was opened, in ms since 1970. What it counted is of since or later,
	// and what runs before it counted is earlier.
	base, since int64
	// last is when the latest was counted.
	last int64
}

var keyQuotaClock = []byte("quota clock")

// jump is how far the wall clock may run ahead of the monotonic one without having been set.
const jump = 100 * time.Millisecond

// quotaTime is the time that quotas go by, in ms since 1970.
func (t *tx) quotaTime() int64 {
	run, elapsed := t.opened.UnixNano(), time.Since(t.opened).Milliseconds()
	c := t.quotaClock()
	if c.run != run {
		now := max(c.last, t.now)
		c = quotaClock{run: run, base: now - elapsed, since: max(now, c.last+1), last: now}
		t.putQuotaClock(c)
	}
	now := c.base + elapsed
	if ahead := t.now - now; ahead > jump.Milliseconds() {
		t.redate(c.since, ahead)
		c.base, c.since, now = c.base+ahead, c.since+ahead, t.now
		t.putQuotaClock(c)
	}
	return now
}

// stamp is the time to count something with.
func (t *tx) stamp() int64 {
	now := t.quotaTime()
	c := t.quotaClock()
	c.last = max(now, c.since)
	t.putQuotaClock(c)
	return c.last
}

func (t *tx) quotaClock() (c quotaClock) {
	if v := t.meta.Get(keyQuotaClock); len(v) == 32 {
		c = quotaClock{run: msOf(v), base: msOf(v[8:]), since: msOf(v[16:]), last: msOf(v[24:])}
	}
	return c
}

func (t *tx) putQuotaClock(c quotaClock) {
	v := make([]byte, 0, 32)
	for _, n := range []int64{c.run, c.base, c.since, c.last} {
		v = binary.BigEndian.AppendUint64(v, uint64(n))
	}
	t.put(t.meta, keyQuotaClock, v)
}

// redate moves what was counted since a time.
func (t *tx) redate(since, by int64) {
	later := func(at int64) int64 {
		if at >= since {
			return at + by
		}
		return at
	}
	var change []func()
	eachQuota(t.quotas(), func(imsi string, kind quotaKind, rest, v []byte) {
		switch kind {
		case quotaPart, quotaMessage:
			n, at := binary.BigEndian.Uint64(rest), msOf(v)
			change = append(change, func() { t.put(t.quotas(), quotaKey(imsi, kind, n), msKey(later(at))) })
		case quotaNumber:
			number, s := string(rest), sight{msOf(v), msOf(v[8:])}
			change = append(change, func() { t.move(imsi, number, s, sight{later(s.last), later(s.before)}) })
		}
	})
	for _, f := range change {
		f()
	}
}
