package twilio_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"testing"

	"go.uber.org/goleak"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/twilio"
)

func TestMain(m *testing.M) {
	spec, err := os.ReadFile("openapi.yaml")
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, append(compattest.Known(), goleak.Cleanup(compattest.Covered(spec)))...)
}

const (
	account = "AC0123456789abcdef0123456789abcdef"
	other   = "ACffffffffffffffffffffffffffffffff"
	apiKey  = "SK0123456789abcdef0123456789abcdef"
	service = "MG0123456789abcdef0123456789abcdef"
	token   = "fedcba9876543210fedcba9876543210"

	messages = "/2010-04-01/Accounts/" + account + "/Messages"
	list     = messages + ".json"
	number   = "+4915112345678"
)

// house is a gateway with an account in its configuration, and a client of it.
type house struct {
	*compattest.House
	t      *testing.T
	header []string
}

func start(t *testing.T, edits ...func(*compattest.Options)) *house {
	t.Helper()
	return startWith(t, twilio.Options{AccountSID: account, AuthToken: token}, edits...)
}

func startWith(t *testing.T, o twilio.Options, edits ...func(*compattest.Options)) *house {
	t.Helper()
	h := compattest.Start(t, func(b compat.Base) compat.Dialect { return twilio.New(b, o) }, edits...)
	return &house{h, t, basic(account, token)}
}

func basic(user, password string) []string {
	return []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))}
}

// answer is what both a message and a problem have in them.
type answer struct {
	SID, AccountSID, Body, To, Status string
	From                              *string
	NumSegments                       string  `json:"num_segments"`
	Service                           *string `json:"messaging_service_sid"`
	DateSent                          *string `json:"date_sent"`
	DateCreated                       string  `json:"date_created"`
	DateUpdated                       string  `json:"date_updated"`
	ErrorCode                         *int    `json:"error_code"`
	ErrorMessage                      *string `json:"error_message"`
	URI                               string
}

type problem struct {
	Code, Status int
	Message      string
	MoreInfo     string `json:"more_info"`
}

// form is a good order with some parameters replaced; an empty value leaves one out.
func form(pairs ...string) url.Values {
	values := url.Values{"To": {number}, "From": {"+491510000001"}, "Body": {"Hi"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			values.Del(pairs[i])
		}
	}
	return values
}

func (h *house) post(path string, values url.Values, header ...string) compattest.Reply {
	h.t.Helper()
	if header == nil {
		header = h.header
	}
	return h.Do("POST", path, values.Encode(), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...)
}

// send has a message accepted.
func (h *house) send(pairs ...string) answer {
	h.t.Helper()
	return decoded[answer](h, 201, h.post(list, form(pairs...)))
}

func (h *house) get(sid string) answer {
	h.t.Helper()
	return decoded[answer](h, 200, h.Do("GET", messages+"/"+sid+".json", "", h.header...))
}

// refused asks for what has to be answered with a problem.
func (h *house) refused(status, code int, got compattest.Reply) problem {
	h.t.Helper()
	p := decoded[problem](h, status, got)
	if p.Code != code || p.Status != status {
		h.t.Errorf("%s, want code %d", got.Body, code)
	}
	return p
}

func decoded[T any](h *house, status int, got compattest.Reply) (v T) {
	h.t.Helper()
	if got.Status != status {
		h.t.Fatalf("%d %s, want %d", got.Status, got.Body, status)
	}
	if err := json.Unmarshal([]byte(got.Body), &v); err != nil {
		h.t.Fatal(err)
	}
	return v
}

// text is what a pointer points to, or <nil>.
func text(s *string) string {
	if s == nil {
		return "<nil>"
	}
	return *s
}
