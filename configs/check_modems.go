package configs

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	pinPattern     = regexp.MustCompile(`^([0-9]{4,8})?$`)
	smscPattern    = regexp.MustCompile(`^(\+[0-9]{3,20})?$`)
	namePattern    = regexp.MustCompile(`^([A-Za-z0-9._-]([A-Za-z0-9 ._-]{0,30}[A-Za-z0-9._-])?)?$`)
	numberPattern  = regexp.MustCompile(`^(\+[0-9]{7,15})?$`)
	virtualPattern = regexp.MustCompile(`^virtual:[A-Za-z0-9._-]+$`)
	// soughtPattern is a port that is looked for on the bus: IMEI (TS 23.003 section 6.2), IMSI
	// (section 2.2), or USB vendor and product with the number of an interface.
	soughtPattern = regexp.MustCompile(`^(imei:[0-9]{14,16}|imsi:[0-9]{6,15}|usb:[0-9a-fA-F]{4}:[0-9a-fA-F]{4}(#[0-9]{1,3})?)$`)
	ussdPattern   = regexp.MustCompile(`^[0-9*#+]{1,182}$`)
	prefixPattern = regexp.MustCompile(`^\+[0-9]{0,15}$`)
)

const portRule = "must be an absolute path, or imei:, imsi: or usb:VID:PID of a dongle (dongled probe lists them), or virtual:NAME"

// maxBaud is the highest rate of termios (B4000000). On USB dongles the rate has no effect.
const maxBaud = 4_000_000

func (r *rules) modems(modems []Modem, general Quota) {
	sims, ports := map[int]string{}, map[string]string{}
	for i, m := range modems {
		at := fmt.Sprintf("modems[%d].", i)
		r.modem(m, at)
		r.quota(m.Quotas, general, at+"quotas")
		r.balance(m.Balance, at+"balance.")
		if first, taken := sims[m.SIM]; taken && m.SIM != 0 {
			r.add("is taken by "+first+"; every modem needs its own", at+"sim", first)
		} else {
			sims[m.SIM] = at + "sim"
		}
		port := filepath.Clean(m.Port)
		if strings.HasPrefix(m.Port, "usb:") {
			port = strings.ToLower(m.Port)
		}
		if first, taken := ports[port]; taken && m.Port != "" {
			r.add("is taken by "+first+"; one port is one modem", at+"port", first)
		} else {
			ports[port] = at + "port"
		}
	}
	r.names(modems)
}

// names checks what clients call SIMs by: each must lead to one.
func (r *rules) names(modems []Modem) {
	names, numbers := map[string]string{}, map[string]string{}
	for i, m := range modems {
		at := fmt.Sprintf("modems[%d].", i)
		if first, taken := names[m.Name]; taken && m.Name != "" {
			r.add("is taken by "+first+"; one name is one SIM", at+"name", first)
		} else {
			names[m.Name] = at + "name"
		}
		other := slices.IndexFunc(modems, func(o Modem) bool { return o.SIM != m.SIM && strconv.Itoa(o.SIM) == m.Name })
		if other >= 0 {
			first := fmt.Sprintf("modems[%d].sim", other)
			r.add("is the simNumber of another, "+first, at+"name", first)
		}
		if first, taken := numbers[m.Number]; taken && m.Number != "" {
			r.add("is taken by "+first+"; one number is one SIM", at+"number", first)
		} else {
			numbers[m.Number] = at + "number"
		}
	}
}

