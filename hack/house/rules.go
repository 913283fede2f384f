package main

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

const module = "dongled"

// rule is what a package may import besides the standard library. A library belongs
// to one room: what is not listed is forbidden, also indirectly useful.
type rule struct {
	all   bool     // everything: the places where things are wired together
	ours  []string // packages of this module
	roots []string // import paths, each with everything below it
	exact []string // import paths, not what is below
	// uses limits what may be named of a package of ours: a trailing * is a prefix.
	uses map[string][]string
}

// rules is the house. A package without a rule fails, so that a new room is a decision. A rule whose name
// ends in /* is for a family: every package right below that has no rule of its own.
var rules = map[string]rule{
	"cmd/dongled":  {all: true},
	"hack/house":   {},
	"hack/models":  {exact: []string{"pgregory.net/rapid"}},
	"hack/smsgate": {},
	"hack/vmodem":  {ours: []string{"modem/virtual"}, exact: []string{"github.com/alecthomas/kong"}},
	"configs": {
		roots: []string{"github.com/knadh/koanf"},
		exact: []string{"go.yaml.in/yaml/v3"},
	},
	"httpapi": {
		ours: []string{
			"httpapi/auth", "httpapi/webhook", "scheduler/queue", "scheduler/inbox", "scheduler/outbox", "scheduler/settings",
			"scheduler/logbook", "modem", "httpapi/links", "httpapi/templates", "httpapi/courier", "pdu",
		},
		roots: []string{"github.com/gofiber/fiber/v2", "github.com/swaggest/swgui"},
		exact: []string{"github.com/valyala/fasthttp", "go.yaml.in/yaml/v3"},
		uses: map[string][]string{
			"pdu":                {"Count", "Content"},
			"modem":              {"Status", "State*", "Warning*", "Severity*", "Registered", "TraceLine", "USSD*", "ErrNotReady", "ErrUSSD*"},
			"scheduler/inbox":    {"Message", "Filter", "Kind", "ParseKind", "SMS", "DataSMS", "MMS", "Replay", "Unreadable"},
			"scheduler/outbox":   {"SystemPing", "AppStarted"},
			"scheduler/logbook":  {"Entry"},
			"scheduler/settings": {"Fault"},
			"httpapi/courier":    {"Delivery", "Pending", "Delivered", "Failed"},
		},
	},
	"httpapi/auth": {
		ours:  []string{"scheduler/store"},
		roots: []string{"go.etcd.io/bbolt", "golang.org/x/crypto/argon2", "github.com/golang-jwt/jwt/v5"},
	},
	"httpapi/post":          {},
	"httpapi/post/posttest": {},
	"httpapi/webhook": {
		ours:  []string{"scheduler/store", "scheduler/outbox", "httpapi/post"},
		roots: []string{"go.etcd.io/bbolt"},
	},
	"httpapi/uplink": {
		ours: []string{
			"scheduler/store", "scheduler/outbox", "scheduler/queue", "scheduler/settings", "httpapi/webhook", "modem",
		},
		roots: []string{"go.etcd.io/bbolt", "github.com/tmaxmax/go-sse"},
		uses: map[string][]string{
			"modem": {"Status"}, "scheduler/settings": {"Fault"}, "httpapi/webhook": {"Hook"},
		},
	},
	"httpapi/courier": {
		ours:  []string{"scheduler/store", "httpapi/post"},
		roots: []string{"go.etcd.io/bbolt"},
	},
	"httpapi/links": {
		ours:  []string{"scheduler/store"},
		roots: []string{"go.etcd.io/bbolt"},
		exact: []string{
			"golang.org/x/net/idna", "golang.org/x/net/netutil", "golang.org/x/net/publicsuffix", "golang.org/x/time/rate",
		},
	},
	"httpapi/templates": {
		ours:  []string{"scheduler/store"},
		roots: []string{"go.etcd.io/bbolt"},
		exact: []string{"github.com/google/uuid", "golang.org/x/text/language"},
	},
	"httpapi/compat": {
		ours: []string{
			"httpapi/auth", "httpapi/courier", "httpapi/links", "httpapi/templates", "scheduler/queue", "scheduler/inbox",
			"scheduler/store", "modem",
		},
		roots: []string{"github.com/gofiber/fiber/v2"},
		uses:  map[string][]string{"modem": {"Status"}, "scheduler/inbox": {"Message", "Filter", "ErrNotFound"}},
	},
	"httpapi/compat/compattest": {all: true},
	"httpapi/compat/*": { // the dialects, which know nothing of each other
		ours: []string{
			"httpapi/auth", "httpapi/compat", "httpapi/courier", "httpapi/links", "httpapi/templates", "scheduler/queue",
			"scheduler/inbox", "scheduler/store", "modem", "pdu",
		},
		roots: []string{"github.com/gofiber/fiber/v2", "go.etcd.io/bbolt", "golang.org/x/text/encoding"},
		exact: []string{"github.com/google/uuid", "github.com/valyala/fasthttp"},
		uses:  map[string][]string{"modem": {"Status", "State*"}, "pdu": {"Count", "Content", "SameNumber"}},
	},
	"scheduler": {
		ours: []string{
			"scheduler/store", "scheduler/queue", "scheduler/inbox", "scheduler/outbox", "scheduler/seal", "modem", "pdu",
		},
		exact: []string{"github.com/nyaruka/phonenumbers"},
	},
	"scheduler/store": {
		roots: []string{"go.etcd.io/bbolt"},
	},
	"scheduler/settings": {
		ours:  []string{"scheduler/store"},
		roots: []string{"go.etcd.io/bbolt"},
	},
	"scheduler/logbook": {
		ours:  []string{"scheduler/store"},
		roots: []string{"go.etcd.io/bbolt"},
	},
	"scheduler/seal": {},
	"scheduler/queue": {
		ours:  []string{"scheduler/store", "scheduler/outbox"},
		roots: []string{"go.etcd.io/bbolt"},
	},
	"scheduler/inbox": {
		ours:  []string{"scheduler/store", "scheduler/outbox", "pdu"},
		roots: []string{"go.etcd.io/bbolt"},
	},
	"scheduler/outbox": {
		ours:  []string{"scheduler/store"},
		roots: []string{"go.etcd.io/bbolt"},
	},
	"modem": {
		ours:  []string{"pdu"},
		roots: []string{"golang.org/x/sys"},
		exact: []string{
			"go.bug.st/serial",
			"github.com/warthog618/modem/at",
			"github.com/warthog618/modem/info",
		},
	},
	"modem/probe": {
		ours:  []string{"modem"},
		roots: []string{"golang.org/x/sys"},
	},
	"modem/virtual": {
		ours:  []string{"pdu"},
		roots: []string{"golang.org/x/sys"},
		exact: []string{"go.yaml.in/yaml/v3"}, // fault scripts are data
	},
	"pdu": {
		roots: []string{"github.com/warthog618/sms"},
	},
}

