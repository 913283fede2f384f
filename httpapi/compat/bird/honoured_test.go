package bird

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/templates"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// TestEchoed: what has no effect on the radio comes back as it was, also from GET.
func TestEchoed(t *testing.T) {
	b := newBench(t, nil)
	const about = `{"order":{"products":[{"price":{"amount":10.50}}]},"extraInformation":{"useCase":"transactional","ünicode":"<&>"},"big":12345678901234567890}`
	m := b.accepted(with(`,"reference":"order-7","meta":` + about + `,"tags":["VIP","vip"," News ","Été"],
		"replyTo":{"id":"c1b0b3a0-7b0b-4f0e-8d0d-1f1e1d1c1b1a"},"sender":{"connector":{"identifierValue":"+49 151 0000001"}},"notification":null,"shortLinks":null`))
	for _, got := range []message{m, b.shown(m.ID)} {
		if got.Reference != "order-7" || !reflect.DeepEqual(got.Tags, []string{"vip", "news", "été"}) || got.ShortLinks != nil || got.Origin != nil {
			t.Errorf("%+v", got)
		}
		if got.ReplyTo == nil || *got.ReplyTo != (replyTo{"c1b0b3a0-7b0b-4f0e-8d0d-1f1e1d1c1b1a", "message"}) {
			t.Errorf("replyTo %+v", got.ReplyTo)
		}
		if !sameJSON(t, string(got.Meta), about) || !strings.Contains(string(got.Meta), "12345678901234567890") || !strings.Contains(string(got.Meta), "10.50") {
			t.Errorf("meta %s", got.Meta)
		}
	}
	if m.ID[14] != '4' || len(m.ID) != 36 {
		t.Errorf("%s is no UUID of version 4", m.ID)
	}
	if m.Receiver.Contacts[0].ID != b.accepted(with("")).Receiver.Contacts[0].ID {
		t.Error("the contact of a number has two ids")
	}
}

// TestValidity: how long the network is told to try, by channel and request.
func TestValidity(t *testing.T) {
	b := newBench(t, nil)
	for _, test := range []struct {
		name, channel, body string
		sim                 int
		from, to            time.Duration
	}{
		{"left out", testChannel, with(""), 0, 35*time.Hour + 59*time.Minute, 36 * time.Hour},
		{"left out for one-time passwords", testChannel2, with(""), 1, 9 * time.Minute, 10 * time.Minute},
		{"600", testChannel, with(`,"validity":600`), 0, 9 * time.Minute, 10 * time.Minute},
		{"an hour for one-time passwords", testChannel2, with(`,"validity":3600`), 1, 59 * time.Minute, time.Hour},
		{"from when it is due, which has passed", testChannel, with(`,"validity":600,"scheduledFor":"2024-11-21T09:14:49.469Z"`), 0, 9 * time.Minute, 10 * time.Minute},
	} {
		reply := b.post(test.channel, test.body)
		if reply.Status != 202 {
			t.Fatalf("%s: %d %s", test.name, reply.Status, reply.Body)
		}
		m := b.Await(decoded[message](t, reply.Body).ID, queue.Sent)
		sent := b.SIMs[test.sim].Sent()
		if got := period(sent[len(sent)-1].Validity); got < test.from || got > test.to+time.Second { // it has whole seconds
			t.Errorf("%s: TP-VP of %v, want %v to %v", test.name, got, test.from, test.to)
		}
		if got := m.ValidUntil.Sub(m.Created); got > test.to || got < test.to-time.Second {
			t.Errorf("%s: valid for %v, want %v", test.name, got, test.to)
		}
	}
}

// period is what a TP-VP says, from now.
func period(v pdu.Validity) time.Duration {
	if v.Until.IsZero() {
		return v.For
	}
	return time.Until(v.Until)
}

