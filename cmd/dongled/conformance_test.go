package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/configs"
	"dongled/modem/virtual"
	"dongled/scheduler/queue"
)

// speaker is the client of one dialect: it does what any program of that vendor's would do, by HTTP
// alone. The suite has all of them do the same and looks at what the gateway and the network saw.
type speaker struct {
	// origin is the dialect's name, empty for the API of SMSGate itself.
	origin string
	// configure sets what the dialect needs; callbacks is the base of URLs that answer 200.
	configure func(cfg *configs.Config, callbacks string)
	// prepare, if set, is called once the daemon runs, as to subscribe.
	prepare func(t *testing.T, w *whole, callbacks string)
	// send asks for a message with the right credentials, or with wrong ones. The reference is what the
	// dialect calls the message, empty if it does not; refused is how it said no, empty for yes.
	send func(t *testing.T, w *whole, m wish) (ref, refused string)
	// status is what the dialect says of a message; nil if it has no such question.
	status func(t *testing.T, w *whole, ref string) string
	// words are the dialect's for the states, as status says them. That of state 0 is for a message that
	// is scheduled.
	words map[queue.State]string
	// told reads a callback: what it calls the message, and the word for what became of it. nil if the
	// dialect has no callbacks.
	told func(r calledBack) (ref, word string)
	// tells are the words of callbacks, in their order, for a message that is delivered, for one that the
	// network refuses, and for one that waited and was cancelled.
	tells, tellsFailed, tellsCancelled []string
	// unordered says that callbacks of one message may overtake each other.
	unordered bool
	// minutes says that it counts the time to wait in minutes.
	minutes bool
	// unscheduled says that the dialect cannot send later.
	unscheduled bool
}

// wish is what a speaker is to ask for.
type wish struct {
	to, text string
	// at is when to send; zero is now.
	at time.Time
	// callbacks is where to be told, for those that name it with each message.
	callbacks string
	// stranger asks with wrong credentials.
	stranger bool
}

// The numbers of the suite. The network refuses refusedNumber; nobody has badNumber.
const (
	goodNumber    = "+4915112345678"
	refusedNumber = "+4915112345670"
	badNumber     = "12"
)

// speakers are all dialects there are.
func speakers() map[string]speaker {
	return map[string]speaker{
		"614901":       speakHome(),
		"alertmanager": speakAlerts("alertmanager"),
		"grafana":      speakAlerts("grafana"),
		"bird":         speakBird(),
		"gammu":        speakGammu(),
		"smseagle-v1":  speakEagleV1(),
		"smseagle-v2":  speakEagleV2(),
		"smseagle-rpc": speakEagleRPC(),
		"kannel":       speakKannel(),
		"skycore":      speakSkycore(),
		"twilio":       speakTwilio(),
	}
}

func TestConformance(t *testing.T) {
	for name, s := range speakers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ear := newEar(t)
			w := runWhole(t, func(cfg *configs.Config) { s.configure(cfg, ear.url) })
			w.dongles()[0].AddFaults(virtual.Fault{On: virtual.OnSubmit, To: refusedNumber, Do: virtual.CMS, Code: 1, Every: 1})
			w.dongles()[1].AddFaults(virtual.Fault{On: virtual.OnSubmit, To: refusedNumber, Do: virtual.CMS, Code: 1, Every: 1})
			if s.prepare != nil {
				s.prepare(t, w, ear.url)
			}
			c := conformance{t, s, w, ear}
			c.sends()
			c.fails()
			c.schedules()
			c.refuses()
		})
	}
}

// conformance is one run of the suite.
type conformance struct {
	t   *testing.T
	s   speaker
	w   *whole
	ear *ear
}

// ask sends a wish that has to be accepted, and returns the message that came of it.
func (c *conformance) ask(m wish) (ref string, accepted queue.Message) {
	c.t.Helper()
	m.callbacks = c.ear.url
	before := c.all()
	ref, refused := c.s.send(c.t, c.w, m)
	if refused != "" {
		c.t.Fatalf("%+v was refused: %s", m, refused)
	}
	after := c.all()
	if len(after) != len(before)+1 {
		c.t.Fatalf("%+v made %d messages", m, len(after)-len(before))
	}
	accepted = after[0]
	if accepted.Origin != c.s.origin || accepted.Content.Text != m.text || len(accepted.Recipients) != 1 || accepted.Recipients[0].Number != m.to {
		c.t.Fatalf("%+v made the message %+v", m, accepted)
	}
	return ref, accepted
}

