package httpapi_test

import (
	"context"
	"fmt"
	"sync"

	"dongled/modem"
	"dongled/scheduler/inbox"
)

// fakeModems is a fleet of dongles whose answers are scripted.
type fakeModems struct {
	mu   sync.Mutex
	list []modem.Status
	// asked is what was asked of dongles, one line each.
	asked []string
	// trace is what a dongle that is in the list said, whoever it is.
	trace []modem.TraceLine
	// ussd answers every code; without it the answer is kept back until the request is given up,
	// after waiting was closed.
	ussd    func(code string) (modem.USSD, error)
	waiting chan struct{}
	cancel  error
}

func (f *fakeModems) Modems() []modem.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list
}

func (f *fakeModems) set(list ...modem.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = list
}

func (f *fakeModems) note(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
}

func (f *fakeModems) Trace(sim int, texts bool) ([]modem.TraceLine, bool) {
	f.note("trace of %d, texts %t", sim, texts)
	return f.trace, f.trace != nil
}

func (f *fakeModems) USSD(ctx context.Context, sim int, code string) (modem.USSD, error) {
	f.note("USSD %s on %d", code, sim)
	if f.ussd == nil {
		close(f.waiting)
		<-ctx.Done()
		return modem.USSD{}, fmt.Errorf("ussd: %w", ctx.Err())
	}
	return f.ussd(code)
}

func (f *fakeModems) CancelUSSD(_ context.Context, sim int) error {
	f.note("cancel on %d", sim)
	return f.cancel
}

func (f *fakeModems) Sweep() { f.note("sweep") }

// fakeInbox answers every listing with the same page.
type fakeInbox struct {
	page    []inbox.Message
	total   int
	err     error
	filters []inbox.Filter
	replays []inbox.Replay

	unreadable []inbox.Unreadable // newest first
	ever       uint64
}

func (f *fakeInbox) Unreadable(_ context.Context, limit int) ([]inbox.Unreadable, uint64, error) {
	return f.unreadable[:min(limit, len(f.unreadable))], f.ever, f.err
}

func (f *fakeInbox) List(_ context.Context, q inbox.Filter) ([]inbox.Message, int, error) {
	f.filters = append(f.filters, q)
	return f.page, f.total, f.err
}

func (f *fakeInbox) Replay(_ context.Context, r inbox.Replay) error {
	f.replays = append(f.replays, r)
	return f.err
}
