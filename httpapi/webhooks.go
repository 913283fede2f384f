package httpapi

import (
	"context"
	"errors"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/webhook"
)

// Webhooks are the registered webhooks and what became of their deliveries, as this package needs
// them; see webhook.Hooks.
type Webhooks interface {
	List(ctx context.Context, source string) ([]webhook.Hook, error)
	Put(ctx context.Context, h webhook.Hook) (webhook.Hook, error)
	Delete(ctx context.Context, id string) error
	Test(ctx context.Context, id string) (webhook.Delivery, error)
	Deliveries(ctx context.Context, id, state string, limit, offset int) ([]webhook.Delivery, int, error)
	Replay(ctx context.Context, id, delivery string) (webhook.Delivery, error)
}

// maxDeliveries bounds a page of deliveries.
const maxDeliveries = 500

// delivery is one event on its way to one webhook. SMSGate has no word for it.
type delivery struct {
	ID            string `json:"id"`
	WebhookID     string `json:"webhookId"`
	Event         string `json:"event"`
	State         string `json:"state"`
	CreatedAt     stamp  `json:"createdAt"`
	Attempts      int    `json:"attempts"`
	LastAttemptAt *stamp `json:"lastAttemptAt,omitempty"`
	NextAttemptAt *stamp `json:"nextAttemptAt,omitempty"`
	// ResponseStatus is absent where there was no answer.
	ResponseStatus int    `json:"responseStatus,omitempty"`
	Error          string `json:"error,omitempty"`
}

func newDelivery(d webhook.Delivery) delivery {
	out := delivery{
		ID: d.ID, WebhookID: d.WebhookID, Event: d.Event, State: d.State, CreatedAt: stamp(d.Created),
		Attempts: d.Attempts, ResponseStatus: d.Status, Error: d.Error,
	}
	if !d.Last.IsZero() {
		last := stamp(d.Last)
		out.LastAttemptAt = &last
	}
	if !d.Next.IsZero() {
		next := stamp(d.Next)
		out.NextAttemptAt = &next
	}
	return out
}

// fromWebhook is fromRead for what webhooks answer.
func fromWebhook(err error) error {
	var fault *webhook.Fault
	switch {
	case err == nil:
		return nil
	case errors.As(err, &fault):
		return &statusError{fiber.StatusBadRequest, fault.Problem}
	case errors.Is(err, webhook.ErrNotFound):
		return &statusError{fiber.StatusNotFound, err.Error()}
	case errors.Is(err, webhook.ErrNotEnded):
		return &statusError{fiber.StatusConflict, err.Error()}
	}
	return fromRead(err)
}

// webhooks answers GET /webhooks with those of the clients of this gateway: those that an uplink
// brought are its server's to show.
func (s *Server) webhooks(c *fiber.Ctx) error {
	list, err := s.opt.Webhooks.List(c.UserContext(), webhook.Local)
	if err != nil {
		return fromWebhook(err)
	}
	if list == nil {
		list = []webhook.Hook{}
	}
	return c.JSON(list)
}

// putWebhook answers POST /webhooks, which replaces a webhook of the same id.
func (s *Server) putWebhook(c *fiber.Ctx) error {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return err
	}
	hook, err := parseWebhook(c.BodyRaw(), s.opt.DeviceID)
	if err != nil {
		return err
	}
	stored, err := s.opt.Webhooks.Put(c.UserContext(), hook)
	if err != nil {
		return fromWebhook(err)
	}
	return c.Status(fiber.StatusCreated).JSON(stored)
}

// parseWebhook reads a registration. The device is deviceId or, as SMSGate's documentation and its
// Rust client have it, device_id; it must be this one or none, and is not repeated in answers.
func parseWebhook(body []byte, deviceID string) (h webhook.Hook, err error) {
	o := parseBody(body, "id", "deviceId", "device_id", "url", "event")
	h.ID, _ = o.text("id")
	h.URL, _ = o.text("url")
	h.Event, _ = o.text("event")
	for _, name := range []string{"deviceId", "device_id"} {
		if id, _ := o.text(name); id != "" && id != deviceID && o.err == nil {
			o.err = &statusError{fiber.StatusBadRequest, "Device ID mismatch"}
		}
	}
	h.Source = webhook.Local
	return h, o.err
}

// webhookParam reads an id from the path. What cannot be an id is unknown.
func webhookParam(c *fiber.Ctx, name string) string {
	id, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return ""
	}
	return id
}

// deleteWebhook answers 204 also where there is no such webhook.
func (s *Server) deleteWebhook(c *fiber.Ctx) error {
	if err := s.opt.Webhooks.Delete(c.UserContext(), webhookParam(c, "id")); err != nil {
		return fromWebhook(err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// testWebhook answers once the endpoint has, or after 30 s; it is given up when the server stops.
func (s *Server) testWebhook(c *fiber.Ctx) error {
	d, err := s.opt.Webhooks.Test(s.serving, webhookParam(c, "id"))
	if err != nil {
		return fromWebhook(err)
	}
	return c.JSON(newDelivery(d))
}

// deliveries answers GET /webhooks/{id}/deliveries.
func (s *Server) deliveries(c *fiber.Ctx) error {
	q := queryOf(c)
	state := q.deliveryState()
	limit, offset := q.integer("limit", 1, maxDeliveries, defaultLimit), q.integer("offset", 0, maxOffset, 0)
	if q.err != nil {
		return q.err
	}
	page, total, err := s.opt.Webhooks.Deliveries(c.UserContext(), webhookParam(c, "id"), state, limit, offset)
	if err != nil {
		return fromWebhook(err)
	}
	return paged(c, page, total, newDelivery)
}

func (q *query) deliveryState() string {
	switch state := q.get("state"); state {
	case "", webhook.Pending, webhook.Delivered, webhook.Failed, webhook.Superseded:
		return state
	}
	q.reject("state", "must be pending, delivered, failed or superseded")
	return ""
}

// replayDelivery answers once the delivery waits to be tried anew.
func (s *Server) replayDelivery(c *fiber.Ctx) error {
	d, err := s.opt.Webhooks.Replay(c.UserContext(), webhookParam(c, "id"), webhookParam(c, "delivery"))
	if err != nil {
		return fromWebhook(err)
	}
	return c.Status(fiber.StatusAccepted).JSON(newDelivery(d))
}
