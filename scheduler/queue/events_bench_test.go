package queue

import (
	"path/filepath"
	"testing"
	"time"

	"dongled/scheduler/store"
)

// BenchmarkEvents: the life of a message of one part, accepted, submitted, sent and reported, in a queue
// with an outbox beside one without. The two take turns, so that the machine's moods are the same for
// both. The metric bare/x is how many times as long it takes with events. Commits are durable as they
// are in service if fsync is on; without, all that is left is the processor's part.
func BenchmarkEvents(b *testing.B) {
	for name, sync := range map[string]bool{"fsync": true, "no fsync": false} {
		b.Run(name, func(b *testing.B) {
			told, err := openPost(filepath.Join(b.TempDir(), "q.db"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			bare, err := Open(filepath.Join(b.TempDir(), "bare.db"), Options{})
			if err != nil {
				b.Fatal(err)
			}
			queues := [...]*Queue{bare, told.Queue}
			var took [len(queues)]time.Duration
			for _, q := range queues {
				defer func() {
					if err := q.Close(); err != nil {
						b.Error(err)
					}
				}()
				_ = q.store.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = !sync; return nil })
			}
			mr := uint8(0)
			for b.Loop() {
				mr++
				for i, q := range queues {
					began := time.Now()
					live(b, q, mr)
					took[i] += time.Since(began)
				}
			}
			b.ReportMetric(float64(b.N)/took[0].Seconds(), "bare/s")
			b.ReportMetric(float64(b.N)/took[1].Seconds(), "parts/s")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "bare/x")
		})
	}
}

// live is the life of one message.
func live(b *testing.B, q *Queue, mr uint8) {
	s := Submission{Recipients: []string{alice}, Content: Content{Text: "The pump in cellar 4 has stopped."}, Report: true}
	if _, err := q.Enqueue(ctx, s, 1); err != nil {
		b.Fatal(err)
	}
	j, _, err := q.Step(ctx, nil, &sim1)
	if err != nil || j == nil {
		b.Fatal(j, err)
	}
	if _, _, err := q.Step(ctx, &Outcome{Job: j, Kind: OutcomeAccepted, MR: mr}, nil); err != nil {
		b.Fatal(err)
	}
	if match, err := q.Report(ctx, Report{IMSI: card1, MR: mr, Recipient: alice, Verdict: VerdictDelivered}); match != Matched || err != nil {
		b.Fatal(match, err)
	}
}
