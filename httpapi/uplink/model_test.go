package uplink

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/hack/smsgate"
	"dongled/scheduler/queue"
)

// TestModel drives server and queue at random: messages come, move on, are cancelled and retired, while
// requests fail in every way, streams are cut, and the gateway is restarted. In the end the server knows
// the true state of every message, and none was taken twice.
func TestModel(t *testing.T) {
	models.Checks(30)
	rapid.Check(t, func(rt *rapid.T) {
		models.InBubble(t, func(t *testing.T) {
			m := &machine{world: newWorld(t, &smsgate.Server{}, Options{}), rt: rt}
			m.start()
			m.pass(time.Second)
			defer m.end()
			rt.Repeat(map[string]func(*rapid.T){
				"enqueue": m.enqueue, "move": m.move, "cancel": m.cancel, "retire": m.forget, "time": m.wait,
				"fault": m.breakDown, "heal": func(*rapid.T) { m.server.SetFault(nil) },
				"cut": func(*rapid.T) { m.server.CutStreams() }, "restart": func(*rapid.T) { m.restart() },
				"poke": func(*rapid.T) { m.server.Push("MessageEnqueued", nil) },
			})
			m.check()
		})
	})
}

type machine struct {
	*world
	rt  *rapid.T
	all []string
	// final are the states of messages that the queue forgot.
	final map[string]queue.State
}

func (m *machine) enqueue(rt *rapid.T) {
	for range rapid.SampledFrom([]int{1, 2, 120}).Draw(rt, "messages") {
		id := fmt.Sprintf("m%d", len(m.all))
		m.all = append(m.all, id)
		m.server.Enqueue(text(id, alice, bob))
	}
}

func (m *machine) pick(rt *rapid.T) string {
	if len(m.all) == 0 {
		rt.Skip("there are no messages")
	}
	return rapid.SampledFrom(m.all).Draw(rt, "id")
}

// next are the states that a message may go to.
var next = map[queue.State][]queue.State{
	queue.Pending:   {queue.Processed, queue.Processed, queue.Cancelled, queue.Failed},
	queue.Processed: {queue.Pending, queue.Sent, queue.Sent, queue.Delivered, queue.Failed},
	queue.Sent:      {queue.Delivered, queue.Failed},
}

// move has the queue bring a message on, often several steps at once.
func (m *machine) move(rt *rapid.T) {
	id := m.pick(rt)
	for range rapid.IntRange(1, 3).Draw(rt, "steps") {
		q, err := m.gate.Get(m.Context(), id)
		if err != nil || len(next[q.State]) == 0 {
			return
		}
		m.gate.set(id, rapid.SampledFrom(next[q.State]).Draw(rt, "state"), "")
	}
}

func (m *machine) cancel(rt *rapid.T) { m.server.Cancel(m.pick(rt)) }

// forget has the queue delete what ended; a moment passed since, as retention is never that short.
func (m *machine) forget(rt *rapid.T) {
	m.pass(2 * time.Minute)
	if m.final == nil {
		m.final = map[string]queue.State{}
	}
	for _, id := range m.all {
		if q, err := m.gate.Get(m.Context(), id); err == nil && len(next[q.State]) == 0 {
			m.final[id] = q.State
			m.gate.retire(id)
		}
	}
}

func (m *machine) wait(rt *rapid.T) {
	m.pass(rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, 20 * time.Second, 2 * time.Minute, time.Hour}).Draw(rt, "pass"))
}

// breakDown has every nth request of a kind fail from now on.
func (m *machine) breakDown(rt *rapid.T) {
	fault := rapid.SampledFrom([]smsgate.Fault{smsgate.Error, smsgate.Lost, smsgate.Hang}).Draw(rt, "fault")
	every := rapid.IntRange(1, 3).Draw(rt, "every")
	on := rapid.SampledFrom([]string{"", "PATCH /messages", "GET /messages", "GET /events"}).Draw(rt, "on")
	n := 0
	m.server.SetFault(func(r *http.Request) smsgate.Fault {
		if r.Method == http.MethodPost || on != "" && on != r.Method+" "+r.URL.Path {
			return smsgate.None
		}
		if n++; n%every == 0 {
			return fault
		}
		return smsgate.None
	})
}

// check lets the server recover, and compares.
func (m *machine) check() {
	m.server.SetFault(nil)
	m.pass(time.Hour)
	for _, id := range m.all {
		if n := m.gate.times(id); n > 1 {
			m.rt.Errorf("%s was taken %d times", id, n)
		}
		told := m.server.Message(id)
		q, err := m.gate.Get(m.Context(), id)
		truth := q.State
		if err != nil {
			truth = m.final[id]
		}
		switch {
		case m.gate.times(id) == 0 && told.State == "Cancelled":
		case truth == queue.Pending && (told.State == "Pending" || told.State == "Processed"):
		case told.State != truth.String():
			m.rt.Errorf("%s is %v, and %q at the server; told %v", id, truth, told.State, told.History)
		case told.Recipients[bob].State != truth.String():
			m.rt.Errorf("%s is %v, and %+v at the server", id, truth, told.Recipients)
		}
	}
}
