// Package compattest is a gateway for the tests of dialects: the real queue, scheduler and server around
// one dialect, on SIMs that do what the test says. Every request and answer is held to the dialect's
// OpenAPI document.
package compattest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/httpapi/auth"
	"dongled/httpapi/compat"
	"dongled/httpapi/links"
	"dongled/httpapi/templates"
	"dongled/modem"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/inbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// What lets a test in. Key and User may do everything, ReadKey only look; a Bearer token is Key. WaitKey
// is for an address that showed too many wrong ones.
const (
	User     = "sms"
	Password = "correct horse battery"
	Key      = "test-key-0123456789abcdef"
	ReadKey  = "read-key-0123456789abcdef"
	WaitKey  = "wait-key-0123456789abcdef"
	// DeviceID is the gateway's.
	DeviceID = "PyDmBQZZXYmyxMwED8Fzy"
	// LinkBase is where short links are.
	LinkBase = "https://s.example.org"
)

// Options change the house before it is built.
type Options struct {
	Scheduler scheduler.Options
	Links     links.Options
	Server    httpapi.Options
}

// House is a running gateway with one dialect.
type House struct {
	t         testing.TB
	URL       string
	Dialect   compat.Dialect
	Scheduler *scheduler.Scheduler
	// SIMs are 1, "one" with +491510000001, and 2, "two" with +491510000002. Both accept everything.
	SIMs      []*SIM
	Callbacks *Recorder
	Links     *links.Links
	Templates *templates.Templates

	// Refused, if set, says that an answer with a status below 300 is a refusal, of a request that the
	// document need not have.
	Refused func(body []byte) bool

	changes *signal
	// heard counts what came in.
	heard int
}

// Build makes the dialect under test.
type Build func(base compat.Base) compat.Dialect

// Start runs a gateway until the test ends.
func Start(t testing.TB, build Build, edits ...func(*Options)) *House {
	t.Helper()
	h := &House{t: t, Callbacks: newRecorder(), Templates: templates.New(nil), changes: newSignal()}
	h.Dialect = build(compat.Base{Callbacks: h.Callbacks, Log: slog.New(slog.DiscardHandler)})
	o := Options{Links: links.Options{Base: LinkBase, Lifetime: 90 * 24 * time.Hour, Clicked: h.clicked}}
	for _, edit := range edits {
		edit(&o)
	}
	h.Links = links.New(o.Links)
	h.open(o.Scheduler)
	h.serve(o.Server)
	return h
}

// open opens the store and has the SIMs serve.
func (h *House) open(o scheduler.Options) {
	h.t.Helper()
	o.Rooms = append(o.Rooms, h.Links, h.Templates)
	if room, is := h.Dialect.(store.Room); is {
		o.Rooms = append(o.Rooms, room)
	}
	o.Changed, o.Received = h.changed, h.received
	if o.Region == "" {
		o.Region = "DE"
	}
	s, err := scheduler.Open(filepath.Join(h.t.TempDir(), "dongled.db"), o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Scheduler = s
	for i, name := range []string{"one", "two"} {
		sim := newSIM(i+1, name)
		h.SIMs = append(h.SIMs, sim)
		s.Add(sim)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	h.t.Cleanup(func() {
		for _, sim := range h.SIMs {
			sim.Release()
		}
		cancel()
		running.Wait()
		if err := s.Close(); err != nil {
			h.t.Errorf("close: %v", err)
		}
	})
}

func (h *House) serve(o httpapi.Options) {
	h.t.Helper()
	o.Messages, o.Inbox, o.Modems, o.DeviceID = h.Scheduler, h.Scheduler.Inbox(), h.Scheduler, DeviceID
	o.Dialects = []httpapi.Dialect{compat.Mounted{Dialect: h.Dialect, Gateway: compat.Gateway{
		Messages: h.Scheduler, Inbox: h.Scheduler.Inbox(), SIMs: h.Scheduler, Auth: newDoor(h.t), Links: h.Links,
		Templates: h.Templates, DeviceID: DeviceID, Log: slog.New(slog.DiscardHandler),
	}}}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.URL = "http://" + ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	server := httpapi.New(o)
	go func() { ended <- server.Serve(ctx, ln) }()
	h.t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			h.t.Errorf("serve: %v", err)
		}
	})
}

func (h *House) changed(t *store.Tx, c queue.Change) {
	if f, is := h.Dialect.(compat.Follower); is && c.Message.Origin == h.Dialect.Name() {
		f.Changed(t, c)
	}
	t.After(h.changes.ring)
}

