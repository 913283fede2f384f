package bird

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/google/uuid"

	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
	"dongled/httpapi/links"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

var (
	_ compat.Follower = (*Dialect)(nil)
	_ compat.Hearer   = (*Dialect)(nil)
	_ compat.Clicked  = (*Dialect)(nil)
)

// plan has a receiver be away for eight hours, as Bird does: the pauses rise and add up to that.
func plan() courier.Plan {
	return courier.Plan{
		Pauses: []time.Duration{
			10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
			20 * time.Minute, 40 * time.Minute, time.Hour, 90 * time.Minute, 2 * time.Hour, 2*time.Hour + 11*time.Minute + 20*time.Second,
		},
		Timeout: 30 * time.Second,
		Sign:    sign,
	}
}

// event is the body of a callback.
type event struct {
	Service string `json:"service"`
	Event   string `json:"event"`
	Payload any    `json:"payload"`
}

// Changed implements compat.Follower.
func (d *Dialect) Changed(t *store.Tx, c queue.Change) {
	if !compat.News(c, t.Now) {
		return
	}
	m := d.outgoing(c.Message)
	kept := metaOf(c.Message).Channel
	d.tell(t, fact{event: eventOutbound, channels: []channel{kept}, status: m.Status}, m.ID, func(channel) any { return m })
	if url := d.notifyURL(c.Message); url != "" {
		d.call(t, courier.Callback{URL: url, Line: "notification " + m.ID, Ref: m.ID}, event{"channels", eventOutbound, m})
	}
}

// Received implements compat.Hearer. Only texts have a form in this API.
func (d *Dialect) Received(t *store.Tx, m inbox.Message) {
	id, is := incomingID(m.ID)
	if !is {
		return
	}
	d.meet(t, card{ICCID: m.ICCID, IMSI: m.IMSI, Phone: m.Recipient, SIM: m.SIM})
	f := fact{event: eventInbound, channels: d.hearing(m), status: statusDelivered}
	d.tell(t, f, id, func(ch channel) any { return d.incoming(m, ch) })
}

// Clicked implements compat.Clicked.
func (d *Dialect) Clicked(t *store.Tx, c links.Click) {
	of := readNote(c.Link)
	f := fact{event: eventInteraction, channels: []channel{{ID: of.Channel}}, interaction: clicked}
	d.tell(t, f, c.Link.MessageID, func(channel) any { return d.interaction(c, of) })
}

// tell makes a callback for each subscription that wants to hear of f, which is about a message.
func (d *Dialect) tell(t *store.Tx, f fact, messageID string, payload func(channel) any) {
	for _, s := range d.subscriptions(store.Bucket(t, bucketSubscriptions)) {
		ch, wants := s.wants(f)
		if !wants {
			continue
		}
		c := courier.Callback{URL: s.URL, Line: s.ID + " " + messageID, Secret: s.SigningKey, Ref: messageID}
		d.call(t, c, event{"channels", f.event, payload(ch)})
	}
}

// call completes a callback and hands it over. Its request id stays the same however often it is tried,
// so that a receiver knows what it had.
func (d *Dialect) call(t *store.Tx, c courier.Callback, e event) {
	body, err := json.Marshal(e)
	if err != nil {
		t.Fail(err)
		return
	}
	c.Dialect, c.Method, c.Body = Name, http.MethodPost, body
	c.Header = map[string]string{"Content-Type": "application/json", headerID: uuid.NewString()}
	d.base.Callbacks.Put(t, c)
}
