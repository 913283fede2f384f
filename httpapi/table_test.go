package httpapi_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi"
	"dongled/httpapi/auth"
	"dongled/scheduler/store"
)

// Words of the table besides scopes.
const (
	open    = "open"    // for everybody
	anybody = "anybody" // for whoever is known
)

// wanted are all routes under one base URL with the scope that each asks for. A second one, after a
// bar, will do as well; refusals name the first. It is written by hand, from SMSGate's table.
var wanted = map[string]string{
	"GET /health":         open,
	"GET /health/live":    open,
	"GET /health/ready":   open,
	"GET /health/startup": open,
	"GET /openapi.yaml":   open,
	"GET /docs":           open,
	"GET /docs/:file":     open,

	"GET /": anybody,

	"POST /messages":              "messages:send",
	"GET /messages":               "messages:list|messages:read",
	"GET /messages/:id":           "messages:read",
	"DELETE /messages/:id":        "messages:cancel",
	"POST /messages/inbox/export": "messages:export",
	"POST /message":               "messages:send",
	"GET /message":                "messages:list|messages:read",
	"GET /message/:id":            "messages:read",
	"DELETE /message/:id":         "messages:cancel",
	"POST /message/inbox/export":  "messages:export",

	"GET /inbox":                         "inbox:list",
	"GET /inbox/unreadable":              "inbox:list",
	"GET /inbox/:id/attachments/:partId": "inbox:read",
	"POST /inbox/refresh":                "inbox:refresh",
	"POST /inbox/export":                 "messages:export",

	"GET /devices":        "devices:list",
	"DELETE /devices/:id": "devices:delete",
	"GET /device":         "devices:list",
	"DELETE /device/:id":  "devices:delete",

	"GET /webhooks":                                  "webhooks:list",
	"POST /webhooks":                                 "webhooks:write",
	"DELETE /webhooks/:id":                           "webhooks:delete",
	"POST /webhooks/:id/test":                        "webhooks:write",
	"GET /webhooks/:id/deliveries":                   "webhooks:list",
	"POST /webhooks/:id/deliveries/:delivery/replay": "webhooks:write",
	"GET /webhook":                                   "webhooks:list",
	"POST /webhook":                                  "webhooks:write",
	"DELETE /webhook/:id":                            "webhooks:delete",
	"POST /webhook/:id/test":                         "webhooks:write",
	"GET /webhook/:id/deliveries":                    "webhooks:list",
	"POST /webhook/:id/deliveries/:delivery/replay":  "webhooks:write",

	"GET /callbacks": "webhooks:list",

	"GET /settings":   "settings:read",
	"PATCH /settings": "settings:write",
	"PUT /settings":   "settings:write",
	"GET /logs":       "logs:read",
	"GET /links":      "links:read",

	"POST /auth/token":         "tokens:manage",
	"POST /auth/token/refresh": "tokens:refresh",
	"POST /auth/refresh":       "tokens:refresh",
	"DELETE /auth/token/:jti":  "tokens:manage",

	"GET /modems":              "devices:list",
	"GET /modems/:sim":         "devices:list",
	"GET /modems/:sim/trace":   "logs:read",
	"POST /modems/:sim/ussd":   "messages:send",
	"DELETE /modems/:sim/ussd": "messages:send",

	"GET /templates":                                 "templates:read",
	"POST /templates":                                "templates:write",
	"GET /templates/:id":                             "templates:read",
	"PUT /templates/:id":                             "templates:write",
	"DELETE /templates/:id":                          "templates:write",
	"POST /templates/:id/render":                     "templates:read",
	"POST /templates/:id/versions":                   "templates:write",
	"PUT /templates/:id/versions/:version":           "templates:write",
	"DELETE /templates/:id/versions/:version":        "templates:write",
	"POST /templates/:id/versions/:version/activate": "templates:write",
	"POST /templates/:id/versions/:version/retire":   "templates:write",
}

// everyScope are SMSGate's and ours, without the two that are special.
var everyScope = strings.Fields(`
	messages:send messages:read messages:list messages:cancel messages:export inbox:list inbox:read inbox:refresh
	devices:list devices:delete webhooks:list webhooks:write webhooks:delete settings:read settings:write logs:read tokens:manage
	templates:read templates:write links:read`)

// access is what an answer says of the credentials.
type access string

const (
	unknown   access = "401"
	forbidden access = "403"
	passed    access = "passed"
)

// expect is what the table says of somebody whose token has one scope; "" is nobody, a refresh token
// has tokens:refresh.
func expect(want, scope string) access {
	switch {
	case want == open:
		return passed
	case scope == "":
		return unknown
	case scope == "tokens:refresh" && want != scope:
		return unknown
	case scope != "tokens:refresh" && want == "tokens:refresh":
		return forbidden
	case want == anybody, want == scope, scope == "all:any", slices.Contains(strings.Split(want, "|"), scope):
		return passed
	}
	return forbidden
}

// tableServer is a server with users and tokens, in a bubble of time.
type tableServer struct {
	t      *testing.T
	auth   *auth.Auth
	server *httpapi.Server
}

