package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"dongled/configs"
	"dongled/httpapi/compat"
)

// operations calls do for each operation of a document.
func operations(doc *openapi3.T, do func(route, path, method string, op *openapi3.Operation)) {
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			do(method+" "+path, path, method, op)
		}
	}
}

// served is the document that a daemon serves, to anybody.
func served(t *testing.T, w *whole) *openapi3.T {
	t.Helper()
	got := w.ask(t, "GET", "/openapi.yaml", "", "Authorization", "")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(got.body))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil || !doc.IsOpenAPI31OrLater() {
		t.Fatalf("OpenAPI %s: %v", doc.OpenAPI, err)
	}
	return doc
}

// The document of the daemon has all that it serves, and says of each operation what a reader needs.
func TestDocumentOfAll(t *testing.T) {
	w := runWhole(t)
	doc := served(t, w)
	for _, d := range dialectsOf(configs.Default(), compat.Base{Callbacks: w.d.rooms.vendors.courier, Log: w.d.log}) {
		part, err := openapi3.NewLoader().LoadFromData(d.OpenAPI())
		if err != nil {
			t.Fatal(err)
		}
		if part.Paths.Len() == 0 || len(part.Tags) != 1 {
			t.Errorf("%s has %d paths and %d tags", d.Name(), part.Paths.Len(), len(part.Tags))
		}
		operations(part, func(route, path, method string, _ *openapi3.Operation) {
			item := doc.Paths.Value(path)
			if item == nil || item.GetOperation(method) == nil || !slices.Equal(item.GetOperation(method).Tags, []string{part.Tags[0].Name}) {
				t.Errorf("%s of %s is not there under its tag", route, d.Name())
			}
		})
	}
	ids := map[string]string{}
	operations(doc, func(route, _, _ string, op *openapi3.Operation) {
		if first, twice := ids[op.OperationID]; twice && op.OperationID != "" {
			t.Errorf("%s has the operationId of %s", route, first)
		}
		ids[op.OperationID] = route
		if op.Summary == "" || op.Responses.Len() == 0 || len(op.Tags) == 0 {
			t.Errorf("%s: summary %q, %d answers, tags %q", route, op.Summary, op.Responses.Len(), op.Tags)
		}
		for _, tag := range op.Tags {
			if doc.Tags.Get(tag) == nil {
				t.Errorf("%s: nothing is said of the tag %q", route, tag)
			}
		}
		secured(t, doc, route, op)
	})
}

// secured holds the credentials of an operation to the schemes that there are.
func secured(t *testing.T, doc *openapi3.T, route string, op *openapi3.Operation) {
	t.Helper()
	needs := doc.Security
	if op.Security != nil {
		needs = *op.Security
	}
	for _, one := range needs {
		for scheme := range one {
			if doc.Components.SecuritySchemes[scheme] == nil {
				t.Errorf("%s needs %s, which is no scheme", route, scheme)
			}
		}
	}
}

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// What the document has is routed: a stranger is told to log in, or gets what is open to all, and never
// that there is no such thing.
func TestDocumentIsServed(t *testing.T) {
	w := runWhole(t)
	operations(served(t, w), func(route, path, method string, op *openapi3.Operation) {
		if path == "/docs/{file}" {
			return // of files there are only those that the page names
		}
		at := pathParameter.ReplaceAllString(path, "00000000-0000-4000-8000-000000000001")
		stranger := w.ask(t, method, at, "", "Authorization", "")
		known := w.ask(t, method, at, "{}")
		for _, got := range []answer{stranger, known} {
			if got.status == 405 || strings.Contains(got.body, "no such route") {
				t.Errorf("%s: %d %s", route, got.status, got.body)
			}
		}
		open := op.Security != nil && len(*op.Security) == 0
		// Skycore's failures have the status of what went well.
		said := stranger.status >= 400 || strings.Contains(stranger.body, "User Authentication FAILED")
		if !open && !said {
			t.Errorf("%s answers a stranger with %d", route, stranger.status)
		}
	})
}

// An API that is switched off is neither in the document nor served.
func TestDocumentWithoutDialect(t *testing.T) {
	w := runWhole(t, func(cfg *configs.Config) { cfg.Dialects.Off = []string{"gammu", "kannel"} })
	doc := served(t, w)
	for _, path := range []string{"/sms", "/cgi-bin/sendsms"} {
		if doc.Paths.Value(path) != nil {
			t.Errorf("%s is in the document", path)
		}
		if got := w.ask(t, "GET", path, ""); got.status != 404 {
			t.Errorf("%s answers %d %s", path, got.status, got.body)
		}
	}
	if doc.Paths.Value("/skycore") == nil {
		t.Error("the others are gone too")
	}
}
