package webhook_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"dongled/httpapi/webhook"
	"dongled/scheduler/store"
)

const (
	wrong   = "url must start with https:// or http://127.0.0.1"
	noLAN   = wrong + "; http URLs of private networks need the setting webhooks.allow_lan_http"
	nowhere = wrong + ", or with http:// and a host of a private network"
)

// urls are what is wrong with each without and with AllowLAN; empty if nothing is.
var urls = map[string][2]string{
	"https://example.com/hook":                  {},
	"HTTPS://EXAMPLE.COM":                       {},
	"https://user:p%40ss@example.com:8443/?a=b": {},
	"https://192.168.1.2/":                      {},
	"http://127.0.0.1":                          {},
	"http://127.0.0.1:8123/api":                 {},
	"http://127.9.9.9/":                         {},
	"http://[::1]:80/":                          {},
	"http://[::ffff:127.0.0.1]/":                {},
	"http://localhost:3000/x":                   {},
	"http://LOCALHOST./x":                       {},
	"http://192.168.1.2/":                       {noLAN, ""},
	"http://10.0.0.1/":                          {noLAN, ""},
	"http://172.16.0.1/":                        {noLAN, ""},
	"http://172.32.0.1/":                        {wrong, nowhere},
	"http://169.254.7.7/":                       {noLAN, ""},
	"http://[fd00::1]/":                         {noLAN, ""},
	"http://[fe80::1%25eth0]/":                  {noLAN, ""},
	"http://[2001:db8::1]/":                     {wrong, nowhere},
	"http://homeassistant.local:8123/":          {noLAN, ""},
	"http://NAS.LAN/":                           {noLAN, ""},
	"http://pi.home.arpa./":                     {noLAN, ""},
	"http://server/":                            {noLAN, ""},
	"http://8.8.8.8/":                           {wrong, nowhere},
	"http://example.com/":                       {wrong, nowhere},
	"http://127.0.0.1.example.com/":             {wrong, nowhere},
	"http://127.0.0.1@example.com/":             {wrong, nowhere},
	"http://local/":                             {noLAN, ""},
	"http://evil-local.example/":                {wrong, nowhere},
	"http://2130706433/":                        {wrong, nowhere},
	"http://127.1/":                             {wrong, nowhere},
	"http://0x7f000001/":                        {wrong, nowhere},
	"ftp://127.0.0.1/":                          {wrong, wrong},
	"127.0.0.1":                                 {wrong, wrong},
	"":                                          {wrong, wrong},
	"https:example.com":                         {"url has no host", "url has no host"},
	"https:///x":                                {"url has no host", "url has no host"},
	"https://exa mple.com/":                     {"url is not a URL", "url is not a URL"},
	"https://example.com/%zz":                   {"url is not a URL", "url is not a URL"},
	"https://[::1/":                             {"url is not a URL", "url is not a URL"},
}

func open(t testing.TB, o webhook.Options) *webhook.Hooks {
	t.Helper()
	h := webhook.New(o)
	s, err := store.Open(t.TempDir()+"/s.db", store.Options{}, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return h
}

func TestURLs(t *testing.T) {
	for i, allow := range []bool{false, true} {
		h := open(t, webhook.Options{AllowLAN: allow})
		for u, problems := range urls {
			refused(t, h, webhook.Hook{ID: "a", URL: u, Event: "sms:received"}, problems[i])
		}
	}
}

// refused checks what is wrong with a registration.
func refused(t *testing.T, h *webhook.Hooks, hook webhook.Hook, problem string) {
	t.Helper()
	_, err := h.Put(ctx, hook)
	var fault *webhook.Fault
	if got := ""; problem != got && (!errors.As(err, &fault) || fault.Problem != problem) || problem == "" && err != nil {
		t.Errorf("%+v: %v, want %q", hook, err, problem)
	}
}

func TestRegistrations(t *testing.T) {
	h := open(t, webhook.Options{})
	good := webhook.Hook{ID: "a", URL: "https://x/", Event: "sms:received"}
	for problem, edit := range map[string]func(*webhook.Hook){
		"":                                     func(*webhook.Hook) {},
		"invalid event type":                   func(h *webhook.Hook) { h.Event = "sms:Received" },
		"id must have at most 36 characters":   func(h *webhook.Hook) { h.ID = strings.Repeat("ы", 37) },
		"url must have at most 256 characters": func(h *webhook.Hook) { h.URL = "https://x/" + strings.Repeat("y", 247) },
	} {
		hook := good
		edit(&hook)
		refused(t, h, hook, problem)
	}
	for _, id := range []string{"a\nb", "a\x00", "\xff", ".", ".."} {
		refused(t, h, webhook.Hook{ID: id, URL: "https://x/", Event: "sms:sent"}, "id must be text that can stand in a URL")
	}
	for _, id := range []string{strings.Repeat("ы", 36), "web-dashboard-sms:received", "a/b c", "...", "🔔"} {
		refused(t, h, webhook.Hook{ID: id, URL: "https://x/" + strings.Repeat("y", 246), Event: "sms:sent"}, "")
	}
}

// FuzzURL: whatever is accepted as http is of the loopback or, with AllowLAN, of a network where what
// the name resolves to is looked at again.
func FuzzURL(f *testing.F) {
	strict, lan := open(f, webhook.Options{}), open(f, webhook.Options{AllowLAN: true})
	for u := range urls {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		ok := func(h *webhook.Hooks) bool { return webhook.Check(h, raw) == nil }
		if ok(strict) && !ok(lan) {
			t.Errorf("%q is accepted, but not where more is allowed", raw)
		}
		if !ok(strict) {
			return
		}
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		host := strings.ToLower(u.Hostname())
		local := strings.HasPrefix(host, "127.") || host == "localhost" || host == "localhost." || strings.Contains(host, ":")
		if u.Scheme != "https" && (u.Scheme != "http" || !local) {
			t.Errorf("%q is accepted", raw)
		}
	})
}
