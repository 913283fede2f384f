package configs

import (
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// complaint is a rule that typed values break. The first key is the one to mend, the
// others are those the rule compares it with.
type complaint struct {
	keys    []string
	problem string
}

// complaints checks everything that a type alone does not. dialects are the names of other vendors' APIs,
// nil if they are not known.
func complaints(c Config, dialects []string) []complaint {
	var r rules
	r.service(c)
	r.modems(c.Modems, c.Quotas)
	r.routes(c.Routes, c.Modems)
	r.quota(c.Quotas, Quota{}, "quotas")
	r.messages(c.Messages)
	r.must(c.Inbox.PartialAfter > 0, "must be more than 0", "inbox.partial_after")
	r.must(c.Inbox.Retention > 0, "must be more than 0", "inbox.retention")
	r.around(c)
	r.receivers(c.Receivers)
	r.groups(c.Groups)
	r.quietHours(c.QuietHours)
	r.links(c.Links)
	r.skycore(c.Skycore)
	if problem := regionProblem(c.Phone.DefaultRegion); problem != "" {
		r.add(problem, "phone.default_region")
	}
	r.dialects(c.Dialects, dialects)
	r.bird(c.Bird)
	r.channels(c.Channels)
	r.twilio(c.Twilio)
	return r
}

type rules []complaint

func (r *rules) add(problem string, keys ...string) { *r = append(*r, complaint{keys, problem}) }

func (r *rules) must(ok bool, problem string, keys ...string) {
	if !ok {
		r.add(problem, keys...)
	}
}

func (r *rules) service(c Config) {
	r.must(validListen(c.HTTP.Listen), "must be host:port, such as :8080 or 127.0.0.1:8080", "http.listen")
	r.must(c.Auth.Username != "" && !strings.ContainsFunc(c.Auth.Username, func(r rune) bool { return r == ':' || unicode.IsControl(r) }),
		"must not be empty nor contain a colon or control characters (RFC 7617 section 2)", "auth.username")
	r.must(!strings.ContainsFunc(c.Auth.Password, unicode.IsControl),
		"must not contain control characters (RFC 7617 section 2)", "auth.password")
	r.must(c.Auth.Password == "" || c.Auth.Allows(c.Auth.Password),
		"must have more than 8 characters, unless auth.allow_short_passwords is true", "auth.password", "auth.allow_short_passwords")
	r.must(c.Auth.Password == "" || c.Auth.PasswordFile == "",
		"must be empty when auth.password is set; keep one of the two", "auth.password_file", "auth.password")
	r.must(c.Store.Path != "" && !strings.HasSuffix(c.Store.Path, "/"),
		"must be the path of a file, such as "+DefaultStorePath, "store.path")
}

func (r *rules) messages(m Messages) {
	r.must(m.SendIntervalMin >= 0, "must not be negative", "messages.send_interval_min")
	r.must(m.SendIntervalMax >= 0, "must not be negative", "messages.send_interval_max")
	r.must(m.SendIntervalMax < 0 || m.SendIntervalMin <= m.SendIntervalMax,
		"must not be less than messages.send_interval_min", "messages.send_interval_max", "messages.send_interval_min")
	r.must(m.LimitValue >= 0, "must not be negative", "messages.limit_value")
	r.must(m.LimitPeriod == Disabled || m.LimitValue != 0,
		"must be at least 1 when messages.limit_period is set", "messages.limit_value", "messages.limit_period")
	r.must(validClock(m.WorkHoursStart), "must be HH:mm, such as "+DefaultWorkStart, "messages.work_hours_start")
	r.must(validClock(m.WorkHoursEnd), "must be HH:mm, such as "+DefaultWorkEnd, "messages.work_hours_end")
	r.must(m.MaxPending >= 0, "must not be negative", "messages.max_pending")
	r.must(m.MaxPendingAge >= 0, "must not be negative", "messages.max_pending_age")
	r.must(m.MaxFailed >= 0, "must not be negative", "messages.max_failed")
	r.must(m.MaxFailedAge > 0, "must be more than 0", "messages.max_failed_age")
	r.must(1 <= m.MaxParts && m.MaxParts <= 255, "must be from 1 to 255 (TS 23.040 section 9.2.3.24.1)", "messages.max_parts")
	r.must(time.Second <= m.SendTimeout && m.SendTimeout <= 10*time.Minute, "must be from 1s to 10m", "messages.send_timeout")
	r.must(m.UnknownAfter > 0, "must be more than 0", "messages.unknown_after")
	r.must(m.Retention > 0, "must be more than 0", "messages.retention")
}

// around checks what surrounds the queue: TLS, encryption, webhooks, logs, the uplink.
func (r *rules) around(c Config) {
	r.must((c.HTTP.TLS.Certificate == "") == (c.HTTP.TLS.Key == ""), "must be set together with the other", "http.tls.key", "http.tls.certificate")
	r.must(c.Encryption.Passphrase == "" || c.Encryption.PassphraseFile == "",
		"must be empty when encryption.passphrase is set; keep one of the two", "encryption.passphrase_file", "encryption.passphrase")
	r.must(c.Webhooks.RetryCount >= 1, "must be at least 1", "webhooks.retry_count")
	r.must(c.Ping.Interval == 0 || c.Ping.Interval >= time.Second, "must be 0 or at least 1s", "ping.interval")
	r.must(c.Logs.Lifetime > 0, "must be more than 0", "logs.lifetime")
	u := c.Uplink
	r.must(u.URL == "" || validBase(u.URL), "must be an http or https URL, such as https://sms.example.com/api/mobile/v1", "uplink.url")
	r.must(!validBase(u.URL) || !hasUser(u.URL),
		"must have no user and password; those are uplink.username and uplink.password", "uplink.url")
	r.must((u.Username == "") == (u.Password == ""), "must be set together with the other", "uplink.password", "uplink.username")
	ways := 0
	for _, way := range []string{u.PrivateToken, u.Username, u.Code} {
		if way != "" {
			ways++
		}
	}
	r.must(ways <= 1, "only one of private_token, username and code may be set", "uplink.private_token", "uplink.username", "uplink.code")
}

// validClock accepts HH:mm only, as SMSGate's settings do.
func validClock(s string) bool {
	t, err := time.Parse("15:04", s)
	return err == nil && t.Format("15:04") == s
}

func validBase(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.RawQuery == "" && u.Fragment == ""
}

// hasUser reports whether a valid URL names a user, whose password would be shown wherever the URL is.
func hasUser(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.User != nil
}

func validListen(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsFunc(host, func(r rune) bool { return unicode.IsSpace(r) || r == '/' }) {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == port
}
