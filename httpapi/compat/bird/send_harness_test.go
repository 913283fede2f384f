package bird

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/courier"
	"dongled/scheduler/store"
)

// The ids of the tests: a channel on SIM 1, and one for one-time passwords on SIM 2.
const (
	testWorkspace = "6f1a3b1e-2f7c-4f0e-8a4f-0d5c3b2a1908"
	testChannel   = "0a8c1c3e-5b7d-4e9f-a1b3-c5d7e9f1a3b5"
	testChannel2  = "2fa2fa2f-a2fa-42fa-8fa2-fa2fa2fa2fa2"
)

// bench is a gateway with this dialect.
type bench struct {
	*compattest.House
	t *testing.T
}

// newBench runs a gateway. edit may be nil.
func newBench(t *testing.T, edit func(*Options), edits ...func(*compattest.Options)) bench {
	t.Helper()
	o := Options{Workspace: testWorkspace, Channels: []Channel{
		{ID: testChannel, SIM: 1, Name: "Shop", Kind: "transactional"},
		{ID: testChannel2, SIM: 2, Name: "Codes", Kind: "2fa"},
	}}
	if edit != nil {
		edit(&o)
	}
	return bench{compattest.Start(t, func(base compat.Base) compat.Dialect { return New(base, o) }, edits...), t}
}

const accessKey = "AccessKey " + compattest.Key

func messagesOf(channel string) string {
	return "/workspaces/" + testWorkspace + "/channels/" + channel + "/messages"
}

// post sends a body by a channel.
func (b bench) post(channel, body string) compattest.Reply {
	b.t.Helper()
	return b.Do("POST", messagesOf(channel), body, "Authorization", accessKey, "Content-Type", "application/json")
}

func (b bench) fetch(path string) compattest.Reply {
	b.t.Helper()
	return b.Do("GET", path, "", "Authorization", accessKey)
}

// accepted posts a body by the first channel, and reads the answer.
func (b bench) accepted(body string) message {
	b.t.Helper()
	reply := b.post(testChannel, body)
	if reply.Status != 202 {
		b.t.Fatalf("status %d: %.500s\n%.500s", reply.Status, reply.Body, body)
	}
	return decoded[message](b.t, reply.Body)
}

// refused posts a body and wants it refused for a field; it returns the problem. Nothing may be stored.
func (b bench) refused(body, field string) string {
	b.t.Helper()
	before := len(b.Messages())
	reply := b.post(testChannel, body)
	if reply.Status != 400 {
		b.t.Fatalf("status %d: %.500s\n%.500s", reply.Status, reply.Body, body)
	}
	e := decoded[trouble](b.t, reply.Body)
	if e.Code != "InvalidPayload" || len(e.Details[field]) != 1 || len(e.Details) != 1 || e.Message != field+": "+e.Details[field][0] {
		b.t.Fatalf("%s, want details of %q", reply.Body, field)
	}
	if after := len(b.Messages()); after != before {
		b.t.Fatalf("%d messages stored by a refused request", after-before)
	}
	return e.Details[field][0]
}

// shown is a message as GET has it now.
func (b bench) shown(id string) message {
	b.t.Helper()
	reply := b.fetch(messagesOf(testChannel) + "/" + id)
	if reply.Status != 200 {
		b.t.Fatalf("status %d: %s", reply.Status, reply.Body)
	}
	return decoded[message](b.t, reply.Body)
}

func decoded[T any](t *testing.T, body string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return v
}

// pageSample is one of the objects that the vendor's page prints.
func pageSample(t testing.TB, name string) string {
	t.Helper()
	raw, err := os.ReadFile("testdata/page/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// The wrappers of the vendor's page, in which {...} stands for a body or a template.
const (
	wrappedBody = `{
 "receiver": {
   "contacts": [
     {
       "identifierKey": "phonenumber",
       "identifierValue": "+31612345678"
     }
   ]
 },
 "body": {...}
}`
	wrappedTemplate = `{
 "receiver": {
   "contacts": [
     {
       "identifierKey": "phonenumber",
       "identifierValue": "+31612345678"
     }
   ]
 },
 "template": {...}
}`
	wrappedBodyNoKey = `{
 "receiver": {
   "contacts": [
     {
       "identifierValue": "+31612345678"
     }
   ]
 },
 "body": {...}
}`
	wrappedTemplateNoKey = `{
 "receiver": {
   "contacts": [
     {
       "identifierValue": "+31612345678"
     }
   ]
 },
 "template": {...}
}`
)

func wrap(wrapper, object string) string { return strings.Replace(wrapper, "{...}", object, 1) }

// with is a request for a text with further fields, each with a comma before it.
func with(fields string) string {
	return `{"receiver":{"contacts":[{"identifierValue":"+31612345678"}]},"body":{"type":"text","text":{"text":"Hello"}}` + fields + `}`
}

// anywhere takes callbacks to all URLs, and makes none.
type anywhere struct{}

func (anywhere) Register(string, courier.Plan)   {}
func (anywhere) Check(string) error              { return nil }
func (anywhere) Put(*store.Tx, courier.Callback) {}
