package courier

import (
	"context"
	"net"
	"time"
)

// DialThrough has all connections made by dial. It goes before Run.
func (c *Courier) DialThrough(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.client.DialThrough(dial, dial)
}

// Board is how many hosts, lines and tries there are.
func (c *Courier) Board() [3]int {
	c.board.mu.Lock()
	defer c.board.mu.Unlock()
	return [3]int{len(c.board.hosts), len(c.board.lines), c.board.busy}
}

// The bounds that tests have to know.
const (
	KeepMost = keepMost
	Slack    = slack
)

// RoundTrip decodes a stored callback and stores it again.
func RoundTrip(v []byte) ([]byte, error) {
	r, err := decodeRow(v)
	if err != nil {
		return nil, err
	}
	return r.encode()
}

// Wait is how long a start at now waits for the next try of a callback that is due at a time (both in ms).
func Wait(p Plan, attempts int, due, now int64) time.Duration {
	return row{at: due, fields: fields{Attempts: attempts}}.wait(p, now)
}
