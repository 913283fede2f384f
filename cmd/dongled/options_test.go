package main

import (
	"reflect"
	"regexp"
	"testing"
	"time"

	"dongled/configs"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// TestSchedulerOptions: every setting arrives, and a modem's own quotas are the ones that count.
func TestSchedulerOptions(t *testing.T) {
	e, err := configs.Load(configs.Sources{YAML: []byte(`
messages: {processing_order: FIFO, sim_selection_mode: Random, send_interval_min: 2, send_interval_max: 3,
  limit_period: PerHour, limit_value: 5, max_parts: 6, on_unknown: retry, unknown_after: 7h, retention: 8d,
  work_hours_enabled: true, work_hours_start: 22:30, work_hours_end: 06:05, max_pending: 12, max_pending_age: 13h, max_failed: 14, max_failed_age: 15m}
inbox: {partial_after: 10h, retention: 11d}
phone: {default_region: DE}
quiet_hours: {start: 21:15, end: 07:00}
routes: [{prefix: +49, sims: [2, 1]}, {prefix: +, sims: [1]}]
quotas: {minute: {messages: 1}, hour: {parts: 2}, day: {recipients: 3}, month: {messages: 4}}
modems: [{sim: 1, port: /dev/ttyUSB0}, {sim: 2, port: /dev/ttyUSB1, balance: {code: '*100#', match: '(.*) EUR', every: 6h, below: 1.5}, quotas: {hour: {parts: 0}, month: {messages: 9}}}]
`)})
	if err != nil {
		t.Fatal(err)
	}
	general := queue.Quota{
		Minute: queue.Caps{Messages: 1}, Hour: queue.Caps{Parts: 2}, Day: queue.Caps{Recipients: 3}, Month: queue.Caps{Messages: 4},
	}
	want := scheduler.Options{
		Selection: scheduler.Random, IntervalMin: 2 * time.Second, IntervalMax: 3 * time.Second,
		Limit: queue.Limit{Count: 5, Period: time.Hour}, WorkHours: scheduler.WorkHours{Enabled: true, Start: 1350, End: 365},
		Limits: queue.Limits{MaxPending: 12, MaxPendingAge: 13 * time.Hour, MaxFailed: 14, MaxFailedAge: 15 * time.Minute},
		FIFO:   true, RetryUnknown: true, UnknownAfter: 7 * time.Hour,
		Inbox:    scheduler.Inbox{PartialAfter: 10 * time.Hour, Retention: 264 * time.Hour},
		MaxParts: 6, Retention: 192 * time.Hour, Region: "DE",
		QuietHours: scheduler.WorkHours{Enabled: true, Start: 1275, End: 420},
		Routes:     []scheduler.Route{{Prefix: "+49", SIMs: []int{2, 1}}, {Prefix: "+", SIMs: []int{1}}},
		Balance:    map[int]scheduler.Balance{2: {Code: "*100#", Match: regexp.MustCompile("(.*) EUR"), Every: 6 * time.Hour, Below: 1.5}},
		Quotas: map[int]queue.Quota{0: general, 1: general, 2: {
			Minute: queue.Caps{Messages: 1}, Day: queue.Caps{Recipients: 3}, Month: queue.Caps{Messages: 9},
		}},
	}
	if got := schedulerOptions(e.Config); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
