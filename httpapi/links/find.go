package links

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// span is a URL in a text, text[from:to], and where it leads.
type span struct {
	from, to int
	target   string
}

// finder finds URLs in texts. It takes time in proportion to the text, whatever is in it.
type finder struct {
	// bare finds names of public domains, too.
	bare bool
}

// spans are the URLs in order.
func (f finder) spans(text string) (found []span) {
	for from := 0; from < len(text); {
		n := strings.IndexFunc(text[from:], delimits)
		if n < 0 {
			n = len(text) - from
		}
		found = f.scan(found, text, from, from+n)
		_, size := utf8.DecodeRuneInString(text[from+n:])
		from += n + size
	}
	return found
}

// middleDots are punctuation that hosts may have: Catalan's and Katakana's (RFC 5892 appendix A.3, A.7).
const middleDots = "\u00b7\u30fb"

// joiners are format characters that hosts may have (RFC 5892 appendix A.1, A.2).
const joiners = "\u200c\u200d"

// delimits reports what ends a URL: what RFC 3986 leaves no place for and people write around one, and
// punctuation beyond ASCII.
func delimits(r rune) bool {
	if r < utf8.RuneSelf {
		return r <= ' ' || r == 0x7f || strings.ContainsRune("<>\"`\\", r)
	}
	return r == utf8.RuneError || unicode.IsSpace(r) || unicode.IsControl(r) ||
		unicode.Is(unicode.P, r) && !strings.ContainsRune(middleDots, r) ||
		unicode.Is(unicode.Cf, r) && !strings.ContainsRune(joiners, r)
}

// scan looks through a run of text without delimiters.
func (f finder) scan(found []span, text string, from, to int) []span {
	sep := separator(text[:to], from)
	for from < to {
		if 0 <= sep && sep < from { // only then: the rest of a run may be long
			sep = separator(text[:to], from)
		}
		start, prefix, is := f.start(text[:to], from, sep)
		if !is {
			return found
		}
		end := start + cut(text[start:to])
		if prefix == bareHost {
			end = start + bareLen(text[start:end])
		}
		url := trim(text[start:end])
		target := url
		if prefix != scheme {
			target = "http://" + url
		}
		if leads(target) && (prefix != www || hasFold(url, "www.")) {
			found = append(found, span{start, start + len(url), target})
		}
		from = end
	}
	return found
}

// prefix is what a URL begins with.
type prefix uint8

const (
	scheme prefix = iota
	www
	bareHost
)

// separator is where the first :// of a run is from a place on, negative if there is none.
func separator(run string, from int) int {
	if n := strings.Index(run[from:], "://"); n >= 0 {
		return from + n
	}
	return -1
}

// start finds the first beginning of a URL of any scheme in a run from a place on, behind which its first
// separator is at sep.
func (f finder) start(run string, from, sep int) (at int, p prefix, is bool) {
	end := len(run)
	if sep >= 0 {
		end = sep
		for end > from && inScheme(run[end-1]) {
			end--
		}
	}
	for i := from; i < end; {
		if hasFold(run[i:end], "www.") && (i == 0 || opens(run[i-1])) {
			return i, www, true
		}
		if !f.bare {
			i++
			continue
		}
		n := hostLen(run[i:end])
		if n > 0 && (i == 0 || opens(run[i-1])) && isBare(run[i:]) {
			return i, bareHost, true
		}
		i += max(1, n)
	}
	return end, scheme, sep >= 0
}

// inScheme reports the characters of schemes, RFC 3986 section 3.1, but for the full stop: where one is
// before http:// there rather is a blank missing.
func inScheme(b byte) bool { return alphanumeric(rune(b)) || b == '+' || b == '-' }

// opens reports whether a host without a scheme may follow b: not in the middle of a word, a path, an
// address of mail or another host.
func opens(b byte) bool { return !alphanumeric(rune(b)) && strings.IndexByte("-._@/%", b) < 0 }

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// cut is where the URL ends that a run begins with: at its end, or at a separator before the next one.
func cut(run string) int {
	for i := 1; i < len(run); i++ {
		if strings.IndexByte(",;|", run[i]) < 0 {
			continue
		}
		for _, next := range []string{"http://", "https://", "www."} {
			if hasFold(run[i+1:], next) {
				return i
			}
		}
	}
	return len(run)
}

// trim takes from the end of a URL what belongs to the sentence around it: punctuation, brackets and
// apostrophes that are not balanced within it, and ornaments.
func trim(url string) string {
	count := map[rune]int{}
	for _, r := range "()[]{}'" {
		count[r] = strings.Count(url, string(r))
	}
	for url != "" {
		r, size := utf8.DecodeLastRuneInString(url)
		opening, closes := map[rune]rune{')': '(', ']': '[', '}': '{'}[r]
		switch {
		case closes && count[r] <= count[opening], r == '\'' && count[r]%2 == 0:
			return url
		case !closes && !strings.ContainsRune(".,;:!?'", r) && !ornament(r):
			return url
		}
		count[r]--
		url = url[:len(url)-size]
	}
	return url
}

// variation asks for the picture of the character before it.
const variation = '\ufe0f'

// ornament reports emoji, arrows and the like.
func ornament(r rune) bool {
	return r >= utf8.RuneSelf && (r == variation || unicode.Is(unicode.S, r) || unicode.Is(unicode.Cf, r))
}
