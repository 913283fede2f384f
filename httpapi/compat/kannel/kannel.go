package kannel

import (
	_ "embed"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
)

//go:embed openapi.yaml
var spec []byte

// Dialect is the API.
type Dialect struct {
	callbacks compat.Callbacks
	gateway   compat.Gateway
}

// pauses are those after each try of a delivery report: 9 in an hour and a half. Kannel itself gives up
// after the first unless it is configured otherwise.
var pauses = []time.Duration{
	10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second,
	5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 40 * time.Minute,
}

// New makes the dialect.
func New(b compat.Base) *Dialect {
	d := &Dialect{callbacks: b.Callbacks}
	b.Callbacks.Register(d.Name(), courier.Plan{Pauses: pauses, Timeout: 30 * time.Second})
	return d
}

// Name implements compat.Dialect.
func (*Dialect) Name() string { return "kannel" }

// OpenAPI implements compat.Dialect.
func (*Dialect) OpenAPI() []byte { return spec }

// Mount implements compat.Dialect.
func (d *Dialect) Mount(r fiber.Router, g compat.Gateway) {
	d.gateway = g
	for _, method := range []string{fiber.MethodGet, fiber.MethodPost} {
		r.Add(method, "/cgi-bin/sendsms", g.Answering(fail), g.Enter(credentials, "messages:send"), g.Body, d.send)
	}
}

// credentials are in the query or in headers; those of a form are not, whose body strangers would have us
// read.
func credentials(c *fiber.Ctx) compat.Credentials {
	first := func(names ...string) string {
		for _, name := range names {
			if v := c.Query(name); v != "" {
				return v
			}
		}
		return c.Get("X-Kannel-" + names[0])
	}
	return compat.Credentials{User: first("username", "user"), Password: first("password", "pass")}
}

// words are Kannel's for what goes wrong. A client that looks at the status alone sees an error, too.
var words = map[compat.Kind]struct {
	status int
	text   string
}{
	compat.Unauthorized: {fiber.StatusForbidden, "Authorization failed for sendsms"},
	compat.Forbidden:    {fiber.StatusForbidden, "Authorization failed for sendsms"},
	compat.TooMany:      {fiber.StatusTooManyRequests, "Too many wrong passwords, try again later."},
	compat.Full:         {fiber.StatusServiceUnavailable, "Temporal failure, try again later."},
	compat.Internal:     {fiber.StatusServiceUnavailable, "Temporal failure, try again later."},
	compat.TooLarge:     {fiber.StatusRequestEntityTooLarge, "Request body too large, rejected"},
	compat.Malformed:    {fiber.StatusBadRequest, "Malformed request, rejected"},
}

func fail(c *fiber.Ctx, t compat.Trouble) error {
	w, known := words[t.Kind]
	if !known {
		w.status, w.text = fiber.StatusBadRequest, t.Problem+", rejected"
		if t.Field != "" {
			w.text = t.Field + ": " + w.text
		}
	}
	return c.Status(w.status).SendString(w.text)
}
