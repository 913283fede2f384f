package skycore_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
	"dongled/modem"
)

func TestMain(m *testing.M) { compattest.Main(m, "openapi.yaml") }

const (
	postbackURL = "https://client.example.org/postbacks"
	inboxURL    = "https://client.example.org/inbox"
)

// start runs a gateway whose first SIM is known by the short code of the page's examples.
func start(t testing.TB, o skycore.Options, edits ...func(*compattest.Options)) *compattest.House {
	t.Helper()
	h := compattest.Start(t, func(b compat.Base) compat.Dialect { return skycore.New(b, o) }, edits...)
	h.SIMs[0].Edit(func(st *modem.Status) { st.Name = "00000" })
	h.Refused = func(body []byte) bool { return bytes.Contains(body, []byte(`"status":"Failure"`)) }
	return h
}

// post sends a request with the right key.
func post(h *compattest.House, body string) compattest.Reply {
	return h.Do("POST", "/skycore", body, "x-api-key", compattest.Key, "Content-Type", "application/json")
}

// admin asks the administration.
func admin(h *compattest.House, method, path, body string) compattest.Reply {
	contentType := ""
	if body != "" {
		contentType = "application/json"
	}
	return h.Do(method, "/skycore/campaigns"+path, body, "x-api-key", compattest.Key, "Content-Type", contentType)
}

// answer is what a client reads.
type answer struct {
	Status   string   `json:"status"`
	ID       string   `json:"tracking-id"`
	Code     string   `json:"error-code"`
	Info     string   `json:"error-info"`
	To       *string  `json:"to"`
	From     string   `json:"from"`
	Warnings []string `json:"warnings"`
}

func read(t testing.TB, r compattest.Reply) (a answer) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.Body), &a); err != nil {
		t.Fatalf("%v in %s", err, r.Body)
	}
	return a
}

// accepted sends a request that has to be accepted, and returns its tracking-id.
func accepted(t testing.TB, h *compattest.House, body string) string {
	t.Helper()
	a := read(t, post(h, body))
	if a.Status != "Success" || a.ID == "" {
		t.Fatalf("%s answered %+v", body, a)
	}
	return a.ID
}
