package bird

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"dongled/httpapi/compat"
	"dongled/httpapi/links"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// messageRoutes are those of the messages of a channel.
func (d *Dialect) messageRoutes(r fiber.Router) {
	const path = "/workspaces/:workspaceId/channels/:channelId/messages"
	r.Post(path, d.guarded(d.send, "messages:send")...)
	r.Get(path, d.guarded(d.list, "messages:list", "messages:read")...)
	r.Get(path+"/:messageId", d.guarded(d.get, "messages:read")...)
}

// send answers with the whole message, after the commit.
func (d *Dialect) send(c *fiber.Ctx) error {
	ch, err := d.channelOf(c)
	if err != nil {
		return err
	}
	if err := ch.sendable(); err != nil {
		return err
	}
	r, err := parseRequest(c.BodyRaw(), d.opts.Strict)
	if err != nil {
		return err
	}
	o, err := d.orderOf(r, ch, time.Now())
	if err != nil {
		return err
	}
	m, err := d.submit(c.UserContext(), o)
	if err != nil {
		return err
	}
	return c.Status(fiber.StatusAccepted).JSON(d.outgoing(m))
}

// submit finds the text of an order and has it accepted.
func (d *Dialect) submit(ctx context.Context, o *order) (queue.Message, error) {
	text, made, err := d.compose(ctx, o)
	if err != nil {
		return queue.Message{}, err
	}
	id := uuid.NewString()
	s := o.submission(id, text)
	s.Also = func(t *store.Tx, m queue.Message) error {
		if o.capped {
			if err := d.count(t, m); err != nil {
				return err
			}
		}
		return d.g.Links.Keep(t, m.ID, made)
	}
	m, err := d.g.Messages.Submit(ctx, s)
	if errors.Is(err, errOverCap) {
		o.kept.Refused = overCap
		s = o.submission(id, text)
		s.Refused = d.capText()
		m, err = d.g.Messages.Submit(ctx, s)
	}
	return m, o.fault(err)
}

// compose makes the text that is sent.
func (d *Dialect) compose(ctx context.Context, o *order) (string, []links.Link, error) {
	text := o.text
	if o.template != nil {
		rendered, short, err := d.render(ctx, o.template)
		if err != nil {
			return "", nil, err
		}
		if short && o.kept.ShortLinks == nil {
			on := true
			o.kept.ShortLinks = &shortLinks{Enabled: &on}
			o.links.short = true
		}
		text = rendered
	}
	return d.shorten(o, text)
}

// fault names what the queue found by the vendor's fields.
func (o *order) fault(err error) error {
	var found *queue.FieldError
	if !errors.As(err, &found) {
		return err
	}
	switch {
	case strings.HasPrefix(found.Field, "phoneNumbers"):
		return compat.Fault("receiver.contacts[0].identifierValue", "%s", strings.TrimPrefix(found.Problem, "failed to use phone in row 1: "))
	case found.Field == "textMessage.text" && o.template != nil:
		return compat.Fault("template", "its text %s", found.Problem)
	case found.Field == "textMessage.text":
		return compat.Fault("body.text.text", "%s", found.Problem)
	case found.Field == "simNumber":
		return compat.Fault("channelId", "%s", found.Problem)
	case found.Field == "validUntil":
		return compat.Fault("validity", "%s", found.Problem)
	}
	return err
}
