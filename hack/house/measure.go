package main

import (
	"fmt"
	"go/ast"
	"slices"
)

// The lengths above which a function or a file is named.
const (
	longFunc = 45
	longFile = 400
)

// measures are of a set of files. Lengths are of source only: a test table may be long.
type measures struct {
	source, test int   // lines
	funcs, files []int // lengths, ascending
	tooLong      []string
}

func measure(files []source) measures {
	var m measures
	for _, f := range files {
		lines := f.fset.File(f.ast.Pos()).LineCount()
		if f.isTest {
			m.test += lines
			continue
		}
		m.source += lines
		m.files = append(m.files, lines)
		if lines > longFile {
			m.tooLong = append(m.tooLong, fmt.Sprintf("%s: %d lines", f.path, lines))
		}
		for _, decl := range f.ast.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			from, to := f.fset.Position(fn.Pos()), f.fset.Position(fn.End())
			n := to.Line - from.Line + 1
			m.funcs = append(m.funcs, n)
			if n > longFunc {
				m.tooLong = append(m.tooLong, fmt.Sprintf("%s:%d: %s has %d lines", f.path, from.Line, fn.Name.Name, n))
			}
		}
	}
	slices.Sort(m.funcs)
	slices.Sort(m.files)
	return m
}

// percentile is the nearest-rank percentile of sorted lengths, 0 of none.
func percentile(sorted []int, p int) int {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}
