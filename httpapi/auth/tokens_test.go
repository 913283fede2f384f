package auth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"dongled/httpapi/auth"
	"dongled/scheduler/store"
)

func TestTokenIsWhoItIsOf(t *testing.T) {
	bubble(t, func(f *fixture) {
		tokens := f.issue(asAnna, "messages:send")
		got := f.enter("Bearer "+tokens.Access, here)
		if got.User != "anna" || !slices.Equal(got.Scopes, []string{"messages:send"}) || got.TokenID != tokens.ID {
			t.Errorf("%v", got)
		}
		got = f.enter("bearer "+tokens.Refresh, here)
		if got.User != "anna" || !slices.Equal(got.Scopes, []string{"tokens:refresh"}) || got.TokenID == tokens.ID {
			t.Errorf("%v", got)
		}
	})
}

// TestTokenLife: an access token of a day, its refresh token of a week, five seconds of leeway, and
// nothing left in the store afterwards.
func TestTokenLife(t *testing.T) {
	bubble(t, func(f *fixture) {
		tokens := f.issue(asAnna, "messages:send")
		if want := time.Now().Add(24 * time.Hour); !tokens.Expires.Equal(want) {
			t.Errorf("expires %s, want %s", tokens.Expires, want)
		}
		time.Sleep(24*time.Hour + 5*time.Second - time.Millisecond)
		if !f.valid(tokens) {
			t.Error("ended early")
		}
		time.Sleep(time.Millisecond)
		if f.valid(tokens) {
			t.Error("lives too long")
		}
		time.Sleep(6*24*time.Hour - time.Millisecond)
		second, err := f.refresh(tokens)
		f.ok(err)
		f.restart(primaryName, primaryPassword)
		time.Sleep(7*24*time.Hour + 5*time.Second)
		synctest.Wait()
		_, err = f.refresh(second)
		wantErr(t, err, auth.ErrUnauthorized)
		if n := f.stored("tokens"); n != 0 {
			t.Errorf("%d records are left", n)
		}
		if n := f.stored("timers"); n != 0 {
			t.Errorf("%d timers are left", n)
		}
	})
}

// stored counts the records of a bucket.
func (f *fixture) stored(bucket string) (n int) {
	f.Helper()
	f.ok(f.store.View(func(btx *bolt.Tx) error {
		n = btx.Bucket([]byte(bucket)).Stats().KeyN
		return nil
	}))
	return n
}

func TestTokensLast(t *testing.T) {
	bubble(t, func(f *fixture) {
		mine, primarys := f.issue(asAnna, "messages:send"), f.issue(asPrimary, "all:any")
		used := f.issue(asAnna, "messages:send")
		fresh, err := f.refresh(used)
		f.ok(err)
		f.ok(f.Revoke(ctx, f.as(asAnna), mine.ID))
		f.restart(primaryName, primaryPassword)
		if f.valid(mine) || !f.valid(primarys) || f.valid(used) || !f.valid(fresh) {
			t.Error("not as before")
		}
		_, err = f.refresh(used)
		wantErr(t, err, auth.ErrReplay)
		f.restart(primaryName, primaryPassword)
		if f.valid(fresh) {
			t.Error("the replay is forgotten")
		}
		for _, token := range []auth.Tokens{used, fresh} {
			_, err = f.refresh(token)
			wantErr(t, err, auth.ErrReplay)
		}
		_, err = f.refresh(mine)
		wantErr(t, err, auth.ErrUnauthorized)
	})
}

// TestPrimaryChanged: another password or name in the configuration ends the primary account's tokens
// and no others.
func TestPrimaryChanged(t *testing.T) {
	for _, changed := range [][2]string{{primaryName, "another password"}, {"smsx", primaryPassword}, {"", ""}, {"sms\x00the", "primary one"}} {
		bubble(t, func(f *fixture) {
			primarys, annas := f.issue(asPrimary, "all:any"), f.issue(asAnna, "messages:send")
			f.restart(primaryName, primaryPassword)
			f.restart(primaryName, primaryPassword)
			if !f.valid(primarys) {
				t.Error("the same account, but the token is gone")
			}
			f.restart(changed[0], changed[1])
			if f.valid(primarys) || !f.valid(annas) {
				t.Errorf("%q: tokens", changed)
			}
			f.restart(primaryName, primaryPassword)
			if f.valid(primarys) {
				t.Error("a token came back with the password")
			}
		})
	}
}

// TestPrimaryChangedTwice: the hash is that of the account that gave the tokens which are there.
func TestPrimaryChangedTwice(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.issue(asPrimary, "all:any")
		f.restart(primaryName, "second password")
		second := f.issue(basic("sms:second password"), "all:any")
		f.restart(primaryName, "second password")
		if !f.valid(second) {
			t.Error("the hash is that of the first")
		}
	})
}

