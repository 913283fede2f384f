package webhook

import (
	"context"
	"errors"
	"net"

	"dongled/httpapi/post"
)

// DialThrough has all connections made by dial. It goes before Run.
func (h *Hooks) DialThrough(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	h.client.DialThrough(dial, dial)
}

// Lanes is how many lanes there are.
func (h *Hooks) Lanes() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lanes)
}

// The bounds that tests have to know.
const (
	KeepMost = keepMost
	MaxHooks = maxHooks
)

// Check is what registration says of a URL.
func Check(h *Hooks, url string) error { return h.checkURL(url) }

// Guard is what http says of an address that it is about to connect to.
func Guard(o Options, address string) error { return o.reach().Guard("tcp", address, nil) }

// RoundTrip decodes a stored delivery and stores it again.
func RoundTrip(v []byte) ([]byte, error) {
	r, err := decodeRow(v)
	if err != nil {
		return nil, err
	}
	return r.encode()
}

// Dial says what keeps a request by http from an address.
func Dial(o Options, ctx context.Context, address string) (net.Conn, error) {
	return nil, errors.New(newClient(o).Do(ctx, post.Request{URL: "http://" + address}).Err)
}
