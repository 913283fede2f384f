package skycore

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"dongled/httpapi/courier"
	"dongled/httpapi/links"
	"dongled/modem"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// event is a postback in the vendor's form and order. Link, Short, Clicks and Human are of a click.
type event struct {
	Origin     string `json:"origin"`
	Code       string `json:"code,omitempty"`
	SentAs     string `json:"sent-as,omitempty"`
	Status     string `json:"status,omitempty"`
	From       string `json:"from"`
	To         string `json:"to"`
	TrackingID string `json:"tracking-id"`
	Campaign   string `json:"campaign-ref,omitempty"`
	Mask       string `json:"from-mask,omitempty"`
	// Text is there, if empty, of what came in.
	Text      *string `json:"message-text,omitempty"`
	Link      string  `json:"link,omitempty"`
	Short     string  `json:"short-link,omitempty"`
	Clicks    int     `json:"clicks,omitempty"`
	Human     *bool   `json:"likely-human,omitempty"`
	Timestamp string  `json:"timestamp"`
}

// What is told of a message that was sent for a client.
type news struct{ code, status string }

var (
	newsSent      = news{"N201", "Sent"}
	newsDelivered = news{"N202", "Delivered"}
	newsFailed    = news{"E201", "Failed"}
	newsRejected  = news{"E202", "Rejected"}
)

// timestamp is the vendor's form: UTC, with microseconds.
func timestamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000000-07:00") }

// Changed implements compat.Follower.
func (d *Dialect) Changed(t *store.Tx, c queue.Change) {
	if d.opts.PostbackURL == "" {
		return
	}
	m, r := c.Message, c.Message.Recipients[c.Recipient]
	told := d.note(m.Meta, m.ID)
	for _, n := range tell(c) {
		d.post(t, d.opts.PostbackURL, "skycore/"+m.ID, event{
			Origin: "SMS_MT", Code: n.code, SentAs: "SMS", Status: n.status, From: told.From, To: plain(r.Number),
			TrackingID: m.ID, Campaign: told.Campaign, Mask: told.Mask, Timestamp: timestamp(time.UnixMilli(t.Now)),
		})
	}
}

// tell says what a change is news of.
func tell(c queue.Change) []news {
	r := c.Message.Recipients[c.Recipient]
	switch r.State {
	case queue.Sent:
		return []news{newsSent}
	case queue.Delivered:
		if slices.ContainsFunc(c.Message.Reached, func(s queue.Reached) bool { return s.State == queue.Sent }) {
			return []news{newsDelivered}
		}
		return []news{newsSent, newsDelivered} // its report overtook the network's answer
	case queue.Failed:
		if slices.ContainsFunc(r.Parts, func(p queue.Part) bool { return p.State == queue.PartUndelivered }) {
			return []news{newsRejected}
		}
		return []news{newsFailed}
	case queue.Cancelled:
		return []news{newsFailed}
	}
	return nil
}

func (d *Dialect) note(raw []byte, id string) (told meta) {
	if err := json.Unmarshal(raw, &told); err != nil {
		d.log.Error("a postback lacks what its request said", "message", id, "err", err)
	}
	return told
}

// post puts a postback; line orders those of one message.
func (d *Dialect) post(t *store.Tx, url, line string, e event) {
	body, err := json.Marshal(e)
	if err != nil {
		d.log.Error("a postback cannot be written", "message", e.TrackingID, "err", err)
		return
	}
	d.callbacks.Put(t, courier.Callback{
		Dialect: Name, Method: "POST", URL: url, Header: d.header, Body: body, Line: line, Ref: e.TrackingID,
	})
}

// plain is a number as postbacks have it: digits alone. Names stay as they are.
func plain(number string) string { return strings.TrimPrefix(number, "+") }

// Received implements compat.Hearer.
func (d *Dialect) Received(t *store.Tx, m inbox.Message) {
	if m.Kind != inbox.SMS {
		return
	}
	d.hear(t, m.SIM, m.Sender, m.Text)
	if d.opts.InboxURL == "" {
		return
	}
	d.post(t, d.opts.InboxURL, "", event{
		Origin: "SMS_MO", Code: "N211", From: plain(m.Sender), To: d.called(m), TrackingID: m.ID, Text: &m.Text,
		Timestamp: timestamp(m.Received),
	})
}

// called is what a client calls the SIM that a message came in on. A name of digits is there because the
// client knows the SIM by that, such as by the short code that it had.
func (d *Dialect) called(m inbox.Message) string {
	var sim modem.Status
	if g := d.gateway.Load(); g != nil {
		for _, st := range g.SIMs.Modems() {
			if st.SIM == m.SIM {
				sim = st
			}
		}
	}
	return callName(sim, m)
}

// Clicked implements compat.Clicked.
func (d *Dialect) Clicked(t *store.Tx, c links.Click) {
	if !d.opts.ClickPostbacks || d.opts.PostbackURL == "" {
		return
	}
	told := d.note(c.Link.Note, c.Link.MessageID)
	d.post(t, d.opts.PostbackURL, "", event{
		Origin: "CLICK", From: told.From, To: told.To, TrackingID: c.Link.MessageID, Campaign: told.Campaign, Mask: told.Mask,
		Link: c.Link.URL, Short: c.Link.Short, Clicks: c.Link.Hits, Human: &c.Human, Timestamp: timestamp(c.At),
	})
}
