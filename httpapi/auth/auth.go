// Package auth knows who may do what: the users of the gateway with their scopes, the tokens that they
// were given, and the API keys of programs, as a room of the store.
//
// # Layout
//
//	accounts    name                                 → password hash, scopes, time of creation
//	tokens      family                               → user, scopes, generation, when it ends
//	keys        name                                 → SHA-256 of the key, scopes, time of creation
//	auth        secret                               → what tokens are signed with
//	            primary                              → hash of the configuration's account
//
// # Passwords
//
// Those of users are kept as argon2id hashes. One is derived at a time, because a derivation takes
// 19 MiB; what was found right is remembered as a digest under a key of this run, so that a client
// with Basic pays once. The account of the configuration is compared by digests.
//
// An address that gave five wrong passwords has to wait, longer and longer, before another of its is
// judged at all; see gate. What it proved in this run passes meanwhile.
//
// # Tokens
//
// All that came from one POST /auth/token is a family: the pair of an access and a refresh token,
// and the pairs made of it by refreshing. The store has one record a family, with the generation
// that is valid, so a token is valid if its signature is, its time has not passed, and it is of that
// generation. A refresh token of an older generation was used before: two have it, nobody knows which
// is the thief, and the family ends. Deleting a token ends its family, whichever generation it was
// of: who logs out means the session. The scopes are those of the record, not of the token.
//
// # Keys
//
// An API key stands for a program. It lasts until it is removed, and can make no tokens, which would
// outlive it. What is stored is its SHA-256: a key that is made here has 160 random bits, which no speed of
// hashing lets anybody find, so that a slow hash would protect nothing and cost every request. One that a
// client brings is as good as whoever made it up; hence its least length. A wrong key counts at the gate as a
// wrong token does. One that is right and was made here passes even where the gate would hold passwords back,
// as tokens do; a brought one waits as passwords do, or it could be guessed there at any speed.
//
// # Clocks
//
// Time is the wall clock's, which on a Raspberry Pi is set some time after it started. A clock that
// is behind lets a token live longer by as much, and one that is ahead ends it early, for good if it
// is ahead of the refresh token's end; revoking does not depend on the clock. Neither does the delay
// after wrong passwords.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"dongled/scheduler/store"
)

// Identity is who asks.
type Identity struct {
	// User is the name of a user, or "key:" and the name of an API key; no user has a colon in its name.
	User string
	// Scopes are what the credentials allow, AllAny for everything.
	Scopes []string
	// TokenID is the jti of the token shown, empty for a password or a key.
	TokenID string

	// primary is the account of the configuration.
	primary bool
	// hash is that of the password judged, so that what was true then is not taken for true later.
	hash string
	// key says that it was an API key.
	key bool
}

// AllAny is the scope of everything but refreshing.
const AllAny = "all:any"

// TokensRefresh is the one scope of refresh tokens, and nobody else's.
const TokensRefresh = "tokens:refresh"

// tokensManage is the scope that no key can have, not even as part of AllAny.
const tokensManage = "tokens:manage"

// known are the scopes that can be granted, by SMSGate's names; those behind tokens:manage are ours.
var known = []string{
	AllAny, "messages:send", "messages:read", "messages:list", "messages:cancel", "messages:export",
	"inbox:list", "inbox:read", "inbox:refresh", "devices:list", "devices:delete",
	"webhooks:list", "webhooks:write", "webhooks:delete", "settings:read", "settings:write", "logs:read", tokensManage,
	"templates:read", "templates:write", "links:read",
}

// May reports whether one of scopes was granted. TokensRefresh is never part of AllAny.
func (i Identity) May(scopes ...string) bool {
	for _, granted := range i.Scopes {
		for _, wanted := range scopes {
			if granted == wanted || granted == AllAny && i.all(wanted) {
				return true
			}
		}
	}
	return false
}

// all reports whether AllAny includes a scope.
func (i Identity) all(scope string) bool {
	return scope != TokensRefresh && !(i.key && scope == tokensManage)
}

var (
	// ErrUnauthorized says the credentials are none, wrong, expired or revoked.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrReplay says that a refresh token was shown again after it was used.
	ErrReplay = errors.New("refresh token replay detected")
	// ErrBusy says that more passwords wait to be judged than this machine can judge; the request
	// may be repeated.
	ErrBusy = errors.New("too many passwords to check at once, try again")
)

