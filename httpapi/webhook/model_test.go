package webhook_test

import (
	"fmt"
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
	"dongled/httpapi/post/posttest"
	"dongled/httpapi/webhook"
	"dongled/scheduler/outbox"
)

// machine runs the room beside a model of what the package comment promises.
type machine struct {
	*fixture
	lanes map[string]*modelLane
	// began is when the bubble did, texts counts events.
	began time.Time
	texts int
}

// modelLane is a webhook, and what must have been posted to it so far.
type modelLane struct {
	event string
	// host is where it leads to; mode is how that behaves.
	host, mode string
	all        []*modelDelivery
	posts      []string
	// early says that what found the endpoint unreachable may be tried before its time; older that an
	// old delivery has its turn before a new one.
	early, older bool
}

type modelDelivery struct {
	text, state string
	tries       int
	next        time.Duration
	unreachable bool
}

// pauses are those after each try, of six in all.
var pauses = []time.Duration{0, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second}

// TestModel drives the room with random events, endpoints that come and go, refuse some events and
// are away for others, time, restarts, tests, replays and new URLs, and compares every post, with its
// time, and every row with the model.
func TestModel(t *testing.T) {
	models.Checks(20)
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		models.InBubble(t, func(t *testing.T) {
			m := &machine{began: time.Now(), lanes: map[string]*modelLane{
				"sms":  {event: outbox.SMSReceived, host: "one", mode: "up"},
				"ping": {event: outbox.SystemPing, host: "two", mode: "up"},
			}}
			m.fixture = &fixture{TB: models.Reporter{TB: t, RT: rt}, path: filepath.Join(dir, "s.db"), net: posttest.NewNetwork(), log: &models.Log{}}
			m.opts = webhook.Options{AllowLAN: true, Log: m.log.Logger()}
			m.begin()
			for id, l := range m.lanes {
				m.register(id, l)
			}
			defer func() {
				m.close()
				m.net.Close()
				m.ok(os.Remove(m.path))
			}()
			rt.Repeat(map[string]func(*rapid.T){
				"": m.compare, "tell": m.tellSome, "tell 2": m.tellSome, "mode": m.changeMode, "mode 2": m.changeMode,
				"pass": m.pass, "pass 2": m.pass, "reopen": m.restart, "test": m.test, "replay": m.replay, "url": m.newURL,
			})
			m.end()
		})
	})
}

// begin starts a run with six tries.
func (m *machine) begin() {
	m.start()
	m.Configure(webhook.Policy{RetryCount: 5})
}

func (m *machine) register(id string, l *modelLane) {
	_, err := m.Put(ctx, webhook.Hook{ID: id, URL: "http://" + l.host + "/hook", Event: l.event})
	m.ok(err)
	m.behave(l)
}

// behave has the lane's host act as its mode is. Whatever the mode: an event named bad is refused, and for
// one named odd the endpoint is away.
func (m *machine) behave(l *modelLane) {
	mode := l.mode
	if mode == "closed" {
		m.net.Host(l.host).Turns(posttest.Closed)
		return
	}
	m.net.Host(l.host).Answers(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		w.WriteHeader(answer(mode, string(body)))
	})
}

// answer is the status of a host, 0 for none.
func answer(mode, text string) int {
	switch {
	case mode == "closed":
		return 0
	case mode == "away", strings.Contains(text, "odd"):
		return 503
	case mode == "wrong", strings.Contains(text, "bad"):
		return 500
	}
	return 204
}

func (m *machine) lane(t *rapid.T) (string, *modelLane) {
	id := rapid.SampledFrom([]string{"sms", "sms", "ping"}).Draw(t, "webhook")
	return id, m.lanes[id]
}

func (m *machine) tellSome(t *rapid.T) {
	_, l := m.lane(t)
	var texts []string
	for range rapid.IntRange(1, 3).Draw(t, "events") {
		m.texts++
		texts = append(texts, fmt.Sprint(rapid.SampledFrom([]string{"", "", "bad", "odd"}).Draw(t, "kind"), m.texts))
	}
	for _, text := range texts {
		if l.event == outbox.SystemPing {
			for _, d := range l.all {
				if d.state == "pending" {
					d.state = "superseded"
				}
			}
		}
		l.all = append(l.all, &modelDelivery{text: text, state: "pending"})
	}
	m.settle(l)
	m.tell(l.event, texts...)
}

func (m *machine) changeMode(t *rapid.T) {
	_, l := m.lane(t)
	l.mode = rapid.SampledFrom([]string{"up", "up", "wrong", "away", "closed"}).Draw(t, "mode")
	m.behave(l)
}

func (m *machine) pass(t *rapid.T) {
	d := time.Duration(rapid.SampledFrom([]int{1, 3, 5, 10, 20, 60, 600}).Draw(t, "seconds")) * time.Second
	until := m.now() + d
	for _, l := range m.lanes {
		for at, due := l.due(); due && at <= until; at, due = l.due() {
			l.work(at)
		}
		l.idle()
	}
	pass(d)
}

func (m *machine) now() time.Duration { return time.Since(m.began) }

// due is when the next delivery is, if there is one that was tried.
func (l *modelLane) due() (at time.Duration, found bool) {
	for _, d := range l.all {
		if d.state == "pending" && (!found || d.next < at) {
			at, found = d.next, true
		}
	}
	return at, found
}

