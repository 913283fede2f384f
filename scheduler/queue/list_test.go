package queue

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// list returns the IDs of a page and the total.
func (f *fixture) list(filter Filter) (ids []string, total int) {
	f.Helper()
	page, total, err := f.List(ctx, filter)
	f.ok(err)
	for _, m := range page {
		ids = append(ids, m.ID)
	}
	return ids, total
}

func (f *fixture) wantList(what string, filter Filter, wantTotal int, want ...string) {
	f.Helper()
	got, total := f.list(filter)
	equal(f, what, got, want)
	if total != wantTotal {
		f.Errorf("%s: total %d, want %d", what, total, wantTotal)
	}
}

func TestListPages(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.wantList("an empty store", Filter{Limit: 10}, 0)
		f.puts("a", "b", "c", "d", "e")
		f.wantList("newest first", Filter{Limit: 10}, 5, "e", "d", "c", "b", "a")
		f.wantList("oldest first", Filter{Limit: 10, OldestFirst: true}, 5, "a", "b", "c", "d", "e")
		f.wantList("first page", Filter{Limit: 2}, 5, "e", "d")
		f.wantList("second page", Filter{Limit: 2, Offset: 2}, 5, "c", "b")
		f.wantList("last page", Filter{Limit: 2, Offset: 4}, 5, "a")
		f.wantList("at the end", Filter{Limit: 2, Offset: 5}, 5)
		f.wantList("beyond the end", Filter{Limit: 2, Offset: 500}, 5)
		f.wantList("only counting", Filter{}, 5)
		f.wantList("second page, oldest first", Filter{Limit: 2, Offset: 2, OldestFirst: true}, 5, "c", "d")
	})
}

func TestListStates(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.puts("pending")
		f.put(Submission{ID: "cancelled"}, 1)
		_, err := f.Cancel(ctx, "cancelled")
		f.ok(err)
		for i, id := range []string{"delivered", "failed", "sent", "processed"} {
			f.put(Submission{ID: id, Priority: int8(10 - i)}, 1)
		}
		mr := f.accept(f.take(sim1))
		f.report(card1, mr, alice, VerdictDelivered, Matched)
		f.reject(f.take(sim1))
		f.accept(f.take(sim1))
		f.lose(f.take(sim1))
		for state, id := range map[State]string{
			Pending: "pending", Processed: "processed", Sent: "sent", Delivered: "delivered", Failed: "failed", Cancelled: "cancelled",
		} {
			f.wantList(id, Filter{State: state, Limit: 10}, 1, id)
		}
		f.wantList("every state", Filter{Limit: 2}, 6, "processed", "sent")
		f.wantList("a state there is not", Filter{State: 9, Limit: 2}, 0)
	})
}

// TestListRange: from is in, to is out, fractions of a millisecond and times before 1970 included.
func TestListRange(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		start := time.Now()
		at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
		for i, id := range []string{"a", "b", "c"} {
			time.Sleep(time.Until(at(10 * i)))
			f.puts(id)
		}
		all := Filter{Limit: 9, OldestFirst: true}
		for _, c := range []struct {
			from, to time.Time
			want     []string
		}{
			{at(0), at(20), []string{"a", "b"}},
			{at(1), at(21), []string{"b", "c"}},
			{at(0), at(0), nil},
			{at(10), at(11), []string{"b"}},
			{at(0).Add(time.Nanosecond), at(10).Add(time.Nanosecond), []string{"b"}},
			{at(20), time.Time{}, []string{"c"}},
			{time.Time{}, at(10), []string{"a"}},
			{at(20), at(10), nil},
			{at(1000), time.Time{}, nil},
			{time.Unix(-1, 0), time.Time{}, []string{"a", "b", "c"}},
			{time.Unix(0, 0), time.Time{}, []string{"a", "b", "c"}},
			{time.Time{}, time.Unix(0, 0), nil},
			{time.Time{}, time.Unix(-1, 0), nil},
		} {
			all.From, all.To = c.from, c.to
			f.wantList(fmt.Sprintf("from %v to %v", c.from, c.to), all, len(c.want), c.want...)
		}
	})
}

// row is what a naive listing needs to know of a message.
type row struct {
	seq     uint64
	created int64
	state   State
}

