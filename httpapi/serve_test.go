package httpapi_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// watchedListener tells when it was closed.
type watchedListener struct {
	net.Listener
	once   sync.Once
	closed chan struct{}
}

func (l *watchedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// A message that was being stored when the daemon was told to stop is still answered.
func TestServeFinishesRequests(t *testing.T) {
	q := newFakeQueue()
	q.hold, q.entered = make(chan struct{}), make(chan struct{})
	ln := &watchedListener{Listener: listen(t), closed: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- httpapi.New(httpapi.Options{Messages: q, Modems: &fakeModems{}, Auth: account(t, username, password)}).Serve(ctx, ln)
	}()

	type outcome struct {
		resp *http.Response
		err  error
	}
	answered := make(chan outcome, 1)
	go func() {
		req, err := http.NewRequest("POST", "http://"+ln.Addr().String()+"/messages", strings.NewReader(hi))
		if err != nil {
			answered <- outcome{err: err}
			return
		}
		req.SetBasicAuth(username, password)
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultTransport.RoundTrip(req)
		answered <- outcome{resp, err}
	}()
	<-q.entered
	stop()
	// Serve is stopping for certain only once it has closed the listener.
	<-ln.closed
	select {
	case err := <-ended:
		t.Fatalf("Serve returned %v before the request was answered", err)
	default:
	}
	close(q.hold)
	got := <-answered
	if got.err != nil {
		t.Fatal(got.err)
	}
	defer got.resp.Body.Close()
	if got.resp.StatusCode != 202 {
		t.Errorf("status %d", got.resp.StatusCode)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// A client's spare connection, on which nothing was asked, is no request to wait for.
func TestServeClosesSpareConnections(t *testing.T) {
	p := newPair(t)
	p.write(t, year)
	t.Run("HTTP", func(t *testing.T) {
		spareConnection(t, nil, func(address string) net.Conn {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			return conn
		})
	})
	t.Run("HTTPS", func(t *testing.T) {
		trusting := p.trusting(t)
		spareConnection(t, p.load(t), func(address string) net.Conn { return dialTLS(t, address, trusting) })
	})
}

func spareConnection(t *testing.T, c *httpapi.Certificate, dial func(address string) net.Conn) {
	ln := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- httpapi.New(httpapi.Options{
			Messages: newFakeQueue(), Modems: &fakeModems{}, Certificate: c, ShutdownTimeout: 2 * time.Second,
		}).Serve(ctx, ln)
	}()
	spare := dial(ln.Addr().String())
	defer spare.Close()
	// It comes behind the spare one, so that is accepted by then.
	busy := dial(ln.Addr().String())
	defer busy.Close()
	if status, body := getOver(t, busy, "/health/live"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if n, err := spare.Read(make([]byte, 1)); err == nil {
		t.Errorf("the spare connection read %d octets", n)
	}
}

func TestServeGivesUpOnRequestsThatNeverEnd(t *testing.T) {
	q := newFakeQueue()
	q.hold, q.entered = make(chan struct{}), make(chan struct{})
	ln := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	o := httpapi.Options{Messages: q, Modems: &fakeModems{}, Auth: account(t, username, password), ShutdownTimeout: time.Millisecond}
	go func() { ended <- httpapi.New(o).Serve(ctx, ln) }()
	s := &server{t: t, url: "http://" + ln.Addr().String()}
	answered := make(chan reply, 1)
	go func() { answered <- s.raw("POST", "/messages", hi, "Content-Type: application/json") }()
	<-q.entered
	stop()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "requests still running after 1ms") {
		t.Errorf("Serve: %v", err)
	}
	close(q.hold)
	<-answered
}

// Serve must end although it never came to accepting.
func TestServeStoppedBeforeItBegan(t *testing.T) {
	ln := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := httpapi.New(httpapi.Options{}).Serve(ctx, ln); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("the listener is still open")
	}
}

func TestServeReportsALostListener(t *testing.T) {
	ln := listen(t)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	err := httpapi.New(httpapi.Options{}).Serve(context.Background(), ln)
	if err == nil || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("Serve on a closed listener: %v", err)
	}
}

// Time passes in the parser as on the wall: the same request is good now and expired later.
func TestExpiryFollowsTheClock(t *testing.T) {
	s := start(t) // also starts fasthttp's endless goroutine outside of the bubble
	if got := s.do("GET", "/health/live", ""); got.status != 200 {
		t.Fatal(got.body)
	}
	synctest.Test(t, func(t *testing.T) {
		until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		body := `{"validUntil":"` + until + `","message":"Hi","phoneNumbers":["+1"]}`
		o := httpapi.Options{Messages: newFakeQueue(), Modems: &fakeModems{}, Auth: account(t, username, password)}
		for _, want := range []int{202, 400} {
			req, err := http.NewRequest("POST", "http://dongled/messages", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.SetBasicAuth(username, password)
			req.Header.Set("Content-Type", "application/json")
			resp, err := httpapi.Answer(httpapi.New(o), req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if resp.StatusCode != want {
				t.Errorf("at %s: %d, want %d", time.Now(), resp.StatusCode, want)
			}
			time.Sleep(time.Hour)
		}
	})
}
