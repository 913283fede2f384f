package bird

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// credentials reads "AccessKey KEY", and "Bearer" with a key or a token. A scheme's name is not
// case-sensitive (RFC 9110, section 11.1).
func credentials(c *fiber.Ctx) compat.Credentials {
	scheme, value, _ := strings.Cut(strings.TrimSpace(c.Get(fiber.HeaderAuthorization)), " ")
	value = strings.TrimSpace(value)
	switch {
	case value == "":
	case strings.EqualFold(scheme, "AccessKey"):
		return compat.Credentials{Key: value}
	case strings.EqualFold(scheme, "Bearer"):
		return compat.Credentials{Header: "Bearer " + value}
	}
	return compat.Credentials{}
}
