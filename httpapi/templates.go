package httpapi

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"dongled/httpapi/templates"
	"dongled/pdu"
)

// Templates are the texts with places for values, as this package needs them; see templates.Templates.
type Templates interface {
	List() []templates.Project
	Get(id string) (templates.Project, error)
	Create(ctx context.Context, id, name string, w templates.Wording) (templates.Project, error)
	Rename(ctx context.Context, id, name string) (templates.Project, error)
	Remove(ctx context.Context, id string) error
	AddVersion(ctx context.Context, id string, w templates.Wording) (templates.Project, error)
	ReplaceVersion(ctx context.Context, id, version string, w templates.Wording) (templates.Project, error)
	RemoveVersion(ctx context.Context, id, version string) (templates.Project, error)
	Activate(ctx context.Context, id, version string) (templates.Project, error)
	Retire(ctx context.Context, id, version string) (templates.Project, error)
	Render(ctx context.Context, r templates.Request) (templates.Text, error)
}

// Preview is what would be sent of a template, and what it would cost.
type Preview struct {
	Text       string   `json:"text"`
	VersionID  string   `json:"versionId"`
	Locale     string   `json:"locale"`
	ShortLinks bool     `json:"shortLinks"`
	Unknown    []string `json:"unknownValues"`
	Alphabet   string   `json:"alphabet"`
	Parts      int      `json:"parts"`
}

// PreviewOf counts the parts of a text; one that is empty or too long is an error.
func PreviewOf(text templates.Text) (Preview, error) {
	n, err := pdu.Count(pdu.Content{Text: text.Text})
	if err != nil {
		return Preview{}, err
	}
	unknown := append([]string{}, text.Unknown...)
	return Preview{text.Text, text.Version, text.Locale, text.ShortLinks, unknown, n.Alphabet.String(), n.Parts}, nil
}

// fromTemplate is fromRead for what templates answer.
func fromTemplate(err error) error {
	var f *templates.Fault
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &f):
		return fromRead(err)
	case f.NotFound:
		return &statusError{fiber.StatusNotFound, f.Error()}
	case f.Conflict:
		return &statusError{fiber.StatusConflict, f.Error()}
	}
	return fault(f.Field, "%s", f.Problem)
}

// textOf makes the text of a message. Who asks for it knows the template as templateMessage.template.
func (s *Server) textOf(ctx context.Context, r templates.Request) (string, error) {
	text, err := s.opt.Templates.Render(ctx, r)
	var f *templates.Fault
	switch {
	case errors.As(err, &f) && f.Field == "projectId":
		return "", fault("templateMessage.template", "%s", f.Problem)
	case errors.As(err, &f):
		return "", fault("templateMessage."+f.Field, "%s", f.Problem)
	case err != nil:
		return "", fromSubmit(err)
	case text.ShortLinks:
		return "", fault("templateMessage.template", "wants short links, which this API does not make: use a version without")
	}
	return text.Text, nil
}

// answerProject answers what came of a change.
func answerProject(c *fiber.Ctx, status int, p templates.Project, err error) error {
	if err != nil {
		return fromTemplate(err)
	}
	return c.Status(status).JSON(newProject(p))
}

// listTemplates answers without texts: they may be large.
func (s *Server) listTemplates(c *fiber.Ctx) error {
	q := queryOf(c)
	limit, offset := q.integer("limit", 1, maxTemplates, defaultLimit), q.integer("offset", 0, maxOffset, 0)
	if q.err != nil {
		return q.err
	}
	all := s.opt.Templates.List()
	page := all[min(offset, len(all)):]
	return paged(c, page[:min(limit, len(page))], len(all), newProjectState)
}

// maxTemplates bounds a page of templates.
const maxTemplates = 500

func (s *Server) getTemplate(c *fiber.Ctx) error {
	p, err := s.opt.Templates.Get(pathParam(c, "id"))
	return answerProject(c, fiber.StatusOK, p, err)
}

func (s *Server) createTemplate(prefix string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		t, err := readTemplate(c)
		if err != nil {
			return err
		}
		p, err := s.opt.Templates.Create(c.UserContext(), t.id, t.name, t.wording)
		if err == nil {
			c.Location(prefix + "/templates/" + p.ID)
		}
		return answerProject(c, fiber.StatusCreated, p, err)
	}
}

func (s *Server) renameTemplate(c *fiber.Ctx) error {
	name, err := readName(c)
	if err != nil {
		return err
	}
	p, err := s.opt.Templates.Rename(c.UserContext(), pathParam(c, "id"), name)
	return answerProject(c, fiber.StatusOK, p, err)
}

func (s *Server) removeTemplate(c *fiber.Ctx) error {
	if err := s.opt.Templates.Remove(c.UserContext(), pathParam(c, "id")); err != nil {
		return fromTemplate(err)
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (s *Server) addVersion(c *fiber.Ctx) error {
	w, err := readWording(c)
	if err != nil {
		return err
	}
	p, err := s.opt.Templates.AddVersion(c.UserContext(), pathParam(c, "id"), w)
	return answerProject(c, fiber.StatusCreated, p, err)
}

func (s *Server) replaceVersion(c *fiber.Ctx) error {
	w, err := readWording(c)
	if err != nil {
		return err
	}
	p, err := s.opt.Templates.ReplaceVersion(c.UserContext(), pathParam(c, "id"), pathParam(c, "version"), w)
	return answerProject(c, fiber.StatusOK, p, err)
}

// changeVersion answers a route that does something with one version and needs no body.
func (s *Server) changeVersion(do func(t Templates, ctx context.Context, id, version string) (templates.Project, error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		p, err := do(s.opt.Templates, c.UserContext(), pathParam(c, "id"), pathParam(c, "version"))
		return answerProject(c, fiber.StatusOK, p, err)
	}
}

// renderTemplate answers what would be sent. A version need not be active for it.
func (s *Server) renderTemplate(c *fiber.Ctx) error {
	r, err := readRender(c)
	if err != nil {
		return err
	}
	r.Project, r.Preview = pathParam(c, "id"), true
	text, err := s.opt.Templates.Render(c.UserContext(), r)
	if err != nil {
		return fromTemplate(err)
	}
	p, err := PreviewOf(text)
	if err != nil {
		return fault("text", "%s", strings.TrimPrefix(err.Error(), "pdu: "))
	}
	return c.JSON(p)
}

// pathParam reads a part of the path. What cannot be read names nothing.
func pathParam(c *fiber.Ctx, name string) string {
	value, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return ""
	}
	return value
}
