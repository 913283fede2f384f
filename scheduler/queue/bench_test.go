package queue

import (
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/scheduler/store"
)

// sizes are how full the store is whose cost must not show it. The large one takes seconds to fill.
func sizes(b *testing.B, run func(b *testing.B, n int)) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("stored=%d", n), func(b *testing.B) {
			if n > 1_000 && testing.Short() {
				b.Skip("a million messages with -short")
			}
			run(b, n)
		})
	}
}

// full is a queue with n messages of one part, a second apart: waiting in the shared lane, or sent
// over one card and waiting for their reports.
func full(b *testing.B, n int, sent bool) *Queue {
	b.Helper()
	q, err := Open(filepath.Join(b.TempDir(), "q.db"), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := q.Close(); err != nil {
			b.Error(err)
		}
	})
	const perCommit = 50_000
	for first := 1; first <= n; first += perCommit {
		err := q.do(ctx, func(t *tx) error {
			t.DB().NoSync = true
			return t.fill(uint64(first), uint64(min(n, first+perCommit-1)), sent)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return q
}

const fillStart = 1_700_000_000_000

func fillNumber(seq uint64) string { return fmt.Sprintf("+49151%08d", seq) }

func fillID(seq uint64) string { return fmt.Sprintf("message-%012d", seq) }

// fill stores the messages from first to last in the order of their keys.
func (t *tx) fill(first, last uint64, sent bool) error {
	for _, b := range []*bolt.Bucket{t.ids, t.messages, t.deliveries, t.ready} {
		b.FillPercent = 1
	}
	state := Pending
	var filed [][]byte
	for seq := first; seq <= last; seq++ {
		m := &message{
			ID: fillID(seq), Content: Content{Text: "The pump in cellar 4 has stopped."}, Report: true, Recipients: 1,
			Created: fillStart + int64(seq)*1000,
		}
		d := &delivery{seq: seq, To: fillNumber(seq), Parts: make([]part, 1)}
		d.Reached[Pending] = m.Created
		if sent {
			state = Sent
			d.SIM, d.Reached[Sent] = 1, m.Created
			d.Parts[0] = part{State: PartAccepted, IMSI: card1, MR: uint8(seq), Attempts: 1, Submitted: m.Created, Accepted: m.Created, Intent: 1}
			filed = append(filed, reportKey(card1, int(uint8(seq)), d.To, seq, 0, 0))
		} else {
			d.Ready = readyKey(0, 0, seq, 0)
			t.put(t.ready, d.Ready, []byte{})
		}
		t.put(t.ids, []byte(m.ID), seqKey(seq))
		t.put(t.messages, seqKey(seq), m.encode())
		t.put(t.deliveries, deliveryKey(seq, 0), d.encode())
		t.setState(seq, m, 0, state)
	}
	slices.SortFunc(filed, func(a, b []byte) int { return slices.Compare(a, b) })
	for _, k := range filed {
		t.put(t.reports, k, []byte{})
	}
	if err := t.messages.SetSequence(last); err != nil {
		return err
	}
	return t.Err
}

func TestFill(t *testing.T) {
	for _, sent := range []bool{false, true} {
		f := newFixture(t, Options{})
		f.ok(f.do(ctx, func(t *tx) error { return t.fill(1, 700, sent) }))
		f.ok(f.do(ctx, func(t *tx) error { return t.fill(701, 1500, sent) }))
		f.puts("next")
	}
}

// BenchmarkClaim: one step of the scheduler, which puts one part back and claims the next. No fsync.
func BenchmarkClaim(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		q := full(b, n, false)
		var done *Outcome
		for b.Loop() {
			j, _, err := q.Step(ctx, done, &sim1)
			if err != nil || j == nil {
				b.Fatal(j, err)
			}
			done = &Outcome{Job: j, Kind: OutcomeDeferred}
		}
	})
}

// BenchmarkReport: a report finds its part among those of all numbers and stores its news. No fsync.
func BenchmarkReport(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		q := full(b, n, true)
		for _, c := range []struct {
			name string
			of   int // how many of the latest messages the reports are about
		}{{"recent", min(n, 1000)}, {"any", n}} {
			b.Run(c.name, func(b *testing.B) {
				step := 0
				for b.Loop() {
					step = (step + 7919) % c.of
					seq := uint64(n - step)
					r := Report{IMSI: card1, MR: uint8(seq), Recipient: fillNumber(seq), Status: 0x20, Verdict: VerdictTrying}
					if match, err := q.Report(ctx, r); match != Matched || err != nil {
						b.Fatal(match, err)
					}
				}
			})
		}
	})
}

