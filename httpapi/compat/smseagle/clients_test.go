package smseagle_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/pdu"
	"dongled/scheduler/queue"
)

// TestClients has the requests as the programs build them.
func TestClients(t *testing.T) {
	const key = compattest.Key
	h := start(t)
	for _, tt := range []struct {
		what, method, path, body string
		header                   []string
		want, text               string
		to                       []string
		priority                 int8
	}{
		{
			"the vendor's example", "GET", "/http_api/send_sms?" + token + "&to=4915112345678&message=mymessage", "", nil,
			"OK; ID=1", "mymessage", []string{one}, 0,
		},
		{
			"the vendor's example of contacts", "GET",
			"/index.php/http_api/send_tocontact?login=sms&pass=correct+horse+battery&contactname=johndoe&message=mymessage&highpriority=1", "", nil,
			"OK; ID=2", "mymessage", []string{one}, 90,
		},
		{
			// The script leaves out what is at its default, and announces a body of another kind.
			"Zabbix", "GET", "/http_api/send_sms?url=http%3A%2F%2F192.168.1.5%3A8080&recipient=4915112345678&message=%5BPROBLEM%5D%20Disk%20full%0AHost%3A%20web-1" +
				"&" + token + "&to=4915112345678", "", []string{"Content-Type", "multipart/form-data"},
			"OK; ID=3", "[PROBLEM] Disk full\nHost: web-1", []string{one}, 0,
		},
		{
			"Zabbix with on-call:g", "GET", "/http_api/send_togroup?url=http%3A%2F%2F192.168.1.5%3A8080&recipient=on-call%3Ag&message=Down&" +
				token + "&groupname=on-call", "", []string{"Content-Type", "multipart/form-data"},
			"OK; ID=4\nOK; ID=5", "Down", []string{one, two}, 0,
		},
		{
			"Zabbix with johndoe:c", "GET", "/http_api/send_tocontact?recipient=johndoe%3Ac&message=Down&highpriority=1&" +
				token + "&contactname=johndoe", "", []string{"Content-Type", "multipart/form-data"},
			"OK; ID=6", "Down", []string{one}, 90,
		},
		{
			"Zabbix by POST", "POST", "/http_api/send_sms?url=x&recipient=4915112345678&message=Down&" + token + "&to=4915112345678", "",
			[]string{"Content-Type", "multipart/form-data"}, "OK; ID=7", "Down", []string{one}, 0,
		},
		{
			"Uptime-Kuma v1", "GET", "/http_api/send_sms?" + token + "&to=4915112345678%2C4915112345679&unicode=0&highpriority=0&duration=undefined" +
				"&message=%5BWeb%5D+%5B%F0%9F%94%B4+Down%5D+timeout", "", []string{"Content-Type", asForm},
			"OK; ID=8\nOK; ID=9", "[Web] [🔴 Down] timeout", []string{one, two}, 0,
		},
		{
			"Uptime-Kuma v1 with a priority", "GET", "/http_api/send_togroup?" + token + "&groupname=on-call&unicode=1&highpriority=5&message=Up", "", nil,
			"OK; ID=10\nOK; ID=11", "Up", []string{one, two}, 90,
		},
		{
			"LibreNMS", "GET", "/index.php/http_api/send_sms?login=sms&pass=correct+horse+battery&to=%2B4915112345678&message=Alert+for+device+sw1", "", nil,
			"OK; ID=12", "Alert for device sw1", []string{one}, 0,
		},
		{
			"Uptime-Kuma v2", "POST", "/api/v2/messages/sms", `{"text":"[Web] Down","encoding":"standard","priority":0,"to":["4915112345678"," 4915112345679"]}`,
			[]string{"access-token", key, "Content-Type", asJSON},
			`[{"status":"queued","message":"OK","number":"+4915112345678","id":13},{"status":"queued","message":"OK","number":"+4915112345679","id":14}]`,
			"[Web] Down", []string{one, two}, 0,
		},
		{
			"Uptime-Kuma v2 with a group", "POST", "/api/v2/messages/sms", `{"text":"Down","encoding":"unicode","priority":9,"groups":[12]}`,
			[]string{"access-token", key, "Content-Type", asJSON},
			`[{"status":"queued","message":"OK","number":"+4915112345670","id":15}]`, "Down", []string{"+4915112345670"}, 90,
		},
		{
			"Apprise", "POST", "/jsonrpc/sms", `{"method": "sms.send_sms", "params": {"to": "+4915112345678", "access_token": "` + key + `", "message": "Down", ` +
				`"highpriority": 0, "unicode": 1, "message_type": "sms", "responsetype": "extended", "flash": 0, "test": 0}}`,
			[]string{"Content-Type", asJSON, "User-Agent", "Apprise"},
			`{"result":{"message_id":"16","status":"ok"}}`, "Down", []string{one}, 0,
		},
		{
			"Apprise, a batch", "POST", "/jsonrpc/sms", `{"method": "sms.send_sms", "params": {"to": "+4915112345678,+4915112345679", "access_token": "` + key +
				`", "message": "Down", "highpriority": 1, "unicode": 1, "message_type": "sms", "responsetype": "extended", "flash": 0, "test": 0}}`,
			[]string{"Content-Type", asJSON},
			`{"result":[{"message_id":"17","status":"ok"},{"message_id":"18","status":"ok"}]}`, "Down", []string{one, two}, 90,
		},
		{
			"Apprise, a group", "POST", "/jsonrpc/sms", `{"method": "sms.send_togroup", "params": {"groupname": "on-call", "access_token": "` + key +
				`", "message": "Down", "highpriority": 0, "unicode": 1, "message_type": "sms", "responsetype": "extended", "flash": 0, "test": 0}}`,
			[]string{"Content-Type", asJSON},
			`{"result":[{"message_id":"19","status":"ok"},{"message_id":"20","status":"ok"}]}`, "Down", []string{one, two}, 0,
		},
		{
			"Apprise, a contact", "POST", "/jsonrpc/sms", `{"method": "sms.send_tocontact", "params": {"contactname": "johndoe", "access_token": "` + key +
				`", "message": "Down", "highpriority": 0, "unicode": 1, "message_type": "sms", "responsetype": "extended", "flash": 0, "test": 0}}`,
			[]string{"Content-Type", asJSON}, `{"result":{"message_id":"21","status":"ok"}}`, "Down", []string{one}, 0,
		},
		{
			"JSON-RPC as the vendor has it", "POST", "/index.php/jsonrpc/sms",
			`{"method":"sms.send_sms","params":{"login":"sms","pass":"correct horse battery","to":"4915112345678","message":"mymessage"}}`,
			[]string{"Content-Type", asJSON}, `{"result":"OK; ID=[22]"}`, "mymessage", []string{one}, 0,
		},
	} {
		got := h.Do(tt.method, tt.path, tt.body, tt.header...)
		if got.Status != 200 || got.Body != tt.want {
			t.Errorf("%s: %d %s, want %s", tt.what, got.Status, got.Body, tt.want)
			continue
		}
		m, to := latest(t, h)
		if m.Content.Text != tt.text || !slices.Equal(to, tt.to) || m.Origin != "smseagle" || !m.Report || m.Priority != tt.priority {
			t.Errorf("%s: %+v", tt.what, m)
		}
		h.Await(m.ID, queue.Sent)
	}
}

