package httpapi_test

import (
	"reflect"
	"testing"
	"time"

	"dongled/scheduler/queue"
)

func TestList(t *testing.T) {
	s := start(t)
	s.queue.put(stored...)
	tests := []struct{ query, body, total string }{
		{"", "[" + bare("second") + "," + bare("first") + "]", "2"},
		{"?includeContent=true", "[" + full("second") + "," + full("first") + "]", "2"},
		{"?includeContent=True&sort=created_at", "[" + full("first") + "," + full("second") + "]", "2"},
		{"?limit=1", "[" + bare("second") + "]", "2"},
		{"?limit=1&offset=1", "[" + bare("first") + "]", "2"},
		{"?offset=2", "[]", "2"},
		{"?state=Failed", "[" + bare("first") + "]", "1"},
		{"?state=Delivered", "[]", "0"},
		{"?state=Cancelling", "[]", "0"},
		{"?state=&limit=&offset=&from=&to=&deviceId=&sort=&includeContent=", "[" + bare("second") + "," + bare("first") + "]", "2"},
		{"?from=2026-01-02T03:04:02Z&to=2026-01-02T03:05:00Z", "[" + bare("second") + "]", "1"},
		{"?deviceId=PyDmBQZZXYmyxMwED8Fzy&state=Pending", "[" + bare("second") + "]", "1"},
	}
	for _, test := range tests {
		for _, path := range []string{"/messages", "/3rdparty/v1/message", "/api/3rdparty/v1//messages/"} {
			// raw, because openapi.yaml has no word for an empty integer.
			got := s.raw("GET", path+test.query, "")
			got.want(t, 200, test.body)
			if total := got.header.Get("X-Total-Count"); total != test.total {
				t.Errorf("%s: X-Total-Count %q, want %q", test.query, total, test.total)
			}
		}
	}
}

func TestListOfNothing(t *testing.T) {
	s := start(t)
	got := s.do("GET", "/messages", "")
	got.want(t, 200, "[]")
	if total := got.header.Get("X-Total-Count"); total != "0" {
		t.Errorf("X-Total-Count %q", total)
	}
}

func TestListFilter(t *testing.T) {
	s := start(t)
	tests := []struct {
		query string
		want  queue.Filter
	}{
		{"", queue.Filter{Limit: 50}},
		{"?limit=100&offset=2147483647", queue.Filter{Limit: 100, Offset: 2147483647}},
		{"?limit=101", queue.Filter{Limit: 100}},
		{"?limit=2147483647", queue.Filter{Limit: 100}},
		{"?sort=-created_at", queue.Filter{Limit: 50}},
		{"?sort=created_at&state=Cancelled", queue.Filter{Limit: 50, OldestFirst: true, State: queue.Cancelled}},
		{"?from=2026-01-02T03:04:05%2B02:00", queue.Filter{Limit: 50, From: time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC)}},
		{"?from=2026-01-02T03:04:05+02:00", queue.Filter{Limit: 50, From: time.Date(2026, 1, 2, 1, 4, 5, 0, time.UTC)}},
		{"?to=2026-01-02T03:04:05.25", queue.Filter{Limit: 50, To: time.Date(2026, 1, 2, 3, 4, 5, 250_000_000, time.UTC)}},
		{"?from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:05Z", queue.Filter{Limit: 50,
			From: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), To: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}},
	}
	for _, test := range tests {
		if got := s.do("GET", "/messages"+test.query, ""); got.status != 200 {
			t.Errorf("%s: %d %s", test.query, got.status, got.body)
			continue
		}
		if got := s.queue.lastFilter(); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: filter %+v, want %+v", test.query, got, test.want)
		}
	}
}

func TestListRefuses(t *testing.T) {
	s := start(t)
	const badTime = ": must be a date and time as in RFC 3339, such as 2030-12-31T23:59:59Z"
	for query, message := range map[string]string{
		"limit=0":             "limit: must be an integer, 1 or more",
		"limit=-1":            "limit: must be an integer, 1 or more",
		"limit=ten":           "limit: must be an integer, 1 or more",
		"limit=1e1":           "limit: must be an integer, 1 or more",
		"offset=-1":           "offset: must be an integer, 0 or more",
		"offset=99999999999":  "offset: must be an integer, 0 or more",
		"offset=x":            "offset: must be an integer, 0 or more",
		"state=pending":       "state: must be Pending, Cancelling, Cancelled, Processed, Sent, Delivered or Failed",
		"from=yesterday":      "from" + badTime,
		"to=1700000000":       "to" + badTime,
		"includeContent=on":   "includeContent: must be true or false",
		"sort=updated_at":     "sort: must be created_at or -created_at",
		"deviceId=another":    "deviceId: invalid device ID",
		"limit=0&offset=-1":   "limit: must be an integer, 1 or more",
		"limit=100&sort=name": "sort: must be created_at or -created_at",
		"from=2026-01-02T03:04:06Z&to=2026-01-02T03:04:05Z": "from: must not be after to",
	} {
		s.do("GET", "/messages?"+query, "").wantMessage(t, 400, message)
	}
}
