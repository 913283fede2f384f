package twilio_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/twilio"
	"dongled/httpapi/links"
	"dongled/modem"
	"dongled/scheduler/queue"
)

// TestAccepted holds an answer, but for its dates and its SID, to the example of the vendor's documentation.
func TestAccepted(t *testing.T) {
	h := start(t)
	h.SIMs[0].Hold()
	got := h.post(list, form("Body", "McAvoy or Stewart? These timelines can get so confusing."))
	if got.Status != 201 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	var m map[string]any
	if err := json.Unmarshal([]byte(got.Body), &m); err != nil {
		t.Fatal(err)
	}
	sid, _ := m["sid"].(string)
	for key, want := range map[string]any{
		"account_sid": account, "api_version": "2010-04-01", "body": "McAvoy or Stewart? These timelines can get so confusing.",
		"direction": "outbound-api", "error_code": nil, "error_message": nil, "from": "+491510000001", "messaging_service_sid": nil,
		"num_media": "0", "num_segments": "1", "price": nil, "price_unit": nil, "status": "queued", "to": number, "date_sent": nil,
		"uri": messages + "/" + sid + ".json",
	} {
		if value, there := m[key]; !there || value != want {
			t.Errorf("%s is %v, want %v", key, value, want)
		}
	}
	if media := m["subresource_uris"].(map[string]any)["media"]; media != messages+"/"+sid+"/Media.json" {
		t.Errorf("media at %v", media)
	}
	at, err := time.Parse("Mon, 02 Jan 2006 15:04:05 +0000", m["date_created"].(string))
	if err != nil || time.Since(at) > time.Minute || m["date_created"] != m["date_updated"] {
		t.Errorf("created %v, updated %v: %v", m["date_created"], m["date_updated"], err)
	}
	if kept := h.Message(sid); kept.Origin != "twilio" || !kept.Report || kept.SIM != 1 {
		t.Errorf("%+v", kept)
	}
}

func TestSend(t *testing.T) {
	h := start(t)
	for _, s := range h.SIMs {
		s.Hold()
	}
	until := func(m queue.Message, want time.Duration) bool {
		off := time.Until(m.ValidUntil) - want
		return off > -time.Minute && off <= 0
	}
	for what, tt := range map[string]struct {
		change []string
		want   string // from, service, status, segments
		check  func(queue.Message) bool
	}{
		"by a number":        {[]string{"From", "+491510000002"}, "+491510000002 <nil> queued 1", func(m queue.Message) bool { return m.SIM == 2 && until(m, 10*time.Hour) }},
		"by a name":          {[]string{"From", "two"}, "+491510000002 <nil> queued 1", func(m queue.Message) bool { return m.SIM == 2 }},
		"by a service":       {[]string{"From", "", "MessagingServiceSid", service}, "<nil> " + service + " accepted 1", func(m queue.Message) bool { return m.SIM == 0 }},
		"a service as From":  {[]string{"From", service}, "<nil> " + service + " accepted 1", func(m queue.Message) bool { return m.SIM == 0 }},
		"both":               {[]string{"From", "one", "MessagingServiceSid", service}, "+491510000001 " + service + " queued 1", func(m queue.Message) bool { return m.SIM == 1 }},
		"long":               {[]string{"Body", strings.Repeat("x", 161)}, "+491510000001 <nil> queued 2", nil},
		"1600 characters":    {[]string{"Body", strings.Repeat("ü", 1600)}, "+491510000001 <nil> queued 11", nil},
		"validity":           {[]string{"ValidityPeriod", "60"}, "+491510000001 <nil> queued 1", func(m queue.Message) bool { return until(m, time.Minute) }},
		"without effect":     {[]string{"SmartEncoded", "true", "Attempt", "2", "ContentRetention", "retain", "Foo", "bar"}, "+491510000001 <nil> queued 1", nil},
		"links as they are":  {[]string{"Body", "https://example.org/a/very/long/path", "ShortenUrls", "false"}, "+491510000001 <nil> queued 1", nil},
		"national":           {[]string{"To", "015112345678"}, "+491510000001 <nil> queued 1", nil},
		"no callback wanted": {[]string{"StatusCallback", ""}, "+491510000001 <nil> queued 1", nil},
	} {
		a := h.send(tt.change...)
		m := h.Message(a.SID)
		got := strings.Join([]string{text(a.From), text(a.Service), a.Status, a.NumSegments}, " ")
		if got != tt.want || a.To != number || a.Body != form(tt.change...).Get("Body") || tt.check != nil && !tt.check(m) {
			t.Errorf("%s: %s, want %s: %+v", what, got, tt.want, m)
		}
	}
}

