package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gofiber/fiber/v2"

	"dongled/httpapi"
	"dongled/httpapi/compat"
)

// dialect is an API of another vendor, as the server sees it.
type dialect struct {
	mount func(r fiber.Router, body fiber.Handler, serving context.Context)
	doc   string
}

func (d dialect) Mount(r fiber.Router, body fiber.Handler, serving context.Context) {
	d.mount(r, body, serving)
}
func (d dialect) OpenAPI() []byte { return []byte(d.doc) }

// echo is a dialect that answers with the length of the body and words its errors "KIND problem".
func echo(t *testing.T, log io.Writer) dialect {
	return dialect{doc: doc("/echo/send"), mount: func(r fiber.Router, body fiber.Handler, serving context.Context) {
		g := compat.Gateway{Auth: account(t, username, password), Serving: serving, Body: body, Log: slog.New(slog.NewTextHandler(log, nil))}
		fail := func(c *fiber.Ctx, t compat.Trouble) error {
			return c.Status(400 + int(t.Kind)).SendString(fmt.Sprintf("%d %s", t.Kind, t.Problem))
		}
		read := func(c *fiber.Ctx) compat.Credentials {
			return compat.Credentials{User: c.Query("user"), Password: c.Query("password")}
		}
		r.Post("/echo/send", g.Answering(fail), g.Enter(read, "messages:send"), g.Body, func(c *fiber.Ctx) error {
			return c.SendString(fmt.Sprint(len(c.BodyRaw())))
		})
		r.Get("/echo/bug", g.Answering(fail), func(*fiber.Ctx) error { panic("a bug behind Answering") })
		r.Get("/echo/bare", func(*fiber.Ctx) error { panic("a bug without") })
	}}
}

// doc is a document with paths, which need the credentials of its vendor.
func doc(paths ...string) string {
	var b strings.Builder
	b.WriteString("openapi: 3.1.0\ninfo: {title: Echo, version: '1'}\nsecurity: [{echoLogin: []}]\ntags: [{name: Echo}]\npaths:\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "  %s:\n    post:\n      tags: [Echo]\n      responses: {'200': {$ref: '#/components/responses/EchoLength'}}\n", path)
	}
	b.WriteString("components:\n  securitySchemes: {echoLogin: {type: apiKey, in: query, name: user}}\n" +
		"  responses: {EchoLength: {description: How long it was, content: {text/plain: {schema: {type: string}}}}}\n")
	return b.String()
}

// ask sends a request to a dialect, of which openapi.yaml says nothing. An empty text is no body.
func (s *server) ask(method, path, text string, header ...string) reply {
	s.t.Helper()
	var content io.Reader
	if text != "" {
		content = strings.NewReader(text)
	}
	_, _, resp, got := s.exchange(method, path, content, header...)
	return reply{resp.StatusCode, resp.Header, string(got)}
}

// pour sends a body in chunks.
func (s *server) pour(path, text string) reply {
	s.t.Helper()
	_, _, resp, got := s.exchange("POST", path, io.MultiReader(strings.NewReader(text)))
	return reply{resp.StatusCode, resp.Header, string(got)}
}

func with(dialects ...httpapi.Dialect) func(*httpapi.Options) {
	return func(o *httpapi.Options) { o.Dialects = dialects }
}

// A dialect stands before the server's own check, and its answers are in its own shape.
func TestDialectJudgesItself(t *testing.T) {
	s := start(t, with(echo(t, io.Discard)))
	s.ask("POST", "/echo/send?user=sms&password=p:ss+w%C3%B6rd", "four", "Authorization", "").want(t, 200, "4")
	s.ask("POST", "//echo/send/?user=sms&password=p:ss+w%C3%B6rd", "", "Authorization", "").want(t, 200, "0")
	got := s.ask("POST", "/echo/send", "four") // the server's own credentials are right, and not asked for
	got.want(t, 401, "1 missing or wrong credentials")
	if have := got.header.Values("WWW-Authenticate"); len(have) != 2 {
		t.Errorf("WWW-Authenticate %q", have)
	}
}

