package auth

import "testing"

// Cheap makes passwords cheap until the test ends, for tests that are about something else.
func Cheap(t testing.TB) {
	before := current
	current = cost{memory: 64, passes: 1, threads: 1}
	t.Cleanup(func() { current = before })
}

// Few bounds the tokens of a user to n until the test ends.
func Few(t testing.TB, n int) {
	before := mostFamilies
	mostFamilies = n
	t.Cleanup(func() { mostFamilies = before })
}
