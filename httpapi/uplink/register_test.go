package uplink

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dongled/hack/smsgate"
	"dongled/modem"
	"dongled/scheduler/queue"
)

// TestWaysToRegister: each of the four, and what is wrong in each.
func TestWaysToRegister(t *testing.T) {
	for name, c := range map[string]struct {
		server *smsgate.Server
		opts   Options
		ok     bool
	}{
		"nothing":         {&smsgate.Server{}, Options{}, true},
		"a private token": {&smsgate.Server{PrivateToken: "secret"}, Options{PrivateToken: "secret"}, true},
		"a wrong token":   {&smsgate.Server{PrivateToken: "secret"}, Options{PrivateToken: "other"}, false},
		"an account":      {&smsgate.Server{Login: "ABCDEF", Password: "p:w"}, Options{Username: "ABCDEF", Password: "p:w"}, true},
		"a code":          {&smsgate.Server{Code: "23456a"}, Options{Code: "23456a"}, true},
		"a code of old":   {&smsgate.Server{Code: "23456a"}, Options{Code: "23456b"}, false},
		"nothing at all":  {&smsgate.Server{Code: "23456a"}, Options{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, c.server, c.opts)
				defer w.end()
				w.start()
				w.pass(time.Second)
				if got := len(w.server.Devices()) == 1; got != c.ok {
					t.Errorf("registered: %v", got)
				}
				if connected, configured := w.uplink.Connected(); connected != c.ok || !configured {
					t.Errorf("connected %v, configured %v", connected, configured)
				}
				w.pass(24 * time.Hour)
				if n := w.server.Requests("POST /device"); c.ok && n != 1 || n > 24*60/5+1 {
					t.Errorf("%d attempts in a day", n)
				}
			})
		})
	}
}

// TestRegisteredOnce: a restart is the same device, another URL another one.
func TestRegisteredOnce(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.restart()
		w.pass(time.Second)
		if d := w.server.Devices(); len(d) != 1 || d[0].Name != "test" {
			t.Errorf("devices %+v", d)
		}
		if len(w.shown) != 1 || w.shown[0] != "ABCDEF:made-by-the-server" {
			t.Errorf("shown %v", w.shown)
		}
		w.server.Enqueue(text("one", alice))
		w.pass(time.Second)
		w.opts.URL = "http://other.example/api/mobile/v1/"
		w.restart()
		w.pass(2 * time.Minute)
		if d := w.server.Devices(); len(d) != 2 {
			t.Errorf("%d devices", len(d))
		}
		// The other server's messages are not this one's, although the ID may be the same.
		w.server.Enqueue(text("one", bob))
		w.gate.set("one", queue.Sent, "")
		w.pass(time.Second)
		w.want("one", "Failed")
		if len(w.shown) != 2 {
			t.Errorf("shown %v", w.shown)
		}
	})
}

// TestForgotten: a device that the server forgot registers anew, and goes on.
func TestForgotten(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.pass(time.Hour)
		w.server.Forget()
		w.server.CutStreams()
		w.pass(15 * time.Minute)
		if d := w.server.Devices(); len(d) != 2 {
			t.Fatalf("%d devices", len(d))
		}
		w.server.Enqueue(text("one", alice))
		w.pass(time.Second)
		w.wantTaken("one", 1)
	})
}

// TestAlways401: a server that knows nobody gets few devices.
func TestAlways401(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.SetFault(func(r *http.Request) smsgate.Fault {
			if r.Method == "POST" {
				return smsgate.None
			}
			return smsgate.Unauthorized
		})
		w.pass(12 * time.Hour)
		w.restart() // which is not forgotten either
		w.pass(60 * time.Hour)
		if n := len(w.server.Devices()); n < 4 || n > 3*6 {
			t.Errorf("%d devices in three days", n)
		}
	})
}

// TestOne401: a 401 that something between says costs no device.
func TestOne401(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.SetFault(func(r *http.Request) smsgate.Fault {
			if r.URL.Path == "/messages" {
				return smsgate.Unauthorized
			}
			return smsgate.None
		})
		w.server.Enqueue(text("one", alice))
		w.pass(24 * time.Hour)
		w.server.SetFault(nil)
		w.pass(time.Minute)
		w.wantTaken("one", 1)
		if n := len(w.server.Devices()); n != 1 {
			t.Errorf("%d devices", n)
		}
	})
}

// TestLostRegistration: a server whose answers get lost makes few devices.
func TestLostRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &smsgate.Server{}, Options{})
		defer w.end()
		w.server.SetFault(func(*http.Request) smsgate.Fault { return smsgate.Lost })
		w.start()
		w.pass(48 * time.Hour)
		if n := len(w.server.Devices()); n < 4 || n > 14 {
			t.Errorf("%d devices in two days", n)
		}
		w.server.SetFault(nil)
		w.pass(7 * time.Hour)
		if connected, _ := w.uplink.Connected(); !connected {
			t.Error("not connected")
		}
	})
}

// TestServerDown: without a server nothing is counted as a registration.
func TestServerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &smsgate.Server{}, Options{})
		w.down()
		w.start()
		w.pass(10 * time.Hour)
		w.up()
		defer w.end()
		w.pass(time.Minute)
		if n := len(w.server.Devices()); n != 1 {
			t.Errorf("%d devices", n)
		}
	})
}

// TestCards: the server hears of the cards and their last four characters, and no more often than
// once a minute.
func TestCards(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		for i := range 600 {
			w.gate.setModems(
				modem.Status{SIM: 2, IMSI: "262010000000002"},
				modem.Status{SIM: 1, IMSI: "262010000000001", ICCID: fmt.Sprintf("89490200001234%06d", i), Number: "+4915112345678", Operator: "o2"},
				modem.Status{SIM: 3},
			)
			w.pass(time.Second)
		}
		w.pass(time.Minute)
		const want = `[{"slotIndex":0,"simNumber":1,"phoneNumber":"5678","carrierName":"o2","iccid":"0599"},{"slotIndex":1,"simNumber":2}]`
		if got := string(w.server.Devices()[0].SIMCards); got != want {
			t.Errorf("cards %s", got)
		}
		if n := w.server.Requests("PATCH /device"); n < 5 || n > 13 {
			t.Errorf("%d changes in 11 minutes", n)
		}
		before := w.server.Requests("PATCH /device")
		w.pass(time.Hour)
		if n := w.server.Requests("PATCH /device"); n != before {
			t.Errorf("%d changes of nothing", n-before)
		}
	})
}

// TestNoCredential: what cannot be a token is none, and what is no device API makes no device.
func TestNoCredential(t *testing.T) {
	for _, s := range []string{"", "a b", "a\nb", "ä", strings.Repeat("x", maxCredential+1)} {
		if credential(s) {
			t.Errorf("%q is taken", s)
		}
	}
	for _, s := range []string{"eyJhbGciOi.J9-_x", "Aqyt4CZrPFWuVjTqfUgs_"} {
		if !credential(s) {
			t.Errorf("%q is refused", s)
		}
	}
}
