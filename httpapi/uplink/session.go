package uplink

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

const (
	// pollEvery is when messages, webhooks and settings are asked for without an event.
	pollEvery = 15 * time.Minute
	// cardsEvery is how often the cards are looked at, and at most told of.
	cardsEvery = time.Minute
)

// asked is a set of what is to be done at once.
type asked int

const (
	askReports asked = 1 << iota
	askMessages
	askWebhooks
	askSettings
	// askDevice looks whether the server still knows this device.
	askDevice
)

// maxWanted bounds the cancellations and exports that wait to be dealt with.
const maxWanted = 256

// session is the time between a registration and the next. Its fields besides the guarded ones belong
// to the goroutine that runs it.
type session struct {
	*Uplink
	messages Messages
	export   func(context.Context, Export) error
	device   registration
	tasks    []*task
	// seen is the last event that was dealt with, stored what the store knows of it.
	seen, stored uint64
	// cards is what the server last was told of the cards.
	cards []simCard

	mu      sync.Mutex
	wanted  asked
	cancels []string
	exports []Export
	woken   chan struct{}
}

// task is one of the things that a session does over and over.
type task struct {
	name string
	on   asked
	do   func(context.Context) error
	// every is how often it is done without anybody asking; 0 is never.
	every    time.Duration
	due      time.Time
	failures int
}

func newSession(u *Uplink, m Messages, export func(context.Context, Export) error, device registration) *session {
	s := &session{Uplink: u, messages: m, export: export, device: device, woken: make(chan struct{}, 1)}
	s.seen = u.cursor()
	s.stored = s.seen
	now := time.Now()
	s.tasks = []*task{
		{name: "report states", on: askReports, do: s.flush, due: now},
		{name: "fetch messages", on: askMessages, do: s.fetch, every: pollEvery, due: now},
		{name: "tell of the SIMs", do: s.tellCards, every: cardsEvery, due: now},
		{name: "look for this device", on: askDevice, do: s.verify},
	}
	if u.opts.Hooks != nil {
		s.tasks = append(s.tasks, &task{name: "fetch webhooks", on: askWebhooks, do: s.syncWebhooks, every: pollEvery, due: now})
	}
	if u.opts.Settings != nil {
		s.tasks = append(s.tasks, &task{name: "fetch settings", on: askSettings, do: s.syncSettings, every: pollEvery, due: now})
	}
	return s
}

// run works until ctx ends or the server does not know the device: then errUnregistered.
func (s *session) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var listening sync.WaitGroup
	listening.Go(func() { s.listen(ctx) })
	defer listening.Wait()
	defer cancel()
	for {
		wait, err := s.work(ctx)
		if err != nil {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-s.told:
			s.prompt(askReports, false)
		case <-s.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// work does what is due and returns how long nothing else will be.
func (s *session) work(ctx context.Context) (time.Duration, error) {
	s.doWanted(ctx)
	for i := 0; i < len(s.tasks); i++ {
		t := s.tasks[i]
		if t.due.IsZero() || t.due.After(time.Now()) {
			continue
		}
		err := t.do(ctx)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if errors.Is(err, errUnregistered) {
			return 0, err
		}
		s.done(t, err)
		if refused(err, http.StatusUnauthorized) {
			s.prompt(askDevice, false)
		}
	}
	next := time.Now().Add(pollEvery)
	for _, t := range s.tasks {
		if !t.due.IsZero() && t.due.Before(next) {
			next = t.due
		}
	}
	return max(0, time.Until(next)), nil
}

// done sets when t is due again. Only the first of several failures is a warning.
func (s *session) done(t *task, err error) {
	if err == nil {
		if t.failures > 0 {
			s.log.Info("the server can be reached again", "task", t.name)
		}
		t.failures, t.due = 0, time.Time{}
		if t.every > 0 {
			t.due = time.Now().Add(t.every)
		}
		return
	}
	pause := backoff(t.failures)
	if t.failures == 0 {
		s.log.Warn("cannot "+t.name+"; it is tried again and again", "err", err, "again_in", pause)
	} else {
		s.log.Debug("cannot "+t.name, "err", err, "again_in", pause)
	}
	t.failures++
	t.due = time.Now().Add(pause)
}

// prompt makes tasks due; those that failed only if the server is known to be there again.
func (s *session) prompt(which asked, there bool) {
	for _, t := range s.tasks {
		if t.on&which != 0 && (there || t.failures == 0) {
			t.due = time.Now()
		}
	}
}

// ask has something done at once, by the goroutine that runs s. The server asks for it, so it is there.
func (s *session) ask(which asked) {
	s.mu.Lock()
	s.wanted |= which
	s.mu.Unlock()
	s.wake()
}

// askCancel has a message cancelled. One that does not fit comes with the list too.
func (s *session) askCancel(id string) {
	s.mu.Lock()
	if s.wanted |= askMessages; id != "" && len(s.cancels) < maxWanted {
		s.cancels = append(s.cancels, id)
	}
	s.mu.Unlock()
	s.wake()
}

func (s *session) askExport(e Export) {
	s.mu.Lock()
	fits := len(s.exports) < maxWanted
	if fits {
		s.exports = append(s.exports, e)
	}
	s.mu.Unlock()
	if !fits {
		s.log.Warn("the server asks for too many exports at once; one is not done", "waiting", maxWanted)
	}
	s.wake()
}

func (s *session) wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// doWanted does what others asked for since.
func (s *session) doWanted(ctx context.Context) {
	s.mu.Lock()
	wanted, cancels, exports := s.wanted, s.cancels, s.exports
	s.wanted, s.cancels, s.exports = 0, nil, nil
	s.mu.Unlock()
	for _, id := range cancels {
		s.cancel(ctx, id)
	}
	for _, e := range exports {
		if err := s.export(ctx, e); err != nil && ctx.Err() == nil {
			s.log.Error("the inbox was not exported", "err", err)
		}
	}
	s.prompt(wanted, true)
}
