package compattest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"go.uber.org/goleak"
)

// Reply is an answer.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request and holds it and its answer to the dialect's document. Header are pairs; an empty
// value is none.
func (h *House) Do(method, path, body string, header ...string) Reply {
	h.t.Helper()
	for tries := 1; ; tries++ {
		reply, err := h.try(method, path, body, header)
		switch {
		case err == nil:
			return reply
		case tries == maxLost || !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE):
			h.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
}

// maxLost is how often an answer may get lost: a server that answers before it has read the whole body ends
// the connection, and what was sent meanwhile has the system drop the answer (RFC 9112 section 9.6).
const maxLost = 20

func (h *House) try(method, path, body string, header []string) (Reply, error) {
	h.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, h.URL+path, content)
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req) // follows no redirect
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		return Reply{}, err
	}
	h.check(req, body, resp, got)
	return Reply{resp.StatusCode, resp.Header, string(got)}, nil
}

// check holds an answer to the document, and the request if it was accepted.
func (h *House) check(req *http.Request, sent string, resp *http.Response, got []byte) {
	h.t.Helper()
	doc := document(h.t, h.Dialect.OpenAPI())
	path, params := operation(doc, req.URL.EscapedPath())
	item := doc.Paths.Value(path)
	if item == nil || item.GetOperation(req.Method) == nil {
		if resp.StatusCode < 400 {
			h.t.Errorf("%s %s answered %d, but the document does not have it", req.Method, req.URL.Path, resp.StatusCode)
		}
		return
	}
	seen.add(req.Method, path, resp.StatusCode)
	input := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params,
		Route: &routers.Route{Spec: doc, Path: path, PathItem: item, Method: req.Method, Operation: item.GetOperation(req.Method)},
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	if resp.StatusCode < 300 && (h.Refused == nil || !h.Refused(got)) {
		req.Body = io.NopCloser(strings.NewReader(sent))
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			h.t.Errorf("%s %s was accepted, but the document refuses it: %v", req.Method, req.URL, err)
		}
	}
	err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: resp.StatusCode, Header: resp.Header,
		Body: io.NopCloser(bytes.NewReader(got)), Options: input.Options,
	})
	if err != nil {
		h.t.Errorf("answer to %s %s is not as the document says: %v\n%s", req.Method, req.URL, err, got)
	}
}

var documents sync.Map // text → *openapi3.T

func document(t testing.TB, text []byte) *openapi3.T {
	t.Helper()
	if doc, known := documents.Load(string(text)); known {
		return doc.(*openapi3.T)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !doc.IsOpenAPI31OrLater() {
		t.Fatalf("the document is OpenAPI %s", doc.OpenAPI)
	}
	documents.Store(string(text), doc)
	return doc
}

// operation finds the path of the document that fits, the one with the fewest parameters.
func operation(doc *openapi3.T, path string) (best string, params map[string]string) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for template := range doc.Paths.Map() {
		names := strings.Split(strings.Trim(template, "/"), "/")
		values, fit := map[string]string{}, len(names) == len(segments)
		for i := 0; fit && i < len(names); i++ {
			open, end, braced := strings.Index(names[i], "{"), strings.Index(names[i], "}"), false
			if open >= 0 && end > open {
				prefix, suffix := names[i][:open], names[i][end+1:]
				braced = strings.HasPrefix(segments[i], prefix) && strings.HasSuffix(segments[i], suffix) && len(segments[i]) > len(prefix)+len(suffix)
				if braced {
					values[names[i][open+1:end]] = segments[i][len(prefix) : len(segments[i])-len(suffix)]
				}
			}
			fit = braced || names[i] == segments[i]
		}
		if fit && (best == "" || len(values) < len(params)) {
			best, params = template, values
		}
	}
	return best, params
}

// coverage is what the tests of a package saw of the document.
type coverage struct {
	mu   sync.Mutex
	seen map[string]bool // "GET /messages 200"
}

var seen = coverage{seen: map[string]bool{}}

func (c *coverage) add(method, path string, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %s %d", method, path, status)] = true
}

// Main is the TestMain of a dialect: it fails a run that leaves goroutines behind, and one of all tests that
// left out an answer of the documents, which are files beside the tests.
func Main(m *testing.M, documents ...string) {
	var texts [][]byte
	for _, name := range documents {
		text, err := os.ReadFile(name)
		if err != nil {
			panic(err)
		}
		texts = append(texts, text)
	}
	goleak.VerifyTestMain(m, append(Known(), goleak.Cleanup(Covered(texts...)))...)
}

// Saw notes an answer to an operation of a document, for Covered.
func Saw(method, path string, status int) { seen.add(method, path, status) }

// Covered fails a run of all tests of a package that left out an answer that its documents have. It is for
// goleak.Cleanup, or the end of TestMain.
func Covered(texts ...[]byte) func(exitCode int) {
	return func(exitCode int) {
		if exitCode == 0 && runsAll() {
			for _, text := range texts {
				for _, missing := range seen.missing(text) {
					fmt.Fprintf(os.Stderr, "openapi.yaml has %s, which no test of this package saw\n", missing)
					exitCode = 1
				}
			}
		}
		os.Exit(exitCode)
	}
}

// runsAll reports that no test was left out.
func runsAll() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

func (c *coverage) missing(text []byte) (missing []string) {
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return []string{err.Error()}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status := range op.Responses.Map() {
				if answer := fmt.Sprintf("%s %s %s", method, path, status); !c.seen[answer] {
					missing = append(missing, answer)
				}
			}
		}
	}
	slices.Sort(missing)
	return missing
}

// Known are the goroutines of the server that outlive it: fasthttp keeps the Date header current in one a
// process, and its pool's sweeper notices up to 10 s late that the pool has ended.
func Known() []goleak.Option {
	return []goleak.Option{
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
	}
}
