package smseagle

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"dongled/httpapi/compat"
)

// strangersBody is how much of a body is looked at for credentials, in bytes: what the server has read
// anyway when a handler runs. The rest is read when they were found good.
const strangersBody = 4 << 10

// request is what was read of one before its credentials were judged.
type request struct {
	// head is the beginning of a body that is longer. What the server reads of it later goes on from there.
	head []byte
	// err is why there is no more of a body.
	err error
	// token says that a token was shown, not a login.
	token bool
	// answer is the responsetype, "" if it was not found.
	answer string
}

// requestKey is the request's local value that has its *request.
type requestKey struct{}

func seen(c *fiber.Ctx) *request {
	if r, is := c.Locals(requestKey{}).(*request); is {
		return r
	}
	return &request{}
}

// enter keeps what was read of a request, and returns the credentials that params have.
func (r *request) enter(c *fiber.Ctx, p params) compat.Credentials {
	r.token, r.answer = p["access_token"] != "", p["responsetype"]
	c.Locals(requestKey{}, r)
	shown := compat.Credentials{Key: p["access_token"], User: p["login"], Password: p["pass"]}
	if shown.Key == "" && shown.User == "" {
		shown.Header = c.Get(fiber.HeaderAuthorization)
	}
	return shown
}

// behead returns the beginning of the body, and whether there may be more of it. The rest is left in the
// stream for compat.Gateway.Body.
func (r *request) behead(c *fiber.Ctx) (head []byte, more bool) {
	stream := c.Context().RequestBodyStream()
	if stream == nil {
		return c.Request().Body(), false
	}
	head, r.err = io.ReadAll(io.LimitReader(stream, strangersBody))
	if r.err != nil || len(head) == strangersBody {
		r.head = head
		return head, true
	}
	// Whoever reads on behind the end of chunks waits for a next one, so the stream is given back.
	c.Request().SetBodyRaw(head)
	return head, false
}

// body is the whole of it, behind compat.Gateway.Body.
func body(c *fiber.Ctx) ([]byte, error) {
	r := seen(c)
	if r.err != nil {
		return nil, fiber.ErrBadRequest
	}
	return slices.Concat(r.head, c.BodyRaw()), nil
}

// v1Credentials are in the query or in a form.
func v1Credentials(c *fiber.Ctx) compat.Credentials {
	r := &request{}
	p := params{}
	p.add(c.Context().QueryArgs())
	if isForm(c) {
		p.addForm(r.behead(c))
	}
	return r.enter(c, p)
}

// addForm adds the fields of a form. Where it was cut off, the last field may not be whole: half a password
// would be a wrong one.
func (p params) addForm(form []byte, cut bool) {
	if cut {
		form = form[:max(0, bytes.LastIndexByte(form, '&'))]
	}
	var args fasthttp.Args
	args.ParseBytes(form)
	p.add(&args)
}

// v2Credentials are a header.
func v2Credentials(c *fiber.Ctx) compat.Credentials {
	return (&request{}).enter(c, params{"access_token": c.Get("access-token")})
}

// rpcCredentials are in the body. Clients write them before the text, so that they are among the first bytes;
// one whose are not has to send the header instead.
func rpcCredentials(c *fiber.Ctx) compat.Credentials {
	r := &request{}
	head, _ := r.behead(c)
	return r.enter(c, peek(head))
}

// peek finds the strings of params that are needed early in a JSON-RPC request that may be cut off. Of what
// is there twice the first counts.
func peek(head []byte) params {
	p := params{}
	decoder := json.NewDecoder(bytes.NewReader(head))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return p
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return p
		}
		if key != "params" {
			if skip(decoder) != nil {
				return p
			}
			continue
		}
		if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
			return p
		}
		p.peek(decoder)
		return p
	}
	return p
}

// peek reads the fields of an object that has begun.
func (p params) peek(decoder *json.Decoder) {
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return
		}
		switch key {
		case "access_token", "login", "pass", "responsetype":
			value, err := decoder.Token()
			text, is := value.(string)
			if err != nil || !is {
				return
			}
			p.set(key.(string), text)
		default:
			if skip(decoder) != nil {
				return
			}
		}
	}
}

// skip reads one value, however deep.
func skip(decoder *json.Decoder) error {
	for depth := 0; ; {
		t, err := decoder.Token()
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if err != nil || depth <= 0 {
			return err
		}
	}
}
