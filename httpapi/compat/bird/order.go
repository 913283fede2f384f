package bird

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"dongled/httpapi/compat"
	"dongled/modem"
	"dongled/scheduler/queue"
)

// order is a request that is in order: what is left to find out needs the templates, the links or the
// queue.
type order struct {
	number string
	// text is empty where a template has it.
	text     string
	template *templateWish
	links    linkWish
	// due is zero for now.
	due time.Time
	// until is when the message is of no use any more.
	until time.Time
	// quiet has the message wait out quiet hours, capped has it counted.
	quiet, capped bool
	kept          meta
}

// The limits of what is kept with a message without being read, in bytes, and of tags.
const (
	maxKept      = 16 << 10
	maxReference = 1024
	maxTags      = 10
	maxTag       = 256
)

// orderOf checks a request for a channel.
func (d *Dialect) orderOf(r *request, ch channel, now time.Time) (*order, error) {
	o := &order{quiet: !r.IgnoreQuietHours, kept: meta{Channel: ch, Reference: r.Reference, Meta: r.Meta, ReplyTo: r.ReplyTo}}
	for _, check := range []func() error{
		func() error { return o.to(r.Receiver) },
		func() error { return d.checkSender(r.Sender, ch) },
		func() error { return d.content(o, r, ch) },
		func() error { return o.keep(r) },
		func() error { return o.tag(r.Tags) },
		func() error { return o.times(r, ch, now) },
		func() error { return o.cap(r, d.opts) },
		func() error { return o.link(r, ch) },
		func() error { return d.notify(o, r.Notification) },
	} {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// to takes the one contact that an SMS has.
func (o *order) to(r *receiverWish) error {
	if r == nil || len(r.Contacts) == 0 {
		return compat.Fault("receiver.contacts", "must have exactly one contact")
	}
	if n := len(r.Contacts); n > 1 {
		return compat.Fault("receiver.contacts",
			"multiple receivers for SMS messages (%d INVALID_CHANNEL_CONFIGURATION): %d contacts, where exactly one is allowed", codeChannel, n)
	}
	const at = "receiver.contacts[0]"
	switch c := r.Contacts[0]; {
	case c.IdentifierKey != "" && c.IdentifierKey != phoneNumber:
		return compat.Fault(at+".identifierKey", "must be phonenumber, as this is an SMS channel")
	case c.Type != "" && c.Type != "to":
		return compat.Fault(at+".type", "must be to: an SMS has no copies")
	case c.IdentifierValue == "" && c.ID != "":
		return compat.Fault(at+".identifierValue", "must be the phone number: there is no address book to find a contact in by its id")
	case c.IdentifierValue == "":
		return compat.Fault(at+".identifierValue", "must be a phone number")
	case c.PlatformAddress != "" && c.PlatformAddress != c.IdentifierValue:
		return compat.Fault(at+".platformAddress", "must be left out or the same as identifierValue")
	default:
		o.number = c.IdentifierValue
	}
	return nil
}

// checkSender refuses a sender that is not the channel's SIM: a modem cannot set another one.
func (d *Dialect) checkSender(s *senderWish, ch channel) error {
	if s == nil || s.Connector == nil || s.Connector.IdentifierValue == "" {
		return nil
	}
	const field = "sender.connector.identifierValue"
	if ch.SIM == 0 {
		return compat.Fault(field, "must be left out on this channel, which sends by any SIM")
	}
	wanted, own := s.Connector.IdentifierValue, modem.Status{SIM: ch.SIM, Name: ch.Name, Number: ch.Phone}
	if _, is := compat.SIM([]modem.Status{own}, wanted); is {
		return nil
	}
	if ch.Phone == "" {
		return compat.Fault(field, "must be left out, or %q: the number of SIM %d is not known (modems[].number)", ch.Name, ch.SIM)
	}
	return compat.Fault(field, "must be left out, or %s: an SMS leaves with the number of the SIM", ch.Phone)
}

// keep checks what is only repeated.
func (o *order) keep(r *request) error {
	switch {
	case utf8.RuneCountInString(r.Reference) > maxReference:
		return compat.Fault("reference", "must have at most %d characters", maxReference)
	case !isObject(r.Meta):
		return compat.Fault("meta", "must be an object")
	case len(r.Meta) > maxKept:
		return compat.Fault("meta", "must have at most %d bytes", maxKept)
	case r.ReplyTo == nil:
		return nil
	case r.ReplyTo.ID == "" || len(r.ReplyTo.ID) > maxTag:
		return compat.Fault("replyTo.id", "must be the id of a message")
	case r.ReplyTo.Type != "" && r.ReplyTo.Type != "message":
		return compat.Fault("replyTo.type", "must be message")
	}
	r.ReplyTo.Type = "message"
	return nil
}

// isObject says so of absent ones, too.
func isObject(raw json.RawMessage) bool { return len(raw) == 0 || bytes.HasPrefix(raw, []byte("{")) }

// tag keeps tags in lower case, each once.
func (o *order) tag(tags []string) error {
	for i, tag := range tags {
		tag = strings.ToLower(strings.TrimSpace(tag))
		switch {
		case tag == "" || utf8.RuneCountInString(tag) > maxTag:
			return compat.Fault("tags["+strconv.Itoa(i)+"]", "must have 1 to %d characters", maxTag)
		case !slices.Contains(o.kept.Tags, tag):
			o.kept.Tags = append(o.kept.Tags, tag)
		}
	}
	if len(o.kept.Tags) > maxTags {
		return compat.Fault("tags", "must be at most %d, not %d", maxTags, len(o.kept.Tags))
	}
	return nil
}

// The vendor's times: how long messages are valid whose validity is left out, and how far ahead they may be
// scheduled. maxValidity is the longest that an SMS can say (TP-VP, TS 23.040 section 9.2.3.12.1).
const (
	defaultValidity = 129600 * time.Second
	validityOf2FA   = 600 * time.Second
	maxAhead        = 35 * 24 * time.Hour
	maxValidity     = 63 * 7 * 24 * time.Hour
)

// times sets when the message is due and how long it is of use, which counts from then.
func (o *order) times(r *request, ch channel, now time.Time) error {
	due := now
	if r.ScheduledFor != nil {
		at, ok := readTime(*r.ScheduledFor)
		switch {
		case !ok:
			return compat.Fault("scheduledFor", "must be an RFC 3339 timestamp, such as 2024-11-21T09:14:49.469Z")
		case at.After(now.Add(maxAhead)):
			return compat.Fault("scheduledFor", "must be within 35 days")
		case at.After(now):
			due, o.due = at, at
		}
		o.kept.ScheduledFor = written(at)
	}
	validity := defaultValidity
	if ch.Kind == "2fa" {
		validity = validityOf2FA
	}
	if r.Validity != nil {
		most := int64(maxValidity / time.Second)
		if *r.Validity < 1 || *r.Validity > most {
			return compat.Fault("validity", "must be from 1 to %d seconds", most)
		}
		validity = time.Duration(*r.Validity) * time.Second
	}
	o.until = due.Add(validity)
	return nil
}

// readTime takes RFC 3339, and without a zone for UTC, as clients in Python send it.
func readTime(text string) (at time.Time, ok bool) {
	text = strings.ToUpper(strings.TrimSpace(text))
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() > 0 {
			return at, true
		}
	}
	return time.Time{}, false
}

// cap has marketing messages counted, as the client asks. The vendor allows it for those alone.
func (o *order) cap(r *request, opts Options) error {
	if !r.CapFrequency {
		return nil
	}
	var about struct {
		ExtraInformation struct {
			UseCase string `json:"useCase"`
		} `json:"extraInformation"`
	}
	if len(r.Meta) > 0 && json.Unmarshal(r.Meta, &about) != nil || about.ExtraInformation.UseCase != "marketing" {
		return compat.Fault("capFrequency", "can only be true if meta.extraInformation.useCase is marketing")
	}
	if opts.FrequencyCap == 0 {
		return compat.Fault("capFrequency", "frequency capping is not configured: set bird.frequency_cap")
	}
	o.capped = true
	return nil
}

// notify keeps where this message's changes are told besides.
func (d *Dialect) notify(o *order, n *notification) error {
	if n == nil || n.URL == "" {
		return nil
	}
	if err := d.base.Callbacks.Check(n.URL); err != nil {
		return compat.Fault("notification.url", "%s", err)
	}
	o.kept.Notification = n
	return nil
}

// submission is the order for the queue.
func (o *order) submission(id, text string) queue.Submission {
	raw, err := json.Marshal(o.kept)
	if err != nil {
		panic("bird: what is kept of a message does not encode: " + err.Error()) // raw parts were read as JSON
	}
	return queue.Submission{
		ID: id, Content: queue.Content{Text: text}, Recipients: []string{o.number}, SIM: o.kept.Channel.SIM,
		Report: true, ScheduleAt: o.due, ValidUntil: o.until, Origin: Name, Meta: raw, Quiet: o.quiet,
	}
}
