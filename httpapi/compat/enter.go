package compat

import (
	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
)

// Credentials are what a request showed: an Authorization header, a key, or a user with a password. Of
// several the first counts.
type Credentials struct {
	Header         string
	Key            string
	User, Password string
}

// identityKey is the request's local value that has the auth.Identity.
type identityKey struct{}

// Enter lets a request pass whose credentials, as read finds them, have one of scopes; without scopes any
// will do, but for a refresh token. Its errors are those of auth.Auth; Explain has them in words.
func (g Gateway) Enter(read func(*fiber.Ctx) Credentials, scopes ...string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := g.identify(c, read(c))
		switch {
		case err != nil:
			return err
		case id.May(auth.TokensRefresh):
			return auth.ErrUnauthorized // it is good for refreshing alone
		case len(scopes) > 0 && !id.May(scopes...):
			return &auth.Forbidden{Scope: scopes[0]}
		}
		c.Locals(identityKey{}, id)
		return c.Next()
	}
}

func (g Gateway) identify(c *fiber.Ctx, shown Credentials) (auth.Identity, error) {
	switch {
	case shown.Header != "":
		return g.Auth.Authenticate(g.Serving, shown.Header, c.IP())
	case shown.Key != "":
		return g.Auth.Key(g.Serving, shown.Key, c.IP())
	case shown.User != "":
		return g.Auth.Password(g.Serving, shown.User, shown.Password, c.IP())
	}
	return auth.Identity{}, auth.ErrUnauthorized
}

// Identity is who asks, behind Enter.
func Identity(c *fiber.Ctx) auth.Identity {
	id, _ := c.Locals(identityKey{}).(auth.Identity)
	return id
}
