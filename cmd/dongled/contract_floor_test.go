package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// The tests in contract_*_test.go are written from the pages of SMSGate's API, in its own words, and
// know nothing of our types: literal requests, literal status codes, literal names of fields.

// visit is one request of which the pages say that it succeeds.
type visit struct {
	method, path, body string
	status             []int // the first is what the pages say, the others what they also allow
	// scopes are those of which one is enough; none for what is open to all.
	scopes []string
	// jwt says that only a token will do.
	jwt bool
}

const later = `"scheduleAt":"2099-01-02T03:04:05Z"`

// tour is every route of the pages, in the form of today and in that of yesterday. {message}, {jti} and
// {refresh} are made for the visit.
func tour() []visit {
	const (
		send   = `{"textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"],` + later + `}`
		hook   = `{"id":"tour","url":"https://127.0.0.1:9/hook","event":"sms:received","deviceId":null}`
		period = `{"since":"2024-01-01T00:00:00Z","until":"2024-01-02T00:00:00Z","triggerWebhooks":false}`
	)
	one := func(method, path, body string, status int, scopes ...string) visit {
		return visit{method: method, path: path, body: body, status: []int{status}, scopes: scopes}
	}
	all := []visit{
		one("GET", "/", "", 200, "devices:list", "messages:send", "settings:read"),
		one("GET", "/inbox", "", 200, "inbox:list"),
		one("POST", "/inbox/refresh", period, 202, "inbox:refresh"),
		one("POST", "/inbox/export", period, 202, "messages:export"),
		one("GET", "/logs?from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00Z", "", 200, "logs:read"),
		one("GET", "/settings", "", 200, "settings:read"),
		one("PATCH", "/settings", `{"ping":{"interval_seconds":3600}}`, 200, "settings:write"),
		one("PUT", "/settings", `{"ping":{"interval_seconds":3600}}`, 200, "settings:write"),
		one("POST", "/auth/token", `{"ttl":3600,"scopes":["tokens:manage"]}`, 201, "tokens:manage"),
		one("DELETE", "/auth/token/{jti}", "", 204, "tokens:manage"),
		one("GET", "/health", "", 200), one("GET", "/health/live", "", 200),
		one("GET", "/health/ready", "", 200), one("GET", "/health/startup", "", 200),
		{"POST", "/auth/token/refresh", "", []int{201, 200}, []string{"tokens:refresh"}, true},
		{"POST", "/auth/refresh", "", []int{201, 200}, []string{"tokens:refresh"}, true},
	}
	for _, s := range []string{"", "s"} {
		all = append(all,
			one("GET", "/message"+s, "", 200, "messages:list", "messages:read"),
			visit{"POST", "/message" + s, send, []int{202, 200}, []string{"messages:send"}, false},
			one("GET", "/message"+s+"/{message}", "", 200, "messages:read"),
			one("DELETE", "/message"+s+"/{message}", "", 200, "messages:cancel"),
			one("POST", "/message"+s+"/inbox/export", period, 202, "messages:export"),
			one("GET", "/webhook"+s, "", 200, "webhooks:list"),
			one("POST", "/webhook"+s, hook, 201, "webhooks:write"),
			one("DELETE", "/webhook"+s+"/tour", "", 204, "webhooks:delete"),
			one("GET", "/device"+s, "", 200, "devices:list"),
			visit{"DELETE", "/device" + s + "/unheard-of", "", []int{204, 404}, []string{"devices:delete"}, false},
		)
	}
	return all
}

// prepare puts what a visit needs in place and returns its path and the credentials for it.
func (v visit) prepare(t *testing.T, w *whole) (path string, header []string) {
	t.Helper()
	path = v.path
	if strings.Contains(path, "{message}") {
		m := w.object(t, 202, "POST", "/messages", `{"textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"],`+later+`}`)
		path = strings.ReplaceAll(path, "{message}", m["id"].(string))
	}
	if strings.Contains(path, "{jti}") {
		path = strings.ReplaceAll(path, "{jti}", w.token(t, "logs:read")["id"].(string))
	}
	if v.jwt {
		header = bearer(w.token(t, "logs:read")["refresh_token"])
	}
	return path, header
}

