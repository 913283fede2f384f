package scheduler

import (
	"testing"
	"time"
)

// TestEnding has when quiet hours end a row. The clocks are those of TestOpening.
func TestEnding(t *testing.T) {
	night, siesta := [2]string{"22:00", "06:00"}, [2]string{"13:00", "15:00"}
	tests := []struct {
		name, zone string
		hours      [2]string
		at, want   string // RFC 3339; an empty want is none
	}{
		{"before", "UTC", siesta, "2027-01-05T12:59:59.999Z", ""},
		{"at the start", "UTC", siesta, "2027-01-05T13:00:00Z", "2027-01-05T15:00:00Z"},
		{"within", "UTC", siesta, "2027-01-05T14:00:00.5Z", "2027-01-05T15:00:00Z"},
		{"the last moment", "UTC", siesta, "2027-01-05T14:59:59.999999999Z", "2027-01-05T15:00:00Z"},
		{"at the end", "UTC", siesta, "2027-01-05T15:00:00Z", ""},
		{"overnight, before", "UTC", night, "2027-01-05T21:59:59Z", ""},
		{"overnight, in the evening", "UTC", night, "2027-01-05T22:00:00Z", "2027-01-06T06:00:00Z"},
		{"overnight, in the morning", "UTC", night, "2027-01-06T05:00:00Z", "2027-01-06T06:00:00Z"},
		{"overnight, at the end", "UTC", night, "2027-01-06T06:00:00Z", ""},
		{"until midnight", "UTC", [2]string{"20:00", "00:00"}, "2027-12-31T20:00:00Z", "2028-01-01T00:00:00Z"},
		{"from midnight", "UTC", [2]string{"00:00", "04:00"}, "2027-01-06T00:00:00Z", "2027-01-06T04:00:00Z"},
		{"never", "UTC", [2]string{"00:00", "00:00"}, "2027-01-06T00:00:00Z", ""},
		{"never, by another clock", "UTC", [2]string{"13:00", "13:00"}, "2027-01-06T13:00:00Z", ""},

		{"by the clock of the place", "Asia/Kolkata", night, "2027-01-05T23:00:00+05:30", "2027-01-06T06:00:00+05:30"},
		{"a night an hour shorter", "Europe/Berlin", night, "2027-03-27T22:00:00+01:00", "2027-03-28T06:00:00+02:00"},
		{"a night an hour longer", "Europe/Berlin", night, "2027-10-30T22:00:00+02:00", "2027-10-31T06:00:00+01:00"},
		{"an end that is leapt over", "Europe/Berlin", [2]string{"22:00", "02:30"}, "2027-03-28T01:00:00+01:00", "2027-03-28T03:00:00+02:00"},
		{"the first of two ends", "Europe/Berlin", [2]string{"22:00", "02:30"}, "2027-10-31T01:00:00+02:00", "2027-10-31T02:30:00+02:00"},
		{"quiet again, until the second", "Europe/Berlin", [2]string{"22:00", "02:30"}, "2027-10-31T02:00:00+01:00", "2027-10-31T02:30:00+01:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want time.Time
			if tt.want != "" {
				want = moment(t, tt.want)
			}
			w := WorkHours{Enabled: true, Start: minuteOf(t, tt.hours[0]), End: minuteOf(t, tt.hours[1])}
			if got := w.ending(moment(t, tt.at).In(zone(t, tt.zone))); !got.Equal(want) {
				t.Errorf("quiet hours end at %s, want %s", got, want)
			}
			w.Enabled = false
			if got := w.ending(moment(t, tt.at)); !got.IsZero() {
				t.Errorf("without quiet hours: %s", got)
			}
		})
	}
}
