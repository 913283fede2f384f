package links_test

import (
	"net/http"
	"testing"

	"dongled/httpapi/links"
)

// TestIsHuman has User-Agents as their makers document them, or as they were seen.
func TestIsHuman(t *testing.T) {
	for _, tt := range []struct {
		agent string
		human bool
	}{
		{browser, true},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", true},
		{"Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0", true},
		{"Mozilla/5.0 (Linux; Android 13; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36", true},
		{"Mozilla/5.0 (Linux; Android 11; CUBOT X30 Build/RP1A) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36", true},
		{"Opera/9.80 (J2ME/MIDP; Opera Mini/9.80/190.0; U; en) Presto/2.5.25 Version/10.54", true},
		{"", false},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)) Chrome/108.0.0.0 Safari/537.36", false},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0", false},
		{"WhatsApp/2.23.20.0 A", false},
		{"TelegramBot (like TwitterBot)", false},
		{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", false},
		{"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", false},
		{"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", false},
		{"Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com", false},
		{"Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots", false},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36", false},
		{"Baiduspider+(+http://www.baidu.com/search/spider.htm)", false},
		{"curl/8.5.0", false}, {"Wget/1.21", false}, {"python-requests/2.31.0", false}, {"Go-http-client/1.1", false}, {"okhttp/4.12.0", false},
		{"SomethingBot", false}, {"ROBOT", false},
	} {
		h := http.Header{"User-Agent": {tt.agent}}
		if got := links.IsHuman(h); got != tt.human {
			t.Errorf("%q: %t", tt.agent, got)
		}
	}
	for _, tt := range []struct {
		name, value string
		human       bool
	}{
		{"Sec-Purpose", "prefetch", false}, {"Sec-Purpose", "prefetch;prerender", false}, {"Sec-Purpose", "PREFETCH;anonymous-client-ip", false},
		{"Purpose", "prefetch", false}, {"X-Moz", "prefetch", false}, {"X-Purpose", "preview", false},
		{"Sec-Purpose", "", true}, {"Sec-Fetch-Dest", "document", true}, {"Accept", "prefetch", true},
	} {
		if got := links.IsHuman(http.Header{"User-Agent": {browser}, tt.name: {tt.value}}); got != tt.human {
			t.Errorf("%s: %s: %t", tt.name, tt.value, got)
		}
	}
	if links.IsHuman(http.Header{"User-Agent": {browser}, "Purpose": {"x", "prefetch"}}) {
		t.Error("the second of two is not seen")
	}
}
