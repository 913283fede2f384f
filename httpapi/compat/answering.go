package compat

import (
	"fmt"
	"math"
	"runtime/debug"
	"strconv"

	"github.com/gofiber/fiber/v2"
)

// Answering has errors of the handlers behind it answered by fail, in the shape of the dialect, after
// Retry-After was set and what is the gateway's own fault was logged. So are panics.
func (g Gateway) Answering(fail func(*fiber.Ctx, Trouble) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		err := run(c)
		if err == nil {
			return nil
		}
		t := Explain(err)
		if t.Kind == Internal {
			g.Log.Error("http request failed", "route", c.Route().Path, "err", err)
		}
		if t.RetryAfter > 0 {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(max(1, int(math.Ceil(t.RetryAfter.Seconds())))))
		}
		if err := fail(c, t); err != nil {
			return err
		}
		challenge(c)
		return nil
	}
}

// challenge completes a 401, which has to say what credentials there could be (RFC 9110 section 15.5.2).
func challenge(c *fiber.Ctx) {
	if c.Response().StatusCode() != fiber.StatusUnauthorized || c.GetRespHeader(fiber.HeaderWWWAuthenticate) != "" {
		return
	}
	for _, scheme := range []string{`Basic realm="dongled", charset="UTF-8"`, "Bearer"} {
		c.Response().Header.Add(fiber.HeaderWWWAuthenticate, scheme)
	}
}

// bug is a panic of a handler. Where it happened, a message may have been accepted: who asked again
// unasked could send it twice.
type bug struct {
	value any
	stack []byte
}

func (b *bug) Error() string { return fmt.Sprintf("panic: %v\n%s", b.value, b.stack) }

func (b *bug) Unwrap() error { return unclear }

var unclear = &Trouble{Kind: Internal, Problem: "an error in the gateway; look up whether the message was accepted before you send it again"}

// run runs the handlers behind it, but not for HEAD, which the router takes for every GET: some of other
// vendors' send a message or take one away, and who looks at a link wants neither.
func run(c *fiber.Ctx) error {
	if c.Method() == fiber.MethodHead {
		return fiber.ErrMethodNotAllowed
	}
	return guarded(c)
}

// guarded runs the handlers behind it, and makes an error of a panic.
func guarded(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &bug{r, debug.Stack()}
		}
	}()
	return c.Next()
}
