package httpapi

import (
	"cmp"
	"mime"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/queue"
)

// send answers POST /messages, after the commit, with Location and the full state.
func (s *Server) send(p profile) fiber.Handler {
	return func(c *fiber.Ctx) error {
		options, err := queryOf(c).sendOptions()
		if err != nil {
			return err
		}
		if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
			return err
		}
		now := time.Now()
		submission, template, err := parseSubmission(c.BodyRaw(), s.opt.DeviceID, now)
		if err == nil && template != nil {
			submission.Content.Text, err = s.textOf(c.UserContext(), *template)
		}
		if err != nil {
			return err
		}
		if !s.activeWithin(options.activeWithin, now) {
			return fault("deviceActiveWithin", "failed to select device: record not found")
		}
		submission.SkipPhoneValidation = options.skipPhoneValidation
		submission.ID = cmp.Or(submission.ID, p.newID())

		m, err := s.opt.Messages.Submit(c.UserContext(), submission)
		if err != nil {
			return fromSubmit(err)
		}
		c.Location(p.prefix + "/messages/" + url.PathEscape(m.ID))
		return c.Status(p.accepted()).JSON(s.state(p, m, true))
	}
}

// requireJSON takes application/json and application/*+json, with any parameters.
func requireJSON(contentType string) error {
	media, _, err := mime.ParseMediaType(contentType)
	structured := strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json")
	if err != nil || media != fiber.MIMEApplicationJSON && !structured {
		return fault("Content-Type", "must be application/json")
	}
	return nil
}

// activeWithin reports whether a modem answered within so many hours; 0 hours asks for nothing.
func (s *Server) activeWithin(hours int, now time.Time) bool {
	if hours == 0 {
		return true
	}
	// Days first: AddDate takes any number that the parser lets through, a Duration does not.
	earliest := now.AddDate(0, 0, -hours/24).Add(-time.Duration(hours%24) * time.Hour)
	for _, m := range s.opt.Modems.Modems() {
		if !m.LastSeen.IsZero() && !m.LastSeen.Before(earliest) {
			return true
		}
	}
	return false
}

func (s *Server) state(p profile, m queue.Message, includeContent bool) messageState {
	return newMessageState(p, m, s.opt.DeviceID, includeContent)
}

func (s *Server) get(p profile) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := messageID(c)
		if err != nil {
			return err
		}
		m, err := s.opt.Messages.Get(c.UserContext(), id)
		if err != nil {
			return fromRead(err)
		}
		return c.JSON(s.state(p, m, true))
	}
}

// cancel answers without the content, as SMSGate does.
func (s *Server) cancel(p profile) fiber.Handler {
	return func(c *fiber.Ctx) error {
		id, err := messageID(c)
		if err != nil {
			return err
		}
		m, err := s.opt.Messages.Cancel(c.UserContext(), id)
		if err != nil {
			return fromRead(err)
		}
		return c.JSON(s.state(p, m, false))
	}
}

// messageID reads the id from the path. What cannot be an id is not found without asking.
func messageID(c *fiber.Ctx) (string, error) {
	id, err := url.PathUnescape(c.Params("id"))
	if err != nil || !validID(id) {
		return "", queue.ErrNotFound
	}
	return id, nil
}

func (s *Server) list(p profile) fiber.Handler {
	return func(c *fiber.Ctx) error {
		listing, err := queryOf(c).listing(p, s.opt.DeviceID)
		if err != nil {
			return err
		}
		var (
			page  []queue.Message
			total int
		)
		if !listing.nothing {
			page, total, err = s.opt.Messages.List(c.UserContext(), listing.filter)
		}
		if err != nil {
			return fromRead(err)
		}
		return paged(c, page, total, func(m queue.Message) messageState { return s.state(p, m, listing.includeContent) })
	}
}
