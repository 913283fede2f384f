package twilio

import (
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
	"dongled/scheduler/store"
)

//go:embed openapi.yaml
var spec []byte

// Options configure the dialect: both, or none.
type Options struct {
	// AccountSID is AC and 32 hexadecimal digits, AuthToken its secret of 16 characters and up.
	AccountSID string
	AuthToken  string
}

// Dialect is the API.
type Dialect struct {
	opts      Options
	callbacks compat.Callbacks
	gateway   compat.Gateway
	store     *store.Store
}

var (
	_ compat.Dialect  = (*Dialect)(nil)
	_ compat.Follower = (*Dialect)(nil)
	_ store.Room      = (*Dialect)(nil)
)

// pauses are those after each try of a status callback: 8 in three quarters of an hour. The vendor tries
// again once unless the URL asks for more.
var pauses = []time.Duration{
	10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second,
	5 * time.Minute, 10 * time.Minute, 20 * time.Minute,
}

// New makes the dialect.
func New(b compat.Base, o Options) *Dialect {
	d := &Dialect{opts: o, callbacks: b.Callbacks}
	p := courier.Plan{Pauses: pauses, Timeout: 15 * time.Second} // the vendor's timeout
	if o.AuthToken != "" {
		p.Sign = signer(o.AuthToken)
	}
	b.Callbacks.Register(d.Name(), p)
	return d
}

// Name implements compat.Dialect.
func (*Dialect) Name() string { return "twilio" }

// OpenAPI implements compat.Dialect.
func (*Dialect) OpenAPI() []byte { return spec }

const (
	pathMessages = "/2010-04-01/Accounts/:account/Messages.json"
	pathMessage  = "/2010-04-01/Accounts/:account/Messages/:sid.json"
)

// Mount implements compat.Dialect.
func (d *Dialect) Mount(r fiber.Router, g compat.Gateway) {
	d.gateway = g
	failing := g.Answering(fail)
	may := func(scopes ...string) fiber.Handler { return d.enter(g.Enter(credentials, scopes...)) }
	r.Post(pathMessages, failing, may("messages:send"), g.Body, told(d.send))
	r.Get(pathMessages, failing, may("messages:list", "messages:read"), told(d.list))
	r.Get(pathMessage, failing, may("messages:read"), told(d.get))
	r.Post(pathMessage, failing, may("messages:cancel"), g.Body, told(d.update))
	r.Delete(pathMessage, failing, may("messages:cancel"), told(d.remove))
	r.Post("/authentik/sms", failing, may("messages:send"), g.Body, told(d.authentik))
}
