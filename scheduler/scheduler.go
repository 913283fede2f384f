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
	"dongled/scheduler/inbox"
	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
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
	Talker
}

// Selection is how a SIM is chosen for messages that name none. The names are SMSGate's.
type Selection string

// The selections, all among the SIMs that are ready.
const (
	OSDefault  Selection = "OSDefault"  // the lowest simNumber
	RoundRobin Selection = "RoundRobin" // each in turn, message by message
	Random     Selection = "Random"
)

// Options configure a Scheduler. The zero value is SMSGate's defaults. What Policy has too is the policy
// until SetPolicy changes it.
type Options struct {
	Selection Selection
	// IntervalMin and IntervalMax bound the random pause between two messages of a SIM; no pause
	// unless IntervalMax is positive.
	IntervalMin, IntervalMax time.Duration
	// Limit caps the messages that a SIM begins in a sliding period.
	Limit queue.Limit
	// WorkHours hold messages outside of them.
	WorkHours WorkHours
	// Limits refuse new messages while the queue is not well.
	Limits queue.Limits
	// Routes choose the SIMs for messages that name none, by the recipients' numbers.
	Routes []Route
	// Quotas cap what SIMs send, by simNumber; that of 0 is for all SIMs that have none.
	Quotas map[int]queue.Quota
	// Taken are the simNumbers that Number must not give away, as the configuration does.
	Taken []int
	// Numbered takes messages for SIMs that Number once gave a number, while they are not there.
	Numbered bool
	// FIFO, RetryUnknown and UnknownAfter are the queue's.
	FIFO         bool
	RetryUnknown bool
	UnknownAfter time.Duration
	// MaxParts refuses longer messages; 0 means 255.
	MaxParts int
	// Retention deletes messages that ended that long ago; 0 keeps them.
	Retention time.Duration
	// Balance is how the credit of SIMs is asked for, by simNumber.
	Balance map[int]Balance
	// Inbox is how what comes in is kept.
	Inbox Inbox
	// Region reads national numbers (ISO 3166-1 alpha-2); empty takes international ones only.
	Region string
	// Zone is where work hours are, and the days and months of quotas begin; nil means time.Local.
	Zone *time.Location
	// Rooms are further rooms of the store.
	Rooms []store.Room
	// Told, if set, is called in the transaction of each event, after it was entered.
	Told func(*store.Tx, outbox.Event)
	// Changed, if set, is called in the transaction of each change of a message that has an Origin, that of
	// Open included, and Received in that of each message that comes in.
	Changed  func(*store.Tx, queue.Change)
	Received func(*store.Tx, inbox.Message)
	// QuietHours hold the messages that wait them out (queue.Submission.Quiet), whatever the priority:
	// nobody is begun to be sent to within them. Start and End are as those of WorkHours; both the same
	// is never.
	QuietHours WorkHours
	// Passphrase opens encrypted messages; see SetPassphrase.
	Passphrase string
	// OnPart, if set, is told of each part before it is submitted and after its outcome is
	// known (err nil for +CMGS). It must not block.
	OnPart func(job *queue.Job, seg pdu.Segment, err error, after bool)
	Log    *slog.Logger
}

// Inbox configures what is kept of what comes in.
type Inbox struct {
	// PartialAfter is how long the rest of a long message is waited for; 0 means 24 h.
	PartialAfter time.Duration
	// Retention deletes messages received that long ago; 0 keeps them.
	Retention time.Duration
}

// SetPassphrase changes what encrypted messages are opened with, from the next one on.
func (s *Scheduler) SetPassphrase(passphrase string) { s.passphrase.Store(&passphrase) }

// Scheduler owns the store and the sending goroutines.
type Scheduler struct {
	opts  Options
	store *store.Store
	queue *queue.Queue
	inbox *inbox.Inbox
	// outbox has the events of both.
	outbox *outbox.Outbox
	log    *slog.Logger

	passphrase atomic.Pointer[string]
	// sealed has a token when encrypted messages may wait.
	sealed chan struct{}

	fleet
	// policy is in effect; setting is held while it changes, which retention tells retire.
	policy    atomic.Pointer[Policy]
	setting   sync.Mutex
	retention chan struct{}

	// pools are where messages wait that named no SIM; mu guards their turns.
	pools []*pool
	mu    sync.Mutex
}