// TestListMatchesNaiveListing compares pages and totals with a scan over a plain slice, for
// thousands of messages whose clock jumps about, some of them deleted again.
func TestListMatchesNaiveListing(t *testing.T) {
	f := newFixture(t, Options{})
	rows := f.fillRows(t)
	rapid.Check(t, func(t *rapid.T) {
		when := rapid.Int64Range(999_900, 1_004_500)
		filter := Filter{
			State:       State(rapid.Uint8Range(0, uint8(Cancelled)).Draw(t, "state")),
			Offset:      rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(0, len(rows)+10)).Draw(t, "offset"),
			Limit:       rapid.IntRange(0, 100).Draw(t, "limit"),
			OldestFirst: rapid.Bool().Draw(t, "oldest first"),
		}
		if rapid.Bool().Draw(t, "has from") {
			filter.From = time.UnixMilli(when.Draw(t, "from"))
		}
		if rapid.Bool().Draw(t, "has to") {
			filter.To = time.UnixMilli(when.Draw(t, "to"))
		}
		var want []uint64
		for _, r := range rows {
			at := time.UnixMilli(r.created)
			if (filter.State == 0 || r.state == filter.State) && !at.Before(filter.From) && (filter.To.IsZero() || at.Before(filter.To)) {
				want = append(want, r.seq)
			}
		}
		total := len(want)
		if !filter.OldestFirst {
			slices.Reverse(want)
		}
		want = want[min(filter.Offset, total):]
		want = want[:min(filter.Limit, len(want))]
		got, gotTotal, err := f.List(ctx, filter)
		if err != nil {
			t.Fatal(err)
		}
		if gotTotal != total || len(got) != len(want) {
			t.Fatalf("%+v: %d of %d messages, want %d of %d", filter, len(got), gotTotal, len(want), total)
		}
		for i, m := range got {
			if m.ID != strconv.FormatUint(want[i], 10) {
				t.Fatalf("%+v: place %d has %s, want %d", filter, i, m.ID, want[i])
			}
		}
	})
}

// fillRows stores some 3000 messages in a few places of the sequence, so that several blocks and
// supers are only partly filled.
func (f *fixture) fillRows(t testing.TB) (rows []row) {
	parts := map[State]PartState{
		Pending: PartUnknown, Processed: PartUnknown, Sent: PartAccepted, Delivered: PartDelivered, Failed: PartRejected, Cancelled: PartCancelled,
	}
	for _, first := range []uint64{1, 250, 1 << 16, 3<<16 - 300} {
		f.ok(f.do(ctx, func(t *tx) error {
			for seq := first; seq < first+800; seq++ {
				if t.messages.Get(seqKey(seq)) != nil {
					continue
				}
				r := row{seq, 1_000_000 + int64(seq%4096), State(1 + seq*2654435761>>7%uint64(Cancelled))}
				if seq%50 == 0 {
					r.created = 1_000_000 + int64(seq*7919%4000) // the clock was wrong for a moment
				}
				if r.state == Pending {
					r.state = Processed // one that waits would need a place in a lane
				}
				rows = append(rows, r)
				m := &message{ID: strconv.FormatUint(seq, 10), Recipients: 1, Created: r.created}
				d := &delivery{seq: seq, To: alice, Parts: []part{{State: parts[r.state]}}}
				d.Reached[r.state] = r.created
				t.put(t.ids, []byte(m.ID), seqKey(seq))
				t.put(t.messages, seqKey(seq), m.encode())
				t.put(t.deliveries, deliveryKey(seq, 0), d.encode())
				if r.state == Processed {
					t.At(1<<50, timerUnknown, append(deliveryKey(seq, 0), 0))
				}
				t.setState(seq, m, 0, r.state)
			}
			return nil
		}))
	}
	// Delete what ended before 1000.3 s, among it whole blocks.
	var from uint64
	more, err := true, error(nil)
	for more {
		_, more, err = f.Retire(context.Background(), time.UnixMilli(1_000_300), &from, 100)
		f.ok(err)
	}
	return slices.DeleteFunc(rows, func(r row) bool { return r.created < 1_000_300 && r.state != Processed })
}
