package links

import (
	"net/http"
	"strings"
	"time"
)

// tooSoon is how long after a message was accepted nobody can have read it: who comes then, scans.
const tooSoon = 2 * time.Second

// machines are parts of the User-Agents of previews, scanners, crawlers and libraries, in small letters.
// Google-PageRenderer is Google Messages', facebookexternalhit also iMessage's, which poses as it. Most
// are of the list of https://github.com/monperrus/crawler-user-agents (MIT), whose hundreds of crawlers by
// name all have one of the words at the end; the rest are the services' own documentation.
var machines = []string{
	// Previews of messengers and mail.
	"google-pagerenderer", "facebookexternalhit", "facebookcatalog", "meta-externalfetcher", "whatsapp/", "skypeuripreview",
	"snap url preview", "viber/", "kakaotalk-scrap", "googleimageproxy", "google-read-aloud", "slack-imgproxy", "vkshare",
	"embedly", "iframely", "yahoo link preview", "yahoomailproxy", "mastodon/", "microsoft office", "ms-office",
	// Scanners and monitors.
	"google-safety", "safebrowsing", "urlscan", "virustotal", "proofpoint", "mimecast", "barracuda", "zgrab", "masscan",
	"censys", "nuclei", "chrome-lighthouse", "pingdom", "statuscake",
	// Libraries and browsers that nobody looks at.
	"curl/", "wget/", "python-requests", "python-urllib", "aiohttp", "python-httpx", "go-http-client", "java/",
	"apache-httpclient", "okhttp", "axios/", "node-fetch", "undici", "libwww-perl", "guzzlehttp", "headlesschrome", "phantomjs",
	"cfnetwork", "mediapartners-google", "feedfetcher", "apis-google", "google-inspectiontool", "googleother",
	// What most others call themselves.
	"bot/", "bot;", "bot)", "bot-", "bot ", "crawl", "spider", "preview", "slurp", "scanner", "monitoring", "archiver", "fetcher",
}

// phones are names of phones that look like a machine's.
var phones = strings.NewReplacer("cubot", "") // CUBOT of Shenzhen

// isHuman reports whether a request looks like one of a person: by its headers, nobody asks for it ahead
// of time, and by its User-Agent it is a browser's.
func isHuman(h http.Header) bool {
	// Sec-Purpose is of the Fetch standard, section 3.7; Purpose and X-Moz are what browsers sent before.
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"} {
		for _, purpose := range []string{"prefetch", "prerender", "preview"} {
			if strings.Contains(strings.ToLower(strings.Join(h[http.CanonicalHeaderKey(name)], ",")), purpose) {
				return false
			}
		}
	}
	agent := phones.Replace(strings.ToLower(h.Get("User-Agent")))
	if agent == "" || strings.HasSuffix(agent, "bot") {
		return false
	}
	for _, m := range machines {
		if strings.Contains(agent, m) {
			return false
		}
	}
	return true
}
