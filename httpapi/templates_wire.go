package httpapi

import (
	"bytes"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/templates"
)

// projectState is a template in a list.
type projectState struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	CreatedAt stamp          `json:"createdAt"`
	UpdatedAt stamp          `json:"updatedAt"`
	Versions  []versionState `json:"versions"`
}

type versionState struct {
	ID          string `json:"id"`
	Number      int    `json:"number"`
	State       string `json:"state"`
	CreatedAt   stamp  `json:"createdAt"`
	ActivatedAt *stamp `json:"activatedAt,omitempty"`
}

// project is a whole template.
type project struct {
	projectState
	Versions []version `json:"versions"`
}

type version struct {
	versionState
	DefaultLocale string               `json:"defaultLocale"`
	Texts         map[string]string    `json:"texts"`
	Variables     []templates.Variable `json:"variables"`
	ShortLinks    bool                 `json:"shortLinks"`
}

func newProjectState(p templates.Project) projectState {
	state := projectState{ID: p.ID, Name: p.Name, CreatedAt: stamp(p.Created), UpdatedAt: stamp(p.Updated)}
	for _, v := range p.Versions {
		state.Versions = append(state.Versions, newVersionState(v))
	}
	return state
}

func newVersionState(v templates.Version) versionState {
	state := versionState{ID: v.ID, Number: v.Number, State: string(v.State), CreatedAt: stamp(v.Created)}
	if !v.Activated.IsZero() {
		activated := stamp(v.Activated)
		state.ActivatedAt = &activated
	}
	return state
}

func newProject(p templates.Project) project {
	whole := project{projectState: newProjectState(p)}
	for _, v := range p.Versions {
		whole.Versions = append(whole.Versions, version{newVersionState(v), v.DefaultLocale, v.Texts, v.Variables, v.ShortLinks})
	}
	return whole
}

// newTemplate is the body of POST /templates.
type newTemplate struct {
	id, name string
	wording  templates.Wording
}

var wordingFields = []string{"versionId", "defaultLocale", "texts", "variables", "shortLinks"}

func readTemplate(c *fiber.Ctx) (t newTemplate, err error) {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return t, err
	}
	return parseTemplate(c.BodyRaw())
}

// parseTemplate reads the body of POST /templates. Every error is a *queue.FieldError.
func parseTemplate(body []byte) (t newTemplate, err error) {
	o := parseBody(body, append([]string{"id", "name"}, wordingFields...)...)
	t.id, _ = o.text("id")
	t.name, _ = o.text("name")
	t.wording = o.wording()
	return t, o.err
}

func readWording(c *fiber.Ctx) (templates.Wording, error) {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return templates.Wording{}, err
	}
	o := parseBody(c.BodyRaw(), wordingFields...)
	w := o.wording()
	return w, o.err
}

func readName(c *fiber.Ctx) (string, error) {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return "", err
	}
	o := parseBody(c.BodyRaw(), "name")
	name, _ := o.text("name")
	return name, o.err
}

func readRender(c *fiber.Ctx) (templates.Request, error) {
	if err := requireJSON(c.Get(fiber.HeaderContentType)); err != nil {
		return templates.Request{}, err
	}
	o := parseBody(c.BodyRaw(), renderFields...)
	r := o.render()
	return r, o.err
}

var renderFields = []string{"version", "locale", "values", "strict"}

// render reads what to make of a template, but for which one.
func (o *object) render() (r templates.Request) {
	r.Version, _ = o.text("version")
	r.Locale, _ = o.text("locale")
	r.Values = o.textsByName("values", maxTextMembers)
	r.Strict, _ = o.flag("strict")
	return r
}

// maxTextMembers bounds an object of texts, as a list of recipients is; the room of templates is stricter.
const maxTextMembers = 200

func (o *object) wording() (w templates.Wording) {
	w.VersionID, _ = o.text("versionId")
	w.DefaultLocale, _ = o.text("defaultLocale")
	w.Texts = o.textsByName("texts", maxTextMembers)
	for _, v := range o.objects("variables", maxTextMembers, "key", "required", "default", "maxLen") {
		w.Variables = append(w.Variables, v.variable())
		o.adopt(v)
	}
	w.ShortLinks, _ = o.flag("shortLinks")
	return w
}

func (o *object) variable() templates.Variable {
	key, _ := o.text("key")
	var required *bool
	if value, found := o.flag("required"); found {
		required = &value
	}
	var standard *string
	if value, found := o.text("default"); found {
		standard = &value
	}
	most, _ := o.integer("maxLen", 0, maxTextLen)
	return templates.Declare(key, required, standard, int(most))
}

// textsByName reads an object of strings. Its names are the client's, and not repeated in faults.
func (o *object) textsByName(field string, most int) map[string]string {
	raw, found := o.take(field)
	if !found {
		return nil
	}
	if raw[0] != '{' {
		o.reject(field, "must be an object of strings")
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	_, err := d.Token() // the '{'
	values := map[string]string{}
	var item json.RawMessage
	for err == nil && d.More() {
		var name json.Token
		if name, err = d.Token(); err == nil {
			err = d.Decode(&item)
		}
		key, _ := name.(string)
		value, ok := jsonString(item)
		_, twice := values[key]
		switch {
		case len(values) == most:
			o.reject(field, "must have at most %d members", most)
		case err != nil || !ok:
			o.reject(field, "must be an object of strings")
		case twice:
			o.reject(field, "must not have a name twice")
		default:
			values[key] = value
			continue
		}
		return nil
	}
	return values
}

// objects reads an array of objects, the faults of which must be handed back with adopt.
func (o *object) objects(field string, most int, known ...string) (all []*object) {
	raw, found := o.take(field)
	if !found {
		return nil
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		o.reject(field, "must be an array of objects")
		return nil
	}
	if len(items) > most {
		o.reject(field, "must have at most %d elements", most)
		return nil
	}
	for i, item := range items {
		if item[0] != '{' {
			o.reject(element(field, i), "must be an object")
			return nil
		}
		all = append(all, readObject(o.name(element(field, i)), item, known))
	}
	return all
}
