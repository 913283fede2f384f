package bird

import (
	"math"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestIncomingID(t *testing.T) {
	for id, want := range map[string]string{
		"text:1": "9b411ca0-e252-895e-8000-000000000001", "text:4660": "9b411ca0-e252-895e-8000-000000001234",
		"text:4611686018427387903": "9b411ca0-e252-895e-bfff-ffffffffffff",
	} {
		if got, is := incomingID(id); got != want || !is {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
		if got, is := inboxID(want); got != id || !is {
			t.Errorf("%s is back %s, want %s", want, got, id)
		}
	}
	for _, id := range []string{"data:1", "mms:1", "text:", "text:-1", "text:4611686018427387904", ""} {
		if got, is := incomingID(id); is {
			t.Errorf("%q is %s", id, got)
		}
	}
	for _, id := range []string{
		"", "x", "9b411ca0-e252-895e-0000-000000000001", "9b411ca0-e252-895e-c000-000000000001",
		"9b411ca0-e252-495e-8000-000000000001", "11111111-2222-4333-8444-555555555555",
	} {
		if got, is := inboxID(id); is {
			t.Errorf("%q is %s", id, got)
		}
	}
}

func TestIncomingIDsAreUUIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stored := textPrefix + strconv.FormatUint(rapid.Uint64Range(0, math.MaxUint64>>2).Draw(t, "number"), 10)
		id, _ := incomingID(stored)
		u, err := uuid.Parse(id)
		if err != nil || u.Version() != 8 || u.Variant() != uuid.RFC4122 {
			t.Fatalf("%s is no UUID of version 8: %v", id, err)
		}
		if back, _ := inboxID(id); back != stored {
			t.Fatalf("%s came back as %s", stored, back)
		}
	})
}
