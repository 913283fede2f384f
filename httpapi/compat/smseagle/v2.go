package smseagle

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/modem"
)

// queued is one recipient in the answer of v2.
type queued struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Number  string `json:"number"`
	ID      uint64 `json:"id"`
	OID     string `json:"oid,omitempty"`
}

// v2Names are of one method that takes recipients of all kinds.
var v2Names = names{text: "text", to: "to", groups: "groups", contacts: "contacts"}

func (d *Dialect) v2Send(c *fiber.Ctx) error {
	p, err := jsonParams("body", c.BodyRaw())
	if err != nil {
		return err
	}
	all, err := d.submit(c, p, v2Names)
	if err != nil {
		return err
	}
	answer := make([]queued, len(all))
	for i, a := range all {
		answer[i] = queued{"queued", "OK", a.number, a.id, p["oid"]}
	}
	return c.JSON(answer)
}

type problem struct {
	Message string `json:"message"`
}

func v2Fail(c *fiber.Ctx, t compat.Trouble) error {
	status, text := refusal(c, t)
	return c.Status(status).JSON(problem{text})
}

// strength is the signal of a modem in percent; -1 is one that is in no network.
type strength struct {
	Modem  int `json:"modem_no"`
	Signal int `json:"signal_strength"`
}

// signal answers for the modem that the path names, or for the first.
func (d *Dialect) signal(c *fiber.Ctx) error {
	for _, st := range d.gateway.SIMs.Modems() {
		if wanted := c.Params("modem"); wanted == "" || wanted == strconv.Itoa(st.SIM) {
			return c.JSON(strength{st.SIM, percent(st)})
		}
	}
	return &compat.Trouble{Kind: compat.NotFound, Problem: "no such modem: modem_no is a simNumber of the gateway"}
}

// percent is where a level is between -113 and -51 dBm, the ends of +CSQ (TS 27.007 section 8.5).
func percent(st modem.Status) int {
	if !st.Ready() || st.SignalDBM == 0 {
		return -1
	}
	return min(100, max(0, (st.SignalDBM+113)*100/62))
}
