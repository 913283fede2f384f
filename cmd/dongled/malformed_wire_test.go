package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// wrong is a request that should not be, as it goes over the wire.
type wrong struct {
	name  string
	bytes string
	// harmless says that it may turn out to be valid, so that it may also be answered 2xx.
	harmless bool
	// broken says that the request never ends as it should, so that there may be no answer; the
	// client sends no more after it.
	broken bool
}

// target is an operation of the document, with a path under which it can be asked.
type target struct {
	method, path string
	op           *openapi3.Operation
	params       openapi3.Parameters
	body         *openapi3.Schema
}

// targets are all operations, in the order of their names.
func targets(doc *openapi3.T) (all []target) {
	for _, path := range doc.Paths.InMatchingOrder() {
		item := doc.Paths.Value(path)
		for method, op := range item.Operations() {
			t := target{method: method, path: path, op: op, params: slices.Concat(item.Parameters, op.Parameters)}
			if op.RequestBody != nil {
				if media := op.RequestBody.Value.Content.Get("application/json"); media != nil {
					t.body = media.Schema.Value
				}
			}
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b target) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

// head is the request line and headers; more are further lines.
func head(method, target string, more ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: dongled\r\nAuthorization: Basic c21zOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ==\r\n" +
		strings.Join(append(more, ""), "\r\n")
}

// withBody ends a head with a body.
func withBody(head string, body []byte) string {
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

const asJSON = "Content-Type: application/json"

// plain is the path of a target with harmless parameters: ids of nothing, a SIM that is there.
func (t target) plain() string {
	return strings.NewReplacer("{sim}", "1", "{file}", "unheard-of", "{partId}", "1").Replace(regexpBraces.ReplaceAllString(t.path, "unheard-of"))
}

// oddPaths are values for a parameter in the path that name nothing.
var oddPaths = []string{
	"%00", "%", "%zz", "%2e%2e", "..%2f..%2fetc%2fpasswd", "%ff%fe", "%c3%28", "a%20b", "'%20OR%201=1--", "-1", "0", "256", "99999999999999999999",
	"1e1", "%E2%82%AC", strings.Repeat("x", 3000), "{id}", "*", "%0d%0aX:%201", "<script>", "null", "undefined", "%25", "a%2Fb",
}

// oddValues are values for a parameter of the query.
var oddValues = []string{
	"%00", "%zz", "%", "-1", "99999999999999999999", "1.5", "1e3", "0x10", "true%00", "maybe", "%ff", "2024-13-01T00:00:00Z", "2024-01-01", "now", "NaN",
	strings.Repeat("9", 2000), "[]", "{}", "%27", "Pending%20", "null",
}

// malform makes the i-th wrong request.
func malform(r *rand.Rand, all []target) wrong {
	t := all[r.IntN(len(all))]
	switch kind := r.IntN(100); {
	case kind < 70 && t.body == nil, kind >= 94:
		return oddParameter(r, t)
	case kind < 40:
		return oddBody(r, t)
	case kind < 62:
		return oddJSON(r, t)
	case kind < 70:
		return oddHeader(r, t)
	case kind < 78:
		return oddMethod(r, t)
	case kind < 86:
		return oddHTTP(r, t)
	}
	return oddChunks(r, t)
}

func oddBody(r *rand.Rand, t target) wrong {
	s := &sampler{rng: r}
	s.sample(t.body)
	how := s.spoil()
	return wrong{name: t.op.OperationID + ": " + how, bytes: withBody(head(t.method, t.plain(), asJSON), text(s.root)), harmless: how == ""}
}

func oddJSON(r *rand.Rand, t target) wrong {
	body := (&sampler{rng: r}).sample(t.body)
	names := sortedKeys(garble)
	name := names[r.IntN(len(names))]
	content := garble[name](r, text(body))
	if r.IntN(8) == 0 {
		if twice := doubled(r, body); twice != nil {
			name, content = "twice", twice
		}
	}
	if string(text(body)) == "{}" {
		return oddBody(r, t) // little can be wrong with nothing
	}
	return wrong{name: t.op.OperationID + ": " + name, bytes: withBody(head(t.method, t.plain(), asJSON), content)}
}

// oddHeader sends a body that is right as something that it is not.
func oddHeader(r *rand.Rand, t target) wrong {
	headers := []string{
		"Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded", "Content-Type: multipart/form-data; boundary=x", "Content-Type: ;",
		"Content-Type: application/xml", "X-Nothing: 1", "Content-Type: application/json\r\nContent-Encoding: gzip", "Content-Type: application/json\r\nContent-Encoding: br",
		"Content-Type: application/json\r\nContent-Encoding: deflate, gzip",
	}
	h := headers[r.IntN(len(headers))]
	return wrong{name: t.op.OperationID + ": " + h, bytes: withBody(head(t.method, t.plain(), h), text((&sampler{rng: r}).sample(t.body)))}
}

// oddParameter puts nonsense into the path or the query.
func oddParameter(r *rand.Rand, t target) wrong {
	value := oddPaths[r.IntN(len(oddPaths))]
	query, refused := nonsense(r, t)
	switch {
	case strings.Contains(t.path, "{") && r.IntN(2) == 0:
		path := regexpBraces.ReplaceAllString(t.path, strings.ReplaceAll(value, "$", ""))
		return wrong{name: t.op.OperationID + ": path " + value, bytes: head(t.method, path) + "\r\n", harmless: true}
	case query == "":
		return wrong{name: t.op.OperationID + ": below it " + value, bytes: head(t.method, t.path+"/unheard-of/"+value+"/x") + "\r\n"}
	}
	var content []byte
	if t.body != nil {
		content = text((&sampler{rng: r}).sample(t.body))
	}
	return wrong{name: t.op.OperationID + ": query " + query, bytes: withBody(head(t.method, t.plain()+"?"+query, asJSON), content), harmless: !refused}
}

// nonsense is a query, empty where there can be none, and whether the document refuses it. Most often
// it does.
func nonsense(r *rand.Rand, t target) (query string, refused bool) {
	// skip is a word of 614901.xyz's API, and unknown under the paths that are asked here.
	known := slices.DeleteFunc(slices.Clone(t.params), func(p *openapi3.ParameterRef) bool { return p.Value.In != "query" || p.Value.Name == "skip" })
	for range 5 {
		if len(known) == 0 || refused {
			break
		}
		p, value := known[r.IntN(len(known))].Value, oddValues[r.IntN(len(oddValues))]
		query = p.Name + "=" + value
		decoded, err := url.QueryUnescape(value)
		refused = err == nil && refuses(p.Schema.Value, decoded) // fasthttp takes what cannot be decoded as it stands
	}
	return query, refused
}

// refuses reports whether a schema of a parameter has no place for a value.
func refuses(schema *openapi3.Schema, value string) bool {
	switch {
	case schema.Type.Includes("integer"):
		n, err := strconv.ParseInt(value, 10, 64)
		return err != nil || schema.Min != nil && n < int64(*schema.Min) || schema.Max != nil && n > int64(*schema.Max)
	case len(schema.Enum) > 0:
		return !slices.Contains(schema.Enum, any(value))
	case schema.Pattern != "":
		return schema.VisitJSON(value) != nil
	case schema.Format == "date-time":
		_, err := time.Parse(time.RFC3339, value)
		return err != nil
	}
	return false
}

// oddMethod asks for what the document does not have.
func oddMethod(r *rand.Rand, t target) wrong {
	methods := []string{"TRACE", "PROPFIND", "MOVE", "get", "BREW", "POSTPOST", "X", "G\u00cbT", "PUT", "PATCH", "DELETE", "CONNECT", "M-SEARCH", strings.Repeat("A", 500)}
	method := methods[r.IntN(len(methods))]
	path := "/unheard-of/" + t.op.OperationID
	if r.IntN(2) == 0 {
		path = t.plain()
	}
	if slices.Contains([]string{"PUT", "PATCH", "DELETE"}, method) {
		path = "/unheard-of"
	}
	return wrong{name: "method " + method, bytes: head(method, path) + "\r\n", broken: true}
}

// oddHTTP breaks the framing of a request.
func oddHTTP(r *rand.Rand, t target) wrong {
	path := t.plain()
	all := []string{
		t.method + " " + path + "\r\n\r\n",
		t.method + "\r\n\r\n",
		"\x00\x01\x02\x03\r\n\r\n",
		t.method + " " + path + " HTTP/9.9\r\nHost: dongled\r\n\r\n",
		head(t.method, path, "no colon") + "\r\n",
		head(t.method, path, ": no name") + "\r\n",
		head(t.method, path, "X: a\x00b") + "\r\n",
		head(t.method, path, "Content-Length: -1") + "\r\n",
		head(t.method, path, "Content-Length: many") + "\r\n",
		head(t.method, path, "Content-Length: 99999999999999999999") + "\r\n",
		head(t.method, path, asJSON, "Content-Length: 2", "Content-Length: 3") + "\r\n{}",
		head(t.method, path, asJSON, "Content-Length: 100") + "\r\n{",
		head(t.method, path, "X: "+strings.Repeat("x", 10_000)) + "\r\n",
		head(t.method, "/"+strings.Repeat("x", 10_000)) + "\r\n",
		head(t.method, path, slices.Repeat([]string{"X: y"}, 3000)...) + "\r\n",
		head(t.method, path+" with blanks") + "\r\n",
		head("POST", "/unheard-of", asJSON, "Expect: 200-ok", "Content-Length: 2") + "\r\n{}",
		strings.Replace(head("GET", "/unheard-of"), "Basic ", "Basic !", 1) + "\r\n",
		strings.Replace(head("GET", "/unheard-of"), "Basic ", "Negotiate ", 1) + "\r\n",
		strings.Replace(head("GET", "/messages"), "c21z", strings.Repeat("A", 5000), 1) + "\r\n",
	}
	i := r.IntN(len(all))
	return wrong{name: fmt.Sprintf("HTTP %d", i), bytes: all[i], broken: true, harmless: t.method == "GET" || t.method == "DELETE"}
}

// oddChunks sends a body in chunks that are not what they say, or stops amid one.
func oddChunks(r *rand.Rand, t target) wrong {
	path := "/messages"
	if t.body != nil {
		path = t.plain()
	}
	start := head("POST", path, asJSON, "Transfer-Encoding: chunked") + "\r\n"
	all := []string{
		start, start + "5\r\n{\"a\"", start + "5\r\n{\"a\":\r\n", start + "zz\r\n{}\r\n0\r\n\r\n", start + "-1\r\n{}\r\n0\r\n\r\n",
		start + "ffffffffffffffffff\r\n{}", start + "2\r\n{}{}{}\r\n0\r\n\r\n", start + "2\r\n{}\r\n", start + "2\r\n{}\r\n0\r\n",
		start + "1000000\r\n{", start + "\r\n\r\n", start + "2;x=y\r\n{\r\n0\r\n\r\n", start + strings.Repeat("1\r\n[\r\n", 200) + "0\r\n\r\n",
	}
	i := r.IntN(len(all))
	// {} as a whole is valid for PATCH, but these are POST.
	return wrong{name: fmt.Sprintf("chunks %d", i), bytes: all[i], broken: true}
}
