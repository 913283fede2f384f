package smseagle

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

//go:embed openapi.yaml
var spec []byte

// Group is several numbers under one name, or one.
type Group struct {
	Name    string
	Numbers []string
}

// Dialect is the API. It is a room of the store.
type Dialect struct {
	gateway compat.Gateway
	groups  map[string][]string
}

// New makes the dialect with the groups and contacts that clients may name.
func New(_ compat.Base, groups []Group) *Dialect {
	d := &Dialect{groups: map[string][]string{}}
	for _, g := range groups {
		d.groups[g.Name] = g.Numbers
	}
	return d
}

// Name implements compat.Dialect.
func (*Dialect) Name() string { return "smseagle" }

// OpenAPI implements compat.Dialect.
func (*Dialect) OpenAPI() []byte { return spec }

// version is one of the three forms of the API.
type version struct {
	credentials func(*fiber.Ctx) compat.Credentials
	fail        func(*fiber.Ctx, compat.Trouble) error
}

var (
	v1  = version{v1Credentials, v1Fail}
	v2  = version{v2Credentials, v2Fail}
	rpc = version{rpcCredentials, rpcFail}
)

// Mount implements compat.Dialect.
func (d *Dialect) Mount(r fiber.Router, g compat.Gateway) {
	d.gateway = g
	route := func(v version, method, path, scope string, h fiber.Handler) {
		for _, prefix := range []string{"", "/index.php"} {
			r.Add(method, prefix+path, g.Answering(v.fail), g.Enter(v.credentials, scope), g.Body, h)
		}
	}
	for _, method := range []string{fiber.MethodGet, fiber.MethodPost} {
		route(v1, method, "/http_api/send_sms", "messages:send", d.v1Send("to"))
		route(v1, method, "/http_api/send_togroup", "messages:send", d.v1Send("groupname"))
		route(v1, method, "/http_api/send_tocontact", "messages:send", d.v1Send("contactname"))
		for _, call := range []string{"ring_call", "tts_call", "tts_adv_call"} {
			route(v1, method, "/http_api/"+call, "messages:send", calls)
		}
	}
	route(v2, fiber.MethodPost, "/api/v2/messages/sms", "messages:send", d.v2Send)
	for _, call := range []string{"ring", "tts", "tts_advanced"} {
		route(v2, fiber.MethodPost, "/api/v2/calls/"+call, "messages:send", calls)
	}
	route(v2, fiber.MethodGet, "/api/v2/modem/signal", "devices:list", d.signal)
	route(v2, fiber.MethodGet, "/api/v2/modem/signal/:modem", "devices:list", d.signal)
	route(rpc, fiber.MethodPost, "/jsonrpc/sms", "messages:send", d.rpcSend)
}

// unsupported is what no dongle here can do.
const unsupported = "Not supported by this gateway"

// errUnsupported is told by each version in its own shape.
var errUnsupported = &compat.Trouble{Kind: compat.NotFound, Field: fieldCalls, Problem: unsupported}

// fieldCalls marks errUnsupported, which has a status that no Kind stands for.
const fieldCalls = "calls"

func calls(*fiber.Ctx) error { return errUnsupported }

// refusal is the status and the text of an error, the vendor's words first.
func refusal(c *fiber.Ctx, t compat.Trouble) (status int, text string) {
	status = compat.Status(t.Kind)
	switch {
	case t.Field == fieldCalls:
		return fiber.StatusNotImplemented, t.Problem
	case t.Kind == compat.Unauthorized && seen(c).token:
		return status, "Invalid access token"
	case t.Kind == compat.Unauthorized:
		return status, "Invalid login or password"
	case t.Kind == compat.Invalid && t.Field == fieldName:
		return status, t.Problem
	case t.Kind == compat.Invalid:
		return status, "Wrong parameters: " + t.Field + ": " + t.Problem
	}
	return status, t.Problem
}
