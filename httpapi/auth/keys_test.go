package auth_test

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"dongled/httpapi/auth"
	"dongled/scheduler/store"
)

// brought is a key that a client brings: the shortest there may be.
const brought = "0123456789abcde!"

// addKey adds a key and returns it.
func (f *fixture) addKey(name, key string, scopes ...string) string {
	f.Helper()
	shown, err := f.AddKey(ctx, name, key, scopes, false)
	f.ok(err)
	return shown
}

// refusesKey checks why a key is not taken.
func (f *fixture) refusesKey(key, addr string, want error) {
	f.Helper()
	if id, err := f.Key(ctx, key, addr); !errors.Is(err, want) || id.User != "" {
		f.Errorf("%v, %v; want %v", id, err, want)
	}
}

func TestKeyLetsIn(t *testing.T) {
	bubble(t, func(f *fixture) {
		key := f.addKey("bridge", "", "messages:send", "messages:read", "messages:send")
		if !regexp.MustCompile(`^dk_[a-z2-7]{32}$`).MatchString(key) {
			t.Errorf("made %q", key)
		}
		if again := f.addKey("other", "", "messages:send"); again == key {
			t.Error("the same key twice")
		}
		byKey, err := f.Key(ctx, key, here)
		f.ok(err)
		for _, id := range []auth.Identity{byKey, f.enter("Bearer "+key, here), f.enter("bearer  "+key, here)} {
			if id.User != "key:bridge" || !slices.Equal(id.Scopes, []string{"messages:read", "messages:send"}) || id.TokenID != "" {
				t.Errorf("%+v", id)
			}
		}
		// A key is no password, and nobody's name.
		f.refused(basic("bridge:"+key), there, auth.ErrUnauthorized)
		f.refused(basic("key:bridge:"+key), there, auth.ErrUnauthorized)
	})
}

// TestBroughtKey: a client keeps the key that it has, even one that looks like a token.
func TestBroughtKey(t *testing.T) {
	bubble(t, func(f *fixture) {
		for name, key := range map[string]string{
			"short": brought, "long": strings.Repeat("~", 200), "dots": "three.parts.of-a-token", "colon": "user:and:password",
		} {
			if shown := f.addKey(name, key, "all:any"); shown != key {
				t.Errorf("%q became %q", key, shown)
			}
			if id := f.enter("Bearer "+key, here); id.User != "key:"+name {
				t.Errorf("%q is %q", key, id.User)
			}
		}
	})
}

func TestKeyFaults(t *testing.T) {
	const (
		name   = "name: must be 1 to 64 characters out of A-Z a-z 0-9 . _ - + @"
		length = "key: must be 16 to 200 characters of visible ASCII, without spaces"
	)
	bubble(t, func(f *fixture) {
		f.addKey("bridge", brought, "messages:send")
		for _, test := range []struct{ name, key, scopes, want string }{
			{"", "", "all:any", name},
			{"a:b", "", "all:any", name},
			{strings.Repeat("a", 65), "", "all:any", name},
			{"new", brought[1:], "all:any", length},
			{"new", strings.Repeat("x", 201), "all:any", length},
			{"new", brought + " x", "all:any", length},
			{"new", brought + "\x7f", "all:any", length},
			{"new", brought + "ä", "all:any", length},
			{"new", "", "", "scopes must not be empty"},
			{"new", "", "messages:sned", "unsupported scope provided"},
			{"new", "", "messages:send tokens:refresh", "unsupported scope provided"},
			{"new", "", "messages:send tokens:manage", "scopes: a key cannot have tokens:manage: tokens would outlive it"},
			{"new", brought, "all:any", "key: is the one of bridge already"},
			{"bridge", "", "all:any", "there is a key of that name already"},
		} {
			shown, err := f.AddKey(ctx, test.name, test.key, strings.Fields(test.scopes), false)
			wantFault(t, err, test.want)
			if shown != "" {
				t.Errorf("%v: shows %q", test, shown)
			}
		}
		if keys := f.Keys(); len(keys) != 1 {
			t.Errorf("what is refused is stored: %v", keys)
		}
		wantErr(t, f.RemoveKey(ctx, "new"), auth.ErrNoKey)
	})
}

// TestKeysLast: keys and what they may do outlive the process, and are not in the file.
func TestKeysLast(t *testing.T) {
	bubble(t, func(f *fixture) {
		first := f.addKey("bridge", "", "messages:send")
		f.addKey("alerts", brought, "all:any")
		created := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		time.Sleep(time.Hour)
		second, err := f.AddKey(ctx, "bridge", "", []string{"logs:read"}, true)
		f.ok(err)
		for range 2 {
			want := []auth.KeyInfo{{"alerts", []string{"all:any"}, created}, {"bridge", []string{"logs:read"}, created}}
			if got := f.Keys(); !slices.EqualFunc(got, want, func(a, b auth.KeyInfo) bool {
				return a.Name == b.Name && slices.Equal(a.Scopes, b.Scopes) && a.Created.Equal(b.Created)
			}) {
				t.Errorf("%v, want %v", got, want)
			}
			f.refusesKey(first, here, auth.ErrUnauthorized)
			if id, err := f.Key(ctx, second, here); err != nil || id.User != "key:bridge" || !id.May("logs:read") || id.May("messages:send") {
				t.Errorf("%+v, %v", id, err)
			}
			f.restart(primaryName, primaryPassword)
		}
		raw, err := os.ReadFile(f.path)
		f.ok(err)
		for _, key := range []string{first, second, brought} {
			if strings.Contains(string(raw), key) {
				t.Error("a key is in the file")
			}
		}
		f.ok(f.RemoveKey(ctx, "bridge"))
		f.refusesKey(second, there, auth.ErrUnauthorized)
		wantErr(t, f.RemoveKey(ctx, "bridge"), auth.ErrNoKey)
		f.restart(primaryName, primaryPassword)
		f.refusesKey(second, there, auth.ErrUnauthorized)
		f.addKey("again", second, "logs:read") // nobody has it any more
	})
}

