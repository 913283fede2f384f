package courier_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"dongled/httpapi/courier"
)

const (
	noURL    = "must be a URL"
	noScheme = "must be a URL that starts with https:// or http://"
	noHost   = "must be a URL with a host"
	noPort   = "must be a URL with a port from 1 to 65535, or none"
	own      = "must start with https://: this gateway calls http only on its own machine"
	lan      = "must start with https://: this gateway calls http only in private networks"
	long     = "must have at most 2000 characters"
)

// urls are what is wrong with each where http goes to the loopback, the private networks, anywhere.
var urls = map[string][3]string{
	"https://example.com/hook?a=b":                {},
	"HTTPS://EXAMPLE.COM":                         {},
	"https://user:p%40ss@example.com:8443/":       {},
	"https://8.8.8.8/":                            {},
	"http://127.0.0.1:65535/x":                    {},
	"http://[::1]/":                               {},
	"http://[::ffff:127.0.0.1]/":                  {},
	"http://localhost:3000":                       {},
	"http://example.com/":                         {}, // judged when it is resolved
	"http://nas.lan/":                             {},
	"http://192.168.1.2/":                         {own, "", ""},
	"http://10.0.0.1:80/":                         {own, "", ""},
	"http://[fd00::1]/":                           {own, "", ""},
	"http://[fe80::1%25eth0]/":                    {own, "", ""},
	"http://8.8.8.8/":                             {own, lan, ""},
	"http://[2001:db8::1]/":                       {own, lan, ""},
	"http://0.0.0.0/":                             {own, lan, ""},
	"http://100.64.0.1/":                          {own, lan, ""},
	"":                                            {noScheme, noScheme, noScheme},
	"example.com/hook":                            {noScheme, noScheme, noScheme},
	"ftp://example.com/":                          {noScheme, noScheme, noScheme},
	"javascript:alert(1)":                         {noScheme, noScheme, noScheme},
	"https:example.com":                           {noHost, noHost, noHost},
	"https:///x":                                  {noHost, noHost, noHost},
	"https://:8080/":                              {noHost, noHost, noHost},
	"https://x:0/":                                {noPort, noPort, noPort},
	"https://x:65536/":                            {noPort, noPort, noPort},
	"https://x:port/":                             {noURL, noURL, noURL},
	"https://exa mple.com/":                       {noURL, noURL, noURL},
	"https://example.com/a b":                     {noURL, noURL, noURL},
	"https://example.com/\r\nX-Header: 1":         {noURL, noURL, noURL},
	"https://example.com/%zz":                     {noURL, noURL, noURL},
	"https://example.com/\xff":                    {noURL, noURL, noURL},
	"https://[::1/":                               {noURL, noURL, noURL},
	"https://x/" + strings.Repeat("y", 1990):      {},
	"https://x/" + strings.Repeat("y", 1991):      {long, long, long},
	"http://8.8.8.8/" + strings.Repeat("y", 1985): {own, lan, ""},
}

func TestCheck(t *testing.T) {
	for i, reach := range []courier.Reach{courier.Loopback, courier.LAN, courier.Any} {
		c := courier.New(courier.Options{HTTP: reach})
		for u, problems := range urls {
			got := ""
			if err := c.Check(u); err != nil {
				got = err.Error()
			}
			if got != problems[i] {
				t.Errorf("%s with %s: %q, want %q", u, reach, got, problems[i])
			}
		}
	}
}

// FuzzCheck: what is accepted as http with an address is of the loopback, and more reach takes no less.
func FuzzCheck(f *testing.F) {
	for u := range urls {
		f.Add(u)
	}
	strict, wide := courier.New(courier.Options{}), courier.New(courier.Options{HTTP: courier.Any})
	f.Fuzz(func(t *testing.T, raw string) {
		if strict.Check(raw) != nil {
			return
		}
		if err := wide.Check(raw); err != nil {
			t.Errorf("%q is accepted, but not where more is: %v", raw, err)
		}
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" {
			t.Fatalf("%q: %v", raw, err)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && u.Scheme != "https" && !addr.Unmap().IsLoopback() {
			t.Errorf("%q is accepted", raw)
		}
	})
}
