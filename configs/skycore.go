package configs

import (
	"net/url"
	"regexp"
)

// Skycore is the API of Skycore.
type Skycore struct {
	// PostbackURL gets what became of messages, InboxURL what came in; empty InboxURL is PostbackURL.
	PostbackURL string `koanf:"postback_url"`
	InboxURL    string `koanf:"inbox_url"`
	// PostbackHeader is sent with each postback: "Name: value".
	PostbackHeader string `koanf:"postback_header,secret"`
	// EnforceCampaignCheck sends to numbers only that are subscribed to the campaign named.
	EnforceCampaignCheck bool `koanf:"enforce_campaign_check"`
	// StrictMask refuses from-mask instead of saying that it was not applied.
	StrictMask bool `koanf:"strict_mask"`
	// HTTPErrors answers failures with a status of 400 and up instead of 200.
	HTTPErrors bool `koanf:"http_errors"`
	// ClickPostbacks tells of clicks, too.
	ClickPostbacks bool `koanf:"click_postbacks"`
}

// headerLine is a field name and a value that is not empty (RFC 9110 sections 5.1 and 5.5).
var headerLine = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+:[ \\t]*[^\\x00-\\x20\\x7f][^\\x00-\\x08\\x0a-\\x1f\\x7f]*$")

func (r *rules) skycore(s Skycore) {
	const problem = "must be an http or https URL without user and password, such as https://client.example.com/postbacks"
	r.must(s.PostbackURL == "" || validTarget(s.PostbackURL), problem, "skycore.postback_url")
	r.must(s.InboxURL == "" || validTarget(s.InboxURL), problem, "skycore.inbox_url")
	r.must(s.PostbackHeader == "" || headerLine.MatchString(s.PostbackHeader),
		"must be a header such as X-Token: secret", "skycore.postback_header")
	r.must(!s.ClickPostbacks || s.PostbackURL != "", "needs skycore.postback_url", "skycore.click_postbacks", "skycore.postback_url")
}

// validTarget says whether requests can be made to a URL. What http may reach is callbacks.http's to say.
func validTarget(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}
