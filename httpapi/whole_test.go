package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"dongled/httpapi"
	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
)

// gateway is all of it in one bubble: a virtual dongle, its worker, the scheduler and the API.
type gateway struct {
	t      *testing.T
	server *httpapi.Server
	dongle *virtual.Dongle
	// mute keeps from the dongle what it is told.
	mute atomic.Bool
}

// open opens the dongle's port; that of one that was pulled out is not there.
func (g *gateway) open(ctx context.Context) (io.ReadWriteCloser, error) {
	port, err := g.dongle.Open(ctx)
	if errors.Is(err, virtual.ErrUnplugged) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return &mutable{port, &g.mute}, nil
}

type mutable struct {
	io.ReadWriteCloser
	mute *atomic.Bool
}

func (m *mutable) Write(p []byte) (int, error) {
	if m.mute.Load() {
		return len(p), nil
	}
	return m.ReadWriteCloser.Write(p)
}

func runGateway(t *testing.T, o virtual.Options, opts scheduler.Options) *gateway {
	t.Helper()
	sched, err := scheduler.Open(filepath.Join(t.TempDir(), "dongled.db"), opts)
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t: t, dongle: virtual.New(o)}
	w := modem.New(modem.Config{SIM: 1, Port: "virtual", Open: g.open, Sink: sched})
	sched.Add(w)
	g.server = httpapi.New(httpapi.Options{
		Messages: sched, Inbox: sched.Inbox(), Modems: sched, Auth: account(t, username, password), DeviceID: deviceID,
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{sched.Run, w.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := g.dongle.Close(); err != nil {
			t.Error(err)
		}
		if err := sched.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

// do answers a request and decodes what comes back.
func (g *gateway) do(method, path, body string, into any) (status int) {
	g.t.Helper()
	req, err := http.NewRequest(method, "http://dongled"+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.SetBasicAuth(username, password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := httpapi.Answer(g.server, req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	checkAgainstSpec(g.t, req, []byte(body), resp, got)
	if into != nil {
		if err := json.Unmarshal(got, into); err != nil {
			g.t.Fatalf("%s: %v", got, err)
		}
	}
	return resp.StatusCode
}

type ussdReply struct {
	Text        string
	Status      int
	SessionOpen bool
}

func (g *gateway) dial(code string, want ussdReply) {
	g.t.Helper()
	var got ussdReply
	if status := g.do("POST", "/modems/1/ussd", `{"code":"`+code+`"}`, &got); status != 200 || got != want {
		g.t.Errorf("%s: %d %+v, want %+v", code, status, got, want)
	}
}

// A dongle that speaks packed USSD, from the request to the radio and back.
func TestWholeUSSD(t *testing.T) {
	start(t).do("GET", "/health/live", "") // starts fasthttp's endless goroutine outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		o, ok := virtual.Family("huawei-e173")
		if !ok {
			t.Fatal("no such family")
		}
		o.USSD = []virtual.USSD{
			{Code: "*100#", Text: "Your credit: 1.234,56 EUR.", Delay: 5 * time.Second},
			{Code: "*111#", Text: "1 Tariff\n2 More", Replies: []virtual.USSD{{Code: "1", Text: "Tariff €"}}},
		}
		g := runGateway(t, o, scheduler.Options{Balance: map[int]scheduler.Balance{
			1: {Code: "*100#", Match: regexp.MustCompile(`credit: ([0-9.,]+)`), Below: 2000},
		}})
		time.Sleep(50 * time.Second)
		g.dial("*111#", ussdReply{"1 Tariff\n2 More", 1, true})
		g.dial("1", ussdReply{"Tariff €", 0, false})
		g.dial("*111#", ussdReply{"1 Tariff\n2 More", 1, true})
		if status := g.do("DELETE", "/modems/1/ussd", "", nil); status != 204 {
			t.Errorf("cancel: %d", status)
		}
		g.dial("*100#", ussdReply{"Your credit: 1.234,56 EUR.", 0, false})
		if status := g.do("POST", "/modems/1/ussd", `{"code":"hello"}`, nil); status != 400 {
			t.Errorf("a text without a session: %d", status)
		}

		time.Sleep(2 * time.Minute)
		var m struct {
			Balance struct {
				Amount float64
				Low    bool
			}
			Warnings []struct{ ID string }
		}
		if g.do("GET", "/modems/1", "", &m); m.Balance.Amount != 1234.56 || !m.Balance.Low || len(m.Warnings) != 1 || m.Warnings[0].ID != "low-balance" {
			t.Errorf("balance %+v", m)
		}
	})
}

// A message from the air is in the inbox, and in the trace only for who asks for texts.
func TestWholeInbox(t *testing.T) {
	start(t).do("GET", "/health/live", "")
	synctest.Test(t, func(t *testing.T) {
		o, _ := virtual.Family("generic")
		g := runGateway(t, o, scheduler.Options{})
		time.Sleep(time.Minute)
		sent := time.Now().Add(-time.Second)
		if err := g.dongle.Deliver(pdu.Deliver{Originator: "+491701234567", Text: "Grüße", SCTS: sent}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		var rows []struct {
			Type, Sender, ContentPreview string
			SIMNumber                    int
		}
		g.do("GET", "/inbox?limit=1", "", &rows)
		if len(rows) != 1 || rows[0].Type != "SMS" || rows[0].Sender != "+491701234567" || rows[0].ContentPreview != "Grüße" || rows[0].SIMNumber != 1 {
			t.Errorf("inbox %+v", rows)
		}
		for query, told := range map[string]bool{"": false, "?texts=true": true} {
			var lines []struct{ Text string }
			g.do("GET", "/modems/1/trace"+query, "", &lines)
			var all strings.Builder
			for _, l := range lines {
				all.WriteString(l.Text + "\n")
			}
			// The sender in semi-octets, TS 23.040 section 9.1.2.3.
			if shown := strings.Contains(all.String(), "947110325476"); shown != told || !strings.Contains(all.String(), "AT+CGMI") {
				t.Errorf("trace%s shows the sender: %t\n%s", query, shown, all.String())
			}
		}
	})
}

// Health is red within a minute of trouble, whatever it is, and green again after it.
func TestWholeHealth(t *testing.T) {
	start(t).do("GET", "/health/live", "")
	for name, trouble := range map[string]struct {
		begin, end func(*gateway)
		check      string
	}{
		"unplugged":  {func(g *gateway) { g.dongle.Unplug() }, func(g *gateway) { g.dongle.Plug() }, "modem:1:port-missing"},
		"no network": {func(g *gateway) { g.dongle.SetRegistration(2) }, func(g *gateway) { g.dongle.SetRegistration(1) }, "modem:1:not-registered"},
		"mute":       {func(g *gateway) { g.mute.Store(true) }, func(g *gateway) { g.mute.Store(false) }, "modem:1:no-answer"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, _ := virtual.Family("generic")
				g := runGateway(t, o, scheduler.Options{})
				time.Sleep(time.Minute)
				var health struct {
					Status string
					Checks map[string]struct{ Status string }
				}
				if status := g.do("GET", "/health", "", &health); status != 200 || health.Status != "pass" {
					t.Fatalf("at first %d %+v", status, health)
				}
				trouble.begin(g)
				time.Sleep(time.Minute)
				if status := g.do("GET", "/health", "", &health); status != 503 || health.Checks[trouble.check].Status != "fail" {
					t.Errorf("after a minute of trouble %d %+v", status, health)
				}
				trouble.end(g)
				time.Sleep(10 * time.Minute)
				health.Checks = nil
				if status := g.do("GET", "/health", "", &health); status != 200 {
					t.Errorf("after the trouble %d %+v", status, health)
				}
			})
		})
	}
}
