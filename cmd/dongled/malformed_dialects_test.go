package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"dongled/configs"
	"dongled/httpapi/auth"
)

// malformedDialects is how many wrong requests the APIs of other vendors get together.
const malformedDialects = 6_000

// TestMalformedDialects sends wrong requests, made from the documents of other vendors' APIs, with all the
// credentials that these know. Each is answered, no answer says that the gateway is at fault, and afterwards
// it sends. What is a refusal each API says in its own words, which its own tests look at.
func TestMalformedDialects(t *testing.T) {
	const key = "a-key-of-wrong-requests"
	w := runWhole(t, func(cfg *configs.Config) { cfg.Bird.Workspace = scopedWorkspace })
	if _, err := w.d.rooms.auth.AddKey(t.Context(), "malformer", key, []string{auth.AllAny}, false); err != nil {
		t.Fatal(err)
	}
	m := &malformer{w: w, all: dialectTargets(t, w), counts: map[string]int{}, sentence: anyAnswer}
	login := "\r\nx-api-key: " + key + "\r\nX-Kannel-Username: " + wholeUser + "\r\nX-Kannel-Password: " + wholePassword + "\r\n"
	m.dress = func(request string) string {
		line, rest, _ := strings.Cut(request, "\r\n")
		if strings.Contains(line, "/workspaces/") {
			rest = strings.Replace(rest, "Authorization: Basic ", "Authorization: AccessKey "+key+"\r\nX-Was: ", 1)
		}
		return line + login + rest
	}
	m.run(t, 0, settled)
	heap, goroutines := w.settle()
	m.run(t, settled, malformedDialects)
	heapAfter, goroutinesAfter := w.settle()
	t.Logf("%d requests: %v; heap %d KiB, then %d KiB; goroutines %d, then %d", malformedDialects, m.counts, heap>>10, heapAfter>>10, goroutines, goroutinesAfter)
	if heapAfter > heap+heapSlack || goroutinesAfter > goroutines+10 {
		t.Error("it grew")
	}
	if n := m.counts["unjudged"]; n > malformedDialects/10 {
		t.Errorf("%d requests got no further than the credentials", n)
	}
	for _, word := range []string{"panic", "level=ERROR"} {
		if said := w.log.String(); strings.Contains(said, word) {
			at := strings.Index(said, word)
			t.Errorf("the log has %s: %s", word, said[max(0, at-200):min(len(said), at+2000)])
		}
	}
	id := w.object(t, 202, "POST", "/messages", `{"textMessage":{"text":"Still there"},"phoneNumbers":["+4915112345679"],"priority":127}`)["id"].(string)
	w.await("the gateway to send", func() bool { return w.object(t, 200, "GET", "/messages/"+id, "")["state"] == "Delivered" })
}

// anyAnswer is content with what is no fault of the gateway's. 501 is what no gateway of ours can do.
func anyAnswer(r wrong, got answer, err error) (class, fault string) {
	switch {
	case err != nil && r.broken:
		return "cut off", ""
	case err != nil:
		return "cut off", "there is no answer"
	case got.status == 429:
		return "unjudged", "nobody guesses here"
	case got.status == 401: // of a path or a header that a wrong request has spoiled
		return "unjudged", ""
	case got.status >= 500 && got.status != 501:
		return "5xx", "the server blames itself"
	case got.status >= 400:
		return "refused", ""
	}
	return "answered", ""
}

// dialectTargets are the operations of the running gateway's document that are not its own.
func dialectTargets(t *testing.T, w *whole) (all []target) {
	t.Helper()
	loader := openapi3.NewLoader()
	own, err := loader.LoadFromFile("../../httpapi/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := loader.LoadFromData([]byte(w.ask(t, "GET", "/openapi.yaml", "").body))
	if err != nil {
		t.Fatal(err)
	}
	known := strings.NewReplacer("{workspaceId}", scopedWorkspace, "{organizationId}", scopedWorkspace, "{AccountSid}", scopedAccount)
	for _, one := range targets(doc) {
		if own.Paths.Value(one.path) == nil {
			one.path = known.Replace(one.path)
			one.params = slices.DeleteFunc(one.params, func(p *openapi3.ParameterRef) bool { return isSecret(p.Value.Name) })
			withoutSecrets(one.body)
			all = append(all, one)
		}
	}
	return all
}

// isSecret says which fields are credentials, at which the wrong requests would guess. They have others.
func isSecret(name string) bool {
	return slices.Contains([]string{"access_token", "login", "pass", "username", "user", "password"}, name)
}

func withoutSecrets(schema *openapi3.Schema) {
	if schema == nil {
		return
	}
	maps.DeleteFunc(schema.Properties, func(name string, _ *openapi3.SchemaRef) bool { return isSecret(name) })
	schema.Required = slices.DeleteFunc(schema.Required, isSecret)
	for _, inner := range schema.Properties {
		withoutSecrets(inner.Value)
	}
}
