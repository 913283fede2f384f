package bird

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// marketing is a request that asks for the cap.
func marketing(number, fields string) string {
	return `{"receiver":{"contacts":[{"identifierValue":"` + number + `"}]},"body":{"type":"text","text":{"text":"Hello"}},
		"capFrequency":true,"meta":{"extraInformation":{"useCase":"marketing"}}` + fields + `}`
}

func capped(most int) func(*Options) {
	return func(o *Options) { o.FrequencyCap, o.FrequencyPeriod = most, 24*time.Hour }
}

// TestCap: one marketing message too many is taken, rejected and never sent; other numbers, other messages
// and another day are not its business.
func TestCap(t *testing.T) {
	b := newBench(t, capped(2))
	for range 2 {
		b.Await(b.accepted(marketing("+31612345678", "")).ID, queue.Sent)
	}
	m := b.accepted(marketing("0031612345678", ""))
	for _, got := range []message{m, b.shown(m.ID)} {
		if got.Status != "rejected" || got.Details != "frequency_cap_exceeded" || got.Failure == nil {
			t.Fatalf("%+v", got)
		}
		if *got.Failure != (failure{11002, "the number has got as many marketing messages as bird.frequency_cap allows within 24h0m0s", source{"pre-processing", "frequency_cap_exceeded"}, ""}) {
			t.Errorf("failure %+v", *got.Failure)
		}
	}
	in3Days := time.Now().Add(72 * time.Hour).Format(time.RFC3339)
	for name, body := range map[string]string{
		"another number":   marketing("+31612345679", ""),
		"no marketing":     with(""),
		"not to be capped": with(`,"capFrequency":false,"meta":{"extraInformation":{"useCase":"marketing"}}`),
	} {
		if got := b.accepted(body); got.Status != "accepted" {
			t.Errorf("%s: %s", name, got.Status)
		}
		b.Await(b.Messages()[0].ID, queue.Sent)
	}
	for i, want := range []string{"scheduled", "scheduled", "rejected"} {
		if got := b.accepted(marketing("+31612345678", `,"scheduledFor":"`+in3Days+`"`)); got.Status != want {
			t.Errorf("in three days, number %d: %s, want %s", i, got.Status, want)
		}
	}
	if n := len(b.Sent()); n != 5 {
		t.Errorf("%d parts sent, want 5", n)
	}
}

// TestCapAtOnce: of many at the same time, as many are let through as the cap says.
func TestCapAtOnce(t *testing.T) {
	b := newBench(t, capped(3))
	got := make([]string, 12)
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() { got[i] = b.accepted(marketing("+31612345678", "")).Status })
	}
	all.Wait()
	slices.Sort(got)
	if want := append(slices.Repeat([]string{"accepted"}, 3), slices.Repeat([]string{"rejected"}, 9)...); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// shelf is a store with the dialect as its only room, which counts as messages are counted.
type shelf struct {
	t    testing.TB
	d    *Dialect
	st   *store.Store
	path string
}

func newShelf(t testing.TB, most int, period time.Duration) *shelf {
	s := &shelf{t: t, path: filepath.Join(t.TempDir(), "x.db")}
	s.open(most, period)
	return s
}

func (s *shelf) open(most int, period time.Duration) {
	s.t.Helper()
	s.d = &Dialect{opts: Options{FrequencyCap: most, FrequencyPeriod: period}, cards: map[string]card{}}
	var err error
	if s.st, err = store.Open(s.path, store.Options{}, s.d); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) close() {
	if err := s.st.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// count reports whether a message that is due is let through.
func (s *shelf) count(number string, due time.Time) bool {
	s.t.Helper()
	m := queue.Message{ScheduleAt: due, Recipients: []queue.Recipient{{Number: number}}}
	switch err := s.st.Do(context.Background(), func(t *store.Tx) error { return s.d.count(t, m) }); err {
	case nil:
		return true
	case errOverCap:
		return false
	default:
		s.t.Fatal(err)
		return false
	}
}

func (s *shelf) numbers() (n int) {
	s.t.Helper()
	err := s.st.Do(context.Background(), func(t *store.Tx) error {
		n = store.Bucket(t, bucketFrequency).Stats().KeyN
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestCapSlides: the period slides, outlives a restart, and what has aged is forgotten.
func TestCapSlides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShelf(t, 2, time.Hour)
		expect := func(want bool) {
			t.Helper()
			if got := s.count("+31612345678", time.Time{}); got != want {
				t.Errorf("let through: %v, want %v", got, want)
			}
		}
		expect(true)
		time.Sleep(40 * time.Minute)
		expect(true)
		expect(false)
		s.close()
		s.open(2, time.Hour)
		expect(false)
		time.Sleep(20 * time.Minute) // the first is an hour old
		expect(true)
		expect(false)
		if n := s.numbers(); n != 1 {
			t.Errorf("%d numbers, want 1", n)
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if n := s.numbers(); n != 0 {
			t.Errorf("%d numbers are kept, want none", n)
		}
		s.close()
	})
}

// TestCrowded: no period, wherever it begins, has more than the cap; and no message is kept back for less.
func TestCrowded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(0, 50), 0, 12).Draw(t, "times")
		most := rapid.IntRange(1, 4).Draw(t, "most")
		period := rapid.Int64Range(1, 20).Draw(t, "period")
		slices.Sort(times)
		want := false
		for begin := int64(0); begin <= 50; begin++ {
			in := 0
			for _, at := range times {
				if at >= begin && at < begin+period {
					in++
				}
			}
			want = want || in > most
		}
		if got := crowded(times, most, period); got != want {
			t.Fatalf("%v, at most %d in %d: %v, want %v", times, most, period, got, want)
		}
	})
}

// TestTimesAsBytes: what is damaged is cut off, not believed.
func TestTimesAsBytes(t *testing.T) {
	for v, want := range map[string]string{
		"": "[]", "\x00\x00\x00\x00\x00\x00\x01\x02": "[258]", "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00": "[1]",
	} {
		if got := fmt.Sprint(decodeTimes([]byte(v))); got != want {
			t.Errorf("%x: %s, want %s", v, got, want)
		}
	}
}
