package scheduler

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"dongled/scheduler/queue"
	"dongled/scheduler/seal"
)

// sealedCame wakes unseal.
func (s *Scheduler) sealedCame() {
	select {
	case s.sealed <- struct{}{}:
	default:
	}
}

// unseal opens what came encrypted, one message after the other, until ctx ends. To derive a key takes
// a large part of a second on a small board, and each number has its own, so requests do not wait for
// it. What is left when the daemon stops is opened after the next start.
func (s *Scheduler) unseal(ctx context.Context) {
	var after uint64
	for {
		next, err := s.queue.NextSealed(after)
		if err == nil && next != nil {
			found := s.open(ctx, next)
			if ctx.Err() != nil {
				return // perhaps before all was opened
			}
			if err = s.queue.Unseal(ctx, next.Seq, found); err == nil {
				after = next.Seq
				continue
			}
		}
		if ctx.Err() != nil || errors.Is(err, queue.ErrClosed) {
			return
		}
		var again <-chan time.Time
		if err != nil {
			s.log.Error("the store refuses; encrypted messages wait", "err", err)
			again = time.After(storeRetry)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.sealed:
		case <-again:
		}
	}
}

// open decrypts and checks a message. Its errors are SMSGate's, and tell nothing of what was decrypted.
// When ctx ends it returns early, with what must not be used.
func (s *Scheduler) open(ctx context.Context, m *queue.Sealed) queue.Opened {
	found := queue.Opened{Recipients: make([]queue.OpenedRecipient, len(m.Recipients))}
	opener := seal.NewOpener(*s.passphrase.Load())
	var err error
	if found.Content, found.Parts, err = s.openContent(opener, m.Content); err != nil {
		for i := range found.Recipients {
			found.Recipients[i].Error = "Can't send message: " + err.Error()
		}
		return found
	}
	for i, sealed := range m.Recipients {
		if ctx.Err() != nil {
			break
		}
		r := &found.Recipients[i]
		number, err := s.openNumber(opener, sealed, m.SkipPhoneValidation)
		first := slices.IndexFunc(found.Recipients[:i], func(r queue.OpenedRecipient) bool { return r.Number == number })
		switch {
		case err != nil:
			r.Error = "sendSMS: " + err.Error()
		case first >= 0:
			r.Error = fmt.Sprintf("sendSMS: Duplicate phone number: the same as phoneNumbers[%d]", first)
		default:
			r.Number = number
		}
	}
	return found
}

// openContent returns the clear content and its parts.
func (s *Scheduler) openContent(o *seal.Opener, c queue.Content) (queue.Content, int, error) {
	clear := queue.Content{Port: c.Port, Flash: c.Flash}
	var err error
	if c.IsData() {
		clear.Data, err = openData(o, c)
	} else if clear.Text, err = o.Open(c.Text); err == nil && clear.Text == "" {
		//lint:ignore ST1005 SMSGate's words
		err = errors.New("Text message is empty")
	}
	if err != nil {
		return queue.Content{}, 0, err
	}
	parts, err := s.count(clear)
	return clear, parts, err
}

// openData decodes what was encrypted as base64.
func openData(o *seal.Opener, c queue.Content) ([]byte, error) {
	encoded, err := o.Open(string(c.Data))
	if err != nil {
		return nil, err
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	switch {
	case err != nil:
		return nil, errors.New("dataMessage.data: must be base64 with padding (RFC 4648 section 4)")
	case len(data) == 0:
		//lint:ignore ST1005 SMSGate's words
		return nil, errors.New("Data message cannot be empty")
	}
	return data, nil
}

//lint:ignore ST1005 SMSGate's words
var errInvalidNumber = errors.New("Invalid phone number")

func (s *Scheduler) openNumber(o *seal.Opener, sealed string, skipValidation bool) (string, error) {
	clear, err := o.Open(sealed)
	if err != nil {
		return "", err
	}
	number, err := s.number(clear, skipValidation)
	if err != nil {
		return "", errInvalidNumber
	}
	return number, nil
}
