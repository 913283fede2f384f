package bird

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/links"
	"dongled/httpapi/templates"
)

const to = `"receiver":{"contacts":[{"identifierValue":"+31612345678"}]}`

// body is a request with that body, contact one to that contact.
func bodied(body string) string { return `{` + to + `,"body":` + body + `}` }

func contacted(contacts string) string {
	return `{"receiver":{"contacts":[` + contacts + `]},"body":{"type":"text","text":{"text":"Hello"}}}`
}

func templated(fields string) string {
	return `{` + to + `,"template":{"projectId":"ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318"` + fields + `}}`
}

func param(key, value string) string {
	return `{"type":"string","key":"` + key + `","value":"` + value + `"}`
}

// TestRefused: what is wrong with a request is said of its field, and nothing is stored.
func TestRefused(t *testing.T) {
	b := newBench(t, nil)
	b.template("ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318", templates.Wording{Texts: map[string]string{"en": "Hello {{name}}"}})
	in36Days := time.Now().Add(36 * 24 * time.Hour).Format(time.RFC3339)
	tests := []struct{ name, body, field, says string }{
		{"nobody", `{"body":{"type":"text","text":{"text":"x"}}}`, "receiver.contacts", "exactly one contact"},
		{"no contact", contacted(""), "receiver.contacts", "exactly one contact"},
		{"two contacts", contacted(`{"identifierValue":"+31612345678"},{"identifierValue":"+31612345679"}`), "receiver.contacts", "11001 INVALID_CHANNEL_CONFIGURATION"},
		{"contact by mail", contacted(`{"identifierKey":"emailaddress","identifierValue":"a@example.org"}`), "receiver.contacts[0].identifierKey", "phonenumber"},
		{"copy", contacted(`{"identifierValue":"+31612345678","type":"cc"}`), "receiver.contacts[0].type", "no copies"},
		{"blind copy", contacted(`{"identifierValue":"+31612345678","type":"bcc"}`), "receiver.contacts[0].type", "no copies"},
		{"contact by id", contacted(`{"id":"0a8c1c3e-5b7d-4e9f-a1b3-c5d7e9f1a3b5"}`), "receiver.contacts[0].identifierValue", "address book"},
		{"contact without anything", contacted(`{}`), "receiver.contacts[0].identifierValue", "phone number"},
		{"two addresses", contacted(`{"identifierValue":"+31612345678","platformAddress":"+31612345679"}`), "receiver.contacts[0].platformAddress", "the same"},
		{"no number", contacted(`{"identifierValue":"hello"}`), "receiver.contacts[0].identifierValue", "not a valid phone number"},
		{"number as a number", contacted(`{"identifierValue":31612345678}`), "receiver.contacts.identifierValue", "must be a string, not number"},

		{"body and template", `{` + to + `,"body":{"type":"text","text":{"text":"x"}},"template":{"projectId":"x"}}`, "template", "only one of body and template"},
		{"neither", `{` + to + `}`, "body", "or template"},
		{"null and null", `{` + to + `,"body":null,"template":null}`, "body", "or template"},
		{"no type", bodied(`{"text":{"text":"x"}}`), "body.type", "must be text"},
		{"text without text", bodied(`{"type":"text"}`), "body.text", "as body.type says"},
		{"empty text", bodied(`{"type":"text","text":{"text":""}}`), "body.text.text", "must not be empty"},
		{"attachments", bodied(`{"type":"text","text":{"text":"x","attachments":[{"mediaUrl":"https://example.com"}]}}`), "body.text.attachments", "no media"},
		{"actions", bodied(`{"type":"text","text":{"text":"x","actions":[{"type":"link"}]}}`), "body.text.actions", "no buttons"},
		{"subject", bodied(`{"type":"text","text":{"text":"x","metadata":{"subject":"y"}}}`), "body.text.metadata.subject", "no subject"},
		{"metadata as text", bodied(`{"type":"text","text":{"text":"x","metadata":"y"}}`), "body.text.metadata", "must be an object"},
		{"much metadata", bodied(`{"type":"text","text":{"text":"x","metadata":{"a":"` + strings.Repeat("b", 17000) + `"}}}`), "body.text.metadata", "at most 16384 bytes"},
		{"html", bodied(`{"type":"html","html":{"html":"x"}}`), "body.type", "nothing else"},
		{"list", bodied(`{"type":"list","list":{}}`), "body.type", "nothing else"},
		{"body as text", bodied(`"Hello"`), "body", "must be an object, not string"},
		{"long", bodied(`{"type":"text","text":{"text":"` + strings.Repeat("x", 40000) + `"}}`), "body.text.text", "parts"},

		{"another sender", with(`,"sender":{"connector":{"identifierValue":"+491510000002"}}`), "sender.connector.identifierValue", "+491510000001"},
		{"a name as sender", with(`,"sender":{"connector":{"identifierValue":"BIRD"}}`), "sender.connector.identifierValue", "+491510000001"},
		{"eleven tags", with(`,"tags":["1","2","3","4","5","6","7","8","9","10","11"]`), "tags", "at most 10, not 11"},
		{"an empty tag", with(`,"tags":["a"," "]`), "tags[1]", "1 to 256"},
		{"tags of numbers", with(`,"tags":[1]`), "tags", "must be a string, not number"},
		{"long reference", with(`,"reference":"` + strings.Repeat("x", 1025) + `"`), "reference", "at most 1024"},
		{"meta as text", with(`,"meta":"x"`), "meta", "must be an object"},
		{"much meta", with(`,"meta":{"x":"` + strings.Repeat("y", 17000) + `"}`), "meta", "at most 16384 bytes"},
		{"reply to nothing", with(`,"replyTo":{"type":"message"}`), "replyTo.id", "id of a message"},
		{"reply to a thread", with(`,"replyTo":{"id":"x","type":"thread"}`), "replyTo.type", "must be message"},

		{"in 36 days", with(`,"scheduledFor":"` + in36Days + `"`), "scheduledFor", "within 35 days"},
		{"tomorrow", with(`,"scheduledFor":"tomorrow"`), "scheduledFor", "RFC 3339"},
		{"no time", with(`,"scheduledFor":""`), "scheduledFor", "RFC 3339"},
		{"a number as time", with(`,"scheduledFor":1732180489`), "scheduledFor", "must be a string, not number"},
		{"no validity", with(`,"validity":0`), "validity", "from 1 to 38102400"},
		{"negative validity", with(`,"validity":-5`), "validity", "from 1 to 38102400"},
		{"validity of years", with(`,"validity":38102401`), "validity", "from 1 to 38102400"},
		{"half seconds", with(`,"validity":1.5`), "validity", "must be an integer, not number 1.5"},
		{"validity as text", with(`,"validity":"600"`), "validity", "must be an integer, not string"},
		{"flag as text", with(`,"ignoreQuietHours":"yes"`), "ignoreQuietHours", "must be true or false, not string"},

		{"cap for all", with(`,"capFrequency":true`), "capFrequency", "useCase is marketing"},
		{"cap for transactional", with(`,"capFrequency":true,"meta":{"extraInformation":{"useCase":"transactional"}}`), "capFrequency", "useCase is marketing"},
		{"odd extra information", with(`,"capFrequency":true,"meta":{"extraInformation":"marketing"}`), "capFrequency", "useCase is marketing"},
		{"no cap", with(`,"capFrequency":true,"meta":{"extraInformation":{"useCase":"marketing"}}`), "capFrequency", "bird.frequency_cap"},

		{"tracking alone", with(`,"enableLinkTracking":true`), "enableLinkTracking", "shortLinks.enabled"},
		{"tracking without links", with(`,"enableLinkTracking":true,"shortLinks":{"enabled":false}`), "enableLinkTracking", "shortLinks.enabled"},
		{"another domain", with(`,"shortLinks":{"enabled":true,"domain":"bit.ly"}`), "shortLinks.domain", "not the domain"},
		{"a domain alone", with(`,"shortLinks":{"domain":"bit.ly"}`), "shortLinks.domain", "not the domain"},
		{"callback nowhere", with(`,"notification":{"url":"ftp://example.org"}`), "notification.url", "http"},

		{"template as text", `{` + to + `,"template":"x"}`, "template", "must be an object"},
		{"template of nothing", `{` + to + `,"template":{}}`, "template.projectId", "UUID"},
		{"unknown template", `{` + to + `,"template":{"projectId":"11111111-2222-4333-8444-555555555555"}}`, "template.projectId", "11111111-2222-4333-8444-555555555555"},
		{"unknown version", templated(`,"version":"11111111-2222-4333-8444-555555555555","parameters":[` + param("name", "x") + `]`), "template.version", "11111111-2222-4333-8444-555555555555"},
		{"no value", templated(``), "template.parameters", "name"},
		{"two values", templated(`,"parameters":[` + param("name", "a") + `,` + param("name", "b") + `]`), "template.parameters[1].key", "twice"},
		{"values in two places", templated(`,"parameters":[` + param("name", "a") + `],"variables":{"name":"b"}`), "template.variables", "repeat"},
		{"no string", templated(`,"parameters":[{"type":"number","key":"name","value":"1"}]`), "template.parameters[0].type", "must be string"},
		{"a number as value", templated(`,"parameters":[{"type":"string","key":"name","value":1}]`), "template.parameters.value", "must be a string, not number"},
		{"no key", templated(`,"parameters":[{"type":"string","value":"x"}]`), "template.parameters[0].key", "empty"},
		{"attachments of a template", templated(`,"attachments":[{"mediaUrl":"https://example.com"}]`), "template.attachments", "not MMS capable"},
		{"much template", templated(`,"settings":"` + strings.Repeat("x", 17000) + `"`), "template", "at most 16384 bytes"},
		{
			"links two ways", `{` + to + `,"shortLinks":{"enabled":true},"template":{"projectId":"ce6a2fd6-b2fa-4f5a-a2cd-f3bd15883318","shortLinks":{"enabled":false}}}`,
			"shortLinks", "template.shortLinks",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := bench{b.House, t}
			if got := b.refused(test.body, test.field); !strings.Contains(got, test.says) {
				t.Errorf("%q does not say %q", got, test.says)
			}
		})
	}
}

