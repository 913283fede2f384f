package twilio

import (
	"strconv"
	"time"

	"dongled/scheduler/queue"
)

// message is the vendor's, with all its keys. Nothing is charged, so that the price stays null.
type message struct {
	Body                string            `json:"body"`
	NumSegments         string            `json:"num_segments"`
	Direction           string            `json:"direction"`
	From                *string           `json:"from"`
	To                  string            `json:"to"`
	DateUpdated         string            `json:"date_updated"`
	Price               *string           `json:"price"`
	ErrorMessage        *string           `json:"error_message"`
	URI                 string            `json:"uri"`
	AccountSID          string            `json:"account_sid"`
	NumMedia            string            `json:"num_media"`
	Status              string            `json:"status"`
	MessagingServiceSID *string           `json:"messaging_service_sid"`
	SID                 string            `json:"sid"`
	DateSent            *string           `json:"date_sent"`
	DateCreated         string            `json:"date_created"`
	ErrorCode           *int              `json:"error_code"`
	PriceUnit           *string           `json:"price_unit"`
	APIVersion          string            `json:"api_version"`
	SubresourceURIs     map[string]string `json:"subresource_uris"`
}

const apiVersion = "2010-04-01"

// view is a message as the API shows it. It asks for nothing but the message, so that callbacks may be made
// in its transactions and before the server runs.
func view(m queue.Message) message {
	kept := metaOf(m)
	uri := messagesOf(kept.Account) + "/" + m.ID
	out := message{
		Body: m.Content.Text, NumSegments: strconv.Itoa(len(m.Recipients[0].Parts)), Direction: "outbound-api",
		From: optional(sender(m, kept)), To: m.Recipients[0].Number, DateUpdated: written2822(updated(m)),
		URI: uri + ".json", AccountSID: kept.Account, NumMedia: "0", Status: status(m),
		MessagingServiceSID: optional(kept.Service), SID: m.ID, DateCreated: written2822(m.Created),
		APIVersion: apiVersion, SubresourceURIs: map[string]string{"media": uri + "/Media.json"},
	}
	if at := sentAt(m); !at.IsZero() {
		out.DateSent = optional(written2822(at))
	}
	if code, why, failed := failure(m); failed {
		out.ErrorCode, out.ErrorMessage = &code, &why
	}
	return out
}

func messagesOf(account string) string {
	return "/" + apiVersion + "/Accounts/" + account + "/Messages"
}

// optional is nil for an empty string.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// written2822 writes a time as RFC 2822 does, in UTC.
func written2822(at time.Time) string { return at.UTC().Format(time.RFC1123Z) }

// sender is the number of the SIM that was asked for, or of the one that sends; none before it is chosen.
func sender(m queue.Message, kept meta) string {
	if kept.From != "" {
		return kept.From
	}
	return kept.Numbers[m.Recipients[0].SIM]
}

// sentAt is when the service centre had taken all of the message, zero before.
func sentAt(m queue.Message) time.Time {
	var at time.Time
	for _, r := range m.Reached {
		if (r.State == queue.Sent || r.State == queue.Delivered) && (at.IsZero() || r.At.Before(at)) {
			at = r.At
		}
	}
	return at
}

// updated is when anything of the message changed last.
func updated(m queue.Message) time.Time {
	at := m.Created
	later := func(then time.Time) {
		if then.After(at) {
			at = then
		}
	}
	for _, r := range m.Reached {
		later(r.At)
	}
	for _, p := range m.Recipients[0].Parts {
		later(p.Accepted)
		later(p.Settled)
	}
	return at
}
