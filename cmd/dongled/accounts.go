package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"dongled/configs"
	"dongled/httpapi/auth"
	"dongled/httpapi/templates"
	"dongled/scheduler/store"
)

// The orders about users, keys and tokens, which a running daemon takes at its control socket. When none
// runs, the command opens the store and does the same itself.
const (
	orderUserAdd    = "/user/add"
	orderUserList   = "/user/list"
	orderUserRemove = "/user/remove"
	orderKeyAdd     = "/key/add"
	orderKeyList    = "/key/list"
	orderKeyRemove  = "/key/remove"
	orderToken      = "/token"
)

type userOrder struct {
	Name     string   `json:"name"`
	Password string   `json:"password"`
	Scopes   []string `json:"scopes"`
	Replace  bool     `json:"replace"`
}

// keyOrder has no key if one is to be made.
type keyOrder struct {
	Name    string   `json:"name"`
	Key     string   `json:"key"`
	Scopes  []string `json:"scopes"`
	Replace bool     `json:"replace"`
}

// keyAdded answers with the key, which is shown this once.
type keyAdded struct {
	Key string `json:"key"`
}

// tokenOrder is for the account of the configuration if there is no user.
type tokenOrder struct {
	User   string        `json:"user"`
	Scopes []string      `json:"scopes"`
	TTL    time.Duration `json:"ttl"`
}

// done answers an order that has nothing to say.
type done struct{}

func accountOrders(a *auth.Auth) map[string]instruction {
	return map[string]instruction{
		orderUserAdd: ordered(func(ctx context.Context, o userOrder) (done, error) {
			return done{}, a.AddUser(ctx, o.Name, o.Password, o.Scopes, o.Replace)
		}),
		orderUserList: ordered(func(context.Context, done) ([]auth.User, error) { return a.Users(), nil }),
		orderUserRemove: ordered(func(ctx context.Context, o userOrder) (done, error) {
			return done{}, a.RemoveUser(ctx, o.Name)
		}),
		orderKeyAdd: ordered(func(ctx context.Context, o keyOrder) (keyAdded, error) {
			key, err := a.AddKey(ctx, o.Name, o.Key, o.Scopes, o.Replace)
			return keyAdded{key}, err
		}),
		orderKeyList: ordered(func(context.Context, done) ([]auth.KeyInfo, error) { return a.Keys(), nil }),
		orderKeyRemove: ordered(func(ctx context.Context, o keyOrder) (done, error) {
			return done{}, a.RemoveKey(ctx, o.Name)
		}),
		orderToken: ordered(func(ctx context.Context, o tokenOrder) (auth.Tokens, error) {
			return a.IssueFor(ctx, o.User, o.TTL, o.Scopes)
		}),
	}
}

// ordered reads an order, and says whose fault it was.
func ordered[In, Out any](do func(context.Context, In) (Out, error)) instruction {
	return func(ctx context.Context, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, refusal{err}
		}
		out, err := do(ctx, in)
		var fault *auth.Fault
		var template *templates.Fault
		var forbidden *auth.Forbidden
		switch {
		case errors.As(err, &fault), errors.As(err, &template), errors.Is(err, auth.ErrUserExists), errors.Is(err, auth.ErrNoUser),
			errors.Is(err, auth.ErrKeyExists), errors.Is(err, auth.ErrNoKey):
			err = refusal{err}
		case errors.As(err, &forbidden):
			err = refusal{fmt.Errorf("the user does not have the scope %s", forbidden.Scope)}
		}
		return out, err
	}
}

// tell has an order about accounts carried out where the configuration says that they are.
func (s sources) tell(ctx context.Context, path string, in, v any) error {
	e, err := s.load()
	if err != nil {
		return err
	}
	return carryOut(ctx, e.Config, path, in, v)
}

// carryOut has an order about accounts carried out, by the daemon if one runs, and its answer put into v.
func carryOut(ctx context.Context, cfg configs.Config, path string, in, v any) error {
	return carryOutWith(ctx, cfg, path, in, v, func() (map[string]instruction, *store.Store, error) {
		token, isToken := in.(tokenOrder)
		a, st, err := openAccounts(cfg, isToken && (token.User == "" || token.User == cfg.Auth.Username))
		return accountOrders(a), st, err
	})
}

// carryOutWith is carryOut for any order: open opens the store of a daemon that does not run, with the
// room that the order is about.
func carryOutWith(ctx context.Context, cfg configs.Config, path string, in, v any, open func() (map[string]instruction, *store.Store, error)) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	running, err := tellDaemon(ctx, cfg.Store.Path, path, body, v)
	if err != nil || running {
		return err
	}
	orders, st, err := open()
	if err != nil {
		return err
	}
	out, err := orders[path](ctx, body)
	if err = errors.Join(err, st.Close()); err != nil {
		return err
	}
	answer, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, v)
}

// openGuest opens the store of a daemon that does not run, with some of its rooms.
func openGuest(cfg configs.Config, rooms ...store.Room) (*store.Store, error) {
	// The store is the daemon's to make, under its user.
	if _, err := os.Stat(cfg.Store.Path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no store %s yet: start dongled once, or name its configuration with --config", cfg.Store.Path)
	}
	return store.Open(cfg.Store.Path, store.Options{Guest: true}, rooms...)
}

// openAccounts opens the store of a daemon that does not run, and of its rooms the one for users.
// login says that the account of the configuration has to be able to log in: it may stand in the
// daemon's environment and not in this one, which would be taken for another password.
func openAccounts(cfg configs.Config, login bool) (*auth.Auth, *store.Store, error) {
	a := auth.New(auth.Options{AllowShort: cfg.Auth.AllowShortPasswords, Log: slog.New(slog.DiscardHandler)})
	st, err := openGuest(cfg, a)
	if err != nil {
		return nil, nil, err
	}
	a.Reserve(cfg.Auth.Username)
	if login {
		l, err := storedLogin(cfg.Auth, cfg.Store.Path)
		switch {
		case err == nil && l.password == "":
			err = fmt.Errorf("%s has no password yet: start dongled once", l.username)
		case err == nil:
			err = a.SetPrimary(l.username, l.password)
		}
		if err != nil {
			return nil, nil, errors.Join(err, st.Close())
		}
	}
	return a, st, nil
}
