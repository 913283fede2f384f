package configs_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"dongled/configs"
)

var (
	row    = regexp.MustCompile("(?m)^\\| (`[a-z][^|]*) \\|([^|]*)\\| .* \\|$")
	quoted = regexp.MustCompile("`([^`]*)`")
)

// TestREADMEHasEveryKey: the table of the README names each key once, and the defaults it gives are
// those of the sample. A key that begins with a dot is beside the one before; one of a mapping stands
// for all in it.
func TestREADMEHasEveryKey(t *testing.T) {
	raw, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(raw), "## Configuration\n")
	text, _, _ = strings.Cut(text, "\n## ")
	named := map[string]int{}
	for _, m := range row.FindAllStringSubmatch(text, -1) {
		keys, defaults := namesOf(m[1]), quoted.FindAllStringSubmatch(m[2], -1)
		for i, key := range keys {
			named[key]++
			if cells := strings.Split(m[2], ","); len(defaults) == len(cells) && len(cells) == len(keys) && defaultOf(key) != defaults[i][1] {
				t.Errorf("the README has %s for %s, the sample %q", defaults[i][0], key, defaultOf(key))
			}
		}
	}
	known := map[string]bool{}
	for _, key := range sampleKeys(t) {
		mapping := regexp.MustCompile(`^(quotas\.[a-z]+|modems\[\]\.quotas)\.`).FindStringSubmatch(key)
		if mapping != nil {
			key = mapping[1]
		}
		known[key] = true
		if named[key] != 1 {
			t.Errorf("the README names %s %d times", key, named[key])
		}
	}
	for key := range named {
		if !known[key] && !strings.HasPrefix(key, "modems[].quotas") {
			t.Errorf("the README names %s, which is no key", key)
		}
	}
}

// namesOf spells out the keys of a cell.
func namesOf(cell string) (keys []string) {
	for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
		key := m[1]
		if strings.HasPrefix(key, ".") {
			before := keys[len(keys)-1]
			key = before[:strings.LastIndex(before, ".")] + key
		}
		keys = append(keys, key)
	}
	return keys
}

// sampleKeys are all keys, of lists those of an entry, with [] behind the list.
func sampleKeys(t *testing.T) []string {
	e := load(t, `
modems: [{sim: 1, port: /x}]
routes: [{prefix: +, sims: [1]}]
channels: [{id: 11111111-2222-4333-8444-555555555555, sim: 1}]
receivers: [{name: ops, to: [+491510000001]}]
groups: [{name: family, numbers: [+491510000001]}]
`, nil, nil)
	keys := map[string]bool{"modems": true}
	for key := range e.Origins {
		if key == "modems" || !slices.Contains(lists, key) {
			keys[strings.ReplaceAll(key, "[0]", "[]")] = true
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// defaultOf is what the sample sets a key to.
func defaultOf(key string) string {
	env := configs.EnvName(strings.ReplaceAll(key, "[]", "[0]"))
	m := regexp.MustCompile(`# ` + env + `\n#? *-? ?[a-z_]+: (.*)`).FindStringSubmatch(configs.Sample())
	if m == nil {
		return "auto" // of modems, which nothing but its own line is about
	}
	return strings.Trim(m[1], `"`)
}
