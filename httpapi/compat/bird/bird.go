package bird

import (
	_ "embed"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/store"
)

// Name is the Origin of the dialect's messages.
const Name = "bird"

//go:embed openapi.yaml
var openAPI []byte

// Options configure the dialect. Their zero values are: ids derived from the gateway's, 400 for what is
// not valid, unknown fields ignored, media refused, no cap.
type Options struct {
	// Workspace is the UUID of the only workspace; empty derives it from the gateway's ID.
	Workspace string
	// ValidationStatus answers what is not valid: 400 or 422; 0 is 400.
	ValidationStatus int
	// Strict refuses fields that Bird does not know.
	Strict bool
	// MMSFallback sends images and files as a text with their URLs.
	MMSFallback bool
	// FrequencyCap is how many marketing messages a number gets within FrequencyPeriod, 0 for no cap.
	FrequencyCap    int
	FrequencyPeriod time.Duration
	// Channels are those whose ids clients know already.
	Channels []Channel
}

// Channel is a channel of the configuration.
type Channel struct {
	ID string
	// SIM is a simNumber, 0 for any.
	SIM  int
	Name string
	// Kind is conversational, transactional, promotional or 2fa.
	Kind string
}

// Dialect is Bird's Channels API for SMS. It is a room of the store.
type Dialect struct {
	opts  Options
	base  compat.Base
	g     compat.Gateway
	store *store.Store

	mu sync.Mutex
	// seed is what ids are derived from, and cards are the SIMs that were seen, by the id of their channel.
	seed  string
	cards map[string]card
	// logged are the channels that this run has named in the log.
	logged map[string]bool
}

// New makes the dialect and registers how its callbacks are made.
func New(base compat.Base, o Options) *Dialect {
	if o.ValidationStatus == 0 {
		o.ValidationStatus = fiber.StatusBadRequest
	}
	o.Workspace, o.Channels = lower(o.Workspace), slices.Clone(o.Channels)
	for i := range o.Channels {
		o.Channels[i].ID = lower(o.Channels[i].ID)
	}
	base.Callbacks.Register(Name, plan())
	return &Dialect{opts: o, base: base, cards: map[string]card{}, logged: map[string]bool{}}
}

// Name implements compat.Dialect.
func (*Dialect) Name() string { return Name }

// OpenAPI implements compat.Dialect.
func (*Dialect) OpenAPI() []byte { return openAPI }

// Mount implements compat.Dialect.
func (d *Dialect) Mount(r fiber.Router, g compat.Gateway) {
	d.g = g
	d.settle(g.Serving, g.DeviceID)
	d.messageRoutes(r)
	d.channelRoutes(r)
	d.subscriptionRoutes(r)
	go d.watch(g.Serving)
}

// guarded are the handlers before a route's own: errors in the dialect's shape, credentials with one of
// scopes, and the whole body.
func (d *Dialect) guarded(h fiber.Handler, scopes ...string) []fiber.Handler {
	return []fiber.Handler{d.g.Answering(d.fail), d.g.Enter(credentials, scopes...), d.g.Body, h}
}
