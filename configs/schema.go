package configs

import (
	"reflect"
	"strconv"
	"strings"
)

// delim joins a path into koanf's form: modems.0.port.
const delim = "."

// envPrefix begins every environment variable that is ours; envDelim joins its levels.
const (
	envPrefix = "DONGLED_"
	envDelim  = "__"
)

// autoWord in place of a list leaves its entries to be found.
const autoWord = "auto"

type kind uint8

const (
	leaf kind = iota // a value, or a list of plain values
	mapping
	list // of mappings
)

// node is one key, as the tags of Config describe it.
type node struct {
	name     string
	kind     kind
	secret   bool
	auto     bool // a list that may be the word auto instead, which is the empty list
	plural   bool // a leaf that is a list of plain values
	field    int  // index in the parent's struct
	children []node
}

// schema is Config's tree; it is read only.
var schema = node{kind: mapping, children: describe(reflect.TypeFor[Config]())}

func describe(t reflect.Type) []node {
	var nodes []node
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("koanf"), ",")
		n := node{name: name, secret: option == "secret", auto: option == autoWord, field: i}
		switch {
		case f.Type.Kind() == reflect.Struct:
			n.kind, n.children = mapping, describe(f.Type)
		case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct:
			n.kind, n.children = list, describe(f.Type.Elem())
		default:
			n.plural = f.Type.Kind() == reflect.Slice
		}
		nodes = append(nodes, n)
	}
	return nodes
}

func (n *node) child(name string) *node {
	for i := range n.children {
		if n.children[i].name == name {
			return &n.children[i]
		}
	}
	return nil
}

// find returns the leaf at path, nil where there is none.
func find(path []string) *node {
	n := &schema
	for len(path) > 0 && n != nil {
		if n.kind == list {
			if _, ok := index(path[0]); !ok {
				return nil
			}
			path = path[1:]
			if len(path) == 0 {
				return nil
			}
		}
		n, path = n.child(path[0]), path[1:]
	}
	if n == nil || n.kind != leaf {
		return nil
	}
	return n
}

// index reads the number of a list's entry as it is written in a path.
func index(s string) (int, bool) {
	i, err := strconv.Atoi(s)
	return i, err == nil && 0 <= i && i < maxEntries && strconv.Itoa(i) == s
}

const (
	// maxSIM is the highest simNumber (SMSGate's is an octet).
	maxSIM = 255
	// maxEntries of a list are as many as there are simNumbers.
	maxEntries = maxSIM
)

// each calls visit for every leaf below n in the order of the schema. v is n's value.
func (n *node) each(path []string, v reflect.Value, visit func(path []string, leaf *node, v reflect.Value)) {
	switch n.kind {
	case leaf:
		visit(path, n, v)
	case mapping:
		n.eachChild(path, v, visit)
	case list:
		for i := range v.Len() {
			n.eachChild(join(path, strconv.Itoa(i)), v.Index(i), visit)
		}
	}
}

func (n *node) eachChild(path []string, v reflect.Value, visit func([]string, *node, reflect.Value)) {
	for i := range n.children {
		c := &n.children[i]
		c.each(join(path, c.name), v.Field(c.field), visit)
	}
}

// join appends without ever sharing the array of path.
func join(path []string, name string) []string {
	return append(path[:len(path):len(path)], name)
}

// display is the path as people write it: modems[0].port.
func display(path []string) string {
	var b strings.Builder
	for _, p := range path {
		switch _, isIndex := index(p); {
		case isIndex:
			b.WriteString("[" + p + "]")
		case b.Len() > 0:
			b.WriteString("." + p)
		default:
			b.WriteString(p)
		}
	}
	return b.String()
}

// EnvName is the environment variable of a key: DONGLED_MODEMS__0__PORT for modems[0].port.
func EnvName(key string) string { return envName(splitKey(key)) }

func envName(path []string) string {
	return envPrefix + strings.ToUpper(strings.Join(path, envDelim))
}

// splitKey reads modems[0].port and, easier to type in a shell, modems.0.port.
func splitKey(key string) []string {
	return strings.Split(strings.NewReplacer("[", delim, "]", "").Replace(key), delim)
}
