package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// credentials are what an Authorization header has: a bearer token, or a user and a password.
type credentials struct{ token, user, pass string }

// parse reads an Authorization header; ok is false for one that can be nobody's.
func parse(header string) (c credentials, ok bool) {
	scheme, rest, _ := strings.Cut(header, " ")
	rest = strings.Trim(rest, " \t")
	switch {
	case rest == "":
		return c, false
	case strings.EqualFold(scheme, "Bearer"):
		return credentials{token: rest}, true
	case !strings.EqualFold(scheme, "Basic"):
		return c, false
	}
	decoded, err := base64.StdEncoding.DecodeString(rest)
	if err != nil || !utf8.Valid(decoded) {
		return c, false
	}
	// A password may hold colons; neither may hold control characters (RFC 7617 section 2).
	c.user, c.pass, ok = strings.Cut(string(decoded), ":")
	return c, ok && !strings.ContainsFunc(c.user+c.pass, unicode.IsControl)
}

// digest stands for credentials in tables that are searched without a secret delay.
type digest [sha256.Size]byte

// digests are made under a key of this run: what leaks of a table is worth nothing.
type digests struct{ key [sha256.Size]byte }

func newDigests() (d digests) {
	_, _ = rand.Read(d.key[:]) // never fails
	return d
}

// of joins what has no NUL inside.
func (d digests) of(parts ...string) (sum digest) {
	mac := hmac.New(sha256.New, d.key[:])
	mac.Write([]byte(strings.Join(parts, "\x00")))
	mac.Sum(sum[:0])
	return sum
}

// try is one pair of user and password, on its way to being judged.
type try struct {
	credentials
	// password and seen are its digests, without and with the address.
	password, seen digest
}

// Authenticate judges an Authorization header that came from a network address. The error is
// ErrUnauthorized, ErrBusy or a *TooMany. The identity of a refresh token has the one scope
// TokensRefresh, and may have been used.
func (a *Auth) Authenticate(ctx context.Context, header, addr string) (Identity, error) {
	c, ok := parse(header)
	switch {
	case !ok:
		return Identity{}, ErrUnauthorized // nothing was guessed
	case c.token != "":
		return a.bearer(ctx, c.token, addr)
	}
	return a.login(ctx, c, addr)
}

// Password judges a user's name and password that came from a network address some other way than in an
// Authorization header; the errors are those of Authenticate.
func (a *Auth) Password(ctx context.Context, user, password, addr string) (Identity, error) {
	if user == "" || strings.ContainsFunc(user+password, unicode.IsControl) || !utf8.ValidString(user+password) {
		return Identity{}, ErrUnauthorized
	}
	return a.login(ctx, credentials{user: user, pass: password}, addr)
}

func (a *Auth) login(ctx context.Context, c credentials, addr string) (Identity, error) {
	t := try{c, a.digests.of("password", c.user, c.pass), a.digests.of("seen", network(addr), c.user, c.pass)}
	if a.sawBefore(t) {
		if id, known := a.recall(t); known {
			return id, nil
		}
	}
	var id Identity
	leave, err := a.gate.enter(ctx, addr, func() (known bool) {
		id, known = a.recall(t)
		return known
	})
	if err != nil {
		return Identity{}, err
	}
	if leave != nil {
		id, err = a.derive(ctx, t)
		// What was not derived counts too: it was compared with what needs no derivation.
		a.left(addr, leave, err != nil)
	}
	if err != nil {
		return Identity{}, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen.put(t.seen, struct{}{})
	return id, nil
}

// sawBefore reports whether the address showed these credentials, and they were right.
func (a *Auth) sawBefore(t try) (saw bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, saw = a.seen.get(t.seen)
	return saw
}

// recall judges what can be judged cheaply: the primary account, and passwords found right before
// that are the user's still.
func (a *Auth) recall(t try) (id Identity, known bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.primary.admits(t.user, t.pass) {
		return Identity{User: t.user, Scopes: []string{AllAny}, primary: true}, true
	}
	account, found := a.accounts[t.user]
	hash, known := a.right.get(t.password)
	if !found || !known || hash != account.Hash || a.isPrimary(t.user) {
		return Identity{}, false
	}
	return account.identity(t.user), true
}

func (p primary) admits(username, password string) bool {
	user, pass := sha256.Sum256([]byte(username)), sha256.Sum256([]byte(password))
	same := subtle.ConstantTimeCompare(user[:], p.user[:]) & subtle.ConstantTimeCompare(pass[:], p.pass[:])
	return p.open && same == 1
}

// isPrimary reports whether name is the primary account's, which hides a user of that name. a.mu is
// held.
func (a *Auth) isPrimary(name string) bool { return name != "" && name == a.primary.name }

// derive judges a password by its user's hash. One of nobody costs the same, as long as there is
// anybody: the delay tells nobody's name.
func (a *Auth) derive(ctx context.Context, t try) (Identity, error) {
	a.mu.Lock()
	account, found := a.accounts[t.user]
	found = found && !a.isPrimary(t.user)
	hash, empty := account.Hash, len(a.accounts) == 0
	a.mu.Unlock()
	if empty {
		return Identity{}, ErrUnauthorized
	}
	if !found {
		hash = a.nobody
	}
	right, err := a.kitchen.matches(ctx, hash, t.pass, func() bool {
		_, known := a.recall(t)
		return known
	})
	switch {
	case errors.Is(err, ErrBusy):
		return Identity{}, err
	case err != nil:
		a.opts.Log.Error("a user's password cannot be checked; set it anew with dongled user add --replace", "user", t.user, "err", err)
		return Identity{}, ErrUnauthorized
	case !right || !found:
		return Identity{}, ErrUnauthorized
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.right.put(t.password, hash)
	return account.identity(t.user), nil
}

func (a *Auth) left(addr string, leave func(bool) time.Duration, wrong bool) {
	if delay := leave(wrong); delay > 0 {
		a.opts.Log.Warn("wrong credentials again and again", "address", addr, "wait", delay)
	}
}
