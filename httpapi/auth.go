package httpapi

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
)

// Auth knows who may do what. *auth.Auth is one.
type Auth interface {
	// Authenticate judges an Authorization header that came from a network address. The error is
	// auth.ErrUnauthorized, auth.ErrBusy or an *auth.TooMany.
	Authenticate(ctx context.Context, header, addr string) (auth.Identity, error)
	// Issue returns a new pair of tokens, after the commit; an *auth.Fault or *auth.Forbidden is the
	// client's fault.
	Issue(ctx context.Context, by auth.Identity, ttl time.Duration, scopes []string) (auth.Tokens, error)
	// Refresh returns auth.ErrReplay for a token that was used, auth.ErrUnauthorized for any other
	// that is not good.
	Refresh(ctx context.Context, by auth.Identity) (auth.Tokens, error)
	Revoke(ctx context.Context, by auth.Identity, jti string) error
}

// challenges are sent with every 401; RFC 7617 section 2.1 for the charset.
var challenges = []string{`Basic realm="dongled", charset="UTF-8"`, "Bearer"}

// identityKey is the request's local value that has the auth.Identity.
type identityKey struct{}

// authenticate is the handler that everything protected stands behind. It judges the header alone:
// no more of a body than anonymousBody has been read by then.
func (s *Server) authenticate(c *fiber.Ctx) error {
	// A wait for other passwords to be judged ends with the server, not with the connection.
	identity, err := s.opt.Auth.Authenticate(s.serving, c.Get(fiber.HeaderAuthorization), c.IP())
	if err != nil {
		return refuse(c, err)
	}
	c.Locals(identityKey{}, identity)
	return c.Next()
}

func identity(c *fiber.Ctx) auth.Identity {
	id, _ := c.Locals(identityKey{}).(auth.Identity)
	return id
}

// refuse turns an error of Auth into the answer.
func refuse(c *fiber.Ctx, err error) error {
	var (
		tooMany   *auth.TooMany
		fault     *auth.Fault
		forbidden *auth.Forbidden
	)
	switch {
	case errors.As(err, &tooMany):
		seconds := max(1, int(math.Ceil(tooMany.RetryAfter.Seconds())))
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds))
		return &statusError{fiber.StatusTooManyRequests, "too many wrong credentials from this address, try again in " + strconv.Itoa(seconds) + " s"}
	case errors.As(err, &fault):
		return &statusError{fiber.StatusBadRequest, fault.Error()}
	case errors.As(err, &forbidden):
		return &statusError{fiber.StatusForbidden, forbidden.Error()}
	case errors.Is(err, auth.ErrBusy):
		c.Set(fiber.HeaderRetryAfter, "1")
		return errBusy
	case errors.Is(err, auth.ErrReplay):
		return unauthorized(c, &statusError{fiber.StatusUnauthorized, auth.ErrReplay.Error()})
	case errors.Is(err, auth.ErrUnauthorized):
		return unauthorized(c, errUnauthorized)
	}
	return fromStore(err, "the store is unavailable; nothing was changed, try again")
}

func unauthorized(c *fiber.Ctx, err error) error {
	for _, challenge := range challenges {
		c.Response().Header.Add(fiber.HeaderWWWAuthenticate, challenge)
	}
	return err
}

// may lets a request pass whose credentials have one of scopes, any if none is named. A refresh
// token is good for refreshing alone; anywhere else it is as if there were no credentials, and so is
// a password where one is asked for.
func (s *Server) may(scopes ...string) fiber.Handler {
	refreshing := len(scopes) == 1 && scopes[0] == auth.TokensRefresh
	return func(c *fiber.Ctx) error {
		id := identity(c)
		switch {
		case id.May(auth.TokensRefresh) && !refreshing, refreshing && id.TokenID == "":
			return unauthorized(c, errUnauthorized)
		case len(scopes) > 0 && !id.May(scopes...):
			return refuse(c, &auth.Forbidden{Scope: scopes[0]})
		}
		return c.Next()
	}
}
