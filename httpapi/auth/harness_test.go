package auth_test

import (
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"dongled/httpapi/auth"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

const (
	primaryName     = "sms"
	primaryPassword = "the primary one"
	annasPassword   = "anna's own: long"
	bobsPassword    = "bob's, long too"
	here            = "192.0.2.1"
	there           = "192.0.2.2"
)

func basic(userPass string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(userPass))
}

var (
	asPrimary = basic(primaryName + ":" + primaryPassword)
	asAnna    = basic("anna:" + annasPassword)
	asBob     = basic("bob:" + bobsPassword)
)

// fixture is a room in a store of its own. anna may send and make tokens, bob may read.
type fixture struct {
	*testing.T
	*auth.Auth
	store *store.Store
	path  string
	log   log
	// allowShort is for the next start.
	allowShort bool
}

// bubble runs f in virtual time, which starts at 2000-01-01 00:00 UTC.
func bubble(t *testing.T, f func(*fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		auth.Cheap(t)
		x := &fixture{T: t, path: filepath.Join(t.TempDir(), "s.db")}
		x.open(primaryName, primaryPassword)
		x.ok(x.AddUser(ctx, "anna", annasPassword, []string{"messages:send", "tokens:manage"}, false))
		x.ok(x.AddUser(ctx, "bob", bobsPassword, []string{"messages:read"}, false))
		defer func() { x.ok(x.store.Close()) }()
		f(x)
	})
}

// open opens the room as the daemon does.
func (f *fixture) open(username, password string) {
	f.Helper()
	f.Auth = auth.New(auth.Options{AllowShort: f.allowShort, Log: slog.New(slog.NewTextHandler(&f.log, nil))})
	s, err := store.Open(f.path, store.Options{}, f.Auth)
	if err != nil {
		f.Fatal(err)
	}
	f.store = s
	f.ok(s.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
	f.ok(f.SetPrimary(username, password))
}

// restart opens the room anew, for that account of the configuration.
func (f *fixture) restart(username, password string) {
	f.Helper()
	f.ok(f.store.Close())
	f.open(username, password)
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// enter lets somebody in and returns who it is.
func (f *fixture) enter(header, addr string) auth.Identity {
	f.Helper()
	id, err := f.Authenticate(ctx, header, addr)
	if err != nil {
		f.Errorf("not let in: %v", err)
	}
	return id
}

// refused checks why somebody is not let in.
func (f *fixture) refused(header, addr string, want error) {
	f.Helper()
	if id, err := f.Authenticate(ctx, header, addr); !errors.Is(err, want) {
		f.Errorf("%v, %v; want %v", id, err, want)
	}
}

// as is somebody's identity, from an address of its own.
func (f *fixture) as(header string) auth.Identity { f.Helper(); return f.enter(header, "198.51.100.1") }

func (f *fixture) issue(header string, scopes ...string) auth.Tokens {
	f.Helper()
	tokens, err := f.Issue(ctx, f.as(header), 0, scopes)
	f.ok(err)
	return tokens
}

// valid reports whether an access token is.
func (f *fixture) valid(t auth.Tokens) bool {
	_, err := f.Authenticate(ctx, "Bearer "+t.Access, here)
	if err != nil && !errors.Is(err, auth.ErrUnauthorized) {
		f.Error(err)
	}
	return err == nil
}

func (f *fixture) refresh(t auth.Tokens) (auth.Tokens, error) {
	id, err := f.Authenticate(ctx, "Bearer "+t.Refresh, here)
	if err != nil {
		return auth.Tokens{}, err
	}
	return f.Refresh(ctx, id)
}

func wantErr(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

func wantFault(t testing.TB, got error, want string) {
	t.Helper()
	if got == nil || got.Error() != want {
		t.Errorf("error %v, want %s", got, want)
	}
}

// log is what the room wrote to it.
type log struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
