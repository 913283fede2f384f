package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// TestImportRules holds the tree to the house: who may import whom, which library has
// which room, a package comment everywhere.
func TestImportRules(t *testing.T) {
	files, err := parseTree(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no Go files below %s", root)
	}
	for _, v := range violations(files, rules) {
		t.Error(v)
	}
}

// TestRulesAreInUse: a rule for a room that is gone would let the next tenant in unseen. A family may have
// no members yet.
func TestRulesAreInUse(t *testing.T) {
	for pkg, r := range rules {
		for _, dir := range append([]string{strings.TrimSuffix(pkg, family)}, r.ours...) {
			if goFiles, _ := filepath.Glob(filepath.Join(root, dir, "*.go")); len(goFiles) == 0 {
				t.Errorf("the rule of %s names %s, where there is no Go file", pkg, dir)
			}
		}
	}
}

// TestNothingIsAllowedInVain: a permission that nobody uses is one that nobody decided again.
func TestNothingIsAllowedInVain(t *testing.T) {
	files, err := parseTree(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vain(files, rules) {
		t.Error(v)
	}
}

// vain lists the permissions that no package uses. A family uses what any of its members does; one without
// members, nothing yet.
func vain(files []source, rules map[string]rule) (out []string) {
	used := map[string][]string{}
	for _, f := range files {
		if f.isTest {
			continue
		}
		name := nameOf(rules, f.pkg)
		used[name] = append(used[name], "") // a member without imports is one, too
		for _, spec := range f.ast.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			used[name] = append(used[name], imported)
		}
	}
	for pkg, r := range rules {
		if strings.HasSuffix(pkg, family) && used[pkg] == nil {
			continue
		}
		for _, ours := range r.ours {
			if !slices.Contains(used[pkg], module+"/"+ours) {
				out = append(out, fmt.Sprintf("%s may import %s, and does not", pkg, ours))
			}
		}
		for _, lib := range slices.Concat(r.roots, r.exact) {
			below := func(name string) bool { return name == lib || strings.HasPrefix(name, lib+"/") }
			if !slices.ContainsFunc(used[pkg], below) {
				out = append(out, fmt.Sprintf("%s may import %s, and does not", pkg, lib))
			}
		}
		for ours := range r.uses {
			if !slices.Contains(r.ours, ours) {
				out = append(out, fmt.Sprintf("%s may use names of %s, which it may not import", pkg, ours))
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestVain has a family of which one member uses one permission, another one another, and neither the
// third; a member with a rule of its own counts for that; and a family that nobody is in.
func TestVain(t *testing.T) {
	files := tree(t, map[string]string{
		"go.mod":          "module dongled\n",
		"low/low.go":      "package low\n",
		"old/old.go":      "package old\n",
		"kin/kin.go":      "package kin\n",
		"kin/a/a.go":      "package a\n\nimport _ \"dongled/low\"\n",
		"kin/b/b.go":      "package b\n\nimport _ \"example.com/lib/sub\"\n",
		"kin/own/own.go":  "package own\n\nimport _ \"dongled/old\"\n",
		"kin/a/a_test.go": "package a\n\nimport _ \"dongled/old\"\n",
	})
	got := vain(files, map[string]rule{
		"low":     {},
		"old":     {},
		"kin":     {ours: []string{"low"}},
		"kin/*":   {ours: []string{"low", "old"}, roots: []string{"example.com/lib"}, uses: map[string][]string{"kin": {"X"}}},
		"kin/own": {ours: []string{"old"}},
		"none/*":  {ours: []string{"low"}, exact: []string{"example.com/lib"}},
	})
	want := []string{
		"kin may import low, and does not",
		"kin/* may import old, and does not",
		"kin/* may use names of kin, which it may not import",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestViolations builds a small house in which each rule is broken once.
func TestViolations(t *testing.T) {
	files := tree(t, map[string]string{
		"go.mod":            "module dongled\n",
		"low/low.go":        "// Package low is documented.\npackage low\n\nimport _ \"fmt\"\n",
		"mid/mid.go":        "// Package mid is documented.\npackage mid\n\nimport (\n\t\"dongled/low\"\n\t\"example.com/lib/sub\"\n\t\"example.com/one\"\n)\n\nvar _, _ = low.Good, sub.X\n",
		"mid/bad.go":        "package mid\n\nimport (\n\t\"C\"\n\t\"dongled/top\"\n\t\"example.com/library\"\n\t\"example.com/one/sub\"\n)\n",
		"mid/names.go":      "package mid\n\nimport l \"dongled/low\"\n\nvar _, _ = l.Prefixed, l.Bad\n\nfunc f(l struct{ Shadow int }) int { return l.Shadow }\n",
		"mid/dot.go":        "package mid\n\nimport . \"dongled/low\"\n",
		"mid/mid_test.go":   "package mid\n\nimport _ \"example.com/anything\"\n",
		"new/new.go":        "// Package new has no rule.\npackage new\n",
		"mute/mute.go":      "// Copyright notices are no package comment.\npackage mute\n",
		"top/main.go":       "// Command top wires.\npackage main\n\nimport _ \"example.com/anything\"\n",
		"kin/a/a.go":        "// Package a is of a family.\npackage a\n\nimport _ \"dongled/low\"\n",
		"kin/b/b.go":        "// Package b looks at its sibling.\npackage b\n\nimport _ \"dongled/kin/a\"\n",
		"kin/own/own.go":    "// Package own has a rule of its own.\npackage own\n\nimport _ \"dongled/low\"\n",
		"kin/a/deep/x.go":   "// Package deep is below the family.\npackage deep\n",
		"nested/go.mod":     "module nested\n",
		"nested/nested.go":  "package nested\n\nimport _ \"example.com/anything\"\n",
		"low/testdata/x.go": "not Go at all",
	})
	got := violations(files, map[string]rule{
		"low":     {},
		"mute":    {},
		"top":     {all: true},
		"kin/*":   {ours: []string{"low"}},
		"kin/own": {},
		"mid": {
			ours: []string{"low"}, roots: []string{"example.com/lib"}, exact: []string{"example.com/one"},
			uses: map[string][]string{"low": {"Good", "Pre*"}},
		},
	})
	want := []string{
		"kin/a/deep/x.go: package kin/a/deep has no import rule; decide one in hack/house/rules.go",
		"kin/b/b.go: imports dongled/kin/a, which kin/b may not",
		"kin/own/own.go: imports dongled/low, which kin/own may not",
		"mid/bad.go: imports C, which mid may not",
		"mid/bad.go: imports dongled/top, which mid may not",
		"mid/bad.go: imports example.com/library, which mid may not",
		"mid/bad.go: imports example.com/one/sub, which mid may not",
		`mid/dot.go: imports low as ".", which hides what it uses`,
		"mid/names.go:5: uses l.Bad; of low, mid may use Good, Pre*",
		"new/new.go: package new has no import rule; decide one in hack/house/rules.go",
		"mute: no file has a package comment",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// tree writes files by path and parses them.
func tree(t *testing.T, contents map[string]string) []source {
	t.Helper()
	dir := t.TempDir()
	for name, text := range contents {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := parseTree(dir)
	if err != nil {
		t.Fatal(err)
	}
	return files
}
