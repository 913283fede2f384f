package twilio

import (
	"encoding/hex"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"dongled/httpapi/links"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

func (d *Dialect) send(c *fiber.Ctx) error {
	account, err := d.account(c)
	if err != nil {
		return err
	}
	return d.accept(c, account, false)
}

// authentik is the generic provider of authentik's SMS stage, which knows no account.
func (d *Dialect) authentik(c *fiber.Ctx) error { return d.accept(c, d.house(), true) }

func (d *Dialect) accept(c *fiber.Ctx, account string, anySIM bool) error {
	p, err := parse(c.Get(fiber.HeaderContentType), c.BodyRaw())
	if err != nil {
		return err
	}
	o, err := d.read(p, account, anySIM, time.Now())
	if err != nil {
		return err
	}
	if err := d.link(&o); err != nil {
		return naming(err)
	}
	o.ID = newSID()
	m, err := d.gateway.Messages.Submit(c.UserContext(), o.Submission)
	if err != nil {
		return naming(err)
	}
	return c.Status(fiber.StatusCreated).JSON(view(m))
}

// newSID is 32 digits of a random UUID.
func newSID() string {
	id := uuid.New()
	return "SM" + hex.EncodeToString(id[:])
}

// link makes the URLs short, if that is wanted.
func (d *Dialect) link(o *order) error {
	if !o.shorten {
		return nil
	}
	text, made, err := d.gateway.Links.Rewrite(o.Content.Text, links.Wish{Origin: d.Name()})
	if err != nil {
		return err
	}
	o.Content.Text = text
	o.Also = func(t *store.Tx, m queue.Message) error { return d.gateway.Links.Keep(t, m.ID, made) }
	return nil
}
