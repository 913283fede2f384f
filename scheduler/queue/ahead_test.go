package queue

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bolterrors "go.etcd.io/bbolt/errors"
)

// TestStepAheadFailsWithItsCommit: the job was shown before the disk refused it. Nothing of the step
// is stored, and the same step works when there is room again.
func TestStepAheadFailsWithItsCommit(t *testing.T) {
	bubble(t, Options{FIFO: true}, func(f *fixture) {
		setMax := func(n int) { f.ok(f.do(ctx, func(t *tx) error { t.DB().MaxSize = n; return nil })) }
		f.puts("a", "b")
		done := &Outcome{Job: f.take(sim1), Kind: OutcomeAccepted, MR: 4}
		setMax(1)
		release := f.hold()
		var wg sync.WaitGroup
		wg.Go(func() {
			j, _, err := f.StepAhead(ctx, done, &sim1)
			if err != nil || name(j) != "b" {
				t.Errorf("claimed %+v, %v before the commit", j, err)
				return
			}
			wantErr(t, j.Stored(), bolterrors.ErrMaxSizeReached)
			wantErr(t, j.Stored(), bolterrors.ErrMaxSizeReached)
		})
		synctest.Wait()
		wg.Go(func() {
			big := Submission{Recipients: []string{alice}, Content: Content{Text: string(make([]byte, 200<<10))}}
			_, err := f.Enqueue(ctx, big, 1)
			wantErr(t, err, bolterrors.ErrMaxSizeReached)
		})
		synctest.Wait()
		close(release)
		wg.Wait()
		f.wantState("a", Processed, PartSubmitting)
		f.wantState("b", Pending, PartQueued)
		setMax(0)
		j, _, err := f.StepAhead(ctx, done, &sim1)
		if err != nil || name(j) != "b" || j.Attempts != 1 {
			t.Fatalf("claimed %+v, %v", j, err)
		}
		f.ok(j.Stored())
		f.wantState("a", Sent, PartAccepted)
		f.wantState("b", Processed, PartSubmitting)
		f.accept(j)
		start := time.Now()
		f.report(card1, 4, alice, VerdictDelivered, Matched)
		if took := time.Since(start); took != 0 {
			t.Errorf("a report waited %v for a part in flight, there is none", took)
		}
	})
}

// TestStepAheadBesideFailure: a neighbour that fails after it wrote makes the step run again, alone;
// its caller sees one job, and it is the one stored.
func TestStepAheadBesideFailure(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("a")
		release := f.hold()
		var wg sync.WaitGroup
		wg.Go(func() {
			j, _, err := f.StepAhead(ctx, nil, &sim1)
			if err != nil || name(j) != "a" || j.Attempts != 1 {
				t.Errorf("claimed %+v, %v", j, err)
				return
			}
			if err := j.Stored(); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		wg.Go(func() { wantErr(t, f.do(ctx, spoil), errSpoilt) })
		synctest.Wait()
		close(release)
		wg.Wait()
		f.wantState("a", Processed, PartSubmitting)
		j, _, err := f.StepAhead(ctx, nil, nil)
		if j != nil || err != nil {
			t.Errorf("a step for nothing: %+v, %v", j, err)
		}
	})
}

// TestStepAheadMeetsClose: whoever waits for its job learns the truth about it.
func TestStepAheadMeetsClose(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("a")
		release := f.hold()
		stored := make(chan bool, 1)
		go func() {
			j, _, err := f.StepAhead(ctx, nil, &sim1)
			stored <- err == nil && j.Stored() == nil
		}()
		synctest.Wait()
		closed := make(chan error, 1)
		go func() { closed <- f.Close() }()
		synctest.Wait()
		close(release)
		f.ok(<-closed)
		want := PartQueued
		if <-stored {
			want = PartUnknown // by the restart
		}
		f.start()
		if got := f.get("a").Recipients[0].Parts[0].State; got != want {
			t.Errorf("part is %v, want %v", got, want)
		}
	})
}
