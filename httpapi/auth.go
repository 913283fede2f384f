package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// challenge is sent with every 401; RFC 7617 section 2.1 for the charset.
const challenge = `Basic realm="dongled", charset="UTF-8"`

// anonymousBody bounds the body of a request without the right credentials, in bytes. fasthttp
// holds a whole body in memory before any handler runs: without this bound, a stranger's
// DefaultConcurrency connections could take half a gigabyte.
const anonymousBody = 4 << 10

// account is the one user that there is. Only digests are kept and compared, each in constant
// time and always both, so that an answer's delay tells neither a length nor which was wrong.
type account struct {
	user, pass [sha256.Size]byte
	// closed lets nobody in, because no password is configured.
	closed bool
}

func newAccount(username, password string) account {
	return account{sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password)), password == ""}
}

// admits judges an Authorization header.
func (a account) admits(header string) bool {
	username, password, ok := credentials(header)
	user, pass := sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))
	same := subtle.ConstantTimeCompare(user[:], a.user[:]) & subtle.ConstantTimeCompare(pass[:], a.pass[:])
	return ok && !a.closed && same == 1
}

// authenticate is the handler that everything protected stands behind.
func (a account) authenticate(c *fiber.Ctx) error {
	if !a.admits(c.Get(fiber.HeaderAuthorization)) {
		c.Set(fiber.HeaderWWWAuthenticate, challenge)
		return errUnauthorized
	}
	return c.Next()
}

// limitAnonymous bounds what is read of a request, before it is read.
func (a account) limitAnonymous(h *fasthttp.RequestHeader) (limits fasthttp.RequestConfig) {
	if !a.admits(string(h.Peek(fiber.HeaderAuthorization))) {
		limits.MaxRequestBodySize = anonymousBody
	}
	return limits
}

// credentials reads an Authorization header of the Basic scheme; a password may hold colons.
func credentials(header string) (user, pass string, ok bool) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(decoded), ":")
}