// TestScheduled: the time at which a message is due, and how long it is of use from then.
func TestScheduled(t *testing.T) {
	b := newBench(t, nil)
	tomorrow := time.Now().Add(24 * time.Hour).Truncate(time.Second).UTC()
	for _, form := range []string{
		tomorrow.Format(time.RFC3339), tomorrow.Format(timeFormat), tomorrow.Format("2006-01-02T15:04:05"),
		strings.ToLower(tomorrow.Format(time.RFC3339)), tomorrow.In(time.FixedZone("", 19800)).Format(time.RFC3339), tomorrow.Format("2006-01-02 15:04:05+00:00"),
	} {
		m := b.accepted(with(`,"validity":60,"scheduledFor":"` + form + `"`))
		if m.Status != "scheduled" || m.ScheduledFor != written(tomorrow) {
			t.Errorf("%s: %s, scheduled for %s", form, m.Status, m.ScheduledFor)
		}
		stored := b.Message(m.ID)
		if !stored.ScheduleAt.Equal(tomorrow) || !stored.ValidUntil.Equal(tomorrow.Add(time.Minute)) {
			t.Errorf("%s: due %v, valid until %v", form, stored.ScheduleAt, stored.ValidUntil)
		}
	}
	in35Days := time.Now().Add(35*24*time.Hour - time.Minute).UTC()
	if m := b.accepted(with(`,"scheduledFor":"` + in35Days.Format(time.RFC3339) + `"`)); m.Status != "scheduled" {
		t.Errorf("in 35 days: %s", m.Status)
	}
	past := b.accepted(with(`,"scheduledFor":"2024-11-21T09:14:49.469Z"`))
	if past.Status != "accepted" || past.ScheduledFor != "2024-11-21T09:14:49.469Z" {
		t.Errorf("past: %s, %s", past.Status, past.ScheduledFor)
	}
	b.Await(past.ID, queue.Sent)
}

// TestQuietHours: a message waits them out, unless it says that it does not care.
func TestQuietHours(t *testing.T) {
	now := time.Now()
	minute := now.Hour()*60 + now.Minute()
	b := newBench(t, nil, func(o *compattest.Options) {
		o.Scheduler.QuietHours = scheduler.WorkHours{Enabled: true, Start: (minute + 1440 - 120) % 1440, End: (minute + 120) % 1440}
	})
	quiet := b.accepted(with(""))
	b.Await(b.accepted(with(`,"ignoreQuietHours":true`)).ID, queue.Sent)
	b.wantStatus(quiet.ID, "accepted", "")
	if n := len(b.SIMs[0].Sent()); n != 1 || !b.Message(quiet.ID).Quiet {
		t.Errorf("%d parts sent, want 1", n)
	}
}

// TestNotification: the message keeps where its changes are told.
func TestNotification(t *testing.T) {
	b := newBench(t, nil)
	m := b.accepted(with(`,"notification":{"url":"https://hooks.example.org/bird"}`))
	b.Await(m.ID, queue.Sent)
	if got := b.Dialect.(*Dialect).notifyURL(b.Message(m.ID)); got != "https://hooks.example.org/bird" {
		t.Error(got)
	}
	if got := b.Dialect.(*Dialect).notifyURL(b.Message(b.accepted(with("")).ID)); got != "" {
		t.Error(got)
	}
	for _, c := range b.Callbacks.Await(t, 3) { // accepted, processing, sent
		if c.URL != "https://hooks.example.org/bird" {
			t.Errorf("%+v", c)
		}
	}
}

const longURL = "https://shop.example.org/a/very/long/path/to/something?color=red&size=42#details"

// linked is a request for a text with that URL.
func linked(fields string) string {
	return `{` + to + `,"body":{"type":"text","text":{"text":"See ` + longURL + `."}}` + fields + `}`
}