func TestSchedule(t *testing.T) {
	h := start(t)
	at := time.Now().Add(301 * time.Second).UTC().Truncate(time.Second)
	a := h.send("From", "", "MessagingServiceSid", service, "ScheduleType", "fixed", "SendAt", at.Format(time.RFC3339), "ValidityPeriod", "10")
	if m := h.Message(a.SID); a.Status != "scheduled" || !m.ScheduleAt.Equal(at) || !m.ValidUntil.Equal(at.Add(10*time.Second)) {
		t.Errorf("%s: %+v", a.Status, m)
	}
}

func TestJSON(t *testing.T) {
	h := start(t)
	body := `{"To":"` + number + `","From":"1","Body":"Grüße","ValidityPeriod":60,"ShortenUrls":false,"StatusCallback":null}`
	a := decoded[answer](h, 201, h.Do("POST", list, body, append(h.header, "Content-Type", "application/json; charset=utf-8")...))
	if m := h.Message(a.SID); m.Content.Text != "Grüße" || m.SIM != 1 {
		t.Errorf("%+v", m)
	}
}

// TestAuthentik: the generic provider sends these three, with either kind of credentials, and takes 400 and
// above for failure.
func TestAuthentik(t *testing.T) {
	h := start(t, func(o *compattest.Options) { o.Server.MaxBody = 4096 })
	const good = `{"From":"two","To":"` + number + `","Body":"Your code is 123456"}`
	for _, header := range [][]string{h.header, basic(compattest.User, compattest.Password), {"Authorization", "Bearer " + compattest.Key}} {
		a := decoded[answer](h, 201, h.Do("POST", "/authentik/sms", good, append(header, "Content-Type", "application/json")...))
		if m := h.Message(a.SID); m.SIM != 2 || a.Body != "Your code is 123456" || !strings.HasPrefix(a.URI, messages+"/SM") {
			t.Errorf("%+v: %+v", a, m)
		}
	}
	send := func(body string, header ...string) compattest.Reply {
		return h.Do("POST", "/authentik/sms", body, append(header, "Content-Type", "application/json")...)
	}
	a := decoded[answer](h, 201, send(strings.Replace(good, "two", "", 1), h.header...))
	if m := h.Message(a.SID); m.SIM != 0 {
		t.Errorf("%+v", m)
	}
	h.refused(400, 21606, send(strings.Replace(good, "two", "ACME", 1), h.header...))
	h.refused(401, 20003, send(good))
	h.refused(403, 20003, send(good, "Authorization", "Bearer "+compattest.ReadKey))
	h.refused(429, 20429, send(good, basic(apiKey, compattest.WaitKey)...))
	h.refused(413, 413, send(`{"Body":"`+strings.Repeat("x", 5000)+`"}`, h.header...))

	free := startWith(t, twilio.Options{})
	a = decoded[answer](free, 201, free.Do("POST", "/authentik/sms", good, append(basic(compattest.User, compattest.Password), "Content-Type", "application/json")...))
	// The first half of SHA-256 of the gateway's identifier.
	if !strings.HasPrefix(a.URI, "/2010-04-01/Accounts/AC") || strings.HasPrefix(a.URI, messages) {
		t.Error(a.URI)
	}
}

