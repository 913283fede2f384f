package store_test

import (
	"net/url"
	"testing"

	"dongled/scheduler/store"
)

func TestNewID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := store.NewID()
		if len(id) != 21 || url.PathEscape(id) != id || seen[id] {
			t.Fatalf("id %q after %d others", id, len(seen))
		}
		seen[id] = true
	}
}
