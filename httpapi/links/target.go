package links

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// maxTarget bounds a target in bytes: what leads there is a header, and not all take more.
const maxTarget = 4096

// maxHost bounds a host in bytes before it is made Punycode, which takes the square of the time: 253
// characters are the most (RFC 1035 section 3.1), each of up to 4 bytes.
const maxHost = 253 * 4

// leads reports whether a URL may be a target: http or https to a host, and nobody's credentials.
func leads(target string) bool {
	if len(target) > maxTarget || strings.ContainsFunc(target, delimits) {
		return false
	}
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return false
	}
	return isHost(u.Hostname(), strings.HasPrefix(u.Host, "["))
}

func isHost(host string, literal bool) bool {
	if literal {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is6() && addr.Zone() == ""
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) > maxHost {
		return false
	}
	if strings.ContainsFunc(host[strings.LastIndexByte(host, '.')+1:], ornament) {
		return false // which no top-level domain has: the text goes on without a blank
	}
	if !ascii(host) {
		var err error
		if host, err = idna.Lookup.ToASCII(host); err != nil {
			return false
		}
	}
	return len(host) <= 253 && !slices.ContainsFunc(strings.Split(host, "."), func(label string) bool {
		return label == "" || len(label) > 63 || hostLen(label) != len(label)
	})
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// location is a target as a header has it (RFC 9110 section 10.2.2), without characters beyond ASCII:
// those of the host are Punycode, all others percent-encoded UTF-8 (RFC 3987 section 3.1).
func location(target string) string {
	if ascii(target) {
		return target
	}
	scheme, rest, _ := strings.Cut(target, "://")
	n := strings.IndexAny(rest, ":/?#")
	if n < 0 {
		n = len(rest)
	}
	host := rest[:n]
	if !ascii(host) { // what leads has checked
		host, _ = idna.Lookup.ToASCII(host)
	}
	var out strings.Builder
	out.WriteString(scheme + "://" + host)
	for _, b := range []byte(rest[n:]) {
		if b < utf8.RuneSelf {
			out.WriteByte(b)
		} else {
			const hex = "0123456789ABCDEF"
			out.Write([]byte{'%', hex[b>>4], hex[b&15]})
		}
	}
	return out.String()
}

// withUTM appends pairs to the query of a target that has none of the name, in any case of its letters.
// What is there stays byte for byte.
func withUTM(target string, pairs [][2]string) string {
	rest, fragment, fragmented := strings.Cut(target, "#")
	_, query, _ := strings.Cut(rest, "?")
	has := map[string]bool{}
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			has[strings.ToLower(plain)] = true
		}
	}
	for _, p := range pairs {
		if p[1] == "" || has[strings.ToLower(p[0])] {
			continue
		}
		switch {
		case !strings.Contains(rest, "?"):
			rest += "?"
		case !strings.HasSuffix(rest, "?") && !strings.HasSuffix(rest, "&"):
			rest += "&"
		}
		rest += url.QueryEscape(p[0]) + "=" + url.QueryEscape(p[1])
	}
	if fragmented {
		rest += "#" + fragment
	}
	return rest
}
