package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document is the koanf.Parser of our YAML. It differs from koanf's own in what it
// keeps and what it refuses: scalars stay the text that was written (pin: 0123 is
// not the octal number 83), the entries of a list become keys 0, 1, … so that later
// layers can address them, and a key that the schema lacks, a key twice, and a
// mapping in place of a value are faults.
type document struct {
	origin string
	faults Faults
}

// Unmarshal reads one YAML document.
func (d *document) Unmarshal(b []byte) (map[string]any, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(b))
	var root yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		d.fault(nil, "", "not valid YAML: "+strings.TrimPrefix(err.Error(), "yaml: "))
		return nil, nil
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		d.fault(nil, "", "more than one YAML document; only the first would be read")
	}
	return d.mapping(root.Content[0], &schema, nil), nil
}

// Marshal completes koanf.Parser. Settings are written by Effective.YAML.
func (d *document) Marshal(map[string]any) ([]byte, error) {
	return nil, errors.New("configs: a document is only read")
}

func (d *document) fault(path []string, value, problem string) {
	d.faults = append(d.faults, Fault{Origin: d.origin, Key: display(path), Value: value, Problem: problem})
}

func (d *document) mapping(y *yaml.Node, n *node, path []string) map[string]any {
	out := map[string]any{}
	y = resolve(y)
	if isNull(y) {
		return out
	}
	if y.Kind != yaml.MappingNode {
		d.fault(path, shapeIn(n, y), "must be a mapping with the keys "+strings.Join(names(n), ", "))
		return out
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(y.Content); i += 2 {
		key, value := y.Content[i], y.Content[i+1]
		c := n.child(key.Value)
		if c == nil || key.Kind != yaml.ScalarNode {
			d.unknown(key, n, path)
			continue
		}
		at := join(path, c.name)
		if first, twice := lines[c.name]; twice {
			d.fault(at, "", fmt.Sprintf("is set twice, in lines %d and %d", first, key.Line))
			continue
		}
		lines[c.name] = key.Line
		if v, ok := d.value(value, c, at); ok {
			out[c.name] = v
		}
	}
	return out
}

func (d *document) value(y *yaml.Node, n *node, path []string) (any, bool) {
	y = resolve(y)
	switch {
	case isNull(y):
		return nil, false
	case n.kind == mapping:
		return d.mapping(y, n, path), true
	case n.kind == list:
		return d.list(y, n, path), true
	case n.plural && y.Kind == yaml.SequenceNode:
		return d.plain(y, path)
	case y.Kind != yaml.ScalarNode:
		d.fault(path, shape(y), "must be a single value")
		return nil, false
	}
	return y.Value, true
}

func (d *document) list(y *yaml.Node, n *node, path []string) map[string]any {
	out := map[string]any{}
	if n.auto && y.Kind == yaml.ScalarNode && y.Value == autoWord {
		return out
	}
	if y.Kind != yaml.SequenceNode {
		word := ""
		if n.auto {
			word = autoWord + ", or "
		}
		d.fault(path, shape(y), "must be "+word+`a list, each entry beginning with "- "`)
		return out
	}
	if len(y.Content) > maxEntries {
		d.fault(path, fmt.Sprintf("%d entries", len(y.Content)), fmt.Sprintf("must have at most %d", maxEntries))
		return out
	}
	for i, entry := range y.Content {
		number := strconv.Itoa(i)
		out[number] = d.mapping(entry, &node{kind: mapping, children: n.children}, join(path, number))
	}
	return out
}

// plain makes a list of plain values the text that the other layers have for one.
func (d *document) plain(y *yaml.Node, path []string) (any, bool) {
	values := make([]string, len(y.Content))
	for i, entry := range y.Content {
		if entry = resolve(entry); entry.Kind != yaml.ScalarNode || isNull(entry) {
			d.fault(path, shape(entry), "must be a list of single values")
			return nil, false
		}
		values[i] = entry.Value
	}
	return formatList(values), true
}

// unknown does not show the value: below a misspelt key it may be a secret.
func (d *document) unknown(key *yaml.Node, n *node, path []string) {
	name := key.Value
	if key.Kind != yaml.ScalarNode {
		d.fault(path, shape(key), "must not be a key")
		return
	}
	hint := didYouMean(name, names(n))
	if elsewhere := homes(name); len(elsewhere) > 0 {
		hint = "; did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	if hint == "" {
		hint = "; known here: " + strings.Join(names(n), ", ")
	}
	where := strings.TrimPrefix(display(path)+delim+show(name), delim)
	d.faults = append(d.faults, Fault{Origin: d.origin, Key: where, Problem: fmt.Sprintf("unknown key in line %d%s", key.Line, hint)})
}

func names(n *node) []string {
	out := make([]string, len(n.children))
	for i, c := range n.children {
		out[i] = c.name
	}
	return out
}

// resolve follows one alias. The schema's depth bounds what aliases can expand to.
func resolve(y *yaml.Node) *yaml.Node {
	if y.Kind == yaml.AliasNode {
		return y.Alias
	}
	return y
}

func isNull(y *yaml.Node) bool { return y.Kind == yaml.ScalarNode && y.ShortTag() == "!!null" }

// shapeIn is shape for a value in place of the mapping n. A password written straight
// under auth is still a password.
func shapeIn(n *node, y *yaml.Node) string {
	if y.Kind == yaml.ScalarNode && slices.ContainsFunc(n.children, func(c node) bool { return c.secret }) {
		return "a single value"
	}
	return shape(y)
}

// shape names what stands where something else should.
func shape(y *yaml.Node) string {
	switch y.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.ScalarNode:
		return show(y.Value)
	}
	return "an alias"
}
