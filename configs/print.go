package configs

import (
	"bytes"
	_ "embed"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

//go:embed dongled.yaml
var sample string

// Sample is the commented configuration file whose values are the defaults.
func Sample() string { return sample }

// Redact returns c with every secret that is set replaced by asterisks.
func (c Config) Redact() Config {
	c.Modems, c.Receivers = slices.Clone(c.Modems), slices.Clone(c.Receivers)
	schema.each(nil, reflect.ValueOf(&c).Elem(), func(_ []string, n *node, v reflect.Value) {
		if n.secret && v.String() != "" {
			v.SetString(mask)
		}
	})
	return c
}

// YAML is the configuration as a file would have it, secrets redacted, with a comment
// on every value that is not a default: where it was set.
func (e Effective) YAML() ([]byte, error) {
	c := e.Config.Redact()
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(e.node(&schema, nil, reflect.ValueOf(c))); err != nil {
		return nil, fmt.Errorf("cannot write the configuration: %w", err)
	}
	return out.Bytes(), nil
}

func (e Effective) node(n *node, path []string, v reflect.Value) *yaml.Node {
	switch n.kind {
	case list:
		y := &yaml.Node{Kind: yaml.SequenceNode}
		if v.Len() == 0 {
			return e.remark(emptyList(n), path)
		}
		entry := &node{kind: mapping, children: n.children}
		for i := range v.Len() {
			y.Content = append(y.Content, e.node(entry, join(path, strconv.Itoa(i)), v.Index(i)))
		}
		return y
	case mapping:
		y := &yaml.Node{Kind: yaml.MappingNode}
		for i := range n.children {
			c := &n.children[i]
			key := &yaml.Node{Kind: yaml.ScalarNode, Value: c.name}
			y.Content = append(y.Content, key, e.node(c, join(path, c.name), v.Field(c.field)))
		}
		return y
	}
	return e.remark(leafNode(v), path)
}

func emptyList(n *node) *yaml.Node {
	if n.auto {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: autoWord}
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
}

func leafNode(v reflect.Value) *yaml.Node {
	if v.Kind() == reflect.Slice {
		y := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
		for i := range v.Len() {
			y.Content = append(y.Content, leafNode(v.Index(i)))
		}
		return y
	}
	y := &yaml.Node{Kind: yaml.ScalarNode, Value: getText(v)}
	if v.Type() == reflect.TypeFor[string]() {
		y.Style = yaml.DoubleQuotedStyle
	}
	return y
}

// remark says where a value was set, unless it is the default.
func (e Effective) remark(y *yaml.Node, path []string) *yaml.Node {
	if origin := e.Origins[display(path)]; origin != OriginDefault && origin != "" {
		y.LineComment = origin
	}
	return y
}
