package scheduler

import (
	"testing"
	"time"
	_ "time/tzdata" // zones, wherever the test runs
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestOpening has the next moment of work a row. In Berlin clocks leap from 02:00 to 03:00 on 28 March
// 2027, and back from 03:00 to 02:00 on 31 October 2027; on Lord Howe by half an hour, on 4 April 2027
// back from 02:00 to 01:30; on Samoa the day of 30 December 2011 was left out.
func TestOpening(t *testing.T) {
	work, night := [2]string{"09:00", "19:00"}, [2]string{"22:00", "06:00"}
	tests := []struct {
		name, zone string
		hours      [2]string
		at, want   string // RFC 3339; an empty want is at once
	}{
		{"before", "UTC", work, "2027-01-05T08:59:59.5Z", "2027-01-05T09:00:00Z"},
		{"at the start", "UTC", work, "2027-01-05T09:00:00Z", ""},
		{"within", "UTC", work, "2027-01-05T12:34:56Z", ""},
		{"the last moment", "UTC", work, "2027-01-05T18:59:59.999Z", ""},
		{"at the end", "UTC", work, "2027-01-05T19:00:00Z", "2027-01-06T09:00:00Z"},
		{"at the end of a year", "UTC", work, "2027-12-31T23:59:59Z", "2028-01-01T09:00:00Z"},
		{"overnight, by day", "UTC", night, "2027-01-05T12:00:00Z", "2027-01-05T22:00:00Z"},
		{"overnight, in the evening", "UTC", night, "2027-01-05T22:00:00Z", ""},
		{"overnight, at midnight", "UTC", night, "2027-01-06T00:00:00Z", ""},
		{"overnight, before the end", "UTC", night, "2027-01-06T05:59:00Z", ""},
		{"overnight, at the end", "UTC", night, "2027-01-06T06:00:00Z", "2027-01-06T22:00:00Z"},
		{"until midnight", "UTC", [2]string{"20:00", "00:00"}, "2027-01-06T00:00:00Z", "2027-01-06T20:00:00Z"},
		{"from midnight", "UTC", [2]string{"00:00", "04:00"}, "2027-01-06T04:00:00Z", "2027-01-07T00:00:00Z"},
		{"one minute", "UTC", [2]string{"12:00", "12:01"}, "2027-01-06T12:01:00Z", "2027-01-07T12:00:00Z"},
		{"always", "UTC", [2]string{"09:00", "09:00"}, "2027-01-06T03:00:00Z", ""},

		{"by the clock of the place", "Asia/Kolkata", work, "2027-01-05T08:00:00+05:30", "2027-01-05T09:00:00+05:30"},
		{"a night of 23 hours", "Europe/Berlin", work, "2027-03-27T19:00:00+01:00", "2027-03-28T09:00:00+02:00"},
		{"a night of 25 hours", "Europe/Berlin", work, "2027-10-30T19:00:00+02:00", "2027-10-31T09:00:00+01:00"},
		{"a start that is leapt over", "Europe/Berlin", [2]string{"02:30", "10:00"}, "2027-03-28T00:00:00+01:00", "2027-03-28T03:00:00+02:00"},
		{"a start that is leapt to", "Europe/Berlin", [2]string{"03:00", "10:00"}, "2027-03-28T00:00:00+01:00", "2027-03-28T03:00:00+02:00"},
		{"hours that are leapt over", "Europe/Berlin", [2]string{"02:10", "02:50"}, "2027-03-28T01:59:00+01:00", "2027-03-29T02:10:00+02:00"},
		{"the first of two starts", "Europe/Berlin", [2]string{"02:30", "10:00"}, "2027-10-31T01:00:00+02:00", "2027-10-31T02:30:00+02:00"},
		{"between the two", "Europe/Berlin", [2]string{"02:30", "10:00"}, "2027-10-31T02:10:00+01:00", "2027-10-31T02:30:00+01:00"},
		{"the second of two ends", "Europe/Berlin", [2]string{"01:00", "02:30"}, "2027-10-31T02:30:00+02:00", "2027-10-31T02:00:00+01:00"},
		{"back by half an hour", "Australia/Lord_Howe", [2]string{"02:00", "09:00"}, "2027-04-04T01:45:00+11:00", "2027-04-04T02:00:00+10:30"},
		{"a day left out", "Pacific/Apia", work, "2011-12-29T20:00:00-10:00", "2011-12-31T09:00:00+14:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := moment(t, tt.at).In(zone(t, tt.zone))
			want := at
			if tt.want != "" {
				want = moment(t, tt.want)
			}
			w := WorkHours{Enabled: true, Start: minuteOf(t, tt.hours[0]), End: minuteOf(t, tt.hours[1])}
			if got := w.opening(at); !got.Equal(want) {
				t.Errorf("from %s on work begins at %s, want %s", at, got, want)
			}
			w.Enabled = false
			if got := w.opening(at); !got.Equal(at) {
				t.Errorf("without work hours: %s", got)
			}
		})
	}
}

// Every minute of two years: an opening is in work hours, and nothing before it is.
func TestOpeningIsTheFirst(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/St_Johns", "Africa/Casablanca"} {
		z := zone(t, name)
		for _, w := range []WorkHours{{true, 60, 150}, {true, 150, 600}, {true, 1410, 125}} {
			at := time.Date(2027, 1, 1, 0, 0, 0, 0, z)
			next := w.opening(at)
			for range 2 * 366 * 24 * 4 {
				open := at.Equal(next)
				if !open && !at.Before(next) {
					t.Fatalf("%s, %+v: %s was to be the next opening, at %s it is not", name, w, next, at)
				}
				if minute := at.Hour()*60 + at.Minute(); open != inHours(minute, w) {
					t.Fatalf("%s, %+v: open at %s: %t", name, w, at, open)
				}
				at = at.Add(15 * time.Minute)
				next = w.opening(at)
			}
		}
	}
}

func inHours(minute int, w WorkHours) bool {
	if w.Start <= w.End {
		return minute >= w.Start && minute < w.End
	}
	return !(minute >= w.End && minute < w.Start)
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func minuteOf(t *testing.T, clock string) int {
	t.Helper()
	at, err := time.Parse("15:04", clock)
	if err != nil {
		t.Fatal(err)
	}
	return at.Hour()*60 + at.Minute()
}
