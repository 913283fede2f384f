package alerts

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
)

// The headers of Grafana's signature: HMAC-SHA256 in hexadecimal of the body, or of the time, a colon and
// the body where the contact point has a header for the time, which has to be this one.
const (
	headerSignature = "X-Grafana-Alerting-Signature"
	headerTimestamp = "X-Grafana-Alerting-Timestamp"
)

// skew is how old or young a signature may be.
const skew = 5 * time.Minute

// verify checks the signature of a request for a receiver that has a secret, whether the path names it or the
// payload does.
func (d *Dialect) verify(c *fiber.Ctx, receiver string) error {
	r := d.receivers[receiver]
	if !d.signed || r.Secret == "" {
		return nil
	}
	stamp := c.Get(headerTimestamp)
	if stamp != "" {
		at, err := strconv.ParseInt(stamp, 10, 64)
		if off := time.Since(time.Unix(at, 0)).Abs(); err != nil || off > skew {
			return auth.ErrUnauthorized
		}
	}
	given, err := hex.DecodeString(c.Get(headerSignature))
	if err != nil || !hmac.Equal(given, sign(r.Secret, stamp, c.BodyRaw())) {
		return auth.ErrUnauthorized
	}
	return nil
}

func sign(secret, stamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	if stamp != "" {
		mac.Write([]byte(stamp + ":"))
	}
	mac.Write(body)
	return mac.Sum(nil)
}