// Open opens the store at path, recovering from a crash. Close must be called after Run has ended.
func Open(path string, opts Options) (*Scheduler, error) {
	opts.complete()
	if err := checkBalances(opts.Balance); err != nil {
		return nil, err
	}
	pools, routes, err := poolsOf(opts.Routes)
	if err != nil {
		return nil, err
	}
	s := &Scheduler{
		opts: opts, log: opts.Log, pools: pools, fleet: fleet{leaving: map[int]*sim{}},
		sealed: make(chan struct{}, 1), retention: make(chan struct{}, 1),
	}
	s.SetPassphrase(opts.Passphrase)
	policy := opts.policy()
	s.policy.Store(&policy)
	if s.store, err = store.Open(path, store.Options{Log: opts.Log}, s.rooms(routes)...); err != nil {
		return nil, err
	}
	return s, nil
}

// complete fills in the defaults.
func (o *Options) complete() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Selection == "" {
		o.Selection = OSDefault
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.MaxParts == 0 {
		o.MaxParts = pdu.MaxParts
	}
}

// rooms makes what is kept in the store, in the order in which it opens. The queue tells of what it finds
// then: those who are told come before it.
func (s *Scheduler) rooms(routes []queue.Route) []store.Room {
	opts := s.opts
	s.outbox = outbox.New(opts.Told, opts.Log)
	s.queue = queue.New(queue.Options{
		FIFO: opts.FIFO, RetryUnknown: opts.RetryUnknown, UnknownAfter: opts.UnknownAfter,
		Wake: s.wake, Log: opts.Log, Routes: routes, Limits: opts.Limits, Outbox: s.outbox, Own: s.own,
		Changed: opts.Changed, Sealed: s.sealedCame, Zone: opts.Zone,
	})
	s.inbox = inbox.New(inbox.Options{
		Outbox: s.outbox, PartialAfter: opts.Inbox.PartialAfter, Retention: opts.Inbox.Retention, Log: opts.Log,
		Received: opts.Received,
	})
	return append(slices.Clone(opts.Rooms), s.outbox, s.queue, s.inbox)
}

// Close closes the store.
func (s *Scheduler) Close() error { return s.store.Close() }

// Gateway is the identity that the store keeps.
func (s *Scheduler) Gateway() (queue.Gateway, error) { return s.queue.Gateway() }

// Number returns the simNumber of a SIM that no configuration gives one: that by which any of keys was
// known before, the first known one deciding, or else the lowest free. See queue.Queue.Number.
func (s *Scheduler) Number(ctx context.Context, keys ...string) (int, error) {
	return s.queue.Number(ctx, s.opts.Taken, keys...)
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

// own is the subscriber's number of a SIM, as far as it is known.
func (s *Scheduler) own(number int) string {
	if c := s.find(number); c != nil {
		return c.Sender.Status().Number
	}
	return ""
}

// Modems returns the status of every SIM, by simNumber. A SIM that the scheduler
// holds back says why.
func (s *Scheduler) Modems() []modem.Status {
	sims := s.all()
	out := make([]modem.Status, len(sims))
	for i, c := range sims {
		out[i] = c.status(time.Now())
	}
	return out
}

const (
	retireEvery = time.Hour
	retireBatch = 200
)

// retire deletes what ended long ago: once an hour and when the policy changed, in steps that keep
// every commit short.
func (s *Scheduler) retire(ctx context.Context) {
	tick := time.NewTicker(retireEvery)
	defer tick.Stop()
	for {
		s.retireOld(ctx)
		select {
		case <-ctx.Done():
			return
		case <-s.retention:
		case <-tick.C:
		}
	}
}

func (s *Scheduler) retireOld(ctx context.Context) {
	var from uint64
	for more := true; more && ctx.Err() == nil; {
		keep := s.policy.Load().Retention // a longer one counts at once
		if keep <= 0 {
			return
		}
		var err error
		_, more, err = s.queue.Retire(ctx, time.Now().Add(-keep), &from, retireBatch)
		if err != nil && ctx.Err() == nil {
			s.log.Error("old messages were not deleted; it is tried again in an hour", "err", err)
		}
	}
}
