package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"dongled/configs"
	"dongled/httpapi/auth"
	"dongled/httpapi/uplink"
	"dongled/httpapi/webhook"
	"dongled/scheduler"
	"dongled/scheduler/inbox"
	"dongled/scheduler/logbook"
	"dongled/scheduler/outbox"
	"dongled/scheduler/queue"
	"dongled/scheduler/settings"
	"dongled/scheduler/store"
)

// rooms are those of the store that the scheduler does not know.
type rooms struct {
	settings *settings.Settings
	hooks    *webhook.Hooks
	auth     *auth.Auth
	logs     *logbook.Book
	uplink   *uplink.Uplink
	vendors  vendors
}

// newRooms makes them, and a logger that writes into the logbook too.
func newRooms(cfg configs.Config, log *slog.Logger) (rooms, *slog.Logger, error) {
	values, err := settingsDefaults(cfg)
	if err != nil {
		return rooms{}, nil, err
	}
	logs, screen := logbook.New(), log
	log = slog.New(logs.Handler(log.Handler()))
	u := cfg.Uplink
	r := rooms{
		settings: settings.New(values, log.With("component", "settings")),
		hooks: webhook.New(webhook.Options{
			AllowLAN: cfg.Webhooks.AllowLANHTTP, Version: buildVersion(), Log: log.With("component", "webhooks"),
		}),
		auth:    auth.New(auth.Options{AllowShort: cfg.Auth.AllowShortPasswords, Log: log.With("component", "auth")}),
		logs:    logs,
		vendors: newVendors(cfg, log),
	}
	r.uplink = uplink.New(uplink.Options{
		URL: u.URL, Name: u.Name, PrivateToken: u.PrivateToken, Username: u.Username, Password: u.Password, Code: u.Code,
		Version: buildVersion(), Log: log.With("component", "uplink"), Hooks: r.hooks, Settings: r.settings,
		Account: func(login, password string) {
			// Not into the logbook, which clients read.
			screen.Info("the server made an account for this gateway; its password is shown only this once",
				"username", login, "password", password)
		},
	})
	return r, log, nil
}

// tell has everybody hear of an event who has to.
func (r rooms) tell(t *store.Tx, e outbox.Event) {
	r.hooks.Tell(t, e)
	r.uplink.Tell(t, e)
}

func (r rooms) all() []store.Room {
	return append(r.vendors.rooms(), r.settings, r.hooks, r.auth, r.logs, r.uplink)
}

// export has webhooks told of a period of the inbox, as the SMSGate server above asks for it. Of types
// that are not known there is nothing to tell.
func (d *daemon) export(ctx context.Context, e uplink.Export) error {
	var kinds []inbox.Kind
	for _, name := range e.Types {
		if kind, ok := inbox.ParseKind(name); ok {
			kinds = append(kinds, kind)
		}
	}
	return d.sched.Inbox().Replay(ctx, inbox.Replay{Since: e.Since, Until: e.Until, Kinds: kinds, Batch: e.Batch})
}

// apply brings settings into effect, from open on.
func (d *daemon) apply(v settings.Values) {
	d.sched.SetPolicy(policy(v))
	d.sched.SetPassphrase(v.Encryption.Passphrase)
	d.rooms.logs.SetLifetime(v.Logs.Lifetime)
	d.server.SetPing(v.Ping.Interval)
	d.rooms.hooks.Configure(webhook.Policy{RetryCount: v.Webhooks.RetryCount, SigningKey: v.Webhooks.SigningKey})
}

// policy is what settings say of sending, in the scheduler's words.
func policy(v settings.Values) scheduler.Policy {
	m := v.Messages
	return scheduler.Policy{
		Selection: scheduler.Selection(m.SIMSelectionMode), FIFO: m.ProcessingOrder == string(configs.FIFO),
		IntervalMin: m.SendIntervalMin, IntervalMax: m.SendIntervalMax,
		Limit:     limit(configs.LimitPeriod(m.LimitPeriod), m.LimitValue),
		WorkHours: workHours(m.WorkHours, m.WorkHoursStart, m.WorkHoursEnd),
		Retention: m.LogLifetime,
	}
}

// limit is no limit where either half of it is missing, as with SMSGate.
func limit(period configs.LimitPeriod, count int) queue.Limit {
	if period == configs.Disabled || count == 0 {
		return queue.Limit{}
	}
	return queue.Limit{Count: count, Period: period.Window()}
}

func workHours(enabled bool, start, end string) scheduler.WorkHours {
	return scheduler.WorkHours{Enabled: enabled, Start: minutes(start), End: minutes(end)}
}

// minutes after midnight of a checked "HH:mm".
func minutes(clock string) int {
	var h, m int
	_, _ = fmt.Sscanf(clock, "%d:%d", &h, &m)
	return 60*h + m
}

// settingsDefaults are the settings as long as no client changed any.
func settingsDefaults(cfg configs.Config) (v settings.Values, err error) {
	v.Encryption.Passphrase = cfg.Encryption.Passphrase
	if file := cfg.Encryption.PassphraseFile; file != "" {
		kept, err := os.ReadFile(file)
		if err != nil {
			return v, fmt.Errorf("encryption.passphrase_file: %w", err)
		}
		v.Encryption.Passphrase = strings.TrimRight(string(kept), "\r\n")
	}
	v.Gateway.CloudURL, v.Gateway.PrivateToken, v.Gateway.NotificationChannel = cfg.Uplink.URL, cfg.Uplink.PrivateToken, "AUTO"
	m := cfg.Messages
	v.Messages.SendIntervalMin, v.Messages.SendIntervalMax = m.SendIntervalMin, m.SendIntervalMax
	v.Messages.LimitPeriod, v.Messages.LimitValue = string(m.LimitPeriod), m.LimitValue
	v.Messages.SIMSelectionMode, v.Messages.ProcessingOrder = string(m.SIMSelectionMode), string(m.ProcessingOrder)
	v.Messages.LogLifetime = m.Retention
	v.Messages.WorkHours, v.Messages.WorkHoursStart, v.Messages.WorkHoursEnd = m.WorkHoursEnabled, m.WorkHoursStart, m.WorkHoursEnd
	v.Ping.Interval, v.Logs.Lifetime, v.Receiver.ContentProviderEnabled = cfg.Ping.Interval, cfg.Logs.Lifetime, true
	w := cfg.Webhooks
	v.Webhooks.InternetRequired, v.Webhooks.RetryCount, v.Webhooks.SigningKey = w.InternetRequired, w.RetryCount, w.SigningKey
	return v, nil
}
