package compat_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/httpapi/compat"
	"dongled/httpapi/links"
	"dongled/httpapi/templates"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want compat.Trouble
	}{
		{compat.Fault("to", "has %d digits", 3), compat.Trouble{Kind: compat.Invalid, Field: "to", Problem: "has 3 digits"}},
		{&queue.FieldError{Field: "ttl", Problem: "is over"}, compat.Trouble{Kind: compat.Invalid, Field: "ttl", Problem: "is over"}},
		{&templates.Fault{Field: "locale", Problem: "has no text"}, compat.Trouble{Kind: compat.Invalid, Field: "locale", Problem: "has no text"}},
		{&templates.Fault{Field: "version", Problem: "is not there", NotFound: true}, compat.Trouble{Kind: compat.NotFound, Field: "version", Problem: "is not there"}},
		{&auth.TooMany{RetryAfter: 3 * time.Second}, compat.Trouble{Kind: compat.TooMany, Problem: "too many wrong credentials from this address", RetryAfter: 3 * time.Second}},
		{&auth.Forbidden{Scope: "inbox:list"}, compat.Trouble{Kind: compat.Forbidden, Problem: "scope required: inbox:list"}},
		{auth.ErrUnauthorized, compat.Trouble{Kind: compat.Unauthorized, Problem: "missing or wrong credentials"}},
		{auth.ErrBusy, compat.Trouble{Kind: compat.TooMany, Problem: "too many passwords to check at once, try again", RetryAfter: time.Second}},
		{queue.ErrDuplicateID, compat.Trouble{Kind: compat.Duplicate, Problem: "a message with this ID exists"}},
		{queue.ErrNotPending, compat.Trouble{Kind: compat.NotPending, Problem: "the message is no longer pending"}},
		{queue.ErrNotFound, compat.Trouble{Kind: compat.NotFound, Problem: "message not found"}},
		{inbox.ErrNotFound, compat.Trouble{Kind: compat.NotFound, Problem: "message not found"}},
		{links.ErrOff, compat.Trouble{Kind: compat.Invalid, Field: "shortLinks", Problem: links.ErrOff.Error()}},
		{&compat.Trouble{Kind: compat.NotFound, Problem: "no such channel"}, compat.Trouble{Kind: compat.NotFound, Problem: "no such channel"}},
		{fiber.ErrNotFound, compat.Trouble{Kind: compat.NotFound, Problem: "no such route"}},
		{fiber.ErrMethodNotAllowed, compat.Trouble{Kind: compat.NotFound, Problem: "no such route"}},
		{fiber.ErrRequestEntityTooLarge, compat.Trouble{Kind: compat.TooLarge, Problem: "request body too large"}},
		{fiber.ErrUnsupportedMediaType, compat.Trouble{Kind: compat.Malformed, Problem: "Content-Encoding is not supported, send the body uncompressed"}},
		{fiber.ErrServiceUnavailable, compat.Trouble{Kind: compat.Full, Problem: "too many large requests at once; nothing was done, try again", RetryAfter: time.Second}},
		{fiber.ErrRequestTimeout, compat.Trouble{Kind: compat.Malformed, Problem: "the request took too long to arrive"}},
		{fiber.ErrBadRequest, compat.Trouble{Kind: compat.Malformed, Problem: "malformed HTTP request"}},
		{fiber.NewError(599, "quotes the request"), compat.Trouble{Kind: compat.Malformed, Problem: "malformed HTTP request"}},
		{errors.New("bolt: page 5 is free"), compat.Trouble{Kind: compat.Internal, Problem: "the gateway could not do it; nothing was accepted, try again", RetryAfter: 5 * time.Second}},
	} {
		for _, err := range []error{tt.err, fmt.Errorf("submit: %w", tt.err)} {
			if got := compat.Explain(err); got != tt.want {
				t.Errorf("%v\n got %+v\nwant %+v", err, got, tt.want)
			}
		}
	}
}

// TestExplainFull: the limit's own words say which it is.
func TestExplainFull(t *testing.T) {
	got := compat.Explain(fmt.Errorf("submit: %w", &queue.LimitError{}))
	if got.Kind != compat.Full || got.Problem != (&queue.LimitError{}).Error() || got.RetryAfter != time.Minute {
		t.Errorf("%+v", got)
	}
}
