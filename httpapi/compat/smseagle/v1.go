package smseagle

import (
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// v1Send takes orders whose recipients are in one field, to, groupname or contactname.
func (d *Dialect) v1Send(recipients string) fiber.Handler {
	n := telling(recipients)
	return func(c *fiber.Ctx) error {
		p, err := v1Params(c)
		if err != nil {
			return err
		}
		seen(c).answer = p["responsetype"]
		all, err := d.submit(c, p, n)
		if err != nil {
			return err
		}
		return v1Accepted(c, all)
	}
}

// telling are the names of v1 and JSON-RPC, where the method says who the recipients are.
func telling(recipients string) names {
	n := names{text: "message"}
	switch recipients {
	case "to":
		n.to = recipients
	case "groupname":
		n.groups = recipients
	case "contactname":
		n.contacts = recipients
	}
	return n
}

// xmlAnswer is one item for each recipient, or an error.
type xmlAnswer struct {
	XMLName xml.Name  `xml:"xml"`
	Items   []xmlItem `xml:"item"`
	Error   string    `xml:"error_text,omitempty"`
	Status  string    `xml:"status,omitempty"`
}

type xmlItem struct {
	ID     uint64 `xml:"message_id"`
	Status string `xml:"status"`
}

func inXML(c *fiber.Ctx) bool { return seen(c).answer == "xml" }

func v1Accepted(c *fiber.Ctx, all []accepted) error {
	if inXML(c) {
		var x xmlAnswer
		for _, a := range all {
			x.Items = append(x.Items, xmlItem{a.id, "ok"})
		}
		return c.XML(x)
	}
	lines := make([]string, len(all))
	for i, a := range all {
		lines[i] = "OK; ID=" + strconv.FormatUint(a.id, 10)
	}
	return v1Text(c, strings.Join(lines, "\n"))
}

func v1Text(c *fiber.Ctx, text string) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(text)
}

func v1Fail(c *fiber.Ctx, t compat.Trouble) error {
	status, text := refusal(c, t)
	c.Status(status)
	if inXML(c) {
		return c.XML(xmlAnswer{Error: text, Status: "error"})
	}
	return v1Text(c, text)
}
