package auth

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"dongled/scheduler/store"
)

// User is an account besides that of the configuration.
type User struct {
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
}

var (
	// ErrUserExists says that the name is taken.
	ErrUserExists = errors.New("there is a user of that name already")
	// ErrNoUser says that nobody has that name.
	ErrNoUser = errors.New("there is no user of that name")
)

const (
	maxName     = 64
	maxPassword = 1024 // octets; argon2 would take more, a header does not
	// shortPassword is what has to be allowed.
	shortPassword = 8
)

// AddUser stores a user after checking name, password and scopes; the error is a *Fault if they are
// wrong. One that is there is an error unless replace is set; what is replaced loses its tokens.
func (a *Auth) AddUser(ctx context.Context, name, password string, scopes []string, replace bool) error {
	if err := a.checkUser(name, password, scopes); err != nil {
		return err
	}
	hash, err := a.kitchen.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.store.Do(ctx, func(t *store.Tx) error {
		b := t.Bucket(bucketAccounts)
		there := b.Get([]byte(name)) != nil
		if there && !replace {
			return ErrUserExists
		}
		record := account{Hash: hash, Scopes: slices.Compact(slices.Sorted(slices.Values(scopes))), Created: time.UnixMilli(t.Now).UTC()}
		if old, sound := read[account](b, name); sound {
			record.Created = old.Created
		}
		if there {
			a.dropFamilies(t, func(f family) bool { return !f.Primary && f.User == name })
		}
		write(t, b, name, record)
		t.After(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.accounts[name] = record
		})
		return nil
	})
}

func (a *Auth) checkUser(name, password string, scopes []string) error {
	a.mu.Lock()
	taken := a.isPrimary(name)
	a.mu.Unlock()
	length := utf8.RuneCountInString(password)
	switch {
	case !validName(name):
		return &Fault{"name", nameRule}
	case taken:
		return &Fault{"name", "is the account of the configuration: change auth.username or auth.password there"}
	case length <= shortPassword && (length == 0 || !a.opts.AllowShort):
		return &Fault{"password", fmt.Sprintf("must have more than %d characters, unless auth.allow_short_passwords is set", shortPassword)}
	case len(password) > maxPassword, !utf8.ValidString(password), strings.ContainsFunc(password, unicode.IsControl):
		return &Fault{"password", fmt.Sprintf("must be UTF-8 without control characters, at most %d bytes", maxPassword)}
	}
	return checkScopes(scopes)
}

var nameRule = fmt.Sprintf("must be 1 to %d characters out of A-Z a-z 0-9 . _ - + @", maxName)

func validName(name string) bool {
	odd := func(r rune) bool {
		alnum := r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z'
		return !alnum && !strings.ContainsRune("._-+@", r)
	}
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, odd)
}

// RemoveUser removes a user and all its tokens, or returns ErrNoUser.
func (a *Auth) RemoveUser(ctx context.Context, name string) error {
	return a.store.Do(ctx, func(t *store.Tx) error {
		b := t.Bucket(bucketAccounts)
		if b.Get([]byte(name)) == nil {
			return ErrNoUser
		}
		t.Del(b, []byte(name))
		a.dropFamilies(t, func(f family) bool { return !f.Primary && f.User == name })
		t.After(func() {
			a.mu.Lock()
			defer a.mu.Unlock()
			delete(a.accounts, name)
		})
		return nil
	})
}

// Users are all but that of the configuration, by name.
func (a *Auth) Users() []User {
	a.mu.Lock()
	defer a.mu.Unlock()
	users := make([]User, 0, len(a.accounts))
	for _, name := range slices.Sorted(maps.Keys(a.accounts)) {
		record := a.accounts[name]
		users = append(users, User{name, slices.Clone(record.Scopes), record.Created})
	}
	return users
}

// keptPrimary reports whether the stored hash is that of p's credentials. One that is not ends the
// tokens given under others.
func (a *Auth) keptPrimary(p primary) (kept bool, err error) {
	if a.store == nil {
		return false, nil
	}
	a.mu.Lock()
	given := false
	for o, n := range a.given {
		given = given || o.primary && n > 0
	}
	a.mu.Unlock()
	if !given {
		return false, nil // what is stored is replaced with the first token
	}
	ctx := context.Background()
	var hash string
	err = a.store.Do(ctx, func(t *store.Tx) error {
		hash = string(t.Bucket(bucketAuth).Get(keyPrimary))
		return nil
	})
	if err != nil {
		return false, err
	}
	kept, err = a.kitchen.matches(ctx, hash, p.credentials, func() bool { return false })
	if kept && err == nil {
		return true, nil
	}
	a.opts.Log.Info("the account of the configuration has changed; its tokens are revoked")
	return false, a.store.Do(ctx, func(t *store.Tx) error {
		a.dropFamilies(t, func(f family) bool { return f.Primary })
		return nil
	})
}
