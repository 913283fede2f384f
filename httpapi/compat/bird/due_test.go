package bird

import (
	"testing"
	"time"

	"dongled/httpapi/compat/compattest"
	"dongled/scheduler/queue"
)

// TestDue: a scheduled message goes when it is due, and its validity begins then.
func TestDue(t *testing.T) {
	b := newBench(t, nil)
	due := time.Now().Add(300 * time.Millisecond).UTC()
	m := b.accepted(with(`,"validity":600,"scheduledFor":"` + written(due) + `"`))
	if m.Status != "scheduled" || m.ScheduledFor != written(due) {
		t.Errorf("%s for %s", m.Status, m.ScheduledFor)
	}
	stored := b.Await(m.ID, queue.Sent)
	if at := stored.Recipients[0].Parts[0].Submitted; at.Before(due.Truncate(time.Millisecond)) {
		t.Errorf("sent at %v, due %v", at, due)
	}
	if got := period(b.SIMs[0].Sent()[0].Validity); got < 9*time.Minute || got > 10*time.Minute {
		t.Errorf("TP-VP of %v", got)
	}
	if got := b.shown(m.ID); got.Status != "sent" || got.ScheduledFor != written(due) || got.LastStatusAt < got.ScheduledFor {
		t.Errorf("%s since %s, due %s", got.Status, got.LastStatusAt, got.ScheduledFor)
	}
}

// TestTriedAgain: a message that the network refused for now stays processing, and has not failed.
func TestTriedAgain(t *testing.T) {
	b := newBench(t, nil)
	b.SIMs[0].Answer(compattest.Refuse(41))
	b.SIMs[0].Hold()
	m := b.accepted(with(""))
	b.Await(m.ID, queue.Processed)
	b.SIMs[0].Release()
	b.Await(m.ID, queue.Pending)
	b.wantStatus(m.ID, "processing", "")
}

// TestAnySIM: the channel of no SIM sends by whichever there is, and cannot promise a sender.
func TestAnySIM(t *testing.T) {
	b := newBench(t, nil)
	whichever := ""
	for _, ch := range b.Dialect.(*Dialect).channels() {
		if ch.SIM == 0 {
			whichever = ch.ID
		}
	}
	reply := b.post(whichever, with(""))
	if reply.Status != 202 {
		t.Fatalf("%d %s", reply.Status, reply.Body)
	}
	m := decoded[message](t, reply.Body)
	if m.ChannelID != whichever || m.Sender.Connector.IdentifierValue != "" {
		t.Errorf("%+v", m.Sender.Connector)
	}
	b.Await(m.ID, queue.Sent)
	reply = b.post(whichever, with(`,"sender":{"connector":{"identifierValue":"+491510000001"}}`))
	if e := decoded[trouble](t, reply.Body); reply.Status != 400 || len(e.Details["sender.connector.identifierValue"]) != 1 {
		t.Errorf("%d %s", reply.Status, reply.Body)
	}
}
