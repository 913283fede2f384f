package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/settings"
)

// Settings are what clients may change, as this package needs them; see settings.Settings.
type Settings interface {
	// Public is the JSON object that clients see, without secrets.
	Public() json.RawMessage
	// Patch and Replace return after the commit. A *settings.Fault is the client's; any error means
	// that nothing was changed.
	Patch(ctx context.Context, body json.RawMessage) error
	Replace(ctx context.Context, body json.RawMessage) error
}

func (s *Server) settings(c *fiber.Ctx) error {
	return c.JSON(s.opt.Settings.Public())
}

func (s *Server) patchSettings(c *fiber.Ctx) error { return s.changeSettings(c, s.opt.Settings.Patch) }

func (s *Server) putSettings(c *fiber.Ctx) error { return s.changeSettings(c, s.opt.Settings.Replace) }

// changeSettings answers with all settings, after the commit.
func (s *Server) changeSettings(c *fiber.Ctx, change func(context.Context, json.RawMessage) error) error {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return err
	}
	// Which names are known is for the settings to say, and so is whether one occurs twice.
	if err := parseBody(c.BodyRaw()).err; err != nil {
		return err
	}
	if err := change(c.UserContext(), c.BodyRaw()); err != nil {
		return fromSettings(err)
	}
	return s.settings(c)
}

// fromSettings words a client's fault as SMSGate does.
func fromSettings(err error) error {
	var fault *settings.Fault
	if errors.As(err, &fault) {
		section, _, _ := strings.Cut(fault.Key, ".")
		return &statusError{fiber.StatusBadRequest, "Invalid request: Failed to import " + section + ": " + fault.Problem}
	}
	return &storeError{"the message store is unavailable; nothing was changed, try again", err}
}
