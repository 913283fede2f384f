package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi"
)

// fakeEvents takes note of what is announced.
type fakeEvents struct {
	mu   sync.Mutex
	told []string // name and payload
	err  error
}

func (f *fakeEvents) Announce(_ context.Context, name string, payload any) error {
	raw, err := json.Marshal(payload)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, name+" "+string(raw))
	return errors.Join(err, f.err)
}

func (f *fakeEvents) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	told := f.told
	f.told = nil
	return told
}

// nobody is a listener that nobody connects to.
type nobody struct {
	closed chan struct{}
	once   sync.Once
}

func (l *nobody) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l *nobody) Close() error              { l.once.Do(func() { close(l.closed) }); return nil }
func (l *nobody) Addr() net.Addr            { return &net.TCPAddr{} }

// serving runs f in virtual time beside a Server without clients.
func serving(t *testing.T, f func(*httpapi.Server, *fakeEvents, *fakeModems)) {
	t.Helper()
	if got := start(t).do("GET", "/health/live", ""); got.status != 200 { // fasthttp's endless goroutine, outside of the bubble
		t.Fatal(got.body)
	}
	synctest.Test(t, func(t *testing.T) {
		events, modems := &fakeEvents{}, &fakeModems{}
		s := httpapi.New(httpapi.Options{
			Messages: newFakeQueue(), Inbox: &fakeInbox{}, Modems: modems, Events: events, Version: "1.2.3",
		})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(ctx, &nobody{closed: make(chan struct{})}) }()
		f(s, events, modems)
		stop()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
		s.SetPing(time.Second)
		time.Sleep(time.Hour)
		synctest.Wait()
		if told := events.take(); len(told) > 0 {
			t.Errorf("after the end: %s", told)
		}
		// What fasthttp's pool keeps ends late.
		time.Sleep(time.Minute)
	})
}

const wantPing = `system:ping {"health":{"status":"pass","version":"1.2.3","releaseId":1,"checks":{`

func TestPing(t *testing.T) {
	serving(t, func(s *httpapi.Server, events *fakeEvents, modems *fakeModems) {
		modems.set(up)
		expect := func(after time.Duration, want int) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			told := events.take()
			if len(told) != want {
				t.Errorf("%d pings after %s, want %d", len(told), after, want)
			}
			for _, p := range told {
				sameJSON(t, strings.TrimPrefix(p, "system:ping "), strings.TrimPrefix(wantPing, "system:ping ")+
					dbUp+","+online+","+sim1+","+noFailed+"}}}")
			}
		}
		expect(24*time.Hour, 0) // off, as long as nobody asks
		s.SetPing(time.Minute)
		expect(59*time.Second, 0)
		expect(time.Second, 1)
		expect(10*time.Minute, 10)
		// The same again moves nothing, another one begins anew.
		time.Sleep(40 * time.Second)
		s.SetPing(time.Minute)
		expect(20*time.Second, 1)
		time.Sleep(40 * time.Second)
		s.SetPing(2 * time.Minute)
		expect(119*time.Second, 0)
		expect(time.Second, 1)
		s.SetPing(0)
		expect(24*time.Hour, 0)
		s.SetPing(time.Hour)
		expect(3*time.Hour, 3)
	})
}

// A store that refuses one ping does not end them.
func TestPingGoesOn(t *testing.T) {
	serving(t, func(s *httpapi.Server, events *fakeEvents, _ *fakeModems) {
		events.err = errors.New("disk on fire")
		s.SetPing(time.Minute)
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		if n := len(events.take()); n != 5 {
			t.Errorf("%d pings were tried, want 5", n)
		}
	})
}

// An interval that was set before Serve counts from Serve on.
func TestPingSetBeforeServe(t *testing.T) {
	start(t).do("GET", "/health/live", "")
	synctest.Test(t, func(t *testing.T) {
		events := &fakeEvents{}
		s := httpapi.New(httpapi.Options{Messages: newFakeQueue(), Inbox: &fakeInbox{}, Modems: &fakeModems{}, Events: events})
		s.SetPing(time.Minute)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(ctx, &nobody{closed: make(chan struct{})}) }()
		time.Sleep(61 * time.Second)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if told := events.take(); len(told) != 1 || !strings.HasPrefix(told[0], `system:ping {"health":{"status":"fail",`) {
			t.Errorf("%s", told)
		}
		time.Sleep(time.Minute)
	})
}

func TestAnnounceStart(t *testing.T) {
	events, modems := &fakeEvents{}, &fakeModems{}
	s := httpapi.New(httpapi.Options{Modems: modems, Events: events})
	announce := func(want string) {
		t.Helper()
		if err := s.AnnounceStart(t.Context()); err != nil {
			t.Error(err)
		}
		if told := events.take(); len(told) != 1 || told[0] != want {
			t.Errorf("got %s, want %s", told, want)
		}
	}
	announce(`app:started {"simCards":[]}`)
	modems.set(up, down)
	announce(`app:started {"simCards":[{"slotIndex":0,"simNumber":1,"phoneNumber":"+491701234567","carrierName":"Net","iccid":"8949000000000000001"},` +
		`{"slotIndex":6,"simNumber":7}]}`)
	events.err = errors.New("disk on fire")
	if err := s.AnnounceStart(t.Context()); !errors.Is(err, events.err) {
		t.Errorf("error %v", err)
	}
}
