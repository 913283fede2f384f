package skycore_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dongled/hack/models"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
	"dongled/scheduler/store"
)

// list is what should be known of one campaign: true is subscribed, false is stopped.
type list struct {
	sim     int
	keyword string
	numbers map[string]bool
}

// lists is the model of all campaigns, by reference, beside the gateway that has to agree with it.
type lists struct {
	h   *compattest.House
	all map[string]*list
}

// What is drawn from. The first two numbers are one in the national form.
var (
	modelRefs     = rapid.SampledFrom([]string{"north", "south"})
	modelKeywords = rapid.SampledFrom([]string{"", "sun", "rain", "south"})
	modelNumbers  = rapid.SampledFrom([]string{"+4915112345678", "+4315112345678", "+15550001111"})
	modelSenders  = rapid.SampledFrom([]string{"+4915112345678", "+4315112345678", "+15550001111", "015112345678", "+15550002222"})
	modelSIMs     = rapid.IntRange(1, 2)
)

// TestCampaignModel does at random what clients, people and administrators do, and compares every list
// and every verdict.
func TestCampaignModel(t *testing.T) {
	h := start(t, skycore.Options{EnforceCampaignCheck: true})
	within(t, h, func(tx *store.Tx) { tx.DB().NoSync = true })
	models.Checks(30)
	rapid.Check(t, func(t *rapid.T) {
		m := &lists{h, map[string]*list{}}
		for _, ref := range []string{"north", "south"} {
			admin(h, "DELETE", "/"+ref, "")
		}
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "put": m.put, "delete": m.delete, "subscribe": m.subscribe, "forget": m.forget, "hear": m.hear, "send": m.send,
		})
	})
}

func (m *lists) put(t *rapid.T) {
	ref, keyword, sim := modelRefs.Draw(t, "ref"), modelKeywords.Draw(t, "keyword"), rapid.IntRange(0, 2).Draw(t, "sim")
	want := 201
	if m.all[ref] != nil {
		want = 200
	}
	for other, l := range m.all {
		meet := l.sim == 0 || sim == 0 || l.sim == sim
		if other != ref && meet && (keyword != "" && (keyword == l.keyword || keyword == other) || l.keyword == ref) {
			want = 409
		}
	}
	if got := admin(m.h, "PUT", "/"+ref, fmt.Sprintf(`{"keyword":%q,"sim":%d}`, keyword, sim)); got.Status != want {
		t.Fatalf("put %s: %d %s, want %d", ref, got.Status, got.Body, want)
	}
	if want == 201 {
		m.all[ref] = &list{numbers: map[string]bool{}}
	}
	if want != 409 {
		m.all[ref].sim, m.all[ref].keyword = sim, keyword
	}
}

func (m *lists) delete(t *rapid.T) {
	ref := modelRefs.Draw(t, "ref")
	want := 204
	if m.all[ref] == nil {
		want = 404
	}
	if got := admin(m.h, "DELETE", "/"+ref, ""); got.Status != want {
		t.Fatalf("delete %s: %d, want %d", ref, got.Status, want)
	}
	delete(m.all, ref)
}

func (m *lists) subscribe(t *rapid.T) {
	ref, number := modelRefs.Draw(t, "ref"), modelNumbers.Draw(t, "number")
	want := 404
	if l := m.all[ref]; l != nil {
		active, known := l.numbers[number]
		if want = 200; known && !active {
			want = 409
		} else {
			l.numbers[number] = true
		}
	}
	if got := admin(m.h, "PUT", "/"+ref+"/subscribers/"+number, ""); got.Status != want {
		t.Fatalf("subscribe %s to %s: %d, want %d", number, ref, got.Status, want)
	}
}

func (m *lists) forget(t *rapid.T) {
	ref, number := modelRefs.Draw(t, "ref"), modelNumbers.Draw(t, "number")
	want := 404
	if l := m.all[ref]; l != nil {
		if _, known := l.numbers[number]; known {
			want = 204
			delete(l.numbers, number)
		}
	}
	if got := admin(m.h, "DELETE", "/"+ref+"/subscribers/"+number, ""); got.Status != want {
		t.Fatalf("forget %s of %s: %d, want %d", number, ref, got.Status, want)
	}
}

// hear is a text of a verb, a name of a campaign, or both.
func (m *lists) hear(t *rapid.T) {
	sim, from := modelSIMs.Draw(t, "sim"), modelSenders.Draw(t, "from")
	verb := rapid.SampledFrom([]string{"", "STOP", "Quit", "START"}).Draw(t, "verb")
	name := rapid.SampledFrom([]string{"", "north", "south", "sun", "rain"}).Draw(t, "name")
	m.h.Hear(sim, from, strings.TrimSpace(verb+" "+name))
	var meant []*list
	for ref, l := range m.all {
		switch {
		case l.sim != 0 && l.sim != sim:
		case name == "" && verb != "", name != "" && name == l.keyword, verb != "" && name == ref:
			meant = append(meant, l)
		}
	}
	who := m.who(from)
	switch {
	case verb == "STOP" || verb == "Quit":
		for _, l := range meant {
			for _, number := range who {
				if l.numbers[number] {
					l.numbers[number] = false
				}
			}
		}
	case len(who) == 1 || len(who) == 0 && strings.HasPrefix(from, "+"):
		number := append(who, from)[0]
		for _, l := range meant {
			if _, known := l.numbers[number]; known || name != "" {
				l.numbers[number] = true
			}
		}
	}
}

// who are the subscribers that a sender may be.
func (m *lists) who(from string) (numbers []string) {
	for _, l := range m.all {
		for number := range l.numbers {
			same := number == from || from == "015112345678" && strings.HasSuffix(number, "15112345678")
			if same && !slices.Contains(numbers, number) {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers
}

func (m *lists) send(t *rapid.T) {
	ref, number, sim := modelRefs.Draw(t, "ref"), modelNumbers.Draw(t, "number"), modelSIMs.Draw(t, "sim")
	want := ""
	switch l := m.all[ref]; {
	case l == nil, l.sim != 0 && l.sim != sim:
		want = "E714"
	case !l.numbers[number]:
		want = "E715"
	}
	got := post(m.h, with("campaign-ref", `"`+ref+`"`, "to", `"`+number+`"`, "from", fmt.Sprintf(`"%d"`, sim)))
	if !strings.Contains(got.Body, want) || (want == "") != strings.Contains(got.Body, `"status":"Success"`) {
		t.Fatalf("send to %s of %s: %s, want %q", number, ref, got.Body, want)
	}
}

func (m *lists) check(t *rapid.T) {
	for ref, l := range m.all {
		var rows []string
		for _, number := range slices.Sorted(maps.Keys(l.numbers)) {
			if !l.numbers[number] {
				number += "!"
			}
			rows = append(rows, number)
		}
		if got, want := paged(t, m.h, ref, 100), strings.Join(rows, " | "); got != want {
			t.Fatalf("%s has %s, want %s", ref, got, want)
		}
	}
}
