package templates_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"

	"dongled/httpapi/templates"
)

var ctx = context.Background()

// wantFault checks whose fault it is and how it is worded.
func wantFault(t faults, err error, want templates.Fault) {
	t.Helper()
	var got *templates.Fault
	if !errors.As(err, &got) {
		t.Errorf("error %v, want %+v", err, want)
	} else if *got != want {
		t.Errorf("fault %+v\n want %+v", *got, want)
	}
}

// TestFill: what becomes of texts with places.
func TestFill(t *testing.T) {
	values := map[string]string{
		"name": "Robert", "order.id": "0815", "a_b-c": "x", "nest": "{{name}}", "brace": "{", "grüße": "Grüße", "emoji": "👩‍🚀🇬🇧", "lines": "a\nb", "empty": "",
		"same": "$1 \\1 %s {{", "key1": "1", "1key": "2",
	}
	tests := []struct{ name, text, want string }{
		{"no place", "Hello", "Hello"},
		{"one", "Hello {{name}}", "Hello Robert"},
		{"spaces", "Hello {{ name }} {{name }}{{  name}}", "Hello Robert RobertRobert"},
		{"the place alone", "{{name}}", "Robert"},
		{"dots, hyphens, underscores, digits", "{{order.id}}{{a_b-c}}{{key1}}{{1key}}", "0815x12"},
		{"letters of any script", "{{grüße}}", "Grüße"},
		{"the same place twice", "{{name}}, {{name}}", "Robert, Robert"},
		{"a value that looks like a place", "Hello {{nest}}", "Hello {{name}}"},
		{"values do not join with the text", "{{brace}}{name}", "{{name}"},
		{"values do not join with each other", "{{brace}}{{brace}}name", "{{name"},
		{"values that are patterns elsewhere", "{{same}}", "$1 \\1 %s {{"},
		{"single braces", "a{b}c } { {name}", "a{b}c } { {name}"},
		{"a brace beside a place", "{ {{name}} }{", "{ Robert }{"},
		{"JSON", `{"to": {"name":"{{name}}"} }`, `{"to": {"name":"Robert"} }`},
		{"emoji", "🚀{{emoji}}🚀", "🚀👩‍🚀🇬🇧🚀"},
		{"line feeds", "1\n{{lines}}\n", "1\na\nb\n"},
		{"an empty value", "[{{empty}}]", "[]"},
	}
	s := newShelf(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := s.active(t, templates.Wording{Texts: map[string]string{"en": test.text}})
			got, err := s.Render(ctx, templates.Request{Project: p.ID, Values: values})
			if err != nil || got.Text != test.want {
				t.Errorf("%q, %v, want %q", got.Text, err, test.want)
			}
		})
	}
}

// TestBraces: what is no text.
func TestBraces(t *testing.T) {
	const (
		noBegin = "}} has no {{ before it, at character "
		noEnd   = "{{ has no }} behind it, at character "
		three   = "three braces in a row, at character "
		noKey   = "between {{ and }} must stand a key of 1 to 64 letters, digits and . _ -, at character "
	)
	s := newShelf(t)
	for text, want := range map[string]string{
		"{{": noEnd + "1", "}}": noBegin + "1", "ä{{": noEnd + "2", "👩‍🚀}}": noBegin + "4", "a }} {{b": noBegin + "3",
		"{{name": noEnd + "1", "{{name}": noEnd + "1", "{name}}": noBegin + "6", "{{a}} {{b": noEnd + "7", "{{a}} b}}": noBegin + "8",
		"{{}}": noKey + "1", "{{ }}": noKey + "1", "{{a b}}": noKey + "1", "{{{a}}}": three + "1", "{{{{a}}}}": three + "1", "{{a}}}": three + "4", "ä{{{a}}": three + "2",
		"{{a{{b}}c}}": noKey + "1", "{{#if a}}": noKey + "1", "{{a|upper}}": noKey + "1", "{{a}}{{.}": noEnd + "6", "{{\u00a0a}}": noKey + "1",
		"{{\na}}": noKey + "1", "{{" + strings.Repeat("k", 65) + "}}": noKey + "1", "{{a}} }}": noBegin + "7", "{{}}}}": three + "3",
	} {
		_, err := s.Create(ctx, "", "a name", templates.Wording{Texts: map[string]string{"en": text}})
		wantFault(t, err, templates.Fault{Field: "texts.en", Problem: want})
	}
	if all := s.List(); len(all) != 0 {
		t.Errorf("stored: %+v", all)
	}
}