// TestForgedTokens: the algorithm, the secret and the claims are this gateway's own.
func TestForgedTokens(t *testing.T) {
	bubble(t, func(f *fixture) {
		tokens := f.issue(asAnna, "messages:send")
		var secret []byte
		f.ok(f.store.View(func(btx *bolt.Tx) error {
			secret = slices.Clone(btx.Bucket([]byte("auth")).Get([]byte("secret")))
			return nil
		}))
		if len(secret) != 48 {
			t.Errorf("a secret of %d characters", len(secret))
		}
		family := familyOf(tokens.ID)
		claims := func(edits ...any) jwt.MapClaims {
			c := jwt.MapClaims{
				"jti": tokens.ID, "iss": "dongled", "sub": "anna", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
				"scopes": []string{"all:any"}, "token_use": "access",
			}
			for i := 0; i < len(edits); i += 2 {
				if c[edits[i].(string)] = edits[i+1]; edits[i+1] == nil {
					delete(c, edits[i].(string))
				}
			}
			return c
		}
		sign := func(m jwt.SigningMethod, key any, c jwt.MapClaims) string {
			token, err := jwt.NewWithClaims(m, c).SignedString(key)
			f.ok(err)
			return "Bearer " + token
		}
		// What is signed rightly counts by its record: the claim all:any opens nothing.
		if got := f.enter(sign(jwt.SigningMethodHS256, secret, claims()), here); !slices.Equal(got.Scopes, []string{"messages:send"}) {
			t.Errorf("%v", got)
		}
		for i, forged := range []string{
			sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims()),
			sign(jwt.SigningMethodHS384, secret, claims()),
			sign(jwt.SigningMethodHS512, secret, claims()),
			sign(jwt.SigningMethodHS256, []byte("another secret"), claims()),
			sign(jwt.SigningMethodHS256, []byte{}, claims()),
			sign(jwt.SigningMethodHS256, secret, claims("exp", nil)),
			sign(jwt.SigningMethodHS256, secret, claims("exp", "never")),
			sign(jwt.SigningMethodHS256, secret, claims("iss", "sms-gate.app")),
			sign(jwt.SigningMethodHS256, secret, claims("jti", nil)),
			sign(jwt.SigningMethodHS256, secret, claims("jti", family+".a2")),
			sign(jwt.SigningMethodHS256, secret, claims("jti", family+".a01")),
			sign(jwt.SigningMethodHS256, secret, claims("jti", family+".x1")),
			sign(jwt.SigningMethodHS256, secret, claims("jti", ".a1")),
			sign(jwt.SigningMethodHS256, secret, claims("token_use", "refresh")),
			sign(jwt.SigningMethodHS256, secret, claims("token_use", nil)),
			"Bearer " + tokens.Access[:len(tokens.Access)-4],
			"Bearer " + tokens.Access + "x",
		} {
			f.refused(forged, fmt.Sprintf("192.0.2.%d", i/4), auth.ErrUnauthorized)
		}
	})
}

// familyOf is what the names of a pair of the first generation have in common.
func familyOf(id string) string { return strings.TrimSuffix(id, ".a1") }

// TestTokensInADelay: an expired token is nobody's guess; a forged one is, and a good one passes.
func TestTokensInADelay(t *testing.T) {
	bubble(t, func(f *fixture) {
		good := f.issue(asPrimary, "all:any")
		id := f.as(asAnna)
		short, err := f.Issue(ctx, id, time.Second, []string{"messages:send"})
		f.ok(err)
		time.Sleep(time.Minute)
		for range 10 {
			f.refused("Bearer "+short.Access, here, auth.ErrUnauthorized)
		}
		for range 5 {
			f.refused("Bearer "+good.Access+"x", here, auth.ErrUnauthorized)
		}
		var tooMany *auth.TooMany
		for _, header := range []string{"Bearer " + good.Access + "x", asAnna, asPrimary} {
			if _, err := f.Authenticate(ctx, header, here); !errors.As(err, &tooMany) || tooMany.RetryAfter != time.Second {
				t.Errorf("in a delay: %v", err)
			}
		}
		f.enter("Bearer "+good.Access, here)
		f.refused("Bearer "+short.Access, here, auth.ErrUnauthorized)
	})
}

// TestSeenBefore: what an address proved passes during its delay, until the password changes.
func TestSeenBefore(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.enter(asAnna, here)
		f.enter(asPrimary, here)
		f.enter(asBob, there)
		for range 5 {
			f.refused(basic("anna:wrong"), here, auth.ErrUnauthorized)
		}
		f.enter(asAnna, here)
		f.enter(asPrimary, here)
		var tooMany *auth.TooMany
		if _, err := f.Authenticate(ctx, asBob, here); !errors.As(err, &tooMany) {
			t.Errorf("what another address proved: %v", err)
		}
		f.ok(f.AddUser(ctx, "anna", "anna's new one", []string{"messages:send"}, true))
		if _, err := f.Authenticate(ctx, asAnna, here); !errors.As(err, &tooMany) {
			t.Errorf("the old password: %v", err)
		}
		if got := f.log.String(); strings.Count(got, "wrong credentials again and again") != 1 || strings.Contains(got, "anna") {
			t.Error(got)
		}
	})
}

