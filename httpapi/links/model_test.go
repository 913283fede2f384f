package links_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/httpapi/links"
)

// lifetime is that of the model's links.
const lifetime = 90 * time.Minute

// machine runs the room beside a model of what the package comment promises.
type machine struct {
	*house
	cancel  context.CancelFunc
	stopped chan struct{}
	links   []*modelLink
	// flush is when counts are stored next, zero for nothing to store.
	flush time.Time
	told  []string
	heard []string
}

// modelLink is what is promised of a link.
type modelLink struct {
	code, message string
	made          time.Time
	// stored is what is on disk, fresh what is not yet, waiting what of stored is not told.
	stored, fresh, waiting visits
	// said is when a click was told of, due when what waits is, zero for at the next flush.
	said, due time.Time
}

type visits struct {
	hits, human  int
	first, last  time.Time
	firstOfHuman time.Time
}

func (v *visits) add(o visits) {
	if o.hits == 0 {
		return
	}
	if v.hits == 0 {
		v.first = o.first
	}
	if v.human == 0 {
		v.firstOfHuman = o.firstOfHuman
	}
	v.hits, v.human, v.last = v.hits+o.hits, v.human+o.human, o.last
}

// TestModel drives the room with random messages, visits, time, restarts and crashes, and compares every
// answer, count and click with the model.
func TestModel(t *testing.T) {
	models.Checks(20)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		models.InBubble(t, func(t *testing.T) {
			m := &machine{house: &house{TB: models.Reporter{TB: t, RT: rt}, path: filepath.Join(dir, "s.db")}}
			m.opts = links.Options{Base: base, Lifetime: lifetime, Clicked: m.clicked}
			m.begin()
			defer func() {
				m.end()
				m.ok(m.store.Close())
				m.ok(os.Remove(m.path))
			}()
			rt.Repeat(map[string]func(*rapid.T){
				"": m.compare, "message": m.message, "visit": m.visit, "visit 2": m.visit, "visit 3": m.visit,
				"pass": m.pass, "pass 2": m.pass, "restart": m.restart, "crash": m.crash,
			})
		})
	})
}

// begin opens the store, and stores counts until end.
func (m *machine) begin() {
	m.open()
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel, m.stopped = cancel, make(chan struct{})
	go func() { m.Flushing(ctx); close(m.stopped) }()
}

func (m *machine) end() {
	m.cancel()
	<-m.stopped
}

func (m *machine) message(rt *rapid.T) {
	n := rapid.IntRange(1, 3).Draw(rt, "links")
	id := fmt.Sprint("m", len(m.links))
	for _, l := range m.made(id, []string{"http://a.de", "http://b.de", "http://c.de"}[:n]...) {
		m.links = append(m.links, &modelLink{code: l.Code, message: id, made: time.Now()})
	}
}

// over is when a link is unknown again: on the hour after 30 days from its end.
func (l *modelLink) over() time.Time {
	return l.made.Add(lifetime + 30*24*time.Hour).Truncate(time.Hour).Add(time.Hour)
}

func (m *machine) visit(rt *rapid.T) {
	if len(m.links) == 0 {
		return
	}
	l, now := rapid.SampledFrom(m.links).Draw(rt, "link"), time.Now()
	method := rapid.SampledFrom([]string{"GET", "GET", "GET", "HEAD"}).Draw(rt, "method")
	agent := rapid.SampledFrom([]string{browser, "curl/8.0"}).Draw(rt, "agent")
	want := 302
	switch {
	case !now.Before(l.over()):
		want = 404
	case !now.Before(l.made.Add(lifetime)):
		want = 410
	}
	r := httptest.NewRequest(method, "/r/"+l.code, nil)
	r.Header.Set("User-Agent", agent)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, r)
	if w.Code != want {
		m.Errorf("%s of %s: %d, want %d", method, l.code, w.Code, want)
	}
	if want != 302 || method == "HEAD" {
		return
	}
	v := visits{hits: 1, first: now, last: now}
	if agent == browser && !now.Before(l.made.Add(2*time.Second)) {
		v.human, v.firstOfHuman = 1, now
	}
	l.fresh.add(v)
	if m.flush.IsZero() {
		m.flush = now.Add(5 * time.Second)
	}
}

