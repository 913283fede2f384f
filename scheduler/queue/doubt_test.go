package queue

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestDoubtIsNotPending: a part that waits to be sent again may have gone out, so its message can
// neither be cancelled nor be called unsent.
func TestDoubtIsNotPending(t *testing.T) {
	for _, report := range []bool{true, false} {
		bubble(t, Options{RetryUnknown: true}, func(f *fixture) {
			s := Submission{ID: "m", Recipients: []string{alice}, Report: report, ValidUntil: time.Now().Add(time.Hour)}
			_, err := f.Enqueue(ctx, s, 1)
			f.ok(err)
			f.lose(f.take(sim1))
			f.wantState("m", Processed, PartQueued)
			if _, err := f.Cancel(ctx, "m"); !errors.Is(err, ErrNotPending) {
				t.Errorf("cancelled: %v", err)
			}
			pause(time.Hour)
			f.wantState("m", Failed, PartRejected)
			if got := f.get("m").Recipients[0].Error; !strings.Contains(got, "may have gone out") {
				t.Errorf("failed with the error %q", got)
			}
		})
	}
}
