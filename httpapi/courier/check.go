package courier

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxURL is how many octets a URL may have.
const MaxURL = 2000

// Check says what is wrong with a URL that callbacks are to go to, in words that follow the name of a
// field. User and password in it are sent as Basic authentication. Where http is meant for some networks
// only, addresses and localhost are judged here, and what a name resolves to at each try.
func (c *Courier) Check(raw string) error {
	if len(raw) > MaxURL {
		return fmt.Errorf("must have at most %d characters", MaxURL)
	}
	u, err := url.Parse(raw)
	if err != nil || !utf8.ValidString(raw) || strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return errors.New("must be a URL")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New("must be a URL that starts with https:// or http://")
	case u.Hostname() == "" || u.Opaque != "":
		return errors.New("must be a URL with a host")
	case !validPort(u.Port()):
		return errors.New("must be a URL with a port from 1 to 65535, or none")
	case u.Scheme == "https" || c.reaches(u.Hostname()):
		return nil
	}
	return fmt.Errorf("must start with https://: this gateway calls http only %s", where[c.opts.HTTP == LAN])
}

// where http goes, with LAN or without.
var where = map[bool]string{true: "in private networks", false: "on its own machine"}

// reaches is true for names, which are judged when they are resolved.
func (c *Courier) reaches(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err != nil || c.opts.HTTP.Allows(addr)
}

func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