// TestValues: what may and must be given.
func TestValues(t *testing.T) {
	s := newShelf(t)
	p := s.active(t, templates.Wording{
		DefaultLocale: "en",
		Texts:         map[string]string{"en": "{{must}} {{may}} {{usual}} {{short}} {{implied}}", "de": "{{must}}"},
		Variables: []templates.Variable{
			{Key: "must", Required: true}, {Key: "may"}, {Key: "usual", Default: "as ever"}, {Key: "short", Default: "-", MaxLen: 3}, {Key: "silent"},
		},
	})
	given := func(more ...string) map[string]string {
		values := map[string]string{"must": "1", "implied": "2"}
		for i := 0; i < len(more); i += 2 {
			values[more[i]] = more[i+1]
		}
		return values
	}
	for _, test := range []struct {
		name    string
		values  map[string]string
		want    string
		unknown string
	}{
		{"the least", given(), "1  as ever - 2", ""},
		{"all", given("may", "3", "usual", "4", "short", "5", "silent", "6"), "1 3 4 5 2", ""},
		{"empty is given", given("must", "", "usual", "", "short", ""), "    2", ""},
		{"the longest, in characters", given("short", "äö😀"), "1  as ever äö😀 2", ""},
		{"unknown, in order", given("z", "9", "a", "8", "Must", "7"), "1  as ever - 2", "Must a z"},
		{"unknown with anything in it", given("z", "\x00\xff"), "1  as ever - 2", "z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := s.Render(ctx, templates.Request{Project: p.ID, Values: test.values})
			if err != nil || got.Text != test.want || strings.Join(got.Unknown, " ") != test.unknown {
				t.Errorf("%+v, %v, want %q and %q", got, err, test.want, test.unknown)
			}
		})
	}
	for _, test := range []struct {
		name   string
		values map[string]string
		want   templates.Fault
	}{
		{"nothing", nil, templates.Fault{Field: "values.must", Problem: "is required"}},
		{"only in a text", map[string]string{"must": "1"}, templates.Fault{Field: "values.implied", Problem: "is required"}},
		{"too long", given("short", "1234"), templates.Fault{Field: "values.short", Problem: "must have at most 3 characters"}},
		{"far too long", given("may", strings.Repeat("ä", 39_016)), templates.Fault{Field: "values.may", Problem: "must have at most 39015 characters"}},
		{"longer together", given("may", strings.Repeat("ä", 39_015)), templates.Fault{Field: "values", Problem: "make a text of more than 39015 characters"}},
		{"NUL", given("may", "a\x00"), control("may")}, {"tab", given("may", "\t"), control("may")}, {"return", given("must", "\r\n"), control("must")},
		{"escape", given("usual", "\x1b"), control("usual")}, {"of no text", given("silent", "\x1f"), control("silent")},
		{"not UTF-8", given("may", "\xff"), templates.Fault{Field: "values.may", Problem: "must be UTF-8"}},
		{"half a character", given("short", "\xc3"), templates.Fault{Field: "values.short", Problem: "must be UTF-8"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, strict := range []bool{false, true} {
				_, err := s.Render(ctx, templates.Request{Project: p.ID, Values: test.values, Strict: strict})
				wantFault(t, err, test.want)
			}
		})
	}
	_, err := s.Render(ctx, templates.Request{Project: p.ID, Values: given("z", "9", "Must", "1"), Strict: true})
	wantFault(t, err, templates.Fault{Field: "values.Must", Problem: "the template has no place for it"})
	_, err = s.Render(ctx, templates.Request{Project: p.ID, Values: given("secret text", ""), Strict: true})
	wantFault(t, err, templates.Fault{Field: "values", Problem: "the template has no place for one of them, whose key cannot be one"})
	// A variable is the version's: that a language has no place for it changes nothing.
	_, err = s.Render(ctx, templates.Request{Project: p.ID, Locale: "de", Values: map[string]string{"must": "1"}})
	wantFault(t, err, templates.Fault{Field: "values.implied", Problem: "is required"})
}

func control(key string) templates.Fault {
	return templates.Fault{Field: "values." + key, Problem: "must not have control characters, except line feeds"}
}

