package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"dongled/httpapi"
	"dongled/httpapi/templates"
)

type templateCmd struct {
	List     templateListCmd     `cmd:"" help:"List the templates."`
	Show     templateShowCmd     `cmd:"" help:"Show a template with all its versions."`
	Add      templateAddCmd      `cmd:"" help:"Add a template, or a version of one, from a file of YAML or JSON."`
	Activate templateActivateCmd `cmd:"" help:"Have a version be used, from now on or again; other active ones stay it."`
	Retire   templateRetireCmd   `cmd:"" help:"Have an active version be used no more."`
	Remove   templateRemoveCmd   `cmd:"" help:"Remove a template, or a version that is not active."`
	Render   templateRenderCmd   `cmd:"" help:"Print what would be sent, whatever state the version is in."`
}

type templateListCmd struct {
	sources
	JSON bool `help:"Print JSON, with the texts."`
}

// Run prints a line a template.
func (c *templateListCmd) Run(ctx context.Context, s streams) error {
	var all []templates.Project
	if err := c.tellTemplates(ctx, orderTemplateList, done{}, &all); err != nil {
		return err
	}
	return printRows(s.out, c.JSON, all, func(p templates.Project) []string {
		var states []string
		for _, v := range p.Versions {
			states = append(states, fmt.Sprintf("%d %s", v.Number, v.State))
		}
		return []string{p.ID, p.Name, strings.Join(states, ", ")}
	})
}

type templateShowCmd struct {
	sources
	ID   string `arg:"" help:"The template's UUID."`
	JSON bool   `help:"Print JSON."`
}

// Run prints a paragraph a version, the newest first.
func (c *templateShowCmd) Run(ctx context.Context, s streams) error {
	var p templates.Project
	if err := c.tellTemplates(ctx, orderTemplateShow, templateOrder{ID: c.ID}, &p); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, p)
	}
	fmt.Fprintf(s.out, "%s  %s\n", p.ID, p.Name)
	for _, v := range slices.Backward(p.Versions) {
		if err := showVersion(s.out, v); err != nil {
			return err
		}
	}
	return nil
}

// showVersion quotes texts, so that what is in them cannot be taken for the rest.
func showVersion(w io.Writer, v templates.Version) error {
	fmt.Fprintf(w, "\nversion %d  %s  %s\n", v.Number, v.State, v.ID)
	for _, locale := range slices.Sorted(maps.Keys(v.Texts)) {
		mark := ""
		if locale == v.DefaultLocale && len(v.Texts) > 1 {
			mark = " (default)"
		}
		fmt.Fprintf(w, "  %s%s: %q\n", locale, mark, v.Texts[locale])
	}
	for _, known := range v.Variables {
		fmt.Fprintf(w, "  {{%s}}: %s\n", known.Key, terms(known))
	}
	links := "as they are"
	if v.ShortLinks {
		links = "made short"
	}
	_, err := fmt.Fprintf(w, "  links: %s\n", links)
	return err
}

func terms(v templates.Variable) string {
	said := fmt.Sprintf("default %q", v.Default)
	if v.Required {
		said = "required"
	}
	if v.MaxLen > 0 {
		said += fmt.Sprintf(", at most %d characters", v.MaxLen)
	}
	return said
}

type templateAddCmd struct {
	sources
	File     string `arg:"" help:"The file; - for standard input."`
	To       string `placeholder:"ID" help:"Add a version to this template."`
	Activate bool   `help:"Have the version be used at once."`
}

// Help implements kong.HelpProvider.
func (*templateAddCmd) Help() string { return templateFileHelp }

// Run adds, and prints the template's UUID.
func (c *templateAddCmd) Run(ctx context.Context, s streams) error {
	f, err := readTemplateFile(c.File, os.Stdin)
	if err != nil {
		return err
	}
	if c.To != "" && f.Name != "" {
		return errors.New("a version has no name of its own: leave out name or --to")
	}
	if c.To != "" && f.ID != "" && !strings.EqualFold(f.ID, c.To) {
		return errors.New("the file has the id of another template than --to names")
	}
	a := templateAddition{ID: f.ID, Name: f.Name, To: c.To, Wording: f.wording(), Activate: c.Activate}
	var p templates.Project
	if err := c.tellTemplates(ctx, orderTemplateAdd, a, &p); err != nil {
		return err
	}
	added := p.Versions[len(p.Versions)-1]
	fmt.Fprintf(s.err, "version %d of template %s is %s\n", added.Number, p.Name, added.State)
	_, err = fmt.Fprintln(s.out, p.ID)
	return err
}

type templateActivateCmd struct {
	sources
	ID      string `arg:"" help:"The template's UUID."`
	Version string `arg:"" optional:"" help:"The version's number or UUID; the newest without."`
}

// Run activates.
func (c *templateActivateCmd) Run(ctx context.Context) error {
	return c.tellTemplates(ctx, orderTemplateActivate, templateOrder{c.ID, c.Version}, &templates.Project{})
}

type templateRetireCmd struct {
	sources
	ID      string `arg:"" help:"The template's UUID."`
	Version string `arg:"" help:"The version's number or UUID."`
}

// Run retires.
func (c *templateRetireCmd) Run(ctx context.Context) error {
	return c.tellTemplates(ctx, orderTemplateRetire, templateOrder{c.ID, c.Version}, &templates.Project{})
}

type templateRemoveCmd struct {
	sources
	ID      string `arg:"" help:"The template's UUID."`
	Version string `arg:"" optional:"" help:"The version's number or UUID; the whole template without."`
}

// Run removes.
func (c *templateRemoveCmd) Run(ctx context.Context) error {
	return c.tellTemplates(ctx, orderTemplateRemove, templateOrder{c.ID, c.Version}, &done{})
}

type templateRenderCmd struct {
	sources
	ID      string            `arg:"" help:"The template's UUID."`
	Values  map[string]string `arg:"" optional:"" mapsep:"none" help:"KEY=VALUE, for each place."`
	Version string            `placeholder:"VERSION" help:"The version's number or UUID; the newest active one without, or the newest."`
	Locale  string            `placeholder:"LOCALE" help:"The language, such as en-GB; the version's default without."`
	JSON    bool              `help:"Print JSON."`
}

// Run prints the text, and what it would cost.
func (c *templateRenderCmd) Run(ctx context.Context, s streams) error {
	r := templates.Request{Project: c.ID, Version: c.Version, Locale: c.Locale, Values: c.Values, Preview: true}
	var text templates.Text
	if err := c.tellTemplates(ctx, orderTemplateRender, r, &text); err != nil {
		return err
	}
	p, err := httpapi.PreviewOf(text)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(s.out, p)
	}
	fmt.Fprintf(s.err, "locale %s, %s, %d of 255 parts\n", p.Locale, p.Alphabet, p.Parts)
	for _, key := range p.Unknown {
		fmt.Fprintf(s.err, "the template has no place for %s\n", key)
	}
	_, err = fmt.Fprintln(s.out, p.Text)
	return err
}
