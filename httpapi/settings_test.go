package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/scheduler/settings"
	"dongled/scheduler/store"
)

// settingsRoom is the real room on a store of its own, with the defaults of a daemon.
func settingsRoom(t *testing.T) (*settings.Settings, *store.Store) {
	t.Helper()
	var v settings.Values
	v.Gateway.NotificationChannel = "AUTO"
	v.Messages.LimitPeriod, v.Messages.SIMSelectionMode, v.Messages.ProcessingOrder = "Disabled", "OSDefault", "LIFO"
	v.Messages.WorkHoursStart, v.Messages.WorkHoursEnd = "09:00", "19:00"
	v.Messages.LogLifetime, v.Logs.Lifetime = 720*time.Hour, 720*time.Hour
	v.Receiver.ContentProviderEnabled, v.Webhooks.InternetRequired, v.Webhooks.RetryCount = true, true, 15
	room := settings.New(v, nil)
	st, err := store.Open(filepath.Join(t.TempDir(), "s.db"), store.Options{}, room)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() }) // the test may have closed it
	return room, st
}

func startSettings(t *testing.T) (*server, *store.Store) {
	room, st := settingsRoom(t)
	return start(t, func(o *httpapi.Options) { o.Settings = room }), st
}

// The answers as they are on the wire, member by member.
const (
	defaultMessages = `{"limit_period":"Disabled","limit_value":0,"log_lifetime_days":30,"processing_order":"LIFO","send_interval_min":0,` +
		`"sim_selection_mode":"OSDefault","work_hours_enabled":false,"work_hours_end":"19:00","work_hours_start":"09:00"}`
	defaultSettings = `{"encryption":{},"gateway":{"notification_channel":"AUTO"},"logs":{"lifetime_days":30},"messages":` + defaultMessages +
		`,"ping":{},"receiver":{"content_provider_enabled":true},"webhooks":{"internet_required":true,"retry_count":15}}`
)

func TestSettings(t *testing.T) {
	s, _ := startSettings(t)
	for _, prefix := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		got := s.do("GET", prefix+"/settings", "")
		got.want(t, 200, defaultSettings)
		if kind := got.header.Get("Content-Type"); kind != "application/json" {
			t.Errorf("Content-Type %q", kind)
		}
	}
	s.do("GET", "/settings", "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
}

// PATCH changes what it has, PUT takes back what it has not; both answer with everything but secrets.
func TestChangeSettings(t *testing.T) {
	s, _ := startSettings(t)
	patched := strings.Replace(defaultSettings, `"ping":{}`, `"ping":{"interval_seconds":60}`, 1)
	patched = strings.Replace(patched, `"limit_value":0`, `"limit_value":5`, 1)
	got := s.do("PATCH", "/settings", `{"ping":{"interval_seconds":60},"messages":{"limit_value":"5.0","sendIntervalMin":3},"battery":7,`+
		`"encryption":{"passphrase":"5ECRET"},"gateway":{"private_token":"5ECRET"},"webhooks":{"signing_key":"5ECRET"}}`)
	got.want(t, 200, patched)
	s.do("GET", "/settings", "").want(t, 200, patched)

	got = s.do("PATCH", "/settings", `{"messages":null}`)
	got.want(t, 200, strings.Replace(defaultSettings, `"ping":{}`, `"ping":{"interval_seconds":60}`, 1))

	got = s.do("PUT", "/settings", `{"logs":{"lifetime_days":2}}`)
	got.want(t, 200, strings.Replace(defaultSettings, `"lifetime_days":30`, `"lifetime_days":2`, 1))
	s.do("PUT", "/settings", `{}`).want(t, 200, defaultSettings)
	if all := s.log.String(); strings.Contains(all, "5ECRET") {
		t.Errorf("the log has a secret: %s", all)
	}
}

