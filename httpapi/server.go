package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/scheduler/queue"
)

// Messages is the queue as this package needs it.
type Messages interface {
	// Submit stores a message and returns after the commit. A *queue.FieldError or
	// queue.ErrDuplicateID is the client's fault, a *queue.LimitError says that the queue takes nothing
	// for now; any error means that nothing was stored.
	Submit(ctx context.Context, s queue.Submission) (queue.Message, error)
	// Get returns queue.ErrNotFound for an unknown id.
	Get(ctx context.Context, id string) (queue.Message, error)
	// List returns one page and how many messages the filter matches in all.
	List(ctx context.Context, f queue.Filter) (page []queue.Message, total int, err error)
	// Cancel returns queue.ErrNotFound, or queue.ErrNotPending and changes nothing.
	Cancel(ctx context.Context, id string) (queue.Message, error)
}

// Events takes what is to be told to webhooks and is not in the store.
type Events interface {
	// Announce stores an event, and returns after the commit. The payload must encode as JSON.
	Announce(ctx context.Context, name string, payload any) error
}

// Dialect is the API of another vendor on the same server. No two may have a route, or a name in their
// documents, in common, nor may one have what SMSGate's API has.
type Dialect interface {
	// Mount adds routes, which judge their own credentials. body reads a whole request body, and serving
	// ends with the server.
	Mount(r fiber.Router, body fiber.Handler, serving context.Context)
	// OpenAPI is its part of the document.
	OpenAPI() []byte
}

// Uplink is the connection with an SMSGate server.
type Uplink interface {
	// Connected reports whether there is one at the moment, and whether there should be.
	Connected() (connected, configured bool)
}

// Defaults of the zero Options.
const (
	// DefaultMaxBody holds the largest request there can be: 65535 characters of text, each
	// written as two \uXXXX escapes, and 100 recipients.
	DefaultMaxBody = 1 << 20
	// DefaultReadTimeout bounds one whole request, headers and body, so that a client that
	// trickles bytes cannot hold a connection.
	DefaultReadTimeout     = 30 * time.Second
	DefaultWriteTimeout    = 30 * time.Second
	DefaultIdleTimeout     = 2 * time.Minute
	DefaultShutdownTimeout = 10 * time.Second
	// DefaultConcurrency keeps the process below 1000 descriptors: go.bug.st/serial polls with
	// select(2), which a descriptor of 1024 or more crashes.
	DefaultConcurrency = 512
)

// maxHeader bounds the request line and headers together; beyond it the answer is 431.
const maxHeader = 8 << 10

// Options configure a Server. Messages, Inbox, Modems, Auth and DeviceID are required, and so are
// Webhooks, Callbacks, Settings, Logs, Events, Links and Templates for what asks for them; without Auth nobody
// is let in.
type Options struct {
	Messages Messages
	Inbox    Inbox
	Modems   Modems
	Webhooks Webhooks
	// Callbacks are those of Dialects.
	Callbacks Callbacks
	Settings  Settings
	Logs      Logs
	Events    Events
	Links     Links
	Auth      Auth
	Templates Templates
	// Certificate has the server speak HTTPS; nil is plain HTTP.
	Certificate *Certificate
	// SMSGateOnly has /api/3rdparty/v1 speak SMSGate's API, as its private servers do, and not that of
	// 614901.xyz.
	SMSGateOnly bool
	// Dialects are the APIs of other vendors that are switched on.
	Dialects []Dialect
	// Uplink is the SMSGate server that this gateway is a device of; nil is none.
	Uplink Uplink

	// DeviceID is this gateway's own id: 21 URL-safe characters satisfy every client.
	DeviceID   string
	DeviceName string
	// Created is when DeviceID was made; zero means Started.
	Created time.Time
	// Started is when the process started; zero means now.
	Started time.Time

	Version string
	// ReleaseID is the integer that health answers carry beside Version; 0 means 1.
	ReleaseID int

	Log *slog.Logger

	// The zero value of each takes its Default constant.
	MaxBody         int
	ReadTimeout     time.Duration
	WriteTimeout    time.Duration
	IdleTimeout     time.Duration
	ShutdownTimeout time.Duration
	Concurrency     int
}

