package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler/queue"
)

// Sender is the worker of one dongle, as seen from here. *modem.Worker is one.
type Sender interface {
	// SIM is the simNumber, 1 to 255.
	SIM() int
	Status() modem.Status
	// Submit sends one SMS-SUBMIT and returns the TP-MR of its +CMGS; the error is a
	// *modem.SubmitError. waiting says that another part follows. Nothing may leave before
	// cleared returned nil. A cancelled ctx ends it only while nothing has left.
	Submit(ctx context.Context, seg pdu.Segment, waiting bool, cleared func() error) (mr uint8, err error)
}

// Selection is how a SIM is chosen for messages that name none. The names are SMSGate's.
type Selection string

// The selections, all among the SIMs that are ready.
const (
	OSDefault  Selection = "OSDefault"  // the lowest simNumber
	RoundRobin Selection = "RoundRobin" // each in turn, message by message
	Random     Selection = "Random"
)

// Options configure a Scheduler. The zero value is SMSGate's defaults.
type Options struct {
	Selection Selection
	// IntervalMin and IntervalMax bound the random pause between two messages of a SIM; no pause
	// unless IntervalMax is positive.
	IntervalMin, IntervalMax time.Duration
	// Limit caps the messages that a SIM begins in a sliding period.
	Limit queue.Limit
	// FIFO, RetryUnknown and UnknownAfter are the queue's.
	FIFO         bool
	RetryUnknown bool
	UnknownAfter time.Duration
	// MaxParts refuses longer messages; 0 means 255.
	MaxParts int
	// Retention deletes messages that ended that long ago; 0 keeps them.
	Retention time.Duration
	// Region reads national numbers (ISO 3166-1 alpha-2); empty takes international ones only.
	Region string
	// OnPart, if set, is told of each part before it is submitted and after its outcome is
	// known (err nil for +CMGS). It must not block.
	OnPart func(job *queue.Job, seg pdu.Segment, err error, after bool)
	Log    *slog.Logger
}

// Scheduler owns the queue and the sending goroutines.
type Scheduler struct {
	opts  Options
	queue *queue.Queue
	log   *slog.Logger

	// sims is complete before Run and not changed after it; the store's writer, which is there
	// from Open on, reads it once running is set.
	sims    []*sim
	running atomic.Bool

	mu sync.Mutex
	// turn is the SIM whose turn it is to take a message that named none; 0 before the first.
	turn int
}

// Open opens the store at path, recovering from a crash. Close must be called after Run has ended.
func Open(path string, opts Options) (*Scheduler, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Selection == "" {
		opts.Selection = OSDefault
	}
	if opts.MaxParts == 0 {
		opts.MaxParts = pdu.MaxParts
	}
	s := &Scheduler{opts: opts, log: opts.Log}
	q, err := queue.Open(path, queue.Options{
		FIFO: opts.FIFO, RetryUnknown: opts.RetryUnknown, UnknownAfter: opts.UnknownAfter,
		Wake: s.wake, Log: opts.Log,
	})
	if err != nil {
		return nil, err
	}
	s.queue = q
	return s, nil
}

// Close closes the store.
func (s *Scheduler) Close() error { return s.queue.Close() }

// Gateway is the identity that the store keeps.
func (s *Scheduler) Gateway() (queue.Gateway, error) { return s.queue.Gateway() }

// Add makes a SIM known. It must be called before Run, once for each simNumber.
func (s *Scheduler) Add(sender Sender) {
	s.sims = append(s.sims, &sim{Sender: sender, woken: make(chan struct{}, 1)})
	slices.SortFunc(s.sims, func(a, b *sim) int { return a.SIM() - b.SIM() })
}

// Run sends until ctx ends. It returns when the part in flight on every SIM has its outcome stored;
// nothing new is claimed meanwhile.
func (s *Scheduler) Run(ctx context.Context) error {
	s.running.Store(true)
	var wg sync.WaitGroup
	for _, c := range s.sims {
		wg.Go(func() { s.serve(ctx, c) })
	}
	if s.opts.Retention > 0 {
		wg.Go(func() { s.retire(ctx) })
	}
	wg.Wait()
	return nil
}

// wake rouses the SIMs that may find work in a lane; lane 0 concerns all. Before Run nobody sleeps.
func (s *Scheduler) wake(lane int) {
	if !s.running.Load() {
		return
	}
	for _, c := range s.sims {
		if lane == 0 || c.SIM() == lane {
			c.wake()
		}
	}
}

// Changed implements modem.Sink: a SIM came or went, so somebody may have to go on.
func (s *Scheduler) Changed(modem.Status) { s.wake(0) }

// Reported implements modem.Sink: it returns after the report is stored.
func (s *Scheduler) Reported(ctx context.Context, from modem.Origin, r pdu.Report) error {
	match, err := s.queue.Report(ctx, queue.Report{
		IMSI: identity(from.SIM, from.IMSI), MR: r.MR, Recipient: r.Recipient,
		Status: uint8(r.Status), Verdict: verdict(r.Status), Text: reportText(r),
	})
	if err != nil {
		return fmt.Errorf("store status report: %w", err)
	}
	s.log.Debug("status report", "sim", from.SIM, "mr", r.MR, "status", uint8(r.Status), "match", match)
	return nil
}

func verdict(st pdu.Status) queue.Verdict {
	switch st.Class() {
	case pdu.StatusDelivered:
		return queue.VerdictDelivered
	case pdu.StatusTrying:
		return queue.VerdictTrying
	default:
		return queue.VerdictFailed
	}
}

// reportText is what a recipient's error says of a report; plain delivery has nothing to say.
// The form is SMSGate's.
func reportText(r pdu.Report) string {
	if r.Status == 0 {
		return ""
	}
	return fmt.Sprintf("Delivery result from SC %s: %d (%s)", r.SMSC, uint8(r.Status), r.Status)
}

// identity is what the ledger knows a card by: its IMSI, or where that could not be read its slot.
func identity(sim int, imsi string) string {
	if imsi == "" {
		return fmt.Sprintf("sim-%d", sim)
	}
	return imsi
}

// Modems returns the status of every SIM, by simNumber. A SIM that was paused says why.
func (s *Scheduler) Modems() []modem.Status {
	out := make([]modem.Status, len(s.sims))
	for i, c := range s.sims {
		out[i] = c.status(time.Now())
	}
	return out
}

const (
	retireEvery = time.Hour
	retireBatch = 200
)

// retire deletes what ended long ago: once an hour, in steps that keep every commit short.
func (s *Scheduler) retire(ctx context.Context) {
	tick := time.NewTicker(retireEvery)
	defer tick.Stop()
	for {
		var from uint64
		for more := true; more && ctx.Err() == nil; {
			var err error
			_, more, err = s.queue.Retire(ctx, time.Now().Add(-s.opts.Retention), &from, retireBatch)
			if err != nil && ctx.Err() == nil {
				s.log.Error("old messages were not deleted; it is tried again in an hour", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
