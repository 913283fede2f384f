package templates_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi/templates"
	"dongled/scheduler/store"
)

// TestIDs: a client's UUID of any version is kept, in lower case, and one that is made is random.
func TestIDs(t *testing.T) {
	s := newShelf(t)
	w := templates.Wording{Texts: map[string]string{"en": "Hello"}}
	for given, kept := range map[string]string{
		"0B6E0E3A-6F0E-1B0C-9D3A-2F4F0F1F8A51": "0b6e0e3a-6f0e-1b0c-9d3a-2f4f0f1f8a51",
		"00000000-0000-0000-0000-000000000000": "00000000-0000-0000-0000-000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff": "ffffffff-ffff-ffff-ffff-ffffffffffff",
	} {
		w.VersionID = given
		if p, err := s.Create(ctx, given, "a name", w); err != nil || p.ID != kept || p.Versions[0].ID != kept {
			t.Errorf("%s: %+v, %v", given, p, err)
		}
		if p, err := s.Get(given); err != nil || p.ID != kept {
			t.Errorf("%s: %+v, %v", given, p, err)
		}
	}
	w.VersionID = ""
	made := map[string]bool{}
	for range 3 {
		p, err := s.Create(ctx, "", "a name", w)
		if err != nil {
			t.Fatal(err)
		}
		made[p.ID], made[p.Versions[0].ID] = true, true
	}
	if len(made) != 6 {
		t.Errorf("made %v", made)
	}
	const plain = "0b6e0e3a6f0e1b0c9d3a2f4f0f1f8a51"
	for _, odd := range []string{"x", plain, "urn:uuid:0b6e0e3a-6f0e-1b0c-9d3a-2f4f0f1f8a51", "{0b6e0e3a-6f0e-1b0c-9d3a-2f4f0f1f8a51}", "0b6e0e3a-6f0e-1b0c-9d3a-2f4f0f1f8a5g"} {
		_, err := s.Create(ctx, odd, "a name", w)
		wantFault(t, err, templates.Fault{Field: "id", Problem: "must be a UUID such as 0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51"})
	}
}

// TestTimes: what is when, and that the oldest comes first.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{path: filepath.Join(t.TempDir(), "s.db")}
		s.open(t)
		defer s.close(t)
		begin := time.Now().UTC()
		w := templates.Wording{Texts: map[string]string{"en": "Hello"}}
		old, err := s.Create(ctx, "ffffffff-ffff-ffff-ffff-ffffffffffff", "old", w)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := s.Create(ctx, "00000000-0000-0000-0000-000000000000", "new", w); err != nil {
			t.Fatal(err)
		}
		for _, do := range []func() (templates.Project, error){
			func() (templates.Project, error) { return s.Activate(ctx, old.ID, "1") },
			func() (templates.Project, error) { return s.Retire(ctx, old.ID, "1") },
			func() (templates.Project, error) { return s.AddVersion(ctx, old.ID, w) },
			func() (templates.Project, error) { return s.Activate(ctx, old.ID, "1") },
		} {
			if old, err = do(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		got := []time.Time{old.Created, old.Versions[0].Created, old.Versions[0].Activated, old.Versions[1].Created, old.Versions[1].Activated, old.Updated}
		h := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Hour) }
		if want := []time.Time{begin, begin, h(1), h(3), {}, h(4)}; !slices.Equal(got, want) {
			t.Errorf("%v\nwant %v", got, want)
		}
		if all := s.List(); len(all) != 2 || all[0].Name != "old" || all[1].Name != "new" {
			t.Errorf("%+v", all)
		}
	})
}

// TestDraftKeepsItsID: what it says is replaced, all of it, and nothing else.
func TestDraftKeepsItsID(t *testing.T) {
	s := newShelf(t)
	first := templates.Wording{
		DefaultLocale: "de", Texts: map[string]string{"de": "{{a}}", "en": "{{b}}"}, ShortLinks: true, Variables: []templates.Variable{{Key: "c"}},
	}
	p, err := s.Create(ctx, "", "a name", first)
	if err != nil {
		t.Fatal(err)
	}
	before := p.Versions[0]
	p, err = s.ReplaceVersion(ctx, p.ID, "1", templates.Wording{VersionID: strings.ToUpper(before.ID), Texts: map[string]string{"fr": "{{d}}"}})
	after := p.Versions[0]
	if err != nil || after.ID != before.ID || after.Number != 1 || !after.Created.Equal(before.Created) || after.State != templates.Draft {
		t.Errorf("%+v, %v", after, err)
	}
	if said := fmt.Sprintf("%s %v %v %t", after.DefaultLocale, after.Texts, after.Variables, after.ShortLinks); said != "fr map[fr:{{d}}] [{d true  0}] false" {
		t.Errorf("it says %s", said)
	}
	_, err = s.ReplaceVersion(ctx, p.ID, "1", templates.Wording{VersionID: p.ID, Texts: map[string]string{"fr": "x"}})
	wantFault(t, err, templates.Fault{Field: "versionId", Problem: "must be that of the version, or none"})
}

// TestStoreGone: nothing is said to be changed that is not.
func TestStoreGone(t *testing.T) {
	s := &shelf{path: filepath.Join(t.TempDir(), "s.db")}
	s.open(t)
	p := s.active(t, templates.Wording{Texts: map[string]string{"en": "Hello"}})
	s.close(t)
	w := templates.Wording{Texts: map[string]string{"en": "Hi"}}
	for i, err := range []error{
		second(s.Create(ctx, "", "another", w)), second(s.Rename(ctx, p.ID, "another")), second(s.AddVersion(ctx, p.ID, w)),
		second(s.Retire(ctx, p.ID, "1")), s.Remove(ctx, p.ID),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if got, err := s.Render(ctx, templates.Request{Project: p.ID}); err != nil || got.Text != "Hello" || len(s.List()) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestAtOnce: who renders while versions come and go gets one of them whole, and of those who give the
// same id at once, one has it.
func TestAtOnce(t *testing.T) {
	s := newShelf(t)
	p := s.active(t, templates.Wording{Texts: map[string]string{"en": "1 {{a}} 1"}})
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				got, err := s.Render(ctx, templates.Request{Project: p.ID, Values: map[string]string{"a": "x"}})
				if first, last, _ := strings.Cut(got.Text, " x "); err != nil || first != last {
					t.Errorf("%q, %v", got.Text, err)
				}
				s.List()
			}
		})
	}
	for n := 2; n < 30; n++ {
		name := fmt.Sprint(n)
		text := map[string]string{"en": name + " {{a}} " + name}
		for _, err := range []error{
			second(s.AddVersion(ctx, p.ID, templates.Wording{Texts: text})), second(s.Activate(ctx, p.ID, name)), second(s.Retire(ctx, p.ID, fmt.Sprint(n-1))),
		} {
			if err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	wg.Wait()

	results := make(chan error, 8)
	for range cap(results) {
		wg.Go(func() {
			_, err := s.Create(ctx, "0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51", "a name", templates.Wording{Texts: map[string]string{"en": "x"}})
			results <- err
		})
	}
	wg.Wait()
	made := 0
	for range cap(results) {
		if err := <-results; err == nil {
			made++
		} else {
			wantFault(t, err, templates.Fault{Field: "id", Problem: "there is a template of that id already", Conflict: true})
		}
	}
	if made != 1 {
		t.Errorf("%d have one id", made)
	}
}
