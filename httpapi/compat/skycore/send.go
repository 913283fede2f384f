package skycore

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/httpapi/links"
	"dongled/modem"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// acceptance is the vendor's answer, in its order, with warnings of ours behind it.
type acceptance struct {
	Status     string   `json:"status"`
	TrackingID string   `json:"tracking-id"`
	To         string   `json:"to"`
	From       string   `json:"from"`
	Details    string   `json:"status-details"`
	Warnings   []string `json:"warnings,omitempty"`
}

// meta is what postbacks tell of a request: Submission.Meta, and the note of its links.
type meta struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Mask     string `json:"mask,omitempty"`
	Campaign string `json:"campaign,omitempty"`
}

func (d *Dialect) send(c *fiber.Ctx) error {
	r, err := parse(c.BodyRaw())
	c.Locals(toKey{}, r.to)
	if err != nil {
		return err
	}
	g := d.gateway.Load()
	sim, err := d.sender(g, r)
	if err != nil {
		return err
	}
	s, err := d.submission(g, r, sim)
	if err != nil {
		return err
	}
	m, err := g.Messages.Submit(c.UserContext(), s)
	if err != nil {
		return err
	}
	a := acceptance{
		Status: "Success", TrackingID: m.ID, To: r.to, From: r.from,
		Details: "SMS request accepted and queued for delivery",
	}
	if r.mask != "" {
		own := cmp.Or(sim.Number, sim.Name, fmt.Sprintf("the number of SIM %d", sim.SIM))
		a.Warnings = append(a.Warnings, "from-mask is not supported on a SIM; sender is "+own)
	}
	return c.JSON(a)
}

// sender finds the SIM, whose own number is the only one that it can send under.
func (d *Dialect) sender(g *compat.Gateway, r request) (modem.Status, error) {
	if r.mask != "" && d.opts.StrictMask {
		return modem.Status{}, errMask
	}
	sim, known := compat.SIM(g.SIMs.Modems(), r.from)
	if !known {
		return modem.Status{}, errSender
	}
	return sim, nil
}

// submission has the campaign checked and the links kept in the transaction that accepts it.
func (d *Dialect) submission(g *compat.Gateway, r request, sim modem.Status) (queue.Submission, error) {
	note, err := json.Marshal(meta{r.from, plain(r.number), r.mask, r.campaign})
	if err != nil {
		return queue.Submission{}, err
	}
	var made []links.Link
	if r.tracked {
		if r.text, made, err = g.Links.Rewrite(r.text, links.Wish{All: true, Origin: Name, Note: note}); err != nil {
			return queue.Submission{}, err
		}
	}
	return queue.Submission{
		Content: queue.Content{Text: r.text}, Recipients: []string{r.number}, SIM: sim.SIM, Report: true,
		SkipPhoneValidation: true, Origin: Name, Meta: note,
		Also: func(t *store.Tx, m queue.Message) error {
			if d.opts.EnforceCampaignCheck {
				if err := admit(t, r.campaign, r.number, sim.SIM); err != nil {
					return err
				}
			}
			return g.Links.Keep(t, m.ID, made)
		},
	}, nil
}
