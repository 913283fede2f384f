package settings

import (
	"slices"
	"strings"
	"time"
)

// setting is one key of the wire: where it stands, what it may be, and where it is kept in Values.
type setting struct {
	section, name string
	kind          kind
	// secret ones are taken and never shown; optional ones are not shown while they are off.
	secret, optional bool
}

// table has the settings, section by section.
var table = []*setting{
	{section: "encryption", name: "passphrase", secret: true,
		kind: text{at: func(v *Values) *string { return &v.Encryption.Passphrase }}},
	{section: "gateway", name: "cloud_url", optional: true,
		kind: text{at: func(v *Values) *string { return &v.Gateway.CloudURL }, problem: urlProblem}},
	{section: "gateway", name: "private_token", secret: true,
		kind: text{at: func(v *Values) *string { return &v.Gateway.PrivateToken }}},
	{section: "gateway", name: "notification_channel",
		kind: word(func(v *Values) *string { return &v.Gateway.NotificationChannel }, "AUTO", "SSE_ONLY")},
	{section: "messages", name: "send_interval_min",
		kind: length{at: func(v *Values) *time.Duration { return &v.Messages.SendIntervalMin }, unit: time.Second}},
	{section: "messages", name: "send_interval_max", optional: true,
		kind: length{at: func(v *Values) *time.Duration { return &v.Messages.SendIntervalMax }, unit: time.Second}},
	{section: "messages", name: "limit_period",
		kind: word(func(v *Values) *string { return &v.Messages.LimitPeriod }, "Disabled", "PerMinute", "Per30Minutes", "PerHour", "PerDay")},
	{section: "messages", name: "limit_value",
		kind: number{at: func(v *Values) *int { return &v.Messages.LimitValue }}},
	{section: "messages", name: "sim_selection_mode",
		kind: word(func(v *Values) *string { return &v.Messages.SIMSelectionMode }, "OSDefault", "RoundRobin", "Random")},
	{section: "messages", name: "log_lifetime_days", optional: true,
		kind: length{at: func(v *Values) *time.Duration { return &v.Messages.LogLifetime }, unit: day, least: 1}},
	{section: "messages", name: "processing_order",
		kind: word(func(v *Values) *string { return &v.Messages.ProcessingOrder }, "LIFO", "FIFO")},
	{section: "messages", name: "work_hours_enabled",
		kind: flag{at: func(v *Values) *bool { return &v.Messages.WorkHours }}},
	{section: "messages", name: "work_hours_start",
		kind: text{at: func(v *Values) *string { return &v.Messages.WorkHoursStart }, problem: clockProblem}},
	{section: "messages", name: "work_hours_end",
		kind: text{at: func(v *Values) *string { return &v.Messages.WorkHoursEnd }, problem: clockProblem}},
	{section: "ping", name: "interval_seconds", optional: true,
		kind: length{at: func(v *Values) *time.Duration { return &v.Ping.Interval }, unit: time.Second, least: 1}},
	{section: "logs", name: "lifetime_days", optional: true,
		kind: length{at: func(v *Values) *time.Duration { return &v.Logs.Lifetime }, unit: day, least: 1}},
	{section: "receiver", name: "content_provider_enabled",
		kind: flag{at: func(v *Values) *bool { return &v.Receiver.ContentProviderEnabled }}},
	{section: "webhooks", name: "internet_required",
		kind: flag{at: func(v *Values) *bool { return &v.Webhooks.InternetRequired }}},
	{section: "webhooks", name: "retry_count",
		kind: number{at: func(v *Values) *int { return &v.Webhooks.RetryCount }, least: 1}},
	{section: "webhooks", name: "signing_key", secret: true,
		kind: text{at: func(v *Values) *string { return &v.Webhooks.SigningKey }, problem: emptyProblem}},
}

// sections are those of the table.
var sections = func() (names []string) {
	for _, s := range table {
		if !slices.Contains(names, s.section) {
			names = append(names, s.section)
		}
	}
	return names
}()

func find(section, name string) *setting {
	i := slices.IndexFunc(table, func(s *setting) bool { return s.section == section && s.name == name })
	if i < 0 {
		return nil
	}
	return table[i]
}

func (s *setting) key() string { return s.section + "." + s.name }

// fault is SMSGate's sentence: "Limit value must be >= 0" for limit_value.
func (s *setting) fault(problem string) *Fault {
	label := strings.ReplaceAll(s.name, "_", " ")
	return &Fault{s.key(), strings.ToUpper(label[:1]) + label[1:] + " " + problem}
}

// interval are the keys that check compares.
var interval = []string{"messages.send_interval_max", "messages.send_interval_min"}

// check finds what is wrong between settings that are right each by itself. The rule is SMSGate's;
// without a maximum there is no pause, whatever the minimum.
func check(v Values) *Fault {
	if m := v.Messages; m.SendIntervalMax > 0 && m.SendIntervalMin > m.SendIntervalMax {
		return &Fault{interval[0], "sendIntervalMax must be greater than or equal to sendIntervalMin"}
	}
	return nil
}
