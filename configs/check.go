package configs

import (
	"net"
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

// complaints checks everything that a type alone does not.
func complaints(c Config) []complaint {
	var r rules
	r.service(c)
	r.modems(c.Modems, c.Quotas)
	r.routes(c.Routes, c.Modems)
	r.quota(c.Quotas, Quota{}, "quotas")
	r.messages(c.Messages)
	r.must(c.Inbox.PartialAfter > 0, "must be more than 0", "inbox.partial_after")
	r.must(c.Inbox.Retention > 0, "must be more than 0", "inbox.retention")
	if problem := regionProblem(c.Phone.DefaultRegion); problem != "" {
		r.add(problem, "phone.default_region")
	}
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
	r.must(1 <= m.MaxParts && m.MaxParts <= 255, "must be from 1 to 255 (TS 23.040 section 9.2.3.24.1)", "messages.max_parts")
	r.must(time.Second <= m.SendTimeout && m.SendTimeout <= 10*time.Minute, "must be from 1s to 10m", "messages.send_timeout")
	r.must(m.UnknownAfter > 0, "must be more than 0", "messages.unknown_after")
	r.must(m.Retention > 0, "must be more than 0", "messages.retention")
}

func validListen(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsFunc(host, func(r rune) bool { return unicode.IsSpace(r) || r == '/' }) {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == port
}
