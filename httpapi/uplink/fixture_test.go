package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"dongled/hack/smsgate"
	"dongled/modem"
	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// TestMain fails if an ended uplink leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	alice = "+4915112345678"
	bob   = "+4916098765432"
)

// pipes is a network without a kernel, so that virtual time passes while somebody waits for it.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// gate is a queue that does what it is told. It lives longer than an uplink, as the queue's file does.
type gate struct {
	mu       sync.Mutex
	messages map[string]queue.Message
	// submitted counts the submissions that were stored, by ID, retired ones too.
	submitted map[string]int
	last      queue.Submission
	refuse    func(queue.Submission) error
	modems    []modem.Status
	store     *store.Store
	outbox    *outbox.Outbox
}

func (g *gate) Submit(ctx context.Context, s queue.Submission) (queue.Message, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return queue.Message{}, err
	}
	if _, is := g.messages[s.ID]; is {
		return queue.Message{}, queue.ErrDuplicateID
	}
	if g.refuse != nil {
		if err := g.refuse(s); err != nil {
			return queue.Message{}, err
		}
	}
	m := queue.Message{
		ID: s.ID, Created: time.Now(), State: queue.Pending, Content: s.Content, Encrypted: s.Encrypted, Origin: s.Origin,
		Meta: s.Meta, Reached: []queue.Reached{{State: queue.Pending, At: time.Now()}},
	}
	for _, to := range s.Recipients {
		m.Recipients = append(m.Recipients, queue.Recipient{Number: to, State: queue.Pending})
	}
	g.messages[s.ID] = m
	g.submitted[s.ID]++
	g.last = s
	return m, nil
}

func (g *gate) Get(_ context.Context, id string) (queue.Message, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, is := g.messages[id]
	if !is {
		return m, queue.ErrNotFound
	}
	return m, nil
}

func (g *gate) Cancel(ctx context.Context, id string) (queue.Message, error) {
	m, err := g.Get(ctx, id)
	if err != nil {
		return m, err
	}
	if m.State != queue.Pending && m.State != queue.Cancelled || !untouched(&m) && m.State == queue.Pending {
		return m, queue.ErrNotPending
	}
	if m.State == queue.Pending {
		g.set(id, queue.Cancelled, "")
	}
	return g.Get(ctx, id)
}

func (g *gate) Events(after uint64, limit int) ([]outbox.Event, error) {
	return g.outbox.Events(after, limit)
}

func (g *gate) Modems() []modem.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.modems
}

// set brings all recipients of a message to a state, in the transaction of the event.
func (g *gate) set(id string, state queue.State, reason string) {
	err := g.store.Do(context.Background(), func(t *store.Tx) error {
		t.After(func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			m := g.messages[id]
			m.State = state
			m.Reached = append(append([]queue.Reached{}, m.Reached...), queue.Reached{State: state, At: time.Now()})
			all := append([]queue.Recipient{}, m.Recipients...)
			for i := range all {
				all[i].State, all[i].Error = state, reason
			}
			m.Recipients = all
			g.messages[id] = m
		})
		g.outbox.Put(t, outbox.MessageState, id, struct{}{})
		return t.Err
	})
	if err != nil {
		panic(err)
	}
}

// retire has the queue forget a message that ended.
func (g *gate) retire(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.messages, id)
}

func (g *gate) put(id string, m queue.Message) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.messages[id] = m
}

// setRefuse has f say what is wrong with each submission, one at a time.
func (g *gate) setRefuse(f func(queue.Submission) error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refuse = f
}

func (g *gate) setModems(modems ...modem.Status) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.modems = modems
}

func (g *gate) times(id string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.submitted[id]
}

// world is a server, and a gateway that is its device.
type world struct {
	*testing.T
	server *smsgate.Server
	net    atomic.Pointer[pipes]
	gate   *gate
	path   string
	opts   Options
	export func(context.Context, Export) error

	uplink *Uplink
	// stop ends the uplink and its store, down the server.
	stop, down func()
	// shown are the accounts that were shown.
	shown []string
}

// bubble runs f in virtual time with a gateway that has run for a second.
func bubble(t *testing.T, opts Options, f func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &smsgate.Server{}, opts)
		defer w.end()
		w.start()
		w.pass(time.Second)
		f(w)
	})
}

func newWorld(t *testing.T, server *smsgate.Server, opts Options) *world {
	w := &world{
		T: t, server: server, opts: opts, path: filepath.Join(t.TempDir(), "s.db"),
		gate: &gate{messages: map[string]queue.Message{}, submitted: map[string]int{}},
	}
	if w.opts.URL == "" {
		w.opts.URL = "http://sms.example/api/mobile/v1"
	}
	w.opts.Name = "test"
	w.opts.Account = func(login, password string) { w.shown = append(w.shown, login+":"+password) }
	w.up()
	return w
}

// up has the server listen.
func (w *world) up() {
	served := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	w.net.Store(served)
	handler := http.StripPrefix("/api/mobile/v1", w.server)
	hs := &http.Server{Handler: handler, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = hs.Serve(served) }()
	w.down = func() {
		_ = hs.Close()
		<-ended
	}
}

// start opens the store and runs an uplink on it.
func (w *world) start() {
	w.Helper()
	w.uplink = New(w.opts)
	w.uplink.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return w.net.Load().dial(ctx, network, address)
	}
	w.gate.outbox = outbox.New(w.uplink.Tell, nil)
	s, err := store.Open(w.path, store.Options{}, w.uplink, w.gate.outbox)
	if err != nil {
		w.Fatal(err)
	}
	if err := s.Do(context.Background(), func(t *store.Tx) error { t.DB().NoSync = true; return nil }); err != nil {
		w.Fatal(err)
	}
	w.gate.store = s
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); w.uplink.Run(ctx, w.gate, w.export) }()
	w.stop = func() {
		cancel()
		<-ended
		if err := s.Close(); err != nil {
			w.Error(err)
		}
	}
}

// restart ends the uplink where it stands, and runs another on the same store.
func (w *world) restart() {
	w.Helper()
	w.stop()
	w.start()
}

// pass lets time pass, and all that it brings about happen.
func (w *world) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (w *world) end() {
	w.stop()
	w.down()
}

// text is a message of a client of the server.
func text(id string, to ...string) smsgate.Message {
	return smsgate.Message{ID: id, TextMessage: &smsgate.TextMessage{Text: "hello"}, PhoneNumbers: to, WithDeliveryReport: true}
}

// want checks what the server knows of a message.
func (w *world) want(id, state string) {
	w.Helper()
	if m := w.server.Message(id); m.State != state {
		w.Errorf("%s is %q at the server, want %q; told %v", id, m.State, state, m.History)
	}
}

func (w *world) wantTaken(id string, times int) {
	w.Helper()
	if n := w.gate.times(id); n != times {
		w.Errorf("%s was taken %d times, want %d", id, n, times)
	}
}

func ids(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("message-%03d", i))
	}
	return all
}
