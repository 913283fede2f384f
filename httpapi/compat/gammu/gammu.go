package gammu

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/store"
)

//go:embed openapi.yaml
var spec []byte

// Dialect is the API. It is a room of the store.
type Dialect struct {
	store   *store.Store
	gateway compat.Gateway
}

// New makes the dialect.
func New(compat.Base) *Dialect { return &Dialect{} }

// Name implements compat.Dialect.
func (*Dialect) Name() string { return "gammu" }

// OpenAPI implements compat.Dialect.
func (*Dialect) OpenAPI() []byte { return spec }

// Mount implements compat.Dialect.
func (d *Dialect) Mount(r fiber.Router, g compat.Gateway) {
	d.gateway = g
	route := func(add func(string, ...fiber.Handler) fiber.Router, path, scope string, h fiber.Handler) {
		add(path, g.Answering(compat.Plainly), g.Enter(compat.Header, scope), g.Body, h)
	}
	route(r.Post, "/sms", "messages:send", d.send)
	route(r.Get, "/sms", "inbox:list", d.list)
	route(r.Get, "/sms/:place", "inbox:list", d.get)
	route(r.Delete, "/sms/:place", "inbox:list", d.remove)
	route(r.Get, "/getsms", "inbox:list", d.take)
	route(r.Get, "/signal", "devices:list", d.signal)
	route(r.Get, "/network", "devices:list", d.network)
	route(r.Get, "/reset", "devices:list", reset)
}

// problem is the shape of errors that are the original's, as those of compat.Plainly are.
type problem struct {
	Message string `json:"message"`
}
