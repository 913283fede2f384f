package compat_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/courier"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// toy is a whole dialect: all that another one needs is here, in its folder, and a line in
// cmd/dongled/dialects.go.
type toy struct {
	base compat.Base
	g    compat.Gateway
}

func newToy(base compat.Base) compat.Dialect {
	base.Callbacks.Register("toy", courier.Plan{})
	return &toy{base: base}
}

// wish is a request, which is kept as the message's Meta.
type wish struct{ To, Say, From, Tell string }

func (*toy) Name() string { return "toy" }

func (*toy) OpenAPI() []byte {
	return []byte(`
openapi: 3.1.0
info: {title: Toy, version: "1"}
paths:
  /toy:
    post:
      requestBody: {content: {application/json: {schema: {type: object, required: [To, Say]}}}}
      responses:
        "201": {$ref: "#/components/responses/ToyText"}
        "400": {$ref: "#/components/responses/ToyText"}
        "401": {$ref: "#/components/responses/ToyText"}
        "403": {$ref: "#/components/responses/ToyText"}
  /toy/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      responses:
        "200": {$ref: "#/components/responses/ToyText"}
        "404": {$ref: "#/components/responses/ToyText"}
components:
  responses:
    ToyText: {description: A line, content: {text/plain: {schema: {type: string}}}}
`)
}

func (d *toy) Mount(r fiber.Router, g compat.Gateway) {
	d.g = g
	key := func(c *fiber.Ctx) compat.Credentials { return compat.Credentials{Key: c.Get("Toy-Key")} }
	r.Post("/toy", g.Answering(fail), g.Enter(key, "messages:send"), g.Body, d.send)
	r.Get("/toy/:id", g.Answering(fail), g.Enter(key, "messages:read"), d.get)
}

func fail(c *fiber.Ctx, t compat.Trouble) error {
	status := map[compat.Kind]int{compat.Unauthorized: 401, compat.Forbidden: 403, compat.Invalid: 400, compat.NotFound: 404}[t.Kind]
	return c.Status(status).SendString(strings.TrimSpace(t.Field + " " + t.Problem))
}

func (d *toy) send(c *fiber.Ctx) error {
	var w wish
	if err := json.Unmarshal(c.BodyRaw(), &w); err != nil {
		return compat.Fault("body", "is no JSON")
	}
	number, ok := compat.International(w.To)
	if !ok {
		return compat.Fault("To", "must be a number with its country code")
	}
	s := queue.Submission{Origin: d.Name(), Meta: c.BodyRaw(), Recipients: []string{number}, Content: queue.Content{Text: w.Say}}
	if w.From != "" {
		sim, found := compat.SIM(d.g.SIMs.Modems(), w.From)
		if !found {
			return compat.Fault("From", "is no SIM of this gateway")
		}
		s.SIM = sim.SIM
	}
	m, err := d.g.Messages.Submit(d.g.Serving, s)
	if err != nil {
		return err
	}
	return c.Status(201).SendString(m.ID)
}

func (d *toy) get(c *fiber.Ctx) error {
	m, err := d.g.Messages.Get(d.g.Serving, c.Params("id"))
	if err == nil && m.Origin != d.Name() {
		err = queue.ErrNotFound
	}
	if err != nil {
		return err
	}
	return c.SendString(m.State.String())
}

func (d *toy) Changed(t *store.Tx, c queue.Change) {
	var w wish
	if json.Unmarshal(c.Message.Meta, &w) == nil && w.Tell != "" {
		d.base.Callbacks.Put(t, courier.Callback{Dialect: "toy", Method: "POST", URL: w.Tell, Body: []byte(c.Message.State.String()), Line: c.Message.ID})
	}
}

func (d *toy) Received(t *store.Tx, m inbox.Message) {
	d.base.Callbacks.Put(t, courier.Callback{Dialect: "toy", Method: "POST", URL: "http://inbox.example", Body: []byte(m.Sender)})
}

// TestToy: a dialect sends, is asked for a state, is called back and hears, with nothing but this package.
func TestToy(t *testing.T) {
	h := compattest.Start(t, newToy)
	post := func(body string, key string) compattest.Reply {
		return h.Do("POST", "/toy", body, "Toy-Key", key, "Content-Type", "application/json")
	}
	sent := post(`{"To":"0049 151 12345678","Say":"Hello","From":"two","Tell":"http://app.example/"}`, compattest.Key)
	if sent.Status != 201 {
		t.Fatalf("%+v", sent)
	}
	m := h.Await(sent.Body, queue.Sent)
	if m.Origin != "toy" || m.Recipients[0].Number != "+4915112345678" || m.Recipients[0].SIM != 2 {
		t.Errorf("%+v", m)
	}
	if parts := h.Sent(); len(parts) != 1 || parts[0].SIM != 2 || parts[0].Text != "Hello" {
		t.Errorf("sent %+v", parts)
	}
	if got := h.Do("GET", "/toy/"+sent.Body, "", "Toy-Key", compattest.ReadKey); got.Status != 200 || got.Body != "Sent" {
		t.Errorf("%+v", got)
	}
	h.Hear(1, "+4915199999999", "Hi")
	var told []string
	for _, c := range h.Callbacks.Await(t, 4) {
		told = append(told, c.URL+" "+string(c.Body))
	}
	const want = "http://app.example/ Pending, http://app.example/ Processed, http://app.example/ Sent, http://inbox.example +4915199999999"
	if got := strings.Join(told, ", "); got != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
}

func TestToyRefuses(t *testing.T) {
	h := compattest.Start(t, newToy)
	const good = `{"To":"+4915112345678","Say":"Hello"}`
	for _, tt := range []struct{ key, body, want string }{
		{"", good, "401 missing or wrong credentials"},
		{"wrong", "no JSON", "401 missing or wrong credentials"},
		{compattest.ReadKey, "no JSON", "403 scope required: messages:send"},
		{compattest.Key, "no JSON", "400 body is no JSON"},
		{compattest.Key, `{"To":"0151","Say":"x"}`, "400 To must be a number with its country code"},
		{compattest.Key, `{"To":"+4915112345678","Say":"x","From":"three"}`, "400 From is no SIM of this gateway"},
	} {
		got := h.Do("POST", "/toy", tt.body, "Toy-Key", tt.key)
		if text := fmt.Sprint(got.Status, " ", got.Body); text != tt.want {
			t.Errorf("%s: %s, want %s", tt.body, text, tt.want)
		}
	}
	if all := h.Messages(); len(all) != 0 {
		t.Errorf("stored: %+v", all)
	}
	// What another API took is not the dialect's.
	m, err := h.Scheduler.Submit(t.Context(), queue.Submission{Recipients: []string{"+4915112345678"}, Content: queue.Content{Text: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.Do("GET", "/toy/"+m.ID, "", "Toy-Key", compattest.Key); got.Status != 404 || got.Body != "message not found" {
		t.Errorf("%+v", got)
	}
}
