package queue

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

// page scans and returns the IDs.
func (f *fixture) page(s Scan) (ids []string, next uint64) {
	f.Helper()
	page, next, err := f.Scan(ctx, s)
	f.ok(err)
	for _, m := range page {
		ids = append(ids, m.ID)
	}
	return ids, next
}

// TestScan has pages of six messages, the even ones from the desk. Sequence numbers are 1 to 6.
func TestScan(t *testing.T) {
	quick := func(m Message) bool { return m.Priority > 0 }
	for _, tt := range []struct {
		name string
		scan Scan
		want []string
		next uint64
	}{
		{"all", Scan{Origin: "desk", Limit: 10}, []string{"m6", "m4", "m2"}, 0},
		{"a page", Scan{Origin: "desk", Limit: 2}, []string{"m6", "m4"}, 4},
		{"the page after", Scan{Origin: "desk", Limit: 2, Before: 4}, []string{"m2"}, 0},
		{"one that ends with the first of all", Scan{Limit: 3}, []string{"m5", "m3", "m1"}, 0},
		{"one that ends before another's", Scan{Origin: "desk", Limit: 3}, []string{"m6", "m4", "m2"}, 2},
		{"of nobody", Scan{Origin: "elsewhere", Limit: 3}, nil, 0},
		{"of the native API", Scan{Limit: 1, Before: 5}, []string{"m3"}, 3},
		{"before the first", Scan{Origin: "desk", Limit: 3, Before: 1}, nil, 0},
		{"before one that is not there yet", Scan{Origin: "desk", Limit: 1, Before: 1 << 63}, []string{"m6"}, 6},
		{"some are left out", Scan{Origin: "desk", Limit: 1, Keep: quick}, []string{"m2"}, 2},
		{"all are left out", Scan{Origin: "desk", Limit: 1, Keep: func(Message) bool { return false }}, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, Options{}, func(f *fixture) {
				for i := 1; i <= 6; i++ {
					s := Submission{ID: fmt.Sprint("m", i)}
					if i%2 == 0 {
						s.Origin = "desk"
					}
					if i == 2 {
						s.Priority = 1
					}
					f.put(s, 1)
				}
				got, next := f.page(tt.scan)
				equal(t, "page", got, tt.want)
				if next != tt.next {
					t.Errorf("the next page begins before %d, want %d", next, tt.next)
				}
			})
		})
	}
}

// TestScanShowsMessages: a page has messages as they stand.
func TestScanShowsMessages(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		f.put(Submission{ID: "a", Origin: "desk", Meta: []byte("x"), Recipients: []string{alice, bob}}, 1)
		f.accept(f.take(sim1))
		page, _, err := f.Scan(ctx, Scan{Origin: "desk", Limit: 1})
		f.ok(err)
		if m := page[0]; m.State != Pending || m.Recipients[0].State != Sent || string(m.Meta) != "x" {
			t.Errorf("got %+v", m)
		}
	})
}

// TestScanPassesOverDamage: records that do not decode, in a message or a recipient of one, and messages that
// were deleted leave the others on their page; a page may begin before a message that is gone.
func TestScanPassesOverDamage(t *testing.T) {
	bubble(t, Options{}, func(f *fixture) {
		for _, id := range []string{"a", "b", "c", "d", "e"} {
			f.put(Submission{ID: id, Origin: "desk"}, 1)
		}
		kept := map[string][]byte{}
		each := func(do func(b *bolt.Bucket, k []byte)) {
			f.ok(f.do(ctx, func(t *tx) error {
				do(t.messages, seqKey(2))
				do(t.deliveries, deliveryKey(3, 0))
				t.put(t.meta, []byte("x"), nil)
				return nil
			}))
		}
		each(func(b *bolt.Bucket, k []byte) {
			kept[string(k)] = slices.Clone(b.Get(k))
			f.ok(b.Put(k, []byte{1}))
		})
		_, err := f.Cancel(ctx, "d")
		f.ok(err)
		time.Sleep(time.Second)
		var from uint64
		if n, _, err := f.Retire(ctx, time.Now(), &from, 10); n != 1 || err != nil {
			t.Errorf("retired %d, %v", n, err)
		}
		for before, want := range map[uint64][]string{0: {"e", "a"}, 5: {"a"}, 4: {"a"}, 2: {"a"}} {
			got, next := f.page(Scan{Origin: "desk", Limit: 5, Before: before})
			equal(t, fmt.Sprint("before ", before), got, want)
			if next != 0 {
				t.Errorf("another page before %d", next)
			}
		}
		each(func(b *bolt.Bucket, k []byte) { f.ok(b.Put(k, kept[string(k)])) })
	})
}

// TestScanIsBounded: one scan looks at no more than maxScan records, whoever's they are; those who go on
// come to the end.
func TestScanIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, Options{})
		f.put(Submission{ID: "first", Origin: "desk"}, 1)
		f.ok(f.do(ctx, func(t *tx) error {
			for i := range maxScan {
				s := Submission{ID: fmt.Sprint("m", i), Recipients: []string{alice}}
				if _, err := t.enqueue(&s, 1); err != nil {
					return err
				}
			}
			return nil
		}))
		looked := 0
		s := Scan{Limit: maxScan + 1, Keep: func(Message) bool { looked++; return false }}
		if _, next := f.page(s); looked != maxScan || next != 2 {
			t.Errorf("looked at %d records, the next page begins before %d", looked, next)
		}
		got, next := f.page(Scan{Origin: "desk", Limit: 5})
		if len(got) != 0 || next != 2 {
			t.Errorf("got %q, the next page begins before %d, want none and 2", got, next)
		}
		got, next = f.page(Scan{Origin: "desk", Limit: 5, Before: next})
		equal(t, "the rest", got, []string{"first"})
		if next != 0 {
			t.Errorf("another page before %d", next)
		}
	})
}
