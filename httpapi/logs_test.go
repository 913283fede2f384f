package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"dongled/httpapi"
	"dongled/scheduler/logbook"
)

// fakeLogs answers every question with the same entries.
type fakeLogs struct {
	entries  []logbook.Entry
	err      error
	from, to time.Time
	limit    int
	asked    int
}

func (f *fakeLogs) List(_ context.Context, from, to time.Time, limit int) ([]logbook.Entry, error) {
	f.from, f.to, f.limit = from, to, limit
	f.asked++
	return f.entries, f.err
}

func startLogs(t *testing.T, l *fakeLogs) *server {
	t.Helper()
	return start(t, func(o *httpapi.Options) { o.Logs = l })
}

func TestLogs(t *testing.T) {
	l := &fakeLogs{}
	s := startLogs(t, l)
	s.do("GET", "/logs", "").want(t, 200, `[]`)
	l.entries = []logbook.Entry{
		{ID: 7, At: at(9), Level: "WARN", Module: "modem", Message: "the modem was reset", Context: json.RawMessage(`{"sim":1,"step":"usb-reset"}`)},
		{ID: 9, At: at(10), Level: "INFO", Module: "dongled", Message: "listening <ready>"},
	}
	want := `[{"id":7,"priority":"WARN","module":"modem","message":"the modem was reset","context":{"sim":1,"step":"usb-reset"},"createdAt":"2026-01-02T03:04:09.005Z"},` +
		`{"id":9,"priority":"INFO","module":"dongled","message":"listening \u003cready\u003e","createdAt":"2026-01-02T03:04:10.005Z"}]`
	for _, path := range []string{"/logs", "/3rdparty/v1/logs", "/api/3rdparty/v1/logs/", "/logs?from=&to="} {
		s.do("GET", path, "").want(t, 200, want)
	}
	if l.limit != 1000 || !l.from.IsZero() || !l.to.IsZero() {
		t.Errorf("asked for %d from %v to %v", l.limit, l.from, l.to)
	}
}

func TestLogsPeriod(t *testing.T) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		query    string
		from, to time.Time
	}{
		{"from=2026-01-02T00:00:00Z", day, time.Time{}},
		{"to=2026-01-02T00:00:00.000Z", time.Time{}, day},
		{"from=2026-01-02T00:00:00&to=2026-01-02T00:00:00", day, day},
		{"from=2026-01-02T02:00:00%2B02:00", day, time.Time{}},
		{"from=2026-01-02T02:00:00+02:00", day, time.Time{}},
	} {
		l := &fakeLogs{}
		if got := startLogs(t, l).do("GET", "/logs?"+tt.query, ""); got.status != 200 || !l.from.Equal(tt.from) || !l.to.Equal(tt.to) {
			t.Errorf("%s: %d, from %v to %v", tt.query, got.status, l.from, l.to)
		}
	}
}

func TestLogsFaults(t *testing.T) {
	l := &fakeLogs{}
	s := startLogs(t, l)
	const words = "must be a date and time as in RFC 3339, such as 2030-12-31T23:59:59Z"
	s.do("GET", "/logs?from=yesterday", "").wantMessage(t, 400, "from: "+words)
	s.do("GET", "/logs?to=1767225600", "").wantMessage(t, 400, "to: "+words)
	s.do("GET", "/logs?from=2026-01-02T00:00:01Z&to=2026-01-02T00:00:00Z", "").wantMessage(t, 400, "from: must not be after to")
	s.do("GET", "/logs", "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
	if l.asked != 0 {
		t.Errorf("the log was asked %d times", l.asked)
	}
	l.err = fmt.Errorf("read: %w", errors.New("disk on fire"))
	s.do("GET", "/logs", "").wantMessage(t, 503, "the message store is unavailable, try again")
}
