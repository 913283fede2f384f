package bird

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/compat"
	"dongled/scheduler/store"
)

// The events that one can subscribe to.
const (
	eventOutbound    = "sms.outbound"
	eventInbound     = "sms.inbound"
	eventInteraction = "sms.interaction"
)

// clicked is the only interaction there is.
const clicked = "clicked"

// The keys of filters, by event: a filter of another would never let anything through.
const (
	byChannel     = "channelId"
	byStatus      = "messageStatus"
	byInteraction = "interactionType"
)

var filterable = map[string][]string{
	eventOutbound:    {byChannel, byStatus},
	eventInbound:     {byChannel, byStatus},
	eventInteraction: {byChannel, byInteraction},
}

const (
	// maxAlike is how many subscriptions may have the same event and filters, as Bird has it.
	maxAlike = 5
	// maxSubscriptions bounds the callbacks that one change of a message can make.
	maxSubscriptions = 100

	maxURL        = 2048
	maxSigningKey = 512
	// maxTemplate bounds what each change of a message reads of every subscription and has no use for.
	maxTemplate = 4 << 10
)

// filter lets through what has Value.
type filter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// subscription is who wants to hear of an event, as stored.
type subscription struct {
	ID           string    `json:"id"`
	Organization string    `json:"organizationId"`
	Workspace    string    `json:"workspaceId"`
	Service      string    `json:"service"`
	Event        string    `json:"event"`
	EventFilters []filter  `json:"eventFilters"`
	Template     *string   `json:"template"`
	URL          string    `json:"url"`
	SigningKey   string    `json:"signingKey,omitempty"`
	Status       string    `json:"status"`
	Created      timestamp `json:"createdAt"`
	Updated      timestamp `json:"updatedAt"`
}

// timestamp is a time as messages have it on the wire.
type timestamp struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t timestamp) MarshalJSON() ([]byte, error) { return json.Marshal(written(t.Time)) }

// fact is what filters look at.
type fact struct {
	event string
	// channels are those that it belongs to, the closest first.
	channels            []channel
	status, interaction string
}

// wants says whether a subscription hears of a fact, and as of which channel.
func (s subscription) wants(f fact) (channel, bool) {
	if s.Status != active || s.Event != f.event {
		return channel{}, false
	}
	for _, ch := range f.channels {
		values := map[string]string{byChannel: ch.ID, byStatus: f.status, byInteraction: f.interaction}
		if !slices.ContainsFunc(s.EventFilters, func(w filter) bool { return values[w.Key] != w.Value }) {
			return ch, true
		}
	}
	return channel{}, false
}

// alike reports whether both hear of the same.
func (s subscription) alike(o subscription) bool {
	return s.Event == o.Event && slices.Equal(sorted(s.EventFilters), sorted(o.EventFilters))
}

func sorted(fs []filter) []filter {
	return slices.SortedFunc(slices.Values(fs), func(a, b filter) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value)) })
}

// check says what is wrong with a subscription that a client asks for, and brings it into one form.
func (d *Dialect) check(s *subscription) error {
	if s.Service != "channels" {
		return compat.Fault("service", `must be "channels": this gateway has no other`)
	}
	if _, known := filterable[s.Event]; !known {
		return compat.Fault("event", "must be %s, %s or %s", eventOutbound, eventInbound, eventInteraction)
	}
	if s.Status != active && s.Status != inactive {
		return compat.Fault("status", "must be active or inactive")
	}
	if len(s.SigningKey) > maxSigningKey {
		return compat.Fault("signingKey", "must have at most %d bytes", maxSigningKey)
	}
	if s.Template != nil && len(*s.Template) > maxTemplate {
		return compat.Fault("template", "must have at most %d bytes", maxTemplate)
	}
	if err := d.checkFilters(s); err != nil {
		return err
	}
	return d.checkURL("url", s.URL)
}

func (d *Dialect) checkURL(field, url string) error {
	switch {
	case url == "":
		return compat.Fault(field, "is missing")
	case len(url) > maxURL:
		return compat.Fault(field, "must have at most %d bytes", maxURL)
	}
	if err := d.base.Callbacks.Check(url); err != nil {
		return compat.Fault(field, "%s", err)
	}
	return nil
}

func (d *Dialect) checkFilters(s *subscription) error {
	seen := map[string]bool{}
	for i, f := range s.EventFilters {
		switch {
		case !slices.Contains(filterable[s.Event], f.Key):
			return compat.Fault("eventFilters", "key of a filter for %s must be %s", s.Event, strings.Join(filterable[s.Event], " or "))
		case seen[f.Key]:
			return compat.Fault("eventFilters", "%s is there twice, and no event can have both: make two subscriptions", f.Key)
		case f.Key == byStatus && !slices.Contains(statuses, f.Value):
			return compat.Fault("eventFilters", "messageStatus must be one of %s", strings.Join(statuses, ", "))
		case f.Key == byInteraction && f.Value != clicked:
			return compat.Fault("eventFilters", "interactionType must be %s: there is no other on this gateway", clicked)
		case f.Key == byChannel:
			ch, found := d.channel(lower(f.Value))
			if !found {
				return compat.Fault("eventFilters", "channelId is of no channel of this workspace")
			}
			s.EventFilters[i].Value = ch.ID
		}
		seen[f.Key] = true
	}
	return nil
}

// subscriptions are all there are, the oldest first.
func (d *Dialect) subscriptions(b *bolt.Bucket) (all []subscription) {
	_ = b.ForEach(func(k, v []byte) error {
		var s subscription
		if err := json.Unmarshal(v, &s); err != nil {
			d.base.Log.Error("the record of a webhook subscription is damaged: make it anew", "subscription", string(k), "err", err)
			return nil
		}
		all = append(all, s)
		return nil
	})
	return all
}

// put stores a subscription unless there are too many.
func (d *Dialect) put(t *store.Tx, s subscription) error {
	b := store.Bucket(t, bucketSubscriptions)
	alike, others := 0, 0
	for _, o := range d.subscriptions(b) {
		if o.ID == s.ID {
			continue
		}
		others++
		if o.alike(s) {
			alike++
		}
	}
	switch {
	case alike >= maxAlike:
		return compat.Fault("eventFilters", "there are %d subscriptions with the same event and filters, which is the most", maxAlike)
	case others >= maxSubscriptions:
		return compat.Fault("url", "is one too many: there are %d subscriptions; delete some", maxSubscriptions)
	}
	write(t, b, s.ID, s)
	return nil
}
