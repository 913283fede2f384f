package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestPercentile(t *testing.T) {
	ten := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, tt := range []struct {
		sorted  []int
		p, want int
	}{
		{nil, 90, 0},
		{[]int{7}, 50, 7},
		{[]int{7}, 0, 7},
		{ten, 50, 5},
		{ten, 90, 9},
		{ten, 91, 10},
		{ten, 100, 10},
	} {
		if got := percentile(tt.sorted, tt.p); got != tt.want {
			t.Errorf("percentile(%v, %d) = %d, want %d", tt.sorted, tt.p, got, tt.want)
		}
	}
}

func TestMeasure(t *testing.T) {
	// f has 3 lines, g has 1 + 45 + 1; the doc comment belongs to neither.
	text := "package p\n\n// f is short.\nfunc f() {\n\tg()\n}\n\nfunc g() {\n" + strings.Repeat("\tf()\n", 45) + "}\n"
	files := tree(t, map[string]string{
		"p/p.go":      text,
		"p/p_test.go": "package p\n\nvar x = 1\n",
		"p/long.go":   "package p\n" + strings.Repeat("\n", 400) + "var y = 1\n",
	})
	m := measure(files)
	if m.source != 54+402 || m.test != 3 {
		t.Errorf("source %d, test %d lines", m.source, m.test)
	}
	if !slices.Equal(m.funcs, []int{3, 47}) {
		t.Errorf("functions %v", m.funcs)
	}
	want := []string{"p/long.go: 402 lines", "p/p.go:8: g has 47 lines"}
	if !slices.Equal(m.tooLong, want) {
		t.Errorf("too long: %q, want %q", m.tooLong, want)
	}
}

func TestPrintMeasures(t *testing.T) {
	files := tree(t, map[string]string{
		"a/a.go":      "package a\n\nfunc f() {}\n",
		"b/b_test.go": "package b\n",
	})
	var out bytes.Buffer
	if err := printMeasures(&out, files); err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(out.String()) {
		rows = append(rows, strings.Fields(line))
	}
	want := [][]string{
		strings.Fields("package source test test:source func p50 p90 max file p50 p90 max"),
		{"a", "3", "0", "0.00", "1", "1", "1", "3", "3", "3"},
		{"b", "0", "1", "-", "0", "0", "0", "0", "0", "0"},
		{"all", "3", "1", "0.33", "1", "1", "1", "3", "3", "3"},
	}
	if !slices.EqualFunc(rows, want, slices.Equal[[]string]) {
		t.Errorf("got %q", rows)
	}
}
