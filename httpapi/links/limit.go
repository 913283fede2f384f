package links

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// perClient and burst are how often an address may ask. Thousands of phones share one where the
	// carrier has no IPv6 (RFC 6598), so it is no measure against guessing, which 2.2e14 codes are.
	perClient = rate.Limit(20)
	burst     = 200
	// maxClients bounds how many addresses are remembered in each half of limiter, and rememberFor for how
	// long one is that does not come again.
	maxClients  = 2048
	rememberFor = time.Minute
)

// limiter limits how often an address may ask. It remembers addresses in memory alone, for two minutes at
// the most; one that was forgotten begins anew.
type limiter struct {
	mu sync.Mutex
	// recent are those of the running minute, older those of the one before.
	recent, older map[netip.Prefix]*rate.Limiter
	since         time.Time
}

func newLimiter() *limiter { return &limiter{recent: map[netip.Prefix]*rate.Limiter{}} }

func (l *limiter) allows(who netip.Prefix, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) >= maxClients || now.Sub(l.since) >= rememberFor {
		l.recent, l.older, l.since = map[netip.Prefix]*rate.Limiter{}, l.recent, now
	}
	mine := l.recent[who]
	if mine == nil {
		if mine = l.older[who]; mine == nil {
			mine = rate.NewLimiter(perClient, burst)
		}
		l.recent[who] = mine
	}
	return mine.AllowN(now, 1)
}

// client is whom a request is from: an IPv4 address, or the /64 of an IPv6 one, which is one subscriber's.
// Where the connection comes from this machine or a private network that is a reverse proxy, and the
// last address of X-Forwarded-For the one that it saw.
func client(r *http.Request) netip.Prefix {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	addr := peer.Addr().Unmap()
	if addr.IsLoopback() || addr.IsPrivate() {
		seen := strings.Join(r.Header["X-Forwarded-For"], ",")
		last := strings.TrimSpace(seen[strings.LastIndexByte(seen, ',')+1:])
		if forwarded, err := netip.ParseAddr(last); err == nil {
			addr = forwarded.Unmap()
		}
	}
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	who, _ := addr.WithZone("").Prefix(bits) // none for what is no address
	return who
}
