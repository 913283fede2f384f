package main

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"dongled/configs"
	"dongled/httpapi/auth"
)

// scopesOf are the operations of the whole document with the scopes of which one lets in; "open" lets in
// everybody, "none" whoever has credentials. The rest of a line is prefixes of paths that have the same.
const scopesOf = `
open            GET     /health /health/live /health/ready /health/startup /openapi.yaml /docs /docs/{file}
none            GET     /
messages:send   POST    /messages /modems/{sim}/ussd
messages:list|messages:read GET /messages
messages:read   GET     /messages/{id}
messages:cancel DELETE  /messages/{id}
messages:send   DELETE  /modems/{sim}/ussd
messages:export POST    /messages/inbox/export /inbox/export
inbox:list      GET     /inbox /inbox/unreadable
inbox:read      GET     /inbox/{id}/attachments/{partId}
inbox:refresh   POST    /inbox/refresh
devices:list    GET     /devices /modems /modems/{sim}
devices:delete  DELETE  /devices/{id}
webhooks:list   GET     /webhooks /webhooks/{id}/deliveries /callbacks
webhooks:write  POST    /webhooks /webhooks/{id}/test /webhooks/{id}/deliveries/{delivery}/replay
webhooks:delete DELETE  /webhooks/{id}
settings:read   GET     /settings
settings:write  PUT     /settings
settings:write  PATCH   /settings
logs:read       GET     /logs /modems/{sim}/trace
links:read      GET     /links
tokens:manage   POST    /auth/token
tokens:manage   DELETE  /auth/token/{jti}
tokens:refresh  POST    /auth/token/refresh /auth/refresh
templates:read  GET     /templates /templates/{id}
templates:read  POST    /templates/{id}/render
templates:write POST    /templates /templates/{id}/versions /templates/{id}/versions/{version}/activate /templates/{id}/versions/{version}/retire
templates:write PUT     /templates/{id} /templates/{id}/versions/{version}
templates:write DELETE  /templates/{id} /templates/{id}/versions/{version}

messages:send   POST    /hooks/alertmanager /hooks/alertmanager/{receiver} /hooks/grafana /hooks/grafana/{receiver}
messages:send   PUT     /hooks/grafana /hooks/grafana/{receiver}

messages:send   POST    BIRD/channels/{channelId}/messages
messages:list|messages:read GET BIRD/channels/{channelId}/messages BIRD/channels BIRD/channels/{channelId}
messages:read   GET     BIRD/channels/{channelId}/messages/{messageId}
webhooks:list   GET     HOOKS HOOKS/{webhookSubscriptionId} /organizations/{organizationId}HOOKS /organizations/{organizationId}HOOKS/{webhookSubscriptionId}
webhooks:write  POST    HOOKS /organizations/{organizationId}HOOKS
webhooks:write  PATCH   HOOKS/{webhookSubscriptionId} /organizations/{organizationId}HOOKS/{webhookSubscriptionId}
webhooks:delete DELETE  HOOKS/{webhookSubscriptionId} /organizations/{organizationId}HOOKS/{webhookSubscriptionId}

messages:send   POST    /sms
inbox:list      GET     /sms /sms/{place} /getsms
inbox:list      DELETE  /sms/{place}
devices:list    GET     /signal /network /reset

messages:send   GET     /cgi-bin/sendsms
messages:send   POST    /cgi-bin/sendsms

messages:send   POST    /skycore /skycore/v2
settings:read   GET     LIST LIST/{ref} LIST/{ref}/subscribers LIST/{ref}/subscribers/{number}
settings:write  PUT     LIST/{ref} LIST/{ref}/subscribers/{number}
settings:write  POST    LIST/{ref}/subscribers
settings:write  DELETE  LIST/{ref} LIST/{ref}/subscribers/{number}

messages:send   GET     EAGLE/send_sms EAGLE/send_togroup EAGLE/send_tocontact EAGLE/ring_call EAGLE/tts_call EAGLE/tts_adv_call
messages:send   POST    EAGLE/send_sms EAGLE/send_togroup EAGLE/send_tocontact EAGLE/ring_call EAGLE/tts_call EAGLE/tts_adv_call
messages:send   POST    /index.phpEAGLE/send_sms /index.phpEAGLE/send_togroup /index.phpEAGLE/send_tocontact
messages:send   POST    /index.phpEAGLE/ring_call /index.phpEAGLE/tts_call /index.phpEAGLE/tts_adv_call
messages:send   GET     /index.phpEAGLE/send_sms /index.phpEAGLE/send_togroup /index.phpEAGLE/send_tocontact
messages:send   GET     /index.phpEAGLE/ring_call /index.phpEAGLE/tts_call /index.phpEAGLE/tts_adv_call
messages:send   POST    V2/messages/sms V2/calls/ring V2/calls/tts V2/calls/tts_advanced /jsonrpc/sms
messages:send   POST    /index.phpV2/messages/sms /index.phpV2/calls/ring /index.phpV2/calls/tts /index.phpV2/calls/tts_advanced /index.php/jsonrpc/sms
devices:list    GET     V2/modem/signal V2/modem/signal/{modem} /index.phpV2/modem/signal /index.phpV2/modem/signal/{modem}

messages:send   POST    TWILIO/Messages.json /authentik/sms
messages:list|messages:read GET TWILIO/Messages.json
messages:read   GET     TWILIO/Messages/{Sid}.json
messages:cancel POST    TWILIO/Messages/{Sid}.json
messages:cancel DELETE  TWILIO/Messages/{Sid}.json
`

