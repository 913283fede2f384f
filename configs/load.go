package configs

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
)

// Sources is where settings come from. The zero value yields the defaults.
type Sources struct {
	// File is the path of a YAML file, empty for none.
	File string
	// YAML, when not nil, stands in for the contents of File, which then only names
	// them in faults.
	YAML []byte
	// Environ is the environment as os.Environ returns it.
	Environ []string
	// Flags are settings of the command line by key, such as http.listen or modems[0].port.
	Flags map[string]string
	// Dialects are the names that dialects.off may have; nil lets it have any.
	Dialects []string
}

// Effective is a configuration without faults.
type Effective struct {
	Config Config
	// Origins says by key where its value was set: a file, an environment variable,
	// OriginFlag or OriginDefault.
	Origins map[string]string
}

// The origins that have no name of their own.
const (
	OriginDefault = "default"
	OriginFlag    = "command line"
)

// Load merges the sources over the defaults and checks the result. The error is
// Faults when the settings are to blame, else it is about reading the file.
func Load(s Sources) (Effective, error) {
	l := loader{merged: koanf.New(delim), origins: map[string]string{}}
	if err := l.layers(s); err != nil {
		return Effective{}, fmt.Errorf("cannot read the configuration: %w", err)
	}
	c := l.decode()
	l.check(c, s.Dialects)
	if len(l.faults) > 0 {
		return Effective{}, l.faults
	}
	return Effective{Config: c, Origins: l.origins}, nil
}

// loader merges layers and collects what is wrong with them.
type loader struct {
	merged *koanf.Koanf
	// origins is by displayed key.
	origins map[string]string
	faults  Faults
}

func (l *loader) layers(s Sources) error {
	defaults := map[string]any{}
	c := Default()
	schema.each(nil, reflect.ValueOf(&c).Elem(), func(path []string, _ *node, v reflect.Value) {
		defaults[strings.Join(path, delim)] = getText(v)
	})
	if err := l.add(confmap.Provider(defaults, delim), nil, origin(OriginDefault)); err != nil {
		return err
	}
	if err := l.addFile(s); err != nil {
		return err
	}
	environ := l.automatic(slices.Sorted(slices.Values(s.Environ)))
	vars := env.Provider(delim, env.Opt{
		Prefix:        envPrefix,
		TransformFunc: l.variable,
		EnvironFunc:   func() []string { return environ },
	})
	if err := l.add(vars, nil, envName); err != nil {
		return err
	}
	return l.add(confmap.Provider(l.flags(s.Flags), delim), nil, origin(OriginFlag))
}

func (l *loader) addFile(s Sources) error {
	var p koanf.Provider
	switch {
	case s.YAML != nil:
		p = rawbytes.Provider(s.YAML)
	case s.File != "":
		p = file.Provider(s.File)
	default:
		return nil
	}
	d := document{origin: printable(s.File)}
	err := l.add(p, &d, origin(d.origin))
	l.faults = append(l.faults, d.faults...)
	return err
}

// origin names the same source for every key of a layer.
func origin(name string) func([]string) string { return func([]string) string { return name } }

// add puts a layer over those before it. A document replaces lists; the other
// layers address entries one by one.
func (l *loader) add(p koanf.Provider, pa koanf.Parser, origin func(path []string) string) error {
	layer := koanf.New(delim)
	if err := layer.Load(p, pa); err != nil {
		return err
	}
	for _, n := range schema.children {
		if pa != nil && n.kind == list && layer.Exists(n.name) {
			l.empty(n.name)
		}
	}
	for _, key := range layer.Keys() {
		path := strings.Split(key, delim)
		l.origins[display(path)] = origin(path)
	}
	return l.merged.Merge(layer)
}

// automatic takes out the variables that leave the entries of a list to be found, such as
// DONGLED_MODEMS=auto, after emptying that list.
func (l *loader) automatic(environ []string) []string {
	return slices.DeleteFunc(environ, func(setting string) bool {
		name, value, _ := strings.Cut(setting, "=")
		key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
		return name == envName([]string{key}) && l.leave(key, value)
	})
}

// leave empties the list name if value is auto, and that a value of the list.
func (l *loader) leave(name, value string) bool {
	n := schema.child(name)
	if n == nil || !n.auto || value != autoWord {
		return false
	}
	l.empty(name)
	return true
}

// empty drops a list as the layers so far have it.
func (l *loader) empty(name string) {
	l.merged.Delete(name)
	maps.DeleteFunc(l.origins, func(key, _ string) bool { return strings.HasPrefix(key, name+"[") })
}

