package queue

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// machine runs the queue beside its model.
type machine struct {
	q     *Queue
	out   *outbox.Outbox
	diary *diary
	path  string
	opts  Options
	model *model
	next  int
	// each SIM's claim, its part in flight and the model's
	claims []*Claim
	flying map[int]*flight
	// each card's TP-MRs, none of which comes twice, and whose they are
	filed []filing
	// read is the last event that was looked at; heard are those of each recipient, as in model.events.
	read  uint64
	heard map[string][]string
	// quietUntil is in the claims of all SIMs.
	quietUntil time.Time
}

type flight struct {
	job  *Job
	rcpt *modelRecipient
}

type filing struct {
	imsi string
	mr   uint8
	rcpt *modelRecipient
	part int
}

// TestModel drives the queue with random operations, over three SIMs, time, restarts and retention,
// and compares it with the model after each.
func TestModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		// A bubble has no deadline, and rapid must not ask a *testing.T for it.
		rapid.Check(struct{ testing.TB }{t}, func(rt *rapid.T) {
			m := newMachine(rt, filepath.Join(dir, "q.db"))
			defer m.end(rt)
			rt.Repeat(map[string]func(*rapid.T){
				"":        m.compare,
				"enqueue": m.enqueue,
				"step":    m.step,
				"step 2":  m.step,
				"step 3":  m.step,
				"report":  m.report,
				"orphan":  m.orphan,
				"cancel":  m.cancel,
				"pass":    m.pass,
				"reopen":  m.reopen,
				"retire":  m.retire,
				"order":   m.order,
				"unseal":  m.unseal,
				"hush":    m.hush,
			})
		})
	})
}

func newMachine(t *rapid.T, path string) *machine {
	m := &machine{path: path, flying: map[int]*flight{}, heard: map[string][]string{}}
	m.model = &model{
		fifo: rapid.Bool().Draw(t, "fifo"), retry: rapid.Bool().Draw(t, "retry"), unknownAfter: 10 * time.Minute,
		active: map[int]*modelRecipient{}, events: map[string][]string{}, changed: map[string]bool{},
		changes: map[string][]State{},
	}
	m.opts = Options{FIFO: m.model.fifo, RetryUnknown: m.model.retry, UnknownAfter: 10 * time.Minute}
	m.opts.Zone = time.UTC
	third := Claim{SIM: 3, IMSI: "262033333333333"} // takes only what names it, or its routes
	one, two := sim1, sim2
	m.claims = []*Claim{&one, &two, &third}
	for _, c := range m.claims {
		c.Lanes = append(slices.Clone(c.Lanes), rapid.SampledFrom([][]int{nil, {256}, {257}, {257, 256}}).Draw(t, "lanes")...)
		c.Quota = rapid.SampledFrom([]Quota{
			{}, {}, {}, {Minute: Caps{Parts: 2}}, {Minute: Caps{Messages: 1, Recipients: 3}}, {Hour: Caps{Recipients: 1}},
			{Minute: Caps{Parts: 4, Recipients: 1}, Hour: Caps{Messages: 3}, Day: Caps{Parts: 7}}, {Month: Caps{Recipients: 2}},
		}).Draw(t, "quota")
	}
	m.open(t)
	return m
}

// open opens the store, with other routes than before, perhaps.
func (m *machine) open(t *rapid.T) {
	m.opts.Routes = rapid.SampledFrom([][]Route{
		nil, {{"+4915", 256}}, {{"+49", 256}, {"+4916", 257}}, {{"+4915", 257}, {"+49150000001", 256}, {"+491500000012", 257}},
	}).Draw(t, "routes")
	m.model.routes = m.opts.Routes
	// Too long to be reached: it is about the index, which is checked at the end.
	m.opts.Limits.MaxPendingAge = rapid.SampledFrom([]time.Duration{0, 10_000 * time.Hour}).Draw(t, "max age")
	time.Sleep(time.Millisecond) // a run dates what it counts after what the one before did
	m.diary = &diary{}
	m.opts.Changed = m.diary.enter
	p, err := openPost(m.path, m.opts, m.diary)
	if err != nil {
		t.Fatal(err)
	}
	m.out, m.q = p.out, p.Queue
	_ = m.q.do(ctx, func(t *tx) error { t.DB().NoSync = true; return nil })
	synctest.Wait()
}

