package httpapi

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// anonymousBody bounds what is read of a body before the credentials are judged, in bytes. fasthttp
// would hold a whole body in memory before any handler runs, so that a stranger's DefaultConcurrency
// connections could take half a gigabyte. Judging the header earlier, in fasthttp's HeaderReceived,
// would be no way out: that hook does not know the address, so it would tell strangers which
// password is right as often as they like.
const anonymousBody = 4 << 10

// mostBodies is how many bodies beyond anonymousBody are in memory at once: each takes up to MaxBody, and
// DefaultConcurrency of them would be more than a small machine has. Others wait for their turn.
const mostBodies = 32

var errCrowd = &statusError{fiber.StatusServiceUnavailable, "too many large requests at once; nothing was done, try again"}

// takeBody reads the whole body, within MaxBody, for handlers that take it from memory. It stands
// behind authenticate.
func (s *Server) takeBody(c *fiber.Ctx) error {
	stream, length := c.Context().RequestBodyStream(), c.Request().Header.ContentLength()
	if stream == nil {
		return c.Next()
	}
	if length > s.opt.MaxBody {
		return fiber.ErrRequestEntityTooLarge
	}
	if length < 0 || length > anonymousBody {
		if err := s.admitBody(); err != nil {
			return err
		}
		defer func() { <-s.bodies }() // the handler has the body until it returns
	}
	body, err := s.readBody(stream)
	if err != nil {
		return err
	}
	c.Request().SetBodyRaw(body) // also gives the stream back
	return c.Next()
}

// dialectBody is takeBody for handlers whose own shape of errors has to be kept.
func (s *Server) dialectBody(c *fiber.Ctx) error {
	switch strings.ToLower(c.Get(fiber.HeaderContentEncoding)) {
	case "", "identity":
	default:
		return fiber.ErrUnsupportedMediaType
	}
	err := s.takeBody(c)
	if errors.Is(err, errCrowd) {
		return fiber.ErrServiceUnavailable
	}
	return err
}

// admitBody waits for a turn, for as long as the request may take to arrive.
func (s *Server) admitBody() error {
	timer := time.NewTimer(s.opt.ReadTimeout)
	defer timer.Stop()
	select {
	case s.bodies <- struct{}{}:
		return nil
	case <-timer.C:
	case <-s.serving.Done():
	}
	return errCrowd
}

func (s *Server) readBody(stream io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(stream, int64(s.opt.MaxBody)+1))
	var late net.Error
	switch {
	case errors.As(err, &late) && late.Timeout():
		return nil, fiber.ErrRequestTimeout
	case err != nil:
		return nil, fiber.ErrBadRequest // chunks that are none, or a client that went away
	case len(body) > s.opt.MaxBody:
		return nil, fiber.ErrRequestEntityTooLarge
	}
	return body, nil
}

// closeUnread ends the connection after an answer if there may be more of the request's body:
// fasthttp would take it for the next request. It stands around the router, for what that refuses too.
func closeUnread(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		next(ctx)
		// The stream is there until takeBody took it. Up to anonymousBody fasthttp has read it all, of
		// chunks nothing.
		if length := ctx.Request.Header.ContentLength(); ctx.RequestBodyStream() != nil && (length < 0 || length > anonymousBody) {
			ctx.Response.Header.SetConnectionClose()
		}
	}
}

// refuseAmbiguous answers 400 to a request whose end a proxy before this server may see elsewhere: one
// with a length and a transfer encoding, or with two of these (RFC 9112 section 6.3). fasthttp takes it.
func refuseAmbiguous(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		lengths, encodings := 0, 0
		for line := range bytes.Lines(ctx.Request.Header.RawHeaders()) {
			switch name, _, _ := bytes.Cut(line, []byte(":")); {
			case bytes.EqualFold(name, []byte(fiber.HeaderContentLength)):
				lengths++
			case bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding)):
				encodings++
			}
		}
		if encodings > 1 || encodings == 1 && lengths > 0 {
			refuseRaw(ctx, fiber.StatusBadRequest)
			ctx.Response.Header.SetConnectionClose()
			return
		}
		next(ctx)
	}
}

// refuseRaw answers in place of the router.
func refuseRaw(ctx *fasthttp.RequestCtx, status int) {
	ctx.SetStatusCode(status)
	ctx.SetContentType(fiber.MIMEApplicationJSON)
	ctx.SetBodyString(`{"message":"` + protocolMessage(status) + `"}`)
}
