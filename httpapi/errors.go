package httpapi

import (
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/scheduler/queue"
)

// errorBody is SMSGate's error shape. Its code and data are never filled by its servers either.
type errorBody struct {
	Message string `json:"message"`
}

// statusError is an answer that this package decides itself.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

var (
	errUnauthorized = &statusError{fiber.StatusUnauthorized, "Unauthorized"}
	errPanic        = &statusError{fiber.StatusInternalServerError, "internal error"}
	errBusy         = &statusError{fiber.StatusTooManyRequests, auth.ErrBusy.Error()}
)

// storeError hides a failure of the store from the client, who is told whether to retry.
type storeError struct {
	message string
	err     error
}

func (e *storeError) Error() string { return e.message + ": " + e.err.Error() }
func (e *storeError) Unwrap() error { return e.err }

// What a 503 asks clients to wait, in seconds: until a store or a modem is well again, and until some
// of a full queue was sent.
const (
	retryAfter     = "5"
	retryFullAfter = "60"
)

func fromSubmit(err error) error {
	return fromStore(err, "the message store is unavailable; nothing was accepted, try again")
}

func fromRead(err error) error {
	return fromStore(err, "the message store is unavailable, try again")
}

// fromStore passes the client's own faults through and wraps everything else.
func fromStore(err error, message string) error {
	var (
		field *queue.FieldError
		limit *queue.LimitError
	)
	switch {
	case err == nil,
		errors.As(err, &field),
		errors.As(err, &limit),
		errors.Is(err, queue.ErrDuplicateID),
		errors.Is(err, queue.ErrNotFound),
		errors.Is(err, queue.ErrNotPending):
		return err
	}
	return &storeError{message, err}
}

// answer maps an error to what the client sees. Nothing of an unknown error reaches the client.
func answer(err error) (status int, message string) {
	var (
		field  *queue.FieldError
		limit  *queue.LimitError
		own    *statusError
		store  *storeError
		router *fiber.Error
	)
	switch {
	case errors.As(err, &field):
		return fiber.StatusBadRequest, field.Error()
	case errors.As(err, &own):
		return own.status, own.message
	case errors.As(err, &limit):
		return fiber.StatusServiceUnavailable, limit.Error()
	case errors.As(err, &store):
		return fiber.StatusServiceUnavailable, store.message
	case errors.Is(err, queue.ErrDuplicateID):
		return fiber.StatusConflict, "message with the same ID already exists"
	case errors.Is(err, queue.ErrNotPending):
		return fiber.StatusConflict, "message is not pending"
	case errors.Is(err, queue.ErrNotFound):
		return fiber.StatusNotFound, "message not found"
	case errors.As(err, &router):
		return router.Code, protocolMessage(router.Code)
	}
	return fiber.StatusInternalServerError, "internal error"
}

// protocolMessage words the errors of fiber's router and of fasthttp's parser. Their own texts
// quote the request, which may hold what does not belong into an error.
func protocolMessage(status int) string {
	switch status {
	case fiber.StatusBadRequest:
		return "malformed HTTP request"
	case fiber.StatusNotFound:
		return "no such route"
	case fiber.StatusMethodNotAllowed:
		return "method not allowed"
	case fiber.StatusRequestTimeout:
		return "the request took too long to arrive"
	case fiber.StatusRequestEntityTooLarge:
		return "request body too large"
	case fiber.StatusRequestHeaderFieldsTooLarge:
		return fmt.Sprintf("request headers too large: at most %d bytes", maxHeader)
	}
	return "request failed"
}

// fail writes an error as the answer. It is also fiber's ErrorHandler, for requests that fasthttp
// gave up before any of our handlers ran.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	status, message := answer(err)
	// What this package decided itself is about a dongle, or was logged where it happened.
	var (
		own   *statusError
		limit *queue.LimitError
	)
	full := errors.As(err, &limit)
	switch {
	case full:
		s.log.Warn("a message was not taken", "error", err)
		c.Set(fiber.HeaderRetryAfter, retryFullAfter)
	case status == fiber.StatusServiceUnavailable:
		c.Set(fiber.HeaderRetryAfter, retryAfter)
	}
	if status >= fiber.StatusInternalServerError && !full && !errors.As(err, &own) {
		s.log.Error("http request failed", "status", status, "error", err)
	}
	if status == fiber.StatusRequestEntityTooLarge {
		message = fmt.Sprintf("%s: at most %d bytes", message, s.opt.MaxBody)
	}
	return c.Status(status).JSON(errorBody{message})
}
