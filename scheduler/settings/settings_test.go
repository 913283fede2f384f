package settings_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dongled/scheduler/settings"
	"dongled/scheduler/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

// configured are defaults as the daemon's configuration has them, with a signing key and a passphrase.
func configured() (v settings.Values) {
	v.Encryption.Passphrase = "configured passphrase"
	v.Gateway.NotificationChannel = "AUTO"
	v.Messages.LimitPeriod, v.Messages.SIMSelectionMode, v.Messages.ProcessingOrder = "Disabled", "OSDefault", "LIFO"
	v.Messages.LogLifetime = 720 * time.Hour
	v.Messages.WorkHoursStart, v.Messages.WorkHoursEnd = "09:00", "19:00"
	v.Logs.Lifetime = 720 * time.Hour
	v.Receiver.ContentProviderEnabled = true
	v.Webhooks.InternetRequired, v.Webhooks.RetryCount, v.Webhooks.SigningKey = true, 15, "configured key"
	return v
}

// defaults is what clients see of configured.
const defaults = `{
	"encryption": {},
	"gateway": {"notification_channel": "AUTO"},
	"messages": {
		"send_interval_min": 0, "limit_period": "Disabled", "limit_value": 0, "sim_selection_mode": "OSDefault",
		"log_lifetime_days": 30, "processing_order": "LIFO",
		"work_hours_enabled": false, "work_hours_start": "09:00", "work_hours_end": "19:00"
	},
	"ping": {},
	"logs": {"lifetime_days": 30},
	"receiver": {"content_provider_enabled": true},
	"webhooks": {"internet_required": true, "retry_count": 15}
}`

// fixture is the room on a store of its own.
type fixture struct {
	testing.TB
	*settings.Settings
	path  string
	store *store.Store
	log   bytes.Buffer
}

func open(t testing.TB, defaults settings.Values) *fixture {
	t.Helper()
	f := &fixture{TB: t, path: filepath.Join(t.TempDir(), "s.db")}
	f.start(defaults)
	t.Cleanup(f.stop)
	return f
}

func (f *fixture) start(defaults settings.Values) {
	f.Helper()
	f.Settings = settings.New(defaults, slog.New(slog.NewTextHandler(&f.log, nil)))
	var err error
	if f.store, err = store.Open(f.path, store.Options{}, f.Settings); err != nil {
		f.Fatal(err)
	}
	if err := f.store.Do(ctx, func(t *store.Tx) error { t.DB().NoSync = true; return nil }); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) stop() {
	if err := f.store.Close(); err != nil {
		f.Error(err)
	}
}

func (f *fixture) reopen(defaults settings.Values) {
	f.Helper()
	f.stop()
	f.start(defaults)
}

func (f *fixture) patch(body string) {
	f.Helper()
	if err := f.Patch(ctx, json.RawMessage(body)); err != nil {
		f.Fatalf("PATCH %s: %v", body, err)
	}
}

func (f *fixture) put(body string) {
	f.Helper()
	if err := f.Replace(ctx, json.RawMessage(body)); err != nil {
		f.Fatalf("PUT %s: %v", body, err)
	}
}

// shows expects the public settings to be the defaults, but for what a section of other has.
func (f *fixture) shows(other string) {
	f.Helper()
	var want, change map[string]map[string]any
	decode(f, defaults, &want)
	decode(f, other, &change)
	for section, members := range change {
		for name, value := range members {
			if want[section][name] = value; value == nil {
				delete(want[section], name)
			}
		}
	}
	var got any
	decode(f, string(f.Public()), &got)
	if g, w := encode(f, got), encode(f, want); g != w {
		f.Errorf("shows %s\nwant  %s", g, w)
	}
}

func decode(t testing.TB, s string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), into); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
}

