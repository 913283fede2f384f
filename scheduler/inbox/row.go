package inbox

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dongled/pdu"
	"dongled/scheduler/outbox"
)

// deliver stores the message that parts make, with its event. Those without Raw never came; one at
// least did.
func (t *tx) deliver(from Origin, parts []pdu.Deliver) {
	m := assemble(from, parts)
	m.notify(time.UnixMilli(t.Now))
	seq, err := t.rows.NextSequence()
	t.Fail(err)
	m.ID, m.Received = idOf(m.Kind, seq), time.UnixMilli(t.Now)
	value, err := json.Marshal(m)
	t.Fail(err)
	t.Put(t.rows, seqKey(seq), append(binary.BigEndian.AppendUint64(nil, uint64(t.Now)), value...))
	census.Set(t.Tx, seq, t.Now, 0, byte(m.Kind))
	t.grows(t.Now)
	t.tell(m, seq)
	if t.opts.Received != nil {
		t.opts.Received(t.Tx, *m)
	}
}

// tell puts the event of a message into the outbox.
func (t *tx) tell(m *Message, seq uint64) {
	t.opts.Outbox.Put(t.Tx, events[m.Kind], m.ID, payloadOf(m, seq))
}

// assemble puts a message together from its parts.
func assemble(from Origin, parts []pdu.Deliver) *Message {
	m := &Message{
		Kind: SMS, Recipient: from.Number, Parts: len(parts),
		SIM: from.SIM, IMSI: from.IMSI, ICCID: from.ICCID, IMEI: from.IMEI,
	}
	first := true
	for i := range parts {
		d := &parts[i]
		if d.Raw == nil {
			m.Partial = true
			continue
		}
		if first {
			m.Sender, m.SMSC, first = d.Originator, d.SMSC, false
		}
		if d.Alphabet == pdu.Octets {
			m.Kind = DataSMS
		}
		if d.Ports != nil {
			m.Port = d.Ports.Destination
		}
		m.Flash = m.Flash || d.Flash
		if !d.SCTS.IsZero() && (m.Sent.IsZero() || d.SCTS.Before(m.Sent)) {
			m.Sent = d.SCTS
		}
	}
	if text, data := pdu.Join(parts, Gap); m.Kind == DataSMS {
		m.Data = data
	} else {
		m.Text = text
	}
	return m
}

// notify makes an MMS of data that are a notification of one, as received at a time. What cannot be read
// stays what it is.
func (m *Message) notify(at time.Time) {
	if m.Kind != DataSMS || m.Port != pdu.PushPort || m.Partial {
		return
	}
	n, err := pdu.DecodeMMSNotification(m.Data)
	if err != nil {
		return
	}
	m.Kind = MMS
	m.Notification = &Notification{
		TransactionID: n.TransactionID, MessageID: n.MessageID, Pusher: m.Sender, Subject: n.Subject,
		Class: n.Class, ContentClass: n.ContentClass, Size: n.Size, Expires: n.Expires, Location: n.Location,
	}
	if n.From != "" {
		m.Sender = n.From
	}
	if n.ExpiresIn > 0 {
		m.Notification.Expires = at.Add(n.ExpiresIn).UTC()
	}
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// idPrefixes are SMSGate's.
var idPrefixes = [...]string{SMS: "text:", DataSMS: "data:", MMS: "mms:"}

func idOf(k Kind, seq uint64) string { return idPrefixes[k] + strconv.FormatUint(seq, 10) }

// parseID returns the number of a message and what the ID says of its kind.
func parseID(id string) (k Kind, seq uint64, ok bool) {
	for k := SMS; k <= lastKind; k++ {
		if digits, is := strings.CutPrefix(id, idPrefixes[k]); is {
			seq, err := strconv.ParseUint(digits, 10, 64)
			return k, seq, err == nil && id == idOf(k, seq)
		}
	}
	return 0, 0, false
}

var errDamaged = errors.New("a message does not decode: the store is damaged")

func decode(seq uint64, v []byte) (m Message, err error) {
	if len(v) < 8 {
		return Message{}, fmt.Errorf("inbox %d: %w", seq, errDamaged)
	}
	err = json.Unmarshal(v[8:], &m)
	if err != nil || m.Kind < SMS || m.Kind > lastKind || (m.Kind == MMS) != (m.Notification != nil) {
		return Message{}, fmt.Errorf("inbox %d: %w: %w", seq, errDamaged, err)
	}
	m.ID, m.Received = idOf(m.Kind, seq), time.UnixMilli(receivedAt(v))
	return m, nil
}

// receivedAt is when the message of a row was received, in ms.
func receivedAt(v []byte) int64 {
	if len(v) < 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(v))
}

// events are the names of a message's event, batches those of an event about several of a kind.
var (
	events  = [...]string{SMS: outbox.SMSReceived, DataSMS: outbox.DataSMSReceived, MMS: outbox.MMSReceived}
	batches = [...]string{SMS: outbox.BatchSMSReceived, DataSMS: outbox.BatchDataSMSReceived, MMS: outbox.BatchMMSReceived}
)

// payload is SMSGate's of sms:received, sms:data-received and mms:received; partial is ours.
type payload struct {
	// MessageID is the number of the inbox's ID in hexadecimal; of an MMS the operator's ID, or else
	// that of the transaction, as SMSGate has it.
	MessageID   string `json:"messageId"`
	PhoneNumber string `json:"phoneNumber"`
	Sender      string `json:"sender"`
	Recipient   string `json:"recipient,omitempty"`
	SIM         int    `json:"simNumber"`
	// Message is the text of an SMS, Data the octets of a DataSMS in base64.
	Message *string `json:"message,omitempty"`
	Data    *[]byte `json:"data,omitempty"`
	Partial bool    `json:"partial,omitempty"`
	*mmsPayload
	ReceivedAt string `json:"receivedAt"`
}

// mmsPayload is what mms:received says more.
type mmsPayload struct {
	TransactionID string `json:"transactionId"`
	Subject       string `json:"subject,omitempty"`
	Size          int64  `json:"size"`
	ContentClass  string `json:"contentClass,omitempty"`
}

func payloadOf(m *Message, seq uint64) payload {
	p := payload{
		MessageID: strconv.FormatUint(seq, 16), PhoneNumber: m.Sender, Sender: m.Sender, Recipient: m.Recipient,
		SIM: m.SIM, Partial: m.Partial, ReceivedAt: m.Received.Format(outbox.TimeFormat),
	}
	switch {
	case m.Kind == SMS:
		p.Message = &m.Text
	case m.Kind == MMS:
		n := m.Notification
		p.MessageID = cmp.Or(n.MessageID, n.TransactionID)
		p.mmsPayload = &mmsPayload{n.TransactionID, n.Subject, n.Size, n.ContentClass}
	case m.Data == nil:
		p.Data = &[]byte{} // not null
	default:
		p.Data = &m.Data
	}
	return p
}
