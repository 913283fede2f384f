package links

import (
	"net/http"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

// handler leads on GET and HEAD of /r/{code}, and answers 404 to all else. It is no http.ServeMux, which
// has redirects of its own.
func (l *Links) handler() http.Handler {
	limit := newLimiter()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		h := w.Header()
		h.Set("Cache-Control", "private, no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Robots-Tag", "noindex")
		if r.ContentLength != 0 {
			h.Set("Connection", "close") // so that nobody reads it
		}
		if !limit.allows(client(r), now) {
			h.Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(l.answer(h, r, now))
	})
}

// answer finds out where a request leads, counts it, and returns the status.
func (l *Links) answer(h http.Header, r *http.Request, now time.Time) int {
	code, is := strings.CutPrefix(l.local(r.URL.EscapedPath()), route)
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.ContentLength != 0 || !is || !isCode(code) {
		return http.StatusNotFound
	}
	var link record
	err := l.store.View(func(btx *bolt.Tx) error {
		link, is = l.get(btx, code)
		return nil
	})
	switch {
	case err != nil:
		l.opts.Log.Error("a short link cannot be read", "err", err)
		h.Set("Retry-After", "5")
		return http.StatusServiceUnavailable
	case !is, !leads(link.URL):
		return http.StatusNotFound
	case now.UnixMilli() >= link.Expires:
		return http.StatusGone
	}
	h.Set("Location", location(link.URL))
	if r.Method == http.MethodGet {
		l.count(code, now, isHuman(r.Header) && now.UnixMilli() >= link.Created+tooSoon.Milliseconds())
	}
	return http.StatusFound
}

// local is a path without that of the base URL, which a reverse proxy may have left.
func (l *Links) local(path string) string {
	if rest := strings.TrimPrefix(path, l.path); strings.HasPrefix(rest, route) {
		return rest
	}
	return path
}
