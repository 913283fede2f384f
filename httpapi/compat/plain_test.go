package compat_test

import (
	"errors"
	"io"
	"testing"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// Every kind of trouble has a status, and a sentence that names the field.
func TestPlainly(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		body   string
	}{
		{compat.Fault("to", "is no number"), 400, "to: is no number"},
		{compat.Fault("", "is empty"), 400, "is empty"},
		{auth.ErrUnauthorized, 401, "missing or wrong credentials"},
		{&auth.Forbidden{Scope: "messages:send"}, 403, "scope required: messages:send"},
		{&auth.TooMany{}, 429, "too many wrong credentials from this address"},
		{queue.ErrNotFound, 404, "message not found"},
		{queue.ErrDuplicateID, 409, "a message with this ID exists"},
		{queue.ErrNotPending, 409, "the message is no longer pending"},
		{fiber.ErrRequestEntityTooLarge, 413, "request body too large"},
		{fiber.ErrBadRequest, 400, "malformed HTTP request"},
		{fiber.ErrServiceUnavailable, 503, "too many large requests at once; nothing was done, try again"},
		{errors.New("disk on fire"), 503, "the gateway could not do it; nothing was accepted, try again"},
	} {
		got := route(t, &judge{}, io.Discard, compat.Plainly, failing(tt.err))
		if got.status != tt.status || got.body != `{"message":"`+tt.body+`"}` {
			t.Errorf("%v: %d %s", tt.err, got.status, got.body)
		}
	}
}

func TestHeader(t *testing.T) {
	j := &judge{id: auth.Identity{User: "anna", Scopes: []string{"all:any"}}}
	route(t, j, io.Discard, compat.Plainly, func(g compat.Gateway) []fiber.Handler {
		return []fiber.Handler{
			func(c *fiber.Ctx) error { c.Request().Header.Set("Authorization", "Bearer x"); return c.Next() },
			g.Enter(compat.Header), func(c *fiber.Ctx) error { return c.SendStatus(204) },
		}
	})
	if j.asked != "header Bearer x from 0.0.0.0" {
		t.Errorf("asked %q", j.asked)
	}
}

func TestNamed(t *testing.T) {
	for _, tt := range []struct {
		err         error
		field, text string
	}{
		{&queue.FieldError{Field: "phoneNumbers[2]", Problem: "is no number"}, "to", "is no number"},
		{&queue.FieldError{Field: "simNumber", Problem: "100% unknown"}, "from", "100% unknown"},
		{&queue.FieldError{Field: "ttl", Problem: "too short"}, "ttl", "too short"},
	} {
		got := compat.Explain(compat.Named(tt.err, "phoneNumbers", "to", "simNumber", "from"))
		if got.Kind != compat.Invalid || got.Field != tt.field || got.Problem != tt.text {
			t.Errorf("%v: %+v", tt.err, got)
		}
	}
	for _, err := range []error{queue.ErrNotFound, store.ErrClosed, nil} {
		if got := compat.Named(err, "", "text"); !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if got := compat.Explain(compat.Named(&queue.FieldError{Field: "ttl", Problem: "too short"}, "", "text")); got.Field != "text" {
		t.Errorf("anything else is of %q", got.Field)
	}
}
