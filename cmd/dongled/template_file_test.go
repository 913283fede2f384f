package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestTemplateFileTakes: as people and programs write one and the same.
func TestTemplateFileTakes(t *testing.T) {
	const want = `{id Name 1 de map[de:Hallo {{a}} no:Hei {{b}}] [a,true,,0 b,false,5,7 c,false,,0 d,false,x,0] true}`
	for name, file := range map[string]string{
		"YAML": `
id: id
name: Name
versionId: 1
defaultLocale: de
texts:
  de: Hallo {{a}}
  no: Hei {{b}}
variables:
  - key: a
  - {key: b, default: 5, maxLen: 7}
  - {key: c, required: false}
  - {key: d, default: x, required: no}
shortLinks: yes
`,
		"JSON": `{"id":"id","name":"Name","versionId":"1","defaultLocale":"de","texts":{"de":"Hall\u006f {{a}}","no":"Hei {{b}}"},"shortLinks":true,
			"variables":[{"key":"a"},{"key":"b","default":"5","maxLen":7},{"key":"c","required":false},{"key":"d","default":"x","required":false}]}`,
	} {
		f, err := parseTemplateFile([]byte(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w := f.wording()
		var variables []string
		for _, v := range w.Variables {
			variables = append(variables, fmt.Sprintf("%s,%t,%s,%d", v.Key, v.Required, v.Default, v.MaxLen))
		}
		got := fmt.Sprint("{", f.ID, " ", f.Name, " ", w.VersionID, " ", w.DefaultLocale, " ", w.Texts, " ", variables, " ", w.ShortLinks, "}")
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
	}
}

func TestTemplateFileRefuses(t *testing.T) {
	for file, want := range map[string]string{
		"":                            "is empty",
		"# nothing":                   "is empty",
		"- a":                         "cannot unmarshal !!seq into main.templateFile",
		"texts: [a]":                  "line 1: cannot unmarshal !!seq into map[string]string",
		"name: {a: b}":                "line 1: cannot unmarshal !!map into string",
		"variables: [{key: a, b: c}]": "line 1: field b not found",
		"Name: a":                     "line 1: field Name not found",
		`{"name":"a","nam":"b"}`:      "field nam not found",
		"name: a\nname: b":            `line 2: mapping key "name" already defined at line 1`,
		"name: a\n---\nname: b":       "has more than one document",
		"name: 'a":                    "found unexpected end of stream",
		"shortLinks: perhaps":         "into bool",
		"a: &a [*a]":                  "",
	} {
		if f, err := parseTemplateFile([]byte(file)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want %q", file, f, err, want)
		}
	}
}

// FuzzTemplateFile: what is taken says the same when it is written anew.
func FuzzTemplateFile(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		first, err := parseTemplateFile(raw)
		if err != nil {
			return
		}
		again, err := yaml.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := parseTemplateFile(again)
		if err != nil {
			t.Fatalf("%q: %v", again, err)
		}
		if len(first.Texts) == 0 && len(second.Texts) == 0 {
			first.Texts, second.Texts = nil, nil // none, however it is written
		}
		a, errA := json.Marshal(first.wording())
		b, errB := json.Marshal(second.wording())
		if string(a) != string(b) || first.ID != second.ID || first.Name != second.Name || errA != nil || errB != nil {
			t.Fatalf("%s\n%s\n%v, %v", a, b, errA, errB)
		}
	})
}
