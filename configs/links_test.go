package configs_test

import (
	"strings"
	"testing"

	"dongled/configs"
)

// withBase is a configuration of short links under a base URL.
func withBase(base string) string { return "links: {listen: ':8081', public_base_url: '" + base + "'}" }

func TestLinksFaults(t *testing.T) {
	const (
		listen = "must be host:port, such as :8081 or 127.0.0.1:8081"
		base   = "must be an http or https URL without user, query and fragment, such as https://s.example.com"
	)
	for _, tt := range []struct{ yaml, want string }{
		{"links: {listen: ':8081'}", `links.public_base_url: "": must be set together with the other`},
		{"links: {public_base_url: 'https://s.example.com'}", "links.public_base_url: https://s.example.com: must be set together with the other"},
		{"links: {listen: s.example.com, public_base_url: 'https://s.example.com'}", "links.listen: s.example.com: " + listen},
		{"links: {lifetime: 0}", "links.lifetime: 0: must be more than 0"},
		{"links: {lifetime: -1}", "links.lifetime: -1: must be more than 0"},
		{withBase("s.example.com"), "links.public_base_url: s.example.com: " + base},
		{withBase("ftp://s.example.com"), "links.public_base_url: ftp://s.example.com: " + base},
		{withBase("https:///r"), "links.public_base_url: https:///r: " + base},
		{withBase("https://s.example.com/?a=b"), "links.public_base_url: https://s.example.com/?a=b: " + base},
		{withBase("https://s.example.com/?"), "links.public_base_url: https://s.example.com/?: " + base},
		{withBase("https://s.example.com/#a"), "links.public_base_url: https://s.example.com/#a: " + base},
		{withBase("https://me@s.example.com"), "links.public_base_url: https://********@s.example.com: " + base},
	} {
		if got := faultsOf(t, configs.Sources{YAML: []byte(tt.yaml)}); len(got) != 1 || !strings.HasSuffix(got[0], tt.want) {
			t.Errorf("%s\ngot  %s\nwant %s", tt.yaml, strings.Join(got, "\n"), tt.want)
		}
	}
}

// TestLinksUnreachable: what no phone outside reaches is taken with allow_private only.
func TestLinksUnreachable(t *testing.T) {
	for _, base := range []string{
		"http://10.0.0.1", "http://172.16.0.1:8081", "http://172.31.255.255", "https://192.168.1.2/s", "http://169.254.1.1",
		"http://127.0.0.1", "http://100.64.0.1", "http://100.127.255.254", "http://0.0.0.0", "http://255.255.255.255", "http://224.0.0.1",
		"http://[::1]", "http://[fd12:3456::1]", "http://[fe80::1]", "http://[::ffff:192.168.1.2]:80", "http://[::]",
		"http://127.1", "http://1.2.3.4.5", // as browsers read them, or nobody
		"http://pi", "http://localhost", "http://a.localhost", "http://pi.local", "http://pi.local.", "http://PI.LOCAL", "http://pi.lan",
		"http://a.b.internal", "http://pi.home.arpa", "http://pi.home", "http://pi.localdomain",
	} {
		const want = ": must be one that phones on the Internet reach, unless links.allow_private is true"
		if got := faultsOf(t, configs.Sources{YAML: []byte(withBase(base))}); len(got) != 1 || !strings.HasSuffix(got[0], base+want) {
			t.Errorf("%s\ngot %s", base, strings.Join(got, "\n"))
		}
		private := strings.Replace(withBase(base), "{", "{allow_private: true, ", 1)
		if got := load(t, private, nil, nil).Config.Links; got.PublicBaseURL != base || !got.AllowPrivate {
			t.Errorf("%s is %+v", private, got)
		}
	}
}

func TestLinksAccepted(t *testing.T) {
	for _, base := range []string{
		"https://s.example.com", "http://s.example.com:8081", "https://example.com/s", "https://example.com/s/", "https://S.Example.COM",
		"http://203.0.113.7", "http://172.32.0.1", "http://100.128.0.1", "http://[2001:db8::1]:8081", "https://local.example.com",
		"https://mylocal.de", "https://bücher.example",
	} {
		if got := load(t, withBase(base), nil, nil).Config.Links.PublicBaseURL; got != base {
			t.Errorf("%s is %s", base, got)
		}
	}
}