var shorthands = strings.NewReplacer(
	"BIRD", "/workspaces/{workspaceId}", "HOOKS", "/workspaces/{workspaceId}/webhook-subscriptions", "LIST", "/skycore/campaigns",
	"EAGLE", "/http_api", "V2", "/api/v2", "TWILIO", "/2010-04-01/Accounts/{AccountSid}",
)

// scopedOperation is one of the document with what lets in.
type scopedOperation struct {
	method, path string
	scopes       []string
}

func (o scopedOperation) String() string { return o.method + " " + o.path }

// scopedOperations reads scopesOf.
func scopedOperations() (all []scopedOperation) {
	for line := range strings.Lines(scopesOf) {
		if f := strings.Fields(line); len(f) > 2 {
			for _, path := range f[2:] {
				all = append(all, scopedOperation{f[1], shorthands.Replace(path), strings.Split(f[0], "|")})
			}
		}
	}
	return all
}

// The values of parameters that something else than the scope would be refused for.
const (
	scopedWorkspace = "a1405560-c8d3-4b1a-877d-3f449ad95352"
	scopedAccount   = "AC0123456789abcdef0123456789abcdef"
)

// asks makes the request of an operation. A key of "" shows nothing.
func (o scopedOperation) asks(t *testing.T, w *whole, key string) answer {
	t.Helper()
	path := strings.NewReplacer("{workspaceId}", scopedWorkspace, "{organizationId}", scopedWorkspace, "{AccountSid}", scopedAccount, "{sim}", "1").Replace(o.path)
	path = regexpBraces.ReplaceAllString(path, "unheard-of")
	body, header := "", []string{"Authorization", ""}
	if o.method != "GET" && o.method != "DELETE" {
		body = "{}"
	}
	switch {
	case key == "":
	case strings.HasPrefix(o.path, "/cgi-bin/"): // has users alone, who are called as their keys
		path += "?" + url.Values{"username": {"user-" + key}, "password": {key}}.Encode()
	case strings.HasPrefix(o.path, "/workspaces"), strings.HasPrefix(o.path, "/organizations"):
		header = []string{"Authorization", "AccessKey " + key}
	case strings.HasPrefix(o.path, "/skycore"):
		header = append(header, "x-api-key", key)
	default:
		header = []string{"Authorization", "Bearer " + key}
	}
	return w.ask(t, o.method, path, body, header...)
}

// vendorsNo are refusals of APIs that have 200 for everything.
var vendorsNo = regexp.MustCompile(`"error-code":"E10[45]"`)

// saysNo reports whether an answer says that the credentials do not do.
func saysNo(got answer) bool {
	return got.status == 401 || got.status == 403 || got.status == 200 && vendorsNo.MatchString(got.body)
}

