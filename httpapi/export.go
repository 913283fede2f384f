package httpapi

import (
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/inbox"
)

// replayFields are the fields of SMSGate's InboxRefreshRequest, of which MessagesExportRequest is a part.
var replayFields = []string{"deviceId", "since", "until", "messageTypes", "triggerWebhooks", "webhookDelivery"}

// maxMessageTypes is far more than there are, for clients that repeat themselves.
const maxMessageTypes = 16

// exportInbox answers POST /messages/inbox/export: the events of a period are told again.
func (s *Server) exportInbox(c *fiber.Ctx) error {
	return s.replay(c, true)
}

// refreshInbox answers POST /inbox/refresh, which by default only looks for what is not in the inbox yet.
func (s *Server) refreshInbox(c *fiber.Ctx) error {
	if err := s.replay(c, false); err != nil {
		return err
	}
	s.opt.Modems.Sweep()
	return nil
}

// replay answers 202 once the wish is stored; trigger is what triggerWebhooks is where it is not given.
// Clients want a JSON object.
func (s *Server) replay(c *fiber.Ctx, trigger bool) error {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return err
	}
	r, wanted, err := parseReplay(c.BodyRaw(), s.opt.DeviceID, trigger)
	if err != nil {
		return err
	}
	if wanted {
		if err := s.opt.Inbox.Replay(c.UserContext(), r); err != nil {
			return fromSubmit(err)
		}
	}
	return c.Status(fiber.StatusAccepted).JSON(struct{}{})
}

// parseReplay reads the body; wanted says that events are wanted at all.
func parseReplay(body []byte, deviceID string, trigger bool) (r inbox.Replay, wanted bool, err error) {
	o := parseBody(body, replayFields...)
	o.ownDevice(deviceID)
	for _, field := range []string{"since", "until"} {
		if _, found := o.take(field); !found {
			o.reject(field, "is required")
		}
	}
	r.Since, _ = o.time("since")
	r.Until, _ = o.time("until")
	if r.Since.After(r.Until) {
		o.reject("since", "must not be after until")
	}
	r.Kinds = o.kinds("messageTypes")
	wanted, r.Batch = o.delivery(trigger)
	return r, wanted, o.err
}

// kinds reads messageTypes. DATA_SMS is ours: SMSGate knows SMS and MMS there, and means texts by SMS.
func (o *object) kinds(field string) []inbox.Kind {
	if _, found := o.take(field); !found {
		return []inbox.Kind{inbox.SMS}
	}
	names := o.texts(field, maxMessageTypes)
	if len(names) == 0 {
		o.reject(field, "must have at least one element")
	}
	var kinds []inbox.Kind
	for i, name := range names {
		kind, ok := inbox.ParseKind(name)
		if !ok {
			o.reject(element(field, i), "must be SMS, DATA_SMS or MMS")
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// delivery says whether events are wanted and whether in batches. webhookDelivery goes over the older
// triggerWebhooks.
func (o *object) delivery(trigger bool) (wanted, batch bool) {
	if on, found := o.flag("triggerWebhooks"); found {
		trigger = on
	}
	delivery, found := o.text("webhookDelivery")
	if !found {
		return trigger, false
	}
	switch delivery {
	case "Disabled":
		return false, false
	case "Individual", "Batch":
		return true, delivery == "Batch"
	}
	o.reject("webhookDelivery", "must be Disabled, Individual or Batch")
	return false, false
}

// attachment answers GET /inbox/{id}/attachments/{partId}. Only an MMS that was fetched has any.
func (s *Server) attachment(c *fiber.Ctx) error {
	if _, err := strconv.ParseInt(c.Params("partId"), 10, 64); err != nil {
		return &statusError{fiber.StatusBadRequest, "partId must be a number"}
	}
	return errNoAttachment
}

var errNoAttachment = &statusError{fiber.StatusNotFound, "attachment not found"}
