package configs_test

import (
	"fmt"
	"strings"
	"testing"

	"dongled/configs"
)

func TestGroupsFaults(t *testing.T) {
	const name = "must be set, without commas and without spaces around it"
	hundred := strings.Repeat("'+491510000001', ", 101)
	for _, tt := range []struct {
		yaml string
		want []string
	}{
		{"[{numbers: ['+491510000001']}]", []string{"groups[0].name: " + name}},
		{"[{name: 'a,b', numbers: ['+491510000001']}]", []string{"groups[0].name: a,b: " + name}},
		{"[{name: ' a', numbers: ['+491510000001']}]", []string{`groups[0].name: " a": ` + name}},
		{"[{name: a}]", []string{"groups[0].numbers: must have 1 to 100 numbers"}},
		{"[{name: a, numbers: ['015112345678']}]", []string{`groups[0].numbers: [015112345678]: "015112345678" is no number with + and its country code`}},
		{"[{name: a, numbers: ['+491510000001', '+491510000001']}]", []string{
			`groups[0].numbers: "[\"+491510000001\", \"+491510000001\"]": "+491510000001" is there twice`,
		}},
		{"[{name: a, numbers: ['+491510000001']}, {name: a, numbers: ['+491510000002']}]", []string{"groups[1].name: a: is taken by groups[0].name"}},
	} {
		got := faultsOf(t, configs.Sources{YAML: []byte("groups: " + tt.yaml)})
		for i, want := range tt.want {
			tt.want[i] = "f.yaml: " + want
		}
		compare(t, got, tt.want...)
	}
	if got := faultsOf(t, configs.Sources{YAML: []byte(fmt.Sprintf("groups: [{name: a, numbers: [%s]}]", hundred))}); !strings.Contains(got[0], "must have 1 to 100 numbers") {
		t.Errorf("%s", got[0])
	}
}

// A person may be in two groups, and a name may look like a number.
func TestGroupsAccepted(t *testing.T) {
	c := load(t, "groups: [{name: 12, numbers: ['+491510000001']}, {name: on call, numbers: ['+491510000001', '+491510000002']}]", nil, nil).Config
	if len(c.Groups) != 2 || c.Groups[0].Name != "12" || c.Groups[1].Name != "on call" || len(c.Groups[1].Numbers) != 2 {
		t.Errorf("%+v", c.Groups)
	}
}
