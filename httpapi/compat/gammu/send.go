package gammu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// accepted is the answer to POST /sms: the numbers stand in a string, as Python writes a list.
type accepted struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
}

// order is what POST /sms asks for.
type order struct{ text, number string }

func (d *Dialect) send(c *fiber.Ctx) error {
	o, err := read(c)
	if err != nil {
		return err
	}
	if o.text == "" || strings.Trim(o.number, ", ") == "" {
		return c.Status(fiber.StatusNotFound).JSON(problem{"Parameters 'text' and 'number' are required."})
	}
	var first uint64
	s := queue.Submission{
		Content: queue.Content{Text: o.text}, Recipients: numbers(o.number), Report: true, Origin: d.Name(),
		Also: func(t *store.Tx, m queue.Message) error {
			first = reserve(t, len(m.Recipients))
			return t.Err
		},
	}
	m, err := d.gateway.Messages.Submit(c.UserContext(), s)
	if err != nil {
		return compat.Named(err, "phoneNumbers", "number", "textMessage.text", "text")
	}
	references := make([]string, len(m.Recipients))
	for i := range references {
		references[i] = strconv.FormatUint(first+uint64(i), 10)
	}
	return c.JSON(accepted{fiber.StatusOK, "[" + strings.Join(references, ", ") + "]"})
}

// read takes the parameters from wherever they are.
func read(c *fiber.Ctx) (order, error) {
	o := order{text: c.Query("text"), number: c.Query("number")}
	media, _, _ := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if media == fiber.MIMEApplicationJSON {
		return o, o.fromJSON(c.BodyRaw())
	}
	if o.text == "" {
		o.text = c.FormValue("text")
	}
	if o.number == "" {
		o.number = c.FormValue("number")
	}
	return o, nil
}

// fromJSON reads a body; a number may be written as one, without quotes.
func (o *order) fromJSON(body []byte) error {
	var in struct {
		Text   *string
		Number any
	}
	if !utf8.Valid(body) {
		return compat.Fault("body", "must be UTF-8") // encoding/json would send U+FFFD in its place
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&in); err != nil || !json.Valid(body) {
		return compat.Fault("body", "must be a JSON object with the strings text and number")
	}
	if in.Text != nil {
		o.text = *in.Text
	}
	switch n := in.Number.(type) {
	case nil:
	case string, json.Number:
		o.number = fmt.Sprint(n)
	default:
		return compat.Fault("number", "must be a string")
	}
	return nil
}

// numbers are those between commas.
func numbers(list string) (numbers []string) {
	for _, n := range strings.Split(list, ",") {
		if n = strings.TrimSpace(n); n != "" {
			numbers = append(numbers, n)
		}
	}
	return numbers
}
