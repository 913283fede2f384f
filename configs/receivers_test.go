package configs_test

import (
	"strings"
	"testing"

	"dongled/configs"
)

// TestReceiverFaults has one fault a row.
func TestReceiverFaults(t *testing.T) {
	const good = "{name: ops, to: [+4915112345678]}"
	for _, test := range []struct{ yaml, want string }{
		{"{to: [+4915112345678]}", "receivers[0].name: must be set"},
		{"{name: ops}", "receivers[0].to: must have 1 to 100 numbers"},
		{"{name: ops, to: [" + strings.Repeat("+4915112345678,", 101) + "]}",
			`receivers[0].to: "[\"+4915112345678\", \"+4915112345678\", \"+4915112345678\", \"+4915112…": must have 1 to 100 numbers`},
		{"{name: ops, to: [+4915112345678, ops]}", `receivers[0].to: "[\"+4915112345678\", \"ops\"]": "ops" is no number`},
		{"{name: ops, to: [+4915112345678], sim: 256}", "receivers[0].sim: 256: must be from 1 to 255, or 0 for any"},
		{"{name: ops, to: [+4915112345678], sim: -1}", "receivers[0].sim: -1: must be from 1 to 255, or 0 for any"},
		{"{name: ops, to: [+4915112345678], max_parts: 0}", "receivers[0].max_parts: 0: must be from 1 to 255"},
		{"{name: ops, to: [+4915112345678], max_parts: 256}", "receivers[0].max_parts: 256: must be from 1 to 255"},
		{"{name: ops, to: [+4915112345678], template: '{{ .Status'}",
			`receivers[0].template: "{{ .Status": must be a text of Go's text/template: template: ops:1: unclosed action`},
		{good + ", " + good, "receivers[1].name: ops: is taken by receivers[0].name"},
	} {
		compare(t, faultsOf(t, configs.Sources{YAML: []byte("receivers: [" + test.yaml + "]")}), "f.yaml: "+test.want)
	}
}

// TestReceivers: what people write is taken, with the defaults of an entry.
func TestReceivers(t *testing.T) {
	for yaml, want := range map[string]configs.Receiver{
		"{name: ops, to: +4915112345678}":              {Name: "ops", To: []string{"+4915112345678"}, MaxParts: 3},
		"{name: on call, to: ['0151 123-456/78']}":     {Name: "on call", To: []string{"0151 123-456/78"}, MaxParts: 3},
		"{name: ops, to: ['112'], sim: 255}":           {Name: "ops", To: []string{"112"}, SIM: 255, MaxParts: 3},
		"{name: ops, to: [+4915112345678], secret: s}": {Name: "ops", To: []string{"+4915112345678"}, MaxParts: 3, Secret: "s"},
		"{name: ops, to: [+4915112345678], max_parts: 255, template: '{{ len .Alerts }}'}": {
			Name: "ops", To: []string{"+4915112345678"}, MaxParts: 255, Template: "{{ len .Alerts }}"},
	} {
		got := load(t, "receivers: ["+yaml+"]", nil, nil).Config.Receivers
		if len(got) != 1 || got[0].Name != want.Name || strings.Join(got[0].To, ",") != want.To[0] || got[0].SIM != want.SIM ||
			got[0].MaxParts != want.MaxParts || got[0].Template != want.Template || got[0].Secret != want.Secret {
			t.Errorf("%s: %+v", yaml, got)
		}
	}
}
