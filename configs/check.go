package configs

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
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
	r.modems(c.Modems)
	r.messages(c.Messages)
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

var (
	pinPattern     = regexp.MustCompile(`^([0-9]{4,8})?$`)
	smscPattern    = regexp.MustCompile(`^(\+[0-9]{3,20})?$`)
	virtualPattern = regexp.MustCompile(`^virtual:[A-Za-z0-9._-]+$`)
)

func (r *rules) modems(modems []Modem) {
	r.must(len(modems) > 0, "must have at least one entry", "modems")
	sims, ports := map[int]string{}, map[string]string{}
	for i, m := range modems {
		key := func(name string) string { return fmt.Sprintf("modems[%d].%s", i, name) }
		r.must(1 <= m.SIM && m.SIM <= maxModems, "must be set, from 1 to 255", key("sim"))
		r.must(virtualPattern.MatchString(m.Port) || filepath.IsAbs(m.Port),
			"must be an absolute path such as "+DefaultPort+", or virtual:NAME", key("port"))
		r.must(1 <= m.Baud && m.Baud <= maxBaud, fmt.Sprintf("must be from 1 to %d; usual is 115200", maxBaud), key("baud"))
		r.must(pinPattern.MatchString(m.PIN), "must be 4 to 8 digits, or empty for a SIM without PIN", key("pin"))
		r.must(smscPattern.MatchString(m.SMSC), "must be + and 3 to 20 digits, or empty for the SIM's own", key("smsc"))
		if first, taken := sims[m.SIM]; taken && m.SIM != 0 {
			r.add("is taken by "+first+"; every modem needs its own", key("sim"), first)
		} else {
			sims[m.SIM] = key("sim")
		}
		port := filepath.Clean(m.Port)
		if first, taken := ports[port]; taken && m.Port != "" {
			r.add("is taken by "+first+"; one port is one modem", key("port"), first)
		} else {
			ports[port] = key("port")
		}
	}
}

// maxBaud is the highest rate of termios (B4000000). On USB dongles the rate has no effect.
const maxBaud = 4_000_000

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
