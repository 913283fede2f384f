package httpapi

import (
	"math"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
)

// maxScopes is more than there are.
const maxScopes = 64

// tokenResponse has both spellings: SMSGate's servers write snake_case, and its clients for Python
// and Rust read camelCase.
type tokenResponse struct {
	ID           string `json:"id"`
	TokenType    string `json:"token_type"`
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	ExpiresAt    string `json:"expires_at"`

	CamelTokenType    string `json:"tokenType"`
	CamelAccessToken  string `json:"accessToken"`
	CamelRefreshToken string `json:"refreshToken"`
	CamelExpiresAt    string `json:"expiresAt"`
}

func answerTokens(c *fiber.Ctx, t auth.Tokens) error {
	const kind = "Bearer"
	expires := t.Expires.UTC().Format(time.RFC3339)
	c.Set(fiber.HeaderCacheControl, "no-store") // RFC 6749 section 5.1
	return c.Status(fiber.StatusCreated).JSON(tokenResponse{
		ID: t.ID, TokenType: kind, AccessToken: t.Access, RefreshToken: t.Refresh, ExpiresAt: expires,
		CamelTokenType: kind, CamelAccessToken: t.Access, CamelRefreshToken: t.Refresh, CamelExpiresAt: expires,
	})
}

// issueToken answers POST /auth/token.
func (s *Server) issueToken(c *fiber.Ctx) error {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return err
	}
	ttl, scopes, err := parseTokenRequest(c.Body())
	if err != nil {
		return err
	}
	tokens, err := s.opt.Auth.Issue(c.UserContext(), identity(c), ttl, scopes)
	if err != nil {
		return refuse(c, err)
	}
	return answerTokens(c, tokens)
}

// parseTokenRequest reads the body of POST /auth/token. Every error is a *queue.FieldError; that
// there are no scopes is for Auth to say.
func parseTokenRequest(body []byte) (ttl time.Duration, scopes []string, err error) {
	o := parseBody(body, "ttl", "scopes")
	seconds, _ := o.integer("ttl", 0, math.MaxInt64)
	scopes = o.texts("scopes", maxScopes)
	// Capped before the multiplication, which could wrap.
	return time.Duration(min(seconds, int64(auth.MaxTTL/time.Second))) * time.Second, scopes, o.err
}

// refreshToken answers POST /auth/token/refresh. There is no body: the token is the credentials.
func (s *Server) refreshToken(c *fiber.Ctx) error {
	tokens, err := s.opt.Auth.Refresh(c.UserContext(), identity(c))
	if err != nil {
		return refuse(c, err)
	}
	return answerTokens(c, tokens)
}

// revokeToken answers DELETE /auth/token/{jti}, in the same way whether there was such a token, and
// whose it was.
func (s *Server) revokeToken(c *fiber.Ctx) error {
	if err := s.opt.Auth.Revoke(c.UserContext(), identity(c), c.Params("jti")); err != nil {
		return refuse(c, err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}
