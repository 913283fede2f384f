package templates_test

import (
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"dongled/httpapi/templates"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a room in a store of its own.
type shelf struct {
	*templates.Templates
	path  string
	store *store.Store
}

// faults takes what a check finds: a testing.TB, or a rapid.T.
type faults interface {
	Helper()
	Fatal(...any)
	Errorf(string, ...any)
}

func (s *shelf) open(t faults) {
	t.Helper()
	s.Templates = templates.New(nil)
	var err error
	if s.store, err = store.Open(s.path, store.Options{}, s.Templates); err != nil {
		t.Fatal(err)
	}
	if err := s.store.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }); err != nil {
		t.Fatal(err)
	}
}

func (s *shelf) close(t faults) {
	t.Helper()
	if err := s.store.Close(); err != nil {
		t.Errorf("%v", err)
	}
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{path: filepath.Join(t.TempDir(), "s.db")}
	s.open(t)
	t.Cleanup(func() { s.close(t) })
	return s
}

// active stores a template whose first version may be used.
func (s *shelf) active(t faults, w templates.Wording) templates.Project {
	t.Helper()
	p, err := s.Create(ctx, "", "a name", w)
	if err == nil {
		p, err = s.Activate(ctx, p.ID, "1")
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}
