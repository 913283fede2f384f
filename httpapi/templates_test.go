package httpapi_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"dongled/httpapi"
	"dongled/httpapi/templates"
	"dongled/scheduler/store"
)

const (
	templateID = "0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51"
	versionID  = "5b1a4c53-9d02-4a52-8f59-1d1f1f2a3b4c"
	noSuchID   = "99999999-9999-4999-8999-999999999999"
)

// startTemplates is start with templates in a store of their own. end closes that.
func startTemplates(t *testing.T) (s *server, end func()) {
	t.Helper()
	room := templates.New(nil)
	st, err := store.Open(filepath.Join(t.TempDir(), "s.db"), store.Options{}, room)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	end = func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
	return start(t, func(o *httpapi.Options) { o.Templates = room }), end
}

// greeting is a body of POST /templates.
const greeting = `{"id":"` + templateID + `","name":"Greeting","versionId":"` + versionID + `","defaultLocale":"en","shortLinks":true,
	"texts":{"en":"Hello {{name}}, {{ note }}","de":"Grüß Gott {{name}}, {{note}} €"},
	"variables":[{"key":"note","default":"bye","maxLen":5}]}`

func (s *server) create(t *testing.T, body string) {
	t.Helper()
	if got := s.do("POST", "/templates", body); got.status != 201 {
		t.Fatalf("%d %s", got.status, got.body)
	}
}

// template gets a template, as far as the tests look at it.
func (s *server) template(t *testing.T, id string) (p templates.Project) {
	t.Helper()
	got := s.do("GET", "/templates/"+id, "")
	if err := json.Unmarshal([]byte(got.body), &p); err != nil || got.status != 200 {
		t.Fatalf("%d %s: %v", got.status, got.body, err)
	}
	return p
}

func TestTemplateIsStored(t *testing.T) {
	for _, base := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		s, _ := startTemplates(t)
		got := s.do("POST", base+"/templates", greeting)
		if want := base + "/templates/" + templateID; got.status != 201 || got.header.Get("Location") != want {
			t.Fatalf("%d %s, Location %q", got.status, got.body, got.header.Get("Location"))
		}
		if again := s.do("GET", got.header.Get("Location"), ""); again.body != got.body {
			t.Errorf("stored %s\nanswered %s", again.body, got.body)
		}
		p := s.template(t, strings.ToUpper(templateID))
		if p.Name != "Greeting" || p.Created.IsZero() || len(p.Versions) != 1 {
			t.Fatalf("%+v", p)
		}
		v := p.Versions[0]
		want := "[{note false bye 5} {name true  0}]"
		if v.ID != versionID || v.Number != 1 || v.State != "draft" || !v.ShortLinks || fmt.Sprint(v.Variables) != want || v.Texts["de"] != "Grüß Gott {{name}}, {{note}} €" {
			t.Errorf("%+v", v)
		}
	}
}