func (m *machine) end(t *rapid.T) {
	checkStore(t, m.q)
	if err := m.q.Close(); err != nil {
		t.Error(err)
	}
	if err := os.Remove(m.path); err != nil {
		t.Error(err)
	}
}

func (m *machine) enqueue(t *rapid.T) {
	seconds := func(what string, choices ...int) time.Time {
		if s := rapid.SampledFrom(choices).Draw(t, what); s > 0 {
			return time.Now().Add(time.Duration(s) * time.Second)
		}
		return time.Time{}
	}
	m.next++
	s := Submission{
		ID: fmt.Sprint("m", m.next), Report: true,
		// Each recipient has a number of its own, and so do the reports.
		Recipients: []string{fmt.Sprintf("+4915%08d", m.next), fmt.Sprintf("+4916%08d", m.next)}[:rapid.IntRange(1, 2).Draw(t, "recipients")],
		SIM:        rapid.IntRange(0, 3).Draw(t, "sim"),
		Priority:   rapid.SampledFrom([]int8{0, 0, 0, -1, 1, 100}).Draw(t, "priority"),
		ScheduleAt: seconds("scheduleAt", 0, 0, 0, 5, 100),
		ValidUntil: seconds("validUntil", 0, 0, 0, 5, 100),
		Origin:     rapid.SampledFrom([]string{"", "", OriginUplink, "desk"}).Draw(t, "origin"),
		Quiet:      rapid.Bool().Draw(t, "quiet"),
	}
	if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
		s.Refused = "not wanted"
	}
	parts := rapid.IntRange(1, 3).Draw(t, "parts")
	if s.Encrypted = rapid.IntRange(0, 3).Draw(t, "encrypted") == 0; s.Encrypted {
		for i := range s.Recipients {
			s.Recipients[i] = "$" + s.Recipients[i]
		}
	}
	if rapid.IntRange(0, 4).Draw(t, "also fails") == 0 {
		unwanted := s
		unwanted.Also = func(*store.Tx, Message) error { return errAlso }
		if _, err := m.q.Enqueue(ctx, unwanted, parts); err != errAlso {
			t.Fatalf("enqueued, although what was to be done with it failed: %v", err)
		}
	}
	if _, err := m.q.Enqueue(ctx, s, parts); err != nil {
		t.Fatal(err)
	}
	m.model.enqueue(s, parts)
	if _, err := m.q.Enqueue(ctx, s, parts); err != ErrDuplicateID {
		t.Fatalf("enqueued twice: %v", err)
	}
}

// step settles what a SIM has in flight, if anything, and mostly claims the next part for it.
func (m *machine) step(t *rapid.T) {
	c := m.claims[rapid.IntRange(0, 2).Draw(t, "SIM")]
	c.QuietUntil = m.quietUntil
	var done *Outcome
	fl := m.flying[c.SIM]
	if fl != nil {
		done = m.outcome(t, c, fl)
		c.Last = fl.job
	}
	want := c
	if rapid.IntRange(0, 4).Draw(t, "pause") == 0 {
		want = nil
	}
	job, _, err := m.q.Step(ctx, done, want)
	if err != nil {
		t.Fatal(err)
	}
	if done != nil {
		m.model.outcome(fl.rcpt, fl.job.Part, *done)
		delete(m.flying, c.SIM)
	}
	if want == nil {
		return
	}
	rcpt, part := m.model.claim(*c)
	switch {
	case job == nil && rcpt == nil:
		return
	case job == nil || rcpt == nil || job.ID != rcpt.msg.id || int(job.Recipient) != rcpt.n || job.Part != part:
		t.Fatalf("SIM %d claimed %+v, the model says part %d of %+v", c.SIM, job, part, rcpt)
	case job.Attempts != rcpt.parts[part].attempts:
		t.Fatalf("%s is attempt %d, the model says %d", name(job), job.Attempts, rcpt.parts[part].attempts)
	}
	m.flying[c.SIM] = &flight{job, rcpt}
}

