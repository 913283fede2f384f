package queue

import (
	"errors"
	"fmt"
	"time"

	"dongled/scheduler/store"
)

// Content is what a message carries: Text, or Data for an application Port, never both.
type Content struct {
	Text string `json:"text,omitempty"`
	// Data is 8-bit user data, addressed to the 16-bit application Port
	// (TS 23.040 section 9.2.3.24.4).
	Data []byte `json:"data,omitempty"`
	Port uint16 `json:"port,omitempty"`
	// Flash asks for message class 0, shown at once and not stored (TS 23.038 section 4).
	Flash bool `json:"flash,omitempty"`
}

// IsData reports whether the content is binary rather than text.
func (c Content) IsData() bool { return len(c.Data) > 0 }

// Submission is a message as a client asks for it.
type Submission struct {
	// ID is the client's own identifier, at most 36 characters; empty asks for a generated one.
	ID      string
	Content Content
	// Recipients are 1 to 100 numbers: E.164, or digits as dialled where validation was skipped.
	Recipients []string
	// SIM is the simNumber, 1 to 255; 0 leaves the choice to the scheduler.
	SIM int
	// Priority runs from -128 to 127; 100 and above bypass delays and limits.
	Priority int8
	// Report asks for status reports (TP-SRR on every part).
	Report bool
	// ValidUntil is the time after which the message must not be submitted; zero means never.
	ValidUntil time.Time
	// ScheduleAt holds the message back until then; zero means now.
	ScheduleAt time.Time
	// SkipPhoneValidation takes the numbers as given, keeping digits, '+', '*' and '#'.
	SkipPhoneValidation bool
	// Encrypted says that the text or data and each of Recipients is ciphertext (package seal). Such a
	// message is opened after it was stored; clients see the ciphertext for ever.
	Encrypted bool
	// Origin names the part of the gateway that the message came in by, such as "uplink"; empty is the
	// native API. Meta is that part's own, kept as it is.
	Origin string
	Meta   []byte
	// Quiet has the message wait out quiet hours; see Claim.QuietUntil.
	Quiet bool
	// Refused, if not empty, has the message stored as Failed for that reason, and nothing of it sent:
	// it was accepted by an API that answers so, and then not admitted.
	Refused string
	// Also, if set, is called with the message as accepted, Pending, in the transaction that stores it and
	// before that writes anything. Its error is returned as it is, and nothing is stored; where it wrote
	// before, that is undone too. It may be called again, as every function of a transaction may.
	Also func(*store.Tx, Message) error
}

// Message is one accepted message as it stands.
type Message struct {
	ID         string
	Created    time.Time
	Content    Content
	SIM        int
	Priority   int8
	Report     bool
	ValidUntil time.Time
	ScheduleAt time.Time
	// State is the aggregate over Recipients, by SMSGate's rules.
	State State
	// Reached holds when each aggregate state was first reached, oldest first.
	Reached    []Reached
	Recipients []Recipient
	// Encrypted, Origin, Meta and Quiet are those of the Submission.
	Encrypted bool
	Origin    string
	Meta      []byte
	Quiet     bool
}

// Change is what became of one recipient of a message that has an Origin: of each there is one for every
// change of its state, in their order, the first when it was accepted. A message that was accepted and
// Refused has two.
type Change struct {
	// Message is as it stands with the change.
	Message Message
	// Recipient is an index in its Recipients; its State is the new one.
	Recipient int
	// Was is the state before, 0 for a message that was just accepted.
	Was State
}

// Reached is the time a state was first reached.
type Reached struct {
	State State
	At    time.Time
}

// Recipient is the fate of a message for one number.
type Recipient struct {
	Number string
	State  State
	// Error says why State is Failed, or what a report added; empty otherwise.
	Error string
	// SIM is the simNumber that sends or sent, 0 before a SIM was chosen.
	SIM   int
	Parts []Part
}

// Part is the ledger of one SMS-SUBMIT.
type Part struct {
	State PartState
	// IMSI names the SIM that the part was submitted on.
	IMSI string
	// MR is TP-Message-Reference as the modem assigned it (TS 23.040 section 9.2.3.6);
	// meaningful once the part was accepted.
	MR uint8
	// Attempts counts submissions that reached the network or may have.
	Attempts  int
	Submitted time.Time
	Accepted  time.Time
	Settled   time.Time
	// Status is the latest TP-Status reported (TS 23.040 section 9.2.3.15), -1 before any.
	Status int
	Error  string
}

// Filter selects messages for a listing.
type Filter struct {
	// State is 0 for every state.
	State State
	// From (inclusive) and To (exclusive) bound Created; zero leaves the side open.
	From, To time.Time
	// Limit is 0 to count only.
	Limit, Offset int
	// OldestFirst reverses the usual newest-first order.
	OldestFirst bool
}

var (
	// ErrDuplicateID says the client's message ID is in use; nothing was changed.
	ErrDuplicateID = errors.New("a message with this ID exists")
	// ErrNotFound says no message has this ID.
	ErrNotFound = errors.New("message not found")
	// ErrNotPending says the message left Pending, so that it can no longer be cancelled.
	ErrNotPending = errors.New("message is not pending")
	// ErrClosed says the store is shutting down; the request may be repeated after a restart.
	ErrClosed = store.ErrClosed
)

// FieldError is a fault of the client's in one field of a submission.
// Field is the SMSGate name, such as phoneNumbers[2]; dialects map it to theirs.
type FieldError struct {
	Field   string
	Problem string
}

func (e *FieldError) Error() string { return fmt.Sprintf("%s: %s", e.Field, e.Problem) }
