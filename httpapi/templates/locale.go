package templates

import (
	"errors"
	"strings"

	"golang.org/x/text/language"
)

// maxLocale is the length of a tag that RFC 5646 section 4.4.1 has everybody allow.
const maxLocale = 35

// tag returns a locale in the spelling that BCP 47 recommends, such as zh-Hant-TW. One of a known form with
// subtags that nobody registered is taken without them if lax.
func tag(locale string, lax bool) (string, bool) {
	if len(locale) > maxLocale {
		return "", false
	}
	t, err := language.Raw.Parse(locale)
	var unregistered language.ValueError
	if err != nil && !(lax && errors.As(err, &unregistered)) {
		return "", false
	}
	return t.String(), lax || t != language.Und
}

// locale finds which of the version's texts is the nearest to what is wanted.
func (v Version) locale(wanted string) (string, error) {
	if wanted == "" {
		return v.DefaultLocale, nil
	}
	found, ok := tag(wanted, true)
	if !ok {
		return "", fault("locale", "must be a language tag such as en or en-GB")
	}
	for found != "" {
		if _, there := v.Texts[found]; there {
			return found, nil
		}
		found = shorter(found)
	}
	return v.DefaultLocale, nil
}

// shorter is a tag without its last subtag, and without a single letter that then is the last: that only
// begins something (RFC 4647 section 3.4).
func shorter(tag string) string {
	tag = tag[:max(0, strings.LastIndexByte(tag, '-'))]
	if i := strings.LastIndexByte(tag, '-'); i >= 0 && i == len(tag)-2 {
		tag = tag[:i]
	}
	return tag
}