// violations lists what breaks the rules, one line each. Tests may import what they
// like: they stand outside the house to look at it.
func violations(files []source, rules map[string]rule) []string {
	var out []string
	documented := map[string]bool{}
	for _, f := range files {
		if f.isTest {
			continue
		}
		r, ok := rules[nameOf(rules, f.pkg)]
		if !ok {
			out = append(out, fmt.Sprintf("%s: package %s has no import rule; decide one in hack/house/rules.go", f.path, f.pkg))
		} else if !r.all {
			out = append(out, r.violations(f)...)
		}
		documented[f.pkg] = documented[f.pkg] || hasDoc(f)
	}
	for _, pkg := range slices.Sorted(maps.Keys(documented)) {
		if !documented[pkg] {
			out = append(out, fmt.Sprintf("%s: no file has a package comment", pkg))
		}
	}
	return out
}

// nameOf is the name of the rule for a package: its own, or its family's.
func nameOf(rules map[string]rule, pkg string) string {
	if _, own := rules[pkg]; own {
		return pkg
	}
	return path.Dir(pkg) + family
}

// family ends the name of a rule for one.
const family = "/*"

func (r rule) violations(f source) []string {
	var out []string
	for _, spec := range f.ast.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			imported = spec.Path.Value
		}
		if !r.allows(imported) {
			out = append(out, fmt.Sprintf("%s: imports %s, which %s may not", f.path, imported, f.pkg))
			continue
		}
		ours := strings.TrimPrefix(imported, module+"/")
		if allowed := r.uses[ours]; allowed != nil {
			name := path.Base(imported)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			out = append(out, misused(f, name, ours, allowed)...)
		}
	}
	return out
}

func (r rule) allows(imported string) bool {
	if ours, is := strings.CutPrefix(imported, module+"/"); is {
		return slices.Contains(r.ours, ours)
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return imported != "C" // the standard library; cgo would end cross-building
	}
	below := func(root string) bool { return imported == root || strings.HasPrefix(imported, root+"/") }
	return slices.Contains(r.exact, imported) || slices.ContainsFunc(r.roots, below)
}

// misused lists the names of package ours, known in f as name, that are not allowed.
func misused(f source, name, ours string, allowed []string) []string {
	if name == "." || name == "_" {
		return []string{fmt.Sprintf("%s: imports %s as %q, which hides what it uses", f.path, ours, name)}
	}
	permitted := func(symbol string) bool {
		return slices.ContainsFunc(allowed, func(a string) bool {
			prefix, wild := strings.CutSuffix(a, "*")
			return symbol == a || wild && strings.HasPrefix(symbol, prefix)
		})
	}
	var out []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		// An identifier that the parser resolved is a local one which shadows the import.
		if x, ok := sel.X.(*ast.Ident); ok && x.Name == name && x.Obj == nil && !permitted(sel.Sel.Name) {
			out = append(out, fmt.Sprintf("%s:%d: uses %s.%s; of %s, %s may use %s", f.path,
				f.fset.Position(sel.Pos()).Line, name, sel.Sel.Name, ours, f.pkg, strings.Join(allowed, ", ")))
		}
		return true
	})
	return out
}

// hasDoc reports whether the file carries a package comment that begins as go doc
// expects; that of a command names the command.
func hasDoc(f source) bool {
	doc, name := f.ast.Doc.Text(), path.Base(f.pkg)
	if f.ast.Name.Name != "main" {
		return strings.HasPrefix(doc, "Package "+f.ast.Name.Name+" ")
	}
	return strings.HasPrefix(doc, "Command "+name+" ") || strings.HasPrefix(doc, strings.ToUpper(name[:1])+name[1:]+" ")
}