func (m *machine) outcome(t *rapid.T, c *Claim, fl *flight) *Outcome {
	o := &Outcome{Job: fl.job, Kind: OutcomeKind(rapid.SampledFrom([]int{1, 1, 1, 1, 2, 3, 3, 4}).Draw(t, "outcome")), Error: "x"}
	switch o.Kind {
	case OutcomeAccepted:
		o.MR = uint8(len(m.filed))
		m.filed = append(m.filed, filing{c.IMSI, o.MR, fl.rcpt, fl.job.Part})
	case OutcomeDeferred:
		o.Uncounted = rapid.Bool().Draw(t, "uncounted")
		if s := rapid.SampledFrom([]int{0, 5, 100}).Draw(t, "back-off"); s > 0 {
			o.RetryAt = time.Now().Add(time.Duration(s) * time.Second)
		}
	}
	return o
}

func (m *machine) report(t *rapid.T) {
	if len(m.filed) == 0 {
		t.Skip("nothing to report")
	}
	f := rapid.SampledFrom(m.filed).Draw(t, "report of")
	v := Verdict(rapid.IntRange(int(VerdictTrying), int(VerdictFailed)).Draw(t, "verdict"))
	r := Report{IMSI: f.imsi, MR: f.mr, Recipient: m.number(f.rcpt), Verdict: v, Status: uint8(v), Text: "x"}
	got, err := m.q.Report(ctx, r)
	if want := m.model.report(f.rcpt, f.part, v); got != want || err != nil {
		t.Fatalf("report %+v found %d, %v; the model says %d", r, got, err, want)
	}
}

func (m *machine) number(r *modelRecipient) string {
	return fmt.Sprintf("01%d%08s", 5+r.n, r.msg.id[1:]) // in national form
}

func (m *machine) orphan(t *rapid.T) {
	got, err := m.q.Report(ctx, Report{IMSI: card1, MR: rapid.Uint8().Draw(t, "mr"), Recipient: "+4917000000000", Verdict: VerdictDelivered})
	if got != Orphan || err != nil {
		t.Fatalf("a report for nobody found %d, %v", got, err)
	}
}

func (m *machine) cancel(t *rapid.T) {
	if len(m.model.messages) == 0 {
		t.Skip("nothing to cancel")
	}
	mm := rapid.SampledFrom(m.model.messages).Draw(t, "cancel")
	_, err := m.q.Cancel(ctx, mm.id)
	if want := m.model.cancel(mm); err != want {
		t.Fatalf("cancelling %s: %v, the model says %v", mm.id, err, want)
	}
}

func (m *machine) pass(t *rapid.T) {
	until := time.Now().Add(time.Duration(rapid.SampledFrom([]int{1, 4, 5, 95, 100, 300, 600}).Draw(t, "seconds")) * time.Second)
	for time.Now().Before(until) {
		time.Sleep(time.Until(m.model.next(until)))
		synctest.Wait()
		m.model.settle()
	}
}

func (m *machine) reopen(t *rapid.T) {
	if err := m.q.Close(); err != nil {
		t.Fatal(err)
	}
	m.model.crash()
	clear(m.flying)
	m.open(t)
}

func (m *machine) retire(t *rapid.T) {
	// Time passes in whole seconds. Half a one off them, a timer that fired some ms late, which the
	// model does not know, makes no difference.
	seconds := rapid.SampledFrom([]int{0, 10, 1000}).Draw(t, "seconds")
	before := time.Now().Add(-time.Duration(seconds)*time.Second - time.Second/2)
	var from uint64
	deleted, more := 0, true
	for more {
		n, again, err := m.q.Retire(ctx, before, &from, 3)
		if err != nil {
			t.Fatal(err)
		}
		deleted, more = deleted+n, again
	}
	if want := m.model.retire(before); deleted != want {
		t.Fatalf("retired %d, the model says %d", deleted, want)
	}
}

