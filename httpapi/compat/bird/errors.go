package bird

import (
	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// trouble is the body of an error. Clients read the message.
type trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	// Details are problems by the path of the field that has them.
	Details map[string][]string `json:"details,omitempty"`
}

// answer is how a kind of trouble is told.
type answer struct {
	status int
	code   string
}

var answers = map[compat.Kind]answer{
	compat.Internal:     {fiber.StatusInternalServerError, "InternalError"},
	compat.Unauthorized: {fiber.StatusUnauthorized, "Unauthorized"},
	compat.Forbidden:    {fiber.StatusForbidden, "Forbidden"},
	compat.TooMany:      {fiber.StatusTooManyRequests, "TooManyRequests"},
	compat.NotFound:     {fiber.StatusNotFound, "NotFound"},
	compat.Duplicate:    {fiber.StatusConflict, "Conflict"},
	compat.NotPending:   {fiber.StatusConflict, "Conflict"},
	compat.Full:         {fiber.StatusServiceUnavailable, "ServiceUnavailable"},
	compat.TooLarge:     {fiber.StatusRequestEntityTooLarge, "PayloadTooLarge"},
	compat.Malformed:    {fiber.StatusBadRequest, invalidPayload},
}

const invalidPayload = "InvalidPayload"

// fail answers an error. The vendor's documentation has 400 for what is not valid; integrators have seen
// 422, so that the configuration may say that.
func (d *Dialect) fail(c *fiber.Ctx, t compat.Trouble) error {
	a, body := answers[t.Kind], trouble{Message: t.Problem}
	if t.Kind == compat.Invalid {
		a = answer{d.opts.ValidationStatus, invalidPayload}
		body.Message = t.Field + ": " + t.Problem
		body.Details = map[string][]string{t.Field: {t.Problem}}
	}
	body.Code = a.code
	return c.Status(a.status).JSON(body)
}
