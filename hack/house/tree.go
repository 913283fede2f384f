package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// source is one parsed Go file.
type source struct {
	path   string // relative to the root, with slashes
	pkg    string // its directory, "." for the root
	isTest bool
	fset   *token.FileSet
	ast    *ast.File
}

// parseTree parses every Go file of the module at root, whatever its build
// constraints; nested modules, testdata and hidden directories are not part of it.
func parseTree(root string) ([]source, error) {
	var files []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != root && outside(name, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		files = append(files, source{
			path: rel, pkg: path.Dir(rel), isTest: strings.HasSuffix(rel, "_test.go"), fset: fset, ast: parsed,
		})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the source: %w", err)
	}
	return files, nil
}

func outside(dir, base string) bool {
	if base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}
