package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"testing"

	"dongled/httpapi"
	"dongled/modem"
)

func TestUSSD(t *testing.T) {
	s := start(t)
	s.modems.set(whole)
	for _, test := range []struct {
		answer modem.USSD
		want   string
	}{
		{modem.USSD{Text: "Guthaben: 12,50 €", Status: 0}, `{"text":"Guthaben: 12,50 €","status":0,"sessionOpen":false}`},
		{modem.USSD{Text: "1 Balance\n2 Top up", Status: 1}, `{"text":"1 Balance\n2 Top up","status":1,"sessionOpen":true}`},
		{modem.USSD{Status: 2}, `{"text":"","status":2,"sessionOpen":false}`},
		{modem.USSD{Status: 4}, `{"text":"","status":4,"sessionOpen":false}`},
	} {
		s.modems.ussd = func(string) (modem.USSD, error) { return test.answer, nil }
		for _, prefix := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
			s.do("POST", prefix+"/modems/3/ussd", `{"code":"*100#","unknown":1}`).want(t, 200, test.want)
		}
	}
	if first := s.modems.asked[0]; first != "USSD *100# on 3" {
		t.Errorf("asked %q", first)
	}
}

func TestUSSDRefuses(t *testing.T) {
	s := start(t)
	s.modems.set(whole, down)
	tests := []struct {
		path    string
		err     error
		status  int
		message string
	}{
		{"3", modem.ErrUSSDCode, 400, "code: must be 1 to 182 of the characters 0-9 * # +, or in an open session a reply of as many characters of GSM-7"},
		{"3", modem.ErrUSSDCancelled, 409, "the USSD request was cancelled"},
		{"3", &modem.USSDError{Fault: modem.CME(30)}, 502, "SIM 3: the modem refused the USSD request: +CME ERROR: 30 (no network service)"},
		{"3", modem.ErrUSSDBusy, 409, "SIM 3 is busy with another USSD request, try again when it has ended"},
		{"3", modem.ErrNotReady, 503, "SIM 3 is not ready, try again"},
		{"7", modem.ErrNotReady, 503, "SIM 7 is not ready (port-lost): check the plug"},
		{"3", modem.ErrUSSDTimeout, 504, "the network did not answer in time: the code may be unknown to it"},
		{"3", context.DeadlineExceeded, 504, "the network did not answer in time: the code may be unknown to it"},
		{"3", context.Canceled, 503, "dongled is stopping, try again"},
		{"3", errors.New("a secret"), 500, "internal error"},
	}
	for _, test := range tests {
		s.modems.cancel = fmt.Errorf("ussd: %w", test.err)
		s.modems.ussd = func(string) (modem.USSD, error) { return modem.USSD{}, s.modems.cancel }
		for _, method := range []string{"POST", "DELETE"} {
			if method == "DELETE" && (test.status == 400 || test.status == 502) {
				continue // there is nothing to be wrong or refused
			}
			got := s.do(method, "/modems/"+test.path+"/ussd", `{"code":"*100#"}`)
			got.wantMessage(t, test.status, test.message)
			if retry := got.header.Get("Retry-After"); (retry != "") != (test.status == 503) {
				t.Errorf("%d: Retry-After %q", test.status, retry)
			}
		}
	}
	// The network's own time-out is one too.
	s.modems.ussd = func(string) (modem.USSD, error) { return modem.USSD{Status: 5}, nil }
	s.do("POST", "/modems/3/ussd", `{"code":"*100#"}`).wantMessage(t, 504, "the network did not answer in time: the code may be unknown to it")
}

// What is no request never reaches a dongle.
func TestUSSDBody(t *testing.T) {
	s := start(t)
	s.modems.set(whole)
	for body, message := range map[string]string{
		``:                             "body: must be JSON: unexpected end of JSON input at byte 0",
		`{}`:                           "code: is required",
		`{"code":null}`:                "code: is required",
		`{"code":""}`:                  "code: is required",
		`{"code":100}`:                 "code: must be a string",
		`{"code":"*1#","code":"*2#"}`:  "code: must not occur twice",
		`["*100#"]`:                    "body: must be a JSON object",
		"{\"code\":\"*100#\xff\"}":     "body: must be UTF-8",
		`{"Code":"*100#"}`:             "code: is required",
		`{"code":"*100#"}{"code":"*"}`: `body: must be JSON: invalid character '{' after top-level value at byte 17`,
	} {
		s.do("POST", "/modems/3/ussd", body, "Content-Type", "application/json").wantMessage(t, 400, message)
	}
	s.do("POST", "/modems/3/ussd", `{"code":"*100#"}`, "Content-Type", "text/plain").
		wantMessage(t, 400, "Content-Type: must be application/json")
	s.do("POST", "/modems/3/ussd", `{"code":"*100#"}`, "Content-Encoding", "gzip").
		wantMessage(t, 415, "Content-Encoding: not supported, send the body uncompressed")
	if len(s.modems.asked) != 0 {
		t.Errorf("asked %q", s.modems.asked)
	}
}

func TestCancelUSSD(t *testing.T) {
	s := start(t)
	s.modems.set(whole)
	for _, prefix := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		s.do("DELETE", prefix+"/modems/3/ussd", "").want(t, 204, "")
	}
	if want := []string{"cancel on 3", "cancel on 3", "cancel on 3"}; !reflect.DeepEqual(s.modems.asked, want) {
		t.Errorf("asked %q", s.modems.asked)
	}
}

// The daemon does not wait a minute for a network when it is told to stop.
func TestServeGivesUpUSSD(t *testing.T) {
	modems := &fakeModems{waiting: make(chan struct{})}
	modems.set(whole)
	ln := listen(t)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	o := httpapi.Options{Messages: newFakeQueue(), Modems: modems, Auth: account(t, username, password)}
	go func() { ended <- httpapi.New(o).Serve(ctx, ln) }()
	s := &server{t: t, url: "http://" + ln.Addr().String()}
	answered := make(chan reply, 1)
	go func() {
		answered <- s.raw("POST", "/modems/3/ussd", `{"code":"*100#"}`, "Content-Type: application/json")
	}()
	<-modems.waiting
	stop()
	got := <-answered
	got.wantMessage(t, http.StatusServiceUnavailable, "dongled is stopping, try again")
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
