package smseagle

import (
	"time"

	"dongled/httpapi/compat"
)

// validities are the vendor's; max is for as long as the network keeps a message.
var validities = map[string]time.Duration{
	"5m": 5 * time.Minute, "10m": 10 * time.Minute, "30m": 30 * time.Minute,
	"1h": time.Hour, "2h": 2 * time.Hour, "4h": 4 * time.Hour, "12h": 12 * time.Hour,
	"1d": day, "2d": 2 * day, "5d": 5 * day, "1w": 7 * day, "2w": 14 * day, "4w": 28 * day, "max": 0,
}

const day = 24 * time.Hour

// times are from when and until when an order may be sent; zero is now, and for ever. Clocks are those of
// the zone of now, the gateway's.
func (p params) times(now time.Time) (from, until time.Time, err error) {
	at, err := p.date(now.Location())
	if err != nil {
		return from, until, err
	}
	h, err := p.hours()
	if err != nil {
		return from, until, err
	}
	valid, known := validities[p["validity"]]
	if !known && p["validity"] != "" {
		return from, until, compat.Fault("validity", "must be 5m, 10m, 30m, 1h, 2h, 4h, 12h, 1d, 2d, 5d, 1w, 2w, 4w or max")
	}
	start := now
	if at.After(now) {
		start = at
	}
	start, until = h.next(start.In(now.Location()))
	if end := start.Add(valid); valid > 0 && (until.IsZero() || end.Before(until)) {
		until = end
	}
	if start.After(now) {
		from = start
	}
	return from, until, nil
}

// date reads both the form of v1, in the gateway's time zone, and that of v2.
func (p params) date(zone *time.Location) (time.Time, error) {
	if p["date"] == "" {
		return time.Time{}, nil
	}
	if at, err := time.ParseInLocation("200601021504", p["date"], zone); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, p["date"])
	if err != nil {
		return at, compat.Fault("date", "must be YYYYmmDDHHMM, or as in 2026-01-31T15:04:05Z")
	}
	return at, nil
}

// hours are those of each day in which messages may go out, in time since midnight as clocks show it. The end
// may be that of the day after.
type hours struct{ begin, end time.Duration }

func (p params) hours() (h hours, err error) {
	if p["send_after"] == "" && p["send_before"] == "" {
		return h, nil
	}
	if h.begin, err = p.clock("send_after", 0); err != nil {
		return h, err
	}
	if h.end, err = p.clock("send_before", day); err != nil {
		return h, err
	}
	switch {
	case h.begin == h.end:
		return h, compat.Fault("send_before", "must be another time than send_after")
	case h.end < h.begin:
		h.end += day
	}
	return h, nil
}

// clock reads HH:MM or HH:MM:SS.
func (p params) clock(name string, otherwise time.Duration) (time.Duration, error) {
	if p[name] == "" {
		return otherwise, nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if at, err := time.Parse(layout, p[name]); err == nil {
			return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute + time.Duration(at.Second())*time.Second, nil
		}
	}
	return 0, compat.Fault(name, "must be HH:MM or HH:MM:SS")
}

// next is the first time from at on within these hours, and when they end; zero if there are none.
func (h hours) next(at time.Time) (start, end time.Time) {
	if h == (hours{}) {
		return at, time.Time{}
	}
	// From yesterday's, which may go on till today, to some days ahead: the hours of a day may fall into
	// the one that clocks leave out in spring.
	for days := -1; days < 4; days++ {
		begin, end := h.on(at, days)
		switch {
		case !end.After(begin) || !end.After(at):
		case begin.After(at):
			return begin, end
		default:
			return at, end
		}
	}
	return at, at // there is no such zone; the queue refuses it
}

// on are these hours some days after at.
func (h hours) on(at time.Time, days int) (begin, end time.Time) {
	on := func(clock time.Duration) time.Time {
		return time.Date(at.Year(), at.Month(), at.Day()+days, 0, 0, int(clock/time.Second), 0, at.Location())
	}
	return on(h.begin), on(h.end)
}
