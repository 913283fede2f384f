package twilio

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// The vendor's codes, each with its meaning there. codeInvalid is ours, the status: for parameters whose
// faults have no code that we know of.
const (
	codeInvalid       = 400
	codeNoPermission  = 20003
	codeUnfinished    = 20009
	codeNotFound      = 20404
	codeTooMany       = 20429
	codeInternal      = 20500
	codeUnavailable   = 20503
	codeBadTo         = 21211
	codeNoBody        = 21602
	codeNoFrom        = 21603
	codeNoTo          = 21604
	codeBadFrom       = 21606
	codeBadCallback   = 21609
	codeLongBody      = 21617
	codeNoService     = 21701
	codeNotCancelable = 30409
	codeNoSendAt      = 35111
	codeBadSendAt     = 35115
	codeUnserved      = 35118
)

// problem is the vendor's shape of an error.
type problem struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

// Error implements error.
func (p *problem) Error() string { return p.Message }

func newProblem(status, code int, message string) *problem {
	return &problem{code, message, "https://www.twilio.com/docs/errors/" + strconv.Itoa(code), status}
}

// refuse is the client's fault.
func refuse(code int, format string, args ...any) error {
	return newProblem(fiber.StatusBadRequest, code, fmt.Sprintf(format, args...))
}

// told answers with the problems that a handler found itself, which have codes that no one else knows.
func told(handler fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := handler(c)
		var p *problem
		if errors.As(err, &p) {
			return c.Status(p.Status).JSON(p)
		}
		return err
	}
}

// words are the status and the code of what goes wrong otherwise.
var words = map[compat.Kind]struct{ status, code int }{
	compat.Internal:     {fiber.StatusInternalServerError, codeInternal},
	compat.Unauthorized: {fiber.StatusUnauthorized, codeNoPermission},
	compat.Forbidden:    {fiber.StatusForbidden, codeNoPermission},
	compat.TooMany:      {fiber.StatusTooManyRequests, codeTooMany},
	compat.NotFound:     {fiber.StatusNotFound, codeNotFound},
	compat.NotPending:   {fiber.StatusConflict, codeNotCancelable},
	compat.Full:         {fiber.StatusServiceUnavailable, codeUnavailable},
	compat.TooLarge:     {fiber.StatusRequestEntityTooLarge, fiber.StatusRequestEntityTooLarge},
}

func fail(c *fiber.Ctx, t compat.Trouble) error {
	w, known := words[t.Kind]
	if !known {
		w.status, w.code = fiber.StatusBadRequest, codeInvalid
	}
	return c.Status(w.status).JSON(newProblem(w.status, w.code, t.Problem))
}

// naming gives the faults that the queue finds the codes and the names that they have here.
func naming(err error) error {
	t := compat.Explain(err)
	switch {
	case t.Kind != compat.Invalid:
		return err
	case strings.HasPrefix(t.Field, "phoneNumbers"):
		return refuse(codeBadTo, "The 'To' number is not a valid phone number: %s.", t.Problem)
	case strings.HasPrefix(t.Field, "shortLinks"):
		return refuse(codeInvalid, "ShortenUrls: %s.", t.Problem)
	case t.Field == "validUntil", t.Field == "scheduleAt":
		return refuse(codeInvalid, "ValidityPeriod is over before the message could be sent.")
	case t.Field == "simNumber":
		return refuse(codeBadFrom, "The SIM of 'From' cannot send: %s.", t.Problem)
	}
	return refuse(codeInvalid, "Body: %s.", t.Problem)
}
