package links_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"dongled/httpapi/links"
)

// TestLimiter: 200 at once, and 20 a second after that; each address for itself.
func TestLimiter(t *testing.T) {
	l, now := links.NewLimiter(), time.Unix(1e9, 0)
	one, other := netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("192.0.2.2/32")
	allowed := func(who netip.Prefix, tries int) (n int) {
		for range tries {
			if l.Allows(who, now) {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		after       time.Duration
		who         netip.Prefix
		tries, want int
	}{
		{0, one, 250, 200}, {0, other, 10, 10}, {0, one, 1, 0}, {50 * time.Millisecond, one, 5, 1}, {time.Second, one, 100, 20},
		{59 * time.Second, one, 300, 200}, {time.Minute, one, 10, 10}, {59 * time.Second, one, 300, 200}, {500 * time.Millisecond, one, 300, 10},
	} {
		now = now.Add(step.after)
		if got := allowed(step.who, step.tries); got != step.want {
			t.Errorf("at %s %s: %d of %d, want %d", now, step.who, got, step.tries, step.want)
		}
	}
}

// TestLimiterForgets: however many addresses come, and when nobody comes again.
func TestLimiterForgets(t *testing.T) {
	l, now := links.NewLimiter(), time.Unix(1e9, 0)
	addr := netip.MustParseAddr("10.0.0.1")
	for range 20_000 {
		l.Allows(netip.PrefixFrom(addr, 32), now)
		addr = addr.Next()
	}
	if n := l.Remembered(); n < 2048 || n > 4096 {
		t.Errorf("%d addresses are remembered", n)
	}
	for range 3 {
		now, addr = now.Add(time.Minute), addr.Next()
		l.Allows(netip.PrefixFrom(addr, 32), now)
	}
	if n := l.Remembered(); n != 2 {
		t.Errorf("%d addresses are remembered, and not the last minute's and the one's before", n)
	}
}

func TestClient(t *testing.T) {
	for _, tt := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:5", "", "203.0.113.9/32"},
		{"203.0.113.9:5", "198.51.100.1", "203.0.113.9/32"}, // who is no proxy of ours may say what it likes
		{"127.0.0.1:5", "198.51.100.1", "198.51.100.1/32"},
		{"192.168.1.2:5", "10.0.0.1, 198.51.100.1", "198.51.100.1/32"},
		{"[::1]:5", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"},
		{"[2001:db8:1:2:3::4]:5", "", "2001:db8:1:2::/64"},
		{"[::ffff:203.0.113.9]:5", "", "203.0.113.9/32"},
		{"[fe80::1%eth0]:5", "", "fe80::/64"},
		{"127.0.0.1:5", "unknown", "127.0.0.1/32"},
		{"127.0.0.1:5", "198.51.100.1,", "127.0.0.1/32"},
	} {
		r := &http.Request{RemoteAddr: tt.peer, Header: http.Header{}}
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := links.ClientOf(r).String(); got != tt.want {
			t.Errorf("%s for %q: %s, want %s", tt.peer, tt.forwarded, got, tt.want)
		}
	}
}
