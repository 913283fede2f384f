package links

import (
	"context"
	"net/http"
	"net/netip"
	"time"
)

// SetDraw has codes made by f.
func (l *Links) SetDraw(f func() string) { l.draw = f }

// Draw makes a code.
func Draw() string { return draw() }

// IsHuman and Location are those of redirects.
var (
	IsHuman  = isHuman
	Location = location
)

// ClientOf is whom a request is from.
var ClientOf = client

// Handler answers what comes to the listener.
func (l *Links) Handler() http.Handler { return l.handler() }

// Flushing stores counts until ctx ends.
func (l *Links) Flushing(ctx context.Context) { l.flushing(ctx) }

// NewLimiter limits how often an address may ask.
func NewLimiter() *limiter { return newLimiter() }

// Allows is allows.
func (l *limiter) Allows(who netip.Prefix, now time.Time) bool { return l.allows(who, now) }

// Remembered counts the addresses that are known.
func (l *limiter) Remembered() int { return len(l.recent) + len(l.older) }
