package skycore_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
	"dongled/httpapi/links"
	"dongled/modem"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// with is a good request with some fields replaced; "" leaves one out.
func with(pairs ...string) string {
	fields := [][2]string{
		{"action", `"sendsms"`}, {"message-text", `"Hi"`}, {"to", `"+4915112345678"`}, {"from", `"00000"`},
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		there := false
		for j := range fields {
			if fields[j][0] == pairs[i] {
				fields[j][1], there = pairs[i+1], true
			}
		}
		if !there {
			fields = append(fields, [2]string{pairs[i], pairs[i+1]})
		}
	}
	var all []string
	for _, f := range fields {
		if f[1] != "" {
			all = append(all, `"`+f[0]+`":`+f[1])
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

// refusals are requests with what they are refused for, and the status where Options.HTTPErrors is set.
var refusals = []struct {
	name, body, code, info string
	status                 int
}{
	{"no JSON", `{"action":`, "E100", "has to be JSON", 400},
	{"no body", ``, "E100", "has to be JSON", 400},
	{"an array", `[]`, "E100", "has to be a JSON object", 400},
	{"two objects", `{}{}`, "E100", "has to be JSON", 400},
	{"Latin-1", "{\"message-text\":\"\xe4\"}", "E100", "UTF-8", 400},
	{"a name twice", with("x", "1", "x ", "1", "\\u0074o", `"+4915112345679"`), "E100", "twice", 400},
	{"a number for a text", with("message-text", "5"), "E100", "message-text has to be a string", 400},
	{"a number for to", with("to", "4915112345678"), "E100", "to has to be a string", 400},
	{"an odd flag", with("click-tracking", `"perhaps"`), "E100", "click-tracking has to be true or false", 400},
	{"a flag that is a number", with("click-tracking", `1`), "E100", "click-tracking has to be true or false", 400},
	{"no action", with("action", ""), "E101", "'action' required/Invalid Action", 400},
	{"unknown action", with("action", `"sendFax"`), "E101", "'action' required/Invalid Action", 400},
	{"null action", with("action", `null`), "E101", "'action' required/Invalid Action", 400},
	{"names have case", with("action", "", "Action", `"sendsms"`), "E101", "Invalid Action", 400},
	{"older action", with("action", `"sendMMS"`), "E107", "no rights to use this action", 403},
	{"older action in capitals", with("action", `"LOGINUSER"`), "E107", "no rights to use this action", 403},
	{"no text", with("message-text", ""), "E712", "'message-text' is required", 400},
	{"empty text", with("message-text", `""`), "E712", "'message-text' is required", 400},
	{"long text", with("message-text", `"`+strings.Repeat("x", 154+153)+`"`), "E712", "message-text: needs 3 parts of 2 allowed", 400},
	{"no receiver", with("to", ""), "E201", "The receiver number is required", 400},
	{"short receiver", with("to", `"123456"`), "E110", "7 to 15 digits", 400},
	{"long receiver", with("to", `"+1234567890123456"`), "E110", "7 to 15 digits", 400},
	{"a name for receiver", with("to", `"Michael"`), "E110", "7 to 15 digits", 400},
	{"no sender", with("from", ""), "E111", "Invalid Sender.", 400},
	{"unknown sender", with("from", `"+4915100000099"`), "E111", "Invalid Sender.", 400},
	{"long campaign", with("campaign-ref", `"`+strings.Repeat("x", 256)+`"`), "E714", "255 characters", 400},
}

func twoParts(o *compattest.Options) { o.Scheduler.MaxParts = 2 }

func TestRefusals(t *testing.T) {
	plain, strict := start(t, skycore.Options{}, twoParts), start(t, skycore.Options{HTTPErrors: true}, twoParts)
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			for h, status := range map[*compattest.House]int{plain: 200, strict: c.status} {
				got := post(h, c.body)
				a := read(t, got)
				if got.Status != status || a.Status != "Failure" || a.Code != c.code || !strings.Contains(a.Info, c.info) {
					t.Errorf("answered %d %s, want %d %s %s", got.Status, got.Body, status, c.code, c.info)
				}
			}
		})
	}
	if n := len(plain.Messages()) + len(strict.Messages()); n != 0 {
		t.Errorf("%d messages were made of what was refused", n)
	}
}

