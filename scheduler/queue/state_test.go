package queue

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// transitionTable is every state after every event, written out; '-' is no change.
const transitionTable = `
            submit      requeue  lose     accept    reject    abandon  deliver    undeliver    cancel
queued      submitting  -        -        -         rejected  -        delivered  -            cancelled
submitting  -           queued   unknown  accepted  rejected  -        delivered  -            -
unknown     -           queued   -        -         -         lost     delivered  undelivered  -
accepted    -           -        -        -         -         -        delivered  undelivered  -
delivered   -           -        -        -         -         -        -          -            -
undelivered -           -        -        -         -         -        -          -            -
rejected    -           -        -        -         -         -        -          -            -
lost        -           -        -        -         -         -        delivered  undelivered  -
cancelled   -           -        -        -         -         -        -          -            -
`

func TestTransitionTable(t *testing.T) {
	events := map[string]event{
		"submit": evSubmit, "requeue": evRequeue, "lose": evLose, "accept": evAccept, "reject": evReject,
		"abandon": evAbandon, "deliver": evDeliver, "undeliver": evUndeliver, "cancel": evCancel,
	}
	states := map[string]PartState{
		"queued": PartQueued, "submitting": PartSubmitting, "unknown": PartUnknown, "accepted": PartAccepted,
		"delivered": PartDelivered, "undelivered": PartUndelivered, "rejected": PartRejected, "lost": PartLost,
		"cancelled": PartCancelled,
	}
	lines := strings.Split(strings.TrimSpace(transitionTable), "\n")
	head := strings.Fields(lines[0])
	if len(lines)-1 != len(states) || len(head) != len(events) || len(partStateNames) != len(states) {
		t.Fatalf("the table has %d states and %d events", len(lines)-1, len(head))
	}
	for _, line := range lines[1:] {
		row := strings.Fields(line)
		from := states[row[0]]
		for i, cell := range row[1:] {
			want, changes := from, false
			if cell != "-" {
				want, changes = states[cell], true
			}
			if got, ok := transition(from, events[head[i]]); got != want || ok != changes {
				t.Errorf("%s after %s is %v (%t), want %v (%t)", row[0], head[i], got, ok, want, changes)
			}
		}
		if from.String() != row[0] {
			t.Errorf("state %d is called %v, want %s", from, from, row[0])
		}
	}
}

// TestTransitionsNeverGoBack: whatever comes in whatever order, a final state stays, but for a lost
// part that a report settles; and saying a thing twice is saying it once.
func TestTransitionsNeverGoBack(t *testing.T) {
	final := []PartState{PartDelivered, PartUndelivered, PartRejected, PartLost, PartCancelled}
	settled := []PartState{PartDelivered, PartUndelivered}
	rapid.Check(t, func(t *rapid.T) {
		s := PartQueued
		for _, e := range rapid.SliceOfN(rapid.Uint8Range(uint8(evSubmit), uint8(evCancel)), 1, 40).Draw(t, "events") {
			next, _ := transition(s, event(e))
			if slices.Contains(final, s) && next != s && (s != PartLost || !slices.Contains(settled, next)) {
				t.Fatalf("event %d turns final %v into %v", e, s, next)
			}
			if again, changed := transition(next, event(e)); changed {
				t.Fatalf("event %d repeated turns %v into %v", e, next, again)
			}
			s = next
		}
	})
}

func TestRecipientFold(t *testing.T) {
	const (
		q, s, u, a, d   = PartQueued, PartSubmitting, PartUnknown, PartAccepted, PartDelivered
		un, rej, lo, ca = PartUndelivered, PartRejected, PartLost, PartCancelled
	)
	for _, c := range []struct {
		parts []PartState
		want  State
	}{
		{[]PartState{q}, Pending},
		{[]PartState{s}, Processed},
		{[]PartState{u}, Processed},
		{[]PartState{a}, Sent},
		{[]PartState{d}, Delivered},
		{[]PartState{un}, Failed},
		{[]PartState{rej}, Failed},
		{[]PartState{lo}, Failed},
		{[]PartState{ca}, Cancelled},
		{[]PartState{q, q}, Pending},
		{[]PartState{s, q}, Processed},
		{[]PartState{a, q}, Processed},
		{[]PartState{d, q}, Processed},
		{[]PartState{a, s}, Processed},
		{[]PartState{a, u}, Processed},
		{[]PartState{d, u}, Processed},
		{[]PartState{a, a}, Sent},
		{[]PartState{a, d}, Sent},
		{[]PartState{d, d}, Delivered},
		{[]PartState{d, un}, Failed},
		{[]PartState{rej, q}, Failed},
		{[]PartState{lo, d}, Failed},
		{[]PartState{rej, ca}, Failed},
		{[]PartState{ca, ca}, Cancelled},
		{[]PartState{d, ca}, Cancelled},
	} {
		var n partCounts
		for _, p := range c.parts {
			n[p]++
		}
		if got := n.fold(); got != c.want {
			t.Errorf("%v folds to %v, want %v", c.parts, got, c.want)
		}
	}
}

// TestMessageFold follows SMSGate: any Pending, any Cancelled, any Processed, all Failed, all
// Delivered, else Sent; the first that holds.
func TestMessageFold(t *testing.T) {
	for _, c := range []struct {
		recipients []State
		want       State
	}{
		{[]State{Pending}, Pending},
		{[]State{Processed}, Processed},
		{[]State{Sent}, Sent},
		{[]State{Delivered}, Delivered},
		{[]State{Failed}, Failed},
		{[]State{Cancelled}, Cancelled},
		{[]State{Pending, Cancelled}, Pending},
		{[]State{Failed, Pending}, Pending},
		{[]State{Delivered, Processed, Pending}, Pending},
		{[]State{Cancelled, Processed}, Cancelled},
		{[]State{Cancelled, Failed}, Cancelled},
		{[]State{Delivered, Processed}, Processed},
		{[]State{Failed, Processed}, Processed},
		{[]State{Failed, Failed}, Failed},
		{[]State{Delivered, Delivered}, Delivered},
		{[]State{Failed, Delivered}, Sent},
		{[]State{Failed, Sent}, Sent},
		{[]State{Sent, Delivered}, Sent},
		{[]State{Sent, Sent}, Sent},
	} {
		var n stateCounts
		for _, s := range c.recipients {
			n[s]++
		}
		if got := n.fold(); got != c.want {
			t.Errorf("%v folds to %v, want %v", c.recipients, got, c.want)
		}
	}
}

func TestStateNames(t *testing.T) {
	for s, want := range map[State]string{
		Pending: "Pending", Processed: "Processed", Sent: "Sent", Delivered: "Delivered", Failed: "Failed",
		Cancelled: "Cancelled", 77: "State(77)",
	} {
		if s.String() != want {
			t.Errorf("%d is %q, want %q", s, s, want)
		}
		got, ok := ParseState(want)
		if ok != (s <= Cancelled) || ok && got != s {
			t.Errorf("ParseState(%q) = %v, %t", want, got, ok)
		}
	}
	for _, wrong := range []string{"", "pending", "Sent ", "PENDING"} {
		if s, ok := ParseState(wrong); ok {
			t.Errorf("ParseState(%q) = %v", wrong, s)
		}
	}
	if got := PartState(99).String(); got != "PartState(99)" {
		t.Errorf("PartState(99) is %q", got)
	}
}
