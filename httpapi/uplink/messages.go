package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"unicode/utf8"

	"dongled/scheduler/queue"
)

// maxPages bounds the pages of one fetch, so that reports get their turn.
const maxPages = 100

// fate is what became of a listed message.
type fate int

const (
	taken   fate = iota // it is in the queue, and nothing of it has been begun
	told                // its report says the rest
	waiting             // it stays at the server for now
	skipped             // nothing can be done about it
)

// errLater says that messages were left at the server and are to be fetched again.
var errLater = errors.New("the queue takes no more messages for now; they stay at the server")

// fetch takes what is Pending at the server, and cancels what is to be cancelled. The oldest come first,
// so that the queue has them in the server's order.
func (s *session) fetch(ctx context.Context) error {
	for range maxPages {
		// What the queue has done meanwhile need not be listed.
		if err := s.flush(ctx); err != nil {
			return err
		}
		var page []json.RawMessage
		if err := s.get(ctx, "/messages?order=fifo", &page); err != nil {
			return err
		}
		more, err := s.takeAll(ctx, page)
		if err != nil || !more {
			return err
		}
	}
	return errLater
}

// takeAll deals with a page. more says that there may be messages behind it, and that it made room.
func (s *session) takeAll(ctx context.Context, page []json.RawMessage) (more bool, err error) {
	var reports, acknowledged []report
	held := 0
	for _, raw := range page {
		r, fate, err := s.take(ctx, raw)
		if err != nil {
			_, unsent := s.send(ctx, reports)
			return false, errors.Join(err, unsent)
		}
		switch fate {
		case told:
			reports = append(reports, r)
		case taken:
			acknowledged = append(acknowledged, r)
		case waiting:
			held++
		}
	}
	full := len(page) >= pageLen
	if full {
		reports = append(reports, acknowledged...)
	}
	if _, err := s.send(ctx, reports); err != nil {
		return false, err
	}
	if held > 0 {
		return false, errLater
	}
	return full && len(reports) > 0, nil
}

// take deals with one message. An error is the store's.
func (s *session) take(ctx context.Context, raw json.RawMessage) (report, fate, error) {
	m, unreadable := decodeMessage(raw)
	if m.ID == "" || utf8.RuneCountInString(m.ID) > maxIDLen || len(m.PhoneNumbers) == 0 {
		s.log.Error("the server gives a message that cannot even be reported", "id", m.ID, "recipients", len(m.PhoneNumbers), "err", unreadable)
		return report{}, skipped, nil
	}
	q, err := s.messages.Get(ctx, m.ID)
	if err == nil {
		return s.known(ctx, m, q)
	}
	if !errors.Is(err, queue.ErrNotFound) {
		return report{}, waiting, err
	}
	owed, err := s.isOwed(m.ID)
	switch {
	case err != nil:
		return report{}, waiting, err
	case owed: // it ended, and the queue keeps it no more
		return report{}, skipped, nil
	case m.State == stateCancelling:
		s.log.Info("message cancelled before it was taken", "id", m.ID)
		return m.ended(queue.Cancelled, ""), told, nil
	case unreadable != nil:
		return s.refuse(m, unreadable)
	}
	return s.submit(ctx, m)
}

// known deals with a message whose ID the queue has.
func (s *session) known(ctx context.Context, m message, q queue.Message) (report, fate, error) {
	own, mine := s.mine(&q)
	if !mine {
		if m.State == stateCancelling {
			return m.ended(queue.Cancelled, ""), told, nil
		}
		return s.refuse(m, errors.New("this gateway has another message with this ID"))
	}
	if m.State == stateCancelling {
		// ErrNotPending changes nothing: the true state is told below.
		after, err := s.messages.Cancel(ctx, q.ID)
		if err != nil && !errors.Is(err, queue.ErrNotPending) {
			return report{}, waiting, err
		}
		if err != nil {
			after, err = s.messages.Get(ctx, q.ID)
		}
		return reportOf(&after, own), told, err
	}
	if untouched(&q) {
		return reportOf(&q, own), taken, nil
	}
	return reportOf(&q, own), told, nil
}

func (s *session) submit(ctx context.Context, m message) (report, fate, error) {
	sub, err := m.submission(s.device.ID)
	if err != nil {
		return s.refuse(m, err)
	}
	q, err := s.messages.Submit(ctx, sub)
	var field *queue.FieldError
	var limit *queue.LimitError
	switch {
	case err == nil:
		s.log.Info("message taken from the server", "id", m.ID, "recipients", len(m.PhoneNumbers))
		own, err := metaOf(&q)
		return reportOf(&q, own), taken, err
	case errors.As(err, &field):
		return s.refuse(m, field)
	case errors.As(err, &limit), errors.Is(err, queue.ErrDuplicateID): // it came in by the API just now
		return report{}, waiting, nil
	}
	return report{}, waiting, err
}

// refuse reports m as Failed. The reason may hold its numbers, so that it is not logged.
func (s *session) refuse(m message, err error) (report, fate, error) {
	var field *queue.FieldError
	name := ""
	if errors.As(err, &field) {
		name = field.Field
	}
	s.log.Warn("message of the server refused; it is told why", "id", m.ID, "field", name)
	return m.ended(queue.Failed, problemOf(m, err)), told, nil
}

// mine reports whether q came from this server for this device, and returns what belongs to it.
func (s *session) mine(q *queue.Message) (meta, bool) {
	if q.Origin != Origin {
		return meta{}, false
	}
	own, err := metaOf(q)
	if err != nil {
		s.log.Error("what belongs to a message of the server is damaged", "id", q.ID, "err", err)
		own = meta{Device: s.device.ID}
		for _, r := range q.Recipients {
			own.To = append(own.To, r.Number)
		}
	}
	return own, own.Device == s.device.ID
}

// cancel withdraws a message of which the server says that it is to be cancelled. Its list is asked
// next, which has what was not taken yet; the state is reported like any other.
func (s *session) cancel(ctx context.Context, id string) {
	q, err := s.messages.Get(ctx, id)
	if err != nil {
		return
	}
	if _, mine := s.mine(&q); !mine {
		return
	}
	if _, err := s.messages.Cancel(ctx, id); err != nil && !errors.Is(err, queue.ErrNotPending) && ctx.Err() == nil {
		s.log.Error("message not cancelled", "id", id, "err", err)
	}
}

// get reads an answer of the server to this device.
func (s *session) get(ctx context.Context, path string, out any) error {
	return s.call(ctx, http.MethodGet, path, bearer(s.device.Token), nil, http.StatusOK, out)
}