// Uptime-Kuma looks for OK with indexOf, which only texts have.
func TestV1AnswersText(t *testing.T) {
	h := start(t)
	got := h.Do("GET", "/http_api/send_sms?"+token+"&to=4915112345678&message=Hi", "")
	if kind := got.Header.Get("Content-Type"); kind != "text/plain; charset=utf-8" {
		t.Errorf("%s", kind)
	}
	for _, path := range []string{
		"/http_api/send_sms?to=4915112345678&message=OK", "/http_api/send_sms?" + token + "&to=12&message=OK",
		"/http_api/send_sms?" + token + "&to=4915112345678", "/http_api/send_sms?" + readToken + "&to=4915112345678&message=OK",
		"/http_api/ring_call?" + token + "&to=4915112345678",
	} {
		if got := h.Do("GET", path, ""); got.Status < 400 || strings.Contains(got.Body, "OK") {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}

// A text that is not GSM 7-bit arrives as it is, whatever unicode says.
func TestAlphabet(t *testing.T) {
	h := start(t)
	for _, tt := range []struct {
		query string
		want  pdu.Alphabet
	}{
		{"unicode=0&message=Down", pdu.GSM7},
		{"unicode=1&message=Down", pdu.GSM7},
		{"unicode=0&message=%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82", pdu.UCS2},
	} {
		h.Do("GET", "/http_api/send_sms?"+token+"&to=4915112345678&modem_no=1&"+tt.query, "")
		m, _ := latest(t, h)
		h.Await(m.ID, queue.Sent)
		sent := h.SIMs[0].Sent()
		if last := sent[len(sent)-1]; last.Alphabet != tt.want || last.Text != m.Content.Text {
			t.Errorf("%s: %v %q", tt.query, last.Alphabet, last.Text)
		}
	}
	if _, to := latest(t, h); len(h.SIMs[1].Sent()) != 0 {
		t.Errorf("modem_no was not heeded for %v", to)
	}
}

func TestXML(t *testing.T) {
	h := start(t)
	for _, tt := range []struct {
		query, body string
		status      int
		want        string
	}{
		// The vendor's sample, with its line breaks taken out.
		{token + "&to=4915112345678&message=Hi&responsetype=xml", "", 200, "<xml><item><message_id>1</message_id><status>ok</status></item></xml>"},
		{
			"", token + "&to=4915112345678,4915112345679&message=Hi&responsetype=xml", 200,
			"<xml><item><message_id>2</message_id><status>ok</status></item><item><message_id>3</message_id><status>ok</status></item></xml>",
		},
		{token + "&to=4915112345678&responsetype=xml", "", 400, "<xml><error_text>Wrong parameters: message: must be set</error_text><status>error</status></xml>"},
		{"responsetype=xml", "", 401, "<xml><error_text>Invalid login or password</error_text><status>error</status></xml>"},
		{"", "access_token=%3C&responsetype=xml", 401, "<xml><error_text>Invalid access token</error_text><status>error</status></xml>"},
	} {
		got := h.Do("POST", "/http_api/send_sms?"+tt.query, tt.body, "Content-Type", asForm)
		if got.Status != tt.status || got.Body != tt.want || got.Header.Get("Content-Type") != "application/xml" {
			t.Errorf("%s %s: %d %s %s", tt.query, tt.body, got.Status, got.Header.Get("Content-Type"), got.Body)
		}
	}
}

// NETWAYS' check_smseagle asks for nothing else.
func TestSignal(t *testing.T) {
	h := start(t)
	h.SIMs[1].Edit(func(st *status) { st.SignalDBM = -77 })
	for _, prefix := range []string{"", "/index.php"} {
		for path, want := range map[string]string{
			"":   `200 {"modem_no":1,"signal_strength":-1}`,
			"/1": `200 {"modem_no":1,"signal_strength":-1}`,
			"/2": `200 {"modem_no":2,"signal_strength":58}`, // 36 of 62 dB
			"/3": `404 {"message":"no such modem: modem_no is a simNumber of the gateway"}`,
		} {
			got := h.Do("GET", prefix+"/api/v2/modem/signal"+path, "", "access-token", compattest.Key, "accept", asJSON)
			if line(got) != want {
				t.Errorf("%s: %s, want %s", path, line(got), want)
			}
		}
	}
	for sim := range h.SIMs {
		if err := h.Scheduler.Remove(t.Context(), sim+1); err != nil {
			t.Fatal(err)
		}
	}
	for _, prefix := range []string{"", "/index.php"} {
		if got := h.Do("GET", prefix+"/api/v2/modem/signal", "", "access-token", compattest.Key); got.Status != 404 {
			t.Errorf("without modems: %s", line(got))
		}
	}
}

// A HEAD of a link checker must not be an order.
func TestHeadSendsNothing(t *testing.T) {
	h := start(t)
	resp, err := http.DefaultTransport.RoundTrip(request(t, "HEAD", h.URL+"/http_api/send_sms?"+token+"&to=4915112345678&message=Hi", ""))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 400 || len(h.Messages()) != 0 {
		t.Errorf("%d, %d messages", resp.StatusCode, len(h.Messages()))
	}
}

func TestHonoured(t *testing.T) {
	h := start(t)
	for _, tt := range []struct {
		what, body string
		right      func(queue.Message) bool
	}{
		{"flash", `{"text":"Hi","to":["4915112345678"],"flash":true}`, func(m queue.Message) bool { return m.Content.Flash }},
		{"no flash", `{"text":"Hi","to":["4915112345678"],"flash":false}`, func(m queue.Message) bool { return !m.Content.Flash }},
		{"modem_no", `{"text":"Hi","to":["4915112345678"],"modem_no":2}`, func(m queue.Message) bool { return m.SIM == 2 }},
		{"priority", `{"text":"Hi","to":["4915112345678"],"priority":4}`, func(m queue.Message) bool { return m.Priority == 40 }},
		{"nulls", `{"text":"Hi","to":["4915112345678"],"priority":null,"oid":null,"flash":null}`, func(m queue.Message) bool { return m.Priority == 0 && m.Meta == nil }},
		{"oid", `{"text":"Hi","to":["4915112345678"],"oid":"alarm 7"}`, func(m queue.Message) bool { return string(m.Meta) == `{"oid":"alarm 7"}` }},
		{"date", `{"text":"Hi","to":["4915112345678"],"date":"2099-01-31T15:04:05Z"}`, func(m queue.Message) bool {
			return m.ScheduleAt.Equal(time.Date(2099, time.January, 31, 15, 4, 5, 0, time.UTC))
		}},
		{"a date that is over", `{"text":"Hi","to":["4915112345678"],"date":"2001-01-31T15:04:05Z"}`, func(m queue.Message) bool { return m.ScheduleAt.IsZero() }},
		{"validity", `{"text":"Hi","to":["4915112345678"],"validity":"2h"}`, func(m queue.Message) bool {
			valid := m.ValidUntil.Sub(m.Created)
			return valid > 119*time.Minute && valid <= 121*time.Minute
		}},
		{"validity max", `{"text":"Hi","to":["4915112345678"],"validity":"max"}`, func(m queue.Message) bool { return m.ValidUntil.IsZero() }},
		{"all kinds of recipients, each number once", `{"text":"Hi","to":["+4915112345678"],"contacts":["johndoe","12"],"groups":["on-call"]}`, func(m queue.Message) bool {
			return len(m.Recipients) == 3
		}},
		{"texts for lists", `{"text":"Hi","to":"4915112345678,4915112345679"}`, func(m queue.Message) bool { return len(m.Recipients) == 2 }},
		{"an unknown field", `{"text":"Hi","to":[4915112345678],"custom":{"a":[{}]}}`, func(m queue.Message) bool { return m.Recipients[0].Number == one }},
	} {
		got := h.Do("POST", "/api/v2/messages/sms", tt.body, "access-token", compattest.Key, "Content-Type", asJSON)
		if got.Status != 200 {
			t.Errorf("%s: %d %s", tt.what, got.Status, got.Body)
			continue
		}
		if m, _ := latest(t, h); !tt.right(m) {
			t.Errorf("%s: %+v", tt.what, m)
		}
		if echoed := strings.Contains(got.Body, `"oid":"alarm 7"`); echoed != (tt.what == "oid") {
			t.Errorf("%s: %s", tt.what, got.Body)
		}
	}
}

// TestTest: a test is held to everything, and leaves nothing behind, not even a number that is missing later.
func TestTest(t *testing.T) {
	h := start(t, full)
	v2 := func(body string) compattest.Reply {
		return h.Do("POST", "/api/v2/messages/sms", body, "access-token", compattest.Key, "Content-Type", asJSON)
	}
	for _, got := range []struct{ got, want string }{
		{line(h.Do("GET", "/http_api/send_sms?"+token+"&to=4915112345678&message=Hi&test=true", "")), "200 OK; ID=0"},
		{line(h.Do("GET", "/http_api/send_togroup?"+token+"&groupname=on-call&message=Hi&test=1", "")), "200 OK; ID=0\nOK; ID=0"},
		{line(v2(`{"text":"Hi","to":["015112345678"],"test":true}`)), `200 [{"status":"queued","message":"OK","number":"+4915112345678","id":0}]`},
		{line(v2(`{"text":"Hi","to":["12"],"test":true}`))[:3], "400"},
	} {
		if got.got != got.want {
			t.Errorf("%s, want %s", got.got, got.want)
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Fatalf("%d messages were made", n)
	}
	for _, s := range h.SIMs {
		s.Edit(unregistered)
	}
	if got := line(v2(`{"text":"Hi","to":["4915112345678"]}`)); !strings.HasSuffix(got, `"id":1}]`) {
		t.Errorf("%s", got)
	}
	if got := v2(`{"text":"Hi","to":["4915112345678"],"test":true}`); got.Status != 503 || got.Header.Get("Retry-After") != "60" {
		t.Errorf("a test with a full queue: %d %s", got.Status, got.Body)
	}
}

// The answers are one JSON value each, whatever the numbers of recipients.
func TestManyRecipients(t *testing.T) {
	h := start(t)
	var to []string
	for i := range 100 {
		to = append(to, "+49151123456"+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	body, err := json.Marshal(map[string]any{"text": "Hi", "to": to})
	if err != nil {
		t.Fatal(err)
	}
	got := h.Do("POST", "/api/v2/messages/sms", string(body), "access-token", compattest.Key, "Content-Type", asJSON)
	var all []struct {
		ID     int
		Number string
	}
	if err := json.Unmarshal([]byte(got.Body), &all); err != nil || len(all) != 100 {
		t.Fatalf("%d %v", len(all), err)
	}
	for i, a := range all {
		if a.ID != i+1 || a.Number != to[i] {
			t.Errorf("%d: %+v", i, a)
		}
	}
	if n := len(h.Messages()); n != 1 {
		t.Errorf("%d messages", n)
	}
}
