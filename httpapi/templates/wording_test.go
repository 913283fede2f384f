package templates_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"dongled/httpapi/templates"
	"dongled/scheduler/store"
)

// TestVariablesOfTexts: what was declared stays in order; what only texts name is required.
func TestVariablesOfTexts(t *testing.T) {
	s := newShelf(t)
	p := s.active(t, templates.Wording{
		DefaultLocale: "en",
		Texts:         map[string]string{"en": "{{b}} {{a}} {{b}}", "de": "{{d}} {{a}}"},
		Variables:     []templates.Variable{{Key: "c", Default: "x"}, {Key: "a", MaxLen: 3}},
	})
	want := []templates.Variable{{Key: "c", Default: "x"}, {Key: "a", MaxLen: 3}, {Key: "d", Required: true}, {Key: "b", Required: true}}
	if got := p.Versions[0].Variables; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestDeclare(t *testing.T) {
	yes, no, empty, x := true, false, "", "x"
	for _, test := range []struct {
		required *bool
		standard *string
		want     templates.Variable
	}{
		{nil, nil, templates.Variable{Key: "k", Required: true, MaxLen: 7}},
		{nil, &x, templates.Variable{Key: "k", Default: "x", MaxLen: 7}},
		{nil, &empty, templates.Variable{Key: "k", MaxLen: 7}},
		{&no, nil, templates.Variable{Key: "k", MaxLen: 7}},
		{&no, &x, templates.Variable{Key: "k", Default: "x", MaxLen: 7}},
		{&yes, nil, templates.Variable{Key: "k", Required: true, MaxLen: 7}},
		{&yes, &x, templates.Variable{Key: "k", Required: true, Default: "x", MaxLen: 7}}, // refused when it is stored
	} {
		if got := templates.Declare("k", test.required, test.standard, 7); got != test.want {
			t.Errorf("%+v, want %+v", got, test.want)
		}
	}
}

func texts(n int, text string) map[string]string {
	all := map[string]string{}
	for i := range n {
		all[fmt.Sprintf("en-x-%d", i)] = text
	}
	return all
}

// TestRefused: every fault of a wording; nothing is stored of any.
func TestRefused(t *testing.T) {
	s := newShelf(t)
	one := map[string]string{"en": "{{k}}"}
	long := strings.Repeat("ä", 10_000)
	vars := func(vs ...templates.Variable) templates.Wording { return templates.Wording{Texts: one, Variables: vs} }
	many := make([]templates.Variable, 100)
	for i := range many {
		many[i].Key = fmt.Sprint(i)
	}
	for _, test := range []struct {
		name           string
		w              templates.Wording
		field, problem string
	}{
		{"no text", templates.Wording{}, "texts", "must be 1 to 50 texts by locale"},
		{"too many texts", templates.Wording{Texts: texts(51, "a")}, "texts", "must be 1 to 50 texts by locale"},
		{"no locale", templates.Wording{Texts: map[string]string{"": "a"}}, "texts", "must be by locale, each a language tag such as en or en-GB"},
		{"unknown language", templates.Wording{Texts: map[string]string{"xqx": "a"}}, "texts", "must be by locale, each a language tag such as en or en-GB"},
		{"no language", templates.Wording{Texts: map[string]string{"und": "a"}}, "texts", "must be by locale, each a language tag such as en or en-GB"},
		{"empty text", templates.Wording{Texts: map[string]string{"en": ""}}, "texts.en", "must not be empty"},
		{"long text", templates.Wording{Texts: map[string]string{"en": long + "a"}}, "texts.en", "must have at most 10000 characters"},
		{"tab", templates.Wording{Texts: map[string]string{"en": "a\tb"}}, "texts.en", "must not have control characters, except line feeds"},
		{"not UTF-8", templates.Wording{Texts: map[string]string{"en": "\xff"}}, "texts.en", "must be UTF-8"},
		{"the same locale", templates.Wording{Texts: map[string]string{"en-gb": "a", "en_GB": "b"}}, "texts.en-GB", "must not occur twice"},
		{"no default", templates.Wording{Texts: map[string]string{"en": "a", "de": "b"}}, "defaultLocale", "is required where there is more than one text"},
		{"default of no text", templates.Wording{DefaultLocale: "en", Texts: map[string]string{"en-GB": "a"}}, "defaultLocale", "must be the locale of one of the texts"},
		{"odd default", templates.Wording{DefaultLocale: "!", Texts: one}, "defaultLocale", "must be the locale of one of the texts"},
		{"no key", vars(templates.Variable{}), "variables[0].key", "must be 1 to 64 letters, digits and . _ -"},
		{"odd key", vars(templates.Variable{Key: "a b"}), "variables[0].key", "must be 1 to 64 letters, digits and . _ -"},
		{"the same key", vars(templates.Variable{Key: "k"}, templates.Variable{Key: "k"}), "variables[1].key", "must not occur twice"},
		{"negative", vars(templates.Variable{Key: "k", MaxLen: -1}), "variables[0].maxLen", "must be from 1 to 39015, or 0 for no bound of its own"},
		{"too much", vars(templates.Variable{Key: "k", MaxLen: 39_016}), "variables[0].maxLen", "must be from 1 to 39015, or 0 for no bound of its own"},
		{"default of a required one", vars(templates.Variable{Key: "k", Required: true, Default: "x"}), "variables[0].default", "is never used where the variable is required"},
		{"default too long", vars(templates.Variable{Key: "k", MaxLen: 2, Default: "äöü"}), "variables[0].default", "must have at most 2 characters"},
		{"long default", vars(templates.Variable{Key: "k", Default: long + "a"}), "variables[0].default", "must have at most 10000 characters"},
		{"default with NUL", vars(templates.Variable{Key: "k", Default: "\x00"}), "variables[0].default", "must not have control characters, except line feeds"},
		{"too many", vars(many...), "variables", "must be at most 100, with those that only texts name"},
		{"too large", templates.Wording{Texts: texts(2, long)}, "defaultLocale", "is required where there is more than one text"},
		{"too large together", templates.Wording{DefaultLocale: "en-x-0", Texts: texts(2, long)}, "texts", "and variables have 40000 octets together, 32768 at most"},
		{"odd id", templates.Wording{Texts: one, VersionID: "1"}, "versionId", "must be a UUID such as 0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.Create(ctx, "", "a name", test.w)
			wantFault(t, err, templates.Fault{Field: test.field, Problem: test.problem})
		})
	}
	for _, name := range []string{"", strings.Repeat("ä", 101), "a\nb", "\xff"} {
		_, err := s.Create(ctx, "", name, templates.Wording{Texts: one})
		wantFault(t, err, templates.Fault{Field: "name", Problem: "must be 1 to 100 characters of UTF-8, none of them a control character"})
	}
	if _, err := s.Create(ctx, "", strings.Repeat("ä", 100), vars(many[1:]...)); err != nil {
		t.Error(err)
	}
	if all := s.List(); len(all) != 1 {
		t.Errorf("%d are stored", len(all))
	}
}

