package bird

import (
	"encoding/json"
	"fmt"
	"time"

	"dongled/scheduler/queue"
)

// message is the vendor's object for one message in either direction. Keys that the vendor's page marks as
// required are always there.
type message struct {
	ID        string          `json:"id"`
	ChannelID string          `json:"channelId"`
	Sender    party           `json:"sender"`
	Receiver  party           `json:"receiver"`
	Meta      json.RawMessage `json:"meta,omitempty"`
	Reference string          `json:"reference,omitempty"`
	// Parts are those that the network took; there are none before.
	Parts        []part          `json:"parts"`
	Status       string          `json:"status"`
	Reason       string          `json:"reason,omitempty"`
	Direction    string          `json:"direction"`
	Origin       *origin         `json:"origin"`
	ReplyTo      *replyTo        `json:"replyTo,omitempty"`
	LastStatusAt string          `json:"lastStatusAt"`
	CreatedAt    string          `json:"createdAt"`
	UpdatedAt    string          `json:"updatedAt"`
	Details      string          `json:"details,omitempty"`
	Failure      *failure        `json:"failure"`
	Tags         []string        `json:"tags"`
	ShortLinks   *shortLinks     `json:"shortLinks"`
	ScheduledFor string          `json:"scheduledFor,omitempty"`
	Template     json.RawMessage `json:"template,omitempty"`
	Body         messageBody     `json:"body"`
}

// party is one end of a message: our line is a Connector; the other end is the Contact that sent, or the
// Contacts that receive.
type party struct {
	Connector *connector `json:"connector,omitempty"`
	Contact   *contact   `json:"contact,omitempty"`
	Contacts  []contact  `json:"contacts,omitempty"`
}

type connector struct {
	ID              string       `json:"id"`
	IdentifierValue string       `json:"identifierValue,omitempty"`
	Annotations     *annotations `json:"annotations,omitempty"`
	Types           []string     `json:"types,omitempty"`
}

type annotations struct {
	Name string `json:"name"`
}

// contact is a phone number. Its ID is derived from it: there is no address book behind.
type contact struct {
	ID              string `json:"id"`
	IdentifierKey   string `json:"identifierKey"`
	IdentifierValue string `json:"identifierValue"`
}

// part is one SMS of a long message.
type part struct {
	PlatformReference string `json:"platformReference"`
}

// origin is what had the message sent, on the vendor's platform; there is no such thing here.
type origin struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// messageBody is a text: media either were refused, or became one.
type messageBody struct {
	Type string   `json:"type"`
	Text textBody `json:"text"`
}

type textBody struct {
	Text     string          `json:"text"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// The directions, and the kind of identifier that a phone has.
const (
	directionIncoming = "incoming"
	directionOutgoing = "outgoing"
	phoneNumber       = "phonenumber"
)

// timeFormat is RFC 3339 with milliseconds, as on the vendor's page; for times in UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

func written(at time.Time) string { return at.UTC().Format(timeFormat) }

// outgoing is a message of the queue. It asks for nothing but the message, so that callbacks may be made
// before the server runs.
func (d *Dialect) outgoing(m queue.Message) message {
	kept := metaOf(m)
	out := message{
		ID: m.ID, ChannelID: kept.Channel.ID, Sender: kept.Channel.party(), Receiver: d.recipients(m),
		Meta: kept.Meta, Reference: kept.Reference, Parts: parts(m), Status: status(m), Direction: directionOutgoing,
		ReplyTo: kept.ReplyTo, CreatedAt: written(m.Created), LastStatusAt: written(lastStatus(m)), UpdatedAt: written(updated(m)),
		Tags: append([]string{}, kept.Tags...), ShortLinks: kept.ShortLinks, ScheduledFor: kept.ScheduledFor, Template: kept.Template,
		Body: messageBody{Type: "text", Text: textBody{Text: m.Content.Text, Metadata: kept.Metadata}},
	}
	if kept.Media {
		out.Details = "mms_fallback"
	}
	out.fail(failureOf(m))
	return out
}

// party is our end of what a channel sends.
func (ch channel) party() party {
	return party{Connector: &connector{
		ID: ch.connector(), IdentifierValue: ch.Phone, Annotations: &annotations{Name: ch.Name}, Types: []string{"sms"},
	}}
}

func (d *Dialect) recipients(m queue.Message) (to party) {
	for _, r := range m.Recipients {
		to.Contacts = append(to.Contacts, d.contact(r.Number))
	}
	return to
}

func (d *Dialect) contact(number string) contact {
	return contact{ID: derived(d.workspace(), "contact:"+number), IdentifierKey: phoneNumber, IdentifierValue: number}
}

// parts have as reference the message, which of its parts, and the number that the network knows it by
// (TP-MR, TS 23.040 section 9.2.3.6). That repeats every 256 parts; with the rest it stays unique.
func parts(m queue.Message) []part {
	out := []part{}
	for _, r := range m.Recipients {
		for i, p := range r.Parts {
			if p.State == queue.PartAccepted || p.State == queue.PartDelivered || p.State == queue.PartUndelivered {
				out = append(out, part{PlatformReference: fmt.Sprintf("%s-%d-%d", m.ID, i+1, p.MR)})
			}
		}
	}
	return out
}

// lastStatus is when the message came to be what it is.
func lastStatus(m queue.Message) time.Time {
	at := m.Created
	for _, r := range m.Reached {
		if r.At.After(at) {
			at = r.At
		}
	}
	return at
}

// updated is when anything of the message changed last.
func updated(m queue.Message) time.Time {
	at := lastStatus(m)
	for _, r := range m.Recipients {
		for _, p := range r.Parts {
			for _, then := range []time.Time{p.Accepted, p.Settled} {
				if then.After(at) {
					at = then
				}
			}
		}
	}
	return at
}