// token is the answer to a request for one with these scopes.
func (w *whole) token(t *testing.T, scopes ...string) map[string]any {
	t.Helper()
	list, err := json.Marshal(scopes)
	if err != nil {
		t.Fatal(err)
	}
	return w.object(t, 201, "POST", "/auth/token", `{"ttl":3600,"scopes":`+string(list)+`}`)
}

func bearer(token any) []string {
	text, _ := token.(string)
	return []string{"Authorization", "Bearer " + text}
}

// Section 0, floor 1 to 4, and the common headers: for every route under every base URL.
func TestContractFloor(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	for _, base := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1", "/", "/api/3rdparty/v1/"} {
		for _, v := range tour() {
			path, header := v.prepare(t, w)
			got := w.ask(t, v.method, base+path, v.body, header...)
			if !slices.Contains(v.status, got.status) {
				t.Errorf("%s %s%s: %d %s, want %v", v.method, base, v.path, got.status, got.body, v.status)
				continue
			}
			for _, fault := range floor(v, got) {
				t.Errorf("%s %s%s: %s: %d %s", v.method, base, v.path, fault, got.status, got.body)
			}
		}
	}
}

// floor lists what in an answer would break a client.
func floor(v visit, got answer) (faults []string) {
	for name := range got.header {
		if strings.HasPrefix(name, "Access-Control-") {
			faults = append(faults, "there are no CORS headers anywhere")
		}
	}
	if got.header.Get("Date") == "" {
		faults = append(faults, "no Date")
	}
	if got.status == 204 {
		if got.body != "" {
			faults = append(faults, "204 has a body")
		}
		return faults
	}
	if !strings.HasPrefix(got.header.Get("Content-Type"), "application/json") {
		faults = append(faults, "Content-Type is "+got.header.Get("Content-Type"))
	}
	var body any
	d := json.NewDecoder(strings.NewReader(got.body))
	d.UseNumber()
	if err := d.Decode(&body); err != nil {
		return append(faults, "floor 1: a body that is not JSON")
	}
	if _, object := body.(map[string]any); v.method != "GET" && !object {
		faults = append(faults, "PHP wants an object")
	}
	return append(faults, typesWrong("", body)...)
}

// typesWrong finds times without a zone, numbers that are no integers and contexts that are no objects,
// by the names that SMSGate has for them.
func typesWrong(name string, v any) (faults []string) {
	switch v := v.(type) {
	case map[string]any:
		for field, value := range v {
			faults = append(faults, typesWrong(field, value)...)
		}
		if states, is := v["states"].(map[string]any); is {
			for state, at := range states {
				if !zoned(at) {
					faults = append(faults, "floor 3: the time of "+state)
				}
			}
		}
	case []any:
		for _, item := range v {
			faults = append(faults, typesWrong(name, item)...)
		}
	case json.Number:
		if name != "amount" && strings.ContainsAny(v.String(), ".eE") {
			faults = append(faults, "floor 4: "+name+" is no integer")
		}
	case string:
		stamped := strings.HasSuffix(name, "At") || strings.HasSuffix(name, "_at") || name == "lastSeen" || name == "validUntil"
		if stamped && !zoned(v) {
			faults = append(faults, "floor 3: "+name+" has no zone")
		}
		if slices.Contains([]string{"releaseId", "observedValue", "context"}, name) {
			faults = append(faults, "floor 4: "+name+" is a string")
		}
	}
	return faults
}

