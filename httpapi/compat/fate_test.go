package compat_test

import (
	"slices"
	"testing"
	"time"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
)

// TestNews walks messages through states as the queue has them.
func TestNews(t *testing.T) {
	const p, w, s, d, f, c = queue.Pending, queue.Processed, queue.Sent, queue.Delivered, queue.Failed, queue.Cancelled
	for _, test := range []struct {
		name   string
		states []queue.State
		want   []bool
	}{
		{"delivered", []queue.State{p, w, s, d}, []bool{true, true, true, true}},
		{"tried again", []queue.State{p, w, p, w, s}, []bool{true, true, false, false, true}},
		{"refused at once", []queue.State{p, f}, []bool{true, true}},
		{"the report overtook the answer", []queue.State{p, w, d}, []bool{true, true, true}},
		{"a late report", []queue.State{p, w, f, d}, []bool{true, true, true, true}},
		{"a late report that settles nothing", []queue.State{p, w, f, s}, []bool{true, true, true, false}},
		{"cancelled", []queue.State{p, c}, []bool{true, true}},
	} {
		var reached []queue.Reached
		was := queue.State(0)
		for i, state := range test.states {
			now := int64(1_700_000_000_000 + i)
			if !slices.ContainsFunc(reached, func(r queue.Reached) bool { return r.State == state }) {
				reached = append(reached, queue.Reached{State: state, At: time.UnixMilli(now)})
			}
			change := queue.Change{Message: queue.Message{State: state, Reached: slices.Clone(reached)}, Was: was}
			if got := compat.News(change, now); got != test.want[i] {
				t.Errorf("%s: step %d to %v is told: %v", test.name, i, state, got)
			}
			was = state
		}
	}
}

// TestFailedParts has one part a row, in the words of the queue.
func TestFailedParts(t *testing.T) {
	for _, test := range []struct {
		part                            queue.Part
		failed, left, doubtful, expired bool
		code                            int
	}{
		{part: queue.Part{State: queue.PartQueued}},
		{part: queue.Part{State: queue.PartAccepted}, left: true},
		{part: queue.Part{State: queue.PartDelivered}, left: true},
		{part: queue.Part{State: queue.PartUndelivered, Status: 0x43}, failed: true, left: true},
		{part: queue.Part{State: queue.PartLost, Error: "no answer; the message may have gone out"}, failed: true, left: true, doubtful: true},
		{part: queue.Part{State: queue.PartRejected, Error: "+CMS ERROR: 21"}, failed: true, code: 21},
		{part: queue.Part{State: queue.PartRejected, Error: "refused: +CMS ERROR: 500 (unknown error)"}, failed: true, code: 500},
		{part: queue.Part{State: queue.PartRejected, Error: "TTL expired"}, failed: true, expired: true},
		{part: queue.Part{State: queue.PartRejected, Error: "TTL expired; the message may have gone out"}, failed: true, left: true, doubtful: true, expired: true},
	} {
		p := test.part
		r := queue.Recipient{Parts: []queue.Part{{State: queue.PartQueued}, p}}
		if compat.Left(r) != test.left || compat.Doubtful(p) != test.doubtful || compat.Expired(p) != test.expired || compat.CMSCode(p) != test.code {
			t.Errorf("%+v: left %v, doubtful %v, expired %v, code %d", p, compat.Left(r), compat.Doubtful(p), compat.Expired(p), compat.CMSCode(p))
		}
		if _, failed := compat.Culprit(queue.Message{Recipients: []queue.Recipient{r}}); failed != test.failed {
			t.Errorf("%+v failed: %v", p, failed)
		}
	}
}

// TestCulprit: of several parts that failed, the first one is to blame.
func TestCulprit(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	later := queue.Part{State: queue.PartRejected, Error: "given up", Settled: at.Add(time.Second)}
	first := queue.Part{State: queue.PartRejected, Error: "+CMS ERROR: 1", Settled: at}
	m := queue.Message{Recipients: []queue.Recipient{{Parts: []queue.Part{later, first}}, {Parts: []queue.Part{later}}}}
	if p, failed := compat.Culprit(m); !failed || p.Error != first.Error {
		t.Errorf("%+v", p)
	}
}

func TestBegun(t *testing.T) {
	waits := queue.Message{State: queue.Pending, Reached: []queue.Reached{{State: queue.Pending}}}
	again := queue.Message{State: queue.Pending, Reached: []queue.Reached{{State: queue.Pending}, {State: queue.Processed}}}
	if compat.Begun(waits) || !compat.Begun(again) {
		t.Errorf("%v, %v", compat.Begun(waits), compat.Begun(again))
	}
}
