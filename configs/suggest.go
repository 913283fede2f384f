package configs

import (
	"strings"
)

// maxTypos is how many letters off a name may be to be taken for a misspelling.
const maxTypos = 2

// closest is the candidate that name most probably means, "" when none is near.
func closest(name string, candidates []string) string {
	best, bestDistance := "", maxTypos+1
	for _, c := range candidates {
		d := distance(strings.ToLower(name), strings.ToLower(c))
		if d < bestDistance && d < len(c) {
			best, bestDistance = c, d
		}
	}
	return best
}

// didYouMean is the hint for a misspelt name, "" when nothing is near.
func didYouMean(name string, candidates []string) string {
	if c := closest(name, candidates); c != "" {
		return "; did you mean " + c + "?"
	}
	return ""
}

// distance is Levenshtein's: the letters to insert, delete or replace.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	if d := len(s) - len(t); d > maxTypos || d < -maxTypos {
		return maxTypos + 1
	}
	row := make([]int, len(t)+1)
	for j := range row {
		row[j] = j
	}
	for i := range s {
		diagonal := row[0]
		row[0] = i + 1
		for j := range t {
			substituted := diagonal
			if s[i] != t[j] {
				substituted++
			}
			diagonal = row[j+1]
			row[j+1] = min(substituted, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(t)]
}

// homes lists the paths of the leaves called name, for a key that is right but in the wrong place.
func homes(name string) []string {
	var out []string
	for _, p := range leafPaths("0") {
		if p[len(p)-1] == name {
			out = append(out, display(p))
		}
	}
	return out
}

// leafPaths lists every leaf, those of list entries under the number i.
func leafPaths(i string) [][]string {
	var out [][]string
	var walk func(n *node, path []string)
	walk = func(n *node, path []string) {
		if n.kind == leaf {
			out = append(out, path)
			return
		}
		if n.kind == list {
			path = join(path, i)
		}
		for k := range n.children {
			walk(&n.children[k], join(path, n.children[k].name))
		}
	}
	walk(&schema, nil)
	return out
}

// entryNumber is the list entry that a path means, to suggest the same one.
func entryNumber(path []string) string {
	for _, p := range path {
		if _, ok := index(p); ok {
			return p
		}
	}
	return "0"
}
