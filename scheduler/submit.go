package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"dongled/pdu"
	"dongled/scheduler/queue"
)

// maxRecipients is how many numbers one message may name.
const maxRecipients = 100

// Submit checks s, normalises its numbers and stores it. It returns after the commit, whatever the
// modems do. A *queue.FieldError is the client's fault; nothing was stored then.
func (s *Scheduler) Submit(ctx context.Context, sub queue.Submission) (queue.Message, error) {
	parts, err := s.check(&sub)
	if err != nil {
		return queue.Message{}, err
	}
	return s.queue.Enqueue(ctx, sub, parts)
}

// Get returns the message of that ID, or queue.ErrNotFound.
func (s *Scheduler) Get(ctx context.Context, id string) (queue.Message, error) {
	return s.queue.Get(ctx, id)
}

// List returns the page that f asks for and the number of all messages that match.
func (s *Scheduler) List(ctx context.Context, f queue.Filter) ([]queue.Message, int, error) {
	return s.queue.List(ctx, f)
}

// Scan returns a page of the messages of one origin, and where the next begins; see queue.Queue.Scan.
func (s *Scheduler) Scan(ctx context.Context, q queue.Scan) (page []queue.Message, next uint64, err error) {
	return s.queue.Scan(ctx, q)
}

// Cancel withdraws a message that is still Pending; see queue.Queue.Cancel.
func (s *Scheduler) Cancel(ctx context.Context, id string) (queue.Message, error) {
	return s.queue.Cancel(ctx, id)
}

func invalid(field, format string, args ...any) error {
	return &queue.FieldError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// check validates sub, replaces its numbers by their normal form and returns its parts. What is
// encrypted is checked when it was opened.
func (s *Scheduler) check(sub *queue.Submission) (parts int, err error) {
	if !sub.Encrypted {
		if parts, err = s.count(sub.Content); err != nil {
			return 0, err
		}
	}
	if err := s.checkSIM(sub.SIM); err != nil {
		return 0, err
	}
	if err := s.checkTimes(sub); err != nil {
		return 0, err
	}
	return parts, s.checkNumbers(sub)
}

// checkSIM lets a message wait for a SIM that is there, or that was there before.
func (s *Scheduler) checkSIM(number int) error {
	if number == 0 || s.find(number) != nil {
		return nil
	}
	if s.opts.Numbered {
		if before, err := s.queue.Numbered(number); before || err != nil {
			return err
		}
	}
	return invalid("simNumber", "SIM %d not found; there are: %s", number, s.numbers())
}

func (s *Scheduler) count(c queue.Content) (int, error) {
	field := "textMessage.text"
	switch {
	case c.IsData():
		field = "dataMessage.data"
	case c.Flash:
		field = "flashMessage.text"
	}
	counted, err := pdu.Count(content(c))
	switch {
	case errors.Is(err, pdu.ErrTooLong):
		return 0, invalid(field, "needs more than %d parts", pdu.MaxParts)
	case err != nil:
		return 0, invalid(field, "%s", strings.TrimPrefix(err.Error(), "pdu: "))
	case counted.Parts > s.opts.MaxParts:
		return 0, invalid(field, "needs %d parts of %d allowed (messages.max_parts)", counted.Parts, s.opts.MaxParts)
	}
	return counted.Parts, nil
}

func (s *Scheduler) checkTimes(sub *queue.Submission) error {
	switch {
	case !sub.ValidUntil.IsZero() && !sub.ValidUntil.After(time.Now()):
		return invalid("validUntil", "message already expired")
	case !sub.ValidUntil.IsZero() && sub.ScheduleAt.After(sub.ValidUntil):
		return invalid("scheduleAt", "scheduleAt must be less than or equal to validUntil")
	}
	return nil
}

func (s *Scheduler) checkNumbers(sub *queue.Submission) error {
	if n := len(sub.Recipients); n < 1 || n > maxRecipients {
		return invalid("phoneNumbers", "must hold 1 to %d numbers, not %d", maxRecipients, n)
	}
	numbers := slices.Clone(sub.Recipients)
	for i, number := range numbers {
		var err error
		if !sub.Encrypted {
			numbers[i], err = s.number(number, sub.SkipPhoneValidation)
		}
		field := fmt.Sprintf("phoneNumbers[%d]", i)
		if err != nil {
			return invalid(field, "failed to use phone in row %d: %v", i+1, err)
		}
		if first := slices.Index(numbers[:i], numbers[i]); first >= 0 {
			return invalid(field, "phone numbers must be unique: the same as phoneNumbers[%d]", first)
		}
	}
	sub.Recipients = numbers
	return nil
}

// number is a number as it is dialled.
func (s *Scheduler) number(given string, skipValidation bool) (string, error) {
	if skipValidation {
		return dialable(given)
	}
	return normalise(given, s.opts.Region)
}

func (s *Scheduler) numbers() string {
	var names []string
	for _, c := range s.all() {
		names = append(names, fmt.Sprint(c.SIM()))
	}
	return strings.Join(names, ", ")
}
