package main

import (
	"regexp"

	"dongled/configs"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// schedulerOptions are the settings that the scheduler has, in its own words. configs.Load has
// checked them.
func schedulerOptions(cfg configs.Config) scheduler.Options {
	m := cfg.Messages
	opts := scheduler.Options{
		Selection:   scheduler.Selection(m.SIMSelectionMode),
		IntervalMin: m.SendIntervalMin, IntervalMax: m.SendIntervalMax,
		Limit:        limit(m.LimitPeriod, m.LimitValue),
		WorkHours:    workHours(m.WorkHoursEnabled, m.WorkHoursStart, m.WorkHoursEnd),
		FIFO:         m.ProcessingOrder == configs.FIFO,
		RetryUnknown: m.OnUnknown == configs.Retry, UnknownAfter: m.UnknownAfter,
		MaxParts: m.MaxParts, Retention: m.Retention, Region: cfg.Phone.DefaultRegion,
		Inbox: scheduler.Inbox{PartialAfter: cfg.Inbox.PartialAfter, Retention: cfg.Inbox.Retention},
		Limits: queue.Limits{
			MaxPending: m.MaxPending, MaxPendingAge: m.MaxPendingAge, MaxFailed: m.MaxFailed, MaxFailedAge: m.MaxFailedAge,
		},
		Quotas: map[int]queue.Quota{0: quota(cfg.Quotas)},
		QuietHours: scheduler.WorkHours{
			Enabled: true, Start: minutes(cfg.QuietHours.Start), End: minutes(cfg.QuietHours.End),
		},
		Numbered: len(cfg.Modems) == 0,
		Balance:  map[int]scheduler.Balance{},
	}
	for _, r := range cfg.Routes {
		opts.Routes = append(opts.Routes, scheduler.Route{Prefix: r.Prefix, SIMs: r.SIMs})
	}
	for _, m := range cfg.Modems {
		opts.Quotas[m.SIM] = quota(m.Quotas)
		if b := m.Balance; b.Code != "" {
			opts.Balance[m.SIM] = scheduler.Balance{Code: b.Code, Match: regexp.MustCompile(b.Match), Every: b.Every, Below: b.Below}
		}
	}
	return opts
}

func quota(q configs.Quota) queue.Quota {
	return queue.Quota{
		Minute: queue.Caps(q.Minute), Hour: queue.Caps(q.Hour), Day: queue.Caps(q.Day), Month: queue.Caps(q.Month),
	}
}