// TestKeyReplacedByItself: with the same key, other scopes are all that changes.
func TestKeyReplacedByItself(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addKey("bridge", brought, "messages:send")
		_, err := f.AddKey(ctx, "bridge", brought, []string{"messages:read"}, true)
		f.ok(err)
		if id, err := f.Key(ctx, brought, here); err != nil || id.May("messages:send") || !id.May("messages:read") {
			t.Errorf("%+v, %v", id, err)
		}
	})
}

// TestWrongKeysCount: the fifth wrong one has an address wait, whichever way they were shown; what is right
// passes meanwhile and makes nothing undone.
func TestWrongKeysCount(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addKey("bridge", brought, "messages:send")
		f.refusesKey("", here, auth.ErrUnauthorized) // no guess
		for _, wrong := range []string{"a wrong key", brought[1:], brought + "x"} {
			f.refusesKey(wrong, here, auth.ErrUnauthorized)
			_, err := f.Key(ctx, brought, here)
			f.ok(err)
		}
		f.refused("Bearer "+strings.ToUpper(brought), here, auth.ErrUnauthorized)
		f.refused(basic("anna:"+bobsPassword), here, auth.ErrUnauthorized)
		var delayed *auth.TooMany
		if _, err := f.Key(ctx, "a wrong key", here); !errors.As(err, &delayed) || delayed.RetryAfter != time.Second {
			t.Errorf("the sixth: %v", err)
		}
		for range 3 {
			_, err := f.Key(ctx, brought, here)
			f.ok(err)
			f.enter("Bearer "+brought, here)
		}
		f.refusesKey("a wrong key", there, auth.ErrUnauthorized)
		time.Sleep(time.Second)
		f.refusesKey("a wrong key", here, auth.ErrUnauthorized)
		if log := f.log.String(); strings.Contains(log, "wrong key") || strings.Contains(log, brought) {
			t.Errorf("the log has a key: %s", log)
		}
	})
}

// TestBroughtKeyIsNotGuessed: where an address has to wait, a key that somebody may have thought of is not
// told from a wrong one, whichever way it is shown. One with 160 random bits need not wait.
func TestBroughtKeyIsNotGuessed(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addKey("bridge", brought, "messages:send")
		made := f.addKey("made", "", "messages:send")
		for range 5 {
			f.refusesKey("a wrong key", here, auth.ErrUnauthorized)
		}
		var delayed *auth.TooMany
		if _, err := f.Key(ctx, brought, here); !errors.As(err, &delayed) {
			t.Errorf("the right one among guesses: %v", err)
		}
		if _, err := f.Authenticate(ctx, "Bearer "+brought, here); !errors.As(err, &delayed) {
			t.Errorf("the right one as a token among guesses: %v", err)
		}
		f.enter("Bearer "+made, here)
		f.enter("Bearer "+brought, there)
		time.Sleep(time.Second)
		f.enter("Bearer "+brought, here)
		f.refusesKey("a wrong key", here, auth.ErrUnauthorized)
		_, err := f.Key(ctx, brought, here) // it is known here by now
		f.ok(err)
	})
}

// TestKeyMakesNoTokens: they would outlive it. A key of all:any has everything else.
func TestKeyMakesNoTokens(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addKey("bridge", brought, "all:any")
		id := f.enter("Bearer "+brought, here)
		for _, scope := range auth.Scopes() {
			if may := id.May(scope); may != (scope != "tokens:manage") {
				t.Errorf("%s: %t", scope, may)
			}
		}
		if id.May("tokens:refresh") {
			t.Error("a key refreshes")
		}
		var forbidden *auth.Forbidden
		if _, err := f.Issue(ctx, id, 0, []string{"messages:send"}); !errors.As(err, &forbidden) || forbidden.Scope != "tokens:manage" {
			t.Errorf("tokens: %v", err)
		}
	})
}

// TestDamagedKey: it is nobody's, is said to be there, and can be replaced.
func TestDamagedKey(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.addKey("bridge", brought, "all:any")
		f.ok(f.store.Do(ctx, func(t *store.Tx) error { t.Put(t.Bucket([]byte("keys")), []byte("bridge"), []byte("{")); return nil }))
		f.restart(primaryName, primaryPassword)
		f.refusesKey(brought, here, auth.ErrUnauthorized)
		if log := f.log.String(); !strings.Contains(log, `msg="a damaged record is skipped" bucket=keys`) {
			t.Errorf("log: %s", log)
		}
		_, err := f.AddKey(ctx, "bridge", brought, []string{"all:any"}, false)
		wantErr(t, err, auth.ErrKeyExists)
		_, err = f.AddKey(ctx, "bridge", brought, []string{"all:any"}, true)
		f.ok(err)
		_, err = f.Key(ctx, brought, here)
		f.ok(err)
	})
}
