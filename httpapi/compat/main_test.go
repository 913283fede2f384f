package compat_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"dongled/httpapi/auth"
	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m, compattest.Known()...) }

// judge is an Auth that lets in whom it is told to, and says what it was asked.
type judge struct {
	id    auth.Identity
	err   error
	asked string
}

func (j *judge) Authenticate(_ context.Context, header, addr string) (auth.Identity, error) {
	j.asked = "header " + header + " from " + addr
	return j.id, j.err
}

func (j *judge) Password(_ context.Context, user, password, addr string) (auth.Identity, error) {
	j.asked = "password " + user + ":" + password + " from " + addr
	return j.id, j.err
}

func (j *judge) Key(_ context.Context, key, addr string) (auth.Identity, error) {
	j.asked = "key " + key + " from " + addr
	return j.id, j.err
}

// answered is what a client got.
type answered struct {
	status int
	body   string
	header http.Header
}

// route has one request go through handlers, of which the last is the dialect's own.
func route(t *testing.T, j *judge, log io.Writer, fail func(*fiber.Ctx, compat.Trouble) error, handlers func(compat.Gateway) []fiber.Handler) answered {
	t.Helper()
	g := compat.Gateway{Auth: j, Serving: t.Context(), Log: slog.New(slog.NewTextHandler(log, nil))}
	app := fiber.New()
	app.Get("/v9/send/:id", append([]fiber.Handler{g.Answering(fail)}, handlers(g)...)...)
	resp, err := app.Test(httptest.NewRequest(http.MethodGet, "/v9/send/4711", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{resp.StatusCode, string(body), resp.Header}
}

// plain tells a trouble as it is, with one status for all.
func plain(status int) func(*fiber.Ctx, compat.Trouble) error {
	return func(c *fiber.Ctx, t compat.Trouble) error { return c.Status(status).SendString(t.Problem) }
}

// failing is a handler with an error.
func failing(err error) func(compat.Gateway) []fiber.Handler {
	return func(compat.Gateway) []fiber.Handler {
		return []fiber.Handler{func(*fiber.Ctx) error { return err }}
	}
}

func TestAnswering(t *testing.T) {
	for _, tt := range []struct {
		name        string
		err         error
		retry, body string
		logs        bool
	}{
		{"none", nil, "", "", false},
		{"a fault", compat.Fault("to", "must be a number, not %d", 5), "", "must be a number, not 5", false},
		{"busy", auth.ErrBusy, "1", "too many passwords to check at once, try again", false},
		{"its own", &compat.Trouble{Kind: compat.Full, Problem: "later", RetryAfter: 1500e6}, "2", "later", false},
		{"unknown", errors.New("disk on fire"), "5", "the gateway could not do it; nothing was accepted, try again", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			got := route(t, &judge{}, &log, plain(418), failing(tt.err))
			if want := 418; tt.err != nil && got.status != want || got.body != tt.body || got.header.Get("Retry-After") != tt.retry {
				t.Errorf("%d %q, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
			}
			if logged := strings.Contains(log.String(), `level=ERROR msg="http request failed" route=/v9/send/:id err="disk on fire"`); logged != tt.logs {
				t.Errorf("log: %s", &log)
			}
			if strings.Contains(log.String(), "4711") || !tt.logs && log.Len() > 0 {
				t.Errorf("log: %s", &log)
			}
		})
	}
}

// TestAnsweringPanics: nobody is told to send again what may have been accepted.
func TestAnsweringPanics(t *testing.T) {
	var log bytes.Buffer
	got := route(t, &judge{}, &log, plain(500), func(compat.Gateway) []fiber.Handler {
		return []fiber.Handler{func(*fiber.Ctx) error { panic("a bug") }}
	})
	const want = "an error in the gateway; look up whether the message was accepted before you send it again"
	if got.status != 500 || got.body != want || got.header.Get("Retry-After") != "" {
		t.Errorf("%+v", got)
	}
	if text := log.String(); !strings.Contains(text, "panic: a bug") || !strings.Contains(text, "main_test.go") {
		t.Errorf("log: %s", text)
	}
}

// TestAnsweringChallenges: a 401 names the schemes, unless the dialect did; no other answer does.
func TestAnsweringChallenges(t *testing.T) {
	both := []string{`Basic realm="dongled", charset="UTF-8"`, "Bearer"}
	own := func(c *fiber.Ctx, _ compat.Trouble) error {
		c.Set("WWW-Authenticate", "AccessKey")
		return c.SendStatus(401)
	}
	for _, tt := range []struct {
		name string
		fail func(*fiber.Ctx, compat.Trouble) error
		want []string
	}{{"401", plain(401), both}, {"its own", own, []string{"AccessKey"}}, {"200", plain(200), nil}} {
		got := route(t, &judge{}, io.Discard, tt.fail, failing(auth.ErrUnauthorized))
		if have := got.header.Values("WWW-Authenticate"); strings.Join(have, "|") != strings.Join(tt.want, "|") {
			t.Errorf("%s: %q", tt.name, have)
		}
	}
}

// TestAnsweringThatFails: where not even the error can be told, the server says so in its own shape.
func TestAnsweringThatFails(t *testing.T) {
	broken := func(*fiber.Ctx, compat.Trouble) error { return errors.New("no template") }
	if got := route(t, &judge{}, io.Discard, broken, failing(auth.ErrUnauthorized)); got.status != 500 {
		t.Errorf("%+v", got)
	}
}
