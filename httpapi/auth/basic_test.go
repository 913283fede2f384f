package auth_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/httpapi/auth"
)

func TestPasswords(t *testing.T) {
	bubble(t, func(f *fixture) {
		for header, want := range map[string]auth.Identity{
			asPrimary:             {User: "sms", Scopes: []string{"all:any"}},
			asAnna:                {User: "anna", Scopes: []string{"messages:send", "tokens:manage"}},
			asBob:                 {User: "bob", Scopes: []string{"messages:read"}},
			"bAsIc  " + asBob[6:]: {User: "bob", Scopes: []string{"messages:read"}},
		} {
			for range 2 { // derived, and remembered
				if got := f.enter(header, here); got.User != want.User || !slices.Equal(got.Scopes, want.Scopes) || got.TokenID != "" {
					t.Errorf("%v, want %v", got, want)
				}
			}
		}
	})
}

func TestWrongPasswords(t *testing.T) {
	bubble(t, func(f *fixture) {
		for i, header := range []string{
			basic("anna:" + bobsPassword), basic("bob:" + annasPassword), basic("sms:" + annasPassword), basic("anna:" + primaryPassword),
			basic("Anna:" + annasPassword), basic("anna:" + annasPassword + " "), basic("anna:" + annasPassword[:len(annasPassword)-1]),
			basic("anna:"), basic(":" + annasPassword), basic("anna: " + annasPassword), basic("nobody:" + annasPassword),
			basic(annasPassword), basic("anna\x00:" + annasPassword), basic("anna:" + annasPassword + "\x00"), basic("anna:\xff"),
			"", "Basic", "Basic ", "Basic !", "Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Digest " + asAnna[6:], asAnna[6:], "Basic" + asAnna[6:],
		} {
			addr := "192.0.2." + string(rune('0'+i%10)) + string(rune('0'+i/10)) // four tries are free
			f.refused(header, addr, auth.ErrUnauthorized)
		}
		f.enter(asAnna, here)
	})
}

func TestScopes(t *testing.T) {
	for _, test := range []struct {
		granted, wanted string
		may             bool
	}{
		{"messages:send", "messages:send", true},
		{"messages:send", "messages:read", false},
		{"messages:read", "messages:list messages:read", true},
		{"all:any", "messages:read", true},
		{"all:any", "tokens:refresh", false},
		{"tokens:refresh", "tokens:refresh", true},
		{"tokens:refresh", "messages:read", false},
		{"", "messages:read", false},
		{"all:any", "", false},
	} {
		id := auth.Identity{Scopes: strings.Fields(test.granted)}
		if id.May(strings.Fields(test.wanted)...) != test.may {
			t.Errorf("%q for %q: %t", test.granted, test.wanted, !test.may)
		}
	}
}

func TestUserFaults(t *testing.T) {
	const (
		name     = "name: must be 1 to 64 characters out of A-Z a-z 0-9 . _ - + @"
		short    = "password: must have more than 8 characters, unless auth.allow_short_passwords is set"
		odd      = "password: must be UTF-8 without control characters, at most 1024 bytes"
		password = "nine char"
	)
	bubble(t, func(f *fixture) {
		for _, test := range []struct {
			name, password, scopes, want string
		}{
			{"", password, "all:any", name},
			{"a:b", password, "all:any", name},
			{"a b", password, "all:any", name},
			{"ä", password, "all:any", name},
			{strings.Repeat("a", 65), password, "all:any", name},
			{"sms", password, "all:any", "name: is the account of the configuration: change auth.username or auth.password there"},
			{"carl", "", "all:any", short},
			{"carl", "12345678", "all:any", short},
			{"carl", "äöüäöüäö", "all:any", short},
			{"carl", strings.Repeat("x", 1025), "all:any", odd},
			{"carl", "nine\x7fchar", "all:any", odd},
			{"carl", "nine char\xff", "all:any", odd},
			{"carl", password, "", "scopes must not be empty"},
			{"carl", password, "messages:send all", "unsupported scope provided"},
			{"carl", password, "tokens:refresh", "unsupported scope provided"},
			{"anna", password, "all:any", "there is a user of that name already"},
		} {
			wantFault(t, f.AddUser(ctx, test.name, test.password, strings.Fields(test.scopes), false), test.want)
		}
		f.ok(f.AddUser(ctx, "carl.the-great+1@example_2", password, auth.Scopes(), false))
		wantErr(t, f.RemoveUser(ctx, "dora"), auth.ErrNoUser)
	})
}

func TestShortPasswordsIfAllowed(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.allowShort = true
		f.restart(primaryName, primaryPassword)
		f.ok(f.AddUser(ctx, "carl", "1", []string{"logs:read"}, false))
		f.enter(basic("carl:1"), here)
		wantFault(t, f.AddUser(ctx, "dora", "", []string{"logs:read"}, false),
			"password: must have more than 8 characters, unless auth.allow_short_passwords is set")
	})
}

// TestUsersLast: users and what they may do outlive the process; passwords are not in the file.
func TestUsersLast(t *testing.T) {
	bubble(t, func(f *fixture) {
		created := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		want := []auth.User{
			{Name: "anna", Scopes: []string{"messages:send", "tokens:manage"}, Created: created},
			{Name: "bob", Scopes: []string{"messages:read"}, Created: created},
		}
		check := func() {
			t.Helper()
			same := func(a, b auth.User) bool {
				return a.Name == b.Name && slices.Equal(a.Scopes, b.Scopes) && a.Created.Equal(b.Created)
			}
			if got := f.Users(); !slices.EqualFunc(got, want, same) {
				t.Errorf("%v", got)
			}
		}
		check()
		f.restart(primaryName, primaryPassword)
		check()
		f.enter(asAnna, here)
		f.ok(f.RemoveUser(ctx, "anna"))
		f.restart(primaryName, primaryPassword)
		want = want[1:]
		check()
		f.refused(asAnna, here, auth.ErrUnauthorized)
	})
}