// BenchmarkList: the first page of fifty and the number of all that match.
func BenchmarkList(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		q := full(b, n, true)
		at := func(part float64) time.Time { return time.UnixMilli(fillStart + int64(part*float64(n))*1000) }
		for _, c := range []struct {
			name   string
			filter Filter
		}{
			{"all", Filter{Limit: 50}},
			{"state", Filter{Limit: 50, State: Sent}},
			{"state of none", Filter{Limit: 50, State: Failed}},
			{"range", Filter{Limit: 50, From: at(0.2003), To: at(0.8007)}},
			{"state and range", Filter{Limit: 50, State: Sent, From: at(0.2003), To: at(0.8007), OldestFirst: true}},
		} {
			b.Run(c.name, func(b *testing.B) {
				for b.Loop() {
					if _, _, err := q.List(ctx, c.filter); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

// BenchmarkEnqueue: durable submissions beside durable group commits of bare bbolt, one put of the
// same size each, by as many callers in the same run. The metric bare/x is how many times as long
// a submission takes.
func BenchmarkEnqueue(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			f := newFixture(b, Options{})
			f.ok(f.do(ctx, func(t *tx) error { t.DB().NoSync = false; return nil }))
			s := Submission{Recipients: []string{alice}, Content: Content{Text: "The pump in cellar 4 has stopped."}, Report: true}
			bare, stop := bareGroupCommit(b)
			defer stop()
			b.ResetTimer()
			took := crowd(callers, b.N, func(int) {
				if _, err := f.Enqueue(ctx, s, 1); err != nil {
					b.Error(err)
				}
			})
			b.StopTimer()
			bareTook := crowd(callers, b.N, bare)
			b.ReportMetric(float64(b.N)/took.Seconds(), "msg/s")
			b.ReportMetric(float64(b.N)/bareTook.Seconds(), "bare/s")
			b.ReportMetric(took.Seconds()/bareTook.Seconds(), "bare/x")
		})
	}
}

// crowd has callers run f n times in all and returns how long that took.
func crowd(callers, n int, f func(i int)) time.Duration {
	todo := make(chan int, n)
	for i := range n {
		todo <- i
	}
	close(todo)
	start := time.Now()
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for i := range todo {
				f(i)
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// bareGroupCommit is the least that makes puts durable together: a goroutine that commits what waits.
func bareGroupCommit(b *testing.B) (put func(i int), stop func()) {
	db, err := bolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, &bolt.Options{
		NoFreelistSync: true, FreelistType: bolt.FreelistMapType, InitialMmapSize: 64 << 20,
	})
	if err != nil {
		b.Fatal(err)
	}
	type waiting struct {
		key  uint64
		done chan error
	}
	queue := make(chan waiting, storeBatch)
	commit := func(batch []waiting) error {
		return db.Update(func(btx *bolt.Tx) error {
			bucket, err := btx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			for _, w := range batch {
				if err := bucket.Put(binary.BigEndian.AppendUint64(nil, w.key), make([]byte, 400)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for first := range queue {
			batch := []waiting{first}
			for n := len(queue); n > 0; n-- {
				batch = append(batch, <-queue)
			}
			err := commit(batch)
			for _, w := range batch {
				w.done <- err
			}
		}
	}()
	put = func(i int) {
		w := waiting{uint64(i), make(chan error, 1)}
		queue <- w
		if err := <-w.done; err != nil {
			b.Error(err)
		}
	}
	return put, func() {
		close(queue)
		<-ended
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkClaimQuota: a step under caps on everything, with a card that wrote to so many numbers this
// month; each claim is taken back. No fsync.
func BenchmarkClaimQuota(b *testing.B) {
	for _, n := range []int{0, 100, 10_000} {
		b.Run(fmt.Sprintf("sent=%d", n), func(b *testing.B) {
			q := full(b, 1_000, false)
			caps := Caps{Messages: n + 1, Parts: n + 1, Recipients: n + 1}
			c := sim1
			c.Quota = Quota{Minute: caps, Hour: caps, Day: caps, Month: caps}
			if n == 0 {
				c.Quota = Quota{}
			}
			err := q.do(ctx, func(t *tx) error {
				for i := range n {
					t.charge(&c, &delivery{To: fmt.Sprintf("+4916%08d", i), Parts: make([]part, 1)})
				}
				return t.Err
			})
			if err != nil {
				b.Fatal(err)
			}
			var done *Outcome
			for b.Loop() {
				j, why, err := q.Step(ctx, done, &c)
				if err != nil || j == nil {
					b.Fatal(j, why, err)
				}
				done = &Outcome{Job: j, Kind: OutcomeDeferred}
			}
		})
	}
}

// BenchmarkOpen: what waits is put into lanes anew, as the routes changed. No fsync.
func BenchmarkOpen(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		q := full(b, n, false)
		routes := [][]Route{nil, {{"+49", LaneRoutes}}}
		for i := 0; b.Loop(); i++ {
			q.opts.Routes = routes[(i+1)%2]
			for more := true; more; {
				err := q.store.Do(ctx, func(t *store.Tx) (err error) { more, err = q.Move(t); return err })
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
