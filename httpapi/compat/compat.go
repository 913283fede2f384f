// Package compat is what the APIs of other vendors have in common here: each is a Dialect in a folder of
// its own below this one, translates into the one queue, and has its own paths, credentials, words for
// states and shapes of errors.
//
// A dialect is made by its New(Base, Options), which registers how its callbacks are made, and mounted
// later, when the store is open. What it stores of a message beyond the queue's fields is in
// queue.Submission.Meta; what it has to remember besides is in a room of its own, with buckets
// below vendors/ and kinds of timers from 90 up.
package compat

import (
	"context"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/auth"
	"dongled/httpapi/courier"
	"dongled/httpapi/links"
	"dongled/httpapi/templates"
	"dongled/modem"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// Dialect is the API of another vendor. It may also be a store.Room, a Follower, a Hearer, a Clicked.
type Dialect interface {
	// Name is the Origin of its messages, the name of its plan, and how dialects.off names it: a-z and
	// digits.
	Name() string
	// Mount adds its routes. It is called once, when the store is open.
	Mount(r fiber.Router, g Gateway)
	// OpenAPI is its part of the document: a whole one, of which paths and components are taken. Names of
	// components begin with that of the dialect.
	OpenAPI() []byte
}

// Follower hears of each change of its own messages, in the transaction of it. It may be called before
// Mount, when a start finds out what became of a message.
type Follower interface{ Changed(*store.Tx, queue.Change) }

// Hearer hears of each message that came in, in the transaction that stores it.
type Hearer interface {
	Received(*store.Tx, inbox.Message)
}

// Clicked hears of clicks on the links of its own messages.
type Clicked interface{ Clicked(*store.Tx, links.Click) }

// Base is what is there before the store is open.
type Base struct {
	Callbacks Callbacks
	Log       *slog.Logger
}

// Callbacks takes requests that are to be made. *courier.Courier is one.
type Callbacks interface {
	Register(dialect string, p courier.Plan)
	Check(url string) error
	Put(t *store.Tx, c courier.Callback)
}

// Gateway is what a mounted dialect stands on.
type Gateway struct {
	Messages  Messages
	Inbox     Inbox
	SIMs      SIMs
	Auth      Auth
	Links     Links
	Templates Templates
	// DeviceID is the gateway's own, from which ids are derived that have to stay the same.
	DeviceID string
	// Body reads a whole request body, within the server's limits. It has to stand behind the check of
	// credentials.
	Body fiber.Handler
	// Serving ends with the server.
	Serving context.Context
	Log     *slog.Logger
}

// Mounted is a dialect on its gateway, as httpapi.Dialect has it.
type Mounted struct {
	Dialect
	Gateway Gateway
}

// Mount adds the routes. body reads bodies, and serving ends with the server.
func (m Mounted) Mount(r fiber.Router, body fiber.Handler, serving context.Context) {
	g := m.Gateway
	g.Body, g.Serving = body, serving
	m.Dialect.Mount(r, g)
}

// Messages is the queue as dialects need it; *scheduler.Scheduler is one. See httpapi.Messages for the
// errors.
type Messages interface {
	Submit(ctx context.Context, s queue.Submission) (queue.Message, error)
	Get(ctx context.Context, id string) (queue.Message, error)
	Scan(ctx context.Context, s queue.Scan) (page []queue.Message, next uint64, err error)
	Cancel(ctx context.Context, id string) (queue.Message, error)
}

// Inbox is what came in.
type Inbox interface {
	List(ctx context.Context, f inbox.Filter) (page []inbox.Message, total int, err error)
	// Get returns inbox.ErrNotFound for an unknown id.
	Get(ctx context.Context, id string) (inbox.Message, error)
}

// SIMs are those there are, by simNumber.
type SIMs interface{ Modems() []modem.Status }

// Auth judges credentials that came from a network address. *auth.Auth is one; see there for the errors.
type Auth interface {
	// Authenticate takes an Authorization header: Basic or Bearer.
	Authenticate(ctx context.Context, header, addr string) (auth.Identity, error)
	Password(ctx context.Context, user, password, addr string) (auth.Identity, error)
	Key(ctx context.Context, key, addr string) (auth.Identity, error)
}

// Links makes URLs short. *links.Links is one.
type Links interface {
	Rewrite(text string, w links.Wish) (string, []links.Link, error)
	// Keep is for queue.Submission.Also, whose error it may be.
	Keep(t *store.Tx, messageID string, ls []links.Link) error
}

// Templates makes texts. *templates.Templates is one.
type Templates interface {
	Render(ctx context.Context, r templates.Request) (templates.Text, error)
}
