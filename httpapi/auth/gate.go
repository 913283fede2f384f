package auth

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	// freeTries may be wrong before an address has to wait.
	freeTries = 5
	// firstDelay doubles with every further wrong try, up to mostDelay.
	firstDelay = time.Second
	mostDelay  = time.Minute
	// quiet is how long after the last wrong try an address is forgotten.
	quiet = 15 * time.Minute
	// mostAddresses bounds the table, some 200 octets an entry. Who has more of them loses nothing by
	// being forgotten: each has its free tries anyway.
	mostAddresses = 4096
	// mostWaiting bounds the requests that wait for their turn: a quarter of the connections that
	// the server takes.
	mostWaiting = 128
)

// gate lets an address try passwords, and after freeTries wrong ones only one after each delay. What
// was right does not make up for what was wrong, or somebody with an account of his own could go on
// for ever. Delays are by the monotonic clock.
type gate struct {
	mu      sync.Mutex
	tries   *lru[string, *tries]
	waiting int
}

// tries are those of one address.
type tries struct {
	wrong int
	// open are being judged. They count as wrong until it is known, or a hundred at once would be
	// free.
	open  int
	last  time.Time
	until time.Time
	// changed is closed when one is no longer open.
	changed chan struct{}
}

func newGate() *gate { return &gate{tries: newLRU[string, *tries](mostAddresses)} }

// enter asks for a try. If known reports true, under the gate's lock, then there is nothing to try:
// leave is nil. Otherwise leave must be called with the outcome; it returns the delay that begins.
// known is asked only where there is a try to be had, since its answer tells whether a guess was right.
func (g *gate) enter(ctx context.Context, addr string, known func() bool) (leave func(wrong bool) time.Duration, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := network(addr)
	for {
		t := g.of(key)
		if wait := time.Until(t.until); wait > 0 {
			return nil, &TooMany{RetryAfter: wait}
		}
		if t.open < max(1, freeTries-t.wrong) {
			if known() {
				return nil, nil
			}
			t.open++
			return func(wrong bool) time.Duration { return g.leave(t, wrong) }, nil
		}
		if err := g.wait(ctx, t.changed); err != nil {
			return nil, err
		}
	}
}

// of returns the entry of an address, fresh if it was quiet for long.
func (g *gate) of(key string) *tries {
	t, found := g.tries.get(key)
	if !found {
		t = &tries{changed: make(chan struct{})}
		g.tries.put(key, t)
	}
	if t.wrong > 0 && time.Since(t.last) >= quiet {
		t.wrong = 0
	}
	return t
}

// wait gives up the lock until changed is closed.
func (g *gate) wait(ctx context.Context, changed <-chan struct{}) error {
	if g.waiting >= mostWaiting {
		return ErrBusy
	}
	g.waiting++
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.waiting--
	}()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ErrBusy
	}
}

func (g *gate) leave(t *tries, wrong bool) (delay time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t.open--
	close(t.changed)
	t.changed = make(chan struct{})
	if !wrong {
		return 0
	}
	t.wrong++
	t.last = time.Now()
	if t.wrong < freeTries {
		return 0
	}
	delay = min(mostDelay, firstDelay<<min(t.wrong-freeTries, 6)) // 2^6 s is beyond a minute
	t.until = t.last.Add(delay)
	return delay
}

// network is what counts as one address: of IPv6 the /64 that one household has.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return addr
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // an IPv6 address has one
	return prefix.String()
}