func (o Options) withDefaults() Options {
	setDefault(&o.MaxBody, DefaultMaxBody)
	setDefault(&o.ReadTimeout, DefaultReadTimeout)
	setDefault(&o.WriteTimeout, DefaultWriteTimeout)
	setDefault(&o.IdleTimeout, DefaultIdleTimeout)
	setDefault(&o.ShutdownTimeout, DefaultShutdownTimeout)
	setDefault(&o.Concurrency, DefaultConcurrency)
	setDefault(&o.ReleaseID, 1)
	setDefault(&o.DeviceName, "dongled")
	if o.Started.IsZero() {
		o.Started = time.Now()
	}
	if o.Created.IsZero() {
		o.Created = o.Started
	}
	if o.Auth == nil {
		o.Auth = auth.New(auth.Options{})
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Server is the HTTP server. It is made by New and run once by Serve.
type Server struct {
	app *fiber.App
	opt Options
	log *slog.Logger
	// serving ends, by stop, when Serve's context does. Requests that wait for a network derive
	// from it: fasthttp's own context is another request's after the handler, and its Done races
	// with the end of a shutdown.
	serving context.Context
	stop    context.CancelFunc
	spares  spares
	// spec is the OpenAPI document that is served.
	spec []byte
	// clash is what two APIs both have. Then Serve answers nothing: one of them would get the other's requests.
	clash error
	// bodies has an element for each long body in memory.
	bodies chan struct{}
	// pingEvery is a time.Duration; pingSet says that it changed.
	pingEvery atomic.Int64
	pingSet   chan struct{}
}

// New builds a Server; it does not listen.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{opt: o, log: o.Log, pingSet: make(chan struct{}, 1), bodies: make(chan struct{}, mostBodies)}
	s.serving, s.stop = context.WithCancel(context.Background())
	s.app = fiber.New(fiber.Config{
		// Without Immutable, strings from the request are views of a buffer that the next
		// request on the connection overwrites.
		Immutable:     true,
		CaseSensitive: true,
		// A handler runs when this much of a body is there, and takeBody reads the rest.
		BodyLimit:                    anonymousBody,
		StreamRequestBody:            true,
		Concurrency:                  o.Concurrency,
		ReadTimeout:                  o.ReadTimeout,
		WriteTimeout:                 o.WriteTimeout,
		IdleTimeout:                  o.IdleTimeout,
		ReadBufferSize:               maxHeader,
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true,
		ErrorHandler:                 s.fail,
	})
	s.spec, s.clash = wholeSpec(o.Dialects)
	s.routes()
	s.app.Server().Handler = closeUnread(refuseAmbiguous(refuseMethods(s.app.Server().Handler)))
	return s
}

// Serve answers on ln until ctx ends, then lets requests in progress finish for at most
// ShutdownTimeout. It closes ln, and returns nil after an orderly end. Requests that outlast
// ShutdownTimeout are reported as an error; their goroutines end with the process. Dialects that clash
// are an error at once.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if s.clash != nil {
		s.stop()
		return errors.Join(s.clash, ln.Close())
	}
	served := make(chan error, 1)
	if s.opt.Certificate != nil {
		ln = s.opt.Certificate.listen(ln)
	}
	ln = s.spares.listen(ln)
	go func() { served <- s.app.Listener(ln) }()
	pinging, stopPing := context.WithCancel(ctx)
	pinged := make(chan struct{})
	go func() { s.ping(pinging); close(pinged) }()
	defer func() { stopPing(); <-pinged }()

	select {
	case err := <-served:
		if err == nil {
			err = errors.New("listener was closed")
		}
		return fmt.Errorf("http server on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	s.stop()
	s.spares.end()

	// ctx has ended, so the grace period must not derive from it.
	grace, cancel := context.WithTimeout(context.Background(), s.opt.ShutdownTimeout)
	defer cancel()
	err := s.app.ShutdownWithContext(grace)
	// Shutdown is without effect on a listener that the goroutine above has not reached yet.
	_ = ln.Close()
	<-served
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("http server on %s: requests still running after %s: %w", ln.Addr(), s.opt.ShutdownTimeout, err)
	}
	return nil
}
