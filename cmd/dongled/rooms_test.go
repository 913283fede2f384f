package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"dongled/configs"
	"dongled/scheduler"
	"dongled/scheduler/queue"
	"dongled/scheduler/settings"
)

// everySetting sets all that clients may change over the API.
const everySetting = `
messages: {processing_order: FIFO, sim_selection_mode: Random, send_interval_min: 2, send_interval_max: 3,
  limit_period: PerHour, limit_value: 5, retention: 8d, work_hours_enabled: true, work_hours_start: 22:30, work_hours_end: 06:05}
encryption: {passphrase: correct horse}
webhooks: {retry_count: 4, signing_key: key, internet_required: true}
ping: {interval: 9m}
logs: {lifetime: 10d}
uplink: {url: 'https://sms.example/api/mobile/v1', private_token: token}
`

func loadConfig(t *testing.T, yaml string) configs.Config {
	t.Helper()
	e, err := configs.Load(configs.Sources{YAML: []byte(yaml)})
	if err != nil {
		t.Fatal(err)
	}
	return e.Config
}

// TestSettingsDefaults: every setting that the configuration has arrives, none of them forgotten.
func TestSettingsDefaults(t *testing.T) {
	got, err := settingsDefaults(loadConfig(t, everySetting))
	if err != nil {
		t.Fatal(err)
	}
	var want settings.Values
	want.Encryption.Passphrase = "correct horse"
	want.Gateway.CloudURL, want.Gateway.PrivateToken = "https://sms.example/api/mobile/v1", "token"
	want.Gateway.NotificationChannel = "AUTO"
	want.Messages.SendIntervalMin, want.Messages.SendIntervalMax = 2*time.Second, 3*time.Second
	want.Messages.LimitPeriod, want.Messages.LimitValue = "PerHour", 5
	want.Messages.SIMSelectionMode, want.Messages.ProcessingOrder = "Random", "FIFO"
	want.Messages.LogLifetime = 192 * time.Hour
	want.Messages.WorkHours, want.Messages.WorkHoursStart, want.Messages.WorkHoursEnd = true, "22:30", "06:05"
	want.Ping.Interval, want.Logs.Lifetime = 9*time.Minute, 240*time.Hour
	want.Receiver.ContentProviderEnabled = true
	want.Webhooks.InternetRequired, want.Webhooks.RetryCount, want.Webhooks.SigningKey = true, 4, "key"
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, key := range unset("", reflect.ValueOf(got)) {
		t.Errorf("nothing sets %s", key)
	}
}

// unset are the fields that have their zero value.
func unset(name string, v reflect.Value) (names []string) {
	if v.Kind() != reflect.Struct {
		if v.IsZero() {
			names = append(names, name)
		}
		return names
	}
	for i := range v.NumField() {
		names = append(names, unset(strings.TrimPrefix(name+"."+v.Type().Field(i).Name, "."), v.Field(i))...)
	}
	return names
}

// The line end after a passphrase is dropped, blanks are not.
func TestPassphraseFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passphrase")
	cfg := configs.Default()
	cfg.Encryption.PassphraseFile = file
	if _, err := settingsDefaults(cfg); err == nil || !strings.HasPrefix(err.Error(), "encryption.passphrase_file: open "+file) {
		t.Errorf("without the file: %v", err)
	}
	if err := os.WriteFile(file, []byte("correct horse \r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := settingsDefaults(cfg); err != nil || v.Encryption.Passphrase != "correct horse " {
		t.Errorf("passphrase %q, %v", v.Encryption.Passphrase, err)
	}
}

// TestPolicy: what settings say arrives at the scheduler; before any change it is the options' own.
func TestPolicy(t *testing.T) {
	cfg := loadConfig(t, everySetting)
	v, err := settingsDefaults(cfg)
	if err != nil {
		t.Fatal(err)
	}
	got, want := policy(v), scheduler.Policy{
		Selection: scheduler.Random, FIFO: true, IntervalMin: 2 * time.Second, IntervalMax: 3 * time.Second,
		Limit: queue.Limit{Count: 5, Period: time.Hour}, WorkHours: scheduler.WorkHours{Enabled: true, Start: 1350, End: 365},
		Retention: 192 * time.Hour,
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	o := schedulerOptions(cfg)
	if o.Selection != want.Selection || o.FIFO != want.FIFO || o.IntervalMin != want.IntervalMin || o.IntervalMax != want.IntervalMax ||
		o.Limit != want.Limit || o.WorkHours != want.WorkHours || o.Retention != want.Retention {
		t.Errorf("the options begin with %+v", o)
	}
}

func TestLimitOfSettings(t *testing.T) {
	for period, want := range map[string]time.Duration{
		"Disabled": 0, "PerMinute": time.Minute, "Per30Minutes": 30 * time.Minute, "PerHour": time.Hour, "PerDay": 24 * time.Hour,
	} {
		var v settings.Values
		v.Messages.LimitPeriod, v.Messages.LimitValue = period, 3
		limited := queue.Limit{Count: 3, Period: want}
		if want == 0 {
			limited = queue.Limit{}
		}
		if got := policy(v).Limit; got != limited {
			t.Errorf("3 %s: %+v", period, got)
		}
		v.Messages.LimitValue = 0
		if got := policy(v).Limit; got != (queue.Limit{}) {
			t.Errorf("0 %s: %+v", period, got)
		}
	}
}