// TestRefusedMedia: by setting, media are a text; what is wrong with them is said all the same.
func TestRefusedMedia(t *testing.T) {
	b := newBench(t, func(o *Options) { o.MMSFallback = true })
	many := strings.TrimSuffix(strings.Repeat(`{"mediaUrl":"https://example.com"},`, 11), ",")
	for _, test := range []struct{ body, field, says string }{
		{`{"type":"image"}`, "body.image", "as body.type says"},
		{`{"type":"image","image":{"images":[]}}`, "body.image.images", "1 to 10, not 0"},
		{`{"type":"image","image":{"images":[` + many + `]}}`, "body.image.images", "1 to 10, not 11"},
		{`{"type":"image","image":{"images":[{"mediaUrl":"/etc/passwd"}]}}`, "body.image.images[0].mediaUrl", "URL"},
		{`{"type":"file","file":{"files":[{"mediaUrl":"https://example.com"},{"contentType":"video/mp4"}]}}`, "body.file.files[1].mediaUrl", "URL"},
		{`{"type":"file","file":{"files":[{"mediaUrl":"https://example.com"}],"metadata":{"subject":1}}}`, "body.file.metadata", "string"},
	} {
		if got := b.refused(bodied(test.body), test.field); !strings.Contains(got, test.says) {
			t.Errorf("%s: %q does not say %q", test.body, got, test.says)
		}
	}
}