func TestRefusals(t *testing.T) {
	h := start(t)
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	scheduled := func(at string) []string {
		return []string{"MessagingServiceSid", service, "ScheduleType", "fixed", "SendAt", at}
	}
	for what, tt := range map[string]struct {
		change []string
		code   int
		says   string
	}{
		"nobody":            {[]string{"To", ""}, 21604, "'To'"},
		"nobody's number":   {[]string{"To", "12"}, 21211, "'To'"},
		"another channel":   {[]string{"To", "whatsapp:+4915112345678"}, 21211, "'To'"},
		"no sender":         {[]string{"From", ""}, 21603, "MessagingServiceSid"},
		"a name":            {[]string{"From", "ACME"}, 21606, "SIM"},
		"a foreign number":  {[]string{"From", "+15005550006"}, 21606, "SIM"},
		"no service":        {[]string{"MessagingServiceSid", "MG1"}, 21701, "MG"},
		"no text":           {[]string{"Body", ""}, 21602, "body"},
		"a long text":       {[]string{"Body", strings.Repeat("ü", 1601)}, 21617, "1600"},
		"a picture":         {[]string{"MediaUrl", "https://example.org/a.png"}, 400, "MMS"},
		"as a picture":      {[]string{"SendAsMms", "true"}, 400, "MMS"},
		"a content":         {[]string{"ContentSid", "HX0123456789abcdef0123456789abcdef"}, 400, "ContentSid"},
		"discard":           {[]string{"ContentRetention", "discard"}, 400, "ContentRetention"},
		"obfuscate":         {[]string{"AddressRetention", "obfuscate"}, 400, "AddressRetention"},
		"callback":          {[]string{"StatusCallback", "ftp://example.org"}, 21609, "StatusCallback must be an http or https URL"},
		"validity 0":        {[]string{"ValidityPeriod", "0"}, 400, "1 to 36000"},
		"validity 36001":    {[]string{"ValidityPeriod", "36001"}, 400, "1 to 36000"},
		"validity in words": {[]string{"ValidityPeriod", "an hour"}, 400, "ValidityPeriod"},
		"shorten perhaps":   {[]string{"ShortenUrls", "perhaps"}, 400, "ShortenUrls"},
		"no time":           {[]string{"MessagingServiceSid", service, "ScheduleType", "fixed"}, 35111, "SendAt"},
		"no schedule":       {[]string{"SendAt", in(time.Hour)}, 400, "ScheduleType"},
		"optimised":         {[]string{"ScheduleType", "optimized"}, 400, "ScheduleType"},
		"too soon":          {scheduled(in(290 * time.Second)), 35115, "300 seconds"},
		"too late":          {scheduled(in(35*24*time.Hour + time.Minute)), 35115, "35 days"},
		"past":              {scheduled(in(-time.Hour)), 35115, "SendAt"},
		"tomorrow":          {scheduled("tomorrow"), 35115, "ISO 8601"},
		"not a service's":   {[]string{"ScheduleType", "fixed", "SendAt", in(time.Hour)}, 35118, "MessagingServiceSid"},
	} {
		p := h.refused(400, tt.code, h.post(list, form(tt.change...)))
		if !strings.Contains(p.Message, tt.says) || tt.code != 21211 && strings.Contains(p.Message, "12345678") {
			t.Errorf("%s: %s", what, p.Message)
		}
		if tt.code == 21606 && p.MoreInfo != "https://www.twilio.com/docs/errors/21606" {
			t.Error(p.MoreInfo)
		}
	}
	for what, tt := range map[string]struct{ media, body string }{
		"no form":            {"application/x-www-form-urlencoded", "To=%zz"},
		"no UTF-8":           {"application/x-www-form-urlencoded", "To=%2B4915112345678&From=1&Body=%FC"},
		"two texts":          {"application/x-www-form-urlencoded", "To=%2B4915112345678&From=1&Body=a&Body=b"},
		"no JSON":            {"application/json", "{"},
		"JSON of Latin-1":    {"application/json", "{\"To\":\"+4915112345678\",\"From\":\"1\",\"Body\":\"Gr\xfc\xdfe\"}"},
		"null":               {"application/json", "null"},
		"two objects":        {"application/json", `{} {}`},
		"an object in it":    {"application/json", `{"To":{}}`},
		"an object in lists": {"application/json", `{"To":[{}]}`},
		"multipart":          {"multipart/form-data; boundary=x", "--x--"},
	} {
		got := h.Do("POST", list, tt.body, append(h.header, "Content-Type", tt.media)...)
		if p := h.refused(400, 400, got); p.Message == "" {
			t.Errorf("%s: %s", what, got.Body)
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func TestFull(t *testing.T) {
	h := start(t, func(o *compattest.Options) { o.Scheduler.Limits.MaxPending = 1 })
	for _, s := range h.SIMs {
		s.Edit(func(st *modem.Status) { st.State = modem.StateNotRegistered })
	}
	h.send()
	for _, path := range []string{list, "/authentik/sms"} {
		got := h.post(path, form())
		h.refused(503, 20503, got)
		if got.Header.Get("Retry-After") != "60" {
			t.Errorf("Retry-After %q", got.Header.Get("Retry-After"))
		}
	}
}

func TestShortLinks(t *testing.T) {
	const long = "https://example.org/a/very/long/path/to/something/that/nobody/would/type"
	h := start(t)
	a := h.send("Body", "See "+long+".", "ShortenUrls", "true")
	if !strings.HasPrefix(a.Body, "See "+compattest.LinkBase+"/r/") || !strings.HasSuffix(a.Body, ".") || h.Message(a.SID).Content.Text != a.Body {
		t.Error(a.Body)
	}
	off := start(t, func(o *compattest.Options) { o.Links = links.Options{} })
	p := off.refused(400, 400, off.post(list, form("Body", long, "ShortenUrls", "true")))
	if !strings.HasPrefix(p.Message, "ShortenUrls: ") || len(off.Messages()) != 0 {
		t.Errorf("%+v", p)
	}
}
