package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"dongled/httpapi"
	"dongled/httpapi/courier"
)

// fakeCallbacks answers as it is told to, and notes what was asked, one line each.
type fakeCallbacks struct {
	page  []courier.Delivery
	total int
	err   error
	asked []string
}

func (f *fakeCallbacks) List(_ context.Context, state string, limit, offset int) ([]courier.Delivery, int, error) {
	f.asked = append(f.asked, fmt.Sprintf("state %q, %d from %d", state, limit, offset))
	return f.page, f.total, f.err
}

// startCallbacks is start with callbacks behind it.
func startCallbacks(t *testing.T) (*server, *fakeCallbacks) {
	t.Helper()
	f := &fakeCallbacks{}
	return start(t, func(o *httpapi.Options) { o.Callbacks = f }), f
}

func TestCallbacks(t *testing.T) {
	s, f := startCallbacks(t)
	s.do("GET", "/callbacks", "").want(t, 200, "[]")
	f.total, f.page = 77, []courier.Delivery{
		{ID: "12", Dialect: "bird", Method: "POST", Host: "example.com:8443", Ref: "m-1", State: "pending", Attempts: 2, Status: 500,
			Error: "the endpoint answered 500 Internal Server Error", Created: at(1), Next: at(9)},
		{ID: "11", Dialect: "skycore", Method: "GET", State: "failed", Attempts: 1, Error: "no answer within 30s", Created: at(1)},
	}
	for _, base := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		got := s.do("GET", base+"/callbacks?state=pending&limit=500&offset=3", "")
		got.want(t, 200, `[{"id":"12","dialect":"bird","method":"POST","host":"example.com:8443","messageId":"m-1","state":"pending","attempts":2,`+
			`"lastStatus":500,"lastError":"the endpoint answered 500 Internal Server Error","createdAt":"2026-01-02T03:04:01.005Z",`+
			`"nextAt":"2026-01-02T03:04:09.005Z"},`+
			`{"id":"11","dialect":"skycore","method":"GET","host":"","state":"failed","attempts":1,"lastError":"no answer within 30s",`+
			`"createdAt":"2026-01-02T03:04:01.005Z"}]`)
		if total := got.header.Get("X-Total-Count"); total != "77" {
			t.Errorf("X-Total-Count %q", total)
		}
	}
	want := `[state "", 50 from 0 state "pending", 500 from 3 state "pending", 500 from 3 state "pending", 500 from 3]`
	if got := fmt.Sprint(f.asked); got != want {
		t.Errorf("asked %s", got)
	}
}

func TestCallbacksRefuses(t *testing.T) {
	s, f := startCallbacks(t)
	for query, message := range map[string]string{
		"state=superseded": "state: must be pending, delivered or failed",
		"limit=0":          "limit: must be an integer from 1 to 500",
		"limit=501":        "limit: must be an integer from 1 to 500",
		"offset=-1":        "offset: must be an integer, 0 or more",
	} {
		s.do("GET", "/callbacks?"+query, "").wantMessage(t, 400, message)
	}
	s.do("GET", "/callbacks", "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
	if f.asked != nil {
		t.Errorf("asked %q", f.asked)
	}
	f.err = errors.New("disk on fire")
	s.do("GET", "/callbacks", "").wantMessage(t, 503, "the message store is unavailable, try again")
}