// TestRefusalSaysTo: what the request had, wherever it could be read.
func TestRefusalSaysTo(t *testing.T) {
	h := start(t, skycore.Options{})
	for body, want := range map[string]string{
		with("to", `" +49 (151) 12-34 "`, "from", `"x"`): " +49 (151) 12-34 ",
		with("to", `"Michael"`):                          "Michael",
		with("action", `"x"`):                            "+4915112345678",
		with("message-text", `7`):                        "+4915112345678",
	} {
		if a := read(t, post(h, body)); a.To == nil || *a.To != want {
			t.Errorf("%s answered %+v", body, a)
		}
	}
	for _, body := range []string{`{`, with("to", "")} {
		if a := read(t, post(h, body)); a.To != nil {
			t.Errorf("%s answered to %q", body, *a.To)
		}
	}
}

func TestCredentials(t *testing.T) {
	for _, errors := range []bool{false, true} {
		h := start(t, skycore.Options{HTTPErrors: errors})
		for _, c := range []struct {
			key, want string
			status    int
		}{
			{"", `{"status":"Failure","error-code":"E104","error-info":"User Authentication FAILED"}`, 401},
			{"wrong", `{"status":"Failure","error-code":"E104","error-info":"User Authentication FAILED"}`, 401},
			{strings.ToUpper(compattest.Key), `{"status":"Failure","error-code":"E104","error-info":"User Authentication FAILED"}`, 401},
			{compattest.ReadKey, `{"status":"Failure","error-code":"E105","error-info":"The API key has no API rights: scope required: messages:send"}`, 403},
			{compattest.WaitKey, `{"status":"Failure","error-code":"E106","error-info":"Too many requests: too many wrong credentials from this address"}`, 429},
		} {
			if !errors {
				c.status = 200
			}
			for _, path := range []string{"/skycore", "/skycore/v2"} {
				got := h.Do("POST", path, pageExample1, "x-api-key", c.key, "Content-Type", "application/json")
				if got.Status != c.status || got.Body != c.want {
					t.Errorf("key %q: %d %s", c.key, got.Status, got.Body)
				}
				if wait := got.Header.Get("Retry-After"); (wait == "7") != (c.key == compattest.WaitKey) {
					t.Errorf("key %q: Retry-After %q", c.key, wait)
				}
			}
		}
		if all := h.Messages(); len(all) != 0 {
			t.Errorf("there are messages: %+v", all)
		}
	}
}

// TestNotPost asks without compattest, since the document has no such operations.
func TestNotPost(t *testing.T) {
	h := start(t, skycore.Options{})
	for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} {
		for _, path := range []string{"/skycore", "/skycore/v2"} {
			req, err := http.NewRequest(method, h.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != 200 || !strings.Contains(string(body), `"error-code":"E100"`) {
				t.Errorf("%s %s: %d %s", method, path, resp.StatusCode, body)
			}
		}
	}
}

func TestBodies(t *testing.T) {
	const largest = 32 << 10
	h := start(t, skycore.Options{HTTPErrors: true}, func(o *compattest.Options) { o.Server.MaxBody = largest })
	for what, c := range map[string]struct{ body, encoding, info string }{
		"large":      {strings.Repeat("x", largest+1), "", "request body too large"},
		"compressed": {pageExample1, "gzip", "send the body uncompressed"},
	} {
		got := h.Do("POST", "/skycore/v2", c.body, "x-api-key", compattest.Key, "Content-Type", "application/json", "Content-Encoding", c.encoding)
		if a := read(t, got); got.Status != 400 || a.Code != "E100" || !strings.Contains(a.Info, c.info) {
			t.Errorf("%s: %d %s", what, got.Status, got.Body)
		}
	}
}

