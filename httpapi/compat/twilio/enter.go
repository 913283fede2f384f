package twilio

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"regexp"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// The vendor's identifiers: two letters for the kind, and 128 bits.
var (
	sidOfAccount = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`)
	sidOfService = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`)
	sidOfLogin   = regexp.MustCompile(`^(AC|SK)[0-9a-fA-F]{32}$`)
)

// enter lets in who shows the account of the configuration; of all others gateway decides. As an API key
// does, the token passes even where the gate holds passwords back: it is too long to be guessed, and wrong
// ones count at the gate.
func (d *Dialect) enter(gateway fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if user, token, ok := basic(c); ok && d.isAccount(user, token) {
			return c.Next()
		}
		return gateway(c)
	}
}

func (d *Dialect) isAccount(user, token string) bool {
	same := equal(user, d.opts.AccountSID) & equal(token, d.opts.AuthToken)
	return d.opts.AccountSID != "" && same == 1
}

// equal takes as long for any two strings, but for their lengths.
func equal(a, b string) int {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:])
}

// basic reads Basic credentials.
func basic(c *fiber.Ctx) (user, password string, ok bool) {
	r := http.Request{Header: http.Header{fiber.HeaderAuthorization: {c.Get(fiber.HeaderAuthorization)}}}
	return r.BasicAuth()
}

// credentials are a user of the gateway's or a token, or one of its API keys as the password of an account
// or of an API key of the vendor's, whose clients take no other names.
func credentials(c *fiber.Ctx) compat.Credentials {
	if user, password, ok := basic(c); ok && sidOfLogin.MatchString(user) {
		return compat.Credentials{Key: password}
	}
	return compat.Credentials{Header: c.Get(fiber.HeaderAuthorization)}
}

// account is the one that the path names. With one in the configuration there is no other.
func (d *Dialect) account(c *fiber.Ctx) (string, error) {
	sid := c.Params("account")
	if !sidOfAccount.MatchString(sid) || d.opts.AccountSID != "" && d.opts.AccountSID != sid {
		return "", queue.ErrNotFound
	}
	return sid, nil
}

// house is the account of messages that name none.
func (d *Dialect) house() string {
	if d.opts.AccountSID != "" {
		return d.opts.AccountSID
	}
	sum := sha256.Sum256([]byte(d.gateway.DeviceID))
	return "AC" + hex.EncodeToString(sum[:16])
}
