package httpapi_test

import (
	"strings"
	"testing"

	"dongled/httpapi"
	"dongled/modem"
)

// uplink is a connection with a server: connected, configured.
type uplink [2]bool

func (u *uplink) Connected() (connected, configured bool) { return u[0], u[1] }

// TestHealthOfUplink: that there is no connection is a warning, where there should be one.
func TestHealthOfUplink(t *testing.T) {
	u := &uplink{}
	s := start(t, func(o *httpapi.Options) { o.Uplink = u })
	s.modems.list = []modem.Status{up}
	for state, want := range map[uplink]string{
		{false, false}: "",
		{false, true}:  check("uplink:connected", "Not connected with the SMSGate server", "boolean", 0, "warn"),
		{true, true}:   check("uplink:connected", "Connected with the SMSGate server", "boolean", 1, "pass"),
	} {
		*u = state
		got := s.do("GET", "/health", "").body
		if !strings.Contains(got, want) || (want == "") == strings.Contains(got, "uplink:connected") {
			t.Errorf("%v: %s", state, got)
		}
		if warned := strings.HasPrefix(got, `{"status":"warn"`); warned != (state == uplink{false, true}) {
			t.Errorf("%v: %s", state, got)
		}
	}
}
