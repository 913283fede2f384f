package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dongled/httpapi/auth"
)

// tokenCmd makes a token without a password, for who may ask the daemon or open its store.
type tokenCmd struct {
	sources
	User   string        `placeholder:"NAME" help:"Whose token; that of the account of the configuration without."`
	Scopes []string      `placeholder:"SCOPE,..." help:"What it may do; all that the user may without."`
	TTL    time.Duration `name:"ttl" default:"24h" help:"How long it lives, at most 8760h."`
	JSON   bool          `help:"Print JSON, with the refresh token."`
}

// Validate has everything be asked for by name.
func (c *tokenCmd) Validate() error {
	switch {
	case c.User == "" && len(c.Scopes) == 0:
		return errors.New("say whose: --user=NAME, or what it may do: --scopes=SCOPE,SCOPE")
	case c.TTL <= 0:
		return errors.New("--ttl must be more than 0")
	}
	return nil
}

// tokenPair is SMSGate's answer to POST /auth/token.
type tokenPair struct {
	ID      string    `json:"id"`
	Type    string    `json:"token_type"`
	Access  string    `json:"access_token"`
	Refresh string    `json:"refresh_token"`
	Expires time.Time `json:"expires_at"`
}

// Run prints the access token, or all of it.
func (c *tokenCmd) Run(ctx context.Context, s streams) error {
	var t auth.Tokens
	if err := c.tell(ctx, orderToken, tokenOrder{c.User, c.Scopes, c.TTL}, &t); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, tokenPair{t.ID, "Bearer", t.Access, t.Refresh, t.Expires})
	}
	_, err := fmt.Fprintln(s.out, t.Access)
	return err
}
