package alerts

import (
	"cmp"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// taken is the answer: "queued" with the ID of the message, or "repeated".
type taken struct {
	Status string `json:"status"`
	ID     string `json:"id,omitempty"`
}

func (d *Dialect) take(c *fiber.Ctx) error {
	named, err := url.PathUnescape(c.Params("receiver"))
	if err != nil {
		return compat.Fault("receiver", "must be percent-encoded in the path")
	}
	p, err := parse(c.BodyRaw())
	if err != nil {
		return err
	}
	name := cmp.Or(named, p.Receiver)
	if err := d.verify(c, name); err != nil {
		return err
	}
	r, err := d.receiver(c, name)
	if err != nil {
		return err
	}
	text, err := r.write(p)
	if err != nil {
		// It is not the sender who can mend it, nor would it help to send it again.
		d.gateway.Log.Error("the template of a receiver of alerts fails", "receiver", r.Name, "err", err)
		return compat.Fault("template", "of receiver %q fails: %s", r.Name, err)
	}
	key := d.key(p.identity(), r)
	m, err := d.gateway.Messages.Submit(c.UserContext(), queue.Submission{
		Content: queue.Content{Text: text}, Recipients: r.To, SIM: r.SIM, Report: true, Origin: d.name,
		Also: func(t *store.Tx, _ queue.Message) error { return remember(t, key) },
	})
	switch {
	case errors.Is(err, errRepeated):
		return c.JSON(taken{Status: "repeated"})
	case err != nil:
		return compat.Named(err, "phoneNumbers", "to", "simNumber", "sim")
	}
	return c.JSON(taken{Status: "queued", ID: m.ID})
}

// receiver is who gets it: the numbers of the query, or those of the receiver of that name.
func (d *Dialect) receiver(c *fiber.Ctx, name string) (receiver, error) {
	r, known := d.receivers[name]
	if !known {
		r = d.anybody
	}
	if to := numbers(c.Query("to")); len(to) > 0 {
		r.To = to
	} else if !known {
		return r, compat.Fault("receiver", "there is no receiver %q in the configuration: add it to receivers, or give the numbers as ?to=", name)
	}
	if sim := c.Query("sim"); sim != "" {
		n, err := strconv.Atoi(sim)
		if err != nil || n < 0 || n > 255 {
			return r, compat.Fault("sim", "must be a simNumber, 1 to 255")
		}
		r.SIM = n
	}
	return r, nil
}

// numbers are those between commas. A + that was not escaped arrives as a space; before a 0 there was none.
func numbers(list string) (numbers []string) {
	for _, n := range strings.Split(list, ",") {
		bare := strings.TrimSpace(n)
		switch {
		case bare == "":
			continue
		case strings.HasPrefix(n, " ") && bare[0] >= '1' && bare[0] <= '9':
			bare = "+" + bare
		}
		numbers = append(numbers, bare)
	}
	return numbers
}
