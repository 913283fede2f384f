package smseagle_test

import (
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
)

// Every operation, below both prefixes, is closed to strangers in its own shape.
func TestStrangers(t *testing.T) {
	const login, wrongToken = "Invalid login or password", "Invalid access token"
	h := start(t)
	for _, tt := range []struct {
		methods, path, body, kind, token string
		want                             string
	}{
		{"GET POST", "/http_api/send_sms?to=4915112345678&message=Hi", "", "", "", login},
		{"GET POST", "/http_api/send_sms?login=sms&pass=wrong&to=4915112345678&message=Hi", "", "", "", login},
		{"GET POST", "/http_api/send_sms?access_token=wrong&to=4915112345678&message=Hi", "", "", "", wrongToken},
		{"POST", "/http_api/send_sms", "access_token=wrong&to=4915112345678&message=Hi", asForm, "", wrongToken},
		{"GET POST", "/http_api/send_togroup?groupname=on-call&message=Hi", "", "", "", login},
		{"GET POST", "/http_api/send_tocontact?contactname=johndoe&message=Hi", "", "", "", login},
		{"GET POST", "/http_api/ring_call?to=4915112345678", "", "", "", login},
		{"GET POST", "/http_api/tts_call?to=4915112345678", "", "", "", login},
		{"GET POST", "/http_api/tts_adv_call?to=4915112345678", "", "", "", login},
		{"POST", "/api/v2/messages/sms", `{"to":["4915112345678"],"text":"Hi"}`, asJSON, "", `{"message":"Invalid login or password"}`},
		{"POST", "/api/v2/messages/sms", `{"to":["4915112345678"],"text":"Hi"}`, asJSON, "wrong", `{"message":"Invalid access token"}`},
		{"POST", "/api/v2/calls/ring", `{}`, asJSON, "wrong", `{"message":"Invalid access token"}`},
		{"POST", "/api/v2/calls/tts", `{}`, asJSON, "wrong", `{"message":"Invalid access token"}`},
		{"POST", "/api/v2/calls/tts_advanced", `{}`, asJSON, "wrong", `{"message":"Invalid access token"}`},
		{"GET", "/api/v2/modem/signal", "", "", "wrong", `{"message":"Invalid access token"}`},
		{"GET", "/api/v2/modem/signal/1", "", "", "wrong", `{"message":"Invalid access token"}`},
		{"POST", "/jsonrpc/sms", `{"method":"sms.send_sms","params":{"to":"4915112345678","message":"Hi"}}`, asJSON, "", `{"result":"Invalid login or password"}`},
		{
			"POST", "/jsonrpc/sms", `{"method":"sms.send_sms","params":{"access_token":"wrong","responsetype":"extended","to":"4915112345678","message":"Hi"}}`, asJSON, "",
			`{"result":{"error_text":"Invalid access token","status":"error"}}`,
		},
		{"POST", "/jsonrpc/sms", "no JSON", asJSON, "", `{"result":"Invalid login or password"}`},
		{"POST", "/jsonrpc/sms", "", asJSON, "", `{"result":"Invalid login or password"}`},
	} {
		for _, method := range strings.Fields(tt.methods) {
			for _, prefix := range []string{"", "/index.php"} {
				got := h.Do(method, prefix+tt.path, tt.body, "Content-Type", tt.kind, "access-token", tt.token)
				if got.Status != 401 || got.Body != tt.want || got.Header.Get("WWW-Authenticate") == "" {
					t.Errorf("%s %s: %d %s, want %s", method, tt.path, got.Status, got.Body, tt.want)
				}
			}
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages were made", n)
	}
}

// operations are those that send, each below both prefixes, with a message for everything but the text.
func operations() (ops []operation) {
	for _, prefix := range []string{"", "/index.php"} {
		for method, query := range map[string]string{"send_sms": "to=4915112345678", "send_togroup": "groupname=on-call", "send_tocontact": "contactname=johndoe"} {
			path := prefix + "/http_api/" + method + "?" + query
			ops = append(ops,
				operation{"GET", func(key, text string) (string, string) { return path + "&access_token=" + key + "&message=" + text, "" }},
				operation{"POST", func(key, text string) (string, string) { return path, "access_token=" + key + "&message=" + text }})
		}
		ops = append(ops,
			operation{"POST", func(key, text string) (string, string) {
				return prefix + "/api/v2/messages/sms", `{"to":["4915112345678"],"text":"` + text + `"}`
			}},
			operation{"POST", func(key, text string) (string, string) {
				return prefix + "/jsonrpc/sms", `{"method":"sms.send_sms","params":{"access_token":"` + key + `","to":"4915112345678","message":"` + text + `"}}`
			}})
	}
	return ops
}

// operation is a method, with the path and the body of an order.
type operation struct {
	method string
	order  func(key, text string) (path, body string)
}

func (o operation) do(h *compattest.House, key, text string) compattest.Reply {
	path, body := o.order(key, text)
	kind := asForm
	if strings.HasPrefix(body, "{") {
		kind = asJSON
	}
	return h.Do(o.method, path, body, "access-token", key, "Content-Type", kind)
}

// Every operation that sends does, and refuses alike.
func TestEachOperation(t *testing.T) {
	h := start(t, full)
	for _, s := range h.SIMs {
		s.Edit(unregistered)
	}
	for i, op := range operations() {
		path, _ := op.order("", "")
		if got := op.do(h, compattest.Key, ""); got.Status != 400 || !strings.Contains(got.Body, "Wrong parameters: ") {
			t.Errorf("%s %s without a text: %s", op.method, path, line(got))
		}
		if got := op.do(h, compattest.ReadKey, "Hi"); got.Status != 403 || !strings.Contains(got.Body, "messages:send") {
			t.Errorf("%s %s with a key for reading: %s", op.method, path, line(got))
		}
		if got := op.do(h, compattest.WaitKey, "Hi"); got.Status != 429 || got.Header.Get("Retry-After") != "7" {
			t.Errorf("%s %s after many wrong keys: %s", op.method, path, line(got))
		}
		if got := op.do(h, compattest.Key, "Hi"); got.Status != 200 || !strings.Contains(got.Body, "OK") && !strings.Contains(got.Body, "queued") {
			t.Errorf("%s %s: %s", op.method, path, line(got))
		}
		if n := len(h.Messages()); n != i+1 {
			t.Errorf("%s %s: %d messages", op.method, path, n)
		}
		if got := op.do(h, compattest.Key, "Hi"); got.Status != 503 || got.Header.Get("Retry-After") != "60" || !strings.Contains(got.Body, "too many pending messages: 1 / 1") {
			t.Errorf("%s %s with a full queue: %s", op.method, path, line(got))
		}
		m, _ := latest(t, h)
		if _, err := h.Scheduler.Cancel(t.Context(), m.ID); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCalls(t *testing.T) {
	const no = "Not supported by this gateway"
	h := start(t)
	for _, prefix := range []string{"", "/index.php"} {
		for _, call := range []string{"ring_call", "tts_call", "tts_adv_call"} {
			for _, method := range []string{"GET", "POST"} {
				// The first is Uptime-Kuma's.
				got := h.Do(method, prefix+"/http_api/"+call+"?"+token+"&to=4915112345678&duration=10&message=Hi", "")
				if line(got) != "501 "+no {
					t.Errorf("%s %s: %s", method, call, line(got))
				}
			}
		}
		for _, call := range []string{"ring", "tts", "tts_advanced"} {
			got := h.Do("POST", prefix+"/api/v2/calls/"+call, `{"text":"Hi","to":["4915112345678"],"duration":10}`, "access-token", compattest.Key, "Content-Type", asJSON)
			if line(got) != `501 {"message":"`+no+`"}` {
				t.Errorf("%s: %s", call, line(got))
			}
		}
		got := h.Do("POST", prefix+"/jsonrpc/sms", `{"method":"call.tts_call","params":{"access_token":"`+compattest.Key+`"}}`, "Content-Type", asJSON)
		if line(got) != `501 {"result":"`+no+`"}` {
			t.Errorf("%s", line(got))
		}
	}
}

func TestRefusals(t *testing.T) {
	h := start(t)
	for _, tt := range []struct{ what, query, want string }{
		{"no number", "message=Hi", "to: must be set"},
		{"commas for numbers", "message=Hi&to=,%20,", "to: must be set"},
		{"no text", "to=4915112345678", "message: must be set"},
		{"twice the same", "message=Hi&to=4915112345678,015112345678", "to: phone numbers must be unique: the same as phoneNumbers[0]"},
		{"a text that is not UTF-8", "to=4915112345678&message=%FF", "message: the text is not valid UTF-8"},
		{"a flag", "message=Hi&to=4915112345678&flash=yes", "flash: must be 0 or 1, or true or false"},
		{"a test", "message=Hi&to=4915112345678&test=2", "test: must be 0 or 1, or true or false"},
		{"a priority", "message=Hi&to=4915112345678&highpriority=10", "highpriority: must be a number from 0 to 9"},
		{"a modem", "message=Hi&to=4915112345678&modem_no=default", "modem_no: must be a number from 1 to 255"},
		{"a modem that is not there", "message=Hi&to=4915112345678&modem_no=7", "modem_no: SIM 7 not found; there are: 1, 2"},
		{"an oid", "message=Hi&to=4915112345678&oid=0123456789012345678901234567890123456", "oid: must have at most 36 characters"},
		{"a date", "message=Hi&to=4915112345678&date=2014-01-15", "date: must be YYYYmmDDHHMM, or as in 2026-01-31T15:04:05Z"},
		{"a validity", "message=Hi&to=4915112345678&validity=3h", "validity: must be 5m, 10m, 30m, 1h, 2h, 4h, 12h, 1d, 2d, 5d, 1w, 2w, 4w or max"},
		{"an hour", "message=Hi&to=4915112345678&send_after=24:00", "send_after: must be HH:MM or HH:MM:SS"},
		{"no time at all", "message=Hi&to=4915112345678&send_after=08:00&send_before=08:00:00", "send_before: must be another time than send_after"},
	} {
		got := h.Do("GET", "/http_api/send_sms?"+token+"&"+tt.query, "")
		if want := "400 Wrong parameters: " + tt.want; line(got) != want {
			t.Errorf("%s: %s, want %s", tt.what, line(got), want)
		}
	}
	for _, tt := range []struct{ path, want string }{
		{"/http_api/send_togroup?groupname=nobody", "400 Invalid group name – nobody"},
		{"/http_api/send_tocontact?contactname=johndoe,%20nobody", "400 Invalid contact name – nobody"},
		{"/http_api/send_tocontact?contactname=on-call", "400 Invalid contact name – on-call"},
		{"/http_api/send_togroup?to=4915112345678", "400 Wrong parameters: groupname: must be set"},
	} {
		if got := h.Do("GET", tt.path+"&message=Hi&"+token, ""); line(got) != tt.want {
			t.Errorf("%s: %s, want %s", tt.path, line(got), tt.want)
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages were made", n)
	}
}

func TestRefusalsInJSON(t *testing.T) {
	h := start(t)
	const access = `"access_token":"` + compattest.Key + `",`
	for _, tt := range []struct{ what, body, want string }{
		{"no recipients", `{"text":"Hi"}`, `{"message":"Wrong parameters: to, contacts, groups: must be set"}`},
		{"a message for a text", `{"message":"Hi","to":["4915112345678"]}`, `{"message":"Wrong parameters: text: must be set"}`},
		{"no object", `[]`, `{"message":"Wrong parameters: body: must be a JSON object"}`},
		{"Latin-1", "{\"text\":\"Gr\xfc\xdfe\",\"to\":[\"4915112345678\"]}", `{"message":"Wrong parameters: body: must be UTF-8"}`},
		{"two objects", `{"text":"Hi","to":["4915112345678"]}{}`, `{"message":"Wrong parameters: body: must be a JSON object"}`},
		{"nothing", `null`, `{"message":"Wrong parameters: body: must be a JSON object"}`},
		{"an object for a number", `{"text":"Hi","to":[{}]}`, `{"message":"Wrong parameters: to: must be a text or a number, or a list of such"}`},
		{"a name that Uptime-Kuma turned into a number", `{"text":"Hi","groups":[null]}`, `{"message":"Wrong parameters: groups: must be a text or a number, or a list of such"}`},
		{"a priority", `{"text":"Hi","to":["4915112345678"],"priority":10}`, `{"message":"Wrong parameters: priority: must be a number from 0 to 9"}`},
	} {
		got := h.Do("POST", "/api/v2/messages/sms", tt.body, "access-token", compattest.Key, "Content-Type", asJSON)
		if want := "400 " + tt.want; line(got) != want {
			t.Errorf("%s: %s, want %s", tt.what, line(got), want)
		}
	}
	for _, tt := range []struct{ what, body, want string }{
		{
			"MMS", `{"method":"sms.send_sms","params":{` + access + `"responsetype":"extended","message_type":"mms","to":"4915112345678","message":"Hi"}}`,
			`{"result":{"error_text":"Wrong parameters: message_type: must be sms: MMS cannot be sent by this gateway","status":"error"}}`,
		},
		{
			"attachments", `{"method":"sms.send_sms","params":{` + access + `"to":"4915112345678","message":"Hi","attachments":[{"content_type":"image/png","content":"iVBORw0KGgo="}]}}`,
			`{"result":"Wrong parameters: attachments: must be empty: MMS cannot be sent by this gateway"}`,
		},
		{
			"a method", `{"method":"sms.read_sms","params":{` + access + `"to":"4915112345678","message":"Hi"}}`,
			`{"result":"Wrong parameters: method: must be sms.send_sms, sms.send_togroup or sms.send_tocontact"}`,
		},
		{
			"something after the end", `{"method":"sms.send_sms","params":{` + access + `"to":"4915112345678","message":"Hi"}} {}`,
			`{"result":"Wrong parameters: body: must be a JSON object with method and params"}`,
		},
	} {
		got := h.Do("POST", "/jsonrpc/sms", tt.body, "Content-Type", asJSON)
		if want := "400 " + tt.want; line(got) != want {
			t.Errorf("%s: %s, want %s", tt.what, line(got), want)
		}
	}
	if n := len(h.Messages()); n != 0 {
		t.Errorf("%d messages were made", n)
	}
}