func TestTemplateLife(t *testing.T) {
	s, _ := startTemplates(t)
	s.create(t, greeting)
	const one = "/templates/" + templateID
	if got := s.do("PUT", one, `{"name":"Welcome"}`); got.status != 200 || !strings.Contains(got.body, `"name":"Welcome"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
	for _, step := range []struct {
		method, path, body string
		status             int
		states             string
	}{
		{"PUT", "/versions/1", `{"texts":{"fr":"Salut"}}`, 200, "1 draft"},
		{"POST", "/versions/" + versionID + "/activate", "", 200, "1 active"},
		{"PUT", "/versions/1", `{"texts":{"fr":"Salut"}}`, 409, "1 active"},
		{"POST", "/versions", `{"texts":{"fr":"Bonjour"}}`, 201, "1 active 2 draft"},
		{"POST", "/versions/2/retire", "", 409, "1 active 2 draft"},
		{"POST", "/versions/2/activate", "", 200, "1 active 2 active"},
		{"DELETE", "/versions/1", "", 409, "1 active 2 active"},
		{"POST", "/versions/1/retire", "", 200, "1 retired 2 active"},
		{"DELETE", "/versions/1", "", 200, "2 active"},
		{"POST", "/versions", `{"texts":{"fr":"Ciao"}}`, 201, "2 active 3 draft"},
	} {
		if got := s.do(step.method, one+step.path, step.body); got.status != step.status {
			t.Errorf("%s %s: %d %s", step.method, step.path, got.status, got.body)
		}
		var states []string
		for _, v := range s.template(t, templateID).Versions {
			states = append(states, fmt.Sprint(v.Number, " ", v.State))
		}
		if got := strings.Join(states, " "); got != step.states {
			t.Errorf("after %s %s: %s, want %s", step.method, step.path, got, step.states)
		}
	}
	s.do("DELETE", one, "").want(t, 204, "")
	s.do("GET", one, "").wantMessage(t, 404, "projectId: there is no template "+templateID)
}

func TestTemplatesAreListed(t *testing.T) {
	s, _ := startTemplates(t)
	s.do("GET", "/templates", "").want(t, 200, "[]")
	for i := range 3 {
		s.create(t, fmt.Sprintf(`{"name":"template %d","texts":{"en":"Hello"}}`, i))
	}
	for query, want := range map[string]int{"": 3, "?limit=2": 2, "?limit=2&offset=2": 1, "?offset=4": 0} {
		got := s.do("GET", "/templates"+query, "")
		if n := strings.Count(got.body, `"name":"template `); n != want || got.header.Get("X-Total-Count") != "3" {
			t.Errorf("%s: %d, %s of %s", query, got.status, got.body, got.header.Get("X-Total-Count"))
		}
		if strings.Contains(got.body, "Hello") {
			t.Errorf("%s: %s has texts", query, got.body)
		}
	}
	s.do("GET", "/templates?limit=501", "").wantMessage(t, 400, "limit: must be an integer from 1 to 500")
}

// Drafts can be looked at; parts are what a phone's operator counts.
func TestRenderPreview(t *testing.T) {
	s, _ := startTemplates(t)
	s.create(t, greeting)
	const path = "/templates/" + templateID + "/render"
	answer := func(text, locale, unknown, alphabet string, parts int) string {
		return fmt.Sprintf(`{"text":%q,"versionId":"%s","locale":"%s","shortLinks":true,"unknownValues":[%s],"alphabet":"%s","parts":%d}`,
			text, versionID, locale, unknown, alphabet, parts)
	}
	hundred := strings.Repeat("x", 100)
	for body, want := range map[string]string{
		`{"values":{"name":"Robert"}}`:                                                      answer("Hello Robert, bye", "en", "", "GSM-7", 1),
		`{"locale":"de-AT","values":{"name":"Robert","note":"😀"}}`:                          answer("Grüß Gott Robert, 😀 €", "de", "", "UCS-2", 1),
		`{"version":"latest","locale":"fr","values":{"name":"{{note}}","b":"","a":"x"}}`:    answer("Hello {{note}}, bye", "en", `"a","b"`, "GSM-7", 1),
		`{"version":"1","values":{"name":"` + hundred + hundred + `"},"locale":null}`:       answer("Hello "+hundred+hundred+", bye", "en", "", "GSM-7", 2),
		`{"version":"` + versionID + `","strict":true,"values":{"name":"","note":""}}`:      answer("Hello , ", "en", "", "GSM-7", 1),
		`{"version":"` + strings.ToUpper(versionID) + `","values":{"name":"A\nB"}}`:         answer("Hello A\nB, bye", "en", "", "GSM-7", 1),
		`{"values":{"name":"` + strings.Repeat("é", 39000) + `"},"version":"","locale":""}`: answer("Hello "+strings.Repeat("é", 39000)+", bye", "en", "", "GSM-7", 255),
	} {
		s.do("POST", path, body).want(t, 200, want)
	}
	for body, message := range map[string]string{
		`{}`: "values.name: is required",
		`{"values":{"name":"x","other":"y"},"strict":true}`:         "values.other: the template has no place for it",
		`{"values":{"name":"x","no key":"y"},"strict":true}`:        "values: the template has no place for one of them, whose key cannot be one",
		`{"values":{"name":"x\u0000"}}`:                             "values.name: must not have control characters, except line feeds",
		`{"values":{"name":"x","note":"123456"}}`:                   "values.note: must have at most 5 characters",
		`{"values":{"name":"x","name":"y"}}`:                        "values: must not have a name twice",
		`{"values":{"name":5}}`:                                     "values: must be an object of strings",
		`{"values":{"name":null}}`:                                  "values: must be an object of strings",
		`{"values":["name"]}`:                                       "values: must be an object of strings",
		`{"values":{"name":"x"},"locale":"not a locale"}`:           "locale: must be a language tag such as en or en-GB",
		`{"values":{"name":"` + strings.Repeat("я", 20_000) + `"}}`: "text: the message is too long",
		`{"values":{"name":"` + strings.Repeat("a", 39_016) + `"}}`: "values.name: must have at most 39015 characters",
		`{"values":{"name":"x"},"strict":1}`:                        "strict: must be true or false",
		`{"values":{` + members(201) + `}}`:                         "values: must have at most 200 members",
	} {
		s.do("POST", path, body).wantMessage(t, 400, message)
	}
	s.do("POST", path, `{"version":"7"}`).wantMessage(t, 404, "version: template "+templateID+" has no version 7")
	s.do("POST", path, `{"version":"a\"b"}`).wantMessage(t, 404, "version: template "+templateID+" has no version of that id or number")
}

