package links_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi/links"
	"dongled/scheduler/store"
)

var errSpoilt = errors.New("spoilt")

// counting is a house in virtual time that stores its counts.
func counting(t *testing.T, f func(t *testing.T, h *house), edits ...func(*house)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &house{TB: t, path: filepath.Join(t.TempDir(), "s.db")}
		h.opts = links.Options{Base: base, Lifetime: lifetime, Clicked: h.clicked}
		for _, edit := range edits {
			edit(h)
		}
		h.open()
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() { h.Flushing(ctx); close(ended) }()
		f(t, h)
		cancel()
		<-ended
		h.ok(h.store.Close())
	})
}

// visit follows a link, as a person or as a machine.
func (h *house) visit(l links.Link, agent string) {
	r := httptest.NewRequest("GET", "/r/"+l.Code, nil)
	r.Header.Set("User-Agent", agent)
	h.Handler().ServeHTTP(httptest.NewRecorder(), r)
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// TestToldOnceAMinute: a person who comes right after a preview is told of when the minute is over.
func TestToldOnceAMinute(t *testing.T) {
	counting(t, func(t *testing.T, h *house) {
		began := time.Now()
		l := h.made("m1", target)[0]
		for _, step := range []struct {
			after time.Duration
			agent string
		}{{0, "curl/8"}, {10 * time.Second, "curl/8"}, {20 * time.Second, browser}, {30 * time.Second, "curl/8"}} {
			pass(time.Until(began.Add(step.after)))
			h.visit(l, step.agent)
		}
		type told struct {
			at           time.Duration
			human        bool
			hits, humans int
		}
		check := func(after time.Duration, want ...told) {
			t.Helper()
			pass(time.Until(began.Add(after)))
			var got []told
			for _, c := range h.told() {
				got = append(got, told{c.At.Sub(began), c.Human, c.Link.Hits, c.Link.Human})
			}
			if len(got) != len(want) || len(got) > 0 && got[0] != want[0] {
				t.Errorf("after %v: told %+v, want %+v", after, got, want)
			}
		}
		check(64*time.Second, told{0, false, 1, 0})
		check(66*time.Second, told{20 * time.Second, true, 4, 1})
		check(10 * time.Minute)
		h.visit(l, browser)
		check(10*time.Minute + 4*time.Second)
		check(10*time.Minute+6*time.Second, told{10 * time.Minute, true, 5, 2})
	})
}

// TestFlushIsTriedAgain: what the disk refused is not lost, and counted once.
func TestFlushIsTriedAgain(t *testing.T) {
	refuse := 2
	counting(t, func(t *testing.T, h *house) {
		l := h.made("m1", target)[0]
		h.visit(l, browser)
		pass(6 * time.Second)
		h.visit(l, browser)
		for range 3 {
			if got := h.of("m1")[0].Hits; got != 2 {
				t.Errorf("%d hits", got)
			}
			pass(5 * time.Second)
		}
		if refuse != 0 || h.of("m1")[0].Hits != 2 || len(h.told()) != 1 {
			t.Errorf("refused %d times too few, %+v", refuse, h.of("m1"))
		}
	}, func(h *house) {
		h.opts.Clicked = func(t *store.Tx, c links.Click) {
			if refuse--; refuse >= 0 {
				t.Fail(errSpoilt)
				return
			}
			refuse = 0
			h.clicked(t, c)
		}
	})
}

// TestNobodyIsTold: without Clicked nothing waits to be told.
func TestNobodyIsTold(t *testing.T) {
	counting(t, func(t *testing.T, h *house) {
		l := h.made("m1", target)[0]
		for range 3 {
			h.visit(l, browser)
			pass(10 * time.Second)
		}
		if got := h.of("m1")[0]; got.Hits != 3 || got.Human != 2 { // the first came with the message
			t.Errorf("counted %+v", got)
		}
	}, func(h *house) { h.opts.Clicked = nil })
}

// TestKeptTwice: links of one message that are kept at different times have each their own end.
func TestKeptTwice(t *testing.T) {
	counting(t, func(t *testing.T, h *house) {
		h.made("m1", "http://a.de")
		pass(5 * time.Hour)
		h.made("m1", "http://b.de")
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 2}, {30*24*time.Hour - 4*time.Hour, 2}, {2 * time.Hour, 1}, {4 * time.Hour, 0}} {
			pass(step.after)
			if got := h.of("m1"); len(got) != step.want {
				t.Errorf("%v later: %+v", step.after, got)
			}
		}
	})
}

// TestDamage: a record that cannot be read is a link that is not there, and the others are.
func TestDamage(t *testing.T) {
	counting(t, func(t *testing.T, h *house) {
		made := h.made("m1", "http://a.de", "http://b.de", "http://c.de")
		for _, l := range made[1:] {
			h.visit(l, browser)
		}
		h.ok(h.store.Do(context.Background(), func(t *store.Tx) error {
			t.Put(store.Bucket(t, []byte("vendors/links")), []byte(made[0].Code), []byte("?"))
			t.Put(store.Bucket(t, []byte("vendors/links_counts")), []byte(made[1].Code), []byte("?"))
			return nil
		}))
		pass(6 * time.Second)
		r := httptest.NewRecorder()
		h.Handler().ServeHTTP(r, httptest.NewRequest("GET", "/r/"+made[0].Code, nil))
		if got := h.of("m1"); r.Code != 404 || len(got) != 2 || got[0].Hits != 1 || got[1].Hits != 1 {
			t.Errorf("status %d, %+v", r.Code, got)
		}
		pass(31 * 24 * time.Hour)
		if got := h.of("m1"); len(got) != 0 {
			t.Errorf("left %+v", got)
		}
	})
}
