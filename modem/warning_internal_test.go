package modem

import (
	"slices"
	"testing"
)

// Every problem can be warned of, and every cause stands before what follows from it.
func TestWarnables(t *testing.T) {
	var ids []string
	for _, w := range warnables {
		if slices.Contains(ids, w.id) {
			t.Errorf("%s stands twice", w.id)
		}
		for _, cause := range w.follows {
			if !slices.Contains(ids, cause) {
				t.Errorf("%s follows from %s, which does not stand before it", w.id, cause)
			}
		}
		ids = append(ids, w.id)
	}
	for id := range hints {
		if !slices.Contains(ids, id) {
			t.Errorf("%s cannot be warned of", id)
		}
	}
}
