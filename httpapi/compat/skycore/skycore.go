package skycore

import (
	_ "embed"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/httpapi/courier"
)

// Name is that of the dialect.
const Name = "skycore"

// Options configure the dialect. The fields are those of the configuration, in its order.
type Options struct {
	// PostbackURL is told what becomes of messages, InboxURL what comes in; where one is empty, nobody
	// is, except that PostbackURL stands in for InboxURL.
	PostbackURL string
	InboxURL    string
	// PostbackHeader goes with each postback: "Name: value", or nothing.
	PostbackHeader string
	// EnforceCampaignCheck takes messages to subscribers of their campaign only.
	EnforceCampaignCheck bool
	// StrictMask refuses from-mask instead of warning that it was not applied.
	StrictMask bool
	// HTTPErrors answers failures with an HTTP status of 400 and up.
	HTTPErrors bool
	// ClickPostbacks tells of clicks, too.
	ClickPostbacks bool
}

// Dialect is a room of the store, with the campaigns. It is made by New.
type Dialect struct {
	*campaigns
	opts      Options
	callbacks compat.Callbacks
	header    map[string]string
	log       *slog.Logger
	// gateway is set by Mount; what is told before has none.
	gateway atomic.Pointer[compat.Gateway]
}

// The vendor's rule for postbacks.
const (
	postbackPause   = 5 * time.Minute
	postbackRetries = 5
	postbackTimeout = 10 * time.Second
)

//go:embed openapi.yaml
var document []byte

// New makes the dialect and registers how its postbacks are made.
func New(b compat.Base, o Options) *Dialect {
	if o.InboxURL == "" {
		o.InboxURL = o.PostbackURL
	}
	d := &Dialect{
		campaigns: newCampaigns(b.Log), opts: o, callbacks: b.Callbacks, log: b.Log,
		header: map[string]string{fiber.HeaderContentType: fiber.MIMEApplicationJSON},
	}
	if key, value, ok := strings.Cut(o.PostbackHeader, ":"); ok {
		d.header[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	plan := courier.Plan{Timeout: postbackTimeout, Taken: func(status int) bool { return status == http.StatusOK }}
	for range postbackRetries {
		plan.Pauses = append(plan.Pauses, postbackPause)
	}
	b.Callbacks.Register(Name, plan)
	for _, url := range []string{o.PostbackURL, o.InboxURL} {
		if url == "" {
			continue
		}
		if err := b.Callbacks.Check(url); err != nil {
			d.log.Error("postbacks of skycore cannot be made", "err", err)
		}
	}
	return d
}

// Name implements compat.Dialect.
func (*Dialect) Name() string { return Name }

// OpenAPI implements compat.Dialect.
func (*Dialect) OpenAPI() []byte { return document }

// paths are the same: a client is configured with a whole URL, which the vendor gives each account.
var paths = []string{"/skycore", "/skycore/v2"}

// Mount implements compat.Dialect.
func (d *Dialect) Mount(r fiber.Router, g compat.Gateway) {
	d.gateway.Store(&g)
	for _, path := range paths {
		r.Post(path, g.Answering(d.fail), g.Enter(key, "messages:send"), g.Body, d.send)
		r.All(path, g.Answering(d.fail), func(*fiber.Ctx) error { return malformed("the method has to be POST") })
	}
	d.mountCampaigns(r, g)
}

func key(c *fiber.Ctx) compat.Credentials { return compat.Credentials{Key: c.Get("x-api-key")} }