// A long value in many places is refused, and not multiplied before.
func TestManyPlaces(t *testing.T) {
	s := newShelf(t)
	p := s.active(t, templates.Wording{Texts: map[string]string{"en": strings.Repeat("{{a}}", 2000)}})
	values := map[string]string{"a": strings.Repeat("x", 39_015)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := s.Render(ctx, templates.Request{Project: p.ID, Values: values})
	runtime.ReadMemStats(&after)
	wantFault(t, err, templates.Fault{Field: "values", Problem: "make a text of more than 39015 characters"})
	if took := after.TotalAlloc - before.TotalAlloc; took > 2<<20 {
		t.Errorf("%d octets to refuse it", took)
	}
}

func TestNothingInIt(t *testing.T) {
	s := newShelf(t)
	p := s.active(t, templates.Wording{Texts: map[string]string{"en": "{{a}}"}, Variables: []templates.Variable{{Key: "a"}}})
	_, err := s.Render(ctx, templates.Request{Project: p.ID})
	wantFault(t, err, templates.Fault{Field: "values", Problem: "make a text with nothing in it"})
}

// TestLocales: the whole tag, then ever less of it, then the default.
func TestLocales(t *testing.T) {
	s := newShelf(t)
	texts := map[string]string{}
	for _, locale := range []string{"en", "EN-gb", "de", "pt-BR", "zh-hant", "zh-Hant-HK", "sr-Latn", "no"} {
		texts[locale] = "text"
	}
	p := s.active(t, templates.Wording{DefaultLocale: "pt-br", Texts: texts})
	for wanted, found := range map[string]string{
		"": "pt-BR", "en": "en", "EN": "en", "en-GB": "en-GB", "en-gb": "en-GB", "en_GB": "en-GB", "en-US": "en", "en-GB-oxendict": "en-GB",
		"de-AT": "de", "DE-latn-ch": "de", "pt": "pt-BR", "pt-PT": "pt-BR", "fr": "pt-BR", "fr-CA": "pt-BR", "zh": "pt-BR", "zh-Hans": "pt-BR",
		"zh-Hant-TW": "zh-Hant", "zh-Hant-HK": "zh-Hant-HK", "sr": "pt-BR", "sr-Latn-RS": "sr-Latn", "nb": "pt-BR", "no-NO": "no",
		"de-x-phone": "de", "de-u-co-phonebk": "de", "en-QX": "en", "tlh-Latn": "pt-BR", "x-none": "pt-BR",
	} {
		got, err := s.Render(ctx, templates.Request{Project: p.ID, Locale: wanted})
		if err != nil || got.Locale != found {
			t.Errorf("%q: %q, %v, want %q", wanted, got.Locale, err, found)
		}
	}
	for _, wanted := range []string{"english!", "en-", "-", "d", "*", "en;q=0.5", "en,de", "de_DE.UTF-8", "{{a}}", "\xff", "en-" + strings.Repeat("abcdefgh-", 4) + "a"} {
		_, err := s.Render(ctx, templates.Request{Project: p.ID, Locale: wanted})
		wantFault(t, err, templates.Fault{Field: "locale", Problem: "must be a language tag such as en or en-GB"})
	}
}

// TestWhichVersion: a name finds one version, and only an active one is used.
func TestWhichVersion(t *testing.T) {
	s := newShelf(t)
	const first, second = "5b1a4c53-9d02-4a52-8f59-1d1f1f2a3b4c", "00000000-0000-0000-0000-00000000000a"
	p, err := s.Create(ctx, "0B6E0E3A-6F0E-4B0C-9D3A-2F4F0F1F8A51", "a name", templates.Wording{VersionID: first, Texts: map[string]string{"en": "one"}})
	if err == nil {
		_, err = s.AddVersion(ctx, p.ID, templates.Wording{VersionID: strings.ToUpper(second), Texts: map[string]string{"en": "two"}})
	}
	if err == nil {
		_, err = s.AddVersion(ctx, p.ID, templates.Wording{Texts: map[string]string{"en": "three"}, ShortLinks: true})
	}
	if err != nil || p.ID != "0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51" {
		t.Fatal(p.ID, err)
	}
	wantText := func(version, text string, preview bool) {
		t.Helper()
		got, err := s.Render(ctx, templates.Request{Project: strings.ToUpper(p.ID), Version: version, Preview: preview})
		if err != nil || got.Text != text {
			t.Errorf("version %q: %q, %v, want %q", version, got.Text, err, text)
		}
	}
	wantNone := func(version, problem string) {
		t.Helper()
		_, err := s.Render(ctx, templates.Request{Project: p.ID, Version: version})
		wantFault(t, err, templates.Fault{Field: "version", Problem: problem, NotFound: true})
	}
	wantNone("", "template "+p.ID+" has no active version: activate one")
	wantNone("latest", "template "+p.ID+" has no active version: activate one")
	wantNone(first, "version "+first+" of template "+p.ID+" is draft: only active ones are used")
	wantText("", "three", true)
	wantText(second, "two", true)
	for _, version := range []string{"2", first} {
		if _, err := s.Activate(ctx, p.ID, version); err != nil {
			t.Fatal(err)
		}
	}
	wantText("", "two", false)
	wantText("latest", "two", true)
	wantText("1", "one", false)
	wantText(strings.ToUpper(first), "one", false)
	wantText("3", "three", true)
	wantNone("3", "version 3 of template "+p.ID+" is draft: only active ones are used")
	if _, err := s.Retire(ctx, p.ID, second); err != nil {
		t.Fatal(err)
	}
	wantText("latest", "one", false)
	wantNone("2", "version 2 of template "+p.ID+" is retired: only active ones are used")
	for _, odd := range []string{"4", "0", "-1", "01", "Latest", "two", " 1", first[:35]} {
		_, err := s.Render(ctx, templates.Request{Project: p.ID, Version: odd, Preview: true})
		if named := odd == "4" || odd == "0" || odd == "01"; named {
			wantFault(t, err, templates.Fault{Field: "version", Problem: "template " + p.ID + " has no version " + odd, NotFound: true})
		} else {
			wantFault(t, err, templates.Fault{Field: "version", Problem: "template " + p.ID + " has no version of that id or number", NotFound: true})
		}
	}
	for _, odd := range []string{"", "x", "{" + p.ID + "}", "urn:uuid:" + p.ID, strings.ReplaceAll(p.ID, "-", "")} {
		_, err := s.Render(ctx, templates.Request{Project: odd})
		wantFault(t, err, templates.Fault{Field: "projectId", Problem: "must be the UUID of a template", NotFound: true})
	}
}