func (m *machine) settle(l *modelLane) {
	l.work(m.now())
	l.idle()
}

// idle: a lane that has nothing to do knows nothing of its endpoint.
func (l *modelLane) idle() {
	if _, found := l.due(); !found {
		l.early, l.older = false, false
	}
}

// work posts all that can be at a time.
func (l *modelLane) work(now time.Duration) {
	for {
		fresh, old := l.next(now)
		d, isNew := old, false
		if fresh != nil && (old == nil || !l.older) {
			d, isNew = fresh, true
		}
		if d == nil {
			return
		}
		l.older = isNew
		status := answer(l.mode, d.text)
		if status != 0 {
			l.posts = append(l.posts, fmt.Sprintf("%g %s", now.Seconds(), d.text))
		}
		l.early = status == 204 || status == 500
		d.outcome(status, now)
	}
}

// next are the first new delivery, and the old one that is first: one that may be early, in the order
// of events, or the one that is due for longest.
func (l *modelLane) next(now time.Duration) (fresh, old *modelDelivery) {
	for _, d := range l.all {
		switch {
		case d.state != "pending":
		case d.tries == 0:
			if fresh == nil {
				fresh = d
			}
		case l.early && d.unreachable:
			if old == nil || !old.unreachable {
				old = d
			}
		case d.next <= now && (old == nil || !(l.early && old.unreachable) && d.next < old.next):
			old = d
		}
	}
	return fresh, old
}

func (d *modelDelivery) outcome(status int, now time.Duration) {
	early := d.next > now
	d.unreachable = status == 0 || status == 503
	switch {
	case status == 204:
		d.tries, d.state, d.unreachable = d.tries+1, "delivered", false
	case early:
	case d.tries == 5:
		d.tries, d.state, d.unreachable = 6, "failed", false
	default:
		d.tries++
		d.next = now + pauses[d.tries]
	}
}

func (m *machine) restart(*rapid.T) {
	m.close()
	m.begin()
	synctest.Wait()
	for _, l := range m.lanes {
		l.early, l.older = false, false
		m.settle(l)
	}
}

// test makes a test, which an answer of any kind follows with what waits for one.
func (m *machine) test(t *rapid.T) {
	id, l := m.lane(t)
	status := answer(l.mode, "")
	if status != 0 {
		l.posts = append(l.posts, fmt.Sprintf("%g %s", m.now().Seconds(), sampleText(l.event)))
	}
	d := &modelDelivery{text: sampleText(l.event), state: "failed", tries: 1}
	if status == 204 {
		d.state = "delivered"
	}
	l.all = append(l.all, d)
	l.early = l.early || status == 204 || status == 500
	m.settle(l)
	_, err := m.Test(ctx, id)
	m.ok(err)
	synctest.Wait()
}

// sampleText is the text of a test: pings have none.
func sampleText(event string) string {
	if event == outbox.SystemPing {
		return ""
	}
	return "This is a test."
}

func (m *machine) replay(t *rapid.T) {
	id, l := m.lane(t)
	rows := m.all(id)
	var ended []int
	for i, d := range l.all {
		if d.state == "delivered" || d.state == "failed" {
			ended = append(ended, i)
		}
	}
	if len(ended) == 0 {
		t.Skip("nothing ended")
	}
	i := rapid.SampledFrom(ended).Draw(t, "delivery")
	*l.all[i] = modelDelivery{text: l.all[i].text, state: "pending"}
	m.settle(l)
	_, err := m.Replay(ctx, id, rows[i].ID)
	m.ok(err)
	synctest.Wait()
}

// newURL has the webhook lead to another host, which behaves as the old one did.
func (m *machine) newURL(t *rapid.T) {
	id, l := m.lane(t)
	l.host += "x"
	m.behave(l)
	l.early = true
	m.settle(l)
	m.register(id, l)
	synctest.Wait()
}

// compare checks posts and rows.
func (m *machine) compare(*rapid.T) {
	for id, l := range m.lanes {
		var got, want, posts []string
		for name := strings.TrimRight(l.host, "x"); len(name) <= len(l.host); name += "x" {
			posts = append(posts, m.seen(m.net.Host(name), m.began)...)
		}
		model := slices.Clone(l.posts)
		if strings.HasSuffix(l.host, "x") { // the order between hosts is not known
			slices.Sort(posts)
			slices.Sort(model)
		}
		m.equal("posts to "+id, posts, model)
		for _, d := range m.all(id) {
			got = append(got, fmt.Sprint(textOf(m, d.Body), " ", d.State, " ", d.Attempts))
		}
		for _, d := range l.all {
			want = append(want, fmt.Sprint(d.text, " ", d.state, " ", d.tries))
		}
		m.equal("rows of "+id, got, want)
	}
}

// end: once the endpoints are well, everything ends, and leaves no lane behind.
func (m *machine) end() {
	for _, l := range m.lanes {
		l.mode = "up"
		m.behave(l)
	}
	pass(time.Hour)
	for id := range m.lanes {
		for _, d := range m.all(id) {
			if d.State == webhook.Pending {
				m.Errorf("%s is pending after %d tries", textOf(m, d.Body), d.Attempts)
			}
		}
	}
	if n := m.Lanes(); n != 0 {
		m.Errorf("%d lanes when idle", n)
	}
}
