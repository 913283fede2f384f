package links_test

import (
	"net/url"
	"strings"
	"testing"

	"dongled/httpapi/links"
)

// FuzzTarget: with UTM pairs a target has the host, path and fragment that it had, and its query as the
// beginning of the new one; and as a header it is ASCII, in one line, and to the same place.
func FuzzTarget(f *testing.F) {
	h := newHouse(f)
	w := links.Wish{All: true, UTM: [][2]string{{"utm_source", "sms & mail"}, {"utm_medium", "ä"}}}
	f.Fuzz(func(t *testing.T, text string) {
		_, plain, err := h.Rewrite(text, links.Wish{All: true})
		if err != nil {
			t.Fatal(err)
		}
		_, tagged, err := h.Rewrite(text, w)
		if err != nil {
			t.Fatal(err)
		}
		if len(plain) != 1 || len(tagged) != 1 {
			return
		}
		was, is := parse(t, plain[0].URL), parse(t, tagged[0].URL)
		if is.Scheme != was.Scheme || is.Host != was.Host || is.EscapedPath() != was.EscapedPath() || is.EscapedFragment() != was.EscapedFragment() ||
			!strings.HasPrefix(is.RawQuery, was.RawQuery) {
			t.Errorf("%q becomes %q", plain[0].URL, tagged[0].URL)
		}
		location := links.Location(tagged[0].URL)
		to := parse(t, location)
		if strings.ContainsFunc(location, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || to.Path != is.Path || to.Fragment != is.Fragment || to.Port() != is.Port() {
			t.Errorf("%q leads to %q", tagged[0].URL, location)
		}
	})
}

func parse(t *testing.T, target string) *url.URL {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
