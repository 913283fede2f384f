package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dongled/scheduler/store"
)

const (
	// DefaultTTL is how long an access token lives unless asked otherwise, and MaxTTL the longest any
	// token does.
	DefaultTTL = 24 * time.Hour
	MaxTTL     = 365 * 24 * time.Hour
	// refreshes is how many times longer a refresh token lives.
	refreshes = 7
	// leeway is how far the clocks of two moments may be apart, as when a clock is being set.
	leeway = 5 * time.Second
	issuer = "dongled"

	useAccess  = "access"
	useRefresh = "refresh"
)

// mostFamilies bounds what one user has the store keep, some 200 octets each.
var mostFamilies = 10_000

// Tokens are a pair as a client gets it.
type Tokens struct {
	ID, Access, Refresh string
	Expires             time.Time
}

// claims are SMSGate's.
type claims struct {
	jwt.RegisteredClaims
	Scopes         []string `json:"scopes"`
	OriginalScopes []string `json:"original_scopes,omitempty"`
	TokenUse       string   `json:"token_use"`
}

// jti names a token: its family, a for access or r for refresh, and its generation.
type jti struct {
	family, use string
	generation  int
}

func (j jti) String() string { return fmt.Sprintf("%s.%s%d", j.family, j.use[:1], j.generation) }

func parseJTI(s string) (j jti, ok bool) {
	family, rest, _ := strings.Cut(s, ".")
	if family == "" || len(rest) < 2 {
		return j, false
	}
	j.family, j.use = family, useAccess
	if rest[0] == 'r' {
		j.use = useRefresh
	}
	generation, err := strconv.Atoi(rest[1:])
	j.generation = generation
	return j, err == nil && j.String() == s
}

// bearer judges a token, or a key, whatever that looks like. Tokens that were this gateway's once are no
// guess; those that never were count as wrong tries.
func (a *Auth) bearer(ctx context.Context, token, addr string) (Identity, error) {
	if id, right, err := a.judgeKey(ctx, token, addr); right || err != nil {
		return id, err
	}
	var c claims
	_, err := a.parser().ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return a.secret, nil })
	if err == nil {
		return a.holder(c)
	}
	if errors.Is(err, jwt.ErrTokenExpired) && !errors.Is(err, jwt.ErrTokenSignatureInvalid) {
		return Identity{}, ErrUnauthorized
	}
	return Identity{}, a.wrong(ctx, addr)
}

// wrong counts what an address showed that never was a token or a key of this gateway.
func (a *Auth) wrong(ctx context.Context, addr string) error {
	leave, err := a.gate.enter(ctx, addr, func() bool { return false })
	if err != nil {
		return err
	}
	a.left(addr, leave, true)
	return ErrUnauthorized
}

// parser takes HS256 and nothing else: a token must not choose how it is checked.
func (a *Auth) parser() *jwt.Parser {
	return jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer),
		jwt.WithExpirationRequired(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding())
}

// holder is whose token it is, if its family lives. A refresh token may be of any generation: Refresh
// decides, alone with the store.
func (a *Auth) holder(c claims) (Identity, error) {
	id, ok := parseJTI(c.ID)
	a.mu.Lock()
	defer a.mu.Unlock()
	f, found := a.families[id.family]
	_, exists := a.accounts[f.User]
	if !ok || !found || !f.Primary && !exists || c.TokenUse != id.use {
		return Identity{}, ErrUnauthorized
	}
	identity := Identity{User: f.User, TokenID: c.ID, primary: f.Primary}
	switch {
	case id.use == useRefresh:
		identity.Scopes = []string{TokensRefresh}
	case f.Replayed || id.generation != f.Generation:
		return Identity{}, ErrUnauthorized
	default:
		identity.Scopes = f.Scopes
	}
	return identity, nil
}

// Issue gives who asks a pair of tokens. A ttl of 0 is DefaultTTL. The error may be a *Fault or a
// *Forbidden.
func (a *Auth) Issue(ctx context.Context, by Identity, ttl time.Duration, scopes []string) (Tokens, error) {
	if by.key {
		return Tokens{}, &Forbidden{tokensManage}
	}
	if err := checkScopes(scopes); err != nil {
		return Tokens{}, err
	}
	for _, scope := range scopes {
		if !by.May(scope) {
			return Tokens{}, &Forbidden{scope}
		}
	}
	if ttl < 0 {
		return Tokens{}, &Fault{Problem: "ttl must be > 0"}
	}
	if ttl == 0 {
		ttl = DefaultTTL
	}
	keep, err := a.primaryToKeep(ctx, by)
	if err != nil {
		return Tokens{}, err
	}
	key := rand.Text()
	f := family{User: by.User, Primary: by.primary, Scopes: slices.Clone(scopes), TTL: min(ttl, MaxTTL), Generation: 1}
	var now time.Time
	err = a.store.Do(ctx, func(t *store.Tx) error {
		now = time.UnixMilli(t.Now)
		if err := a.mayIssue(t, by); err != nil {
			return err
		}
		if keep != "" {
			t.Put(t.Bucket(bucketAuth), keyPrimary, []byte(keep))
			t.After(a.primaryKept)
		}
		f.Until = t.Now + (refreshTTL(f.TTL) + leeway).Milliseconds()
		a.putFamily(t, key, family{}, f)
		return nil
	})
	if err != nil {
		return Tokens{}, err
	}
	return a.sign(key, f, now)
}