// TestChangedUser: what was right is forgotten at once, and so are its tokens.
func TestChangedUser(t *testing.T) {
	bubble(t, func(f *fixture) {
		bobs, err := f.IssueFor(ctx, "bob", 0, nil)
		f.ok(err)
		tokens := f.issue(asAnna, "messages:send")
		old := f.as(asAnna)
		const changed = "anna's new one"
		time.Sleep(time.Hour)
		f.ok(f.AddUser(ctx, "anna", changed, []string{"inbox:list", "inbox:list"}, true))
		f.refused(asAnna, here, auth.ErrUnauthorized)
		if got := f.enter(basic("anna:"+changed), here); !slices.Equal(got.Scopes, []string{"inbox:list"}) {
			t.Errorf("scopes %v", got.Scopes)
		}
		if !f.Users()[0].Created.Equal(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Error("replacing is not creating")
		}
		if f.valid(tokens) || !f.valid(bobs) {
			t.Error("the tokens of the one that changed end, and no others")
		}
		// Nor does a request that was let in before get anything for it.
		_, err = f.Issue(ctx, old, 0, []string{"messages:send"})
		wantErr(t, err, auth.ErrUnauthorized)

		f.ok(f.RemoveUser(ctx, "anna"))
		f.refused(basic("anna:"+changed), here, auth.ErrUnauthorized)
		f.ok(f.AddUser(ctx, "anna", annasPassword, []string{"logs:read"}, false))
		if got := f.enter(asAnna, here); !slices.Equal(got.Scopes, []string{"logs:read"}) {
			t.Errorf("scopes %v", got.Scopes)
		}
		if f.valid(tokens) {
			t.Error("a token of the one that was removed")
		}
	})
}

// TestUserOfThePrimaryName: the account of the configuration hides it, whatever its password.
func TestUserOfThePrimaryName(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.restart("anna", primaryPassword)
		f.refused(asAnna, here, auth.ErrUnauthorized)
		if got := f.enter(basic("anna:"+primaryPassword), here); !slices.Equal(got.Scopes, []string{"all:any"}) {
			t.Errorf("scopes %v", got.Scopes)
		}
		if !strings.Contains(f.log.String(), "a user has the name of the configuration's account and cannot log in") {
			t.Error(f.log.String())
		}
	})
}

// TestManyAtOnce: requests that come together with a password that is right are all let in, although
// only one password is derived at a time.
func TestManyAtOnce(t *testing.T) {
	bubble(t, func(f *fixture) {
		var running sync.WaitGroup
		for range 60 { // of each: five are tried, and no more than 128 may wait
			for _, header := range []string{asAnna, asPrimary} {
				running.Go(func() { f.enter(header, here) })
			}
		}
		running.Wait()
	})
}

// TestManyWrongAtOnce: no more than five of them are judged.
func TestManyWrongAtOnce(t *testing.T) {
	bubble(t, func(f *fixture) {
		var running sync.WaitGroup
		var mu sync.Mutex
		judged := 0
		for range 100 {
			running.Go(func() {
				_, err := f.Authenticate(ctx, basic("anna:wrong"), here)
				var tooMany *auth.TooMany
				if errors.Is(err, auth.ErrUnauthorized) {
					mu.Lock()
					judged++
					mu.Unlock()
				} else if !errors.As(err, &tooMany) {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if judged != 5 {
			t.Errorf("%d were judged", judged)
		}
	})
}

// TestCrowdOfStrangers: the budget of wrong passwords keeps the processor free, whatever number of
// addresses they come from; what is remembered passes.
func TestCrowdOfStrangers(t *testing.T) {
	bubble(t, func(f *fixture) {
		f.enter(asAnna, here)
		judged, busy := 0, 0
		for i := range 70 {
			addr := "2001:db8:0:" + string(rune('a'+i%6)) + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "::1"
			_, err := f.Authenticate(ctx, basic("nobody:wrong"), addr)
			switch {
			case errors.Is(err, auth.ErrUnauthorized):
				judged++
			case errors.Is(err, auth.ErrBusy):
				busy++
			default:
				t.Error(err)
			}
		}
		if judged != 60 || busy != 10 {
			t.Errorf("%d judged, %d sent away", judged, busy)
		}
		f.enter(asAnna, there)
		f.enter(asPrimary, there)
		f.refused(asBob, there, auth.ErrBusy)
		time.Sleep(2 * time.Second)
		f.enter(asBob, there)
	})
}

// A password that could not be derived was compared with those that need no derivation: it counts.
func TestGuessesOfABusyMachineCount(t *testing.T) {
	bubble(t, func(f *fixture) {
		for i := range 12 { // which empties the budget of failures
			for range 5 {
				f.refused(basic("anna:a wrong guess"), fmt.Sprintf("203.0.113.%d", i), auth.ErrUnauthorized)
			}
		}
		for range 5 {
			f.refused(basic(primaryName+":another guess"), here, auth.ErrBusy)
		}
		var tooMany *auth.TooMany
		if id, err := f.Authenticate(ctx, asPrimary, here); !errors.As(err, &tooMany) {
			t.Errorf("the sixth guess: %v, %v; want a delay", id.User, err)
		}
		f.enter(asPrimary, there)
	})
}
