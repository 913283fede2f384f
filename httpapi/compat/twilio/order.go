package twilio

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// The vendor's limits.
const (
	maxBody   = 1600  // characters
	maxPeriod = 36000 // s
	soonest   = 300 * time.Second
	latest    = 35 * 24 * time.Hour
)

// meta is what the API says of a message besides what the queue knows.
type meta struct {
	Account  string `json:"account"`
	From     string `json:"from,omitempty"`
	Service  string `json:"service,omitempty"`
	Callback string `json:"callback,omitempty"`
	// Numbers are those that the SIMs had, by simNumber, where any of them may send.
	Numbers map[int]string `json:"numbers,omitempty"`
}

func metaOf(m queue.Message) (kept meta) {
	_ = json.Unmarshal(m.Meta, &kept) // what is damaged shows as empty
	return kept
}

// order is a message as it was asked for.
type order struct {
	queue.Submission
	kept    meta
	shorten bool
}

// read makes an order of parameters. From may be left out where anySIM is true.
func (d *Dialect) read(p params, account string, anySIM bool, now time.Time) (o order, err error) {
	o.kept.Account = account
	o.Origin, o.Report = d.Name(), true
	for _, step := range []func(*order, params) error{
		refuseOthers,
		readTo,
		func(o *order, p params) error { return d.readFrom(o, p, anySIM) },
		readBody,
		func(o *order, p params) error { return readTimes(o, p, now) },
		d.readCallback,
	} {
		if err = step(&o, p); err != nil {
			return order{}, err
		}
	}
	if o.shorten, err = p.flag("ShortenUrls"); err != nil {
		return order{}, err
	}
	o.Meta, err = json.Marshal(o.kept)
	return o, err
}

// refuseOthers: what would change the message, or promises what is not done here, is not passed over.
func refuseOthers(_ *order, p params) error {
	mms, err := p.flag("SendAsMms")
	switch {
	case err != nil:
		return err
	case mms, p.Get("MediaUrl") != "":
		return refuse(codeInvalid, "MediaUrl and SendAsMms are not supported: this gateway sends no MMS.")
	case p.Get("ContentSid") != "":
		return refuse(codeInvalid, "ContentSid is not supported: send the text as Body.")
	}
	for _, name := range []string{"ContentRetention", "AddressRetention"} {
		if v := p.Get(name); v != "" && v != "retain" {
			return refuse(codeInvalid, "%s must be retain: messages are kept as long as the gateway's configuration says.", name)
		}
	}
	return nil
}

func readTo(o *order, p params) error {
	to := p.Get("To")
	switch {
	case to == "":
		return refuse(codeNoTo, "A 'To' phone number is required.")
	case strings.Contains(to, ":"): // such as whatsapp:
		return refuse(codeBadTo, "The 'To' number is not a valid phone number: this gateway sends by SMS only.")
	}
	o.Recipients = []string{to}
	return nil
}

// readFrom chooses the SIM. A service may also stand in From.
func (d *Dialect) readFrom(o *order, p params, anySIM bool) error {
	from, service := p.Get("From"), p.Get("MessagingServiceSid")
	if service == "" && sidOfService.MatchString(from) {
		from, service = "", from
	}
	if service != "" && !sidOfService.MatchString(service) {
		return refuse(codeNoService, "MessagingServiceSid must be MG and 32 hexadecimal digits; any such is taken.")
	}
	o.kept.Service = service
	sims := d.gateway.SIMs.Modems()
	if from == "" {
		if service == "" && !anySIM {
			return refuse(codeNoFrom, "A 'From' phone number or a MessagingServiceSid is required.")
		}
		o.kept.Numbers = map[int]string{}
		for _, st := range sims {
			o.kept.Numbers[st.SIM] = cmp.Or(st.Number, st.Name)
		}
		return nil
	}
	st, found := compat.SIM(sims, from)
	if !found {
		return refuse(codeBadFrom, "The 'From' value is not the number, name or simNumber of a SIM of this gateway, which has no other senders.")
	}
	o.SIM, o.kept.From = st.SIM, cmp.Or(st.Number, from)
	return nil
}

func readBody(o *order, p params) error {
	o.Content.Text = p.Get("Body")
	switch {
	case o.Content.Text == "":
		return refuse(codeNoBody, "Message body is required.")
	case utf8.RuneCountInString(o.Content.Text) > maxBody:
		return refuse(codeLongBody, "The message body exceeds the %d character limit.", maxBody)
	}
	return nil
}

// readTimes: the time that a message is valid begins when it is to be sent.
func readTimes(o *order, p params, now time.Time) error {
	period, err := p.number("ValidityPeriod", maxPeriod, 1, maxPeriod)
	if err != nil {
		return err
	}
	at, kind := p.Get("SendAt"), p.Get("ScheduleType")
	switch {
	case kind != "" && kind != "fixed":
		return refuse(codeInvalid, "ScheduleType must be fixed.")
	case kind != "" && at == "":
		return refuse(codeNoSendAt, "SendAt is required with ScheduleType.")
	case kind == "" && at != "":
		return refuse(codeInvalid, "ScheduleType must be fixed where SendAt is set.")
	case kind != "" && o.kept.Service == "":
		return refuse(codeUnserved, "MessagingServiceSid is required to schedule a message.")
	}
	begin := now
	if at != "" {
		begin, err = time.Parse(time.RFC3339, at)
		if ahead := begin.Sub(now); err != nil || ahead < soonest || ahead > latest {
			return refuse(codeBadSendAt, "SendAt must be an ISO 8601 time with its zone, 300 seconds to 35 days ahead.")
		}
		o.ScheduleAt = begin
	}
	o.ValidUntil = begin.Add(time.Duration(period) * time.Second)
	return nil
}

func (d *Dialect) readCallback(o *order, p params) error {
	o.kept.Callback = p.Get("StatusCallback")
	if o.kept.Callback == "" {
		return nil
	}
	if err := d.callbacks.Check(o.kept.Callback); err != nil {
		return refuse(codeBadCallback, "StatusCallback %v.", err)
	}
	return nil
}