// members are those of an object of n strings.
func members(n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(`"k%d":""`, i)
	}
	return strings.Join(all, ",")
}

func TestTemplateRefused(t *testing.T) {
	s, _ := startTemplates(t)
	for body, message := range map[string]string{
		`{"texts":{"en":"Hello"}}`:                                                                    "name: must be 1 to 100 characters of UTF-8, none of them a control character",
		`{"name":"x"}`:                                                                                "texts: must be 1 to 50 texts by locale",
		`{"name":"x","texts":{}}`:                                                                     "texts: must be 1 to 50 texts by locale",
		`{"name":"x","texts":"Hello"}`:                                                                "texts: must be an object of strings",
		`{"name":"x","texts":{"en":"{{"}}`:                                                            "texts.en: {{ has no }} behind it, at character 1",
		`{"name":"x","texts":{"en":"a","en":"b"}}`:                                                    "texts: must not have a name twice",
		`{"name":"x","texts":{"en-gb":"a","en-GB":"b"}}`:                                              "texts.en-GB: must not occur twice",
		`{"name":"x","id":"7","texts":{"en":"a"}}`:                                                    "id: must be a UUID such as 0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51",
		`{"name":"x","texts":{"en":"a"},"variables":{}}`:                                              "variables: must be an array of objects",
		`{"name":"x","texts":{"en":"a"},"variables":["a"]}`:                                           "variables[0]: must be an object",
		`{"name":"x","texts":{"en":"a"},"variables":[{}]}`:                                            "variables[0].key: must be 1 to 64 letters, digits and . _ -",
		`{"name":"x","texts":{"en":"a"},"variables":[null]}`:                                          "variables[0]: must be an object",
		`{"name":"x","texts":{"en":"a"},"shortLinks":"yes"}`:                                          "shortLinks: must be true or false",
		`{"name":"x","texts":{"en":"a"},"name":"y"}`:                                                  "name: must not occur twice",
		`{"name":"x","texts":{"en":"a"},"defaultLocale":"de"}`:                                        "defaultLocale: must be the locale of one of the texts",
		`{"name":"x","texts":{"en":"a"},"versionId":"latest"}`:                                        "versionId: must be a UUID such as 0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51",
		`{"name":"x","texts":{"en":"a"},"variables":[{"key":"a","key":"b"}]}`:                         "variables[0].key: must not occur twice",
		`{"name":"x","texts":{"en":"a"},"variables":[{"key":"a","maxLen":-1}]}`:                       "variables[0].maxLen: must be from 0 to 65535",
		`{"name":"x","texts":{"en":"a"},"variables":[{"key":"a"},{"key":"b","default":1}]}`:           "variables[1].default: must be a string",
		`{"name":"x","texts":{"en":"a"},"variables":[` + strings.Repeat(`{"key":"a"},`, 200) + `{}]}`: "variables: must have at most 200 elements",
		`[]`: "body: must be a JSON object",
	} {
		s.do("POST", "/templates", body).wantMessage(t, 400, message)
	}
	s.do("GET", "/templates", "").want(t, 200, "[]")

	s.create(t, greeting)
	s.do("POST", "/templates", greeting).wantMessage(t, 409, "id: there is a template of that id already")
	const one = "/templates/" + templateID
	s.do("PUT", one, `{"name":""}`).wantMessage(t, 400, "name: must be 1 to 100 characters of UTF-8, none of them a control character")
	s.do("PUT", one+"/versions/1", `{"texts":{}}`).wantMessage(t, 400, "texts: must be 1 to 50 texts by locale")
	s.do("POST", one+"/versions", `{"texts":{}}`).wantMessage(t, 400, "texts: must be 1 to 50 texts by locale")
	s.do("POST", one+"/versions", `{"texts":{"en":"a"},"versionId":"`+versionID+`"}`).wantMessage(t, 409, "versionId: there is a version of that id already")
	s.do("DELETE", one+"/versions/1", "").wantMessage(t, 409, "version: version 1 is the only one: remove the template instead")
	for _, r := range []struct{ method, path string }{
		{"POST", "/templates"}, {"PUT", one}, {"POST", one + "/versions"}, {"PUT", one + "/versions/1"}, {"POST", one + "/render"},
	} {
		s.do(r.method, r.path, `{}`, "Content-Type", "text/plain").wantMessage(t, 400, "Content-Type: must be application/json")
	}
}