func (r *rules) modem(m Modem, at string) {
	r.must(1 <= m.SIM && m.SIM <= maxSIM, "must be set, from 1 to 255", at+"sim")
	r.must(virtualPattern.MatchString(m.Port) || soughtPattern.MatchString(m.Port) || filepath.IsAbs(m.Port), portRule, at+"port")
	r.must(1 <= m.Baud && m.Baud <= maxBaud, fmt.Sprintf("must be from 1 to %d; usual is 115200", maxBaud), at+"baud")
	r.must(pinPattern.MatchString(m.PIN), "must be 4 to 8 digits, or empty for a SIM without PIN", at+"pin")
	r.must(smscPattern.MatchString(m.SMSC), "must be + and 3 to 20 digits, or empty for the SIM's own", at+"smsc")
	r.must(namePattern.MatchString(m.Name),
		"must be 1 to 32 letters, digits, spaces, dots, underscores and hyphens, no space first or last; or empty", at+"name")
	r.must(numberPattern.MatchString(m.Number), "must be + and 7 to 15 digits, or empty for what the SIM says", at+"number")
	r.must(len(m.ResetCommand) == 0 || m.ResetCommand[0] != "" && !(len(m.ResetCommand) == 1 && strings.ContainsAny(m.ResetCommand[0], " \t\n")),
		"must be a program and its arguments, each an entry of the list; no shell reads it", at+"reset_command")
	r.must(!slices.ContainsFunc(m.ResetCommand, func(arg string) bool { return strings.Contains(arg, "\x00") }),
		"must not contain NUL", at+"reset_command")
}

func (r *rules) balance(b Balance, at string) {
	if b.Code == "" {
		r.must(b.Match == "", "is of no use without balance.code", at+"match", at+"code")
	} else {
		r.must(ussdPattern.MatchString(b.Code), "must be digits, *, # and + (TS 22.090), such as *100#", at+"code")
		re, err := regexp.Compile(b.Match)
		r.must(err == nil && re.NumSubexp() == 1,
			`must be a regular expression with one group, the amount, such as "([0-9.,]+) EUR"`, at+"match", at+"code")
	}
	r.must(b.Every >= time.Minute, "must be at least 1m", at+"every")
	r.must(b.Below >= 0, "must not be negative", at+"below")
}

// quota checks q, except for what it has from general, where that is said already.
func (r *rules) quota(q, general Quota, at string) {
	for _, period := range []struct {
		name          string
		caps, general Caps
	}{
		{"minute", q.Minute, general.Minute}, {"hour", q.Hour, general.Hour},
		{"day", q.Day, general.Day}, {"month", q.Month, general.Month},
	} {
		for _, limit := range []struct {
			name       string
			n, general int
		}{
			{"messages", period.caps.Messages, period.general.Messages},
			{"parts", period.caps.Parts, period.general.Parts},
			{"recipients", period.caps.Recipients, period.general.Recipients},
		} {
			r.must(limit.n >= 0 || limit.n == limit.general, "must not be negative; 0 is no cap", at+"."+period.name+"."+limit.name)
		}
	}
}

func (r *rules) routes(routes []Route, modems []Modem) {
	prefixes := map[string]string{}
	for i, route := range routes {
		at := fmt.Sprintf("routes[%d].", i)
		r.must(prefixPattern.MatchString(route.Prefix), "must be + and up to 15 digits, such as +49", at+"prefix")
		if first, taken := prefixes[route.Prefix]; taken && route.Prefix != "" {
			r.add("is taken by "+first+"; list all its sims there", at+"prefix", first)
		} else {
			prefixes[route.Prefix] = at + "prefix"
		}
		r.must(len(route.SIMs) > 0, "must name at least one simNumber, such as [1, 2]", at+"sims")
		for n, sim := range route.SIMs {
			r.must(1 <= sim && sim <= maxSIM, fmt.Sprintf("has %d; a simNumber is from 1 to 255", sim), at+"sims")
			r.must(!slices.Contains(route.SIMs[:n], sim), fmt.Sprintf("has %d twice", sim), at+"sims")
			known := slices.ContainsFunc(modems, func(m Modem) bool { return m.SIM == sim || m.SIM == 0 }) // 0 is a fault of its own
			r.must(known || len(modems) == 0, fmt.Sprintf("has %d, which no modem has as its sim", sim), at+"sims", "modems")
		}
	}
}