// What is no route of the dialect is a route of the server, or none.
func TestDialectUnknownPaths(t *testing.T) {
	s := start(t, with(echo(t, io.Discard)))
	for _, route := range []string{"POST /echo/sned", "POST /Echo/send", "POST /echo/send/x", "DELETE /echo"} {
		method, path, _ := strings.Cut(route, " ")
		s.ask(method, path, "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
		s.ask(method, path, "").wantMessage(t, 404, "no such route")
	}
	s.ask("GET", "/echo/send", "").wantMessage(t, 405, "method not allowed")
	if got := s.do("GET", "/health/live", "", "Authorization", ""); got.status != 200 {
		t.Errorf("health is %d", got.status)
	}
}

func TestDialectBodies(t *testing.T) {
	const in, largest = "/echo/send?user=sms&password=p:ss+w%C3%B6rd", 10_000
	s := start(t, with(echo(t, io.Discard)), func(o *httpapi.Options) { o.MaxBody = largest })
	for _, n := range []int{1, 4095, 4096, 4097, largest} {
		text := strings.Repeat("x", n)
		s.ask("POST", in, text).want(t, 200, fmt.Sprint(n))
		s.pour(in, text).want(t, 200, fmt.Sprint(n)) // in chunks
	}
	long := strings.Repeat("x", largest+1)
	for _, got := range []reply{s.ask("POST", in, long), s.pour(in, long)} {
		got.want(t, 409, "9 request body too large")
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "four")
	z.Close()
	for encoding, text := range map[string]string{"gzip": packed.String(), "GZIP": packed.String(), "br": "four"} {
		s.ask("POST", in, text, "Content-Encoding", encoding).
			want(t, 410, "10 Content-Encoding is not supported, send the body uncompressed")
	}
	s.ask("POST", in, "four", "Content-Encoding", "Identity").want(t, 200, "4")
}

// Of a stranger no more is read than the first 4 KiB, whatever the dialect.
func TestDialectReadsNothingOfStrangers(t *testing.T) {
	s := start(t, with(echo(t, io.Discard)))
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	// The rest of the body never comes: who waited for it would not answer.
	fmt.Fprintf(c, "POST /echo/send HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n%s", strings.Repeat("x", 4096))
	got, err := io.ReadAll(c) // the connection is closed, since the next request on it would be the body
	if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 401 ") || !strings.HasSuffix(string(got), "1 missing or wrong credentials") {
		t.Errorf("%q, %v", got, err)
	}
}

// A panic ends one request and no more.
func TestDialectPanics(t *testing.T) {
	var log syncBuffer
	s := start(t, with(echo(t, &log)))
	s.ask("GET", "/echo/bug", "").want(t, 400, "0 an error in the gateway; look up whether the message was accepted before you send it again")
	s.ask("GET", "/echo/bare", "").wantMessage(t, 500, "internal error")
	if !strings.Contains(log.String(), "a bug behind Answering") || !strings.Contains(s.log.String(), "a bug without") {
		t.Errorf("logs: %s\n%s", &log, s.log)
	}
	s.ask("POST", "/echo/send?user=sms&password=p:ss+w%C3%B6rd", "four").want(t, 200, "4")
}

