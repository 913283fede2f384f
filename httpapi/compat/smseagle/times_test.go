package smseagle_test

import (
	"testing"
	"time"

	"dongled/httpapi/compat/smseagle"
)

// berlin is a time zone whose clocks are set twice a year.
func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err) // a machine without the data of time zones
	}
	return zone
}

const layout = "2006-01-02 15:04:05 -0700"

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(layout, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// In Berlin clocks went from 02:00 to 03:00 on 29 March 2026, and go back from 03:00 to 02:00 on 25 October.
func TestTimes(t *testing.T) {
	zone := berlin(t)
	type fields = map[string]string
	day := fields{"send_after": "08:00", "send_before": "20:00:30"}
	night := fields{"send_after": "22:00", "send_before": "06:00"}
	for _, tt := range []struct {
		what, now, from, until string
		fields                 fields
	}{
		{"now", "2026-06-01 12:00:00 +0200", "", "", nil},
		{"v1's date is local", "2026-06-01 12:00:00 +0200", "2026-06-02 21:32:00 +0200", "", fields{"date": "202606022132"}},
		{"v2's date has its zone", "2026-06-01 12:00:00 +0200", "2026-06-02 23:32:00 +0200", "", fields{"date": "2026-06-02T21:32:00Z"}},
		{"a date that is over", "2026-06-01 12:00:00 +0200", "", "", fields{"date": "202605312359"}},
		{"validity", "2026-06-01 12:00:00 +0200", "", "2026-06-29 12:00:00 +0200", fields{"validity": "4w"}},
		{"validity from the date on", "2026-06-01 12:00:00 +0200", "2026-06-02 12:00:00 +0200", "2026-06-02 12:05:00 +0200", fields{"date": "202606021200", "validity": "5m"}},

		{"within the hours", "2026-06-01 12:00:00 +0200", "", "2026-06-01 20:00:30 +0200", day},
		{"as they begin", "2026-06-01 08:00:00 +0200", "", "2026-06-01 20:00:30 +0200", day},
		{"before they begin", "2026-06-01 07:59:59 +0200", "2026-06-01 08:00:00 +0200", "2026-06-01 20:00:30 +0200", day},
		{"as they end", "2026-06-01 20:00:30 +0200", "2026-06-02 08:00:00 +0200", "2026-06-02 20:00:30 +0200", day},
		{"before midnight", "2026-06-01 23:00:00 +0200", "", "2026-06-02 06:00:00 +0200", night},
		{"after midnight", "2026-06-01 05:59:59 +0200", "", "2026-06-01 06:00:00 +0200", night},
		{"by day", "2026-06-01 06:00:00 +0200", "2026-06-01 22:00:00 +0200", "2026-06-02 06:00:00 +0200", night},
		{"send_after alone, early", "2026-06-01 05:00:00 +0200", "2026-06-01 08:00:00 +0200", "2026-06-02 00:00:00 +0200", fields{"send_after": "08:00"}},
		{"send_after alone, late", "2026-06-01 23:59:59 +0200", "", "2026-06-02 00:00:00 +0200", fields{"send_after": "08:00"}},
		{"send_before alone, early", "2026-06-01 05:00:00 +0200", "", "2026-06-01 20:00:00 +0200", fields{"send_before": "20:00"}},
		{"send_before alone, late", "2026-06-01 21:00:00 +0200", "2026-06-02 00:00:00 +0200", "2026-06-02 20:00:00 +0200", fields{"send_before": "20:00"}},
		{
			"the hours of the date", "2026-06-01 12:00:00 +0200", "2026-06-11 08:00:00 +0200", "2026-06-11 20:00:00 +0200",
			fields{"date": "202606102100", "send_after": "08:00", "send_before": "20:00"},
		},
		{
			"validity ends first", "2026-06-01 07:00:00 +0200", "2026-06-01 08:00:00 +0200", "2026-06-01 10:00:00 +0200",
			fields{"validity": "2h", "send_after": "08:00", "send_before": "20:00"},
		},
		{
			"the hours end first", "2026-06-01 19:00:00 +0200", "", "2026-06-01 20:00:00 +0200",
			fields{"validity": "2h", "send_after": "08:00", "send_before": "20:00"},
		},
		{"a short night", "2026-03-28 23:00:00 +0100", "", "2026-03-29 06:00:00 +0200", night},
		{"a long night", "2026-10-24 23:00:00 +0200", "", "2026-10-25 06:00:00 +0100", night},
		{"noon on the short day", "2026-03-29 00:00:00 +0100", "2026-03-29 08:00:00 +0200", "2026-03-29 20:00:30 +0200", day},
	} {
		from, until, err := smseagle.Times(tt.fields, moment(t, tt.now).In(zone))
		if err != nil || !from.Equal(moment(t, tt.from)) || !until.Equal(moment(t, tt.until)) {
			t.Errorf("%s: from %v until %v, %v", tt.what, from, until, err)
		}
	}
}

// Whatever the hours and the day, there is a next time soon, and clocks then show one within the hours, but
// where they were set in between.
func TestHoursComeSoon(t *testing.T) {
	zone := berlin(t)
	for minutes := 0; minutes < 3*24*60; minutes += 7 {
		now := time.Date(2026, time.March, 28, 0, minutes, 0, 0, zone)
		for _, h := range [][2]string{{"02:10", "02:40"}, {"01:30", "02:30"}, {"02:59", "03:01"}, {"23:59", "00:01"}, {"00:00", "00:01"}} {
			from, until, err := smseagle.Times(map[string]string{"send_after": h[0], "send_before": h[1]}, now)
			if from.IsZero() {
				from = now
			}
			if err != nil || !until.After(from) || from.Sub(now) > 50*time.Hour || until.Sub(from) > 2*time.Hour {
				t.Fatalf("%v %v: from %v until %v, %v", h, now, from, until, err)
			}
		}
	}
}

func TestValidities(t *testing.T) {
	// Of the vendor's documentation.
	for name, want := range map[string]string{
		"5m": "5m0s", "10m": "10m0s", "30m": "30m0s", "1h": "1h0m0s", "2h": "2h0m0s", "4h": "4h0m0s", "12h": "12h0m0s",
		"1d": "24h0m0s", "2d": "48h0m0s", "5d": "120h0m0s", "1w": "168h0m0s", "2w": "336h0m0s", "4w": "672h0m0s", "max": "0s",
	} {
		if got, known := smseagle.Validities[name]; !known || got.String() != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	if n := len(smseagle.Validities); n != 14 {
		t.Errorf("%d", n)
	}
}
