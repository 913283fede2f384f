package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"dongled/httpapi/templates"
)

// templateFileHelp is the format, as `dongled template add --help` shows it.
const templateFileHelp = `FILE is YAML or JSON:

    name: Appointment           # not with --to
    id: 0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51   # optional: a UUID that programs know already
    defaultLocale: en           # optional where there is one text
    texts:
      en: "Dear {{name}}, see you at {{time}}. {{note}}"
      de: "Guten Tag {{name}}, bis {{time}} Uhr. {{note}}"
    variables:                  # optional; what is not named here is required
      - {key: name, maxLen: 40}
      - {key: note, default: ""}
    shortLinks: false           # optional
    versionId: 5b1a4c53-9d02-4a52-8f59-1d1f1f2a3b4c   # optional
`

// templateFile is a template, or a version of one, as people write it.
type templateFile struct {
	ID            string            `yaml:"id"`
	Name          string            `yaml:"name"`
	VersionID     string            `yaml:"versionId"`
	DefaultLocale string            `yaml:"defaultLocale"`
	Texts         map[string]string `yaml:"texts"`
	Variables     []struct {
		Key      string  `yaml:"key"`
		Required *bool   `yaml:"required"`
		Default  *string `yaml:"default"`
		MaxLen   int     `yaml:"maxLen"`
	} `yaml:"variables"`
	ShortLinks bool `yaml:"shortLinks"`
}

// maxTemplateFile bounds a file, in bytes; the room's own bound is lower.
const maxTemplateFile = 1 << 20

// readTemplateFile reads a file, or stdin for "-".
func readTemplateFile(name string, stdin io.Reader) (templateFile, error) {
	in := stdin
	if name == "-" {
		name = "standard input"
	} else {
		file, err := os.Open(name)
		if err != nil {
			return templateFile{}, err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxTemplateFile+1))
	if err == nil && len(raw) > maxTemplateFile {
		err = fmt.Errorf("has more than %d bytes", maxTemplateFile)
	}
	if err != nil {
		return templateFile{}, fmt.Errorf("%s: %w", name, err)
	}
	f, err := parseTemplateFile(raw)
	if err != nil {
		return templateFile{}, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// parseTemplateFile takes no name that it does not know, nor one twice.
func parseTemplateFile(raw []byte) (f templateFile, err error) {
	// JSON has escapes of surrogate pairs, which YAML refuses.
	var whole any
	if json.Unmarshal(raw, &whole) == nil {
		if raw, err = yaml.Marshal(whole); err != nil {
			return f, err
		}
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	err = d.Decode(&f)
	var faults *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return f, errors.New("is empty")
	case errors.As(err, &faults):
		return f, errors.New(strings.ReplaceAll(strings.Join(faults.Errors, "; "), " in type main.templateFile", ""))
	case err != nil:
		return f, err
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return f, errors.New("has more than one document")
	}
	return f, nil
}

func (f templateFile) wording() templates.Wording {
	w := templates.Wording{VersionID: f.VersionID, DefaultLocale: f.DefaultLocale, Texts: f.Texts, ShortLinks: f.ShortLinks}
	for _, v := range f.Variables {
		w.Variables = append(w.Variables, templates.Declare(v.Key, v.Required, v.Default, v.MaxLen))
	}
	return w
}