// The document that is served has the dialects', and is one of OpenAPI 3.1 still.
func TestDialectInTheDocument(t *testing.T) {
	other := dialect{doc: "openapi: 3.1.0\ninfo: {title: Other, version: '1'}\npaths:\n  /other/{id}:\n    get: {parameters: [{name: id, in: path, required: true, schema: {type: string}}], responses: {'204': {description: Gone}}}\n",
		mount: func(r fiber.Router, _ fiber.Handler, _ context.Context) {
			r.Get("/other/:id", func(*fiber.Ctx) error { return nil })
		}}
	s := start(t, with(echo(t, io.Discard), other))
	text := s.browse(t, s.url+"/openapi.yaml").body
	whole, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Validate(t.Context()); err != nil || !whole.IsOpenAPI31OrLater() {
		t.Errorf("OpenAPI %s: %v", whole.OpenAPI, err)
	}
	own, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	if have, want := whole.Paths.Len(), own.Paths.Len()+2; have != want {
		t.Errorf("%d paths, want %d", have, want)
	}
	send := whole.Paths.Value("/echo/send").Post
	if send.Security == nil || len(*send.Security) != 1 || (*send.Security)[0]["echoLogin"] == nil {
		t.Errorf("its credentials are %v", send.Security)
	}
	if description := *send.Responses.Value("200").Value.Description; description != "How long it was" {
		t.Errorf("its answer is %q", description)
	}
	if whole.Tags.Get("Echo") == nil || whole.Tags.Get("messages") == nil || whole.Components.SecuritySchemes["echoLogin"] == nil {
		t.Error("a tag or a component is missing")
	}
	if !strings.HasPrefix(text, "openapi: 3.1") {
		t.Errorf("it begins with %.40q", text)
	}
	s.browse(t, s.url+"/docs")
}

// Two APIs with one name would have the router, or the document, choose.
func TestDialectsClash(t *testing.T) {
	routes := func(document string, routes ...string) dialect {
		return dialect{doc: document, mount: func(r fiber.Router, _ fiber.Handler, _ context.Context) {
			for _, route := range routes {
				method, path, _ := strings.Cut(route, " ")
				r.Add(method, path, func(*fiber.Ctx) error { return nil })
			}
		}}
	}
	const bare = "openapi: 3.1.0\npaths: {}\n"
	for name, tt := range map[string]struct {
		dialects []httpapi.Dialect
		want     string
	}{
		"routes":         {[]httpapi.Dialect{routes(bare, "GET /a"), routes(bare, "GET /a")}, "two APIs have the route GET /a"},
		"parameters":     {[]httpapi.Dialect{routes(bare, "GET /a/:x"), routes(bare, "GET /a/:y")}, "two APIs have the route GET /a/{}"},
		"SMSGate's":      {[]httpapi.Dialect{routes(bare, "POST /messages")}, "two APIs have the route POST /messages"},
		"paths":          {[]httpapi.Dialect{routes("paths: {'/a/{x}': {}}"), routes("paths: {'/a/{y}': {}}")}, "openapi.yaml: two APIs have paths of the same name: /a/{y}"},
		"its own":        {[]httpapi.Dialect{routes("paths: {/messages: {}}")}, "openapi.yaml: two APIs have paths of the same name: /messages"},
		"components":     {[]httpapi.Dialect{routes("components: {schemas: {Scope: {}}}")}, "openapi.yaml: two APIs have components.schemas of the same name: Scope"},
		"no document":    {[]httpapi.Dialect{routes("")}, "openapi.yaml: must be a mapping"},
		"no mapping":     {[]httpapi.Dialect{routes("[]")}, "openapi.yaml: must be a mapping"},
		"no YAML":        {[]httpapi.Dialect{routes("a: b: c")}, "openapi.yaml: yaml: mapping values are not allowed in this context"},
		"other method":   {[]httpapi.Dialect{routes(bare, "GET /a", "PUT /a"), routes(bare, "POST /a", "HEAD /a")}, ""},
		"longer, suffix": {[]httpapi.Dialect{routes(bare, "GET /a/:x"), routes(bare, "GET /a/:x.json", "GET /a/:x/b")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended, end := context.WithCancel(t.Context())
			end() // one that may serve ends at once
			err = httpapi.New(httpapi.Options{Dialects: tt.dialects}).Serve(ended, ln)
			if got := fmt.Sprint(err); tt.want != "" && got != tt.want || tt.want == "" && err != nil {
				t.Errorf("%v, want %s", err, tt.want)
			}
			if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
				t.Error("it listens still")
			}
		})
	}
}