// TooMany says that wrong credentials came from an address too often.
type TooMany struct{ RetryAfter time.Duration }

func (e *TooMany) Error() string {
	return fmt.Sprintf("too many wrong credentials, try again in %s", e.RetryAfter)
}

// Fault is the client's fault, in one field if that is named.
type Fault struct{ Field, Problem string }

func (f *Fault) Error() string {
	if f.Field == "" {
		return f.Problem
	}
	return f.Field + ": " + f.Problem
}

// Forbidden says which scope is missing.
type Forbidden struct{ Scope string }

func (f *Forbidden) Error() string { return "scope required: " + f.Scope }

// Options configure Auth.
type Options struct {
	// AllowShort takes passwords of 8 characters and fewer.
	AllowShort bool
	Log        *slog.Logger
}

// Auth is a room of the store. Its methods may be called from any goroutine once that is open.
type Auth struct {
	opts  Options
	store *store.Store
	// secret signs tokens; it is constant once the room is open.
	secret []byte

	gate    *gate
	kitchen *kitchen
	digests digests
	// nobody is a hash that no password has, judged for users that are not there.
	nobody string

	mu       sync.Mutex
	primary  primary
	accounts map[string]account
	keys     map[string]apiKey
	// keyNames finds the name of a key by a digest of its hash.
	keyNames map[digest]string
	families map[string]family
	// given counts the families of each user.
	given map[owner]int
	// right are the digests of passwords found right, with the hash they were compared to; seen are
	// those of an address and the credentials that it showed rightly.
	right *lru[digest, string]
	seen  *lru[digest, struct{}]
}

// remembered bounds each of the two, some 200 octets an entry.
const remembered = 1024

// primary is the account of the configuration. Only digests are kept and compared, each in constant
// time and always both, so that an answer's delay tells neither a length nor which was wrong.
type primary struct {
	name       string
	user, pass [sha256.Size]byte
	// open is false as long as there is no password, which lets nobody in.
	open bool
	// credentials are hashed and stored with its first token (kept), so that the next start notices
	// another password.
	credentials string
	kept        bool
}

// New makes the room. Before it is opened in a store it knows the primary account only.
func New(o Options) *Auth {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Auth{
		opts: o, gate: newGate(), kitchen: newKitchen(), digests: newDigests(), nobody: nobody(),
		accounts: map[string]account{}, families: map[string]family{}, given: map[owner]int{},
		keys: map[string]apiKey{}, keyNames: map[digest]string{},
		right: newLRU[digest, string](remembered), seen: newLRU[digest, struct{}](remembered),
	}
}

// Reserve keeps a name for the account of the configuration, which lets nobody in yet.
func (a *Auth) Reserve(username string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.primary = primary{name: username}
}

// SetPrimary sets the account of the configuration, which may do everything, and revokes its tokens
// if they were given under another name or password.
func (a *Auth) SetPrimary(username, password string) error {
	p := primary{
		name: username, user: sha256.Sum256([]byte(username)), pass: sha256.Sum256([]byte(password)),
		open: password != "", credentials: username + "\x00" + password,
	}
	a.mu.Lock()
	_, shadowed := a.accounts[username]
	a.mu.Unlock()
	if shadowed {
		a.opts.Log.Warn("a user has the name of the configuration's account and cannot log in", "user", username)
	}
	kept, err := a.keptPrimary(p)
	if err != nil {
		return err
	}
	p.kept = kept
	a.mu.Lock()
	defer a.mu.Unlock()
	a.primary = p
	return nil
}

func checkScopes(scopes []string) error {
	if len(scopes) == 0 {
		return &Fault{Problem: "scopes must not be empty"}
	}
	for _, s := range scopes {
		if !slices.Contains(known, s) {
			return &Fault{Problem: "unsupported scope provided"}
		}
	}
	return nil
}

// Scopes are those that can be granted.
func Scopes() []string { return slices.Clone(known) }

// newSecret is 48 characters out of 32, 240 bits.
func newSecret() string { return (rand.Text() + rand.Text())[:secretSize] }

const secretSize = 48
