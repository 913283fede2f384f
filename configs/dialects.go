package configs

import (
	"slices"
	"strings"
	"time"
)

// Dialects are the APIs of other vendors.
type Dialects struct {
	// Off are the names of those that are not served.
	Off []string `koanf:"off"`
	// ThirdParty is what /api/3rdparty/v1 speaks.
	ThirdParty ThirdParty `koanf:"third_party"`
}

func (r *rules) dialects(d Dialects, known []string) {
	for _, name := range d.Off {
		if known == nil || slices.Contains(known, name) {
			continue
		}
		hint := didYouMean(name, known)
		if hint == "" && len(known) > 0 {
			hint = "; known are " + strings.Join(known, ", ")
		}
		r.add("has "+show(name)+", which no API has as its name"+hint, "dialects.off")
	}
}

// ThirdParty is one of two APIs that have the same prefix.
type ThirdParty string

// The two: that of 614901.xyz, and that of SMSGate's private servers.
const (
	HomeAPI ThirdParty = "614901"
	SMSGate ThirdParty = "smsgate"
)

func (ThirdParty) choices() []string { return []string{string(HomeAPI), string(SMSGate)} }

// Callbacks are the requests that other vendors' APIs promise their clients.
type Callbacks struct {
	HTTP Reach `koanf:"http"`
}

// Reach is where plain http may go.
type Reach string

const (
	Loopback Reach = "loopback"
	LAN      Reach = "lan" // and private networks
	Anywhere Reach = "any"
)

func (Reach) choices() []string { return []string{string(Loopback), string(LAN), string(Anywhere)} }

// QuietHours hold messages of APIs that know such; "HH:mm" in local time, the same twice is never.
type QuietHours struct {
	Start string `koanf:"start"`
	End   string `koanf:"end"`
}

func (r *rules) quietHours(q QuietHours) {
	r.must(validClock(q.Start), "must be HH:mm, such as 22:00", "quiet_hours.start")
	r.must(validClock(q.End), "must be HH:mm, such as 07:00", "quiet_hours.end")
}

// Links are short links.
type Links struct {
	// Listen is host:port of the listener that leads to targets; empty is no short links.
	Listen string `koanf:"listen"`
	// PublicBaseURL is what phones reach it by.
	PublicBaseURL string `koanf:"public_base_url"`
	// AllowPrivate takes a PublicBaseURL that only a private network reaches.
	AllowPrivate bool          `koanf:"allow_private"`
	Lifetime     time.Duration `koanf:"lifetime"`
	// BareDomains are found in texts without http:// or www. too.
	BareDomains bool `koanf:"bare_domains"`
}