// TestForms: what says the same in another form is accepted.
func TestForms(t *testing.T) {
	h := start(t, skycore.Options{})
	h.SIMs[1].Edit(func(st *modem.Status) { st.Number = "" })
	for _, c := range []struct {
		body, number string
		sim          int
	}{
		{with("action", `"SendSMS"`), "+4915112345678", 1},
		{with("action", `" sendsms "`), "+4915112345678", 1},
		{with("to", `"4915112345678"`), "+4915112345678", 1},
		{with("to", `"00 49 151-123.456/78"`), "+4915112345678", 1},
		{with("from", `"+491510000001"`), "+4915112345678", 1},
		{with("from", `"491510000001"`), "+4915112345678", 1},
		{with("from", `"two"`), "+4915112345678", 2},
		{with("from", `"2"`), "+4915112345678", 2},
		{with("campaign-ref", `null`, "from-mask", `null`, "click-tracking", `null`), "+4915112345678", 1},
		{with("click-tracking", `false`), "+4915112345678", 1},
		{with("click-tracking", `"False"`, "operator-id", `[{}]`), "+4915112345678", 1},
	} {
		a := read(t, post(h, c.body))
		if a.Status != "Success" || a.Warnings != nil {
			t.Errorf("%s answered %+v", c.body, a)
			continue
		}
		if m := h.Message(a.ID); m.Recipients[0].Number != c.number || m.SIM != c.sim {
			t.Errorf("%s made %+v", c.body, m)
		}
	}
}

func TestMask(t *testing.T) {
	h := start(t, skycore.Options{})
	h.SIMs[1].Edit(func(st *modem.Status) { st.Number = "" })
	for from, want := range map[string]string{
		"00000": "from-mask is not supported on a SIM; sender is +491510000001",
		"2":     "from-mask is not supported on a SIM; sender is two",
	} {
		a := read(t, post(h, with("from", `"`+from+`"`, "from-mask", `"ACME"`)))
		if len(a.Warnings) != 1 || a.Warnings[0] != want {
			t.Errorf("from %s: %+v", from, a)
		}
	}
	h = start(t, skycore.Options{StrictMask: true})
	if a := read(t, post(h, with("from-mask", `"ACME"`))); a.Code != "E628" || !strings.HasPrefix(a.Info, "Operator Not supported") {
		t.Errorf("%+v", a)
	}
	if a := read(t, post(h, with("from-mask", `""`))); a.Status != "Success" {
		t.Errorf("%+v", a)
	}
}

func TestTracking(t *testing.T) {
	h := start(t, skycore.Options{})
	for _, flag := range []string{`true`, `"true"`, `"yes"`, `"Yes"`} {
		id := accepted(t, h, with("click-tracking", flag, "message-text", `"http://a.b/c"`))
		if text := h.Message(id).Content.Text; !strings.HasPrefix(text, compattest.LinkBase+"/r/") {
			t.Errorf("%s: the text is %q", flag, text)
		}
	}
	off := start(t, skycore.Options{HTTPErrors: true}, func(o *compattest.Options) { o.Links = links.Options{} })
	got := post(off, with("click-tracking", `true`))
	if a := read(t, got); got.Status != 403 || a.Code != "E107" || !strings.Contains(a.Info, "links.public_base_url") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}

// TestFull: a queue that takes nothing, and a store that is gone.
func TestFull(t *testing.T) {
	limit := func(o *compattest.Options) { o.Scheduler = scheduler.Options{Limits: queue.Limits{MaxPending: 1}} }
	for _, path := range []string{"/skycore", "/skycore/v2"} {
		h := start(t, skycore.Options{HTTPErrors: true}, limit)
		h.SIMs[0].Hold()
		accepted(t, h, with())
		for {
			got := h.Do("POST", path, with(), "x-api-key", compattest.Key, "Content-Type", "application/json")
			a := read(t, got)
			if a.Status == "Success" {
				continue // the one before went to the SIM meanwhile
			}
			if got.Status != 503 || a.Code != "E503" || got.Header.Get("Retry-After") != "60" || a.To == nil {
				t.Errorf("%d %s", got.Status, got.Body)
			}
			break
		}
	}
	h := start(t, skycore.Options{})
	if err := h.Scheduler.Close(); err != nil {
		t.Fatal(err)
	}
	got := post(h, with())
	if a := read(t, got); got.Status != 200 || a.Code != "E503" || !strings.Contains(a.Info, "nothing was accepted") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
