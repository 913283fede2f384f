package scheduler

import (
	"context"
	"fmt"
	"time"

	"dongled/modem"
	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
	"dongled/scheduler/store"
)

// Inbox is what came in.
func (s *Scheduler) Inbox() *inbox.Inbox { return s.inbox }

// sweeper is a Sender that can be asked to look for what its dongle never told of. *modem.Worker is one.
type sweeper interface{ Sweep() }

// Sweep has every dongle searched for messages that it keeps. It does not wait; what is found comes in
// as always.
func (s *Scheduler) Sweep() {
	for _, c := range s.all() {
		if w, can := c.Sender.(sweeper); can {
			w.Sweep()
		}
	}
}

// Received implements modem.Sink: it returns after the message, or what cannot be read of it, is
// stored. The same one may come again.
func (s *Scheduler) Received(ctx context.Context, from modem.Origin, m modem.Incoming) error {
	if m.Err != nil {
		s.log.Warn("what came in cannot be read; it is archived", "sim", from.SIM, "pdu", len(m.Raw), "err", m.Err)
		u := inbox.Unreadable{PDU: m.Raw, Line: m.Line, Error: m.Err.Error()}
		if err := s.inbox.Archive(ctx, inbox.Origin(from), u); err != nil {
			return fmt.Errorf("archive what cannot be read: %w", err)
		}
		return nil
	}
	if err := s.inbox.Receive(ctx, inbox.Origin(from), m.Deliver); err != nil {
		return fmt.Errorf("store message: %w", err)
	}
	s.log.Debug("message received", "sim", from.SIM, "concat", m.Deliver.Concat != nil)
	return nil
}

// call is the payload of call:received, in the manner of SMSGate's sms:received.
type call struct {
	// PhoneNumber and Sender are the caller's, empty if withheld.
	PhoneNumber string `json:"phoneNumber"`
	Sender      string `json:"sender"`
	Recipient   string `json:"recipient,omitempty"`
	SIM         int    `json:"simNumber"`
	ReceivedAt  string `json:"receivedAt"`
}

// Called implements modem.Sink: it returns after the event is stored.
func (s *Scheduler) Called(ctx context.Context, from modem.Origin, c modem.Call) error {
	if c.At.IsZero() {
		c.At = time.Now()
	}
	err := s.store.Do(ctx, func(t *store.Tx) error {
		s.outbox.Put(t, outbox.CallReceived, "", call{
			PhoneNumber: c.Number, Sender: c.Number, Recipient: from.Number, SIM: from.SIM,
			ReceivedAt: c.At.Local().Format(outbox.TimeFormat),
		})
		return t.Err
	})
	if err != nil {
		return fmt.Errorf("store call: %w", err)
	}
	return nil
}

// Events returns the first events behind number after, at most limit, in their order.
func (s *Scheduler) Events(after uint64, limit int) ([]outbox.Event, error) {
	return s.outbox.Events(after, limit)
}

// Announce stores an event that is about no message; it returns after the commit.
func (s *Scheduler) Announce(ctx context.Context, name string, payload any) error {
	return s.store.Do(ctx, func(t *store.Tx) error {
		s.outbox.Put(t, name, "", payload)
		return t.Err
	})
}