func newTableServer(t *testing.T) *tableServer {
	a := account(t, username, password)
	s, err := store.Open(filepath.Join(t.TempDir(), "s.db"), store.Options{}, a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if err := s.Do(t.Context(), func(t *store.Tx) error { t.DB().NoSync = true; return nil }); err != nil {
		t.Fatal(err)
	}
	return &tableServer{t, a, httpapi.New(httpapi.Options{
		Messages: newFakeQueue(), Inbox: &fakeInbox{}, Modems: &fakeModems{}, Auth: a, DeviceID: deviceID,
	})}
}

func (s *tableServer) issue(ttl time.Duration, scopes ...string) auth.Tokens {
	s.t.Helper()
	tokens, err := s.auth.IssueFor(context.Background(), "", ttl, scopes)
	if err != nil {
		s.t.Fatal(err)
	}
	return tokens
}

// ask sends an empty request and returns what became of the credentials, and the body.
func (s *tableServer) ask(route, header string) (access, string) {
	s.t.Helper()
	method, path, _ := strings.Cut(route, " ")
	segments := strings.Split(path, "/")
	for i := range segments {
		if strings.HasPrefix(segments[i], ":") {
			segments[i] = "1"
		}
	}
	req, err := http.NewRequest(method, "http://dongled"+strings.Join(segments, "/"), http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	if header != "" {
		req.Header.Set("Authorization", header)
	}
	resp, err := httpapi.Answer(s.server, req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	switch resp.StatusCode {
	case 401:
		return unknown, string(body)
	case 403:
		return forbidden, string(body)
	case 429:
		s.t.Errorf("%s: %s", route, body)
	}
	return passed, string(body)
}

// TestEveryRouteIsInTheTable: a new route is a decision.
func TestEveryRouteIsInTheTable(t *testing.T) {
	served := map[string]bool{}
	for _, route := range httpapi.Routes(httpapi.New(httpapi.Options{})) {
		served[route] = true
		if _, found := wanted[unmounted(route)]; !found {
			t.Errorf("%s has no row in the table", route)
		}
	}
	for route := range wanted {
		if !served[route] {
			t.Errorf("%s has a row but is not served", route)
		}
	}
}

// unmounted is a route without its base URL.
func unmounted(route string) string {
	method, path, _ := strings.Cut(route, " ")
	path = strings.TrimPrefix(path, "/api")
	path = strings.TrimPrefix(path, "/3rdparty/v1")
	if path == "" {
		path = "/"
	}
	return method + " " + path
}

// TestAuthorisation asks for every route as everybody.
func TestAuthorisation(t *testing.T) {
	start(t).do("GET", "/health/live", "") // fasthttp's endless goroutine, outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		s := newTableServer(t)
		expired := s.issue(time.Second, "all:any")
		revoked := s.issue(0, "all:any")
		if err := s.auth.Revoke(t.Context(), auth.Identity{Scopes: []string{"all:any"}}, revoked.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		holders := map[string]string{}
		for _, scope := range append(everyScope, "all:any") {
			holders["Bearer "+s.issue(0, scope).Access] = scope
		}
		keys := map[string]string{}
		for _, scope := range []string{"all:any", "messages:send", "settings:write"} {
			key, err := s.auth.AddKey(t.Context(), strings.ReplaceAll(scope, ":", "."), "", []string{scope}, false)
			if err != nil {
				t.Fatal(err)
			}
			keys[key] = scope
		}
		nobodies := []string{
			"", "Digest x", "Bearer " + expired.Access, "Bearer " + expired.Refresh, "Bearer " + revoked.Access, "Bearer " + revoked.Refresh,
		}
		for _, route := range httpapi.Routes(s.server) {
			want := wanted[unmounted(route)]
			check := func(who, scope, header string) {
				t.Helper()
				got, body := s.ask(route, header)
				if expected := expect(want, scope); got != expected {
					t.Errorf("%s as %s: %s, want %s: %s", route, who, got, expected, body)
				}
				first, _, _ := strings.Cut(want, "|")
				if got == forbidden && body != `{"message":"scope required: `+first+`"}` {
					t.Errorf("%s as %s: %s", route, who, body)
				}
			}
			for _, header := range nobodies {
				check("nobody with "+header, "", header)
			}
			for header, scope := range holders {
				check(scope, scope, header)
			}
			for key, scope := range keys {
				switch {
				case want == "tokens:refresh":
					scope = "" // as with a password
				case want == "tokens:manage" && scope == "all:any":
					scope = "all:any of a key"
				}
				check("a key for "+scope, scope, "Bearer "+key)
			}
			withPassword := "all:any"
			if want == "tokens:refresh" {
				withPassword = "" // is 401, not 403: there is no token to speak of
			}
			check("the primary account", withPassword, basic(username+":"+password))
			check("a refresh token", "tokens:refresh", "Bearer "+s.issue(0, "all:any").Refresh)
		}
	})
}

// TestAuthorisationOfGuesses: what was guessed opens nothing.
func TestAuthorisationOfGuesses(t *testing.T) {
	start(t).do("GET", "/health/live", "")
	for _, header := range []string{
		basic(username + ":wrong"), basic("other:" + password), "Bearer forged",
		// {"alg":"none"}, {"iss":"dongled","exp":9999999999,"scopes":["all:any"]}
		"Bearer eyJhbGciOiJub25lIn0.eyJpc3MiOiJkb25nbGVkIiwiZXhwIjo5OTk5OTk5OTk5LCJzY29wZXMiOlsiYWxsOmFueSJdfQ.",
	} {
		for route, want := range wanted {
			s := &tableServer{t, nil, httpapi.New(httpapi.Options{
				Messages: newFakeQueue(), Inbox: &fakeInbox{}, Modems: &fakeModems{}, Auth: account(t, username, password),
			})}
			if got, body := s.ask(route, header); got != expect(want, "") {
				t.Errorf("%s with %s: %s %s", route, header, got, body)
			}
		}
	}
}
