package skycore_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/compat/skycore"
)

// operations are all of the administration, as they are good for a campaign c with one subscriber.
var operations = []struct{ method, path, body string }{
	{"GET", "", ""},
	{"GET", "/c", ""},
	{"PUT", "/c", `{}`},
	{"GET", "/c/subscribers", ""},
	{"POST", "/c/subscribers", `["+4915112345678"]`},
	{"GET", "/c/subscribers/4915112345678", ""},
	{"PUT", "/c/subscribers/4915112345678", ""},
	{"DELETE", "/c/subscribers/4915112345678", ""},
	{"DELETE", "/c", ""},
}

// TestAdminCredentials: each operation asks for a key with its scope, before anything else.
func TestAdminCredentials(t *testing.T) {
	h := start(t, skycore.Options{})
	for _, o := range operations {
		scope := "settings:write"
		if o.method == "GET" {
			scope = "settings:read"
		}
		for key, want := range map[string]string{
			"":                 `401 {"message":"missing or wrong credentials"}`,
			"wrong":            `401 {"message":"missing or wrong credentials"}`,
			compattest.ReadKey: `403 {"message":"scope required: ` + scope + `"}`,
			compattest.WaitKey: `429 {"message":"too many wrong credentials from this address"}`,
		} {
			got := h.Do(o.method, "/skycore/campaigns"+o.path, o.body, "x-api-key", key, "Content-Type", "application/json")
			if text := fmt.Sprint(got.Status, " ", got.Body); text != want {
				t.Errorf("%s %s with key %q: %s", o.method, o.path, key, text)
			}
		}
	}
}

func TestAdminWithoutStore(t *testing.T) {
	h := start(t, skycore.Options{})
	if err := h.Scheduler.Close(); err != nil {
		t.Fatal(err)
	}
	for _, o := range operations {
		if got := admin(h, o.method, o.path, o.body); got.Status != 503 || got.Header.Get("Retry-After") != "5" {
			t.Errorf("%s %s: %d %s", o.method, o.path, got.Status, got.Body)
		}
	}
}