// storeAll has everything counted on disk, and told of or waiting for its minute.
func (m *machine) storeAll(now time.Time) {
	m.flush = time.Time{}
	for _, l := range m.links {
		if l.fresh.hits == 0 {
			continue
		}
		l.stored.add(l.fresh)
		l.waiting.add(l.fresh)
		l.fresh = visits{}
		if next := l.said.Add(time.Minute); l.said.IsZero() || !next.After(now) {
			m.tell(l, now)
		} else if l.due.IsZero() {
			l.due = next
		}
	}
}

func (m *machine) tell(l *modelLink, now time.Time) {
	at, human := l.waiting.first, l.waiting.human > 0
	if human {
		at = l.waiting.firstOfHuman
	}
	m.told = append(m.told, saying(l.code, at, human, l.stored.hits, l.stored.human))
	l.said, l.due, l.waiting = now, time.Time{}, visits{}
}

func saying(code string, at time.Time, human bool, hits, humans int) string {
	return fmt.Sprintf("%s at %d human %t of %d %d", code, at.UnixMilli(), human, hits, humans)
}

// pass lets time go by. No two of the lengths are in step, so that what is due has an order.
func (m *machine) pass(rt *rapid.T) {
	d := rapid.SampledFrom([]time.Duration{
		1003 * time.Millisecond, 2011 * time.Millisecond, 5017 * time.Millisecond, 31051 * time.Millisecond, 61103 * time.Millisecond,
		40*time.Minute + 211*time.Millisecond, 31*24*time.Hour + 307*time.Millisecond,
	}).Draw(rt, "time")
	until := time.Now().Add(d)
	time.Sleep(d)
	synctest.Wait()
	for {
		next, do := until, func() {}
		if !m.flush.IsZero() && !m.flush.After(next) {
			next, do = m.flush, func() { m.storeAll(m.flush) }
		}
		for _, l := range m.links {
			if !l.due.IsZero() && !l.due.After(next) {
				next, do = l.due, func() { m.tell(l, l.due) }
			}
		}
		if next == until {
			return
		}
		do()
	}
}

// restart loses nothing.
func (m *machine) restart(*rapid.T) {
	m.end()
	m.storeAll(time.Now())
	m.ok(m.store.Close())
	m.begin()
}

// crash loses what was not stored.
func (m *machine) crash(*rapid.T) {
	m.ok(m.store.Close())
	m.end()
	for _, l := range m.links {
		l.fresh = visits{}
	}
	m.flush = time.Time{}
	m.begin()
}

// compare reads everything.
func (m *machine) compare(*rapid.T) {
	synctest.Wait()
	for _, c := range m.house.told() {
		if c.Link.Origin != "bird" || string(c.Link.Note) != "note" || c.Link.Short != base+"/r/"+c.Link.Code {
			m.Errorf("told of %+v", c.Link)
		}
		m.heard = append(m.heard, saying(c.Link.Code, c.At, c.Human, c.Link.Hits, c.Link.Human))
	}
	// What one commit tells has no order.
	slices.Sort(m.heard)
	slices.Sort(m.told)
	if !slices.Equal(m.heard, m.told) {
		m.Errorf("told of\n%q\nwant\n%q", m.heard, m.told)
	}
	for _, l := range m.links {
		found := m.of(l.message)
		i := slices.IndexFunc(found, func(f links.Link) bool { return f.Code == l.code })
		if gone := !time.Now().Before(l.over()); gone || i < 0 {
			if gone != (i < 0) {
				m.Errorf("link %s of %s: %+v", l.code, l.message, found)
			}
			continue
		}
		want := l.stored
		want.add(l.fresh)
		got := found[i]
		if got.Hits != want.hits || got.Human != want.human || !got.First.Equal(want.first) || !got.Last.Equal(want.last) ||
			!got.Created.Equal(l.made) || !got.Expires.Equal(l.made.Add(lifetime)) {
			m.Errorf("link %+v, want %+v", found[i], want)
		}
	}
}
