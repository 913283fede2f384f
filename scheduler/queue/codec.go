package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Records are written and read once or twice for every part sent, so they have a plain binary form:
// the fields in the order below, numbers as varints, strings and lists behind their length. A record
// may end early; what is missing reads as zero, so that later versions can add fields at the end.

var errDamaged = errors.New("record does not decode: the store is damaged")

// encode writes m. The creation time comes first, in eight octets, where listings by time read it.
func (m *message) encode() []byte {
	w := writer(make([]byte, 0, 64+len(m.ID)+len(m.Content.Text)+len(m.Content.Data)))
	w = binary.BigEndian.AppendUint64(w, uint64(m.Created))
	w.number(int64(m.Recipients))
	w.number(int64(m.SIM))
	w.number(int64(m.Priority))
	w.flag(m.Report)
	w.number(m.ValidUntil)
	w.number(m.ScheduleAt)
	w.text(m.ID)
	w.text(m.Content.Text)
	w.text(string(m.Content.Data))
	w.number(int64(m.Content.Port))
	w.flag(m.Content.Flash)
	if m.plain() {
		return w
	}
	w.flag(m.Encrypted)
	w.text(m.Clear.Text)
	w.text(string(m.Clear.Data))
	w.flag(m.SkipPhoneValidation)
	w.text(m.Origin)
	w.text(string(m.Meta))
	if m.Quiet || m.Held != 0 {
		w.flag(m.Quiet)
		w.number(m.Held)
	}
	return w
}

// plain reports whether m is as messages were before they could be anything else.
func (m *message) plain() bool {
	return !m.Encrypted && !m.SkipPhoneValidation && m.Origin == "" && len(m.Meta) == 0 && !m.Quiet && m.Held == 0
}

func decodeMessage(v []byte) (*message, error) {
	if len(v) < 8 {
		return nil, fmt.Errorf("message: %w", errDamaged)
	}
	r := reader{rest: v[8:]}
	m := &message{
		Created: createdOf(v), Recipients: int(r.number()), SIM: int(r.number()), Priority: int8(r.number()),
		Report: r.flag(), ValidUntil: r.number(), ScheduleAt: r.number(), ID: r.text(),
	}
	m.Content.Text = r.text()
	m.Content.Data = r.octets()
	m.Content.Port, m.Content.Flash = uint16(r.number()), r.flag()
	m.Encrypted = r.flag()
	// Port and Flash are never encrypted.
	m.Clear = Content{Text: r.text(), Data: r.octets()}
	if len(m.Clear.Text)+len(m.Clear.Data) > 0 {
		m.Clear.Port, m.Clear.Flash = m.Content.Port, m.Content.Flash
	}
	m.SkipPhoneValidation, m.Origin, m.Meta, m.Quiet = r.flag(), r.text(), r.octets(), r.flag()
	m.Held = r.number()
	if r.bad {
		return nil, fmt.Errorf("message: %w", errDamaged)
	}
	return m, nil
}

func createdOf(v []byte) int64 { return msOf(v) }

// encode writes d. Its State comes first, in one octet, where the aggregate over recipients reads it.
func (d *delivery) encode() []byte {
	w := writer(make([]byte, 0, 96+len(d.To)+64*len(d.Parts)))
	w = append(w, byte(d.state()))
	w.text(d.To)
	w.number(int64(d.SIM))
	w.number(int64(d.Reference))
	w.text(string(d.Ready))
	w.number(d.Due)
	w.number(int64(d.Faults))
	w.number(int64(len(d.Reached)))
	for _, at := range d.Reached {
		w.number(at)
	}
	w.number(int64(len(d.Parts)))
	for i := range d.Parts {
		d.Parts[i].encode(&w)
	}
	if d.Cipher != "" {
		w.text(d.Cipher)
	}
	return w
}

func (p *part) encode(w *writer) {
	w.number(int64(p.State))
	w.text(p.IMSI)
	w.number(int64(p.MR))
	w.number(int64(p.Attempts))
	w.number(p.Submitted)
	w.number(p.Accepted)
	w.number(p.Settled)
	w.number(int64(p.Status))
	w.text(p.Error)
	w.number(int64(p.Intent))
	w.number(int64(len(p.Unanswered)))
	for _, card := range p.Unanswered {
		w.text(card)
	}
}

func decodeDelivery(k, v []byte) (*delivery, error) {
	if len(k) != 9 || len(v) < 2 {
		return nil, fmt.Errorf("recipient: %w", errDamaged)
	}
	r := reader{rest: v[1:]}
	d := &delivery{
		seq: binary.BigEndian.Uint64(k), rcpt: k[8], was: State(v[0]),
		To: r.text(), SIM: int(r.number()), Reference: uint8(r.number()),
	}
	if ready := r.text(); ready != "" {
		d.Ready = []byte(ready)
	}
	d.Due, d.Faults = r.number(), int(r.number())
	if len(d.Ready) == oldReadySize && d.Due == 0 {
		d.Ready = append([]byte{0}, d.Ready...) // with a timer it is part of its key
	}
	for i := range r.count() {
		if at := r.number(); i < len(d.Reached) {
			d.Reached[i] = at
		}
	}
	d.Parts = make([]part, r.count())
	for i := range d.Parts {
		d.Parts[i].decode(&r)
	}
	d.Cipher = r.text()
	if r.bad || !d.sane() {
		return nil, fmt.Errorf("recipient: %w", errDamaged)
	}
	return d, nil
}

func (p *part) decode(r *reader) {
	*p = part{
		State: PartState(r.number()), IMSI: r.text(), MR: uint8(r.number()), Attempts: int(r.number()),
		Submitted: r.number(), Accepted: r.number(), Settled: r.number(), Status: int(r.number()),
		Error: r.text(), Intent: int(r.number()),
	}
	for range r.count() {
		p.Unanswered = append(p.Unanswered, r.text())
	}
}

// sane reports whether all states of d exist, so that they can be counted, and its ready key splits.
func (d *delivery) sane() bool {
	for i := range d.Parts {
		if int(d.Parts[i].State) >= len(partStateNames) {
			return false
		}
	}
	return d.was >= Pending && d.was <= Cancelled && len(d.Parts) > 0 && (d.Ready == nil || len(d.Ready) == readySize || len(d.Ready) == oldReadySize && d.Due != 0)
}

// writer appends fields to a record.
type writer []byte

func (w *writer) number(n int64) { *w = binary.AppendVarint(*w, n) }

func (w *writer) text(s string) {
	*w = binary.AppendUvarint(*w, uint64(len(s)))
	*w = append(*w, s...)
}

func (w *writer) flag(b bool) {
	var n int64
	if b {
		n = 1
	}
	w.number(n)
}

// reader takes fields off a record. Beyond its end fields are zero; bad says that one was cut off or
// cannot be.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) number() int64 {
	if len(r.rest) == 0 || r.bad {
		return 0
	}
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) flag() bool { return r.number() != 0 }

func (r *reader) text() string {
	if len(r.rest) == 0 || r.bad {
		return ""
	}
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)-size) {
		r.bad = true
		return ""
	}
	s := string(r.rest[size : size+int(n)])
	r.rest = r.rest[size+int(n):]
	return s
}

// octets reads a text as bytes; nil if it is empty.
func (r *reader) octets() []byte {
	if s := r.text(); s != "" {
		return []byte(s)
	}
	return nil
}

// count reads the length of a list, none of which has more than 255 entries.
func (r *reader) count() int {
	n := r.number()
	if n < 0 || n > math.MaxUint8 {
		r.bad = true
		return 0
	}
	return int(n)
}
