package inbox

import (
	"errors"
	"time"
)

// Kind is what a message carries. The names are SMSGate's.
type Kind uint8

// The kinds.
const (
	// SMS is a text.
	SMS Kind = iota + 1
	// DataSMS is 8-bit user data, as a rule for an application port.
	DataSMS
	// MMS is the notification that an MMS waits at the operator's server; no dongle fetches it.
	MMS

	lastKind = MMS
)

var kindNames = [...]string{"", "SMS", "DATA_SMS", "MMS"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// ParseKind returns the kind of that name, spelled exactly as on the wire.
func ParseKind(name string) (Kind, bool) {
	for k := SMS; k <= lastKind; k++ {
		if kindNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// Message is one message that came in, put together from its parts.
type Message struct {
	// ID is "text:", "data:" or "mms:" and a number that rises with the order of arrival.
	ID   string `json:"-"`
	Kind Kind   `json:"kind"`
	// Sender is TP-OA: a number, with "+" where it is international, or a name; of an MMS it is who
	// wrote that, if the notification says so. Recipient is the SIM's own number, empty where that is
	// not known.
	Sender    string `json:"from"`
	Recipient string `json:"to,omitempty"`
	// SMSC is the Service Centre that delivered it.
	SMSC string `json:"smsc,omitempty"`
	// Text is that of an SMS, Data that of a DataSMS, and of an MMS the notification as it came.
	Text string `json:"text,omitempty"`
	Data []byte `json:"data,omitempty"`
	// Notification is what Data says of an MMS; nil of all else.
	Notification *Notification `json:"mms,omitempty"`
	// Port is the destination port (TS 23.040 section 9.2.3.24.4), 0 for none.
	Port uint16 `json:"port,omitempty"`
	// Flash says it was of class 0, to be shown at once (TS 23.038 section 4).
	Flash bool `json:"flash,omitempty"`
	// Partial says that parts never came; in a text Gap stands in their place.
	Partial bool `json:"partial,omitempty"`
	// Parts is of how many parts the message is, those included that never came.
	Parts int `json:"parts"`
	// SIM is the simNumber it came in on, IMSI and ICCID the card, IMEI the dongle, as far as known.
	SIM   int    `json:"sim"`
	IMSI  string `json:"imsi,omitempty"`
	ICCID string `json:"iccid,omitempty"`
	IMEI  string `json:"imei,omitempty"`
	// Sent is when the Service Centre got it (TP-SCTS), the earliest of its parts; zero if unreadable.
	Sent time.Time `json:"sent,omitzero"`
	// Received is when it was stored: when its last part came, or was given up.
	Received time.Time `json:"-"`
}

// Notification is what is told of an MMS; see pdu.MMSNotification.
type Notification struct {
	TransactionID string `json:"transaction"`
	// MessageID is the operator's, as a rule empty.
	MessageID string `json:"id,omitempty"`
	// Pusher is TP-OA: who sent the notification, not the MMS.
	Pusher  string `json:"pusher,omitempty"`
	Subject string `json:"subject,omitempty"`
	// Class is that of the message, such as Personal; ContentClass that of what is in it.
	Class        string `json:"class,omitempty"`
	ContentClass string `json:"content,omitempty"`
	// Size is in octets, 0 if not told.
	Size int64 `json:"size,omitempty"`
	// Expires is when the operator drops it; zero if not told.
	Expires  time.Time `json:"expires,omitzero"`
	Location string    `json:"location"`
}

// Gap stands in a partial text for parts that never came.
const Gap = "[…]"

// Filter selects messages for a listing, the latest first.
type Filter struct {
	// Kind is 0 for every kind.
	Kind Kind
	// From (inclusive) and To (exclusive) bound Received; zero leaves the side open.
	From, To time.Time
	// Limit is 0 to count only.
	Limit, Offset int
}

// Origin says which SIM something came in on.
type Origin struct {
	// SIM is the simNumber.
	SIM int
	// IMSI is the card's identity, empty if it could not be read.
	IMSI string
	// ICCID is the card's and IMEI the dongle's; Number is the subscriber's own. Empty if not known.
	ICCID, IMEI, Number string
}

// Unreadable is what a dongle handed over as a message and nobody could decode.
type Unreadable struct {
	At  time.Time `json:"at"`
	SIM int       `json:"sim"`
	// IMSI is the card's, if known.
	IMSI string `json:"imsi,omitempty"`
	// PDU is SCA and TPDU; Line what the dongle said where that was no hex.
	PDU  []byte `json:"pdu,omitempty"`
	Line string `json:"line,omitempty"`
	// Error says what is wrong with it.
	Error string `json:"error"`
}

// ErrNotFound says no message has this ID.
var ErrNotFound = errors.New("no such message in the inbox")
