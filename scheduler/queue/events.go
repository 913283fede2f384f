package queue

import (
	"cmp"
	"time"

	"dongled/scheduler/outbox"
)

// OriginUplink is the Submission.Origin of messages that came from a server to which this gateway is a
// device. Their every change of state is an event of its own, outbox.MessageState, so that the server
// hears of it.
const OriginUplink = "uplink"

// The events of a recipient follow from its states, each the first time that state is reached:
//
//	sms:sent       all parts are accepted: the recipient is Sent, or Delivered without having been
//	               Sent, as its report overtook +CMGS or came instead of it
//	sms:delivered  for each part that a report confirmed, as long as all parts are accepted; those
//	               confirmed before are told of right behind sms:sent
//	sms:failed     the recipient Failed
//	sms:cancelled  the recipient was Cancelled
//
// So sms:sent comes before sms:delivered always, and of a recipient that failed no part is said to be
// delivered, unless a late report settles what was taken for lost.

// fate is the payload of an event of one recipient, as SMSGate's webhooks carry it.
type fate struct {
	MessageID string `json:"messageId"`
	// PhoneNumber is Recipient under its old name, by which published receivers read it.
	PhoneNumber string `json:"phoneNumber"`
	Sender      string `json:"sender,omitempty"`
	Recipient   string `json:"recipient"`
	SIM         int    `json:"simNumber,omitempty"`
	Parts       int    `json:"partsCount,omitempty"`
	SentAt      string `json:"sentAt,omitempty"`
	DeliveredAt string `json:"deliveredAt,omitempty"`
	FailedAt    string `json:"failedAt,omitempty"`
	CancelledAt string `json:"cancelledAt,omitempty"`
	Reason      string `json:"reason,omitempty"`
}

// tell puts the events of what happened to d, whose state is now; d.was and d.Reached are still those
// from before.
func (t *tx) tell(m *message, d *delivery, now State) {
	if t.opts.Outbox == nil {
		return
	}
	switch first := d.Reached[now] == 0; {
	case now == Sent || now == Delivered:
		t.tellSent(m, d)
	case now == Failed && first:
		f := t.fate(m, d)
		f.FailedAt, f.Reason = written(t.now), cmp.Or(d.reason(), "Unknown")
		t.event(outbox.SMSFailed, m, f)
	case now == Cancelled && first:
		f := t.fate(m, d)
		f.CancelledAt = written(t.now)
		t.event(outbox.SMSCancelled, m, f)
	}
	if m.Origin == OriginUplink && now != d.was {
		t.tellState(m, d.seq)
	}
}

// tellSent tells of d, all of whose parts were accepted.
func (t *tx) tellSent(m *message, d *delivery) {
	before := d.Reached[Sent] != 0 || d.Reached[Delivered] != 0
	if !before {
		f := t.fate(m, d)
		f.Parts, f.SentAt = len(d.Parts), written(t.now)
		t.event(outbox.SMSSent, m, f)
	}
	for i := range d.Parts {
		if p := &d.Parts[i]; p.State == PartDelivered && (p.fresh || !before) {
			f := t.fate(m, d)
			f.DeliveredAt = written(p.Settled)
			t.event(outbox.SMSDelivered, m, f)
		}
	}
}

// tellState tells the uplink that a message changed, once a transaction.
func (t *tx) tellState(m *message, seq uint64) {
	if t.stated[seq] {
		return
	}
	if t.stated == nil {
		t.stated = map[uint64]bool{}
	}
	t.stated[seq] = true
	t.event(outbox.MessageState, m, struct{}{})
}

// changed calls Options.Changed for d, which is stored as it is.
func (t *tx) changed(m *message, d *delivery, was State) {
	if !t.followed(m) {
		return
	}
	ds, err := loadDeliveries(t.deliveries, d.seq)
	if err != nil {
		t.opts.Log.Error("a change of a message is not told: another recipient's record is damaged", "message", m.ID, "err", err)
		return
	}
	t.change(m, ds, d, was)
}

// change is changed for one who knows all recipients.
func (t *tx) change(m *message, ds []*delivery, d *delivery, was State) {
	if t.followed(m) {
		t.opts.Changed(t.Tx, Change{Message: assemble(m, ds), Recipient: int(d.rcpt), Was: was})
	}
}

// followed reports whether anybody wants to know what becomes of m.
func (t *tx) followed(m *message) bool { return t.opts.Changed != nil && m.Origin != "" }

func (t *tx) event(name string, m *message, payload any) {
	t.opts.Outbox.Put(t.Tx, name, m.ID, payload)
}

// fate is what every event says of d.
func (t *tx) fate(m *message, d *delivery) fate {
	f := fate{MessageID: m.ID, PhoneNumber: d.shown(), Recipient: d.shown(), SIM: cmp.Or(d.SIM, m.SIM)}
	if f.SIM != 0 && t.opts.Own != nil {
		f.Sender = t.opts.Own(f.SIM)
	}
	return f
}

func written(ms int64) string { return time.UnixMilli(ms).Format(outbox.TimeFormat) }
