package bird

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/scheduler/queue"
)

var (
	first  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	second = first.Add(2500 * time.Millisecond)
	third  = first.Add(time.Minute)
)

// made is a message of one part.
func made(state queue.State, p queue.Part, edit func(*queue.Message)) queue.Message {
	m := queue.Message{
		ID: "m", Created: first, State: state, Reached: []queue.Reached{{State: queue.Pending, At: first}},
		Recipients: []queue.Recipient{{Number: "+31612345678", State: state, Parts: []queue.Part{p}}},
	}
	if state != queue.Pending {
		m.Reached = append(m.Reached, queue.Reached{State: state, At: second})
	}
	if edit != nil {
		edit(&m)
	}
	return m
}

func withMeta(kept meta) func(*queue.Message) {
	raw, err := json.Marshal(kept)
	if err != nil {
		panic(err)
	}
	return func(m *queue.Message) { m.Meta = raw }
}

// TestStatus: each state of the queue, as clients have it, and why it failed.
func TestStatus(t *testing.T) {
	radio := func(code int, text, cause string, slug string) *failure {
		return &failure{Code: code, Description: text, Source: source{"sms-modem", cause}, slug: slug}
	}
	tests := []struct {
		name string
		m    queue.Message
		want string
		why  *failure
	}{
		{"accepted", made(queue.Pending, queue.Part{}, nil), "accepted", nil},
		{"scheduled", made(queue.Pending, queue.Part{}, func(m *queue.Message) { m.ScheduleAt = third }), "scheduled", nil},
		{"waits for another try", made(queue.Pending, queue.Part{Attempts: 1}, func(m *queue.Message) {
			m.ScheduleAt = second
			m.Reached = append(m.Reached, queue.Reached{State: queue.Processed, At: second})
		}), "processing", nil},
		{"processing", made(queue.Processed, queue.Part{State: queue.PartSubmitting}, nil), "processing", nil},
		{"sent", made(queue.Sent, queue.Part{State: queue.PartAccepted}, nil), "sent", nil},
		{"delivered", made(queue.Delivered, queue.Part{State: queue.PartDelivered}, nil), "delivered", nil},
		{"deleted", made(queue.Cancelled, queue.Part{State: queue.PartCancelled}, nil), "deleted", nil},
		{
			"rejected", made(queue.Failed, queue.Part{State: queue.PartRejected, Settled: second, Error: "too many"}, withMeta(meta{Refused: overCap})),
			"rejected", &failure{11002, "too many", source{"pre-processing", "frequency_cap_exceeded"}, "frequency_cap_exceeded"},
		},
		{
			"unassigned number", made(queue.Failed, queue.Part{State: queue.PartRejected, Settled: second, Error: "Send result: X (+CMS ERROR: 1 (unassigned))"}, nil),
			"sending_failed", radio(15005, "Send result: X (+CMS ERROR: 1 (unassigned))", "1", "unknown_subscriber"),
		},
		{
			"a cause of no table", made(queue.Failed, queue.Part{State: queue.PartRejected, Settled: second, Error: "X (+CMS ERROR: 304 (invalid))"}, nil),
			"sending_failed", radio(15001, "X (+CMS ERROR: 304 (invalid))", "304", "received_network_error"),
		},
		{
			"no cause", made(queue.Failed, queue.Part{State: queue.PartRejected, Settled: second}, nil),
			"sending_failed", radio(15001, "no reason was given", "34", "received_network_error"),
		},
		{
			"too late", made(queue.Failed, queue.Part{State: queue.PartRejected, Settled: second, Error: "TTL expired: validUntil passed"}, nil),
			"sending_failed", &failure{15001, "TTL expired: validUntil passed", source{"pre-processing", "expired"}, "expired"},
		},
		{
			"reported: nobody", made(queue.Failed, queue.Part{State: queue.PartUndelivered, Settled: second, Status: 0x43, Error: "not obtainable"}, nil),
			"delivery_failed", radio(15005, "not obtainable", "1", "unknown_subscriber"),
		},
		{
			"reported: over the validity", made(queue.Failed, queue.Part{State: queue.PartUndelivered, Settled: second, Status: 0x46, Error: "expired"}, nil),
			"delivery_failed", radio(15001, "expired", "27", "absent_subscriber"),
		},
		{
			"reported: by no table", made(queue.Failed, queue.Part{State: queue.PartUndelivered, Settled: second, Status: 0x48, Error: "deleted"}, nil),
			"delivery_failed", radio(15001, "deleted", "72", "received_network_error"),
		},
		{
			"lost", made(queue.Failed, queue.Part{State: queue.PartLost, Settled: second, Error: "outcome unknown"}, nil),
			"delivery_failed", radio(15001, "outcome unknown", "outcome_unknown", "outcome_unknown"),
		},
		{
			"too late to try again what may have gone out", made(queue.Failed, queue.Part{State: queue.PartRejected, Settled: second, Error: "TTL expired: validUntil passed again; the message may have gone out"}, nil),
			"delivery_failed", radio(15001, "TTL expired: validUntil passed again; the message may have gone out", "outcome_unknown", "outcome_unknown"),
		},
		{
			"the first that failed counts", made(queue.Failed, queue.Part{State: queue.PartUndelivered, Settled: third, Status: 0x43, Error: "late"}, func(m *queue.Message) {
				m.Recipients[0].Parts = append(m.Recipients[0].Parts, queue.Part{State: queue.PartRejected, Settled: second, Error: "+CMS ERROR: 38 (x)"})
			}), "sending_failed", radio(15001, "+CMS ERROR: 38 (x)", "34", "received_network_error"),
		},
	}
	seen := map[string]bool{}
	for _, test := range tests {
		if got := status(test.m); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
		if got := failureOf(test.m); !reflect.DeepEqual(got, test.why) {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.why)
		}
		seen[test.want] = true
	}
	for _, s := range statuses {
		if !seen[s] {
			t.Errorf("%s is not in the table", s)
		}
	}
}

