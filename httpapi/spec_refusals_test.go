package httpapi_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/httpapi/auth"
)

// moodyAuth judges by its mood, whatever the credentials are.
type moodyAuth struct {
	scopes []string
	err    error
	crash  bool
}

func (a moodyAuth) Authenticate(context.Context, string, string) (auth.Identity, error) {
	if a.crash {
		panic("a bug")
	}
	return auth.Identity{User: username, Scopes: a.scopes, TokenID: "a token"}, a.err
}

var errDown = errors.New("disk on fire")

func (moodyAuth) Issue(context.Context, auth.Identity, time.Duration, []string) (auth.Tokens, error) {
	return auth.Tokens{}, errDown
}
func (moodyAuth) Refresh(context.Context, auth.Identity) (auth.Tokens, error) {
	return auth.Tokens{}, errDown
}
func (moodyAuth) Revoke(context.Context, auth.Identity, string) error { return errDown }

// Whatever the document says of refusals that are not about the request's own matter, every operation
// of it answers so.
func TestSpecRefusals(t *testing.T) {
	t.Parallel()
	everything := []string{auth.AllAny, auth.TokensRefresh}
	for status, how := range map[int]struct {
		auth   moodyAuth
		body   string
		header []string
	}{
		401: {auth: moodyAuth{err: auth.ErrUnauthorized}},
		403: {auth: moodyAuth{scopes: []string{"unheard:of"}}},
		413: {auth: moodyAuth{scopes: everything}, body: strings.Repeat(" ", 2000), header: []string{"Content-Type", "application/json"}},
		415: {auth: moodyAuth{scopes: everything}, body: "{}", header: []string{"Content-Encoding", "gzip"}},
		429: {auth: moodyAuth{err: &auth.TooMany{RetryAfter: time.Second}}},
		500: {auth: moodyAuth{crash: true}},
	} {
		s := start(t, func(o *httpapi.Options) { o.Auth, o.MaxBody = how.auth, 1000 })
		for _, op := range refusing(t, status) {
			method, path, _ := strings.Cut(op, " ")
			if got := s.do(method, plainPath(path), how.body, how.header...); got.status != status {
				t.Errorf("%s: %d %s, want %d", op, got.status, got.body, status)
			}
		}
	}
}

// refusing are the operations of which the document has that answer.
func refusing(t *testing.T, status int) (ops []string) {
	t.Helper()
	doc, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.Responses.Value(strconv.Itoa(status)) != nil {
				ops = append(ops, method+" "+path)
			}
		}
	}
	return ops
}

// plainPath is a path of the document with ids of nothing in it.
func plainPath(path string) string {
	return strings.NewReplacer("{id}", "x", "{jti}", "x", "{delivery}", "x", "{version}", "1", "{partId}", "1", "{sim}", "1", "{file}", "x").Replace(path)
}

// Tokens are in the store, too.
func TestTokensWithoutStore(t *testing.T) {
	refresh := start(t, func(o *httpapi.Options) { o.Auth = moodyAuth{scopes: []string{auth.TokensRefresh}} })
	manage := start(t, func(o *httpapi.Options) { o.Auth = moodyAuth{scopes: []string{"tokens:manage"}} })
	for _, got := range []reply{
		manage.do("POST", "/auth/token", `{"scopes":["all:any"]}`), manage.do("DELETE", "/auth/token/x", ""),
		refresh.do("POST", "/auth/token/refresh", ""), refresh.do("POST", "/auth/refresh", ""),
	} {
		got.wantMessage(t, http.StatusServiceUnavailable, "the store is unavailable; nothing was changed, try again")
	}
}

// What else cannot be done without the store.
func TestRoutesWithoutStore(t *testing.T) {
	s, hooks := startHooks(t)
	s.do("DELETE", "/webhooks/x", "").want(t, http.StatusNoContent, "")
	hooks.err, s.inbox.err = errDown, errDown
	s.queue.fail(errDown)
	for path, body := range map[string]string{
		"/webhooks":      `{"url":"https://example.com/","event":"sms:received"}`,
		"/inbox/refresh": `{"since":"2024-01-01T00:00:00Z","until":"2024-01-02T00:00:00Z","triggerWebhooks":true}`,
	} {
		if got := s.do("POST", path, body); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := s.do("GET", "/health/startup", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("/health/startup: %d %s", got.status, got.body)
	}
}
