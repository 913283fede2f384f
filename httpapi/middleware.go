package httpapi

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// cleanPath drops doubled and trailing slashes, which a base URL with a trailing slash produces.
// It routes anew instead of redirecting: clients lose the body of a redirected POST.
func cleanPath(c *fiber.Ctx) error {
	path := c.Path()
	clean := tidySlashes(path)
	if clean == path {
		return c.Next()
	}
	c.Path(clean)
	return c.RestartRouting()
}

func tidySlashes(path string) string {
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	return path
}

// observe turns panics and errors into answers and writes the access log. The log has the route's
// pattern, never the path or query: those could hold a number or a text.
func (s *Server) observe(c *fiber.Ctx) error {
	start := time.Now()
	if err := s.guarded(c); err != nil {
		if err := s.fail(c, err); err != nil {
			return err
		}
	}
	s.log.LogAttrs(c.UserContext(), slog.LevelDebug, "http request",
		slog.String("method", c.Method()),
		slog.String("route", c.Route().Path),
		slog.Int("status", c.Response().StatusCode()),
		slog.Duration("took", time.Since(start)),
	)
	return nil
}

// guarded runs the rest of the chain. fasthttp does not recover: without this a panic in one
// handler would end the daemon.
func (s *Server) guarded(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("http handler panicked", "route", c.Route().Path, "panic", fmt.Sprint(r), "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return c.Next()
}

// refuseMethods answers what fiber has no name for, such as PROPFIND; fiber itself would in plain text,
// before any of our handlers.
func refuseMethods(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(ctx.Method())) {
			next(ctx)
			return
		}
		refuseRaw(ctx, fiber.StatusMethodNotAllowed)
	}
}

// refuseEncoding answers 415 to a compressed body: fasthttp inflates without a limit, so that a
// body within MaxBody could fill the memory.
func refuseEncoding(c *fiber.Ctx) error {
	switch encoding := c.Get(fiber.HeaderContentEncoding); strings.ToLower(encoding) {
	case "", "identity":
		return c.Next()
	default:
		return &statusError{fiber.StatusUnsupportedMediaType, "Content-Encoding: not supported, send the body uncompressed"}
	}
}