func TestNoSuchTemplate(t *testing.T) {
	s, _ := startTemplates(t)
	s.create(t, greeting)
	const wording, name = `{"texts":{"en":"a"}}`, `{"name":"x"}`
	for _, r := range []struct{ method, path, body string }{
		{"GET", "", ""}, {"PUT", "", name}, {"DELETE", "", ""}, {"POST", "/render", "{}"}, {"POST", "/versions", wording}, {"PUT", "/versions/1", wording},
		{"DELETE", "/versions/1", ""}, {"POST", "/versions/1/activate", ""}, {"POST", "/versions/1/retire", ""},
	} {
		s.do(r.method, "/templates/"+noSuchID+r.path, r.body).wantMessage(t, 404, "projectId: there is no template "+noSuchID)
		s.do(r.method, "/templates/%41"+r.path, r.body).wantMessage(t, 404, "projectId: must be the UUID of a template")
		if strings.Contains(r.path, "/versions/1") {
			path := "/templates/" + templateID + strings.Replace(r.path, "1", "2", 1)
			s.do(r.method, path, r.body).wantMessage(t, 404, "version: template "+templateID+" has no version 2")
		}
	}
}

// What changes something is stored or nothing is changed; reading needs no store.
func TestTemplatesWithoutStore(t *testing.T) {
	s, end := startTemplates(t)
	s.create(t, greeting)
	end()
	const one = "/templates/" + templateID
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/templates", `{"name":"x","texts":{"en":"a"}}`}, {"PUT", one, `{"name":"x"}`}, {"DELETE", one, ""},
		{"POST", one + "/versions", `{"texts":{"en":"a"}}`}, {"PUT", one + "/versions/1", `{"texts":{"en":"a"}}`},
		{"DELETE", one + "/versions/1", ""}, {"POST", one + "/versions/1/activate", ""}, {"POST", one + "/versions/1/retire", ""},
	} {
		s.do(r.method, r.path, r.body).wantMessage(t, 503, "the message store is unavailable, try again")
	}
	if p := s.template(t, templateID); p.Name != "Greeting" || len(p.Versions) != 1 || p.Versions[0].State != "draft" {
		t.Errorf("%+v", p)
	}
}