// TestRefreshAtOnce: of several at the same time one wins, and then it was a replay.
func TestRefreshAtOnce(t *testing.T) {
	bubble(t, func(f *fixture) {
		tokens := f.issue(asAnna, "messages:send")
		id := f.enter("Bearer "+tokens.Refresh, here)
		var running sync.WaitGroup
		var mu sync.Mutex
		var won []auth.Tokens
		for range 20 {
			running.Go(func() {
				got, err := f.Refresh(ctx, id)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, got)
				} else if !errors.Is(err, auth.ErrReplay) {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if len(won) != 1 || f.valid(won[0]) {
			t.Errorf("%d pairs", len(won))
		}
	})
}

// TestIssueByToken: a token makes no more than it is, and nothing once it is revoked.
func TestIssueByToken(t *testing.T) {
	bubble(t, func(f *fixture) {
		tokens := f.issue(asAnna, "tokens:manage", "messages:send")
		id := f.enter("Bearer "+tokens.Access, here)
		child, err := f.Issue(ctx, id, 0, []string{"messages:send"})
		f.ok(err)
		if got := f.enter("Bearer "+child.Access, here); got.User != "anna" || !slices.Equal(got.Scopes, []string{"messages:send"}) {
			t.Errorf("%v", got)
		}
		_, err = f.Issue(ctx, id, 0, []string{"messages:read"})
		wantFault(t, err, "scope required: messages:read")
		_, err = f.Issue(ctx, id, -1, []string{"messages:send"})
		wantFault(t, err, "ttl must be > 0")
		f.ok(f.Revoke(ctx, id, tokens.ID))
		_, err = f.Issue(ctx, id, 0, []string{"messages:send"})
		wantErr(t, err, auth.ErrUnauthorized)
	})
}

func TestIssueFor(t *testing.T) {
	bubble(t, func(f *fixture) {
		for _, test := range []struct {
			name   string
			scopes []string
			want   string
		}{
			{"anna", nil, "anna [messages:send tokens:manage]"},
			{"anna", []string{"messages:send"}, "anna [messages:send]"},
			{"anna", []string{"all:any"}, "scope required: all:any"},
			{"", nil, "sms [all:any]"},
			{"sms", []string{"logs:read"}, "sms [logs:read]"},
			{"nobody", nil, "there is no user of that name"},
		} {
			tokens, err := f.IssueFor(ctx, test.name, 0, test.scopes)
			got := fmt.Sprint(err)
			if err == nil {
				id := f.enter("Bearer "+tokens.Access, here)
				got = fmt.Sprint(id.User, " ", id.Scopes)
			}
			if got != test.want {
				t.Errorf("%s %v: %s, want %s", test.name, test.scopes, got, test.want)
			}
		}
		f.restart(primaryName, "")
		_, err := f.IssueFor(ctx, "", 0, nil)
		wantErr(t, err, auth.ErrNoUser)
	})
}

// TestDamage: what is damaged lets nobody in, and hides nothing else.
func TestDamage(t *testing.T) {
	bubble(t, func(f *fixture) {
		mine, bobs := f.issue(asAnna, "messages:send"), f.issue(asPrimary, "logs:read")
		family := familyOf(mine.ID)
		damage := func(bucket, key, value string) {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error { t.Put(t.Bucket([]byte(bucket)), []byte(key), []byte(value)); return nil }))
		}
		damage("accounts", "anna", "{")
		damage("accounts", "carl", `{"hash":"$argon2id$","scopes":["all:any"]}`)
		damage("tokens", family, "nonsense")
		f.restart(primaryName, primaryPassword)
		if f.valid(mine) || !f.valid(bobs) {
			t.Error("tokens")
		}
		f.refused(asAnna, here, auth.ErrUnauthorized)
		f.refused(basic("carl:whatever"), here, auth.ErrUnauthorized)
		f.enter(asBob, here)
		wantErr(t, f.AddUser(ctx, "anna", annasPassword, []string{"logs:read"}, false), auth.ErrUserExists)
		f.ok(f.AddUser(ctx, "anna", annasPassword, []string{"logs:read"}, true))
		f.enter(asAnna, here)
		time.Sleep(8 * 24 * time.Hour) // timers of what is damaged stop nothing
		f.enter(asAnna, here)

		bobs = f.issue(asPrimary, "logs:read")
		damage("auth", "secret", "short")
		damage("auth", "primary", "short")
		f.restart(primaryName, primaryPassword)
		if f.valid(bobs) {
			t.Error("a token outlives its secret")
		}
		if again := f.issue(asPrimary, "logs:read"); !f.valid(again) {
			t.Error("the new secret is none")
		}
	})
}

