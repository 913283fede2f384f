package kannel_test

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/kannel"
	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler/queue"
)

func TestMain(m *testing.M) { compattest.Main(m, "openapi.yaml") }

func start(t *testing.T, edits ...func(*compattest.Options)) *compattest.House {
	t.Helper()
	return compattest.Start(t, func(b compat.Base) compat.Dialect { return kannel.New(b) }, edits...)
}

const (
	login = "/cgi-bin/sendsms?username=sms&password=correct+horse+battery"
	to    = "&to=%2B4915112345678"
	done  = "0: Accepted for delivery"
)

func TestSend(t *testing.T) {
	h := start(t)
	for what, tt := range map[string]struct {
		query, answer string
		text          string
		to            []string
		check         func(queue.Message) bool
	}{
		"plain":               {to + "&text=Hello+World", done, "Hello World", []string{"+4915112345678"}, nil},
		"a name as smsc":      {to + "&text=Hi&smsc=+491510000002", done, "Hi", []string{"+4915112345678"}, func(m queue.Message) bool { return m.SIM == 2 }},
		"a + not escaped":     {"&to=+4915112345678&text=Hi", done, "Hi", []string{"+4915112345678"}, nil},
		"several":             {"&to=%2B4915112345678+004915112345679+4915112345670&text=Hi", done, "Hi", []string{"+4915112345678", "+4915112345679", "+4915112345670"}, nil},
		"national":            {"&to=015112345678&text=Hi", done, "Hi", []string{"+4915112345678"}, nil},
		"UTF-8":               {to + "&text=Gr%C3%BC%C3%9Fe", done, "Grüße", []string{"+4915112345678"}, nil},
		"Latin-1":             {to + "&text=Gr%FC%DFe&charset=ISO-8859-1", done, "Grüße", []string{"+4915112345678"}, nil},
		"Windows-1251":        {to + "&text=%CF%F0%E8%E2%E5%F2&charset=windows-1251", done, "Привет", []string{"+4915112345678"}, nil},
		"UCS-2":               {to + "&text=%04%1F%04%40%04%38&coding=2", done, "При", []string{"+4915112345678"}, nil},
		"UTF-8 with coding 2": {to + "&text=%D0%9F&coding=2&charset=UTF-8", done, "П", []string{"+4915112345678"}, nil},
		"flash":               {to + "&text=Hi&mclass=0", done, "Hi", []string{"+4915112345678"}, func(m queue.Message) bool { return m.Content.Flash }},
		"flash as it was":     {to + "&text=Hi&flash=1", done, "Hi", []string{"+4915112345678"}, func(m queue.Message) bool { return m.Content.Flash }},
		"a SIM by its name":   {to + "&text=Hi&smsc=two", done, "Hi", []string{"+4915112345678"}, func(m queue.Message) bool { return m.SIM == 2 }},
		"a SIM by its number": {to + "&text=Hi&from=491510000002", done, "Hi", []string{"+4915112345678"}, func(m queue.Message) bool { return m.SIM == 2 }},
		"somebody's name":     {to + "&text=Hi&from=ACME", done, "Hi", []string{"+4915112345678"}, func(m queue.Message) bool { return m.SIM == 0 && !m.Report }},
		"priority":            {to + "&text=Hi&priority=3", done, "Hi", []string{"+4915112345678"}, func(m queue.Message) bool { return m.Priority == 3 }},
		"unknown parameters":  {to + "&text=Hi&charset=&foo=bar&mwi=&pid=0&rpi=0", done, "Hi", []string{"+4915112345678"}, nil},
		"later": {to + "&text=Hi&deferred=60&validity=120", "3: Queued for later delivery", "Hi", []string{"+4915112345678"}, func(m queue.Message) bool {
			later, until := time.Until(m.ScheduleAt), time.Until(m.ValidUntil)
			return later > 59*time.Minute && later <= time.Hour && until > 119*time.Minute && until <= 2*time.Hour
		}},
	} {
		got := h.Do("GET", login+tt.query, "")
		if got.Status != 202 || got.Body != tt.answer || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
			continue
		}
		m := h.Messages()[0]
		var numbers []string
		for _, r := range m.Recipients {
			numbers = append(numbers, r.Number)
		}
		if m.Content.Text != tt.text || !slices.Equal(numbers, tt.to) || m.Origin != "kannel" || tt.check != nil && !tt.check(m) {
			t.Errorf("%s: %+v", what, m)
		}
	}
}