// A message of a template is one of its text from then on.
func TestSendTemplate(t *testing.T) {
	s, _ := startTemplates(t)
	s.create(t, `{"id":"`+templateID+`","name":"Greeting","defaultLocale":"en","texts":{"en":"Hello {{name}}","de":"Hallo {{name}}"}}`)
	s.create(t, `{"id":"`+noSuchID+`","name":"Links","texts":{"en":"https://example.com/"},"shortLinks":true}`)
	for _, id := range []string{templateID, noSuchID} {
		if got := s.do("POST", "/templates/"+id+"/versions/1/activate", ""); got.status != 200 {
			t.Fatal(got)
		}
	}
	message := func(template, more string) string {
		return `{"templateMessage":` + template + `,"phoneNumbers":["+491701234567"]` + more + `}`
	}
	for template, want := range map[string]string{
		`{"template":"` + templateID + `","values":{"name":"Robert"}}`:                                                     "Hello Robert",
		`{"template":"` + templateID + `","version":"latest","locale":"de-AT","values":{"name":"{{name}}"}}`:               "Hallo {{name}}",
		`{"template":"` + templateID + `","version":"1","locale":null,"values":{"name":"","x":"y"},"strict":false,"z":[]}`: "Hello ",
	} {
		got := s.do("POST", "/messages", message(template, `,"message":""`))
		if got.status != 202 || !strings.Contains(got.body, fmt.Sprintf(`"textMessage":{"text":%q}`, want)) {
			t.Errorf("%s: %d %s", template, got.status, got.body)
		}
		if sent, _ := s.queue.last(); sent.Content.Text != want || sent.Content.Flash {
			t.Errorf("%s: submitted %+v", template, sent)
		}
	}
	before := len(s.queue.messages)
	for body, problem := range map[string]string{
		message(`{"template":"`+templateID+`"}`, ``):                                             "templateMessage.values.name: is required",
		message(`{"template":"`+templateID+`","values":{"name":"\u0007"}}`, ``):                  "templateMessage.values.name: must not have control characters, except line feeds",
		message(`{"template":"`+templateID+`","values":{"name":"a","b":"c"},"strict":true}`, ``): "templateMessage.values.b: the template has no place for it",
		message(`{"template":"`+templateID+`","values":{"name":"a","name":"b"}}`, ``):            "templateMessage.values: must not have a name twice",
		message(`{"template":"`+templateID+`","version":"2"}`, ``):                               "templateMessage.version: template " + templateID + " has no version 2",
		message(`{"template":"x"}`, ``):                                                          "templateMessage.template: must be the UUID of a template",
		message(`{"template":"`+versionID+`"}`, ``):                                              "templateMessage.template: there is no template " + versionID,
		message(`{"template":"`+noSuchID+`"}`, ``):                                               "templateMessage.template: wants short links, which this API does not make: use a version without",
		message(`{}`, ``): "templateMessage.template: is required",
		message(`[]`, ``): "templateMessage: must be an object",
		message(`{"template":"`+templateID+`","values":{"name":"a"}}`, `,"isEncrypted":true`):         "templateMessage.template: cannot be of a message that is encrypted",
		message(`{"template":"`+templateID+`","values":{"name":"a"}}`, `,"textMessage":{"text":"b"}`): "body: cannot specify multiple message types simultaneously: textMessage, dataMessage, flashMessage, templateMessage, message",
	} {
		s.do("POST", "/messages", body).wantMessage(t, 400, problem)
	}
	if after := len(s.queue.messages); after != before {
		t.Errorf("%d were taken", after-before)
	}
}
