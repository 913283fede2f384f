package main

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func document(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestArrows holds the list of imports in ARCHITECTURE.md to the rules, both ways.
func TestArrows(t *testing.T) {
	drawn := arrows(document(t, "ARCHITECTURE.md"))
	if len(drawn) == 0 {
		t.Fatal("ARCHITECTURE.md has no arrows")
	}
	want := map[string][]string{}
	for pkg, r := range rules {
		want[pkg] = []string{}
		for _, ours := range r.ours {
			if r.uses[ours] != nil {
				ours += "*"
			}
			want[pkg] = append(want[pkg], ours)
		}
		if r.all {
			want[pkg] = []string{"everything"}
		}
		slices.Sort(want[pkg])
	}
	for _, pkg := range slices.Sorted(maps.Keys(want)) {
		if got, is := drawn[pkg]; !is || !slices.Equal(got, want[pkg]) {
			t.Errorf("ARCHITECTURE.md has %s → %q, the rules %q", pkg, got, want[pkg])
		}
		delete(drawn, pkg)
	}
	for pkg := range drawn {
		t.Errorf("ARCHITECTURE.md has arrows from %s, which has no rule", pkg)
	}
}

// arrows reads the block of lines with "from, from → to, to"; a line that begins with a space goes on.
func arrows(text string) map[string][]string {
	drawn := map[string][]string{}
	block, _, _ := strings.Cut(text[strings.Index(text, "cmd/dongled        →"):], "```")
	for line := range strings.Lines(regexp.MustCompile(`,\n +`).ReplaceAllString(block, ", ")) {
		from, to, is := strings.Cut(strings.TrimSpace(line), "→")
		if !is {
			continue
		}
		for _, pkg := range strings.Split(from, ",") {
			names := []string{}
			if to = strings.TrimSpace(to); to != "nothing of ours" {
				names = strings.Split(to, ", ")
			}
			slices.Sort(names)
			drawn[strings.TrimSpace(pkg)] = names
		}
	}
	return drawn
}

func TestReadArrows(t *testing.T) {
	got := arrows("text\n```\ncmd/dongled        → everything\na/b, c → e*,\n   d\nf → nothing of ours\n```\nx → y\n")
	want := map[string][]string{"cmd/dongled": {"everything"}, "a/b": {"d", "e*"}, "c": {"d", "e*"}, "f": {}}
	if !maps.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRooms: the table of ARCHITECTURE.md has a row for every package that may be linked into the
// daemon, with its libraries. Those of hack share one.
func TestRooms(t *testing.T) {
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z/*]+)` \\|.*\\|(.*)\\|$").FindAllStringSubmatch(document(t, "ARCHITECTURE.md"), -1) {
		if _, twice := rows[m[1]]; twice {
			t.Errorf("two rows for %s", m[1])
		}
		rows[m[1]] = m[2]
	}
	for pkg, r := range rules {
		if strings.HasPrefix(pkg, "hack/") {
			pkg = "hack"
		}
		libraries, is := rows[pkg]
		if !is {
			t.Errorf("no row for %s", pkg)
		}
		for _, lib := range slices.Concat(r.roots, r.exact) {
			named := func(word string) bool { return len(word) > 2 && strings.Contains(libraries, word) }
			if _, within, _ := strings.Cut(lib, "/"); !slices.ContainsFunc(strings.Split(within, "/"), named) && !named(path.Base(lib)) {
				t.Errorf("the row of %s does not name %s", pkg, lib)
			}
		}
	}
	for pkg := range rows {
		if info, err := os.Stat(filepath.Join(root, strings.TrimSuffix(pkg, family))); err != nil || !info.IsDir() {
			t.Errorf("a row for %s, which is no folder", pkg)
		}
	}
}

// TestLinks: what the documents link to within the tree is there.
func TestLinks(t *testing.T) {
	for _, doc := range []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "systemd/README.md"} {
		text := document(t, doc)
		for _, m := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(doc), file)); file != "" && err != nil {
				t.Errorf("%s: %v", doc, err)
			}
			if anchor != "" && !slices.Contains(anchors(text), anchor) {
				t.Errorf("%s: no heading for #%s", doc, anchor)
			}
		}
	}
}

// anchors are the names that headings have as targets of links: in small letters, spaces as hyphens, without
// signs.
func anchors(text string) (names []string) {
	signs := regexp.MustCompile(`[^a-z0-9 -]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ReplaceAll(signs.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-"))
	}
	return names
}
