package compat

import (
	"errors"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/httpapi/links"
	"dongled/httpapi/templates"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
)

// Kind is whose fault an error is, and of what sort. Each dialect has its own words and status for each.
type Kind uint8

// The kinds.
const (
	// Internal is a bug or a store that is unwell: nothing was done, and the request may be repeated.
	Internal Kind = iota
	Unauthorized
	Forbidden
	// TooMany says that the client has to wait, RetryAfter.
	TooMany
	// Invalid is a fault in Field.
	Invalid
	NotFound
	Duplicate
	NotPending
	// Full says that the queue takes nothing for now.
	Full
	// TooLarge is a body beyond the limit; Malformed a request that is no HTTP, or took too long.
	TooLarge
	Malformed
)

// Trouble is an error as a dialect tells it.
type Trouble struct {
	Kind Kind
	// Field is the SMSGate name of what is Invalid, or the dialect's own if it was found by Fault.
	Field string
	// Problem is a sentence for a person, without the field.
	Problem string
	// RetryAfter is how long to wait; 0 for no matter.
	RetryAfter time.Duration
}

// Error implements error: a dialect returns what only it can know as it is to be told.
func (t *Trouble) Error() string { return t.Problem }

// Fault is the client's fault in a field that the dialect names.
func Fault(field, format string, args ...any) error {
	return &queue.FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Explain says what an error of a handler is. Nothing of an unknown one is told: the server logs it.
func Explain(err error) Trouble {
	var (
		field     *queue.FieldError
		limit     *queue.LimitError
		tooMany   *auth.TooMany
		forbidden *auth.Forbidden
		template  *templates.Fault
		router    *fiber.Error
		own       *Trouble
	)
	switch {
	case errors.As(err, &own):
		return *own
	case errors.As(err, &field):
		return Trouble{Kind: Invalid, Field: field.Field, Problem: field.Problem}
	case errors.As(err, &template) && template.NotFound:
		return Trouble{Kind: NotFound, Field: template.Field, Problem: template.Problem}
	case errors.As(err, &template):
		return Trouble{Kind: Invalid, Field: template.Field, Problem: template.Problem}
	case errors.As(err, &limit):
		return Trouble{Kind: Full, Problem: limit.Error(), RetryAfter: time.Minute}
	case errors.As(err, &tooMany):
		return Trouble{Kind: TooMany, Problem: "too many wrong credentials from this address", RetryAfter: tooMany.RetryAfter}
	case errors.As(err, &forbidden):
		return Trouble{Kind: Forbidden, Problem: forbidden.Error()}
	case errors.As(err, &router):
		return protocol(router.Code)
	}
	for _, known := range troubles {
		if errors.Is(err, known.err) {
			return known.Trouble
		}
	}
	return Trouble{Kind: Internal, Problem: "the gateway could not do it; nothing was accepted, try again", RetryAfter: 5 * time.Second}
}

var troubles = []struct {
	err error
	Trouble
}{
	{auth.ErrUnauthorized, Trouble{Kind: Unauthorized, Problem: "missing or wrong credentials"}},
	{auth.ErrBusy, Trouble{Kind: TooMany, Problem: auth.ErrBusy.Error(), RetryAfter: time.Second}},
	{queue.ErrDuplicateID, Trouble{Kind: Duplicate, Problem: "a message with this ID exists"}},
	{queue.ErrNotPending, Trouble{Kind: NotPending, Problem: "the message is no longer pending"}},
	{queue.ErrNotFound, Trouble{Kind: NotFound, Problem: "message not found"}},
	{inbox.ErrNotFound, Trouble{Kind: NotFound, Problem: "message not found"}},
	{links.ErrOff, Trouble{Kind: Invalid, Field: "shortLinks", Problem: links.ErrOff.Error()}},
	{links.ErrDomain, Trouble{Kind: Invalid, Field: "shortLinks.domain", Problem: links.ErrDomain.Error()}},
}

// protocol words the errors of fiber's router and of the server's reading of bodies.
func protocol(status int) Trouble {
	switch status {
	case fiber.StatusNotFound, fiber.StatusMethodNotAllowed:
		return Trouble{Kind: NotFound, Problem: "no such route"}
	case fiber.StatusRequestEntityTooLarge:
		return Trouble{Kind: TooLarge, Problem: "request body too large"}
	case fiber.StatusUnsupportedMediaType:
		return Trouble{Kind: Malformed, Problem: "Content-Encoding is not supported, send the body uncompressed"}
	case fiber.StatusServiceUnavailable:
		return Trouble{Kind: Full, Problem: "too many large requests at once; nothing was done, try again", RetryAfter: time.Second}
	case fiber.StatusRequestTimeout:
		return Trouble{Kind: Malformed, Problem: "the request took too long to arrive"}
	}
	return Trouble{Kind: Malformed, Problem: "malformed HTTP request"}
}
