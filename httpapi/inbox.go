package httpapi

import (
	"cmp"
	"context"
	"encoding/hex"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/inbox"
)

// Inbox is what came in, as this package needs it.
type Inbox interface {
	// List returns one page, newest first, and how many messages the filter matches in all.
	List(ctx context.Context, f inbox.Filter) (page []inbox.Message, total int, err error)
	// Unreadable is the latest of what could not be decoded, newest first, and how much that was ever.
	Unreadable(ctx context.Context, limit int) (latest []inbox.Unreadable, ever uint64, err error)
	// Replay has the events of messages told again. It returns after the wish is stored.
	Replay(ctx context.Context, r inbox.Replay) error
}

// Limits of SMSGate's API on the inbox.
const (
	maxInboxLimit = 500
	// maxPreview is how many octets of a data message its preview shows.
	maxPreview = 64
)

// incomingMessage is SMSGate's IncomingMessage.
type incomingMessage struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Sender    string `json:"sender"`
	Recipient string `json:"recipient,omitempty"`
	SIMNumber int    `json:"simNumber,omitempty"`
	// ContentPreview is a text in full, the beginning of data in hexadecimal, or the subject of an MMS.
	ContentPreview string `json:"contentPreview"`
	CreatedAt      stamp  `json:"createdAt"`
	// Attachments are those of an MMS, which no dongle fetches.
	Attachments []struct{} `json:"attachments"`
	// Partial says that parts are missing for good. SMSGate has no such field, and a phone no
	// such message: it is there only where it is true.
	Partial bool `json:"partial,omitempty"`
}

func newIncomingMessage(m inbox.Message) incomingMessage {
	incoming := incomingMessage{
		ID:             m.ID,
		Type:           m.Kind.String(),
		Sender:         m.Sender,
		Recipient:      m.Recipient,
		SIMNumber:      m.SIM,
		ContentPreview: m.Text,
		CreatedAt:      stamp(m.Received),
		Attachments:    []struct{}{},
		Partial:        m.Partial,
	}
	switch m.Kind {
	case inbox.DataSMS:
		incoming.ContentPreview = preview(m.Data)
	case inbox.MMS:
		incoming.ContentPreview = cmp.Or(m.Notification.Subject, m.Notification.Location)
	}
	return incoming
}

// preview shows data as SMSGate does.
func preview(data []byte) string {
	switch {
	case len(data) == 0:
		return "Empty data"
	case len(data) > maxPreview:
		return hex.EncodeToString(data[:maxPreview]) + "..."
	}
	return hex.EncodeToString(data)
}

// inbox answers GET /inbox.
func (s *Server) inbox(c *fiber.Ctx) error {
	filter, nothing, err := queryOf(c).inbox(s.opt.DeviceID)
	if err != nil {
		return err
	}
	var (
		page  []inbox.Message
		total int
	)
	if !nothing {
		page, total, err = s.opt.Inbox.List(c.UserContext(), filter)
	}
	if err != nil {
		return fromRead(err)
	}
	return paged(c, page, total, newIncomingMessage)
}

// inboxFaults are the faults of a query as SMSGate words them for the inbox.
var inboxFaults = map[string]string{
	"type":               "Invalid type",
	"includeAttachments": "includeAttachments must be true or false",
	"limit":              "limit must be between 1 and 500",
	"offset":             "offset must be >= 0",
	"from":               "Invalid from datetime",
	"to":                 "Invalid to datetime",
	"deviceId":           "Invalid device ID",
	"period":             "Start date cannot be after end date",
}

// inbox reads what GET /inbox asks for; nothing says that no message can match.
func (q *query) inbox(deviceID string) (f inbox.Filter, nothing bool, err error) {
	q.words = inboxFaults
	f.Kind, nothing = q.kind()
	q.flag("includeAttachments") // there are none to include
	f.Limit = q.integer("limit", 1, maxInboxLimit, defaultLimit)
	f.Offset = q.integer("offset", 0, maxOffset, 0)
	f.From, f.To = q.time("from"), q.time("to")
	q.ownDevice(deviceID)
	q.inOrder("period", f.From, f.To) // SMSGate has words of its own for that
	return f, nothing, q.err
}

// kind reads the filter type. No dongle fetches an MMS: it stays the notification that one waits.
func (q *query) kind() (kind inbox.Kind, never bool) {
	name := q.get("type")
	switch name {
	case "":
		return 0, false
	case "MMS_DOWNLOADED":
		return 0, true
	}
	kind, ok := inbox.ParseKind(name)
	if !ok {
		q.reject("type", "must be SMS, DATA_SMS, MMS or MMS_DOWNLOADED")
	}
	return kind, false
}
