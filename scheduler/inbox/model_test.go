package inbox_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/scheduler/inbox"
)

// machine runs the inbox beside a model of it: what people sent, and what of that came.
type machine struct {
	*fixture
	dir    string
	copies int
	// began is when it was opened last.
	began time.Time
	sent  []*sending
	// rows are the texts that must be in the inbox, in order.
	rows []string
}

// sending is one message that somebody sent, and the model's knowledge of it.
type sending struct {
	on    inbox.Origin
	parts []sms
	// came is when each part was first offered; zero if it was not yet.
	came []time.Time
	// open are the parts that wait for the others, and until when.
	open  map[int]bool
	until time.Time
}

const (
	partialAfter = 10 * time.Hour
	settling     = 2 * time.Hour // after a start nothing is given up
)

// TestModel drives the inbox with random messages in random order: long and short, repeated, with
// the same references and texts, over two cards, with time, restarts and crashes in between; and
// compares it with the model after each.
func TestModel(t *testing.T) {
	models.Checks(20)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		models.InBubble(t, func(t *testing.T) {
			m := &machine{dir: dir}
			m.fixture = &fixture{
				TB: models.Reporter{TB: t, RT: rt}, path: filepath.Join(dir, "0.db"), opts: inbox.Options{PartialAfter: partialAfter},
			}
			m.start()
			m.began = time.Now()
			defer func() {
				m.check()
				m.ok(m.store.Close())
				m.ok(os.Remove(m.path))
			}()
			rt.Repeat(map[string]func(*rapid.T){
				"":         m.compare,
				"send":     m.send,
				"arrive":   m.arrive,
				"arrive 2": m.arrive,
				"arrive 3": m.arrive,
				"repeat":   m.repeat,
				"pass":     m.pass,
				"reopen":   func(*rapid.T) { m.reopen(); m.began = time.Now(); synctest.Wait() },
				"crash":    m.crash,
			})
		})
	})
}

// send has somebody send a message. Few texts, senders and references, so that much is the same; what
// else would be the same in all is sent later, as people do.
func (m *machine) send(t *rapid.T) {
	s := sms{
		from:  rapid.SampledFrom([]string{alice, bob}).Draw(t, "from"),
		ref:   7, // a sender who always takes the same
		parts: uint8(rapid.SampledFrom([]int{0, 0, 2, 3}).Draw(t, "parts")),
		at:    time.Duration(len(m.sent)) * 3 * time.Hour, // see sameMessage
	}
	text := rapid.SampledFrom([]string{"yes", "😀"}).Draw(t, "text")
	x := &sending{on: rapid.SampledFrom([]inbox.Origin{card1, card2}).Draw(t, "card"), open: map[int]bool{}}
	for n := range max(1, s.parts) {
		p := s
		p.text = text
		if s.parts > 0 {
			p.part, p.at = n+1, s.at+time.Duration(n)*time.Minute
			p.text = fmt.Sprintf("%s%d.%d ", text, len(m.sent), n+1)
		}
		x.parts = append(x.parts, p)
	}
	x.came = make([]time.Time, len(x.parts))
	m.sent = append(m.sent, x)
}

// parts are those that wanted takes, of all messages.
func (m *machine) parts(wanted func(x *sending, i int) bool) (found [][2]int) {
	for n, x := range m.sent {
		for i := range x.parts {
			if wanted(x, i) {
				found = append(found, [2]int{n, i})
			}
		}
	}
	return found
}

// arrive offers a part that did not come yet.
func (m *machine) arrive(t *rapid.T) {
	left := m.parts(func(x *sending, i int) bool { return x.came[i].IsZero() })
	if len(left) == 0 {
		t.Skip("everything came")
	}
	n := rapid.SampledFrom(left).Draw(t, "part")
	x, i := m.sent[n[0]], n[1]
	m.ok(m.Receive(ctx, x.on, x.parts[i].deliver(m)))
	x.came[i], x.open[i] = time.Now(), true
	x.until = time.Now().Add(partialAfter)
	if len(x.open) == len(x.parts) {
		m.deliver(x)
	}
}

