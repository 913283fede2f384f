package compat

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// plain is the error of APIs that say no more than a sentence.
type plain struct {
	Message string `json:"message"`
}

// statuses are what most APIs would answer. Full and Internal are for who tries again upon a 503.
var statuses = map[Kind]int{
	Unauthorized: fiber.StatusUnauthorized, Forbidden: fiber.StatusForbidden, TooMany: fiber.StatusTooManyRequests,
	Invalid: fiber.StatusBadRequest, Malformed: fiber.StatusBadRequest, NotFound: fiber.StatusNotFound,
	Duplicate: fiber.StatusConflict, NotPending: fiber.StatusConflict, TooLarge: fiber.StatusRequestEntityTooLarge,
	Full: fiber.StatusServiceUnavailable, Internal: fiber.StatusServiceUnavailable,
}

// Status is the HTTP status of a kind of trouble for dialects whose vendor has no other.
func Status(k Kind) int { return statuses[k] }

// String is the problem behind the name of its field.
func (t Trouble) String() string {
	if t.Field == "" {
		return t.Problem
	}
	return t.Field + ": " + t.Problem
}

// Plainly is for Answering: {"message": …} with Status.
func Plainly(c *fiber.Ctx, t Trouble) error { return c.Status(Status(t.Kind)).JSON(plain{t.String()}) }

// Header is for Enter: users, tokens and keys in the Authorization header, as SMSGate has them.
func Header(c *fiber.Ctx) Credentials {
	return Credentials{Header: c.Get(fiber.HeaderAuthorization)}
}

// Named gives what is Invalid in the words of others the name that it has in a dialect. names are pairs of
// the beginning of the former and the latter; of several that fit the first counts.
func Named(err error, names ...string) error {
	t := Explain(err)
	for i := 0; t.Kind == Invalid && i+1 < len(names); i += 2 {
		if strings.HasPrefix(t.Field, names[i]) {
			return Fault(names[i+1], "%s", t.Problem)
		}
	}
	return err
}
