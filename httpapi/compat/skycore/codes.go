package skycore

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// The vendor's codes. A fault that this package finds has its code in place of a field.
const (
	codeRequest     = "E100"
	codeAction      = "E101"
	codeKey         = "E104"
	codeRights      = "E105"
	codeTooOften    = "E106"
	codeNotAllowed  = "E107"
	codeReceiver    = "E110"
	codeSender      = "E111"
	codeNoReceiver  = "E201"
	codeInternal    = "E503"
	codeOperator    = "E628"
	codeText        = "E712"
	codeCampaign    = "E714"
	codeNoSubscribe = "E715"
)

// statuses are those of Options.HTTPErrors; 400 is that of all other codes.
var statuses = map[string]int{
	codeKey: fiber.StatusUnauthorized, codeRights: fiber.StatusForbidden, codeNotAllowed: fiber.StatusForbidden,
	codeTooOften: fiber.StatusTooManyRequests, codeInternal: fiber.StatusServiceUnavailable,
}

// invalidText is the vendor's for E100.
const invalidText = "Invalid request. Please make a valid JSON POST request with all the required variables."

// fieldBody is what malformed finds a fault in.
const fieldBody = "body"

// malformed is a fault of a request as a whole.
func malformed(format string, args ...any) error { return compat.Fault(fieldBody, format, args...) }

var (
	errAction      = compat.Fault(codeAction, "'action' required/Invalid Action")
	errText        = compat.Fault(codeText, "The 'message-text' is required")
	errNoReceiver  = compat.Fault(codeNoReceiver, "The receiver number is required")
	errReceiver    = compat.Fault(codeReceiver, "Invalid receiver number: it has to be 7 to 15 digits with the country code")
	errSender      = compat.Fault(codeSender, "Invalid Sender.")
	errMask        = compat.Fault(codeOperator, "Operator Not supported: a SIM cannot send under a from-mask")
	errNoCampaign  = compat.Fault(codeCampaign, "Missing/Invalid campaign")
	errOtherSender = compat.Fault(codeCampaign, "Missing/Invalid campaign: it is of another sender")
	errNoSubscribe = compat.Fault(codeNoSubscribe, "Number is not subscribed to this campaign")
)

// fieldCodes are those of what others find, by the name of the field in SMSGate's API, and how the text
// names it.
var fieldCodes = []struct{ field, code, name string }{
	{"textMessage.text", codeText, "message-text: "},
	{"phoneNumbers", codeReceiver, "Invalid receiver number: "},
	{"simNumber", codeSender, "Invalid Sender: "},
	{"shortLinks", codeNotAllowed, "click-tracking is not possible: "},
}

// kindCodes are those of what is no fault in a field.
var kindCodes = map[compat.Kind]struct{ code, text string }{
	compat.Unauthorized: {codeKey, "User Authentication FAILED"},
	compat.Forbidden:    {codeRights, "The API key has no API rights: "},
	compat.TooMany:      {codeTooOften, "Too many requests: "},
	compat.Full:         {codeInternal, "Internal error: "},
	compat.Internal:     {codeInternal, "Internal error: "},
	compat.TooLarge:     {codeRequest, invalidText + " "},
	compat.Malformed:    {codeRequest, invalidText + " "},
}

// coded is the vendor's code and text of an error.
func coded(t compat.Trouble) (code, info string) {
	if t.Kind == compat.Invalid {
		if t.Field == fieldBody {
			return codeRequest, invalidText + " (" + t.Problem + ")"
		}
		for _, f := range fieldCodes {
			if strings.HasPrefix(t.Field, f.field) {
				return f.code, f.name + t.Problem
			}
		}
		return t.Field, t.Problem
	}
	k, known := kindCodes[t.Kind]
	switch {
	case !known:
		return codeInternal, "Internal error: " + t.Problem
	case t.Kind == compat.Unauthorized:
		return k.code, k.text
	case k.code == codeRequest:
		return k.code, k.text + "(" + t.Problem + ")"
	}
	return k.code, k.text + t.Problem
}

// refusal is the vendor's answer to what was not accepted. To is left out where it was not read, as
// without the right key.
type refusal struct {
	Status string `json:"status"`
	Code   string `json:"error-code"`
	Info   string `json:"error-info"`
	To     string `json:"to,omitempty"`
}

// toKey is the request's local value with what it had for "to".
type toKey struct{}

func (d *Dialect) fail(c *fiber.Ctx, t compat.Trouble) error {
	code, info := coded(t)
	status := fiber.StatusOK
	if d.opts.HTTPErrors {
		status = fiber.StatusBadRequest
		if special, is := statuses[code]; is {
			status = special
		}
	}
	to, _ := c.Locals(toKey{}).(string)
	return c.Status(status).JSON(refusal{"Failure", code, info, to})
}
