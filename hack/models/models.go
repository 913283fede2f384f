// Package models is what tests of rooms share: rapid's checks of a room beside a model of it, in virtual
// time, and a log to read. Only tests import it.
package models

import (
	"flag"
	"strconv"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// Checks has rapid do n checks, so that a property takes seconds, unless -rapid.checks asks for more.
func Checks(n int) {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" && f.Value.String() != chosen })
	if !given {
		chosen = strconv.Itoa(n)
		_ = flag.Set("rapid.checks", chosen) // a number is no error
	}
}

// chosen is what Checks set, and not the command line.
var chosen string

// InBubble runs f in virtual time, a bubble for every check: rapid gives up after a day of its own
// clock. How f ends, it ends: rapid stops a check by a panic.
func InBubble(t *testing.T, f func(*testing.T)) {
	var end any
	synctest.Test(t, func(t *testing.T) {
		defer func() { end = recover() }()
		f(t)
	})
	if end != nil {
		panic(end)
	}
}

// Reporter has a fixture report to rapid, which finds the shortest way to a fault.
type Reporter struct {
	testing.TB
	RT *rapid.T
}

// Errorf implements testing.TB.
func (r Reporter) Errorf(format string, args ...any) { r.RT.Helper(); r.RT.Errorf(format, args...) }

// Fatal implements testing.TB.
func (r Reporter) Fatal(args ...any) { r.RT.Helper(); r.RT.Fatal(args...) }

// Error implements testing.TB.
func (r Reporter) Error(args ...any) { r.RT.Helper(); r.RT.Error(args...) }
