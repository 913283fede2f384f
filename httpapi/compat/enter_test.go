package compat_test

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/httpapi/compat"
)

// enter sends one request with credentials through Enter, to a handler that says who came in.
func enter(t *testing.T, j *judge, shown compat.Credentials, scopes ...string) (got answered, trouble compat.Trouble) {
	t.Helper()
	fail := func(c *fiber.Ctx, t compat.Trouble) error {
		trouble = t
		return c.SendStatus(403)
	}
	got = route(t, j, io.Discard, fail, func(g compat.Gateway) []fiber.Handler {
		return []fiber.Handler{
			g.Enter(func(*fiber.Ctx) compat.Credentials { return shown }, scopes...),
			func(c *fiber.Ctx) error { return c.SendString(compat.Identity(c).User) },
		}
	})
	return got, trouble
}

func TestEnterAsksByKind(t *testing.T) {
	const from = " from 0.0.0.0" // fiber's test connection
	for _, tt := range []struct {
		name  string
		shown compat.Credentials
		asked string
	}{
		{"header", compat.Credentials{Header: "Basic eA=="}, "header Basic eA==" + from},
		{"key", compat.Credentials{Key: "k"}, "key k" + from},
		{"password", compat.Credentials{User: "u", Password: "p"}, "password u:p" + from},
		{"user alone", compat.Credentials{User: "u"}, "password u:" + from},
		{"all of them", compat.Credentials{Header: "h", Key: "k", User: "u", Password: "p"}, "header h" + from},
		{"key and user", compat.Credentials{Key: "k", User: "u"}, "key k" + from},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := &judge{id: auth.Identity{User: "anna", Scopes: []string{"messages:send"}}}
			if got, _ := enter(t, j, tt.shown, "messages:send"); got.status != 200 || got.body != "anna" || j.asked != tt.asked {
				t.Errorf("%+v after %q", got, j.asked)
			}
		})
	}
	for _, nothing := range []compat.Credentials{{}, {Password: "p"}} {
		j := &judge{id: auth.Identity{User: "anna", Scopes: []string{"all:any"}}}
		if got, trouble := enter(t, j, nothing, "messages:send"); got.status != 403 || trouble.Kind != compat.Unauthorized || j.asked != "" {
			t.Errorf("%+v: %+v, %+v after %q", nothing, got, trouble, j.asked)
		}
	}
}

func TestEnterScopes(t *testing.T) {
	for _, tt := range []struct {
		granted, wanted string
		in              bool
		kind            compat.Kind
	}{
		{"messages:send", "messages:send", true, 0},
		{"messages:read", "messages:list messages:read", true, 0},
		{"all:any", "messages:cancel", true, 0},
		{"messages:read", "", true, 0},
		{"messages:read", "messages:send", false, compat.Forbidden},
		{"", "messages:send", false, compat.Forbidden},
		{"tokens:refresh", "messages:send", false, compat.Unauthorized},
		{"tokens:refresh", "tokens:refresh", false, compat.Unauthorized},
		{"tokens:refresh", "", false, compat.Unauthorized},
	} {
		j := &judge{id: auth.Identity{User: "anna", Scopes: strings.Fields(tt.granted)}}
		got, trouble := enter(t, j, compat.Credentials{Key: "k"}, strings.Fields(tt.wanted)...)
		if (got.status == 200) != tt.in || trouble.Kind != tt.kind {
			t.Errorf("%q for %q: %+v, %+v", tt.granted, tt.wanted, got, trouble)
		}
		if tt.kind == compat.Forbidden && trouble.Problem != "scope required: messages:send" {
			t.Errorf("%q", trouble.Problem)
		}
	}
}

func TestEnterRefusals(t *testing.T) {
	for _, tt := range []struct {
		err   error
		kind  compat.Kind
		retry string
	}{
		{auth.ErrUnauthorized, compat.Unauthorized, ""},
		{&auth.TooMany{RetryAfter: 59*time.Second + time.Millisecond}, compat.TooMany, "60"},
		{&auth.TooMany{RetryAfter: time.Nanosecond}, compat.TooMany, "1"},
		{auth.ErrBusy, compat.TooMany, "1"},
	} {
		got, trouble := enter(t, &judge{err: tt.err}, compat.Credentials{Key: "k"}, "messages:send")
		if trouble.Kind != tt.kind || got.header.Get("Retry-After") != tt.retry {
			t.Errorf("%v: %+v, Retry-After %q", tt.err, trouble, got.header.Get("Retry-After"))
		}
	}
}
