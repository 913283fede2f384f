package uplink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/httpapi/webhook"
	"dongled/scheduler/settings"
)

// shelf takes webhooks and settings.
type shelf struct {
	mu      sync.Mutex
	hooks   []webhook.Hook
	patches []string
	exports []Export
	err     error
}

func (s *shelf) Sync(_ context.Context, source string, hooks []webhook.Hook) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if source != "Cloud" {
		return fmt.Errorf("source %s", source)
	}
	s.hooks = hooks
	return nil
}

// Patch refuses what has "bad" in it.
func (s *shelf) Patch(_ context.Context, body json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	if strings.Contains(string(body), "bad") {
		return &settings.Fault{Key: "x", Problem: "it is bad"}
	}
	s.patches = append(s.patches, string(body))
	return nil
}

func (s *shelf) export(_ context.Context, e Export) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exports = append(s.exports, e)
	return errors.New("it is logged")
}

// taken returns the settings taken since.
func (s *shelf) taken() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.patches, "\n")
	s.patches = nil
	return all
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func TestWebhooks(t *testing.T) {
	s := &shelf{}
	bubble(t, Options{Hooks: s}, func(w *world) {
		device := w.server.Devices()[0].ID
		w.server.SetWebhooks(`[{"id":"a","deviceId":null,"url":"https://a.example/hook","event":"sms:received"},
			{"id":"b:c","deviceId":"` + device + `","url":"https://b.example/hook","event":"sms:sent","new":{}}]`)
		w.pass(time.Second)
		want := []webhook.Hook{
			{ID: "a", DeviceID: device, URL: "https://a.example/hook", Event: "sms:received", Source: "Cloud"},
			{ID: "b:c", DeviceID: device, URL: "https://b.example/hook", Event: "sms:sent", Source: "Cloud"},
		}
		if fmt.Sprint(s.hooks) != fmt.Sprint(want) {
			t.Errorf("webhooks %+v", s.hooks)
		}
		// Without an uplink its server is told of nothing more, and nobody here could delete these.
		url := w.opts.URL
		w.opts.URL = ""
		w.restart()
		w.pass(time.Second)
		if len(s.hooks) != 0 {
			t.Errorf("webhooks of a server that is not configured: %+v", s.hooks)
		}
		w.opts.URL = url
		w.restart()
		w.pass(time.Second)
		if len(s.hooks) != 2 {
			t.Errorf("webhooks after it is configured again: %+v", s.hooks)
		}
		// Nobody is told of this one; the next connection brings it.
		w.server.CutStreams()
		w.server.SetWebhooks(`[]`)
		w.pass(time.Minute)
		if len(s.hooks) != 0 {
			t.Errorf("webhooks %+v", s.hooks)
		}
	})
}

// TestSettings: what the server has is taken when it changed there, but for what is not its to set.
func TestSettings(t *testing.T) {
	s := &shelf{}
	bubble(t, Options{Settings: s}, func(w *world) {
		if got := s.taken(); got != "" {
			t.Errorf("without any: %s", got)
		}
		w.server.SetSettings(`{"ping":{"interval_seconds":60},"messages":{"limit_value":null,"sim_selection_mode":"Random"},"logs":null,
			"encryption":{"passphrase":"theirs"},"webhooks":{"signing_key":"theirs","retry_count":3},"gateway":{"private_token":"theirs"}}`)
		w.pass(time.Second)
		want := `{"messages":{"sim_selection_mode":"Random"}}
{"ping":{"interval_seconds":60}}
{"webhooks":{"retry_count":3}}`
		if got := s.taken(); got != want {
			t.Errorf("taken\n%s", got)
		}
		w.server.Push("SettingsUpdated", nil)
		w.restart()
		w.pass(time.Hour)
		if got := s.taken(); got != "" {
			t.Errorf("taken again: %s", got)
		}
		w.server.SetSettings(`{"ping":{"interval_seconds":61}}`)
		w.pass(time.Second)
		if got := s.taken(); got != `{"ping":{"interval_seconds":61}}` {
			t.Errorf("taken %s", got)
		}
	})
}

// TestBadSettings: one that is refused loses no other, and one that could not be stored is not lost.
func TestBadSettings(t *testing.T) {
	s := &shelf{}
	bubble(t, Options{Settings: s}, func(w *world) {
		w.server.SetSettings(`{"logs":"bad","messages":{"a":1,"b":"bad","c":3},"ping":{"d":"bad"},"webhooks":{"e":5}}`)
		w.pass(time.Second)
		want := `{"messages":{"a":1}}
{"messages":{"c":3}}
{"webhooks":{"e":5}}`
		if got := s.taken(); got != want {
			t.Errorf("taken\n%s", got)
		}
		s.fail(errors.New("the disk is full"))
		w.server.SetSettings(`{"ping":{"interval_seconds":60}}`)
		w.pass(time.Minute)
		s.fail(nil)
		w.pass(time.Minute)
		if got := s.taken(); got != `{"ping":{"interval_seconds":60}}` {
			t.Errorf("taken %s", got)
		}
	})
}

func TestExport(t *testing.T) {
	s := &shelf{}
	bubble(t, Options{}, func(w *world) {
		w.export = s.export
		w.restart()
		w.pass(time.Second)
		w.server.Push("MessagesExportRequested", map[string]string{
			"since": "2026-09-01T10:00:00Z", "until": "2026-09-01T12:00:00Z", "messageTypes": "SMS", "webhookDelivery": "Batch",
		})
		w.server.Push("MessagesExportRequested", map[string]string{
			"since": "2026-09-01T10:00:00Z", "until": "2026-09-01T12:00:00Z", "triggerWebhooks": "false",
		})
		w.server.Push("MessagesExportRequested", map[string]string{"since": "yesterday"})
		w.server.Push("SomethingNew", map[string]string{"a": "b"})
		w.pass(time.Second)
		if len(s.exports) != 1 || !s.exports[0].Batch {
			t.Errorf("exports %+v", s.exports)
		}
		if n := w.server.Requests("GET /events"); n != 2 {
			t.Errorf("connected %d times", n)
		}
	})
}
