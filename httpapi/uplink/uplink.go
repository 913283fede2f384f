// Package uplink makes the gateway a device of an SMSGate server: it fetches that server's messages
// and reports what became of them.
//
// One goroutine does all the talking but for the stream of events, and what it tells of a message it
// reads from the queue when it tells it: so no older state of a message can overtake a newer one.
//
// # A message
//
// It comes with the list of what is Pending at the server, as long as it is Pending there, and is given
// to the queue with the server's ID and the origin "uplink". That ID makes it one message however often
// it comes. What it needs for its reports goes along in its Meta.
//
// While no recipient has left Pending nothing is reported: the server would make Processed of Pending,
// and then refuse to cancel what can still be cancelled. But the list holds 100 messages, and what waits
// must not hide what is new: those of a full list are acknowledged, which is what Processed says there.
// What the queue refuses is reported as Failed, but for its limits: such a message stays at the server.
//
// # A report
//
// The queue enters outbox.MessageState in the transaction that changes a message. The number up to which
// events were reported is stored after the server's answer, so that a crash has them reported again. When
// the server does not take reports they are stored here instead (owed), so that neither the queue's nor
// the outbox's retention can lose them; and a message that is owed is not taken a second time.
//
// # Layout
//
//	uplink       registration, cursor, settings         → this device at the server; the last event seen;
//	                                                      a hash of the settings applied last
//	uplink_owed  message ID                             → the report that the server has not taken
package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"dongled/httpapi/webhook"
	"dongled/modem"
	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// Origin is the queue.Submission.Origin of the server's messages.
const Origin = queue.OriginUplink

// Messages is the queue as this package needs it. *scheduler.Scheduler is one.
type Messages interface {
	// Submit stores a message and returns after the commit; any error means that nothing was stored.
	Submit(context.Context, queue.Submission) (queue.Message, error)
	// Get returns queue.ErrNotFound for an unknown id.
	Get(ctx context.Context, id string) (queue.Message, error)
	// Cancel returns queue.ErrNotFound, or queue.ErrNotPending and changes nothing.
	Cancel(ctx context.Context, id string) (queue.Message, error)
	// Events returns the first events behind number after, at most limit, in their order.
	Events(after uint64, limit int) ([]outbox.Event, error)
	Modems() []modem.Status
}

// Hooks takes the webhooks that the server's users registered. *webhook.Hooks is one.
type Hooks interface {
	Sync(ctx context.Context, source string, hooks []webhook.Hook) error
}

// Settings takes the settings that the server's users made. *settings.Settings is one.
type Settings interface {
	// Patch returns a *settings.Fault for what cannot be set; nothing was changed then.
	Patch(context.Context, json.RawMessage) error
}

// Export is a period of the inbox that the server's users ask for.
type Export struct {
	// Since is inclusive, as Until is.
	Since, Until time.Time
	// Types are SMSGate's words: SMS, MMS.
	Types []string
	// Batch has webhooks hear of many messages in one event.
	Batch bool
}

// Options configure an Uplink.
type Options struct {
	// URL is the base of the device API, such as https://host/api/mobile/v1; empty is no uplink.
	URL, Name string
	// PrivateToken, Username and Password, or Code are the ways to register.
	PrivateToken, Username, Password, Code string
	Version                                string
	// Hooks and Settings take what else the server has for a device; what is nil is not asked for.
	Hooks    Hooks
	Settings Settings
	// Account shows the user the account that the server made for this device. It is called once.
	Account func(login, password string)
	Log     *slog.Logger
}

// Uplink is a room of the store, where the registration is kept, and the client of the server. Its
// methods may be called from any goroutine once the store is open.
type Uplink struct {
	opts  Options
	log   *slog.Logger
	store *store.Store
	http  *http.Client
	// told is poked when there are new states to report.
	told      chan struct{}
	connected atomic.Bool
	// attempts are when a device may have been made at the server without our hearing of it.
	attempts []time.Time
}

// New makes an uplink.
func New(o Options) *Uplink {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Uplink{opts: o, log: o.Log, http: newHTTPClient(), told: make(chan struct{}, 1)}
}

// Tell hears of each event in the transaction that it is entered in.
func (u *Uplink) Tell(t *store.Tx, e outbox.Event) {
	if e.Name == outbox.MessageState {
		t.After(u.poke)
	}
}

func (u *Uplink) poke() {
	select {
	case u.told <- struct{}{}:
	default:
	}
}

// Connected reports whether the server's stream of events is open; there is none unless configured.
func (u *Uplink) Connected() (connected, configured bool) {
	return u.connected.Load(), u.opts.URL != ""
}

// errUnregistered says that the server does not know this device any more.
var errUnregistered = errors.New("the server does not know this device any more")

// Run serves the server until ctx ends. export has webhooks told of a period of the inbox.
func (u *Uplink) Run(ctx context.Context, m Messages, export func(context.Context, Export) error) {
	defer u.http.CloseIdleConnections()
	known := u.registration()
	if u.opts.URL == "" {
		if known.ID != "" {
			u.dropWebhooks(ctx)
			u.keepReports(ctx, m, known)
		}
		return
	}
	if known.URL != u.opts.URL {
		known = registration{Made: known.Made}
	}
	for ctx.Err() == nil {
		if known.Token == "" {
			var ok bool
			if known, ok = u.register(ctx, m, known); !ok {
				return
			}
		}
		u.showAccount(ctx, &known)
		if err := newSession(u, m, export, known).run(ctx); errors.Is(err, errUnregistered) {
			u.log.Warn("the server does not know this device any more; it registers anew", "device", known.ID)
			known = registration{Made: known.Made}
		}
	}
}

// dropWebhooks forgets the server's webhooks: nobody here could delete them.
func (u *Uplink) dropWebhooks(ctx context.Context) {
	if u.opts.Hooks == nil {
		return
	}
	if err := u.opts.Hooks.Sync(ctx, sourceCloud, nil); err != nil && ctx.Err() == nil {
		u.log.Error("webhooks of a server that is not configured are still told", "err", err)
	}
}

// keepReports stores the reports of messages that a server gave when the uplink was still configured,
// until ctx ends. It may be configured again, and the outbox forgets.
func (u *Uplink) keepReports(ctx context.Context, m Messages, known registration) {
	s := newSession(u, m, nil, known)
	for {
		if err := s.keepAll(ctx); err != nil && ctx.Err() == nil {
			u.log.Error("reports to the server were not kept", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-u.told:
		}
	}
}