// TestReason: a failure in the form that the vendor's documentation shows.
func TestReason(t *testing.T) {
	d := &Dialect{opts: Options{Workspace: testWorkspace}}
	m := made(queue.Failed, queue.Part{State: queue.PartUndelivered, Settled: third, Status: 0x43, MR: 7, Error: "not obtainable"}, withMeta(meta{
		Channel: channel{ID: testChannel, Name: "Shop", Phone: "+491510000001"}, Media: true,
	}))
	m.ID = "6b1f6d0e-3a55-4f0e-9df0-5a1f0c1b2d3e"
	got := d.outgoing(m)
	if got.Reason != "details: not obtainable; reason: unknown_subscriber; code: 1" || got.Details != "unknown_subscriber" {
		t.Errorf("%q, %q", got.Reason, got.Details)
	}
	if got.CreatedAt != "2026-03-01T12:00:00.000Z" || got.LastStatusAt != "2026-03-01T12:00:02.500Z" || got.UpdatedAt != "2026-03-01T12:01:00.000Z" {
		t.Errorf("created %s, status %s, updated %s", got.CreatedAt, got.LastStatusAt, got.UpdatedAt)
	}
	if want := []part{{"6b1f6d0e-3a55-4f0e-9df0-5a1f0c1b2d3e-1-7"}}; !reflect.DeepEqual(got.Parts, want) {
		t.Errorf("parts %+v, want %+v", got.Parts, want)
	}
}

// TestTransitions: what GET says along the way of a message, by what the network does.
func TestTransitions(t *testing.T) {
	b := newBench(t, nil)
	sim := b.SIMs[0]
	sim.Hold()
	m := b.accepted(with(""))
	if m.Status != "accepted" || len(m.Parts) != 0 || m.Failure != nil {
		t.Errorf("%+v", m)
	}
	b.Await(m.ID, queue.Processed)
	b.wantStatus(m.ID, "processing", "")
	sim.Release()
	b.Await(m.ID, queue.Sent)
	b.wantStatus(m.ID, "sent", "")
	if got := b.shown(m.ID); !reflect.DeepEqual(got.Parts, []part{{m.ID + "-1-1"}}) {
		t.Errorf("parts %+v", got.Parts)
	}
	b.Report(m.ID, 0)
	b.Await(m.ID, queue.Delivered)
	b.wantStatus(m.ID, "delivered", "")

	undelivered := b.accepted(with(""))
	b.Await(undelivered.ID, queue.Sent)
	b.Report(undelivered.ID, 0x43)
	b.Await(undelivered.ID, queue.Failed)
	b.wantStatus(undelivered.ID, "delivery_failed", "unknown_subscriber")

	sim.Answer(compattest.Refuse(1))
	refused := b.accepted(with(""))
	b.Await(refused.ID, queue.Failed)
	b.wantStatus(refused.ID, "sending_failed", "unknown_subscriber")

	later := b.accepted(with(`,"scheduledFor":"` + time.Now().Add(24*time.Hour).Format(time.RFC3339) + `"`))
	b.wantStatus(later.ID, "scheduled", "")
	if _, err := b.Scheduler.Cancel(t.Context(), later.ID); err != nil {
		t.Fatal(err)
	}
	b.wantStatus(later.ID, "deleted", "")
}

func (b bench) wantStatus(id, want, details string) {
	b.t.Helper()
	if got := b.shown(id); got.Status != want || got.Details != details || (got.Failure != nil) != (details != "") {
		b.t.Errorf("%s, details %q, failure %+v; want %s, %q", got.Status, got.Details, got.Failure, want, details)
	}
}
