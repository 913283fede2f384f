package inbox_test

import (
	"fmt"
	"testing"
	"time"

	"dongled/scheduler/inbox"
	"dongled/scheduler/store"
)

// sizes are how full the inbox is whose cost must not show it.
func sizes(b *testing.B, run func(b *testing.B, f *fixture, n int)) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("stored=%d", n), func(b *testing.B) {
			if n > 1_000 && testing.Short() {
				b.Skip("a hundred thousand messages with -short")
			}
			f := newFixture(b, inbox.Options{Retention: 365 * day})
			for i := range n {
				f.receive(numbered(i))
			}
			run(b, f, n)
		})
	}
}

// numbered is a message like no other.
func numbered(i int) sms {
	return sms{
		from: fmt.Sprintf("+49151%08d", i%1000), text: "The pump in cellar 4 has stopped.", at: time.Duration(i) * time.Second,
	}
}

// BenchmarkReceive: a message, its event and the memory of it, in one commit; and the same one again,
// which is none. No fsync, unless it says so.
func BenchmarkReceive(b *testing.B) {
	sizes(b, func(b *testing.B, f *fixture, n int) {
		next := n
		receive := func(b *testing.B, parts uint8) {
			for b.Loop() {
				next++
				for part := range parts {
					s := numbered(next)
					if parts > 1 {
						s.ref, s.parts, s.part = uint16(next%256), parts, part+1
					}
					f.receive(s)
				}
			}
		}
		b.Run("new", func(b *testing.B) { receive(b, 1) })
		b.Run("three parts", func(b *testing.B) { receive(b, 3) })
		b.Run("again", func(b *testing.B) {
			d := numbered(n / 2).deliver(b)
			for b.Loop() {
				f.ok(f.Receive(ctx, card1, d))
			}
		})
		b.Run("fsync", func(b *testing.B) {
			sync := func(on bool) {
				f.ok(f.store.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = !on; return nil }))
			}
			sync(true)
			defer sync(false)
			receive(b, 1)
		})
	})
}

// BenchmarkList: the first page of fifty and the number of all that match.
func BenchmarkList(b *testing.B) {
	sizes(b, func(b *testing.B, f *fixture, n int) {
		all := f.all()
		at := func(part float64) time.Time { return all[int(part*float64(n-1))].Received }
		for _, c := range []struct {
			name   string
			filter inbox.Filter
		}{
			{"all", inbox.Filter{Limit: 50}},
			{"a page in the middle", inbox.Filter{Limit: 50, Offset: n / 2}},
			{"kind", inbox.Filter{Limit: 50, Kind: inbox.SMS}},
			{"kind of none", inbox.Filter{Limit: 50, Kind: inbox.DataSMS}},
			{"range", inbox.Filter{Limit: 50, From: at(0.2), To: at(0.8)}},
		} {
			b.Run(c.name, func(b *testing.B) {
				for b.Loop() {
					if _, _, err := f.List(ctx, c.filter); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}
