package smseagle

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
)

// result is the answer of JSON-RPC: a text, or with responsetype extended an object or a list of such.
type result struct {
	Result any `json:"result"`
}

type rpcItem struct {
	ID     string `json:"message_id,omitempty"`
	Error  string `json:"error_text,omitempty"`
	Status string `json:"status"`
	OID    string `json:"oid,omitempty"`
}

// recipientsOf are the methods, with the field that has their recipients.
var recipientsOf = map[string]string{
	"sms.send_sms": "to", "sms.send_togroup": "groupname", "sms.send_tocontact": "contactname",
}

func (d *Dialect) rpcSend(c *fiber.Ctx) error {
	method, p, err := readCall(c)
	if err != nil {
		return err
	}
	seen(c).answer = p["responsetype"]
	recipients, known := recipientsOf[method]
	switch {
	case strings.HasPrefix(method, "call."):
		return errUnsupported
	case !known:
		return compat.Fault("method", "must be sms.send_sms, sms.send_togroup or sms.send_tocontact")
	case p["message_type"] != "" && p["message_type"] != "sms":
		return compat.Fault("message_type", "must be sms: MMS cannot be sent by this gateway")
	case p[fieldAttachments] != "":
		return compat.Fault(fieldAttachments, "must be empty: MMS cannot be sent by this gateway")
	}
	all, err := d.submit(c, p, telling(recipients))
	if err != nil {
		return err
	}
	return rpcAccepted(c, all, p["oid"])
}

// readCall reads the whole request.
func readCall(c *fiber.Ctx) (method string, p params, err error) {
	whole, err := body(c)
	if err != nil {
		return "", nil, err
	}
	return parseCall(whole)
}

func parseCall(whole []byte) (method string, p params, err error) {
	var in struct {
		Method string          `json:"method"`
		Params json.RawMessage `json:"params"`
	}
	if err := json.Unmarshal(whole, &in); err != nil {
		return "", nil, compat.Fault("body", "must be a JSON object with method and params")
	}
	p, err = jsonParams("params", in.Params)
	return in.Method, p, err
}

func extended(c *fiber.Ctx) bool { return seen(c).answer == "extended" }

func rpcAccepted(c *fiber.Ctx, all []accepted, oid string) error {
	ids, items := make([]string, len(all)), make([]rpcItem, len(all))
	for i, a := range all {
		ids[i] = strconv.FormatUint(a.id, 10)
		items[i] = rpcItem{ID: ids[i], Status: "ok", OID: oid}
	}
	switch {
	case !extended(c):
		return c.JSON(result{"OK; ID=[" + strings.Join(ids, ",") + "]"})
	case len(items) == 1:
		return c.JSON(result{items[0]})
	}
	return c.JSON(result{items})
}

func rpcFail(c *fiber.Ctx, t compat.Trouble) error {
	status, text := refusal(c, t)
	if extended(c) {
		return c.Status(status).JSON(result{rpcItem{Error: text, Status: "error"}})
	}
	return c.Status(status).JSON(result{text})
}
