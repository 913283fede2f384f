package bird

import (
	"encoding/json"

	"dongled/scheduler/queue"
)

// meta is what a message keeps in queue.Submission.Meta: all that answers and callbacks repeat, and
// nothing that the queue knows itself.
type meta struct {
	// Channel is as it was when the message was accepted, so that its callbacks need no SIM that is there.
	Channel   channel         `json:"channel"`
	Reference string          `json:"reference,omitempty"`
	Tags      []string        `json:"tags,omitempty"`
	Meta      json.RawMessage `json:"meta,omitempty"`
	ReplyTo   *replyTo        `json:"replyTo,omitempty"`
	// Template is the client's object as it came, and Metadata that of its body.
	Template json.RawMessage `json:"template,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	// ScheduledFor is what was asked for, even if it had passed.
	ScheduledFor string        `json:"scheduledFor,omitempty"`
	ShortLinks   *shortLinks   `json:"shortLinks,omitempty"`
	Notification *notification `json:"notification,omitempty"`
	// Media says that the message came as images or files, and is a text with their URLs.
	Media bool `json:"media,omitempty"`
	// Refused is why the message was taken and not admitted: overCap, or empty.
	Refused string `json:"refused,omitempty"`
}

// replyTo names the message that is answered. GSM has no threads.
type replyTo struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// shortLinks are the wishes of a client for its URLs. Enabled is nil where it was left out.
type shortLinks struct {
	Enabled *bool  `json:"enabled,omitempty"`
	Domain  string `json:"domain,omitempty"`
}

// notification is where what becomes of this one message is told, besides the subscriptions.
type notification struct {
	URL string `json:"url"`
}

// metaOf reads what a message keeps; of one that is damaged nothing.
func metaOf(m queue.Message) (kept meta) {
	if json.Unmarshal(m.Meta, &kept) != nil {
		return meta{}
	}
	return kept
}

// notifyURL is where the changes of a message are told besides; empty for nowhere.
func (*Dialect) notifyURL(m queue.Message) string {
	if kept := metaOf(m); kept.Notification != nil {
		return kept.Notification.URL
	}
	return ""
}
