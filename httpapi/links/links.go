package links

import (
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"dongled/scheduler/store"
)

var (
	// ErrOff says that there are no short links, and what to set.
	ErrOff = errors.New("short links are not configured: set links.public_base_url and links.listen")
	// ErrDomain says that the client asked for a domain that is not that of links.public_base_url.
	ErrDomain = errors.New("is not the domain of this gateway's short links; leave it out")
	// ErrTaken says that a code was given to another message since Rewrite. Nothing was stored, and the
	// whole request may be repeated.
	ErrTaken = errors.New("the code of a short link was taken meanwhile")
)

// Link is one short link: of one URL in one message to one recipient.
type Link struct {
	Code string
	// URL is where it leads: http or https.
	URL string
	// Short is the whole short URL, as it was sent.
	Short     string
	MessageID string
	// Origin and Note are of who made it: the dialect's name, and what it wants to be told with a click.
	Origin string
	Note   []byte
	// Created, Expires, and the first and last hit; zero for never.
	Created, Expires, First, Last time.Time
	// Hits counts every GET, Human those that look like a person's.
	Hits, Human int
}

// Click is one that somebody may be told of, at most one a code and minute. Of several in that time it is
// the first of a person, or else the first.
type Click struct {
	// Link has the counts as they are stored with this click.
	Link  Link
	At    time.Time
	Human bool
}

// Wish is what is to be done with a text.
type Wish struct {
	// All replaces every URL, and not only those that get shorter.
	All bool
	// Domain is what the client asks for; empty is any. One that is not ours is an error.
	Domain string
	// UTM pairs are appended to the targets, except where these have them.
	UTM [][2]string
	// Origin and Note are those of the links.
	Origin string
	Note   []byte
}

// Options configure Links.
type Options struct {
	// Base is the public base URL, empty for none. It may have a path.
	Base     string
	Lifetime time.Duration
	// Bare finds URLs without http:// or www. too.
	Bare bool
	// Clicked, if set, is called in the transaction that stores a click, or later where another click on
	// the code was told of within the minute. The transaction may be repeated.
	Clicked func(*store.Tx, Click)
	Log     *slog.Logger
}

// Links is a room of the store.
type Links struct {
	opts Options
	// host and path are those of Base, the path without a slash at its end.
	host, path string
	store      *store.Store
	// draw makes a code.
	draw func() string

	mu sync.Mutex
	// fresh are counts that are not stored, by code; leaving are those that are being stored.
	fresh, leaving map[string]tally
	// dirty says that there are fresh ones.
	dirty chan struct{}
}

// New makes the room.
func New(o Options) *Links {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Base = strings.TrimRight(o.Base, "/")
	l := &Links{opts: o, draw: draw, fresh: map[string]tally{}, dirty: make(chan struct{}, 1)}
	if u, err := url.Parse(o.Base); err == nil {
		l.host, l.path = u.Host, u.EscapedPath()
	}
	return l
}

// route is what stands before a code, behind the path of the base URL.
const route = "/r/"

func (l *Links) short(code string) string { return l.opts.Base + route + code }
