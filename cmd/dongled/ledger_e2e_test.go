package main_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// ledger is what the store says of every message, read while no gateway has it.
type ledger []queue.Message

// ledger reads a copy, so that the gateway itself has to recover from how the store was left.
func (s site) ledger(t *testing.T) ledger {
	t.Helper()
	left, err := os.ReadFile(s.store)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, left, 0o600); err != nil {
		t.Fatal(err)
	}
	q := queue.New(queue.Options{})
	st, err := store.Open(path, store.Options{}, q)
	if err != nil {
		t.Fatalf("the store as the gateway left it: %v", err)
	}
	defer func() { _ = st.Close() }() // a copy
	all, _, err := q.List(t.Context(), queue.Filter{Limit: 10_000, OldestFirst: true})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// unknownPart is a part whose outcome the gateway does not know.
type unknownPart struct {
	airKey
	imsi string
}

// check holds the ledger against what left by radio and returns the parts of unknown outcome, of
// which alone either may be true.
func (l ledger) check(t *testing.T, sent air) (unknown []unknownPart) {
	t.Helper()
	for _, m := range l {
		for _, r := range m.Recipients {
			unknown = append(unknown, checkRecipient(t, r, sent)...)
		}
		if want := foldOf(m); m.State != want {
			t.Errorf("%s is %v with parts that make it %v: %+v", m.ID, m.State, want, m.Recipients)
		}
	}
	return unknown
}

func checkRecipient(t *testing.T, r queue.Recipient, sent air) (unknown []unknownPart) {
	t.Helper()
	// Of parts without +CMGS: the TP-MR of those that left, and of those that reports settled. Which
	// report is whose cannot be told if there are several, but there is a part for each.
	var left, reported []uint8
	for i, p := range r.Parts {
		k := airKey{r.Number, i + 1}
		s, found := sent[k]
		switch {
		case p.State == queue.PartUnknown:
			unknown = append(unknown, unknownPart{k, p.IMSI})
		case p.State == queue.PartDelivered && p.Accepted.IsZero():
			reported = append(reported, p.MR)
		case p.State == queue.PartDelivered, p.State == queue.PartAccepted:
			if !found || s.MR != p.MR {
				t.Errorf("%v is %v with TP-MR %d; it was sent: %v, with TP-MR %d", k, p.State, p.MR, found, s.MR)
			}
		case p.State != queue.PartQueued:
			t.Errorf("%v is %v: %s", k, p.State, p.Error)
		case found:
			t.Errorf("%v is queued, and was sent with TP-MR %d", k, s.MR)
		}
		if found && p.Accepted.IsZero() {
			left = append(left, s.MR)
		}
	}
	for _, mr := range reported {
		i := slices.Index(left, mr)
		if i < 0 {
			t.Fatalf("a part to %s without +CMGS is delivered with TP-MR %d; sent were %v: %+v", r.Number, mr, left, r.Parts)
		}
		left = slices.Delete(left, i, i+1)
	}
	return unknown
}

// foldOf is the state that the parts of a message to one recipient make true, by the README's table.
func foldOf(m queue.Message) queue.State {
	n := map[queue.PartState]int{}
	for _, p := range m.Recipients[0].Parts {
		n[p.State]++
	}
	all := len(m.Recipients[0].Parts)
	switch all {
	case n[queue.PartQueued]:
		return queue.Pending
	case n[queue.PartDelivered]:
		return queue.Delivered
	case n[queue.PartDelivered] + n[queue.PartAccepted]:
		return queue.Sent
	}
	return queue.Processed
}
