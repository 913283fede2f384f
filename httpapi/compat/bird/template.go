package bird

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"dongled/httpapi/compat"
	"dongled/httpapi/templates"
)

// templateWish is the vendor's template of a request. What else it may have is kept and changes nothing.
type templateWish struct {
	ProjectID  string `json:"projectId"`
	Version    string `json:"version"`
	Locale     string `json:"locale"`
	Parameters []struct {
		Type  string `json:"type"`
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"parameters"`
	Variables     map[string]string `json:"variables"`
	Attachments   []json.RawMessage `json:"attachments"`
	ShortLinks    *shortLinks       `json:"shortLinks"`
	UTMParameters []struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	} `json:"utmParameters"`

	values map[string]string
}

// templated takes a template. It is found and filled in by compose.
func (d *Dialect) templated(o *order, raw json.RawMessage, ch channel) error {
	t := &templateWish{}
	switch err := json.Unmarshal(raw, t); {
	case !isObject(raw):
		return compat.Fault("template", "must be an object")
	case err != nil:
		return mistyped("template", err)
	case len(raw) > maxKept:
		return compat.Fault("template", "must have at most %d bytes", maxKept)
	case t.ProjectID == "":
		return compat.Fault("template.projectId", "must be the UUID of a template")
	case len(t.Attachments) > 0:
		return noMMS("template.attachments", ch, "attachments")
	}
	if err := t.fill(); err != nil {
		return err
	}
	o.template, o.kept.Template = t, raw
	return nil
}

// fill puts the parameters and variables together. A key must have one value.
func (t *templateWish) fill() error {
	t.values = make(map[string]string, len(t.Parameters)+len(t.Variables))
	for i, p := range t.Parameters {
		at := fmt.Sprintf("template.parameters[%d]", i)
		_, twice := t.values[p.Key]
		switch {
		case p.Type != "string":
			return compat.Fault(at+".type", "must be string")
		case p.Key == "":
			return compat.Fault(at+".key", "must not be empty")
		case twice:
			return compat.Fault(at+".key", "must not occur twice")
		}
		t.values[p.Key] = p.Value
	}
	for key, value := range t.Variables {
		if _, twice := t.values[key]; twice {
			return compat.Fault("template.variables", "must not repeat a key of template.parameters")
		}
		t.values[key] = value
	}
	return nil
}

// render makes the text, and says whether the template itself wants its URLs short. A template that is
// not there is the client's fault in a field: the message is not what was not found.
func (d *Dialect) render(ctx context.Context, t *templateWish) (text string, short bool, err error) {
	out, err := d.g.Templates.Render(ctx, templates.Request{
		Project: t.ProjectID, Version: t.Version, Locale: t.Locale, Values: t.values, Strict: d.opts.Strict,
	})
	var wrong *templates.Fault
	if errors.As(err, &wrong) {
		if key, isValue := strings.CutPrefix(wrong.Field, "values."); isValue {
			return "", false, compat.Fault("template.parameters", "%s: %s", key, wrong.Problem)
		}
		return "", false, compat.Fault("template."+wrong.Field, "%s", wrong.Problem)
	}
	return out.Text, out.ShortLinks, err
}

// same reports whether two wishes for short links are one.
func (s *shortLinks) same(other *shortLinks) bool {
	return s.wanted() == other.wanted() && (!s.wanted() || s.Domain == other.Domain)
}

// wanted reports whether URLs are to be short; naming the domain is enough.
func (s *shortLinks) wanted() bool {
	switch {
	case s == nil || reflect.ValueOf(*s).IsZero():
		return false
	case s.Enabled == nil:
		return true
	}
	return *s.Enabled
}
