package courier_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/httpapi/courier"
	"dongled/httpapi/post/posttest"
)

// machine runs the room beside a model of what the package comment promises.
type machine struct {
	*fixture
	modes map[string]string
	all   []*modelCallback
	// came is what each host must have had, in any order.
	came map[string][]string
}

type modelCallback struct {
	text, host, line, state string
	tries                   int
	due                     time.Duration
}

var hostNames = []string{"one", "two", "three"}

// TestModel drives the room with random callbacks of lines and without, hosts that come and go and refuse,
// time and restarts, and compares every request, with its time, and every row with the model.
func TestModel(t *testing.T) {
	models.Checks(20)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		models.InBubble(t, func(t *testing.T) {
			m := &machine{modes: map[string]string{}, came: map[string][]string{}}
			m.fixture = newFixture(models.Reporter{TB: t, RT: rt}, filepath.Join(dir, "s.db"))
			for _, name := range hostNames {
				m.behave(name, "up")
			}
			m.start()
			defer func() {
				m.close()
				m.net.Close()
				m.ok(os.Remove(m.path))
			}()
			rt.Repeat(map[string]func(*rapid.T){
				"": m.compare, "put": m.putSome, "put 2": m.putSome, "mode": m.changeMode, "pass": m.pass, "pass 2": m.pass, "reopen": m.restart,
			})
			m.end()
		})
	})
}

func (m *machine) now() time.Duration { return time.Since(m.began) }

func (m *machine) putSome(t *rapid.T) {
	var all []courier.Callback
	for range rapid.IntRange(1, 4).Draw(t, "callbacks") {
		cb := &modelCallback{
			text: fmt.Sprint(len(m.all)), state: courier.Pending, due: m.now(),
			host: rapid.SampledFrom(hostNames).Draw(t, "host"), line: rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "line"),
		}
		if rapid.IntRange(0, 4).Draw(t, "bad") == 0 {
			cb.text += "bad"
		}
		m.all = append(m.all, cb)
		all = append(all, to(cb.host, cb.line, cb.text))
	}
	m.work(m.now())
	m.put(all...)
}

// changeMode has a host behave otherwise; whatever it does, it refuses what is bad.
func (m *machine) changeMode(t *rapid.T) {
	name := rapid.SampledFrom(hostNames).Draw(t, "host")
	m.behave(name, rapid.SampledFrom([]string{"up", "up", "wrong", "away", "moved", "closed"}).Draw(t, "mode"))
}

func (m *machine) behave(name, mode string) {
	m.modes[name] = mode
	h := m.net.Host(name)
	h.Answers(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(answer(mode, string(body)))
	})
	if mode == "closed" {
		h.Turns(posttest.Closed)
	}
}

// answer is the status of a host, 0 for none.
func answer(mode, text string) int {
	switch {
	case mode == "closed":
		return 0
	case mode == "away":
		return 503
	case mode == "moved":
		return 307
	case mode == "wrong", strings.Contains(text, "bad"):
		return 500
	}
	return 204
}

func (m *machine) pass(t *rapid.T) {
	d := time.Duration(rapid.SampledFrom([]int{1, 5, 10, 30, 60, 90, 300}).Draw(t, "seconds")) * time.Second
	m.work(m.now() + d)
	pass(d)
}

func (m *machine) restart(*rapid.T) {
	m.reopen()
	synctest.Wait()
}

// work does what is due until then.
func (m *machine) work(until time.Duration) {
	for {
		var next *modelCallback
		ahead := map[string]bool{}
		for _, cb := range m.all {
			if cb.state != courier.Pending || cb.line != "" && ahead[cb.line] {
				continue
			}
			ahead[cb.line] = true
			if next == nil || cb.due < next.due {
				next = cb
			}
		}
		if next == nil || next.due > until {
			return
		}
		m.try(next, next.due)
	}
}

// try: the pauses are 10 s and a minute. Who waited for it in its line is due no earlier than now.
func (m *machine) try(cb *modelCallback, at time.Duration) {
	status := answer(m.modes[cb.host], cb.text)
	if status != 0 {
		m.came[cb.host] = append(m.came[cb.host], fmt.Sprintf("%g %s", at.Seconds(), cb.text))
	}
	cb.tries++
	switch {
	case status == 204:
		cb.state = courier.Delivered
	case cb.tries == 3:
		cb.state = courier.Failed
	case cb.tries == 1:
		cb.due = at + 10*time.Second
	case cb.tries == 2:
		cb.due = at + time.Minute
	}
	for _, other := range m.all {
		if cb.line != "" && other.line == cb.line && other.tries == 0 {
			other.due = max(other.due, at)
		}
	}
}

// compare checks requests and rows.
func (m *machine) compare(*rapid.T) {
	for _, name := range hostNames {
		got, want := m.seen(name), slices.Clone(m.came[name])
		slices.Sort(got)
		slices.Sort(want)
		m.equal("requests to "+name, got, want)
	}
	var want []string
	for _, cb := range m.all {
		want = append(want, fmt.Sprint(cb.text, " ", cb.state, " ", cb.tries))
	}
	m.want(want...)
}

// end: once the hosts are well, everything ends, and leaves nothing on the board.
func (m *machine) end() {
	for _, name := range hostNames {
		m.behave(name, "up")
	}
	m.work(m.now() + time.Hour)
	pass(time.Hour)
	m.compare(nil)
	for _, d := range m.fixture.all() {
		if d.State == courier.Pending {
			m.Errorf("%s is pending after %d tries", d.Ref, d.Attempts)
		}
	}
	m.idle()
}
