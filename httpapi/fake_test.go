package httpapi_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"dongled/scheduler/queue"
)

// fakeQueue behaves as the scheduler does, as far as a client can see: it has the SIMs 1 and 2,
// takes numbers that start with '+', and drops blanks from them.
type fakeQueue struct {
	mu       sync.Mutex
	messages []queue.Message // in order of acceptance

	// What the server asked for.
	submissions []queue.Submission
	ids         []string
	filters     []queue.Filter

	// err fails every call; crash panics in Submit; hold delays Submit until it is closed, after
	// entered was closed.
	err           error
	crash         bool
	hold, entered chan struct{}
}

func newFakeQueue() *fakeQueue { return &fakeQueue{} }

func (f *fakeQueue) Submit(_ context.Context, s queue.Submission) (queue.Message, error) {
	if f.hold != nil {
		close(f.entered)
		<-f.hold
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crash {
		panic("a bug in the scheduler")
	}
	if f.err != nil {
		return queue.Message{}, f.err
	}
	f.submissions = append(f.submissions, s)
	recipients, err := normalise(s)
	if err != nil {
		return queue.Message{}, err
	}
	if s.SIM > 2 {
		return queue.Message{}, &queue.FieldError{Field: "simNumber", Problem: "no such SIM is configured"}
	}
	if s.ID == "" {
		s.ID = fmt.Sprintf("generated-%011d", len(f.messages))
	}
	if f.find(s.ID) >= 0 {
		return queue.Message{}, fmt.Errorf("submit: %w", queue.ErrDuplicateID)
	}
	now := time.Now()
	m := queue.Message{
		ID: s.ID, Created: now, Content: s.Content, SIM: s.SIM, Priority: s.Priority, Report: s.Report,
		ValidUntil: s.ValidUntil, ScheduleAt: s.ScheduleAt, Recipients: recipients,
		State: queue.Pending, Reached: []queue.Reached{{State: queue.Pending, At: now}}, Encrypted: s.Encrypted,
	}
	f.messages = append(f.messages, m)
	return m, nil
}

func normalise(s queue.Submission) ([]queue.Recipient, error) {
	var recipients []queue.Recipient
	seen := map[string]bool{}
	for i, number := range s.Recipients {
		field := fmt.Sprintf("phoneNumbers[%d]", i)
		number = strings.ReplaceAll(number, " ", "")
		if !s.SkipPhoneValidation && !s.Encrypted && !strings.HasPrefix(number, "+") {
			return nil, &queue.FieldError{Field: field, Problem: "not a valid phone number"}
		}
		if seen[number] {
			return nil, &queue.FieldError{Field: field, Problem: "phone numbers must be unique"}
		}
		seen[number] = true
		recipients = append(recipients, queue.Recipient{Number: number, State: queue.Pending})
	}
	return recipients, nil
}

func (f *fakeQueue) find(id string) int {
	return slices.IndexFunc(f.messages, func(m queue.Message) bool { return m.ID == id })
}

func (f *fakeQueue) Get(_ context.Context, id string) (queue.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = append(f.ids, id)
	i := f.find(id)
	switch {
	case f.err != nil:
		return queue.Message{}, f.err
	case i < 0:
		return queue.Message{}, fmt.Errorf("get %s: %w", id, queue.ErrNotFound)
	}
	return f.messages[i], nil
}

func (f *fakeQueue) List(_ context.Context, q queue.Filter) ([]queue.Message, int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filters = append(f.filters, q)
	if f.err != nil {
		return nil, 0, f.err
	}
	var match []queue.Message
	for _, m := range f.messages {
		if (q.State == 0 || m.State == q.State) &&
			(q.From.IsZero() || !m.Created.Before(q.From)) && (q.To.IsZero() || m.Created.Before(q.To)) {
			match = append(match, m)
		}
	}
	if !q.OldestFirst {
		slices.Reverse(match)
	}
	first := min(q.Offset, len(match))
	return match[first:min(first+q.Limit, len(match))], len(match), nil
}

func (f *fakeQueue) Cancel(_ context.Context, id string) (queue.Message, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids = append(f.ids, id)
	i := f.find(id)
	switch {
	case f.err != nil:
		return queue.Message{}, f.err
	case i < 0:
		return queue.Message{}, queue.ErrNotFound
	case f.messages[i].State == queue.Cancelled:
		return f.messages[i], nil
	case f.messages[i].State != queue.Pending:
		return queue.Message{}, queue.ErrNotPending
	}
	m := &f.messages[i]
	m.State = queue.Cancelled
	m.Reached = append(m.Reached, queue.Reached{State: queue.Cancelled, At: m.Created.Add(time.Second)})
	for r := range m.Recipients {
		m.Recipients[r].State = queue.Cancelled
	}
	return *m, nil
}

// put stores messages as they are.
func (f *fakeQueue) put(messages ...queue.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.messages = append(f.messages, messages...)
}

// last is the submission that came last.
func (f *fakeQueue) last() (queue.Submission, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.submissions) == 0 {
		return queue.Submission{}, false
	}
	return f.submissions[len(f.submissions)-1], true
}

func (f *fakeQueue) lastFilter() queue.Filter {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.filters[len(f.filters)-1]
}

func (f *fakeQueue) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}