// variable turns DONGLED_HTTP__LISTEN into http.listen. It is env.Opt's TransformFunc:
// an empty key leaves the variable out.
func (l *loader) variable(name, value string) (string, any) {
	path := strings.Split(strings.ToLower(strings.TrimPrefix(name, envPrefix)), envDelim)
	if find(path) != nil && envName(path) == name {
		return strings.Join(path, delim), value
	}
	var known []string
	for _, p := range leafPaths(entryNumber(path)) {
		known = append(known, envName(p))
	}
	l.faults = append(l.faults, Fault{Origin: show(name), Problem: "no setting has this environment variable" + didYouMean(name, known)})
	return "", nil
}

// flags checks the keys given on the command line.
func (l *loader) flags(given map[string]string) map[string]any {
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		path := splitKey(key)
		if l.leave(key, given[key]) {
			continue
		}
		if find(path) != nil {
			out[strings.Join(path, delim)] = given[key]
			continue
		}
		var known []string
		for _, p := range leafPaths(entryNumber(path)) {
			known = append(known, display(p))
		}
		l.faults = append(l.faults, Fault{Origin: OriginFlag, Key: show(key), Problem: "unknown key" + didYouMean(display(path), known)})
	}
	return out
}

// decode makes the merged text values typed; one that does not parse is a fault, and no rule looks at it.
func (l *loader) decode() Config {
	c := Default()
	c.Modems, c.Routes = entries(l, "modems", DefaultModem()), entries(l, "routes", Route{})
	c.Channels, c.Receivers, c.Groups = entries(l, "channels", DefaultChannel()), entries(l, "receivers", DefaultReceiver()), entries(l, "groups", Group{})
	schema.each(nil, reflect.ValueOf(&c).Elem(), func(path []string, n *node, v reflect.Value) {
		key := strings.Join(path, delim)
		if !l.merged.Exists(key) {
			l.origins[display(path)] = OriginDefault
			if key = general(path); key != "" {
				_ = setText(v, l.merged.String(key)) // its own fault says what is wrong with it
			}
			return
		}
		if err := setText(v, l.merged.String(key)); err != nil {
			l.fault(path, n, err.Error())
		}
	})
	return c
}

// general is the key whose value an entry of modems has where it sets none of its own, "" for no
// such key: modems.3.quotas.day.parts has that of quotas.day.parts.
func general(path []string) string {
	if len(path) > 2 && path[0] == "modems" && path[2] == "quotas" {
		return strings.Join(path[2:], delim)
	}
	return ""
}

// entries makes one entry with defaults for every number in use in a list, as long as none is left out.
func entries[T any](l *loader, name string, empty T) []T {
	used := l.merged.MapKeys(name)
	var out []T
	for slices.Contains(used, strconv.Itoa(len(out))) {
		out = append(out, empty)
	}
	for _, number := range used {
		if i, _ := index(number); i >= len(out) {
			key := display([]string{name, number})
			l.faults = append(l.faults, Fault{Origin: l.blame(key), Key: key,
				Problem: fmt.Sprintf("leaves out numbers; the next new entry is %s[%d]", name, len(out))})
		}
	}
	return out
}

// check adds what typed values violate, leaving out keys that are at fault already,
// themselves or as a whole (modems[1] for modems[1].sim).
func (l *loader) check(c Config, dialects []string) {
	known := l.faults
	atFault := func(key string) bool {
		return slices.ContainsFunc(known, func(f Fault) bool {
			rest, below := strings.CutPrefix(key, f.Key)
			return f.Key != "" && below && (rest == "" || strings.ContainsAny(rest[:1], ".["))
		})
	}
	for _, w := range complaints(c, dialects) {
		if slices.ContainsFunc(w.keys, atFault) {
			continue
		}
		path := splitKey(w.keys[0])
		l.fault(path, find(path), w.problem, w.keys[1:]...)
	}
}

// fault reports the value at path as it was written. others are the keys it clashes with.
func (l *loader) fault(path []string, n *node, problem string, others ...string) {
	f := Fault{Key: display(path), Problem: problem}
	f.Origin = l.blame(append([]string{f.Key}, others...)...)
	if key := strings.Join(path, delim); n != nil && l.merged.Exists(key) {
		f.Value = show(l.merged.String(key))
		if n.secret {
			f.Value = showSecret(l.merged.String(key))
		}
	}
	l.faults = append(l.faults, f)
}

// blame finds where a fault in keys can be mended: a default is never to blame while
// something that was set clashes with it, or began the list entry that lacks it.
func (l *loader) blame(keys ...string) string {
	for _, key := range keys {
		if o := l.origins[key]; o != "" && o != OriginDefault {
			return o
		}
	}
	entry, _, _ := strings.Cut(keys[0], "]")
	for _, key := range slices.Sorted(maps.Keys(l.origins)) {
		if strings.HasPrefix(key, entry+"]") && l.origins[key] != OriginDefault {
			return l.origins[key]
		}
	}
	return OriginDefault
}
