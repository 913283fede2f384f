package httpapi_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"sync"
)

// exercised is what the tests of this package saw of the document.
var exercised = coverage{seen: map[string]bool{}}

type coverage struct {
	mu   sync.Mutex
	seen map[string]bool // "GET /messages 200"
}

func (c *coverage) add(method, path string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %s %d", method, path, status)] = true
}

// verify fails a run of all tests that left out an answer that the document has.
func (c *coverage) verify(exitCode int) {
	if exitCode == 0 && runsAll() {
		for _, missing := range c.missing() {
			fmt.Fprintf(os.Stderr, "openapi.yaml has %s, which no test of this package saw\n", missing)
			exitCode = 1
		}
	}
	os.Exit(exitCode)
}

// runsAll reports that no test was left out.
func runsAll() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

func (c *coverage) missing() []string {
	doc, err := loadSpec()
	if err != nil {
		return []string{err.Error()}
	}
	var missing []string
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				answer := fmt.Sprintf("%s %s %s", method, path, status)
				if !c.seen[answer] {
					missing = append(missing, answer)
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}
