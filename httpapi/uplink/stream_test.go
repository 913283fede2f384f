package uplink

import (
	"net/http"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"dongled/hack/smsgate"
)

// TestKeptAlive: comments every 15 s are enough.
func TestKeptAlive(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.pass(24 * time.Hour)
		if n := w.server.Requests("GET /events"); n != 1 {
			t.Errorf("connected %d times", n)
		}
		if connected, _ := w.uplink.Connected(); !connected {
			t.Error("not connected")
		}
		if n := w.server.Requests("GET /messages"); n < 24*4 || n > 24*4+3 {
			t.Errorf("%d lists in a day", n)
		}
	})
}

// TestSilence: a stream that says nothing for a minute is replaced.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &smsgate.Server{KeepAlive: 365 * 24 * time.Hour}, Options{})
		defer w.end()
		w.start()
		w.pass(59 * time.Second)
		if n := w.server.Requests("GET /events"); n != 1 {
			t.Errorf("connected %d times in a minute", n)
		}
		w.pass(7 * time.Second)
		if n := w.server.Requests("GET /events"); n != 2 || w.server.Streams() != 1 {
			t.Errorf("connected %d times, %d streams", n, w.server.Streams())
		}
	})
}

// TestHangingStream: so is one that does not even begin.
func TestHangingStream(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.SetFault(func(r *http.Request) smsgate.Fault {
			if r.URL.Path == "/events" {
				return smsgate.Hang
			}
			return smsgate.None
		})
		w.server.CutStreams()
		w.pass(time.Minute)
		if connected, _ := w.uplink.Connected(); connected {
			t.Error("connected")
		}
		w.server.Enqueue(text("one", alice))
		w.pass(15 * time.Minute)
		w.wantTaken("one", 1) // by the list, every 15 minutes
		w.server.SetFault(nil)
		w.pass(2 * time.Minute)
		if connected, _ := w.uplink.Connected(); !connected {
			t.Error("not connected")
		}
	})
}

// TestReconnects: 5, 30 and 60 s after the cut, less a fifth by chance; and what happened meanwhile is
// asked for.
func TestReconnects(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.server.SetFault(broken("GET /events"))
		w.server.CutStreams()
		w.server.Enqueue(text("one", alice))
		for _, c := range []struct {
			after time.Duration
			tries int
		}{{3900 * time.Millisecond, 1}, {1200 * time.Millisecond, 2}, {22 * time.Second, 2}, {9 * time.Second, 3}, {40 * time.Second, 3}, {22 * time.Second, 4}} {
			w.pass(c.after)
			if n := w.server.Requests("GET /events"); n != c.tries {
				t.Errorf("tried %d times, want %d", n, c.tries)
			}
		}
		w.wantTaken("one", 0)
		w.server.SetFault(nil)
		w.pass(time.Minute)
		w.wantTaken("one", 1)
	})
}

// TestNoStream: an answer that is no stream, such as a portal's page, is none.
func TestNoStream(t *testing.T) {
	bubble(t, Options{}, func(w *world) {
		w.opts.URL = "http://sms.example/api/mobile/v1/webhooks?x="
		w.restart()
		w.pass(time.Minute)
		if connected, _ := w.uplink.Connected(); connected {
			t.Error("connected")
		}
	})
}

func TestParseExport(t *testing.T) {
	since, until := time.Date(2026, 9, 1, 10, 0, 0, 0, time.UTC), time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		data map[string]string
		want Export
	}{
		"all of it": {
			map[string]string{"since": "2026-09-01T12:00:00+02:00", "until": "2026-09-01T12:00:00Z", "messageTypes": "SMS,MMS", "webhookDelivery": "Batch", "triggerWebhooks": "false"},
			Export{since, until, []string{"SMS", "MMS"}, true},
		},
		"of old":      {map[string]string{"since": "2026-09-01T10:00:00Z", "until": "2026-09-01T12:00:00Z"}, Export{since, until, []string{"SMS"}, false}},
		"not told of": {map[string]string{"since": "2026-09-01T10:00:00.000Z", "until": "2026-09-01T12:00:00Z", "messageTypes": "", "triggerWebhooks": "false"}, Export{since, until, []string{"SMS"}, false}},
		"told of":     {map[string]string{"since": "2026-09-01T10:00:00Z", "until": "2026-09-01T12:00:00Z", "messageTypes": "MMS", "triggerWebhooks": "true"}, Export{since, until, []string{"MMS"}, false}},
	} {
		got, wanted, err := parseExport(c.data)
		if err != nil || !got.Since.Equal(c.want.Since) || !got.Until.Equal(c.want.Until) || got.Batch != c.want.Batch || wanted == (name == "not told of") || !reflect.DeepEqual(got.Types, c.want.Types) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, data := range map[string]map[string]string{
		"nothing":     nil,
		"no until":    {"since": "2026-09-01T10:00:00Z"},
		"backwards":   {"since": "2026-09-01T12:00:00Z", "until": "2026-09-01T10:00:00Z"},
		"a new thing": {"since": "2026-09-01T10:00:00Z", "until": "2026-09-01T12:00:00Z", "webhookDelivery": "Pigeon"},
	} {
		if got, _, err := parseExport(data); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
