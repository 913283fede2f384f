package auth_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"dongled/httpapi/auth"
	"dongled/scheduler/store"
)

// BenchmarkBasic is what judging a password costs: derived, remembered, and that of the account of
// the configuration. BenchmarkBearer is a token.
func BenchmarkBasic(b *testing.B) {
	a := benchmarked(b)
	b.Run("derived", func(b *testing.B) {
		for i := range b.N {
			// A password that is wrong is derived every time; each address has some tries.
			if _, err := a.Authenticate(ctx, basic("anna:wrong"), fmt.Sprintf("10.0.%d.%d", i/256%256, i%256)); err == nil {
				b.Fatal("let in")
			}
			if i%50 == 49 { // the budget of failures
				b.StopTimer()
				a = benchmarked(b)
				b.StartTimer()
			}
		}
	})
	for name, header := range map[string]string{"remembered": asAnna, "primary": asPrimary} {
		b.Run(name, func(b *testing.B) { letIn(b, a, header) })
	}
}

func BenchmarkBearer(b *testing.B) {
	a := benchmarked(b)
	tokens, err := a.IssueFor(ctx, "anna", 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	letIn(b, a, "Bearer "+tokens.Access)
}

func letIn(b *testing.B, a *auth.Auth, header string) {
	if _, err := a.Authenticate(ctx, header, here); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.Authenticate(ctx, header, here); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarked(b *testing.B) *auth.Auth {
	a := auth.New(auth.Options{})
	s, err := store.Open(filepath.Join(b.TempDir(), "s.db"), store.Options{}, a)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	if err := a.SetPrimary(primaryName, primaryPassword); err != nil {
		b.Fatal(err)
	}
	if err := a.AddUser(ctx, "anna", annasPassword, []string{"all:any"}, false); err != nil {
		b.Fatal(err)
	}
	return a
}
