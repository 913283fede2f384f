package templates

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what is kept.
const (
	maxProjects  = 500
	maxVersions  = 50 // of a project
	maxTexts     = 50 // of a version
	maxVariables = 100
	maxName      = 100 // characters
	maxText      = 10_000
	// maxVersionSize bounds the texts and variables of a version together, in octets: they have to go
	// through the control socket in one order.
	maxVersionSize = 32 << 10
	// maxStored bounds all records together, in octets; they are in memory too.
	maxStored = 8 << 20
)

// Wording is what a version says.
type Wording struct {
	// VersionID is a UUID that the version is to have; empty has one made.
	VersionID string `json:"versionId,omitempty"`
	// DefaultLocale may be left out where there is one text.
	DefaultLocale string            `json:"defaultLocale,omitempty"`
	Texts         map[string]string `json:"texts"`
	Variables     []Variable        `json:"variables,omitempty"`
	ShortLinks    bool              `json:"shortLinks,omitempty"`
}

// Declare makes a variable of what a client said of it: one of which it is not said is required if there
// is no default.
func Declare(key string, required *bool, standard *string, maxLen int) Variable {
	v := Variable{Key: key, Required: standard == nil, MaxLen: maxLen}
	if standard != nil {
		v.Default = *standard
	}
	if required != nil {
		v.Required = *required
	}
	return v
}

// version makes a draft, or finds the client's fault.
func (w Wording) version() (v Version, err error) {
	if w.VersionID != "" && !validID(w.VersionID) {
		return v, fault("versionId", "must be a UUID such as 0b6e0e3a-6f0e-4b0c-9d3a-2f4f0f1f8a51")
	}
	v = Version{State: Draft, ShortLinks: w.ShortLinks, Texts: make(map[string]string, len(w.Texts))}
	keys, err := v.takeTexts(w.Texts)
	if err != nil {
		return v, err
	}
	if v.DefaultLocale, err = v.defaultLocale(w.DefaultLocale); err != nil {
		return v, err
	}
	if v.Variables, err = variables(w.Variables, keys); err != nil {
		return v, err
	}
	if size := v.size(); size > maxVersionSize {
		return v, fault("texts", "and variables have %d octets together, %d at most", size, maxVersionSize)
	}
	return v, nil
}

// takeTexts stores texts by their locales, and returns the keys in them, each once.
func (v *Version) takeTexts(texts map[string]string) (keys []string, err error) {
	if len(texts) == 0 || len(texts) > maxTexts {
		return nil, fault("texts", "must be 1 to %d texts by locale", maxTexts)
	}
	for _, locale := range slices.Sorted(maps.Keys(texts)) {
		known, ok := tag(locale, false)
		if !ok {
			return nil, fault("texts", "must be by locale, each a language tag such as en or en-GB")
		}
		field := "texts." + known
		if _, twice := v.Texts[known]; twice {
			return nil, fault(field, "must not occur twice")
		}
		found, err := checkText(field, texts[locale])
		if err != nil {
			return nil, err
		}
		for _, key := range found {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		v.Texts[known] = texts[locale]
	}
	return keys, nil
}

// checkText returns the keys in a text, as often as they stand there.
func checkText(field, text string) (keys []string, err error) {
	switch length := utf8.RuneCountInString(text); {
	case text == "":
		return nil, fault(field, "must not be empty")
	case length > maxText:
		return nil, fault(field, "must have at most %d characters", maxText)
	}
	if problem := legible(text); problem != "" {
		return nil, fault(field, "%s", problem)
	}
	pieces, err := parse(text)
	if err != nil {
		return nil, fault(field, "%v", err)
	}
	for _, p := range pieces {
		if p.key != "" {
			keys = append(keys, p.key)
		}
	}
	return keys, nil
}

func (v *Version) defaultLocale(locale string) (string, error) {
	if locale == "" {
		for only := range v.Texts {
			if len(v.Texts) == 1 {
				return only, nil
			}
		}
		return "", fault("defaultLocale", "is required where there is more than one text")
	}
	known, ok := tag(locale, false)
	if _, there := v.Texts[known]; !ok || !there {
		return "", fault("defaultLocale", "must be the locale of one of the texts")
	}
	return known, nil
}

// variables are those declared, and a required one for each other key.
func variables(declared []Variable, keys []string) ([]Variable, error) {
	all := make([]Variable, 0, len(declared)+len(keys))
	there := make(map[string]bool, cap(all))
	for i, d := range declared {
		field := fmt.Sprintf("variables[%d]", i)
		if err := d.declared(field); err != nil {
			return nil, err
		}
		if there[d.Key] {
			return nil, fault(field+".key", "must not occur twice")
		}
		there[d.Key], all = true, append(all, d)
	}
	for _, key := range keys {
		if !there[key] {
			all = append(all, Variable{Key: key, Required: true})
		}
	}
	if len(all) > maxVariables {
		return nil, fault("variables", "must be at most %d, with those that only texts name", maxVariables)
	}
	return all, nil
}

// declared judges a declaration.
func (v Variable) declared(field string) error {
	switch {
	case !validKey(v.Key):
		return fault(field+".key", "must be 1 to %d letters, digits and . _ -", maxKey)
	case v.MaxLen < 0 || v.MaxLen > maxRendered:
		return fault(field+".maxLen", "must be from 1 to %d, or 0 for no bound of its own", maxRendered)
	case v.Required && v.Default != "":
		return fault(field+".default", "is never used where the variable is required")
	}
	most := v.MaxLen
	if most == 0 {
		most = maxText
	}
	problem := legible(v.Default)
	if problem == "" && utf8.RuneCountInString(v.Default) > most {
		problem = fmt.Sprintf("must have at most %d characters", most)
	}
	if problem != "" {
		return fault(field+".default", "%s", problem)
	}
	return nil
}

// size is that of texts and variables, in octets.
func (v *Version) size() (n int) {
	for _, text := range v.Texts {
		n += len(text)
	}
	for _, known := range v.Variables {
		n += len(known.Key) + len(known.Default)
	}
	return n
}

func checkName(name string) error {
	length := utf8.RuneCountInString(name)
	if length == 0 || length > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fault("name", "must be 1 to %d characters of UTF-8, none of them a control character", maxName)
	}
	return nil
}
