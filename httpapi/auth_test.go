package httpapi_test

import (
	"encoding/base64"
	"slices"
	"testing"

	"dongled/httpapi"
)

func basic(userPass string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(userPass))
}

func TestAuth(t *testing.T) {
	tests := []struct {
		name, header string
		status       int
	}{
		{"right", basic("sms:p:ss wörd"), 200},
		{"scheme in lower case", "basic" + basic("sms:p:ss wörd")[5:], 200},
		{"no header", "", 401},
		{"wrong password", basic("sms:p:ss word"), 401},
		{"wrong user", basic("smS:p:ss wörd"), 401},
		{"prefix of the password", basic("sms:p:ss wör"), 401},
		{"password up to its colon", basic("sms:p"), 401},
		{"empty password", basic("sms:"), 401},
		{"no colon", basic("sms"), 401},
		{"empty", "Basic ", 401},
		{"scheme only", "Basic", 401},
		{"not base64", "Basic %%%", 401},
		{"bearer", "Bearer " + basic("sms:p:ss wörd")[6:], 401},
	}
	for _, test := range tests {
		s := start(t) // four wrong tries are free
		for _, path := range []string{"/", "/devices", "/3rdparty/v1/messages", "/api/3rdparty/v1/message/x"} {
			t.Run(test.name+" "+path, func(t *testing.T) {
				got := s.do("GET", path, "", "Authorization", test.header)
				if test.status == 200 {
					if got.status == 401 {
						t.Error("refused")
					}
					return
				}
				got.wantMessage(t, 401, "Unauthorized")
				want := []string{`Basic realm="dongled", charset="UTF-8"`, "Bearer"}
				if challenges := got.header.Values("WWW-Authenticate"); !slices.Equal(challenges, want) {
					t.Errorf("WWW-Authenticate %q", challenges)
				}
			})
		}
	}
}

// Everything asks for credentials but health and the document, even what does not exist.
func TestAuthEverywhere(t *testing.T) {
	s := start(t)
	for _, prefix := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		for _, route := range []struct {
			method, path string
			status       int
		}{
			{"GET", "/", 401},
			{"GET", "/messages", 401},
			{"POST", "/message", 401},
			{"GET", "/messages/x", 401},
			{"DELETE", "/messages/x", 401},
			{"GET", "/device", 401},
			{"GET", "/devices", 401},
			{"GET", "/nothing", 401},
			{"POST", "/health", 401},
			{"GET", "/health/nothing", 401},
			{"GET", "/health", 503}, // no modem
			{"GET", "/health/live", 200},
			{"GET", "/health/ready", 200},
			{"GET", "/openapi.yaml", 200},
		} {
			if got := s.do(route.method, prefix+route.path, "", "Authorization", ""); got.status != route.status {
				t.Errorf("%s %s without credentials: %d, want %d", route.method, prefix+route.path, got.status, route.status)
			}
		}
	}
	if _, submitted := s.queue.last(); submitted {
		t.Error("a request without credentials reached the queue")
	}
}

func TestEmptyPasswordLetsNobodyIn(t *testing.T) {
	for _, nobody := range []httpapi.Auth{nil, account(t, "", ""), account(t, "sms", "")} {
		s := start(t, func(o *httpapi.Options) { o.Auth = nobody })
		for _, header := range []string{"", basic(":"), basic("sms:")} {
			s.do("GET", "/", "", "Authorization", header).wantMessage(t, 401, "Unauthorized")
		}
	}
}

// TestLockOut: the sixth wrong password is not judged, and neither is a right one, unless the address
// showed it before.
func TestLockOut(t *testing.T) {
	s := start(t)
	wrong := basic("sms:wrong")
	for range 5 {
		s.do("GET", "/", "", "Authorization", wrong).wantMessage(t, 401, "Unauthorized")
		s.do("GET", "/", "", "Authorization", "").wantMessage(t, 401, "Unauthorized") // no try
	}
	for _, header := range []string{wrong, basic(username + ":" + password)} {
		got := s.do("GET", "/", "", "Authorization", header)
		got.wantMessage(t, 429, "too many wrong credentials from this address, try again in 1 s")
		if after := got.header.Get("Retry-After"); after != "1" {
			t.Errorf("Retry-After %q", after)
		}
	}

	s = start(t)
	for range 5 {
		s.do("GET", "/", "").want(t, 200, `{"status":"ok","model":"dongled"}`)
		s.do("GET", "/", "", "Authorization", wrong).wantMessage(t, 401, "Unauthorized")
	}
	s.do("GET", "/", "").want(t, 200, `{"status":"ok","model":"dongled"}`)
	if got := s.do("GET", "/", "", "Authorization", wrong); got.status != 429 {
		t.Errorf("%d %s", got.status, got.body)
	}
}
