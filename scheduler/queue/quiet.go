package queue

// quieted puts d off to the end of quiet hours, if it has to wait for that, and reports whether it did. A
// timer brings it back, so that it is in nobody's way meanwhile. Of whom something may have gone out goes
// on: the rest of a long message is worse at dawn than at night.
func (t *tx) quieted(c *Claim, m *message, d *delivery) bool {
	until := millis(c.QuietUntil)
	if !m.Quiet || until <= t.now || d.state() != Pending {
		return false
	}
	t.unplace(d)
	t.leave(d) // of what is tried again, a SIM may be in the middle
	t.place(m, d, until)
	t.store(m, d)
	if until > m.Held {
		t.age(d.seq, m, Pending, 0)
		m.Held = until
		t.age(d.seq, m, 0, Pending)
		t.put(t.messages, seqKey(d.seq), m.encode())
	}
	return true
}