// TestAdminFaults: what is wrong is said, and nothing is stored.
func TestAdminFaults(t *testing.T) {
	const largest = 32 << 10
	h := start(t, skycore.Options{}, func(o *compattest.Options) { o.Server.MaxBody = largest })
	admin(h, "PUT", "/news", `{"keyword":"Good  News","sim":1}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		message            string
	}{
		{"GET", "/x", "", 404, "no campaign"},
		{"DELETE", "/x", "", 404, "no campaign"},
		{"GET", "/x/subscribers", "", 404, "no campaign"},
		{"POST", "/x/subscribers", `["+4915112345678"]`, 404, "no campaign"},
		{"GET", "/x/subscribers/+4915112345678", "", 404, "no campaign"},
		{"PUT", "/x/subscribers/+4915112345678", "", 404, "no campaign"},
		{"DELETE", "/x/subscribers/+4915112345678", "", 404, "no campaign"},
		{"GET", "/news/subscribers/+4915112345678", "", 404, "never subscribed"},
		{"DELETE", "/news/subscribers/+4915112345678", "", 404, "never subscribed"},
		{"GET", "?limit=0", "", 400, "from 1 to 500"},
		{"GET", "/news/subscribers?limit=501", "", 400, "from 1 to 500"},
		{"GET", "/news/subscribers?limit=x", "", 400, "from 1 to 500"},
		{"GET", "/news/subscribers?after=x", "", 400, "the next of the page before"},
		{"PUT", "/x", ``, 400, "has to be JSON"},
		{"PUT", "/x", `[]`, 400, "has to be a JSON object"},
		{"PUT", "/x", `{"keyword":7}`, 400, "keyword has to be a string"},
		{"PUT", "/x", `{"keyword":"` + strings.Repeat("ä", 65) + `"}`, 400, "more than 64 characters"},
		{"PUT", "/x", `{"keyword":"!?"}`, 400, "letters or digits"},
		{"PUT", "/x", `{"keyword":"s.t.o.p"}`, 400, "must not begin with a word such as STOP"},
		{"PUT", "/x", `{"keyword":"End of sale"}`, 400, "must not begin with a word such as STOP"},
		{"PUT", "/x", `{"sim":"1"}`, 400, "sim has to be a whole number"},
		{"PUT", "/x", `{"sim":1.5}`, 400, "sim has to be a whole number"},
		{"PUT", "/x", `{"sim":3}`, 400, "there is no SIM 3"},
		{"PUT", "/a%20b", `{}`, 400, "1 to 64 letters"},
		{"PUT", "/" + strings.Repeat("x", 65), `{}`, 400, "1 to 64 letters"},
		{"PUT", "/NEWS", `{}`, 409, "another campaign"},
		{"PUT", "/x", `{"keyword":"news!"}`, 409, "another campaign"},
		{"PUT", "/x", `{"keyword":"goodnews","sim":1}`, 409, "another campaign"},
		{"PUT", "/good-news", `{}`, 409, "another campaign"},
		{"PUT", "/x", `{"a":"` + strings.Repeat("x", largest) + `"}`, 413, "too large"},
		{"POST", "/news/subscribers", `{}`, 400, "array of 1 to 1000"},
		{"POST", "/news/subscribers", `[]`, 400, "array of 1 to 1000"},
		{"POST", "/news/subscribers", `["+4915112345678",7]`, 400, "array of 1 to 1000"},
		{"POST", "/news/subscribers", `["+4915112345678"` + strings.Repeat(`,"+4915112345678"`, 1000) + `]`, 400, "array of 1 to 1000"},
		{"POST", "/news/subscribers", `["+4915112345678","12"]`, 400, "[1] has to be 7 to 15 digits"},
		{"POST", "/news/subscribers", `["` + strings.Repeat("1", largest) + `"]`, 413, "too large"},
		{"GET", "/news/subscribers/12", "", 400, "7 to 15 digits"},
		{"PUT", "/news/subscribers/12", "", 400, "7 to 15 digits"},
		{"DELETE", "/news/subscribers/x", "", 400, "7 to 15 digits"},
	} {
		got := admin(h, c.method, c.path, c.body)
		var said struct{ Message string }
		if err := json.Unmarshal([]byte(got.Body), &said); err != nil || got.Status != c.status || !strings.Contains(said.Message, c.message) {
			t.Errorf("%s %s %.40s: %d %s", c.method, c.path, c.body, got.Status, got.Body)
		}
	}
	if got := admin(h, "GET", "", ""); strings.Count(got.Body, `"ref"`) != 1 {
		t.Errorf("campaigns were made: %s", got.Body)
	}
	if got := admin(h, "GET", "/news/subscribers", ""); got.Body != `{"subscribers":[]}` {
		t.Errorf("numbers were subscribed: %s", got.Body)
	}
}

func TestCampaigns(t *testing.T) {
	h := start(t, skycore.Options{})
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/b", `{"keyword":" Good \n News ","sim":2}`, 201, `"ref":"b","keyword":"Good News","sim":2`},
		{"/a", `{}`, 201, `"ref":"a","keyword":"","sim":0`},
		{"/c", `{"sim":1,"keyword":"good news"}`, 201, `"ref":"c","keyword":"good news","sim":1`}, // on another SIM
		{"/a", `{"keyword":"x","other":[]}`, 200, `"ref":"a","keyword":"x","sim":0`},
		{"/a", `{"keyword":null,"sim":null}`, 200, `"ref":"a","keyword":"","sim":0`},
	} {
		got := admin(h, "PUT", c.path, c.body)
		if got.Status != c.status || !strings.HasPrefix(got.Body, "{"+c.want+`,"created":"20`) || !strings.Contains(got.Body, `"by":"sms"`) {
			t.Errorf("PUT %s %s: %d %s", c.path, c.body, got.Status, got.Body)
		}
		if again := admin(h, "GET", c.path, ""); again.Status != 200 || again.Body != got.Body {
			t.Errorf("GET %s: %d %s", c.path, again.Status, again.Body)
		}
	}
	var refs []string
	path := "?limit=2"
	for path != "" {
		var page struct {
			Campaigns []struct{ Ref string }
			Next      string
		}
		if err := json.Unmarshal([]byte(admin(h, "GET", path, "").Body), &page); err != nil {
			t.Fatal(err)
		}
		for _, c := range page.Campaigns {
			refs = append(refs, c.Ref)
		}
		if path = ""; page.Next != "" {
			refs, path = append(refs, "|"), "?limit=2&after="+page.Next
		}
	}
	if got := strings.Join(refs, " "); got != "a b | c" {
		t.Errorf("the pages are %s", got)
	}
	if got := admin(h, "DELETE", "/b", ""); got.Status != 204 {
		t.Errorf("DELETE: %d", got.Status)
	}
	if got := admin(h, "GET", "/b", ""); got.Status != 404 {
		t.Errorf("GET of what is deleted: %d", got.Status)
	}
}