// Every key as clients may write it passes openapi.yaml, and comes back.
func TestEverySetting(t *testing.T) {
	s, _ := startSettings(t)
	const body = `{"encryption":{"passphrase":"a"},` +
		`"gateway":{"cloud_url":"https://sms.example/mobile/v1","notification_channel":"SSE_ONLY","private_token":"b"},` +
		`"logs":{"lifetime_days":36500},` +
		`"messages":{"limit_period":"Per30Minutes","limit_value":2147483647,"log_lifetime_days":1,"processing_order":"FIFO","send_interval_max":9,` +
		`"send_interval_min":9,"sim_selection_mode":"Random","work_hours_enabled":true,"work_hours_end":"00:00","work_hours_start":"23:59"},` +
		`"ping":{"interval_seconds":1},"receiver":{"content_provider_enabled":false},` +
		`"webhooks":{"internet_required":false,"retry_count":1,"signing_key":"c"}}`
	shown := strings.NewReplacer(`"passphrase":"a"`, ``, `,"private_token":"b"`, ``, `,"signing_key":"c"`, ``).Replace(body)
	s.do("PUT", "/settings", body).want(t, 200, shown)
	s.do("PUT", "/settings", shown).want(t, 200, shown)
	const nulls = `{"encryption":{"passphrase":null},"gateway":{"cloud_url":null,"notification_channel":null,"private_token":null},` +
		`"logs":{"lifetime_days":null},"messages":{"limit_period":null,"limit_value":null,"log_lifetime_days":null,"processing_order":null,` +
		`"send_interval_max":null,"send_interval_min":null,"sim_selection_mode":null,"work_hours_enabled":null,"work_hours_end":null,` +
		`"work_hours_start":null},"ping":{"interval_seconds":null},"receiver":{"content_provider_enabled":null},` +
		`"webhooks":{"internet_required":null,"retry_count":null,"signing_key":null}}`
	s.do("PATCH", "/settings", nulls).want(t, 200, defaultSettings)
	s.do("PUT", "/settings", body).want(t, 200, shown)
	s.do("PATCH", "/settings", `{"encryption":null,"gateway":null,"logs":null,"messages":null,"ping":null,"receiver":null,"webhooks":null}`).want(t, 200, defaultSettings)
}

func TestSettingsRefuses(t *testing.T) {
	s, _ := startSettings(t)
	tests := []struct{ body, message string }{
		{`{"messages":{"limit_value":-1}}`, "Invalid request: Failed to import messages: Limit value must be \\u003e= 0"},
		{`{"webhooks":{"retry_count":0}}`, "Invalid request: Failed to import webhooks: Retry count must be \\u003e= 1"},
		{`{"messages":{"send_interval_min":5,"send_interval_max":4}}`,
			"Invalid request: Failed to import messages: sendIntervalMax must be greater than or equal to sendIntervalMin"},
		{`{"messages":7}`, "Invalid request: Failed to import messages: messages must be an object"},
		{`{"ping":{},"ping":{}}`, "Invalid request: Failed to import ping: ping must not occur twice"},
		{`{"logs":{"lifetime_days":1},"ping":{"interval_seconds":0}}`, "Invalid request: Failed to import ping: Interval seconds must be \\u003e= 1"},
		{`[]`, "body: must be a JSON object"},
		{`null`, "body: must be a JSON object"},
		{``, "body: must be JSON: unexpected end of JSON input at byte 0"},
		{`{"ping":`, "body: must be JSON: unexpected end of JSON input at byte 8"},
		{"{\"encryption\":{\"passphrase\":\"\xff\"}}", "body: must be UTF-8"},
	}
	for _, method := range []string{"PATCH", "PUT"} {
		for _, tt := range tests {
			t.Run(method+" "+tt.body, func(t *testing.T) {
				s.do(method, "/settings", tt.body, "Content-Type", "application/json").wantMessage(t, 400, tt.message)
			})
		}
		s.do(method, "/settings", `{}`, "Content-Type", "text/plain").wantMessage(t, 400, "Content-Type: must be application/json")
		s.do(method, "/settings", `{}`, "Content-Type", "").wantMessage(t, 400, "Content-Type: must be application/json")
		s.do(method, "/settings", `{}`, "Content-Encoding", "gzip").wantMessage(t, 415, "Content-Encoding: not supported, send the body uncompressed")
	}
	s.do("GET", "/settings", "").want(t, 200, defaultSettings)
}

// Nothing is acknowledged that is not stored.
func TestSettingsStoreFails(t *testing.T) {
	s, st := startSettings(t)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.do("PATCH", "/settings", `{"ping":{"interval_seconds":5}}`)
	got.wantMessage(t, 503, "the message store is unavailable; nothing was changed, try again")
	if after := got.header.Get("Retry-After"); after != "5" {
		t.Errorf("Retry-After %q", after)
	}
	s.do("GET", "/settings", "").want(t, 200, defaultSettings)
}

// brokenSettings fails with what belongs to nobody but the log.
type brokenSettings struct{ httpapi.Settings }

func (brokenSettings) Replace(context.Context, json.RawMessage) error {
	return errors.New("disk of the secret project is full")
}

func TestSettingsHideTheCause(t *testing.T) {
	room, _ := settingsRoom(t)
	s := start(t, func(o *httpapi.Options) { o.Settings = brokenSettings{room} })
	s.do("PUT", "/settings", `{}`).wantMessage(t, 503, "the message store is unavailable; nothing was changed, try again")
	if !strings.Contains(s.log.String(), "disk of the secret project is full") {
		t.Error("the log lacks the cause")
	}
}
