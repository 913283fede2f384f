package smseagle

import (
	"bytes"
	"encoding/json"
	"mime"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"dongled/httpapi/compat"
)

// params are what an order asks for, by the vendor's names. What is empty is not there, as Zabbix and others
// send fields that nobody filled in.
type params map[string]string

// set keeps the first value of a name.
func (p params) set(name, value string) {
	if value != "" && p[name] == "" {
		p[name] = value
	}
}

func (p params) add(args *fasthttp.Args) {
	for name, value := range args.All() {
		p.set(string(name), string(value))
	}
}

// isForm says that a body is to be read as a form. One of multipart is not: Zabbix announces one where it
// sends none.
func isForm(c *fiber.Ctx) bool {
	media, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	return c.Method() == fiber.MethodPost && media == fiber.MIMEApplicationForm
}

// v1Params are those of the query and of a form.
func v1Params(c *fiber.Ctx) (params, error) {
	p := params{}
	p.add(c.Context().QueryArgs())
	if isForm(c) {
		form, err := body(c)
		if err != nil {
			return nil, err
		}
		p.addForm(form, false)
	}
	return p, nil
}

// jsonParams reads an object as the params of a query would be: true is 1, false 0, and a list has commas.
// field is what the object is called in errors.
func jsonParams(field string, object []byte) (params, error) {
	var fields map[string]any
	if !utf8.Valid(object) {
		return nil, compat.Fault(field, "must be UTF-8") // encoding/json would send U+FFFD in its place
	}
	decoder := json.NewDecoder(bytes.NewReader(object))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil || fields == nil || !json.Valid(object) {
		return nil, compat.Fault(field, "must be a JSON object")
	}
	p := params{}
	for name, value := range fields {
		if !known[name] {
			continue
		}
		text, err := plain(name, value)
		if err != nil {
			return nil, err
		}
		p.set(name, text)
	}
	return p, nil
}

// known are the names that an order looks at. Of others a value may be anything.
var known = map[string]bool{
	"to": true, "contacts": true, "groups": true, "contactname": true, "groupname": true, "text": true, "message": true,
	"date": true, "send_after": true, "send_before": true, "validity": true, "priority": true, "highpriority": true,
	"flash": true, "modem_no": true, "oid": true, "test": true, "responsetype": true, "message_type": true,
	"attachments": true,
}

// fieldAttachments is of MMS. Its value says no more than whether there is one.
const fieldAttachments = "attachments"

func plain(name string, value any) (string, error) {
	list, isList := value.([]any)
	switch {
	case name == fieldAttachments && isList && len(list) == 0, value == nil:
		return "", nil
	case name == fieldAttachments:
		return "1", nil
	case !isList:
		return scalar(name, value)
	}
	values := make([]string, len(list))
	for i, element := range list {
		var err error
		if values[i], err = scalar(name, element); err != nil {
			return "", err
		}
	}
	return strings.Join(values, ","), nil
}

func scalar(name string, value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		if v {
			return "1", nil
		}
		return "0", nil
	}
	return "", compat.Fault(name, "must be a text or a number, or a list of such")
}
