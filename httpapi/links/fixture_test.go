package links_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dongled/httpapi/links"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const base = "https://s.example.org"

// house is a store with links that are served.
type house struct {
	testing.TB
	*links.Links
	opts  links.Options
	path  string
	store *store.Store

	mu     sync.Mutex
	clicks []links.Click
}

func newHouse(t testing.TB, edits ...func(*links.Options)) *house {
	t.Helper()
	h := &house{TB: t, path: filepath.Join(t.TempDir(), "s.db")}
	h.opts = links.Options{Base: base, Lifetime: 90 * 24 * time.Hour, Clicked: h.clicked}
	for _, edit := range edits {
		edit(&h.opts)
	}
	h.open()
	t.Cleanup(func() { h.ok(h.store.Close()) })
	return h
}

func (h *house) open() {
	h.Helper()
	h.Links = links.New(h.opts)
	s, err := store.Open(h.path, store.Options{}, h.Links)
	h.ok(err)
	h.ok(s.Do(context.Background(), func(t *store.Tx) error { t.DB().NoSync = true; return nil }))
	h.store = s
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) clicked(t *store.Tx, c links.Click) {
	t.After(func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.clicks = append(h.clicks, c)
	})
}

// told is what was told since it was last asked for.
func (h *house) told() []links.Click {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := h.clicks
	h.clicks = nil
	return told
}

// made has a message with links to targets.
func (h *house) made(message string, targets ...string) []links.Link {
	h.Helper()
	_, made, err := h.Rewrite(strings.Join(targets, " "), links.Wish{All: true, Origin: "bird", Note: []byte("note")})
	h.ok(err)
	h.ok(h.keep(message, made))
	if len(made) != len(targets) {
		h.Fatalf("%d links for %q", len(made), targets)
	}
	return made
}

func (h *house) keep(message string, made []links.Link) error {
	return h.store.Do(context.Background(), func(t *store.Tx) error { return h.Keep(t, message, made) })
}

// of are the links of a message, with codes and times as they come.
func (h *house) of(message string) []links.Link {
	h.Helper()
	found, err := h.Of(context.Background(), message)
	h.ok(err)
	return found
}

// serve serves until stop is called, or the test ends.
func (h *house) serve(ln net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, ln) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.Errorf("serve: %v", err)
		}
	})
	h.Cleanup(stop)
	return stop
}

// listen serves on a port of this machine.
func (h *house) listen() (addr string) {
	h.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	h.ok(err)
	h.serve(ln)
	return ln.Addr().String()
}

// browser is the User-Agent of a person.
const browser = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36"

// do sends a request as a browser does, and follows nothing.
func (h *house) do(method, url string, header ...string) *http.Response {
	h.Helper()
	req, err := http.NewRequest(method, url, nil)
	h.ok(err)
	req.Header.Set("User-Agent", browser)
	for pair := range slices.Chunk(header, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(req)
	h.ok(err)
	body, err := io.ReadAll(answer.Body)
	h.ok(err)
	h.ok(answer.Body.Close())
	if len(body) != 0 {
		h.Errorf("%s %s: body %q", method, url, body)
	}
	return answer
}