func (c *conformance) all() []queue.Message {
	c.t.Helper()
	page, _, err := c.w.d.sched.List(context.Background(), queue.Filter{Limit: 1000})
	if err != nil {
		c.t.Fatal(err)
	}
	return page
}

// reaches waits until a message is in a state, and has the dialect say so.
func (c *conformance) reaches(ref, id string, state queue.State) {
	c.t.Helper()
	c.w.await(fmt.Sprintf("%s to be %s", id, state), func() bool {
		m, err := c.w.d.sched.Get(context.Background(), id)
		if err != nil {
			c.t.Fatal(err)
		}
		return m.State == state
	})
	c.says(ref, c.s.words[state])
}

func (c *conformance) says(ref, word string) {
	c.t.Helper()
	if c.s.status == nil {
		return
	}
	if got := c.s.status(c.t, c.w, ref); got != word {
		c.t.Errorf("status %q, want %q", got, word)
	}
}

// isTold waits for the callbacks of a message, in their order.
func (c *conformance) isTold(ref string, want []string) {
	c.t.Helper()
	if c.s.told == nil {
		return
	}
	var got []string
	c.w.await(fmt.Sprintf("callbacks %v", want), func() bool {
		got = nil
		for _, r := range c.ear.all() {
			if of, word := c.s.told(r); word != "" && (ref == "" || of == ref) {
				got = append(got, word)
			}
		}
		if c.s.unordered {
			slices.Sort(got)
		}
		return len(got) >= len(want)
	})
	if !slices.Equal(got, want) {
		c.t.Errorf("callbacks %v, want %v", got, want)
	}
	c.ear.forget()
}

func (c *conformance) sends() {
	ref, m := c.ask(wish{to: goodNumber, text: "delivered to " + c.s.origin})
	c.reaches(ref, m.ID, queue.Delivered)
	c.isTold(ref, c.s.tells)
}

func (c *conformance) fails() {
	ref, m := c.ask(wish{to: refusedNumber, text: "refused for " + c.s.origin})
	c.reaches(ref, m.ID, queue.Failed)
	c.isTold(ref, c.s.tellsFailed)
}

func (c *conformance) schedules() {
	if c.s.unscheduled {
		return
	}
	at := time.Now().Add(48 * time.Hour).Truncate(time.Minute)
	ref, m := c.ask(wish{to: goodNumber, text: "later for " + c.s.origin, at: at})
	if off := m.ScheduleAt.Sub(at).Abs(); off > 0 && (!c.s.minutes || off > time.Minute) {
		c.t.Errorf("scheduled for %v, want %v", m.ScheduleAt, at)
	}
	c.says(ref, c.s.words[0])
	c.withdraws(ref, m.ID)
}

// withdraws has the operator cancel a message that waits, by the gateway's own API: its dialect says so.
func (c *conformance) withdraws(ref, id string) {
	if got := c.w.ask(c.t, "DELETE", "/messages/"+id, ""); got.status != 200 {
		c.t.Errorf("%d %s", got.status, got.body)
	}
	c.reaches(ref, id, queue.Cancelled)
	c.isTold(ref, c.s.tellsCancelled)
}

// refuses: nothing is stored of what is wrong.
func (c *conformance) refuses() {
	before := len(c.all())
	for what, m := range map[string]wish{
		"a stranger":      {to: goodNumber, text: "from a stranger", stranger: true},
		"nobody's number": {to: badNumber, text: "to nobody"},
		"no text":         {to: goodNumber},
	} {
		m.callbacks = c.ear.url
		if _, refused := c.s.send(c.t, c.w, m); refused == "" {
			c.t.Errorf("%s was not refused", what)
		}
	}
	if n := len(c.all()) - before; n != 0 {
		c.t.Errorf("%d messages were made of what was refused", n)
	}
}

// calledBack is a request that a client's server got.
type calledBack struct {
	*http.Request
	body string
}

// ear is a client's server, which takes everything.
type ear struct {
	url  string
	mu   sync.Mutex
	got  []calledBack
	http http.Server
}

func newEar(t *testing.T) *ear {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{url: "http://" + ln.Addr().String()}
	e.http.Handler = e
	ended := make(chan error, 1)
	go func() { ended <- e.http.Serve(ln) }()
	t.Cleanup(func() {
		_ = e.http.Close()
		<-ended
	})
	return e
}

// ServeHTTP implements http.Handler.
func (e *ear) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, calledBack{r, strings.Clone(string(body))})
}

func (e *ear) all() []calledBack {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.got)
}

func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = nil
}
