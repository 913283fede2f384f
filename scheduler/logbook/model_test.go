package logbook_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"dongled/hack/models"
)

// machine runs a book beside a model of it: the lines that were logged, with the ids that were shown.
type machine struct {
	*fixture
	dir    string
	copies int
	lines  int
	// shown are the entries that must be listed, by id; flushed is how many are certainly on disk.
	shown   []shownEntry
	flushed int
	// highest is the highest id that anybody was shown.
	highest uint64
}

type shownEntry struct {
	id      uint64
	message string
}

// TestModel: ids rise and are unique over restarts and crashes, an id never changes, and a crash
// loses no more than the lines since the last flush, the newest.
func TestModel(t *testing.T) {
	models.Checks(30)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		models.InBubble(t, func(t *testing.T) {
			m := &machine{dir: dir}
			m.fixture = &fixture{TB: models.Reporter{TB: t, RT: rt}, path: filepath.Join(dir, "0.db")}
			m.start()
			defer func() { m.stop(); m.ok(os.Remove(m.path)) }()
			rt.Repeat(map[string]func(*rapid.T){
				"":       m.compare,
				"log":    m.say,
				"error":  m.complain,
				"pass":   m.pass,
				"reopen": m.reopen,
				"crash":  m.crash,
			})
		})
	})
}

func (m *machine) line(level slog.Level) {
	m.log.Log(ctx, level, fmt.Sprint("line ", m.lines))
	m.lines++
}

func (m *machine) say(t *rapid.T) {
	for range rapid.SampledFrom([]int{1, 1, 3, 300}).Draw(t, "lines") {
		m.line(slog.LevelInfo)
	}
	m.look()
	synctest.Wait()
	time.Sleep(time.Millisecond) // a flush that is due for the number of lines
	synctest.Wait()
}

func (m *machine) complain(*rapid.T) {
	m.line(slog.LevelError)
	m.look()
	time.Sleep(1100 * time.Millisecond)
	m.flushed = len(m.shown)
}

func (m *machine) pass(*rapid.T) {
	time.Sleep(31 * time.Second)
	m.flushed = len(m.shown)
}

// look takes note of what is shown, which is the model's from then on.
func (m *machine) look() {
	entries := m.list()
	for _, e := range entries[min(len(m.shown), len(entries)):] {
		if e.ID <= m.highest {
			m.Errorf("%s has id %d, and %d was given before", e.Message, e.ID, m.highest)
		}
		m.highest = e.ID
		m.shown = append(m.shown, shownEntry{e.ID, e.Message})
	}
	if n := len(m.shown); n == 0 || m.shown[n-1].message != fmt.Sprint("line ", m.lines-1) {
		m.Errorf("of %d lines the last is not shown", m.lines)
	}
}

func (m *machine) compare(*rapid.T) {
	entries := m.list()
	if len(entries) != len(m.shown) {
		m.Fatalf("%d entries, want %d", len(entries), len(m.shown))
	}
	for i, e := range entries {
		if want := m.shown[i]; e.ID != want.id || e.Message != want.message {
			m.Fatalf("entry %d is %d %s, want %d %s", i, e.ID, e.Message, want.id, want.message)
		}
	}
}

func (m *machine) reopen(*rapid.T) {
	m.stop()
	m.start()
	m.flushed = len(m.shown)
}

// crash goes on with a copy of the file, as a kill leaves it.
func (m *machine) crash(*rapid.T) {
	m.copies++
	path := filepath.Join(m.dir, fmt.Sprint(m.copies, ".db"))
	m.ok(m.store.View(func(btx *bolt.Tx) error { return btx.CopyFile(path, 0o600) }))
	m.stop()
	m.ok(os.Remove(m.path))
	m.path = path
	m.start()
	left := len(m.list())
	if left < m.flushed || left > len(m.shown) {
		m.Fatalf("%d entries are left of %d, %d were on disk", left, len(m.shown), m.flushed)
	}
	m.shown, m.flushed = m.shown[:left], left
}