// scopeKeys adds two keys for each operation's scopes, and users for the API that has no keys: one with
// nothing else, one with all else.
func (w *whole) scopeKeys(t *testing.T, o scopedOperation) (only, but string) {
	t.Helper()
	only, but = "only-the-scope-"+strings.Join(o.scopes, "-or-"), "all-but-"+strings.Join(o.scopes, "-or-")
	only, but = strings.ReplaceAll(only, ":", "."), strings.ReplaceAll(but, ":", ".")
	others := slices.DeleteFunc(auth.Scopes(), func(s string) bool {
		return s == auth.AllAny || s == "tokens:manage" || slices.Contains(o.scopes, s)
	})
	for key, scopes := range map[string][]string{only: o.scopes, but: others} {
		if _, err := w.d.rooms.auth.AddKey(t.Context(), key, key, scopes, true); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(o.path, "/cgi-bin/") {
			if err := w.d.rooms.auth.AddUser(t.Context(), "user-"+key, key, scopes, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	return only, but
}

// TestScopes holds every operation of every API to its scope: without credentials nothing is done, nor with
// a key that may do all else; with one that has the scope alone the way is free.
func TestScopes(t *testing.T) {
	w := runWhole(t, func(cfg *configs.Config) {
		cfg.Bird.Workspace = scopedWorkspace
	})
	for _, o := range scopedOperations() {
		if slices.Equal(o.scopes, []string{"open"}) {
			continue
		}
		if got := o.asks(t, w, ""); !saysNo(got) {
			t.Errorf("%s without credentials: %d %.200s", o, got.status, got.body)
		}
		if scope := o.scopes[0]; scope == "none" || scope == "tokens:manage" || scope == "tokens:refresh" {
			continue // which no key has
		}
		only, but := w.scopeKeys(t, o)
		if got := o.asks(t, w, but); !saysNo(got) || got.status == 401 {
			t.Errorf("%s without its scope: %d %.200s", o, got.status, got.body)
		}
		if got := o.asks(t, w, only); saysNo(got) || got.status == 429 {
			t.Errorf("%s with its scope: %d %.200s", o, got.status, got.body)
		}
	}
	if n := len(w.object(t, 200, "GET", "/health", "")); n == 0 {
		t.Error("it is not well")
	}
}

// TestScopesAreWhole: there is no operation in the document that TestScopes does not know, and none in
// TestScopes that is not there.
func TestScopesAreWhole(t *testing.T) {
	w := runWhole(t)
	doc, err := openapi3.NewLoader().LoadFromData([]byte(w.ask(t, "GET", "/openapi.yaml", "").body))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			there[method+" "+path] = true
		}
	}
	for _, o := range scopedOperations() {
		if !there[o.String()] && o.path != "/inbox/export" {
			t.Errorf("%s is not in the document", o)
		}
		delete(there, o.String())
	}
	for _, o := range slices.Sorted(maps.Keys(there)) {
		t.Errorf("%s is asked for no scope by this test", o)
	}
}

// TestLockOutIsOne: who guesses by the ways of several APIs has to wait in all of them.
func TestLockOutIsOne(t *testing.T) {
	w := runWhole(t)
	const key = "a key of a client's own"
	ways := map[string]func(secret string) answer{
		"bird": func(k string) answer {
			return scopedOperation{"GET", "/workspaces/{workspaceId}/channels", nil}.asks(t, w, k)
		},
		"skycore": func(k string) answer { return scopedOperation{"GET", "/skycore/campaigns", nil}.asks(t, w, k) },
		"kannel":  func(k string) answer { return scopedOperation{"GET", "/cgi-bin/sendsms", nil}.asks(t, w, k) },
		"gammu":   func(k string) answer { return scopedOperation{"GET", "/sms", nil}.asks(t, w, k) },
		"smseagle": func(k string) answer {
			return w.ask(t, "GET", "/http_api/send_sms?access_token="+k, "", "Authorization", "")
		},
		"json": func(k string) answer {
			return w.ask(t, "POST", "/jsonrpc/sms", fmt.Sprintf(`{"method":"sms.send_sms","params":{"access_token":%q}}`, k), "Authorization", "")
		},
		"headers": func(k string) answer {
			return w.ask(t, "GET", "/api/v2/modem/signal", "", "Authorization", "", "access-token", k)
		},
		"twilio": func(k string) answer {
			return scopedOperation{"GET", "/2010-04-01/Accounts/{AccountSid}/Messages.json", nil}.asks(t, w, k)
		},
		"native": func(k string) answer { return scopedOperation{"GET", "/messages", nil}.asks(t, w, k) },
	}
	brought := strings.ReplaceAll(key, " ", ".")
	if _, err := w.d.rooms.auth.AddKey(t.Context(), "client", brought, []string{auth.AllAny}, false); err != nil {
		t.Fatal(err)
	}
	for i, name := range slices.Sorted(maps.Keys(ways)) {
		got := ways[name]("wrong-" + name)
		if waits := got.status == 429; waits != (i >= 5) || !waits && !saysNo(got) {
			t.Errorf("wrong try %d, %s: %d %s", i+1, name, got.status, got.body)
		}
	}
	for name, ask := range ways {
		if got := ask(brought); got.status != 429 && name != "kannel" { // where a key is no password
			t.Errorf("%s lets the right key in among guesses: %d %s", name, got.status, got.body)
		}
	}
	if said := w.log.String(); strings.Contains(said, "wrong-") || strings.Contains(said, brought) {
		t.Error("the log has what was guessed")
	}
}

// TestOffIsOff: an API that is switched off has no route and no word in the document.
func TestOffIsOff(t *testing.T) {
	w := runWhole(t, func(cfg *configs.Config) {
		cfg.Dialects.Off = []string{"alertmanager", "bird", "gammu", "grafana", "kannel", "skycore", "smseagle", "twilio"}
	})
	own, err := openapi3.NewLoader().LoadFromFile("../../httpapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(w.ask(t, "GET", "/openapi.yaml", "").body))
	if err != nil {
		t.Fatal(err)
	}
	if there, want := doc.Paths.Len(), own.Paths.Len(); there != want {
		t.Errorf("the document has %d paths, want %d", there, want)
	}
	off := 0
	for _, o := range scopedOperations() {
		if own.Paths.Value(o.path) != nil || o.path == "/inbox/export" {
			continue
		}
		off++
		got := w.ask(t, o.method, regexpBraces.ReplaceAllString(o.path, "1"), "")
		if err := shape(got.body, `{"message":"<id>"}`); got.status != 404 || err != nil {
			t.Errorf("%s: %d %s", o, got.status, got.body)
		}
	}
	if off < 60 {
		t.Errorf("only %d operations", off)
	}
}
