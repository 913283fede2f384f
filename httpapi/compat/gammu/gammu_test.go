package gammu_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/gammu"
	"dongled/modem"
	"dongled/scheduler"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
)

func TestMain(m *testing.M) { compattest.Main(m, "openapi.yaml") }

func start(t *testing.T, edits ...func(*compattest.Options)) *compattest.House {
	t.Helper()
	return compattest.Start(t, func(b compat.Base) compat.Dialect { return gammu.New(b) }, edits...)
}

// basic are the right credentials, and a content type.
func basic(contentType string) []string {
	return []string{"Authorization", "Basic c21zOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==", "Content-Type", contentType}
}

const asJSON, asForm = "application/json", "application/x-www-form-urlencoded"

func TestSend(t *testing.T) {
	h := start(t)
	form := url.Values{"text": {"Grüße & more"}, "number": {"+4915112345678,+4915112345679"}}.Encode()
	for _, tt := range []struct {
		what, path, body, kind string
		want                   string
		text                   string
		to                     []string
	}{
		// As the README of the original and Home Assistant's notify have them.
		{"the original's curl", "/sms", `{"text":"Hello, how are you?", "number":"+4915112345678"}`, asJSON, "[1]", "Hello, how are you?", []string{"+4915112345678"}},
		{"a form, two numbers", "/sms", form, asForm, "[2, 3]", "Grüße & more", []string{"+4915112345678", "+4915112345679"}},
		{"a query", "/sms?" + form, "", "", "[4, 5]", "Grüße & more", []string{"+4915112345678", "+4915112345679"}},
		{"unicode and smsc", "/sms", `{"text":"Привет","number":"+4915112345678","unicode":true,"smsc":"+491710760000"}`, asJSON, "[6]", "Привет", []string{"+4915112345678"}},
		{"a number without quotes", "/sms", `{"text":"Hi","number":4915112345678}`, asJSON, "[7]", "Hi", []string{"+4915112345678"}},
		{"a national number", "/sms", `{"text":"Hi","number":"0151 12345678"}`, asJSON, "[8]", "Hi", []string{"+4915112345678"}},
	} {
		got := h.Do("POST", tt.path, tt.body, basic(tt.kind)...)
		if want := `{"status":200,"message":"` + tt.want + `"}`; got.Status != 200 || got.Body != want {
			t.Errorf("%s: %d %s, want %s", tt.what, got.Status, got.Body, want)
			continue
		}
		m := h.Messages()[0]
		var to []string
		for _, r := range m.Recipients {
			to = append(to, r.Number)
		}
		if m.Content.Text != tt.text || !slices.Equal(to, tt.to) || m.Origin != "gammu" || !m.Report {
			t.Errorf("%s: %+v", tt.what, m)
		}
		h.Await(m.ID, queue.Sent)
	}
}

func TestRefusals(t *testing.T) {
	h := start(t)
	const missing = `{"message":"Parameters 'text' and 'number' are required."}`
	for _, tt := range []struct {
		what, method, path, body, kind string
		status                         int
		want                           string
	}{
		{"no text", "POST", "/sms", `{"number":"+4915112345678"}`, asJSON, 404, missing},
		{"no number", "POST", "/sms", `{"text":"Hi"}`, asJSON, 404, missing},
		{"commas for a number", "POST", "/sms", `{"text":"Hi","number":" , "}`, asJSON, 404, missing},
		{"nothing", "POST", "/sms", "", "", 404, missing},
		{"no JSON", "POST", "/sms", `{"text":`, asJSON, 400, `{"message":"body: must be a JSON object with the strings text and number"}`},
		{"Latin-1", "POST", "/sms", "{\"text\":\"Gr\xfc\xdfe\",\"number\":\"+4915112345678\"}", asJSON, 400, `{"message":"body: must be UTF-8"}`},
		{"two objects", "POST", "/sms", `{"text":"Hi","number":"+4915112345678"}{}`, asJSON, 400, `{"message":"body: must be a JSON object with the strings text and number"}`},
		{"a list", "POST", "/sms", `{"text":"Hi","number":["+4915112345678"]}`, asJSON, 400, `{"message":"number: must be a string"}`},
		{"twice the same", "POST", "/sms", `{"text":"Hi","number":"+4915112345678,015112345678"}`, asJSON, 400,
			`{"message":"number: phone numbers must be unique: the same as phoneNumbers[0]"}`},
		{"too long", "POST", "/sms", `{"text":"` + strings.Repeat("x", 60000) + `","number":"+4915112345678"}`, asJSON, 400, `{"message":"text: needs more than 255 parts"}`},
		{"no such message", "GET", "/sms/0", "", "", 404, `{"message":"Sms with id '0' not found"}`},
		{"no number of a message", "GET", "/sms/x", "", "", 404, `{"message":"Sms with id 'x' not found"}`},
		{"nothing to delete", "DELETE", "/sms/-1", "", "", 404, `{"message":"Sms with id '-1' not found"}`},
		{"reset", "GET", "/reset", "", "", 501, `{"message":"not supported: dongles that hang are reset by the gateway itself"}`},
	} {
		if got := h.Do(tt.method, tt.path, tt.body, basic(tt.kind)...); got.Status != tt.status || got.Body != tt.want {
			t.Errorf("%s: %d %s, want %d %s", tt.what, got.Status, got.Body, tt.status, tt.want)
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages were made", n)
	}
}

// Nothing is open, not even what is in the original.
func TestStrangers(t *testing.T) {
	h := start(t)
	for _, op := range []string{"POST /sms", "GET /sms", "GET /sms/0", "DELETE /sms/0", "GET /getsms", "GET /signal", "GET /network", "GET /reset"} {
		method, path, _ := strings.Cut(op, " ")
		got := h.Do(method, path, "")
		if got.Status != 401 || got.Body != `{"message":"missing or wrong credentials"}` || got.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", op, got.Status, got.Body)
		}
		if got := h.Do(method, path, "", "Authorization", "Bearer "+compattest.ReadKey); got.Status != 403 {
			t.Errorf("%s without the scope: %d %s", op, got.Status, got.Body)
		}
		if got := h.Do(method, path, "", "Authorization", "Bearer "+compattest.WaitKey); got.Status != 429 || got.Header.Get("Retry-After") != "7" {
			t.Errorf("%s too often: %d %s", op, got.Status, got.Body)
		}
	}
}

