package webhook

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"dongled/httpapi/post"
	"dongled/scheduler/outbox"
)

// Limits of SMSGate's API.
const (
	maxID  = 36
	maxURL = 256
)

// registrable are the events that webhooks can be registered for: SMSGate's, some of which no dongle
// ever sees, and one of our own.
var registrable = []string{
	outbox.SMSReceived, outbox.DataSMSReceived, outbox.SMSSent, outbox.SMSDelivered, outbox.SMSFailed,
	outbox.SMSCancelled, outbox.MMSReceived, mmsDownloaded, outbox.SystemPing, outbox.AppStarted,
	outbox.BatchSMSReceived, outbox.BatchDataSMSReceived, outbox.BatchMMSReceived, batchMMSDownloaded,
	outbox.CallReceived,
}

// Events that no dongle has, as it fetches no MMS.
const (
	mmsDownloaded      = "mms:downloaded"
	batchMMSDownloaded = "mms:batch:downloaded"
)

// wrongScheme is SMSGate's text.
const wrongScheme = "url must start with https:// or http://127.0.0.1"

// check says what is wrong with a registration, as a *Fault.
func (h *Hooks) check(hook Hook) error {
	switch {
	case utf8.RuneCountInString(hook.ID) > maxID:
		return &Fault{"id", fmt.Sprintf("id must have at most %d characters", maxID)}
	case !utf8.ValidString(hook.ID), strings.ContainsFunc(hook.ID, unicode.IsControl), hook.ID == ".", hook.ID == "..":
		return &Fault{"id", "id must be text that can stand in a URL"}
	case !slices.Contains(registrable, hook.Event):
		return &Fault{"event", "invalid event type"}
	case utf8.RuneCountInString(hook.URL) > maxURL:
		return &Fault{"url", fmt.Sprintf("url must have at most %d characters", maxURL)}
	}
	return h.checkURL(hook.URL)
}

func (h *Hooks) checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || strings.ContainsFunc(raw, unicode.IsSpace) {
		return &Fault{"url", "url is not a URL"}
	}
	scheme := strings.ToLower(u.Scheme)
	switch host := u.Hostname(); {
	case scheme != "https" && scheme != "http":
		return &Fault{"url", wrongScheme}
	case host == "" || u.Opaque != "":
		return &Fault{"url", "url has no host"}
	case scheme == "https", post.IsLoopback(host), h.opts.AllowLAN && isLAN(host):
		return nil
	case isLAN(host):
		return &Fault{"url", wrongScheme + "; http URLs of private networks need the setting webhooks.allow_lan_http"}
	case h.opts.AllowLAN:
		return &Fault{"url", wrongScheme + ", or with http:// and a host of a private network"}
	default:
		return &Fault{"url", wrongScheme}
	}
}

// isLAN takes the addresses of private networks, and the names that only those have: single labels, mDNS (RFC 6762), home networks (RFC 8375) and the customary .lan.
func isLAN(host string) bool {
	if addr, err := netip.ParseAddr(host); err == nil {
		return post.IsPrivate(addr)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	last := name[strings.LastIndexByte(name, '.')+1:]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return false // an address in a spelling that only some resolvers take
	}
	return last == name || last == "local" || last == "lan" || strings.HasSuffix(name, ".home.arpa")
}
