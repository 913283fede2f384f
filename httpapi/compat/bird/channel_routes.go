package bird

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// The states of channels and of subscriptions.
const (
	active   = "active"
	inactive = "inactive"
)

// shownChannel is a channel on the wire.
type shownChannel struct {
	ID           string       `json:"id"`
	PlatformID   string       `json:"platformId"`
	Name         string       `json:"name"`
	ConnectorID  string       `json:"connectorId"`
	Identifier   string       `json:"identifier"`
	Status       string       `json:"status"`
	Capabilities capabilities `json:"capabilities"`
}

// capabilities has the path by which clients find out that a channel takes no media.
type capabilities struct {
	Messaging struct {
		Outgoing struct {
			Text capability `json:"text"`
			MMS  capability `json:"mms"`
		} `json:"outgoing"`
	} `json:"messaging"`
}

type capability struct {
	Status string `json:"status"`
}

func (ch channel) show() shownChannel {
	s := shownChannel{
		ID: ch.ID, PlatformID: platform, Name: ch.Name, ConnectorID: ch.connector(), Identifier: ch.Phone, Status: inactive,
	}
	if ch.Active {
		s.Status = active
	}
	s.Capabilities.Messaging.Outgoing.Text.Status = s.Status
	s.Capabilities.Messaging.Outgoing.MMS.Status = inactive
	return s
}

func (d *Dialect) channelRoutes(r fiber.Router) {
	r.Get("/workspaces/:workspaceId/channels", d.guarded(d.listChannels, "messages:list", "messages:read")...)
	r.Get("/workspaces/:workspaceId/channels/:channelId", d.guarded(d.getChannel, "messages:list", "messages:read")...)
}

func (d *Dialect) listChannels(c *fiber.Ctx) error {
	if err := d.inWorkspace(c); err != nil {
		return err
	}
	p, err := readPage(c)
	if err != nil {
		return err
	}
	d.remember(d.serving())
	var all []shownChannel
	for _, ch := range d.channels() {
		all = append(all, ch.show())
	}
	answer, err := cut(all, func(s shownChannel) string { return s.ID }, p)
	if err != nil {
		return err
	}
	return c.JSON(answer)
}

func (d *Dialect) getChannel(c *fiber.Ctx) error {
	ch, err := d.channelOf(c)
	if err != nil {
		return err
	}
	return c.JSON(ch.show())
}

// channelOf is the channel that a path names.
func (d *Dialect) channelOf(c *fiber.Ctx) (channel, error) {
	if err := d.inWorkspace(c); err != nil {
		return channel{}, err
	}
	ch, found := d.channel(lower(c.Params("channelId")))
	if !found {
		return channel{}, &compat.Trouble{Kind: compat.NotFound, Problem: "channel not found"}
	}
	return ch, nil
}

// inWorkspace refuses paths of other workspaces.
func (d *Dialect) inWorkspace(c *fiber.Ctx) error {
	if lower(c.Params("workspaceId")) != d.workspace() {
		return &compat.Trouble{Kind: compat.Forbidden, Problem: "the access key is of another workspace"}
	}
	return nil
}

// sendable says why nothing can be sent by a channel.
func (ch channel) sendable() error {
	if ch.Away {
		return compat.Fault("channelId", "another SIM is in the place of this channel's: put its SIM back, or use that one's channel")
	}
	return nil
}

// serving ends with the server.
func (d *Dialect) serving() context.Context {
	if d.g.Serving == nil {
		return context.Background()
	}
	return d.g.Serving
}
