package bird

import (
	"strings"
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/modem"
	"dongled/scheduler/queue"
)

// unanswered is a modem that took a part and said nothing more.
func unanswered(compattest.Part) error {
	return &modem.SubmitError{Fault: modem.Fault{Action: modem.Ambiguous, Text: "no answer"}, Submitted: true}
}

// TestLost: a message of unknown outcome is not said to have failed in sending, in the words of the real
// queue; a report that comes after all sets it right.
func TestLost(t *testing.T) {
	b := newBench(t, nil, func(o *compattest.Options) { o.Scheduler.UnknownAfter = time.Millisecond })
	b.SIMs[0].Answer(unanswered)
	m := b.accepted(with(""))
	if got := b.Await(m.ID, queue.Failed).Recipients[0].Parts[0]; got.State != queue.PartLost || !strings.HasSuffix(got.Error, "the message may have gone out") {
		t.Fatalf("%+v", got)
	}
	b.wantStatus(m.ID, "delivery_failed", "outcome_unknown")
	b.Report(m.ID, 0)
	b.Await(m.ID, queue.Delivered)
	b.wantStatus(m.ID, "delivered", "")
}

// TestExpired: a message whose time is over before it leaves.
func TestExpired(t *testing.T) {
	b := newBench(t, nil)
	b.SIMs[0].Answer(compattest.Refuse(41)) // to be tried again, later than this
	m := b.accepted(with(`,"validity":1`))
	b.Await(m.ID, queue.Failed)
	b.wantStatus(m.ID, "sending_failed", "expired")
	if got := b.shown(m.ID).Failure.Source; got != (source{"pre-processing", "expired"}) {
		t.Errorf("source %+v", got)
	}
}