// TestSachet: the request of sachet, which brings Alertmanager's alerts to Kannel: the old names of the
// credentials, always a from, and the Content-Type of a form on a GET. It takes any status below 400.
func TestSachet(t *testing.T) {
	h := start(t)
	got := h.Do("GET", "/cgi-bin/sendsms?from=prometheus&pass=correct+horse+battery&text=%5BFIRING%3A1%5D+DiskFull%0Aweb-1&to=4915112345678&user=sms", "",
		"Content-Type", "application/x-www-form-urlencoded", "User-Agent", "SachetV1.0")
	if got.Status != 202 || got.Body != done {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if m := h.Messages()[0]; m.Content.Text != "[FIRING:1] DiskFull\nweb-1" || m.Recipients[0].Number != "+4915112345678" || m.SIM != 0 {
		t.Errorf("%+v", m)
	}
	if got := h.Do("GET", "/cgi-bin/sendsms?from=prometheus&pass=wrong&text=Hi&to=4915112345678&user=sms", ""); got.Status != 403 || got.Body != "Authorization failed for sendsms" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// The user data header of a WAP push, as Kannel's documentation has such, is application port addressing.
func TestData(t *testing.T) {
	h := start(t)
	for udh, port := range map[string]uint16{"%06%05%04%0B%84%23%F0": 2948, "%04%04%02%F5%00": 245} {
		got := h.Do("GET", login+to+"&coding=1&udh="+udh+"&text=%01%06%00%FF", "")
		m := h.Messages()[0]
		if got.Status != 202 || string(m.Content.Data) != "\x01\x06\x00\xff" || m.Content.Port != port {
			t.Errorf("%d %s: %+v", got.Status, got.Body, m.Content)
		}
		h.Await(m.ID, queue.Sent)
	}
	sent := h.Sent()
	if p := sent[0].Ports; p == nil || sent[0].Alphabet != pdu.Octets {
		t.Errorf("%+v", sent[0])
	}
}

func TestPost(t *testing.T) {
	h := start(t)
	form := url.Values{"to": {"+4915112345678"}, "text": {"Grüße & mehr"}, "smsc": {"two"}}.Encode()
	if got := h.Do("POST", login, form, "Content-Type", "application/x-www-form-urlencoded"); got.Status != 202 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if m := h.Messages()[0]; m.Content.Text != "Grüße & mehr" || m.SIM != 2 {
		t.Errorf("%+v", m)
	}
	got := h.Do("POST", "/cgi-bin/sendsms", "in the body", "Content-Type", "text/plain", "X-Kannel-Username", "sms",
		"X-Kannel-Password", "correct horse battery", "X-Kannel-To", "+4915112345678", "X-Kannel-SMSC", "one")
	if m := h.Messages()[0]; got.Status != 202 || m.Content.Text != "in the body" || m.SIM != 1 {
		t.Errorf("%d %s: %+v", got.Status, got.Body, m)
	}
	if got := h.Do("POST", "/cgi-bin/sendsms", form+"&username=sms&password=correct+horse+battery", "Content-Type", "application/x-www-form-urlencoded"); got.Status != 403 {
		t.Errorf("a password in the form: %d %s", got.Status, got.Body)
	}
	if got := h.Do("POST", login, "", "Content-Type", "application/x-www-form-urlencoded"); got.Status != 400 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if n := len(h.Messages()); n != 2 {
		t.Errorf("%d messages", n)
	}
}

func TestRefusals(t *testing.T) {
	h := start(t)
	for what, tt := range map[string]struct{ query, want string }{
		"nobody":               {"&text=Hi", "Empty receiver number not allowed, rejected"},
		"no text":              {to, "text: the message is empty, rejected"},
		"no number":            {"&to=12&text=Hi", ""},
		"no SIM":               {to + "&text=Hi&smsc=three", "smsc: there is no SIM of this name, number or simNumber, rejected"},
		"no coding":            {to + "&text=Hi&coding=3", "coding: must be a number from 0 to 2, rejected"},
		"no charset":           {to + "&text=Hi&charset=klingon", "charset: is not known, rejected"},
		"Latin-1 by mistake":   {to + "&text=Gr%FC%DFe", "text: is no UTF-8; say so with charset, rejected"},
		"half a character":     {to + "&text=%04&coding=2", "text: is no UTF-16BE, rejected"},
		"data without a port":  {to + "&text=Hi&coding=1", "udh: must be application port addressing, such as %06%05%04%0B%84%23%F0: data are sent to a port, rejected"},
		"another header":       {to + "&text=Hi&coding=1&udh=%05%00%03%01%02%01", "udh: must be application port addressing, such as %06%05%04%0B%84%23%F0: data are sent to a port, rejected"},
		"a text with a header": {to + "&text=Hi&udh=%06%05%04%0B%84%23%F0", "udh: is supported with coding=1 and application port addressing only, rejected"},
		"class 2":              {to + "&text=Hi&mclass=2", "mclass: must be 0, for a message that is shown at once; other classes are not supported, rejected"},
		"waiting indication":   {to + "&text=Hi&mwi=1", "mwi: is not supported by this gateway, rejected"},
		"protocol":             {to + "&text=Hi&pid=65", "pid: is not supported by this gateway, rejected"},
		"reply path":           {to + "&text=Hi&rpi=1", "rpi: is not supported by this gateway, rejected"},
		"priority":             {to + "&text=Hi&priority=4", "priority: must be a number from 0 to 3, rejected"},
		"empty data":           {to + "&coding=1&udh=%06%05%04%0B%84%23%F0", "text: Empty data not allowed, rejected"},
		"validity":             {to + "&text=Hi&validity=x", "validity: must be a number from 0 to 525600, rejected"},
		"gone before it is":    {to + "&text=Hi&validity=5&deferred=10", "validity: must be longer than deferred, rejected"},
		"mask":                 {to + "&text=Hi&dlr-mask=64", "dlr-mask: must be a number from 0 to 63, rejected"},
		"URL":                  {to + "&text=Hi&dlr-mask=1&dlr-url=ftp://x", "dlr-url: must be an http or https URL, rejected"},
		"another host":         {to + "&text=x.evil&dlr-mask=1&dlr-url=" + url.QueryEscape("http://127.0.0.1:9%a/"), "dlr-url: must not have escapes in its host, rejected"},
		"a number as a host":   {to + "&text=Hi&dlr-mask=1&dlr-url=" + url.QueryEscape("http://%P.example/"), "dlr-url: must not have escapes in its host, rejected"},
		"another scheme":       {to + "&text=s&dlr-mask=1&dlr-url=" + url.QueryEscape("http%a://x/"), "dlr-url: must be an http or https URL, rejected"},
		"a long name":          {to + "&text=Hi&from=" + strings.Repeat("x", 256), "from: must have at most 255 octets, rejected"},
		"a long account":       {to + "&text=Hi&account=" + strings.Repeat("x", 256), "account: must have at most 255 octets, rejected"},
		"long billing":         {to + "&text=Hi&binfo=" + strings.Repeat("x", 256), "binfo: must have at most 255 octets, rejected"},
	} {
		got := h.Do("GET", login+tt.query, "")
		if got.Status != 400 || tt.want != "" && got.Body != tt.want {
			t.Errorf("%s: %d %s, want %s", what, got.Status, got.Body, tt.want)
		}
	}
	for _, credentials := range []string{"", "?username=sms", "?username=sms&password=wrong", "?user=sms&pass=", "?password=correct+horse+battery"} {
		for _, method := range []string{"GET", "POST"} {
			if got := h.Do(method, "/cgi-bin/sendsms"+credentials, ""); got.Status != 403 && got.Status != 429 {
				t.Errorf("%s: %d %s", credentials, got.Status, got.Body)
			}
		}
	}
	if got := h.Do("GET", "/cgi-bin/sendsms?user=nobody&pass=wrong", ""); got.Status != 429 || got.Body != "Too many wrong passwords, try again later." {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages were made", n)
	}
}

func TestFullQueueAndLargeBody(t *testing.T) {
	h := start(t, func(o *compattest.Options) {
		o.Scheduler.Limits.MaxPending = 1
		o.Server = httpapi.Options{MaxBody: 5000}
	})
	for _, s := range h.SIMs {
		s.Edit(func(st *modem.Status) { st.State = modem.StateNotRegistered })
	}
	h.Do("GET", login+to+"&text=Hi", "")
	for _, method := range []string{"GET", "POST"} {
		got := h.Do(method, login+to+"&text=Hi", "")
		if got.Status != 503 || got.Body != "Temporal failure, try again later." || got.Header.Get("Retry-After") != "60" {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if got := h.Do("POST", login+to, strings.Repeat("x", 6000), "Content-Type", "text/plain"); got.Status != 413 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// Who checks a link must not send a message.
func TestHeadSendsNothing(t *testing.T) {
	h := start(t)
	if got := h.Do("HEAD", login+to+"&text=Hi", ""); got.Status < 400 {
		t.Errorf("%d", got.Status)
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// Names that Kannel had before are taken as well.
func TestOldNames(t *testing.T) {
	h := start(t)
	got := h.Do("GET", "/cgi-bin/sendsms?user=sms&pass=correct+horse+battery"+to+"&text=Hi&dlrmask=8&dlrurl=http%3A%2F%2F127.0.0.1%3A9%2F%3Fd%3D%25d", "")
	if got.Status != 202 || got.Body != done {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	if c := h.Callbacks.Await(t, 1)[0]; c.URL != "http://127.0.0.1:9/?d=8" {
		t.Errorf("%s", c.URL)
	}
}

// What is cancelled by the gateway's own API was refused, for a client that asked for that.
func TestCancelled(t *testing.T) {
	h := start(t)
	h.Do("GET", login+to+"&text=Hi&deferred=60&dlr-mask=31&dlr-url=http%3A%2F%2F127.0.0.1%3A9%2F%3Fd%3D%25d", "")
	if _, err := h.Scheduler.Cancel(t.Context(), h.Messages()[0].ID); err != nil {
		t.Fatal(err)
	}
	if c := h.Callbacks.Await(t, 1)[0]; c.URL != "http://127.0.0.1:9/?d=16" {
		t.Errorf("%s", c.URL)
	}
}

// FuzzPort: a header is what addresses a port, or nothing is sent; TS 23.040 sections 9.2.3.24.3 and 4.
func FuzzPort(f *testing.F) {
	f.Add([]byte{6, 5, 4, 0x0b, 0x84, 0x23, 0xf0})
	f.Add([]byte{4, 4, 2, 0xf5, 0})
	f.Add([]byte{5, 0, 3, 1, 2, 1})
	f.Fuzz(func(t *testing.T, udh []byte) {
		port, err := kannel.Port(udh)
		if err != nil {
			return
		}
		again := []byte{6, 5, 4, byte(port >> 8), byte(port)}
		if len(udh) == 5 {
			again = []byte{4, 4, 2, byte(port)}
		}
		if !bytes.HasPrefix(udh, again) || int(udh[0]) != len(udh)-1 {
			t.Errorf("% x is port %d", udh, port)
		}
	})
}
