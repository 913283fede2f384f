package twilio

import (
	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/queue"
)

// one is the message of the path, if it is the account's and was not deleted.
func (d *Dialect) one(c *fiber.Ctx) (queue.Message, error) {
	account, err := d.account(c)
	if err != nil {
		return queue.Message{}, err
	}
	m, err := d.gateway.Messages.Get(c.UserContext(), c.Params("sid"))
	switch {
	case err != nil:
		return queue.Message{}, err
	case m.Origin != d.Name() || metaOf(m).Account != account:
		return queue.Message{}, queue.ErrNotFound
	}
	there, err := d.present([]queue.Message{m})
	switch {
	case err != nil:
		return queue.Message{}, err
	case len(there) == 0:
		return queue.Message{}, queue.ErrNotFound
	}
	return m, nil
}

func (d *Dialect) get(c *fiber.Ctx) error {
	m, err := d.one(c)
	if err != nil {
		return err
	}
	return c.JSON(view(m))
}

// update cancels: the texts of messages cannot be changed, not even to none.
func (d *Dialect) update(c *fiber.Ctx) error {
	m, err := d.one(c)
	if err != nil {
		return err
	}
	p, err := parse(c.Get(fiber.HeaderContentType), c.BodyRaw())
	switch {
	case err != nil:
		return err
	case p.Has("Body"):
		return refuse(codeInvalid, "Body cannot be changed; DELETE takes a message that is finished off this API.")
	case p.Get("Status") != statusCanceled:
		return refuse(codeInvalid, "Status must be canceled.")
	}
	if m, err = d.gateway.Messages.Cancel(c.UserContext(), m.ID); err != nil {
		return err
	}
	return c.JSON(view(m))
}

// remove has this API forget a message that is on its way no more.
func (d *Dialect) remove(c *fiber.Ctx) error {
	m, err := d.one(c)
	if err != nil {
		return err
	}
	if m.State == queue.Pending || m.State == queue.Processed {
		return newProblem(fiber.StatusConflict, codeUnfinished, "The message is not finished: cancel it first, or wait.")
	}
	if err := d.forget(c.UserContext(), m.ID); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
