package httpapi_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"dongled/httpapi"
	"dongled/httpapi/compat/compattest"
)

var loadSpec = sync.OnceValues(func() (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	return loader.LoadFromFile("openapi.yaml")
})

// checkAgainstSpec checks an answer to a route of openapi.yaml, and the request if it was accepted.
func checkAgainstSpec(t *testing.T, req *http.Request, sent []byte, resp *http.Response, got []byte) {
	t.Helper()
	doc, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	path := specPath(req.URL.EscapedPath())
	item := doc.Paths.Value(path)
	if item == nil || item.GetOperation(req.Method) == nil {
		if resp.StatusCode < 400 {
			t.Errorf("%s %s answered %d, but openapi.yaml does not have it", req.Method, req.URL.Path, resp.StatusCode)
		}
		return
	}
	compattest.Saw(req.Method, path, resp.StatusCode)
	input := &openapi3filter.RequestValidationInput{
		Request:    req,
		PathParams: pathParams(path, req.URL.EscapedPath()),
		Route:      &routers.Route{Spec: doc, Path: path, PathItem: item, Method: req.Method, Operation: item.GetOperation(req.Method)},
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
		},
	}
	if resp.StatusCode < 300 {
		req.Body = io.NopCloser(bytes.NewReader(sent))
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			t.Errorf("%s %s was accepted, but openapi.yaml refuses it: %v", req.Method, req.URL, err)
		}
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input,
		Status:                 resp.StatusCode,
		Header:                 resp.Header,
		Body:                   io.NopCloser(bytes.NewReader(got)),
		Options:                input.Options,
	})
	if err != nil {
		t.Errorf("answer to %s %s is not as openapi.yaml says: %v\n%s", req.Method, req.URL, err, got)
	}
}

func TestSpecIsValid(t *testing.T) {
	doc, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Error(err)
	}
	if !doc.IsOpenAPI31OrLater() {
		t.Errorf("the document is OpenAPI %s", doc.OpenAPI)
	}
}

// Words of OpenAPI 3.0 are not an error in 3.1: they mean nothing there.
func TestSpecHasNoWordsOf30(t *testing.T) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		for _, word := range []string{"nullable:", "example:", "format: byte", "format: binary"} {
			if strings.Contains(line, word) {
				t.Errorf("openapi.yaml:%d: %s is OpenAPI 3.0; say type: [X, \"null\"], examples: [X], contentEncoding: base64", i+1, word)
			}
		}
	}
}

// The document and the router must not drift apart.
func TestSpecHasEveryRoute(t *testing.T) {
	doc, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	routed := map[string]int{}
	for _, route := range httpapi.Routes(httpapi.New(httpapi.Options{})) {
		method, path, _ := strings.Cut(route, " ")
		routed[method+" "+specPath(path)]++
	}
	for route, times := range routed {
		if !slices.Contains(documented, route) {
			t.Errorf("%s is served but not documented", route)
		}
		if times%3 != 0 {
			t.Errorf("%s has %d registrations, not the same under each of the three base URLs", route, times)
		}
	}
	for _, route := range documented {
		if routed[route] == 0 {
			t.Errorf("%s is documented but not served", route)
		}
	}
}

func TestSpecIsServedToAll(t *testing.T) {
	s := start(t)
	want, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		got := s.do("GET", prefix+"/openapi.yaml", "", "Authorization", "")
		got.want(t, 200, string(want))
		if kind := got.header.Get("Content-Type"); kind != "application/yaml" {
			t.Errorf("Content-Type %q", kind)
		}
	}
}