func (h *House) received(t *store.Tx, m inbox.Message) {
	if r, is := h.Dialect.(compat.Hearer); is {
		r.Received(t, m)
	}
}

func (h *House) clicked(t *store.Tx, c links.Click) {
	if f, is := h.Dialect.(compat.Clicked); is && c.Link.Origin == h.Dialect.Name() {
		f.Clicked(t, c)
	}
}

// Message is one that was accepted.
func (h *House) Message(id string) queue.Message {
	h.t.Helper()
	m, err := h.Scheduler.Get(context.Background(), id)
	if err != nil {
		h.t.Fatalf("message %q: %v", id, err)
	}
	return m
}

// Messages are all there are, the latest first.
func (h *House) Messages() []queue.Message {
	h.t.Helper()
	page, _, err := h.Scheduler.List(context.Background(), queue.Filter{Limit: 1000})
	if err != nil {
		h.t.Fatal(err)
	}
	return page
}

// patience is how long a test waits for what should take milliseconds.
const patience = 30 * time.Second

// Await waits until a message is in a state.
func (h *House) Await(id string, state queue.State) queue.Message {
	h.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		changed := h.changes.next()
		m := h.Message(id)
		if m.State == state {
			return m
		}
		select {
		case <-changed:
		case <-late.C:
			h.t.Fatalf("message %s is %s, want %s: %+v", id, m.State, state, m.Recipients)
		}
	}
}

// Report hands in the status report of every part of a message that was sent: 0 for delivered, 0x45 for
// an error in the recipient's phone (TS 23.040 section 9.2.3.15).
func (h *House) Report(id string, status uint8) {
	h.t.Helper()
	for _, r := range h.Message(id).Recipients {
		for _, p := range r.Parts {
			report := pdu.Report{SMSC: "+491710760000", MR: p.MR, Recipient: r.Number, Status: pdu.Status(status)}
			if err := h.Scheduler.Reported(context.Background(), modem.Origin{SIM: r.SIM, IMSI: p.IMSI}, report); err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// Hear has a text come in on a SIM, each a minute before the one that came before it: with the same time a
// text that comes again would be taken for a repetition.
func (h *House) Hear(sim int, from, text string) {
	h.t.Helper()
	h.heard++
	raw, err := pdu.EncodeDeliver(pdu.Deliver{
		Originator: from, Text: text, SMSC: "+491710760000", SCTS: time.Now().Add(-time.Duration(h.heard) * time.Minute),
	})
	if err != nil {
		h.t.Fatal(err)
	}
	in := modem.Incoming{Raw: raw}
	if in.Deliver, err = pdu.DecodeDeliver(raw); err != nil {
		h.t.Fatal(err)
	}
	st := h.SIMs[sim-1].Status()
	origin := modem.Origin{SIM: sim, IMSI: st.IMSI, ICCID: st.ICCID, IMEI: st.IMEI, Number: st.Number}
	if err := h.Scheduler.Received(context.Background(), origin, in); err != nil {
		h.t.Fatal(err)
	}
}

// door is the real auth with keys that need no store.
type door struct{ *auth.Auth }

func newDoor(t testing.TB) door {
	a := auth.New(auth.Options{})
	if err := a.SetPrimary(User, Password); err != nil {
		t.Fatal(err)
	}
	return door{a}
}

// Key implements compat.Auth.
func (d door) Key(_ context.Context, key, _ string) (auth.Identity, error) {
	switch key {
	case Key:
		return auth.Identity{User: User, Scopes: []string{auth.AllAny}}, nil
	case ReadKey:
		return auth.Identity{User: User, Scopes: []string{"messages:read", "messages:list"}}, nil
	case WaitKey:
		return auth.Identity{}, &auth.TooMany{RetryAfter: 7 * time.Second}
	}
	return auth.Identity{}, auth.ErrUnauthorized
}

// Authenticate implements compat.Auth.
func (d door) Authenticate(ctx context.Context, header, addr string) (auth.Identity, error) {
	for _, key := range []string{Key, ReadKey, WaitKey} {
		if header == "Bearer "+key {
			return d.Key(ctx, key, addr)
		}
	}
	return d.Auth.Authenticate(ctx, header, addr)
}

// signal tells all who wait that something happened.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func newSignal() *signal { return &signal{ch: make(chan struct{})} }

// next is closed with the next ring.
func (s *signal) next() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) ring() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}

// Sent is what all SIMs were handed, part by part, in the order of each.
func (h *House) Sent() (all []Part) {
	for _, s := range h.SIMs {
		all = append(all, s.Sent()...)
	}
	return slices.Clip(all)
}