// deliver moves what there is of x to the rows.
func (m *machine) deliver(x *sending) {
	row, gap := "", false
	for i, p := range x.parts {
		if x.open[i] {
			row, gap = row+p.text, false
			continue
		}
		if !gap {
			row += "[…]"
		}
		gap = true
	}
	if len(x.open) < len(x.parts) {
		row = "?" + row
	}
	m.rows = append(m.rows, row)
	clear(x.open)
}

// repeat offers a part that came within the last twenty days.
func (m *machine) repeat(t *rapid.T) {
	came := m.parts(func(x *sending, i int) bool { return !x.came[i].IsZero() && time.Since(x.came[i]) < 20*day })
	if len(came) == 0 {
		t.Skip("nothing came")
	}
	n := rapid.SampledFrom(came).Draw(t, "part")
	x := m.sent[n[0]]
	m.ok(m.Receive(ctx, x.on, x.parts[n[1]].deliver(m)))
}

// pass lets some time pass, and gives up what waited too long.
func (m *machine) pass(t *rapid.T) {
	pass(time.Duration(rapid.SampledFrom([]int{1, 1, 60, 60, 400, 400, 700, 6000}).Draw(t, "minutes")) * time.Minute)
	var late []*sending
	for _, x := range m.sent {
		if len(x.open) > 0 && !x.until.After(time.Now()) && time.Since(m.began) >= settling {
			late = append(late, x)
		}
	}
	slices.SortStableFunc(late, func(a, b *sending) int { return a.until.Compare(b.until) })
	for _, x := range late {
		m.deliver(x)
	}
}

// crash goes on with a copy of the file, as a kill leaves it: nothing was closed.
func (m *machine) crash(*rapid.T) {
	m.copies++
	path := filepath.Join(m.dir, fmt.Sprint(m.copies, ".db"))
	m.ok(m.store.View(func(btx *bolt.Tx) error { return btx.CopyFile(path, 0o600) }))
	m.ok(m.store.Close())
	m.ok(os.Remove(m.path))
	m.path = path
	m.start()
	m.began = time.Now()
	synctest.Wait()
}

// compare checks rows and events; those that fell due in the same moment may come in any order.
func (m *machine) compare(*rapid.T) {
	m.check()
	var got []string
	for _, r := range m.all() {
		text := r.Text
		if r.Partial {
			text = "?" + text
		}
		got = append(got, text)
	}
	want := slices.Clone(m.rows)
	slices.Sort(got)
	slices.Sort(want)
	equal(m, "inbox", got, want)
	events, err := m.out.Events(0, 10_000)
	m.ok(err)
	first := len(want) - len(events) // the others are a month old
	for i, e := range events {
		if want := fmt.Sprint("text:", first+i+1); e.Ref != want || e.Seq != uint64(first+i+1) {
			m.Errorf("event %d of %d for %d messages is about %s", e.Seq, len(events), first+len(events), e.Ref)
		}
	}
	if first != 0 && time.Since(epoch) < 30*day {
		m.Errorf("%d events for %d messages", len(events), len(want))
	}
}

// TestCrash copies the file while many receive: what was answered by then is in the copy, once, and
// goes on to be whole.
func TestCrash(t *testing.T) {
	f := newFixture(t, inbox.Options{})
	const messages = 40
	half := func(n int, part uint8) sms {
		return sms{text: fmt.Sprintf("%d.%d ", n, part), ref: uint16(n % 5), parts: 2, part: part, at: time.Duration(n) * 2 * time.Hour}
	}
	type left struct {
		path     string
		answered int
	}
	var copies []left
	for n := range messages {
		f.receive(half(n, 1))
		if n%8 == 5 {
			raw, err := os.ReadFile(f.path)
			f.ok(err)
			path := filepath.Join(t.TempDir(), "copy.db")
			f.ok(os.WriteFile(path, raw, 0o600))
			copies = append(copies, left{path, n})
		}
		f.receive(half(n, 2))
	}
	for _, c := range copies {
		x := &fixture{TB: t, path: c.path}
		x.start()
		if got := len(x.all()); got != c.answered {
			t.Errorf("%d messages, %d were answered", got, c.answered)
		}
		for n := range messages { // the dongle still has everything, in another order
			x.receive(half(n, 2), half(n, 1))
		}
		var want []string
		for n := range messages {
			want = append(want, fmt.Sprintf("%d.1 %d.2 ", n, n))
		}
		x.want(want...)
		x.check()
		x.ok(x.store.Close())
	}
}
