package gammu

import (
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"dongled/scheduler/inbox"
)

// incoming is a message that came in. State is always that of one that was not deleted yet.
type incoming struct {
	Date   string `json:"Date"`
	Number string `json:"Number"`
	State  string `json:"State"`
	Text   string `json:"Text"`
}

// mostListed is how many of the latest texts of the inbox are looked at, so that a client that asks every few
// seconds costs little.
const mostListed = 500

func view(m inbox.Message) incoming {
	at := m.Sent
	if at.IsZero() {
		at = m.Received
	}
	return incoming{at.Local().Format("2006-01-02 15:04:05"), m.Sender, "UnRead", m.Text}
}

// waiting are the texts that were not deleted here, oldest first.
func (d *Dialect) waiting(c *fiber.Ctx) (waiting []inbox.Message, err error) {
	deleted, err := d.deleted()
	if err != nil {
		return nil, err
	}
	latest, _, err := d.gateway.Inbox.List(c.UserContext(), inbox.Filter{Kind: inbox.SMS, Limit: mostListed})
	if err != nil {
		return nil, err
	}
	latest = slices.DeleteFunc(latest, func(m inbox.Message) bool { return deleted[m.ID] })
	slices.Reverse(latest)
	return latest, nil
}

func (d *Dialect) list(c *fiber.Ctx) error {
	waiting, err := d.waiting(c)
	if err != nil {
		return err
	}
	views := make([]incoming, len(waiting))
	for i, m := range waiting {
		views[i] = view(m)
	}
	return c.JSON(views)
}

// at is the message at the place that the path names.
func (d *Dialect) at(c *fiber.Ctx) (m inbox.Message, found bool, err error) {
	place, err := strconv.Atoi(c.Params("place"))
	if err != nil {
		return m, false, nil
	}
	waiting, err := d.waiting(c)
	if err != nil || place < 0 || place >= len(waiting) {
		return m, false, err
	}
	return waiting[place], true, nil
}

func notFound(c *fiber.Ctx) error {
	return c.Status(fiber.StatusNotFound).JSON(problem{"Sms with id '" + c.Params("place") + "' not found"})
}

func (d *Dialect) get(c *fiber.Ctx) error {
	m, found, err := d.at(c)
	switch {
	case err != nil:
		return err
	case !found:
		return notFound(c)
	}
	return c.JSON(view(m))
}

func (d *Dialect) remove(c *fiber.Ctx) error {
	m, found, err := d.at(c)
	switch {
	case err != nil:
		return err
	case !found:
		return notFound(c)
	}
	if err := d.forget(c.UserContext(), m.ID); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

// take answers with the first message once it is deleted. Two clients may get the same one at the same
// moment; none is lost.
func (d *Dialect) take(c *fiber.Ctx) error {
	waiting, err := d.waiting(c)
	switch {
	case err != nil:
		return err
	case len(waiting) == 0:
		return c.JSON(incoming{})
	}
	if err := d.forget(c.UserContext(), waiting[0].ID); err != nil {
		return err
	}
	return c.JSON(view(waiting[0]))
}