// TestLinksOff: without a public base there are no short links, and the error says what to set.
func TestLinksOff(t *testing.T) {
	b := newBench(t, nil, func(o *compattest.Options) { o.Links.Base = "" })
	if got := b.refused(with(`,"shortLinks":{"enabled":true}`), "shortLinks"); got != links.ErrOff.Error() || !strings.Contains(got, "links.public_base_url") {
		t.Error(got)
	}
}

// TestStrict: keys that the page does not have are ignored, or refused if the configuration says so.
func TestStrict(t *testing.T) {
	b := newBench(t, nil)
	b.accepted(with(`,"colour":"red"`))
	b = newBench(t, func(o *Options) { o.Strict = true })
	if got := b.refused(with(`,"colour":"red"`), "colour"); !strings.Contains(got, "not") {
		t.Error(got)
	}
	b.accepted(with(`,"reference":"x"`))
}

// TestMalformed: what is no JSON object is 400, whatever the status of what is not valid.
func TestMalformed(t *testing.T) {
	b := newBench(t, func(o *Options) { o.ValidationStatus = 422 })
	for _, body := range []string{"", "{", "[]", "null", `"x"`, "{}{}", `{"reference":"` + "\xff" + `"}`} {
		reply := b.post(testChannel, body)
		if e := decoded[trouble](t, reply.Body); reply.Status != 400 || e.Code != "InvalidPayload" || e.Details != nil || !strings.Contains(e.Message, "body") {
			t.Errorf("%q: %d %s", body, reply.Status, reply.Body)
		}
	}
	if reply := b.post(testChannel, `{"receiver": {}}`); reply.Status != 422 || !strings.Contains(reply.Body, `"code":"InvalidPayload"`) {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
}

// TestSenderOfNoNumber: a SIM that does not say its number goes by its name alone, one of many by nothing.
func TestSenderOfNoNumber(t *testing.T) {
	d := &Dialect{}
	for _, test := range []struct {
		ch     channel
		wanted string
		says   string
	}{
		{channel{SIM: 1, Name: "Shop"}, "+491510000001", "modems[].number"},
		{channel{SIM: 1, Name: "Shop"}, "Shop", ""},
		{channel{SIM: 1, Name: "Shop", Phone: "+491510000001"}, "0049 151 0000001", ""},
		{channel{SIM: 1, Name: "Shop", Phone: "+491510000001"}, "491510000001", ""},
		{channel{Name: "any SIM"}, "any SIM", "any SIM"},
	} {
		s := decoded[*senderWish](t, fmt.Sprintf(`{"connector":{"identifierValue":%q}}`, test.wanted))
		err := d.checkSender(s, test.ch)
		if (err != nil) != (test.says != "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v, %s: %v, want %q", test.ch, test.wanted, err, test.says)
		}
	}
}