func TestFullQueue(t *testing.T) {
	h := start(t, func(o *compattest.Options) { o.Scheduler.Limits.MaxPending, o.Server.MaxBody = 1, 5000 })
	for _, s := range h.SIMs {
		s.Edit(func(st *modem.Status) { st.State = modem.StateNotRegistered })
	}
	const hi = `{"text":"Hi","number":"+4915112345678"}`
	if got := h.Do("POST", "/sms", hi, basic(asJSON)...); got.Status != 200 {
		t.Fatalf("%d %s", got.Status, got.Body)
	}
	got := h.Do("POST", "/sms", hi, basic(asJSON)...)
	if got.Status != 503 || got.Header.Get("Retry-After") != "60" || !strings.Contains(got.Body, "too many pending messages: 1 / 1") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := h.Do("POST", "/sms", strings.Repeat("x", 6000), basic(asJSON)...); got.Status != 413 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

func TestInbox(t *testing.T) {
	h := start(t, func(o *compattest.Options) { o.Scheduler = scheduler.Options{} })
	const none = `{"Date":"","Number":"","State":"","Text":""}`
	if got := h.Do("GET", "/getsms", "", basic("")...); got.Body != none {
		t.Errorf("an empty list: %s", got.Body)
	}
	for _, text := range []string{"one", "two", "three", "four"} {
		h.Hear(1, "+4915112345678", text)
	}
	list := func() (texts []string) {
		got := h.Do("GET", "/sms", "", basic("")...)
		var all []struct{ Date, Number, State, Text string }
		if err := json.Unmarshal([]byte(got.Body), &all); err != nil || got.Status != 200 {
			t.Fatalf("%d %s: %v", got.Status, got.Body, err)
		}
		for _, m := range all {
			if m.Number != "+4915112345678" || m.State != "UnRead" || len(m.Date) != len("2021-02-17 15:20:20") {
				t.Errorf("%+v", m)
			}
			texts = append(texts, m.Text)
		}
		return texts
	}
	if got := list(); !slices.Equal(got, []string{"one", "two", "three", "four"}) {
		t.Errorf("%q", got)
	}
	if got := h.Do("GET", "/sms/2", "", basic("")...); !strings.Contains(got.Body, `"Text":"three"`) {
		t.Errorf("%s", got.Body)
	}
	if got := h.Do("DELETE", "/sms/1", "", basic("")...); got.Status != 204 || got.Body != "" {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := list(); !slices.Equal(got, []string{"one", "three", "four"}) {
		t.Errorf("%q", got)
	}
	if got := h.Do("HEAD", "/getsms", "", basic("")...); got.Status < 400 {
		t.Errorf("HEAD: %d", got.Status)
	}
	if got := h.Do("GET", "/getsms", "", basic("")...); !strings.Contains(got.Body, `"Text":"one"`) {
		t.Errorf("%s", got.Body)
	}
	if got := list(); !slices.Equal(got, []string{"three", "four"}) {
		t.Errorf("%q", got)
	}
}

func TestRadio(t *testing.T) {
	h := start(t)
	if got := h.Do("GET", "/signal", "", basic("")...); got.Body != `{"SignalStrength":-1,"SignalPercent":0,"BitErrorRate":-1}` {
		t.Errorf("%s", got.Body)
	}
	h.SIMs[0].Edit(func(st *modem.Status) { st.SignalDBM = -83 })
	if got := h.Do("GET", "/signal", "", basic("")...); got.Body != `{"SignalStrength":-83,"SignalPercent":48,"BitErrorRate":-1}` {
		t.Errorf("%s", got.Body)
	}
	got := h.Do("GET", "/network", "", basic("")...)
	const want = `{"NetworkName":"Test Net","State":"HomeNetwork","PacketState":"Unknown","NetworkCode":"","CID":"","PacketCID":"","GPRS":"","PacketLAC":"","LAC":""}`
	if got.Body != want {
		t.Errorf("%s", got.Body)
	}
	h.SIMs[0].Edit(func(st *modem.Status) { st.State = modem.StateNotRegistered })
	h.SIMs[1].Edit(func(st *modem.Status) { st.Registration, st.Operator = 5, "Other Net" })
	if got := h.Do("GET", "/network", "", basic("")...); !strings.Contains(got.Body, `"NetworkName":"Other Net","State":"RoamingNetwork"`) {
		t.Errorf("%s", got.Body)
	}
}

// Home Assistant's rest notification posts what it is set to, with a number of its target as a string.
func TestHomeAssistant(t *testing.T) {
	h := start(t)
	got := h.Do("POST", "/sms", `{"text": "The washing is done", "title": "Home Assistant", "number": "+4915112345678"}`, basic(asJSON)...)
	if m := h.Messages(); got.Status != 200 || len(m) != 1 || m[0].Content.Text != "The washing is done" {
		t.Errorf("%d %s: %+v", got.Status, got.Body, m)
	}
}

// What one client deleted stays deleted for all, and what comes in later is at the end of the list.
func TestDeletedStaysDeleted(t *testing.T) {
	h := start(t)
	texts := func() (all []string) {
		var views []struct{ Text string }
		if err := json.Unmarshal([]byte(h.Do("GET", "/sms", "", basic("")...).Body), &views); err != nil {
			t.Fatal(err)
		}
		for _, v := range views {
			all = append(all, v.Text)
		}
		return all
	}
	for n := range 20 { // more than the notes that one request looks at
		h.Hear(1, "+4915112345678", fmt.Sprint("old ", n))
		if got := h.Do("GET", "/getsms", "", basic("")...); !strings.Contains(got.Body, fmt.Sprint("old ", n)) {
			t.Fatalf("%d: %s", n, got.Body)
		}
	}
	h.Hear(2, "+4915112345679", "new")
	if got := texts(); !slices.Equal(got, []string{"new"}) {
		t.Errorf("%q", got)
	}
	page, total, err := h.Scheduler.Inbox().List(t.Context(), inbox.Filter{Limit: 100})
	if err != nil || total != 21 || len(page) != 21 {
		t.Errorf("the inbox itself has %d, %v", total, err)
	}
}

// Two clients at once get numbers of their own.
func TestReferencesAtOnce(t *testing.T) {
	h := start(t)
	answers := make(chan string, 8)
	for range cap(answers) {
		go func() {
			answers <- h.Do("POST", "/sms", `{"text":"Hi","number":"+4915112345678,+4915112345679"}`, basic(asJSON)...).Body
		}()
	}
	var got []string
	for range cap(answers) {
		got = append(got, <-answers)
	}
	slices.Sort(got)
	var want []string
	for n := 1; n < 2*cap(answers); n += 2 {
		want = append(want, fmt.Sprintf(`{"status":200,"message":"[%d, %d]"}`, n, n+1))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// +CREG has six answers (TS 27.007 section 7.2), and a level is a percentage between the ends of +CSQ.
func TestRadioTables(t *testing.T) {
	h := start(t)
	for registration, want := range map[int]string{
		0: "NoNetwork", 1: "HomeNetwork", 2: "RequestingNetwork", 3: "RegistrationDenied", 4: "Unknown", 5: "RoamingNetwork", 9: "NoNetwork",
	} {
		h.SIMs[0].Edit(func(st *modem.Status) { st.Registration = registration })
		if got := h.Do("GET", "/network", "", basic("")...); !strings.Contains(got.Body, `"State":"`+want+`"`) {
			t.Errorf("%d: %s", registration, got.Body)
		}
	}
	for dbm, want := range map[int]string{-113: "0", -120: "0", -82: "50", -51: "100", -40: "100"} {
		h.SIMs[0].Edit(func(st *modem.Status) { st.SignalDBM = dbm })
		if got := h.Do("GET", "/signal", "", basic("")...); !strings.Contains(got.Body, `"SignalPercent":`+want+`,`) {
			t.Errorf("%d dBm: %s", dbm, got.Body)
		}
	}
}

// A store that does not answer is the gateway's fault, and nothing is taken out of the list.
func TestClosedStore(t *testing.T) {
	h := start(t)
	h.Hear(1, "+4915112345678", "one")
	if err := h.Scheduler.Close(); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"GET /sms", "GET /sms/0", "DELETE /sms/0", "GET /getsms"} {
		method, path, _ := strings.Cut(op, " ")
		if got := h.Do(method, path, "", basic("")...); got.Status != 503 || got.Header.Get("Retry-After") != "5" {
			t.Errorf("%s: %d %s", op, got.Status, got.Body)
		}
	}
}