// IssueFor gives tokens in the name of a user, or of the configuration's account if name is empty.
// Without scopes they are all that the user has.
func (a *Auth) IssueFor(ctx context.Context, name string, ttl time.Duration, scopes []string) (Tokens, error) {
	a.mu.Lock()
	by := Identity{User: a.primary.name, Scopes: []string{AllAny}, primary: true}
	account, found := a.accounts[name]
	if name == "" || a.isPrimary(name) {
		found = a.primary.open
	} else {
		by = account.identity(name)
	}
	a.mu.Unlock()
	if !found {
		return Tokens{}, ErrNoUser
	}
	if len(scopes) == 0 {
		scopes = by.Scopes
	}
	return a.Issue(ctx, by, ttl, scopes)
}

// mayIssue checks, alone with the store, that by's credentials are good still, and that there are
// not too many tokens.
func (a *Auth) mayIssue(t *store.Tx, by Identity) error {
	if id, ok := parseJTI(by.TokenID); ok {
		f, found := read[family](t.Bucket(bucketTokens), id.family)
		if !found || f.Replayed || f.Generation != id.generation {
			return ErrUnauthorized
		}
	} else if !by.primary {
		if record, found := read[account](t.Bucket(bucketAccounts), by.User); !found || record.Hash != by.hash {
			return ErrUnauthorized
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	have := a.given[owner{by.User, by.primary}]
	if have >= mostFamilies {
		return &Fault{Problem: fmt.Sprintf("%d tokens are valid already: revoke some, or ask for a shorter ttl", have)}
	}
	return nil
}

// primaryToKeep hashes the primary credentials for its first token.
func (a *Auth) primaryToKeep(ctx context.Context, by Identity) (hash string, err error) {
	a.mu.Lock()
	p := a.primary
	a.mu.Unlock()
	if !by.primary || p.kept {
		return "", nil
	}
	return a.kitchen.hash(ctx, p.credentials)
}

func (a *Auth) primaryKept() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.primary.kept = true
}

// refreshTTL is how long the refresh token lives beside an access token that lives for ttl.
func refreshTTL(ttl time.Duration) time.Duration { return max(ttl, min(MaxTTL, refreshes*ttl)) }

// sign makes the pair of f's generation, issued at a time.
func (a *Auth) sign(key string, f family, now time.Time) (Tokens, error) {
	id := jti{key, useAccess, f.Generation}
	// NumericDate cuts fractions off.
	expires := now.Add(f.TTL).Truncate(time.Second).UTC()
	access, err := a.signed(f.User, id, now, expires, f.Scopes, nil)
	if err != nil {
		return Tokens{}, err
	}
	refresh, err := a.signed(f.User, jti{key, useRefresh, f.Generation}, now, now.Add(refreshTTL(f.TTL)), []string{TokensRefresh}, f.Scopes)
	return Tokens{ID: id.String(), Access: access, Refresh: refresh, Expires: expires}, err
}

func (a *Auth) signed(user string, id jti, now, expires time.Time, scopes, original []string) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID: id.String(), Issuer: issuer, Subject: user, IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Scopes: scopes, OriginalScopes: original, TokenUse: id.use,
	}).SignedString(a.secret)
}

// Refresh makes a new pair of the refresh token that by showed, and ends the old one. A token that
// was used before ends the family, and the error is ErrReplay.
func (a *Auth) Refresh(ctx context.Context, by Identity) (Tokens, error) {
	id, ok := parseJTI(by.TokenID)
	if !ok || id.use != useRefresh {
		return Tokens{}, ErrUnauthorized
	}
	var f family
	var now time.Time
	var replayed bool
	err := a.store.Do(ctx, func(t *store.Tx) error {
		old, found := read[family](t.Bucket(bucketTokens), id.family)
		if !found {
			return ErrUnauthorized
		}
		f, now = old, time.UnixMilli(t.Now)
		replayed = old.Replayed || id.generation != old.Generation
		switch {
		case old.Replayed:
			return nil
		case replayed:
			f.Replayed = true
		default:
			f.Generation++
			f.Until = t.Now + (refreshTTL(f.TTL) + leeway).Milliseconds()
		}
		a.putFamily(t, id.family, old, f)
		return nil
	})
	switch {
	case err != nil:
		return Tokens{}, err
	case replayed:
		a.opts.Log.Warn("a refresh token was shown again after it was used; it and what was made of it is revoked", "user", f.User)
		return Tokens{}, ErrReplay
	}
	return a.sign(id.family, f, now)
}

// Revoke ends the family of a token. That of another user is left alone, and so is what does not
// exist, unless by may do everything; neither is told.
func (a *Auth) Revoke(ctx context.Context, by Identity, tokenID string) error {
	id, ok := parseJTI(tokenID)
	if !ok {
		return nil
	}
	return a.store.Do(ctx, func(t *store.Tx) error {
		f, found := read[family](t.Bucket(bucketTokens), id.family)
		own := f.User == by.User && f.Primary == by.primary
		if found && (own || slices.Contains(by.Scopes, AllAny)) {
			a.dropFamily(t, id.family, f)
		}
		return nil
	})
}
