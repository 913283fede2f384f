package configs

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

func (r *rules) links(l Links) {
	r.must((l.Listen == "") == (l.PublicBaseURL == ""), "must be set together with the other", "links.public_base_url", "links.listen")
	r.must(l.Listen == "" || validListen(l.Listen), "must be host:port, such as :8081 or 127.0.0.1:8081", "links.listen")
	r.must(l.Lifetime > 0, "must be more than 0", "links.lifetime")
	if base := l.PublicBaseURL; base != "" {
		ok := validBase(base) && !hasUser(base) && !strings.ContainsAny(base, "?#")
		r.must(ok, "must be an http or https URL without user, query and fragment, such as https://s.example.com", "links.public_base_url")
		r.must(!ok || l.AllowPrivate || reachable(base),
			"must be one that phones on the Internet reach, unless links.allow_private is true", "links.public_base_url", "links.allow_private")
	}
}

// homely are top-level domains that only local networks know: RFC 6762 section 3, RFC 8375, ICANN's
// resolution of 29 July 2024 on .internal, RFC 6761 section 6.3, and what routers came with before.
var homely = []string{"local", "home.arpa", "internal", "localhost", "lan", "home", "localdomain", "intranet", "corp"}

// shared is what carriers have behind their address translation, RFC 6598.
var shared = netip.MustParsePrefix("100.64.0.0/10")

// reachable reports whether the host of a valid URL can be one of the public Internet.
func reachable(base string) bool {
	u, _ := url.Parse(base)
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsGlobalUnicast() && !addr.IsPrivate() && !shared.Contains(addr)
	}
	return strings.Contains(host, ".") && !allDigits(host[strings.LastIndexByte(host, '.')+1:]) &&
		!slices.ContainsFunc(homely, func(tld string) bool { return strings.HasSuffix(host, "."+tld) })
}

// allDigits is what no top-level domain is: browsers read such hosts as IPv4 addresses, in forms beside
// the dotted one too (WHATWG URL section 3.5).
func allDigits(label string) bool { return strings.Trim(label, "0123456789") == "" }
