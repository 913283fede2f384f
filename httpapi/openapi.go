package httpapi

import (
	_ "embed"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"go.yaml.in/yaml/v3"
)

//go:embed openapi.yaml
var spec []byte

func (s *Server) serveSpec(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/yaml")
	return c.Send(s.spec)
}

// wholeSpec is the document with those of the dialects, in their order. What two of them have under one
// name is an error.
func wholeSpec(dialects []Dialect) ([]byte, error) {
	if len(dialects) == 0 {
		return spec, nil
	}
	whole, err := parseSpec(spec)
	if err != nil {
		return nil, err
	}
	for _, d := range dialects {
		part, err := parseSpec(d.OpenAPI())
		if err != nil {
			return nil, err
		}
		if err := whole.add(part); err != nil {
			return nil, err
		}
	}
	return yaml.Marshal(whole.root)
}

// document is an OpenAPI document that keeps the order and the comments of its text.
type document struct{ root *yaml.Node }

func parseSpec(text []byte) (document, error) {
	var y yaml.Node
	if err := yaml.Unmarshal(text, &y); err != nil {
		return document{}, fmt.Errorf("openapi.yaml: %w", err)
	}
	if y.Kind != yaml.DocumentNode || y.Content[0].Kind != yaml.MappingNode {
		return document{}, errors.New("openapi.yaml: must be a mapping")
	}
	return document{y.Content[0]}, nil
}

// add takes tags, paths and components of another document.
func (d document) add(part document) error {
	if security := valueOf(part.root, "security"); security != nil {
		secure(valueOf(part.root, "paths"), security)
	}
	tags := mustHave(d.root, "tags", yaml.SequenceNode)
	if more := valueOf(part.root, "tags"); more != nil {
		tags.Content = append(tags.Content, more.Content...)
	}
	if err := merge(mustHave(d.root, "paths", yaml.MappingNode), valueOf(part.root, "paths"), "paths"); err != nil {
		return err
	}
	components := mustHave(d.root, "components", yaml.MappingNode)
	for kind, more := range pairs(valueOf(part.root, "components")) {
		if err := merge(mustHave(components, kind.Value, yaml.MappingNode), more, "components."+kind.Value); err != nil {
			return err
		}
	}
	return nil
}

// merge moves what part has into whole; at is where.
func merge(whole, part *yaml.Node, at string) error {
	known := map[string]bool{}
	for name := range pairs(whole) {
		known[unnamed(name.Value)] = true
	}
	for name, value := range pairs(part) {
		if known[unnamed(name.Value)] {
			return fmt.Errorf("openapi.yaml: two APIs have %s of the same name: %s", at, name.Value)
		}
		whole.Content = append(whole.Content, name, value)
	}
	return nil
}

// secure gives operations that say nothing of credentials what their document says for all, since the
// whole document says something else for all.
func secure(paths, security *yaml.Node) {
	for _, item := range pairs(paths) {
		for method, operation := range pairs(item) {
			if slices.Contains(fiber.DefaultMethods, strings.ToUpper(method.Value)) && valueOf(operation, "security") == nil {
				operation.Content = append(operation.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "security"}, security)
			}
		}
	}
}

// parameter is one in a path, as OpenAPI or as fiber writes it.
var parameter = regexp.MustCompile(`\{[^}]*\}|:[A-Za-z0-9_]+`)

// unnamed is a path without the names of its parameters: two that differ in those are the same.
func unnamed(path string) string { return parameter.ReplaceAllString(path, "{}") }

// pairs are the keys and values of a mapping; of anything else there are none.
func pairs(y *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; y != nil && y.Kind == yaml.MappingNode && i+1 < len(y.Content); i += 2 {
			if !yield(y.Content[i], y.Content[i+1]) {
				return
			}
		}
	}
}

func valueOf(y *yaml.Node, name string) *yaml.Node {
	for key, value := range pairs(y) {
		if key.Value == name {
			return value
		}
	}
	return nil
}

// mustHave adds an empty value if there is none.
func mustHave(y *yaml.Node, name string, kind yaml.Kind) *yaml.Node {
	value := valueOf(y, name)
	if value == nil {
		value = &yaml.Node{Kind: kind}
		y.Content = append(y.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: name}, value)
	}
	return value
}
