package templates_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dongled/httpapi/templates"
)

// model is what the room should hold, in the simplest form.
type model struct {
	*shelf
	projects []*modelProject // in the order of making
}

type modelProject struct {
	id, name string
	last     int
	versions []modelVersion
}

type modelVersion struct {
	number      int
	state, text string
	frozen      bool
}

// TestModel changes templates at random, opens the store anew in between, and looks at all after each step.
func TestModel(t *testing.T) {
	dir, runs := t.TempDir(), 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		m := &model{shelf: &shelf{path: filepath.Join(dir, fmt.Sprint(runs))}}
		m.open(t)
		defer func() { m.close(t); _ = os.Remove(m.path) }()
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "create": m.create, "rename": m.rename, "remove": m.remove, "add": m.addVersion, "replace": m.replace,
			"removeVersion": m.removeVersion, "activate": m.activate, "retire": m.retire, "reopen": m.reopen,
		})
	})
}

func text(t *rapid.T) string { return rapid.StringMatching("[a-z]{1,5}").Draw(t, "text") }

func wording(text string) templates.Wording {
	return templates.Wording{Texts: map[string]string{"en": text}}
}

// project is one that is there; the test is skipped if none is.
func (m *model) project(t *rapid.T) *modelProject {
	if len(m.projects) == 0 {
		t.Skip()
	}
	return rapid.SampledFrom(m.projects).Draw(t, "project")
}

// version is one of a project, or nil with the name of one that never was.
func (m *model) version(t *rapid.T) (*modelProject, *modelVersion, string) {
	p := m.project(t)
	number := rapid.IntRange(1, p.last+1).Draw(t, "version")
	i := slices.IndexFunc(p.versions, func(v modelVersion) bool { return v.number == number })
	if i < 0 {
		return p, nil, fmt.Sprint(number)
	}
	return p, &p.versions[i], fmt.Sprint(number)
}

// want checks whether a change was made, or why not.
func (m *model) want(t *rapid.T, err error, kind string) {
	t.Helper()
	got := "done"
	var f *templates.Fault
	switch {
	case errors.As(err, &f) && f.NotFound:
		got = "not found"
	case errors.As(err, &f) && f.Conflict:
		got = "conflict"
	case err != nil:
		got = err.Error()
	}
	if got != kind {
		t.Fatalf("%s (%v), want %s", got, err, kind)
	}
}

func (m *model) create(t *rapid.T) {
	said := text(t)
	p, err := m.Create(ctx, "", said, wording(said))
	m.want(t, err, "done")
	m.projects = append(m.projects, &modelProject{p.ID, said, 1, []modelVersion{{1, "draft", said, false}}})
	_, err = m.Create(ctx, strings.ToUpper(p.ID), "another", wording(said))
	m.want(t, err, "conflict")
}

func (m *model) rename(t *rapid.T) {
	p := m.project(t)
	p.name = text(t)
	_, err := m.Rename(ctx, p.id, p.name)
	m.want(t, err, "done")
}

func (m *model) remove(t *rapid.T) {
	p := m.project(t)
	m.want(t, m.Remove(ctx, p.id), "done")
	m.want(t, m.Remove(ctx, p.id), "not found")
	m.projects = slices.DeleteFunc(m.projects, func(q *modelProject) bool { return p == q })
}

func (m *model) addVersion(t *rapid.T) {
	p, said := m.project(t), text(t)
	_, err := m.AddVersion(ctx, p.id, wording(said))
	m.want(t, err, "done")
	p.last++
	p.versions = append(p.versions, modelVersion{p.last, "draft", said, false})
}

func (m *model) replace(t *rapid.T) {
	p, v, name := m.version(t)
	said := text(t)
	_, err := m.ReplaceVersion(ctx, p.id, name, wording(said))
	switch {
	case v == nil:
		m.want(t, err, "not found")
	case v.frozen:
		m.want(t, err, "conflict")
	default:
		m.want(t, err, "done")
		v.text = said
	}
}

func (m *model) removeVersion(t *rapid.T) {
	p, v, name := m.version(t)
	_, err := m.RemoveVersion(ctx, p.id, name)
	switch {
	case v == nil:
		m.want(t, err, "not found")
	case v.state == "active", len(p.versions) == 1:
		m.want(t, err, "conflict")
	default:
		m.want(t, err, "done")
		p.versions = slices.DeleteFunc(p.versions, func(w modelVersion) bool { return w.number == v.number })
	}
}

func (m *model) activate(t *rapid.T) {
	p, v, name := m.version(t)
	_, err := m.Activate(ctx, p.id, name)
	if v == nil {
		m.want(t, err, "not found")
		return
	}
	m.want(t, err, "done")
	v.state, v.frozen = "active", true
}

func (m *model) retire(t *rapid.T) {
	p, v, name := m.version(t)
	_, err := m.Retire(ctx, p.id, name)
	switch {
	case v == nil:
		m.want(t, err, "not found")
	case v.state == "draft":
		m.want(t, err, "conflict")
	default:
		m.want(t, err, "done")
		v.state = "retired"
	}
}

func (m *model) reopen(t *rapid.T) {
	before := m.List()
	m.close(t)
	m.open(t)
	if after := m.List(); !reflect.DeepEqual(before, after) {
		t.Fatalf("before %+v\nafter %+v", before, after)
	}
}

// check compares what is listed, what is got and what is rendered.
func (m *model) check(t *rapid.T) {
	if got := len(m.List()); got != len(m.projects) {
		t.Fatalf("%d projects, want %d", got, len(m.projects))
	}
	for _, p := range m.projects {
		got, err := m.Get(p.id)
		if err != nil || got.Name != p.name || len(got.Versions) != len(p.versions) {
			t.Fatalf("%+v, %v, want %+v", got, err, p)
		}
		latest := ""
		for i, v := range p.versions {
			if w := got.Versions[i]; w.Number != v.number || string(w.State) != v.state || w.Texts["en"] != v.text || w.Activated.IsZero() == v.frozen {
				t.Fatalf("version %+v, want %+v", w, v)
			}
			if v.state == "active" {
				latest = v.text
			}
			m.rendered(t, p.id, fmt.Sprint(v.number), v.text, v.state == "active")
		}
		m.rendered(t, p.id, "latest", latest, latest != "")
	}
}

func (m *model) rendered(t *rapid.T, id, version, want string, usable bool) {
	got, err := m.Render(ctx, templates.Request{Project: id, Version: version})
	if usable != (err == nil) || usable && got.Text != want {
		t.Fatalf("version %s: %q, %v, want %q, usable %t", version, got.Text, err, want, usable)
	}
}