func TestTokensAreBounded(t *testing.T) {
	auth.Few(t, 3)
	bubble(t, func(f *fixture) {
		tokens := f.issue(asAnna, "messages:send")
		f.issue(asAnna, "messages:send")
		f.issue(asAnna, "messages:send")
		f.restart(primaryName, primaryPassword)
		full := func() {
			f.Helper()
			_, err := f.Issue(ctx, f.as(asAnna), 0, []string{"messages:send"})
			wantFault(t, err, "3 tokens are valid already: revoke some, or ask for a shorter ttl")
		}
		full()
		f.issue(asPrimary, "all:any") // each user by itself
		_, err := f.refresh(tokens)
		f.ok(err)
		full()
		f.ok(f.Revoke(ctx, f.as(asAnna), tokens.ID))
		f.issue(asAnna, "messages:send")
		full()
		time.Sleep(8 * 24 * time.Hour)
		f.issue(asAnna, "messages:send")
	})
}

// session is what a model knows of tokens that began with one request.
type session struct {
	user  string
	pairs []auth.Tokens
	// ends is when the access token of the last pair does; over says that all of them ended for good.
	ends     time.Time
	over     bool
	replayed bool
}

// TestTokensModel issues, refreshes, replays, revokes, removes, restarts and waits at random, and
// compares every token with what the model says of it.
func TestTokensModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		moves := rapid.SliceOfN(rapid.IntRange(0, 6), 1, 25).Draw(r, "moves")
		picks := rapid.SliceOfN(rapid.IntRange(0, 1000), len(moves), len(moves)).Draw(r, "picks")
		bubble(t, func(f *fixture) {
			f.ok(f.store.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
			m := &model{fixture: f}
			for i, move := range moves {
				m.move(move, picks[i])
				m.check()
			}
		})
	})
}

type model struct {
	*fixture
	sessions []*session
}

func (m *model) move(move, pick int) {
	const ttl = 100 * time.Second
	headers := map[string]string{"sms": asPrimary, "anna": asAnna}
	if move == 0 || len(m.sessions) == 0 {
		user := []string{"sms", "anna"}[pick%2]
		tokens, err := m.Issue(ctx, m.as(headers[user]), ttl, []string{"messages:send"})
		m.ok(err)
		m.sessions = append(m.sessions, &session{user: user, pairs: []auth.Tokens{tokens}, ends: time.Now().Add(ttl)})
		return
	}
	s := m.sessions[pick%len(m.sessions)]
	switch move {
	case 1, 2:
		which := len(s.pairs) - 1 // the last, or any
		if move == 2 {
			which = pick % len(s.pairs)
		}
		m.refreshAny(s, which, ttl)
	case 3:
		m.ok(m.Revoke(ctx, m.as(headers[s.user]), s.pairs[pick%len(s.pairs)].ID))
		s.over, s.replayed = true, false
	case 4:
		m.ok(m.AddUser(ctx, "anna", annasPassword, []string{"messages:send", "tokens:manage"}, true))
		for _, s := range m.sessions {
			if s.user == "anna" {
				s.over, s.replayed = true, false
			}
		}
	case 5:
		m.restart(primaryName, primaryPassword)
	case 6:
		time.Sleep(time.Duration(pick) * time.Second)
	}
}

// refreshAny refreshes with any pair of a session. Refresh tokens live 700 s, and all have five
// seconds more.
func (m *model) refreshAny(s *session, which int, ttl time.Duration) {
	const more = 5 * time.Second
	fresh, err := m.refresh(s.pairs[which])
	issued := s.pairs[which].Expires.Add(-ttl)
	switch {
	case s.over && !s.replayed, !time.Now().Before(issued.Add(7*ttl + more)):
		wantErr(m, err, auth.ErrUnauthorized)
	case s.replayed || which != len(s.pairs)-1:
		wantErr(m, err, auth.ErrReplay)
		s.over, s.replayed = true, true
	case err != nil:
		m.Errorf("refused: %v", err)
	default:
		s.pairs = append(s.pairs, fresh)
		s.ends = time.Now().Add(ttl)
	}
}

func (m *model) check() {
	m.Helper()
	for i, s := range m.sessions {
		for j, tokens := range s.pairs {
			want := !s.over && j == len(s.pairs)-1 && time.Now().Before(s.ends.Add(5*time.Second))
			if got := m.valid(tokens); got != want {
				m.Fatalf("session %d, pair %d of %d: %t, want %t", i, j, len(s.pairs), got, want)
			}
		}
	}
}
