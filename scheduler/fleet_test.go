package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// plug adds a SIM to a running rig.
func (r *rig) plug(f *fakeSIM) {
	f.mu.Lock()
	f.sink = r.Scheduler
	f.mu.Unlock()
	r.sims = append(r.sims, f)
	r.Add(f)
}

func (r *rig) unplug(number int) {
	r.t.Helper()
	if err := r.Remove(context.Background(), number); err != nil {
		r.t.Errorf("remove SIM %d: %v", number, err)
	}
}

func TestAddWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, scheduler.Options{})
		id := r.post(text("a"))
		time.Sleep(time.Hour)
		r.expect(id, queue.Pending, "")
		two := newSIM(t, 2)
		r.plug(two)
		synctest.Wait()
		r.expect(id, queue.Sent, "")
		one := newSIM(t, 1)
		r.plug(one)
		r.post(text("b"))
		synctest.Wait()
		if !slices.Equal(one.texts(), []string{"b"}) {
			t.Errorf("the first SIM by number sent %q", one.texts())
		}
		if st := r.Modems(); len(st) != 2 || st[0].SIM != 1 || st[1].SIM != 2 {
			t.Errorf("modems %+v", st)
		}
	})
}

// The part under way ends, and its outcome is stored; what was begun waits for the number's next SIM.
func TestRemoveFinishesThePart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		one.latency = 10 * second
		r := start(t, scheduler.Options{FIFO: true}, one, two)
		long := r.post(text(strings.Repeat("a", 300)))
		other := r.post(text("b"))
		time.Sleep(second)
		begun := time.Now()
		r.unplug(1)
		if took := time.Since(begun); took != 9*second {
			t.Errorf("removing took %v, want the 9 s until the answer", took)
		}
		if p := r.get(long).Recipients[0].Parts; p[0].State != queue.PartAccepted || p[1].State != queue.PartQueued {
			t.Errorf("parts %v and %v", p[0].State, p[1].State)
		}
		time.Sleep(time.Hour)
		r.expect(long, queue.Processed, "")
		r.expect(other, queue.Sent, "")
		if len(two.sent()) != 1 || len(r.Modems()) != 1 {
			t.Errorf("SIM 2 sent %d, %d SIMs left", len(two.sent()), len(r.Modems()))
		}
		again := newSIM(t, 1)
		r.plug(again)
		synctest.Wait()
		r.expect(long, queue.Sent, "")
		if len(again.sent()) != 1 {
			t.Errorf("the new SIM 1 sent %d parts", len(again.sent()))
		}
	})
}

// A SIM that comes before the one it replaces has ended does not send beside it.
func TestAddBeforeTheOldOneEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old, young := newSIM(t, 1), newSIM(t, 1)
		old.latency = 10 * second
		r := start(t, scheduler.Options{FIFO: true}, old)
		r.post(text("a"))
		r.post(text("b"))
		time.Sleep(second)
		ctx, cancel := context.WithTimeout(context.Background(), second)
		defer cancel()
		if err := r.Remove(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("remove: %v", err)
		}
		r.plug(young)
		time.Sleep(7 * second) // nine since the beginning
		if n := len(young.sent()); n != 0 {
			t.Errorf("the new SIM sent %d while the old one had a part under way", n)
		}
		time.Sleep(2 * second)
		if got := young.texts(); !slices.Equal(got, []string{"b"}) {
			t.Errorf("the new SIM sent %q", got)
		}
	})
}

func TestRemoveBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newSIM(t, 1), newSIM(t, 2)
		r := idle(t, scheduler.Options{}, one, two)
		r.unplug(1)
		if err := r.Remove(context.Background(), 1); err == nil || err.Error() != "SIM 1 not found" {
			t.Errorf("removed twice: %v", err)
		}
		r.run()
		r.post(text("a"))
		synctest.Wait()
		if len(one.sent()) != 0 || len(two.sent()) != 1 {
			t.Errorf("SIM 1 sent %d, SIM 2 %d", len(one.sent()), len(two.sent()))
		}
	})
}

func TestRemovedSIMIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, scheduler.Options{}, newSIM(t, 1), newSIM(t, 2))
		r.unplug(2)
		sub := text("a")
		sub.SIM = 2
		_, err := r.Submit(context.Background(), sub)
		var fe *queue.FieldError
		if !errors.As(err, &fe) || fe.Field != "simNumber" || fe.Problem != "SIM 2 not found; there are: 1" {
			t.Errorf("submit: %v", err)
		}
	})
}

// TestPlugging has SIMs come and go while others submit; nothing is lost, nothing sent twice.
func TestPlugging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, scheduler.Options{Selection: scheduler.RoundRobin}, newSIM(t, 1))
		var mu sync.Mutex
		var all []*fakeSIM
		var wg sync.WaitGroup
		for number := 2; number <= 4; number++ {
			wg.Go(func() {
				for range 20 {
					f := newSIM(t, number)
					f.latency = second
					mu.Lock()
					all = append(all, f)
					mu.Unlock()
					r.Add(f)
					time.Sleep(time.Duration(number) * second)
					if err := r.Remove(context.Background(), number); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 200 {
			r.post(text(fmt.Sprint(i)))
			time.Sleep(second / 3)
		}
		wg.Wait()
		time.Sleep(time.Hour)
		seen := map[string]int{}
		for _, f := range append(all, r.sims...) {
			for _, s := range f.texts() {
				seen[s]++
			}
		}
		for i := range 200 {
			if n := seen[fmt.Sprint(i)]; n != 1 {
				t.Errorf("message %d was sent %d times", i, n)
			}
		}
		if _, n, err := r.List(t.Context(), queue.Filter{State: queue.Sent}); n != 200 || err != nil {
			t.Errorf("%d messages are Sent, %v", n, err)
		}
	})
}

func TestNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	ask := func(want int, taken []int, keys ...string) {
		t.Helper()
		s, err := scheduler.Open(path, scheduler.Options{Taken: taken})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		if n, err := s.Number(t.Context(), keys...); n != want || err != nil {
			t.Errorf("the number of %v is %d, %v; want %d", keys, n, err, want)
		}
	}
	ask(2, []int{1, 3}, "imsi:A", "imei:a")
	ask(4, []int{1, 3}, "imsi:B", "imei:b")
	ask(2, nil, "imsi:A", "imei:a")
	ask(2, nil, "imei:a")           // its SIM asks for a PIN
	ask(2, nil, "imsi:A")           // still known
	ask(1, nil, "imsi:C", "imei:c") // the lowest free
	// A goes into c: the number goes with the SIM.
	ask(2, nil, "imsi:A", "imei:c")
	for range 8 {
		ask(2, nil, "imei:c") // no longer C's
	}
	ask(1, nil, "imsi:C")
	// What was in c goes into a: it keeps its number too.
	ask(1, nil, "imsi:C", "imei:a")
	// A new SIM in b has the number of the dongle.
	ask(4, nil, "imsi:D", "imei:b")
	ask(3, nil, "imsi:B", "imei:e")
	// The configuration took 2.
	ask(5, []int{2}, "imsi:A", "imei:c")
	ask(5, nil, "imsi:A")
}

func TestNumbersEnd(t *testing.T) {
	s, err := scheduler.Open(filepath.Join(t.TempDir(), "q.db"), scheduler.Options{Taken: []int{100}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Number(t.Context()); err == nil {
		t.Error("nothing has a number")
	}
	for i := range 254 {
		if _, err := s.Number(t.Context(), fmt.Sprint("imsi:", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Number(t.Context(), "imsi:one more"); err == nil {
		t.Errorf("the 255th SIM got number %d", n)
	}
	if n, err := s.Number(t.Context(), "imsi:200"); n != 202 || err != nil {
		t.Errorf("a known SIM got %d, %v", n, err)
	}
}

func TestModemsOfNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if st := idle(t, scheduler.Options{}).Modems(); st == nil || len(st) != 0 {
			t.Errorf("modems %+v", st)
		}
	})
}