func TestCampaignLimit(t *testing.T) {
	h := start(t, skycore.Options{})
	skycore.Fill(t, h.Dialect.(*skycore.Dialect), 999)
	if got := admin(h, "PUT", "/last", `{}`); got.Status != 201 {
		t.Fatalf("campaign 1000: %d %s", got.Status, got.Body)
	}
	if got := admin(h, "PUT", "/more", `{}`); got.Status != 409 || !strings.Contains(got.Body, "1000 campaigns") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := admin(h, "PUT", "/c7", `{"keyword":"seven"}`); got.Status != 200 {
		t.Errorf("a change: %d %s", got.Status, got.Body)
	}
}

func TestSubscribers(t *testing.T) {
	h := start(t, skycore.Options{})
	admin(h, "PUT", "/c", `{}`)
	if got := admin(h, "POST", "/c/subscribers", `["+4915112345678","0049 151 12345679","4915112345678"]`); got.Body != `{"subscribed":2,"already":1,"stopped":[]}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	h.Hear(1, "+4915112345678", "stop")
	if got := admin(h, "POST", "/c/subscribers", `["+4915112345678","+4915112345679","+4915112345670"]`); got.Body != `{"subscribed":1,"already":1,"stopped":["+4915112345678"]}` {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := admin(h, "PUT", "/c/subscribers/+4915112345678", ""); got.Status != 409 || !strings.Contains(got.Body, "sent STOP") {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	got := admin(h, "GET", "/c/subscribers/%2B4915112345678", "")
	if !strings.HasPrefix(got.Body, `{"number":"+4915112345678","state":"stopped","since":"20`) || !strings.Contains(got.Body, `"how":"api","by":"sms","ended":"20`) {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	for _, method := range []string{"PUT", "PUT"} { // twice is once
		if got := admin(h, method, "/c/subscribers/15550001111", ""); got.Status != 200 || !strings.HasPrefix(got.Body, `{"number":"+15550001111","state":"subscribed"`) {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	if got := listed(t, h, "c"); got != "+15550001111 | +4915112345670 | +4915112345678! | +4915112345679" {
		t.Errorf("the pages are %s", got)
	}
	if got := admin(h, "DELETE", "/c/subscribers/4915112345678", ""); got.Status != 204 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
	if got := admin(h, "PUT", "/c/subscribers/4915112345678", ""); got.Status != 200 {
		t.Errorf("after it was deleted: %d %s", got.Status, got.Body)
	}
}

// fatal is a testing.TB, or a rapid.T.
type fatal interface{ Fatalf(string, ...any) }

// listed reads all subscribers in pages of one; ! is behind those that are stopped.
func listed(t fatal, h *compattest.House, ref string) string { return paged(t, h, ref, 1) }

func paged(t fatal, h *compattest.House, ref string, limit int) string {
	var all []string
	for after := ""; ; {
		var page struct {
			Subscribers []struct{ Number, State string }
			Next        string
		}
		got := admin(h, "GET", fmt.Sprintf("/%s/subscribers?limit=%d&after=%s", ref, limit, after), "")
		if err := json.Unmarshal([]byte(got.Body), &page); err != nil || got.Status != http.StatusOK {
			t.Fatalf("%d %s", got.Status, got.Body)
		}
		for _, s := range page.Subscribers {
			all = append(all, s.Number+strings.TrimPrefix(strings.ReplaceAll(s.State, "stopped", "!"), "subscribed"))
		}
		if after = page.Next; after == "" {
			return strings.Join(all, " | ")
		}
	}
}

// TestDeletedCampaign: its subscribers are gone, however many; who is subscribed to one of the same name
// later is nobody.
func TestDeletedCampaign(t *testing.T) {
	h := start(t, skycore.Options{EnforceCampaignCheck: true})
	admin(h, "PUT", "/c", `{}`)
	var numbers []string
	for i := range 2*skycore.SweepStep + 1 {
		numbers = append(numbers, fmt.Sprintf("%q", fmt.Sprint("+49151", 10000000+i)))
		if len(numbers) == 500 || i == 2*skycore.SweepStep {
			admin(h, "POST", "/c/subscribers", "["+strings.Join(numbers, ",")+"]")
			numbers = nil
		}
	}
	admin(h, "DELETE", "/c", "")
	admin(h, "PUT", "/c", `{}`)
	if a := read(t, post(h, with("to", `"+4915110000000"`, "campaign-ref", `"c"`))); a.Code != "E715" {
		t.Errorf("%+v", a)
	}
	for left := -1; left != 0; {
		left = skycore.Rows(t, h.Dialect.(*skycore.Dialect))
		admin(h, "PUT", "/c", `{}`) // another commit, for which timers fire
	}
}