// TestBounds: of versions, templates and octets; what makes room is possible at each.
func TestBounds(t *testing.T) {
	s := newShelf(t)
	w := templates.Wording{Texts: map[string]string{"en": "Hello"}}
	p := s.active(t, w)
	for range 49 {
		if _, err := s.AddVersion(ctx, p.ID, w); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.AddVersion(ctx, p.ID, w)
	wantFault(t, err, templates.Fault{Field: "version", Problem: "a template has at most 50 versions: remove one that is not active", Conflict: true})
	if _, err := s.RemoveVersion(ctx, p.ID, "50"); err != nil {
		t.Fatal(err)
	}
	p, err = s.AddVersion(ctx, p.ID, w)
	if last := p.Versions[len(p.Versions)-1]; err != nil || last.Number != 51 {
		t.Errorf("number %d, %v", last.Number, err)
	}

	for range 499 {
		if _, err := s.Create(ctx, "", "a name", w); err != nil {
			t.Fatal(err)
		}
	}
	_, err = s.Create(ctx, "", "a name", w)
	wantFault(t, err, templates.Fault{Field: "id", Problem: "there are 500 templates, as many as there can be: remove one", Conflict: true})

	large := templates.Wording{Texts: map[string]string{"en": strings.Repeat("😀", 8000)}} // 32,000 octets
	refusedAt, all := 0, s.List()
	for i := 0; refusedAt == 0 && i < 400; i++ {
		if _, err = s.AddVersion(ctx, all[1+i/8].ID, large); err != nil {
			refusedAt = i
		}
	}
	// 8 MiB hold 262 of them, less what the others have.
	if refusedAt < 250 || refusedAt > 262 || !strings.Contains(fmt.Sprint(err), "octets together, 8388608 at most: remove what is not used") {
		t.Errorf("after %d: %v", refusedAt, err)
	}
	full := s.List()[1]
	if _, err := s.ReplaceVersion(ctx, full.ID, "1", large); err == nil {
		t.Error("a draft may grow beyond all bounds")
	}
	for _, err := range []error{
		second(s.Activate(ctx, full.ID, "2")), second(s.Retire(ctx, full.ID, "2")), second(s.Rename(ctx, full.ID, "another")),
		second(s.ReplaceVersion(ctx, full.ID, "3", w)), second(s.RemoveVersion(ctx, full.ID, "3")), s.Remove(ctx, full.ID),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := s.AddVersion(ctx, p.ID, large); err == nil || !strings.Contains(err.Error(), "50 versions") {
		t.Error(err)
	}
	if _, err := s.Create(ctx, "", "a name", large); err != nil {
		t.Error(err)
	}
}

func second(_ templates.Project, err error) error { return err }

// TestDamaged: a record that cannot be read keeps neither the store closed nor the others away.
func TestDamaged(t *testing.T) {
	s := newShelf(t)
	sound := s.active(t, templates.Wording{Texts: map[string]string{"en": "Hello"}})
	lost := s.active(t, templates.Wording{Texts: map[string]string{"en": "Hello"}})
	if err := s.store.Do(ctx, func(t *store.Tx) error {
		b := store.Bucket(t, []byte("vendors/templates"))
		t.Put(b, []byte("key"), b.Get([]byte(sound.ID)))
		t.Put(b, []byte(lost.ID), []byte(`{"id":`))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s.close(t)
	s.open(t)
	if all := s.List(); len(all) != 1 || !reflect.DeepEqual(all[0], sound) {
		t.Errorf("%+v", all)
	}
	_, err := s.Rename(ctx, lost.ID, "x")
	wantFault(t, err, templates.Fault{Field: "projectId", Problem: "there is no template " + lost.ID, NotFound: true})
	if err := s.store.View(func(btx *bolt.Tx) error {
		if got := store.Bucket(btx, []byte("vendors/templates")).Get([]byte(lost.ID)); string(got) != `{"id":` {
			t.Errorf("what is damaged became %q", got)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// What a caller does with its maps later changes nothing that is stored.
func TestWordingIsCopied(t *testing.T) {
	s := newShelf(t)
	w := templates.Wording{Texts: map[string]string{"en": "{{a}}"}, Variables: []templates.Variable{{Key: "a", Default: "x"}}}
	p := s.active(t, w)
	maps.DeleteFunc(w.Texts, func(string, string) bool { return true })
	w.Variables[0].Default = "y"
	if got, err := s.Render(ctx, templates.Request{Project: p.ID}); err != nil || got.Text != "x" {
		t.Errorf("%q, %v", got.Text, err)
	}
}