// Section 0, floor 5: unknown fields are ignored, and null is absent. The first is what npm's client
// 3.0.0 sends.
func TestContractNulls(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/message", `{"id":null,"message":"Hello","ttl":null,"phoneNumbers":["+4915112345678"],"simNumber":null,"withDeliveryReport":null}`, 202},
		{"POST", "/messages?", `{"textMessage":{"text":"Hello"},"phoneNumbers":["+4915112345678"],"dataMessage":null,"message":null,"deviceId":null,` +
			`"isEncrypted":null,"priority":null,"validUntil":null,"scheduleAt":null}`, 202},
		{"POST", "/messages", `{"textMessage":{"text":"Hello","color":1},"phoneNumbers":["+4915112345678"],"unheardOf":{"a":[1]}}`, 202},
		{"POST", "/webhooks", `{"id":null,"url":"https://127.0.0.1:9/hook","event":"sms:sent","deviceId":null,"unheardOf":1}`, 201},
		{"PATCH", "/settings", `{"unheardOf":{"a":1},"ping":{"unheardOf":1,"interval_seconds":null}}`, 200},
		{"PUT", "/settings", `{"unheardOf":{"a":1},"logs":{"lifetime_days":null}}`, 200},
		{"POST", "/auth/token", `{"ttl":60,"scopes":["logs:read"],"unheardOf":null}`, 201},
		{"POST", "/inbox/export", `{"deviceId":null,"since":"2024-01-01T00:00:00Z","until":"2024-01-02T00:00:00Z","messageTypes":null,"triggerWebhooks":null,"unheardOf":1}`, 202},
		{"POST", "/inbox/refresh", `{"since":"2024-01-01T00:00:00Z","until":"2024-01-02T00:00:00Z","webhookDelivery":null}`, 202},
	} {
		if got := w.ask(t, tt.method, tt.path, tt.body); got.status != tt.status {
			t.Errorf("%s %s %s: %d %s, want %d", tt.method, tt.path, tt.body, got.status, got.body, tt.status)
		}
	}
}

// Section 0, floor 6, and section 1.1: without credentials everything but health is 401.
func TestContractUnauthenticated(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	for _, base := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		for _, v := range tour() {
			path, _ := v.prepare(t, w)
			for _, credentials := range []string{"", "Digest x"} {
				if len(v.scopes) > 0 {
					w.unauthorized(t, v.method, base+path, v.body, credentials)
				} else if got := w.ask(t, v.method, base+path, v.body, "Authorization", credentials); got.status != v.status[0] {
					t.Errorf("%s %s%s with %q: %d", v.method, base, v.path, credentials, got.status)
				}
			}
		}
	}
	// Few, since more are made to wait.
	for _, credentials := range []string{"Basic c21zOndyb25n", "Bearer wrong", "Basic", "Basic !", "Bearer"} {
		w.unauthorized(t, "GET", "/", "", credentials)
	}
}

func (w *whole) unauthorized(t *testing.T, method, path, body, credentials string) {
	t.Helper()
	got := w.ask(t, method, path, body, "Authorization", credentials)
	if err := shape(got.body, `{"message":"Unauthorized"}`); got.status != 401 || err != nil {
		t.Errorf("%s %s with %q: %d %v", method, path, credentials, got.status, err)
	}
	if challenge := got.header.Values("WWW-Authenticate"); len(challenge) == 0 || !strings.HasPrefix(challenge[0], "Basic realm=") {
		t.Errorf("%s %s with %q: WWW-Authenticate %q", method, path, credentials, challenge)
	}
}

// Section 7: a token is let in where it has the scope, and nowhere else.
func TestContractScopes(t *testing.T) {
	t.Parallel()
	w := runWhole(t)
	for _, v := range tour() {
		if len(v.scopes) == 0 || v.path == "/" {
			continue
		}
		if !v.jwt {
			for _, scope := range append([]string{"all:any"}, v.scopes...) {
				path, _ := v.prepare(t, w)
				got := w.ask(t, v.method, path, v.body, bearer(w.token(t, scope)["access_token"])...)
				if !slices.Contains(v.status, got.status) {
					t.Errorf("%s %s with scope %s: %d %s, want %v", v.method, v.path, scope, got.status, got.body, v.status)
				}
			}
		}
		other := "logs:read"
		if slices.Contains(v.scopes, other) {
			other = "settings:read"
		}
		path, _ := v.prepare(t, w)
		got := w.ask(t, v.method, path, v.body, bearer(w.token(t, other)["access_token"])...)
		status := []int{403}
		if v.jwt {
			status = append(status, 401) // an access token is none for this
		}
		if err := shape(got.body, `{"message":"<id>"}`); !slices.Contains(status, got.status) || err != nil {
			t.Errorf("%s %s with scope %s: %d %s, want %v, %v", v.method, v.path, other, got.status, got.body, status, err)
		}
	}
}
