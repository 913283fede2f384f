package uplink

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
)

const (
	// eventPage bounds the events that are looked at in one step.
	eventPage = 500
	// maxReports is how many reports one request carries.
	maxReports = 100
	// cursorEvery is how many events that are none of ours may be seen again after a restart.
	cursorEvery = 5000
)

// flush reports all that is to be reported: first what the server did not take before, then what
// happened since. When that fails, all of it is owed.
func (s *session) flush(ctx context.Context) error {
	if err := s.flushOwed(ctx); err != nil {
		return errors.Join(err, s.keepAll(ctx))
	}
	for {
		reports, seen, more, err := s.news(ctx)
		if err != nil {
			return err
		}
		took, err := s.send(ctx, reports)
		if err != nil {
			return errors.Join(err, s.keepAll(ctx))
		}
		if err := s.saw(ctx, took, seen); err != nil || !more {
			return err
		}
	}
}

// keepAll stores the reports of what happened since, for when the server takes them.
func (s *session) keepAll(ctx context.Context) error {
	for {
		reports, seen, more, err := s.news(ctx)
		if err != nil {
			return err
		}
		if err := s.keep(ctx, reports, seen); err != nil || !more {
			return err
		}
	}
}

func (s *session) keep(ctx context.Context, reports []report, seen uint64) error {
	if len(reports) == 0 {
		return s.saw(ctx, nil, seen)
	}
	kept := make([]owedReport, len(reports))
	for i, r := range reports {
		kept[i].report = r
	}
	if err := s.owe(ctx, kept, seen); err != nil {
		return err
	}
	s.seen, s.stored = seen, seen
	return nil
}

// saw remembers that events up to seen need no more, in the store if that matters.
func (s *session) saw(ctx context.Context, reports []report, seen uint64) error {
	if len(reports) > 0 || seen >= s.stored+cursorEvery {
		if err := s.settle(ctx, reports, seen); err != nil {
			return err
		}
		s.stored = seen
	}
	s.seen = seen
	return nil
}

// news are the reports of the messages that changed since, as they are now. seen is the last event
// looked at.
func (s *session) news(ctx context.Context) (reports []report, seen uint64, more bool, err error) {
	events, damaged := s.messages.Events(s.seen, eventPage)
	if damaged != nil && len(events) == 0 {
		if errors.Is(damaged, outbox.ErrDamaged) {
			s.log.Error("an event is damaged: if it was of a message of the server, the next one tells it", "event", s.seen+1)
			return nil, s.seen + 1, true, nil
		}
		return nil, s.seen, false, damaged
	}
	seen = s.seen
	done := map[string]bool{}
	for _, e := range events {
		seen = e.Seq
		if e.Name != outbox.MessageState || done[e.Ref] {
			continue
		}
		done[e.Ref] = true
		r, ok, err := s.current(ctx, e.Ref)
		if err != nil {
			return nil, s.seen, false, err
		}
		if ok {
			reports = append(reports, r)
		}
	}
	return reports, seen, len(events) == eventPage || damaged != nil, nil
}

// current is the report of a message as it is now; ok is false if there is nothing to be told of it.
func (s *session) current(ctx context.Context, id string) (r report, ok bool, err error) {
	q, err := s.messages.Get(ctx, id)
	if errors.Is(err, queue.ErrNotFound) {
		s.log.Warn("a message of the server ended, and the queue does not keep it any more: it is not reported", "id", id)
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	own, mine := s.mine(&q)
	if !mine || untouched(&q) {
		return r, false, nil
	}
	return reportOf(&q, own), true, nil
}

// flushOwed reports what the server did not take before.
func (s *session) flushOwed(ctx context.Context) error {
	for after := ""; ; {
		owed, err := s.owed(after, maxReports)
		if err != nil || len(owed) == 0 {
			return err
		}
		after = owed[len(owed)-1].ID
		var reports, done []report
		for _, o := range owed {
			r, ok, err := s.refresh(ctx, o.report)
			if err != nil {
				return err
			}
			if ok {
				reports = append(reports, r)
			} else {
				done = append(done, o.report)
			}
		}
		took, err := s.send(ctx, reports)
		if err != nil {
			return err
		}
		if err := s.settle(ctx, append(done, took...), s.seen); err != nil {
			return err
		}
		s.stored = s.seen
	}
}

// refresh returns the report of a message as it is now, or as it was kept where the queue keeps the
// message no more. ok is false if there is nothing to tell.
func (s *session) refresh(ctx context.Context, kept report) (r report, ok bool, err error) {
	q, err := s.messages.Get(ctx, kept.ID)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		return kept, len(kept.Recipients) > 0, nil // none: it was damaged
	case err != nil:
		return r, false, err
	}
	own, mine := s.mine(&q)
	if !mine {
		return r, false, nil
	}
	return reportOf(&q, own), true, nil
}

// send tells the server, in as many requests as it takes, and returns what the server took. A report
// that it calls wrong is logged and remembered, so that it does not keep all others from being told.
func (s *session) send(ctx context.Context, reports []report) (took []report, err error) {
	for batch := range slices.Chunk(reports, maxReports) {
		if took, err = s.sendBatch(ctx, batch, took); err != nil {
			return nil, err
		}
	}
	return took, nil
}

func (s *session) sendBatch(ctx context.Context, batch, took []report) ([]report, error) {
	err := s.call(ctx, http.MethodPatch, "/messages", bearer(s.device.Token), batch, http.StatusNoContent, nil)
	if !refused(err, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity) {
		return append(took, batch...), err
	}
	if half := len(batch) / 2; half > 0 {
		if took, err = s.sendBatch(ctx, batch[:half], took); err != nil {
			return nil, err
		}
		return s.sendBatch(ctx, batch[half:], took)
	}
	s.log.Error("the server does not take the report of a message", "id", batch[0].ID, "state", batch[0].State, "err", err)
	return took, s.owe(ctx, []owedReport{{report: batch[0], Refused: true}}, s.stored)
}
