package links

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// fileSuffixes are top-level domains that in texts rather are the ends of file names.
var fileSuffixes = map[string]bool{
	"app": true, "cc": true, "md": true, "mov": true, "pl": true, "ps": true, "py": true, "rs": true, "sh": true,
	"so": true, "zip": true,
}

// hostLen is how many bytes of s a name or an address can have.
func hostLen(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return !inName(r) })
	if n < 0 {
		return len(s)
	}
	return n
}

func inName(r rune) bool {
	if r < utf8.RuneSelf {
		return alphanumeric(r) || r == '-' || r == '.' || r == '_'
	}
	return unicode.In(r, unicode.L, unicode.M, unicode.Nd)
}

// isBare reports whether s begins with the name of a public domain that is meant to be followed.
func isBare(s string) bool {
	n := hostLen(s)
	name, rest := strings.TrimRight(s[:n], "."), s[n:]
	if len(name) < n {
		rest = "" // a full stop: the sentence goes on, and not the URL
	}
	dot := strings.LastIndexByte(name, '.')
	if dot <= 0 || len(name) > maxHost || strings.HasPrefix(rest, "@") {
		return false
	}
	ascii, err := idna.Lookup.ToASCII(name)
	if err != nil || !public(ascii) {
		return false
	}
	if strings.HasPrefix(rest, "/") {
		return true
	}
	tld, label := name[dot+1:], name[strings.LastIndexByte(name[:dot], '.')+1:dot]
	// "Done.In" is the end of a sentence, and "at 7.pm" a time.
	return !fileSuffixes[strings.ToLower(tld)] && !capitalised(tld) && strings.Trim(label, "0123456789") != ""
}

// capitalised reports a capital followed by a small letter.
func capitalised(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	next, _ := utf8.DecodeRuneInString(s[size:])
	return unicode.IsUpper(r) && unicode.IsLower(next)
}

// public reports whether a name in ASCII is below a public suffix, one that stands on the list.
func public(name string) bool {
	name = strings.ToLower(name)
	suffix, icann := publicsuffix.PublicSuffix(name)
	listed := icann || strings.Contains(suffix, ".") // so says the list's package of private ones
	return listed && len(name) > len(suffix)
}

// bareLen is how long the URL is that begins with a name: the name alone, unless a port, path, query or
// fragment follows.
func bareLen(s string) int {
	n := hostLen(s)
	if n == len(s) || strings.HasSuffix(s[:n], ".") || strings.IndexByte(":/?#", s[n]) < 0 {
		return n
	}
	return len(s)
}
