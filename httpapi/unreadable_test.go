package httpapi_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dongled/modem"
	"dongled/scheduler/inbox"
)

func TestUnreadable(t *testing.T) {
	s := start(t)
	s.do("GET", "/inbox/unreadable", "").want(t, 200, "[]")
	s.inbox.unreadable, s.inbox.ever = []inbox.Unreadable{
		{At: at(9), SIM: 2, IMSI: "262010000000002", PDU: []byte{0x00, 0xff}, Error: "TP-OA is cut off"},
		{At: at(8), Line: "+CMGR: nonsense", Error: "no PDU"},
	}, 1234
	const first = `{"at":"2026-01-02T03:04:09.005Z","simNumber":2,"imsi":"262010000000002","pdu":"00ff","error":"TP-OA is cut off"}`
	const second = `{"at":"2026-01-02T03:04:08.005Z","line":"+CMGR: nonsense","error":"no PDU"}`
	for path, want := range map[string]string{
		"/inbox/unreadable": first + "," + second, "/3rdparty/v1/inbox/unreadable?limit=1": first,
	} {
		got := s.do("GET", path, "")
		got.want(t, 200, "["+want+"]")
		if total := got.header.Get("X-Total-Count"); total != "1234" {
			t.Errorf("%s: X-Total-Count %q", path, total)
		}
	}
	s.do("GET", "/inbox/unreadable?limit=501", "").wantMessage(t, 400, "limit must be between 1 and 500")
	if got := s.do("GET", "/inbox/unreadable", "", "Authorization", ""); got.status != 401 {
		t.Errorf("a stranger: %d %s", got.status, got.body)
	}
	s.inbox.err = errors.New("disk")
	if got := s.do("GET", "/inbox/unreadable", ""); got.status != 503 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestHealthOfUnreadable: a message that nobody could read is warned of for a day, and counted after.
func TestHealthOfUnreadable(t *testing.T) {
	s := start(t)
	s.modems.list = []modem.Status{up}
	for _, c := range []struct {
		age    time.Duration
		status string
	}{{23 * time.Hour, "warn"}, {25 * time.Hour, "pass"}} {
		s.inbox.unreadable, s.inbox.ever = []inbox.Unreadable{{At: time.Now().Add(-c.age), Error: "x"}}, 3
		want := check("inbox:unreadable", "Messages that came in and could not be read, ever; see /inbox/unreadable", "messages", 3, c.status)
		if got := s.do("GET", "/health", ""); !strings.Contains(got.body, want) || !strings.HasPrefix(got.body, `{"status":"`+c.status+`"`) {
			t.Errorf("after %s: %s", c.age, got.body)
		}
	}
	s.inbox.unreadable = nil // retention took it
	if got := s.do("GET", "/health", ""); !strings.HasPrefix(got.body, `{"status":"pass"`) {
		t.Errorf("without any left: %s", got.body)
	}
	s.inbox.ever = 0
	if got := s.do("GET", "/health", ""); strings.Contains(got.body, "inbox:unreadable") {
		t.Errorf("without any ever: %s", got.body)
	}
}
