package queue

import (
	"cmp"
	"time"
)

// message is the stored submission; times in milliseconds since 1970, 0 for none.
type message struct {
	ID         string
	Content    Content
	SIM        int
	Priority   int8
	Report     bool
	ValidUntil int64
	ScheduleAt int64
	Recipients int
	Created    int64
	// Encrypted says that Content is ciphertext, and Clear what it was opened to, if it was.
	Encrypted bool
	Clear     Content
	// SkipPhoneValidation is kept for numbers that are still to be opened.
	SkipPhoneValidation bool
	Origin              string
	Meta                []byte
	// Quiet is the Submission's, and Held until when quiet hours put it off last.
	Quiet bool
	Held  int64
}

// content is what is sent.
func (m *message) content() Content {
	if m.Encrypted {
		return m.Clear
	}
	return m.Content
}

func (m *message) expired(now int64) bool { return m.ValidUntil > 0 && m.ValidUntil <= now }

// delivery is one recipient of a message.
type delivery struct {
	seq  uint64
	rcpt uint8
	// was is the state as stored, to see whether it changed.
	was State

	// To is the number that is dialled. Cipher is what the client named instead, of a message that came
	// encrypted and was opened; before that To is.
	To     string
	Cipher string
	SIM    int
	// Reference is the concatenation reference (TS 23.040 section 9.2.3.24.1) of every part,
	// chosen at the first claim so that a restart goes on with the same one.
	Reference uint8
	// Ready is its key in the bucket ready while it waits there, or will from Due on; nil otherwise.
	Ready []byte
	Due   int64
	// Faults counts modem faults in a row, which are not attempts.
	Faults int
	Parts  []part
	// Reached holds the time in ms at which each State was first reached.
	Reached [Cancelled + 1]int64
}

// part is the stored form of Part; times in milliseconds since 1970, 0 for never.
type part struct {
	State     PartState
	IMSI      string
	MR        uint8
	Attempts  int
	Submitted int64
	Accepted  int64
	Settled   int64
	// Status is TP-ST + 1, 0 before any report.
	Status int
	Error  string
	// Unanswered are the cards under which the part is filed without TP-MR, one a submission.
	Unanswered []string
	// fresh says that it was delivered in this transaction; it is not stored.
	fresh bool
	// Intent is the transaction that stored the intent: a report stored by an earlier one cannot
	// be about this part, whatever the clock says.
	Intent int
}

func (d *delivery) state() State {
	var n partCounts
	for i := range d.Parts {
		p := &d.Parts[i]
		if p.State == PartQueued && len(p.Unanswered) > 0 {
			n[PartUnknown]++ // waits to be repeated, but may have gone out: not to be cancelled
			continue
		}
		n[p.State]++
	}
	return n.fold()
}

// reason is why the state of d is what it is, for people: of what failed, the first part that did;
// of what was delivered, what a report had to add.
func (d *delivery) reason() string {
	var first *part
	wanted := d.state() == Failed
	for i := range d.Parts {
		p := &d.Parts[i]
		failed := p.State == PartRejected || p.State == PartUndelivered || p.State == PartLost
		if p.Error != "" && failed == wanted && p.Settled > 0 && (first == nil || p.Settled < first.Settled) {
			first = p
		}
	}
	if first == nil {
		return ""
	}
	return first.Error
}

func (d *delivery) view() Recipient {
	r := Recipient{Number: d.shown(), State: d.state(), Error: d.reason(), SIM: d.SIM, Parts: make([]Part, len(d.Parts))}
	for i := range d.Parts {
		p := &d.Parts[i]
		r.Parts[i] = Part{
			State: p.State, IMSI: p.IMSI, MR: p.MR, Attempts: p.Attempts,
			Submitted: timeOf(p.Submitted), Accepted: timeOf(p.Accepted), Settled: timeOf(p.Settled),
			Status: p.Status - 1, Error: p.Error,
		}
	}
	return r
}

// shown is the number as the client named it.
func (d *delivery) shown() string { return cmp.Or(d.Cipher, d.To) }

// started reports whether any part may be in the network already.
func (d *delivery) started() bool {
	for i := range d.Parts {
		if d.Parts[i].State != PartQueued {
			return true
		}
	}
	return false
}

// doubtful reports whether a submission of a part that waits may have reached the network.
func (d *delivery) doubtful() bool {
	for i := range d.Parts {
		if p := &d.Parts[i]; p.State == PartQueued && len(p.Unanswered) > 0 {
			return true
		}
	}
	return false
}

// inFlight reports whether a SIM has a part of d in hand.
func (d *delivery) inFlight() bool {
	for i := range d.Parts {
		if d.Parts[i].State == PartSubmitting {
			return true
		}
	}
	return false
}

// nextQueued is the index of the first part to submit, or -1.
func (d *delivery) nextQueued() int {
	for i := range d.Parts {
		if d.Parts[i].State == PartQueued {
			return i
		}
	}
	return -1
}

// apply moves part i by e; it reports whether that changed anything.
func (d *delivery) apply(i int, e event) bool {
	p := &d.Parts[i]
	next, ok := transition(p.State, e)
	p.State = next
	p.fresh = p.fresh || ok && next == PartDelivered
	return ok
}

// stored has nothing of d be news any more.
func (d *delivery) stored() {
	for i := range d.Parts {
		d.Parts[i].fresh = false
	}
}

// fail rejects part i and every part not yet submitted, and says why.
func (d *delivery) fail(i int, why string, now int64) {
	d.Parts[i].Error = why
	if d.apply(i, evReject) {
		d.Parts[i].Settled = now
	}
	d.drop(now)
}

// drop rejects every part not yet submitted.
func (d *delivery) drop(now int64) {
	why := d.reason()
	for i := range d.Parts {
		if p := &d.Parts[i]; p.State == PartQueued && d.apply(i, evReject) {
			p.Settled, p.Error = now, errDropped+why
		}
	}
}

// errDropped begins what a part says that was not submitted because another one failed.
const errDropped = "not submitted, as another part failed: "

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