// unseal opens the next message that came encrypted.
func (m *machine) unseal(t *rapid.T) {
	got, err := m.q.NextSealed(0)
	want := m.model.nextSealed()
	switch {
	case err != nil:
		t.Fatal(err)
	case got == nil && want == nil:
		t.Skip("nothing to open")
	case got == nil || want == nil || got.ID != want.id || len(got.Recipients) != len(want.recipients):
		t.Fatalf("%+v is to be opened, the model says %+v", got, want)
	}
	o := Opened{Content: Content{Text: "x"}, Parts: rapid.IntRange(1, 3).Draw(t, "parts")}
	for i, r := range want.recipients {
		if got.Recipients[i] != r.cipher {
			t.Fatalf("recipient %s, the model says %s", got.Recipients[i], r.cipher)
		}
		found := OpenedRecipient{Number: r.to}
		if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
			found = OpenedRecipient{Error: "sendSMS: x"}
		}
		o.Recipients = append(o.Recipients, found)
	}
	if err := m.q.Unseal(ctx, got.Seq, o); err != nil {
		t.Fatal(err)
	}
	m.model.unseal(want, o)
}

// hush begins quiet hours, or ends them.
func (m *machine) hush(t *rapid.T) {
	m.quietUntil = time.Time{}
	if s := rapid.SampledFrom([]int{0, 0, 5, 300}).Draw(t, "quiet for"); s > 0 {
		m.quietUntil = time.Now().Add(time.Duration(s) * time.Second)
	}
}

// follow compares what was told of every recipient's state, in order.
func (m *machine) follow(t *rapid.T) {
	got, err := m.diary.states()
	if err != nil {
		t.Fatal(err)
	}
	if !maps.EqualFunc(got, m.model.changes, slices.Equal) {
		t.Fatalf("changes are %v, the model says %v", got, m.model.changes)
	}
}

// listen compares the events of all that ever was, in the order of each recipient's.
func (m *machine) listen(t *rapid.T) {
	news, err := m.out.Events(m.read, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range news {
		var f struct{ Recipient string }
		if err := json.Unmarshal(e.Payload, &f); err != nil {
			t.Fatal(err)
		}
		m.read = e.Seq
		if e.Name == outbox.MessageState {
			m.heard[e.Ref] = append(m.heard[e.Ref], e.Name)
			delete(m.model.changed, e.Ref)
			continue
		}
		k := e.Ref + " " + f.Recipient
		m.heard[k] = append(m.heard[k], e.Name)
	}
	for id := range m.model.changed {
		t.Fatalf("the uplink was not told that %s changed", id)
	}
	for _, mm := range m.model.messages {
		if n := len(m.heard[mm.id]); n > 0 && !mm.uplink {
			t.Fatalf("the uplink was told of %s, which is none of its", mm.id)
		}
		delete(m.heard, mm.id)
	}
	if !maps.EqualFunc(m.heard, m.model.events, slices.Equal) {
		t.Fatalf("events are %v, the model says %v", m.heard, m.model.events)
	}
}

// order changes the order of messages, and has a restart keep it.
func (m *machine) order(t *rapid.T) {
	m.model.fifo = rapid.Bool().Draw(t, "fifo")
	m.q.SetFIFO(m.model.fifo)
	m.opts.FIFO = m.model.fifo
}

// compare compares every message, and the listings.
func (m *machine) compare(t *rapid.T) {
	m.model.settle()
	m.listen(t)
	m.follow(t)
	var ids []string
	totals := map[State]int{}
	for _, mm := range m.model.messages {
		ids = append(ids, mm.id)
		totals[mm.state()]++
		got, err := m.q.Get(ctx, mm.id)
		if err != nil || got.State != mm.state() {
			t.Fatalf("%s is %v, %v; the model says %v", mm.id, got.State, err, mm.state())
		}
		for i, r := range mm.recipients {
			for j, p := range got.Recipients[i].Parts {
				if want := r.parts[j]; p.State != want.state || p.Attempts != want.attempts {
					t.Fatalf("part %d of %s/%d is %v after %d, the model says %v after %d", j, mm.id, i, p.State, p.Attempts, want.state, want.attempts)
				}
			}
		}
	}
	page, total, err := m.q.List(ctx, Filter{Limit: 1000, OldestFirst: true})
	if err != nil || total != len(ids) || !slices.EqualFunc(page, ids, func(a Message, id string) bool { return a.ID == id }) {
		t.Fatalf("listed %d messages, %v; the model has %v", total, err, ids)
	}
	for s := Pending; s <= Cancelled; s++ {
		if _, n, err := m.q.List(ctx, Filter{State: s}); n != totals[s] || err != nil {
			t.Fatalf("%d messages are %v, %v; the model says %d", n, s, err, totals[s])
		}
	}
}