// TestShortLinks: URLs are replaced before the text is sent, and lead to where they led, with what
// tracking appends.
func TestShortLinks(t *testing.T) {
	b := newBench(t, nil)
	b.template("ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318", templates.Wording{Texts: map[string]string{"en": "{{url}}"}, ShortLinks: true})
	value := `"parameters":[` + param("url", longURL) + `]`
	for _, test := range []struct{ name, body, target string }{
		{"enabled", linked(`,"shortLinks":{"enabled":true}`), longURL},
		{"with our domain", linked(`,"shortLinks":{"domain":"s.example.org"}`), longURL},
		{
			"tracked", linked(`,"shortLinks":{"enabled":true},"enableLinkTracking":true`),
			"https://shop.example.org/a/very/long/path/to/something?color=red&size=42&utm_source=Shop&utm_medium=sms#details",
		},
		{
			"tracked for a campaign", linked(`,"shortLinks":{"enabled":true},"enableLinkTracking":true,"meta":{"campaign":{"id":"x","name":"spring"}}`),
			"https://shop.example.org/a/very/long/path/to/something?color=red&size=42&utm_source=Shop&utm_medium=sms&utm_campaign=spring#details",
		},
		{"as the template has it", templated(`,` + value), longURL},
		{
			"with the template's parameters", templated(`,` + value + `,"shortLinks":{"enabled":true},"utmParameters":[{"key":"utm_source","value":"bird"}]},"enableLinkTracking":true,"x":{`),
			"https://shop.example.org/a/very/long/path/to/something?color=red&size=42&utm_source=bird#details",
		},
	} {
		m := b.accepted(test.body)
		text := m.Body.Text.Text
		if strings.Contains(text, longURL) || !strings.Contains(text, "https://s.example.org/r/") || !m.ShortLinks.wanted() {
			t.Errorf("%s: %q", test.name, text)
		}
		made, err := b.Links.Of(t.Context(), m.ID)
		if err != nil || len(made) != 1 || made[0].URL != test.target || made[0].Origin != "bird" {
			t.Errorf("%s: %+v, %v\nwant %s", test.name, made, err, test.target)
			continue
		}
		if n := readNote(made[0]); n.Channel != testChannel || n.To != "+31612345678" {
			t.Errorf("%s: %+v", test.name, n)
		}
		b.Await(m.ID, queue.Sent)
	}
	for _, p := range b.SIMs[0].Sent() {
		if strings.Contains(p.Text, "shop.example.org") {
			t.Errorf("sent %q", p.Text)
		}
	}
	if m := b.accepted(linked(`,"shortLinks":{"enabled":false}`)); m.Body.Text.Text != "See "+longURL+"." {
		t.Errorf("not wanted: %q", m.Body.Text.Text)
	}
	if m := b.accepted(templated(`,` + value + `,"shortLinks":{"enabled":false}`)); m.Body.Text.Text != longURL {
		t.Errorf("not wanted of a template: %q", m.Body.Text.Text)
	}
}

// TestTemplateValues: parameters and variables together, another locale, and values without a place.
func TestTemplateValues(t *testing.T) {
	texts := templates.Wording{DefaultLocale: "en", Texts: map[string]string{"en": "{{a}} and {{b}}", "nl": "{{a}} en {{b}}"}}
	b := newBench(t, nil)
	b.template("ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318", texts)
	for _, test := range []struct{ fields, want string }{
		{`,"variables":{"a":"1","b":"2"}`, "1 and 2"},
		{`,"parameters":[` + param("a", "1") + `],"variables":{"b":"{{a}}"},"locale":"nl-BE"`, "1 en {{a}}"},
		{`,"variables":{"a":"1","b":"2","c":"3"},"name":"n","settings":{"x":1}`, "1 and 2"},
	} {
		if m := b.accepted(templated(test.fields)); m.Body.Text.Text != test.want || len(m.Template) == 0 {
			t.Errorf("%s: %q", test.fields, m.Body.Text.Text)
		}
	}
	strict := newBench(t, func(o *Options) { o.Strict = true })
	strict.template("ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318", texts)
	if got := strict.refused(templated(`,"variables":{"a":"1","b":"2","c":"3"}`), "template.parameters"); !strings.HasPrefix(got, "c: ") {
		t.Error(got)
	}
}