func encode(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestDefaultsAreTheConfiguration(t *testing.T) {
	f := open(t, configured())
	f.shows(`{}`)
	if got := f.Values(); got != configured() {
		t.Errorf("values %+v", got)
	}
}

// What is off is left out, what is in smaller units rounded up, and what no client could set not shown.
func TestConfigurationInOtherUnits(t *testing.T) {
	v := configured()
	v.Messages.SendIntervalMin, v.Messages.SendIntervalMax = 500*time.Millisecond, 2*time.Second
	v.Messages.LogLifetime, v.Logs.Lifetime = 36*time.Hour, 0
	v.Ping.Interval = 90 * time.Second
	v.Gateway.CloudURL, v.Gateway.PrivateToken = "http://plain.example/mobile/v1", "token"
	v.Messages.LimitPeriod, v.Messages.LimitValue = "Per30Minutes", 5
	f := open(t, v)
	f.shows(`{"messages":{"send_interval_min":1,"send_interval_max":2,"log_lifetime_days":2,"limit_period":"Per30Minutes","limit_value":5},
		"logs":{"lifetime_days":null},"ping":{"interval_seconds":90}}`)
	if got := f.Values(); got != v {
		t.Errorf("values %+v\nwant   %+v", got, v)
	}
	v.Messages.LogLifetime = 106751 * 24 * time.Hour // as much as the configuration takes
	f.reopen(v)
	f.shows(`{"messages":{"send_interval_min":1,"send_interval_max":2,"log_lifetime_days":36500,"limit_period":"Per30Minutes","limit_value":5},
		"logs":{"lifetime_days":null},"ping":{"interval_seconds":90}}`)
}

// every sets every key away from its default.
const every = `{
	"encryption": {"passphrase": "s3cret words"},
	"gateway": {"cloud_url": "https://sms.example/mobile/v1", "private_token": "t0ken", "notification_channel": "SSE_ONLY"},
	"messages": {
		"send_interval_min": 3, "send_interval_max": 7, "limit_period": "PerHour", "limit_value": 20,
		"sim_selection_mode": "RoundRobin", "log_lifetime_days": 5, "processing_order": "FIFO",
		"work_hours_enabled": true, "work_hours_start": "22:15", "work_hours_end": "06:00"
	},
	"ping": {"interval_seconds": 60},
	"logs": {"lifetime_days": 1},
	"receiver": {"content_provider_enabled": false},
	"webhooks": {"internet_required": false, "retry_count": 2, "signing_key": "k3y"}
}`

func everyValue() (v settings.Values) {
	v.Encryption.Passphrase = "s3cret words"
	v.Gateway.CloudURL, v.Gateway.PrivateToken, v.Gateway.NotificationChannel = "https://sms.example/mobile/v1", "t0ken", "SSE_ONLY"
	v.Messages.SendIntervalMin, v.Messages.SendIntervalMax = 3*time.Second, 7*time.Second
	v.Messages.LimitPeriod, v.Messages.LimitValue = "PerHour", 20
	v.Messages.SIMSelectionMode, v.Messages.ProcessingOrder = "RoundRobin", "FIFO"
	v.Messages.LogLifetime = 120 * time.Hour
	v.Messages.WorkHours, v.Messages.WorkHoursStart, v.Messages.WorkHoursEnd = true, "22:15", "06:00"
	v.Ping.Interval, v.Logs.Lifetime = time.Minute, 24*time.Hour
	v.Webhooks.RetryCount, v.Webhooks.SigningKey = 2, "k3y"
	return v
}

// secretsOut takes from every what clients never see again.
var secretsOut = strings.NewReplacer(
	`"encryption": {"passphrase": "s3cret words"},`, ``, `"private_token": "t0ken", `, ``, `, "signing_key": "k3y"`, ``)

func TestEveryKey(t *testing.T) {
	for name, set := range map[string]func(*fixture, string){"PATCH": (*fixture).patch, "PUT": (*fixture).put} {
		t.Run(name, func(t *testing.T) {
			f := open(t, configured())
			set(f, every)
			for _, when := range []string{"at once", "after a restart"} {
				f.shows(secretsOut.Replace(every))
				if got := f.Values(); got != everyValue() {
					t.Errorf("%s: values %+v\nwant %+v", when, got, everyValue())
				}
				f.reopen(configured())
			}
			if all := f.log.String(); all != "" {
				t.Errorf("the log has %s", all)
			}
		})
	}
}

// TestPatch has one change after every a row, and what it makes of the messages or other sections.
func TestPatch(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"one key", `{"messages":{"limit_value":3}}`, `{"messages":{"limit_value":3}}`},
		{"nothing", ` {} `, `{}`},
		{"a section without keys", `{"messages":{}}`, `{}`},
		{"null key", `{"messages":{"limit_value":null,"send_interval_max":null}}`, `{"messages":{"limit_value":0,"send_interval_max":null}}`},
		{"null section", `{"ping":null,"webhooks":null}`, `{"ping":{"interval_seconds":null},"webhooks":{"internet_required":true,"retry_count":15}}`},
		{"unknown section", `{"battery":{"level":1},"Ping":null}`, `{}`},
		{"unknown section of another shape", `{"battery":[1]}`, `{}`},
		{"unknown key", `{"ping":{"seconds":1,"Interval_seconds":2},"webhooks":{"max_history_size":5}}`, `{}`},
		{"npm's names", `{"messages":{"sendIntervalMin":9,"limitValue":1}}`, `{}`},
		{"unknown twice", `{"x":1,"x":2,"ping":{"y":1,"y":2}}`, `{}`},
		{"whole floats", `{"messages":{"limit_value":5.0,"send_interval_max":1e1},"ping":{"interval_seconds":-0.5e1}}`, ``},
		{"float", `{"messages":{"limit_value":5.0,"send_interval_max":1e1}}`, `{"messages":{"limit_value":5,"send_interval_max":10}}`},
		{"strings of numbers", `{"messages":{"limit_value":"5.0","send_interval_max":"10"}}`, `{"messages":{"limit_value":5,"send_interval_max":10}}`},
		{"edges", `{"messages":{"limit_value":2147483647,"log_lifetime_days":36500,"send_interval_min":0,"send_interval_max":2147483647}}`,
			`{"messages":{"limit_value":2147483647,"log_lifetime_days":36500,"send_interval_min":0,"send_interval_max":2147483647}}`},
		{"no pause", `{"messages":{"send_interval_max":0}}`, `{"messages":{"send_interval_max":null}}`},
		{"equal interval", `{"messages":{"send_interval_min":7}}`, `{"messages":{"send_interval_min":7}}`},
		{"an ampersand", `{"gateway":{"cloud_url":"https://a.example/?a=1&b=<2>"}}`, `{"gateway":{"cloud_url":"https://a.example/?a=1&b=<2>"}}`},
		{"period of thirty minutes", `{"messages":{"limit_period":"Per30Minutes"}}`, `{"messages":{"limit_period":"Per30Minutes"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := open(t, configured())
			f.patch(every)
			err := f.Patch(ctx, json.RawMessage(tt.body))
			if refused := err != nil; refused != (tt.want == "") {
				t.Fatalf("error %v", err)
			}
			f.shows(merged(t, secretsOut.Replace(every), tt.want))
		})
	}
}

// merged lays the members of b over those of a.
func merged(t *testing.T, a, b string) string {
	t.Helper()
	var whole, change map[string]map[string]any
	decode(t, a, &whole)
	if b != "" {
		decode(t, b, &change)
	}
	for section, members := range change {
		for name, value := range members {
			whole[section][name] = value
		}
	}
	return encode(t, whole)
}

func TestReplace(t *testing.T) {
	f := open(t, configured())
	f.patch(every)
	f.put(`{"ping":{"interval_seconds":5},"messages":{"limit_value":null},"logs":null}`)
	f.shows(`{"ping":{"interval_seconds":5}}`)
	want := configured() // secrets go back too
	want.Ping.Interval = 5 * time.Second
	if got := f.Values(); got != want {
		t.Errorf("values %+v\nwant   %+v", got, want)
	}
	f.put(`{}`)
	f.shows(`{}`)
}

// A secret goes back to the configuration's like anything else; an empty passphrase is one that is set.
func TestSecrets(t *testing.T) {
	f := open(t, configured())
	f.patch(`{"encryption":{"passphrase":""},"webhooks":{"signing_key":"k"}}`)
	if v := f.Values(); v.Encryption.Passphrase != "" || v.Webhooks.SigningKey != "k" {
		t.Errorf("set: %q %q", v.Encryption.Passphrase, v.Webhooks.SigningKey)
	}
	f.patch(`{"encryption":{"passphrase":null},"webhooks":{"signing_key":null}}`)
	if got := f.Values(); got != configured() {
		t.Errorf("reset: %+v", got)
	}
}

// A key of webhooks is always there: the client's, else the configuration's, else one of its own that
// does not change.
func TestSigningKey(t *testing.T) {
	v := configured()
	v.Webhooks.SigningKey = ""
	f, other := open(t, v), open(t, v)
	own := f.Values().Webhooks.SigningKey
	if len(own) != 21 || strings.Trim(own, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		t.Errorf("key %q", own)
	}
	if other.Values().Webhooks.SigningKey == own {
		t.Error("two gateways made the same key")
	}
	expect := func(when, want string) {
		t.Helper()
		if got := f.Values().Webhooks.SigningKey; got != want {
			t.Errorf("%s the key is %q, want %q", when, got, want)
		}
	}
	f.reopen(v)
	expect("after a restart", own)
	f.patch(`{"webhooks":{"signing_key":"set"}}`)
	f.reopen(v)
	expect("set", "set")
	f.reopen(configured())
	expect("set and configured", "set")
	f.put(`{}`)
	expect("configured", "configured key")
	f.reopen(v)
	expect("on its own again", own)
}

func TestFaults(t *testing.T) {
	tests := []struct{ body, key, problem string }{
		{``, "body", "the settings must be a JSON object"},
		{`[]`, "body", "the settings must be a JSON object"},
		{`null`, "body", "the settings must be a JSON object"},
		{`{"ping":{}`, "body", "the settings must be a JSON object"},
		{`{} {}`, "body", "the settings must be a JSON object"},
		{`{"messages":5}`, "messages", "messages must be an object"},
		{`{"messages":[{}]}`, "messages", "messages must be an object"},
		{`{"ping":{},"ping":{}}`, "ping", "ping must not occur twice"},
		{`{"ping":null,"ping":null}`, "ping", "ping must not occur twice"},
		{`{"ping":{"interval_seconds":1,"interval_seconds":1}}`, "ping.interval_seconds", "Interval seconds must not occur twice"},
		{`{"ping":{"interval_seconds":null,"interval_seconds":1}}`, "ping.interval_seconds", "Interval seconds must not occur twice"},
		{`{"ping":{"interval_seconds":0}}`, "ping.interval_seconds", "Interval seconds must be >= 1"},
		{`{"messages":{"limit_value":-1}}`, "messages.limit_value", "Limit value must be >= 0"},
		{`{"messages":{"limit_value":2147483648}}`, "messages.limit_value", "Limit value must be <= 2147483647"},
		{`{"messages":{"limit_value":1e999}}`, "messages.limit_value", "Limit value must be <= 2147483647"},
		{`{"messages":{"limit_value":1.5}}`, "messages.limit_value", "Limit value must be a whole number"},
		{`{"messages":{"limit_value":true}}`, "messages.limit_value", "Limit value must be a whole number"},
		{`{"messages":{"limit_value":""}}`, "messages.limit_value", "Limit value must be a whole number"},
		{`{"messages":{"limit_value":"0x10"}}`, "messages.limit_value", "Limit value must be a whole number"},
		{`{"messages":{"limit_value":"NaN"}}`, "messages.limit_value", "Limit value must be a whole number"},
		{`{"messages":{"limit_value":"Infinity"}}`, "messages.limit_value", "Limit value must be a whole number"},
		{`{"messages":{"limit_value":"e"}}`, "messages.limit_value", "Limit value must be a whole number"},
		{`{"messages":{"send_interval_min":-1}}`, "messages.send_interval_min", "Send interval min must be >= 0"},
		{`{"messages":{"log_lifetime_days":0}}`, "messages.log_lifetime_days", "Log lifetime days must be >= 1"},
		{`{"messages":{"log_lifetime_days":36501}}`, "messages.log_lifetime_days", "Log lifetime days must be <= 36500"},
		{`{"logs":{"lifetime_days":0}}`, "logs.lifetime_days", "Lifetime days must be >= 1"},
		{`{"messages":{"limit_period":"PerYear"}}`, "messages.limit_period", "Limit period must be one of Disabled, PerMinute, Per30Minutes, PerHour, PerDay"},
		{`{"messages":{"limit_period":1}}`, "messages.limit_period", "Limit period must be a string"},
		{`{"messages":{"sim_selection_mode":"random"}}`, "messages.sim_selection_mode", "Sim selection mode must be one of OSDefault, RoundRobin, Random"},
		{`{"messages":{"processing_order":""}}`, "messages.processing_order", "Processing order must be one of LIFO, FIFO"},
		{`{"messages":{"work_hours_enabled":"true"}}`, "messages.work_hours_enabled", "Work hours enabled must be true or false"},
		{`{"messages":{"work_hours_start":"9:00"}}`, "messages.work_hours_start", "Work hours start must be HH:mm, such as 09:00"},
		{`{"messages":{"work_hours_end":"24:00"}}`, "messages.work_hours_end", "Work hours end must be HH:mm, such as 09:00"},
		{`{"gateway":{"cloud_url":"http://a.example"}}`, "gateway.cloud_url", "Cloud url must be an https URL without a password"},
		{`{"gateway":{"cloud_url":"https://u:p@a.example"}}`, "gateway.cloud_url", "Cloud url must be an https URL without a password"},
		{`{"gateway":{"cloud_url":"https:///x"}}`, "gateway.cloud_url", "Cloud url must be an https URL without a password"},
		{`{"gateway":{"notification_channel":"PUSH"}}`, "gateway.notification_channel", "Notification channel must be one of AUTO, SSE_ONLY"},
		{`{"gateway":{"private_token":{}}}`, "gateway.private_token", "Private token must be a string"},
		{`{"encryption":{"passphrase":"` + strings.Repeat("ü", 1025) + `"}}`, "encryption.passphrase", "Passphrase must have at most 1024 characters"},
		{`{"receiver":{"content_provider_enabled":1}}`, "receiver.content_provider_enabled", "Content provider enabled must be true or false"},
		{`{"webhooks":{"retry_count":0}}`, "webhooks.retry_count", "Retry count must be >= 1"},
		{`{"webhooks":{"signing_key":""}}`, "webhooks.signing_key", "Signing key must not be empty"},
		{`{"messages":{"send_interval_min":5,"send_interval_max":4}}`, "messages.send_interval_max", "sendIntervalMax must be greater than or equal to sendIntervalMin"},
		{`{"messages":{"send_interval_min":8}}`, "messages.send_interval_max", "sendIntervalMax must be greater than or equal to sendIntervalMin"},
	}
	f := open(t, configured())
	f.patch(`{"messages":{"send_interval_max":7}}`)
	f.OnChange(func(v settings.Values) {
		if v.Messages.LimitValue != 0 || v.Ping.Interval != 0 {
			t.Errorf("told of %+v", v)
		}
	})
	for _, tt := range tests {
		// What is right beside a fault must not be taken.
		bodies := []string{tt.body}
		if strings.HasPrefix(tt.body, `{"`) && strings.HasSuffix(tt.body, "}") && tt.key != "body" {
			bodies = append(bodies, `{"logs":{"lifetime_days":9},`+tt.body[1:])
		}
		for _, body := range bodies {
			if strings.Count(body, `"logs"`) > 1 {
				continue
			}
			for name, change := range map[string]func(context.Context, json.RawMessage) error{"PATCH": f.Patch, "PUT": f.Replace} {
				if name == "PUT" && tt.body == `{"messages":{"send_interval_min":8}}` {
					continue // without the maximum before it is right
				}
				var fault *settings.Fault
				err := change(ctx, json.RawMessage(body))
				if !errors.As(err, &fault) || fault.Key != tt.key || fault.Problem != tt.problem {
					t.Errorf("%s %s\ngot  %v\nwant %s: %s", name, body, err, tt.key, tt.problem)
				}
			}
		}
	}
	f.shows(`{"messages":{"send_interval_max":7}}`)
	f.reopen(configured())
	f.shows(`{"messages":{"send_interval_max":7}}`)
}

// A fault shows nothing of a secret.
func TestFaultsKeepSecrets(t *testing.T) {
	f := open(t, configured())
	for _, body := range []string{
		`{"encryption":{"passphrase":["5ECRET"]}}`, `{"encryption":"5ECRET"}`, `{"gateway":{"private_token":{"a":"5ECRET"}}}`,
		`{"gateway":{"cloud_url":"https://a:5ECRET@x.example"}}`, `{"webhooks":{"signing_key":"5ECRET","signing_key":"5ECRET"}}`, `"5ECRET"`,
	} {
		err := f.Patch(ctx, json.RawMessage(body))
		if err == nil || strings.Contains(err.Error(), "5ECRET") {
			t.Errorf("%s: %v", body, err)
		}
	}
	if all := f.log.String(); strings.Contains(all, "5ECRET") {
		t.Errorf("the log has it: %s", all)
	}
}
