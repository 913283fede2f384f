package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/android-sms-gateway/client-go/smsgateway"

	"dongled/httpapi"
	"dongled/httpapi/webhook"
	"dongled/scheduler/store"
)

// fakeWebhooks answers as it is told to, and notes what was asked, one line each.
type fakeWebhooks struct {
	hooks []webhook.Hook
	page  []webhook.Delivery
	total int
	err   error
	asked []string
}

func (f *fakeWebhooks) note(format string, args ...any) {
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
}

func (f *fakeWebhooks) List(_ context.Context, source string) ([]webhook.Hook, error) {
	f.note("list %s", source)
	return f.hooks, f.err
}

func (f *fakeWebhooks) Put(_ context.Context, h webhook.Hook) (webhook.Hook, error) {
	f.note("put %+v", h)
	if h.ID == "" {
		h.ID = "LreFUt-Z3sSq0JufY9uWB"
	}
	return h, f.err
}

func (f *fakeWebhooks) Delete(_ context.Context, id string) error {
	f.note("delete %s", id)
	return f.err
}

func (f *fakeWebhooks) Test(_ context.Context, id string) (webhook.Delivery, error) {
	f.note("test %s", id)
	return f.first(), f.err
}

func (f *fakeWebhooks) Deliveries(_ context.Context, id, state string, limit, offset int) ([]webhook.Delivery, int, error) {
	f.note("deliveries of %s, state %q, %d from %d", id, state, limit, offset)
	return f.page, f.total, f.err
}

func (f *fakeWebhooks) Replay(_ context.Context, id, delivery string) (webhook.Delivery, error) {
	f.note("replay %s of %s", delivery, id)
	return f.first(), f.err
}

func (f *fakeWebhooks) first() webhook.Delivery {
	if len(f.page) == 0 {
		return webhook.Delivery{}
	}
	return f.page[0]
}

// startHooks is start with webhooks behind it.
func startHooks(t *testing.T) (*server, *fakeWebhooks) {
	t.Helper()
	f := &fakeWebhooks{}
	return start(t, func(o *httpapi.Options) { o.Webhooks = f }), f
}

// last is what was asked last.
func (f *fakeWebhooks) last(t *testing.T) string {
	t.Helper()
	if len(f.asked) == 0 {
		t.Fatal("nothing was asked")
	}
	return f.asked[len(f.asked)-1]
}

// Registrations as clients send them: client-go's null, client-rs's device_id, the ids of Home
// Assistant and of the web dashboard, no id at all.
func TestPutWebhook(t *testing.T) {
	s, f := startHooks(t)
	for body, want := range map[string]string{
		`{"id":"home-assistant-sms-received","deviceId":null,"url":"https://ha.example/x","event":"sms:received"}`:                             `{"id":"home-assistant-sms-received","url":"https://ha.example/x","event":"sms:received","source":"Local"}`,
		`{"id":"web-dashboard-sms:received","url":"http://127.0.0.1:3000/h","event":"sms:received"}`:                                           `{"id":"web-dashboard-sms:received","url":"http://127.0.0.1:3000/h","event":"sms:received","source":"Local"}`,
		`{"device_id":"PyDmBQZZXYmyxMwED8Fzy","url":"https://a/","event":"system:ping"}`:                                                       `{"id":"LreFUt-Z3sSq0JufY9uWB","url":"https://a/","event":"system:ping","source":"Local"}`,
		`{"id":null,"deviceId":"PyDmBQZZXYmyxMwED8Fzy","device_id":"","url":"https://a/","event":"call:received","source":"Cloud","more":[1]}`: `{"id":"LreFUt-Z3sSq0JufY9uWB","url":"https://a/","event":"call:received","source":"Local"}`,
	} {
		for _, path := range []string{"/webhooks", "/webhook", "/3rdparty/v1/webhooks", "/api/3rdparty/v1//webhook/"} {
			s.do("POST", path, body).want(t, 201, want)
		}
	}
	if got := len(f.asked); got != 16 {
		t.Errorf("%d of 16 reached the registry", got)
	}
}

func TestPutWebhookRefuses(t *testing.T) {
	s, f := startHooks(t)
	for body, message := range map[string]string{
		`{"deviceId":"another","url":"https://a/","event":"sms:received"}`:  "Device ID mismatch",
		`{"device_id":"another","url":"https://a/","event":"sms:received"}`: "Device ID mismatch",
		`{"url":5,"event":"sms:received"}`:                                  "url: must be a string",
		`{"url":"https://a/","event":"sms:received","event":"sms:sent"}`:    "event: must not occur twice",
		`[]`: "body: must be a JSON object",
	} {
		s.do("POST", "/webhooks", body).wantMessage(t, 400, message)
	}
	s.do("POST", "/webhooks", `{}`, "Content-Type", "text/plain").wantMessage(t, 400, "Content-Type: must be application/json")
	if f.asked != nil {
		t.Errorf("asked %q", f.asked)
	}
	f.err = &webhook.Fault{Field: "event", Problem: "invalid event type"}
	s.do("POST", "/webhooks", `{"url":"https://a/","event":"sms:received"}`).wantMessage(t, 400, "invalid event type")
}

func TestListWebhooks(t *testing.T) {
	s, f := startHooks(t)
	s.do("GET", "/webhooks", "").want(t, 200, "[]")
	f.hooks = []webhook.Hook{{ID: "a:b", URL: "https://a/", Event: "sms:sent", Source: "Local"}}
	s.do("GET", "/3rdparty/v1/webhook", "").want(t, 200, `[{"id":"a:b","url":"https://a/","event":"sms:sent","source":"Local"}]`)
	if got := f.last(t); got != "list Local" {
		t.Errorf("asked %q", got)
	}
}

// What ids can be in a path.
func TestWebhookIDs(t *testing.T) {
	s, f := startHooks(t)
	f.page = logged
	for path, id := range map[string]string{
		"web-dashboard-sms:received":     "web-dashboard-sms:received",
		"web-dashboard-sms%3Areceived":   "web-dashboard-sms:received",
		"a%2Fb":                          "a/b",
		"%D0%BF%D1%80%D0%B8%D0%B2%D0%B5": "приве",
		"a%20b+c":                        "a b+c",
		"%zz":                            "",
	} {
		for _, base := range []string{"/webhooks/", "/webhook/", "/api/3rdparty/v1/webhooks/"} {
			s.raw("DELETE", base+path, "").want(t, 204, "")
			if got := f.last(t); got != "delete "+id {
				t.Errorf("%s: %q", path, got)
			}
			s.raw("POST", base+path+"/test", "")
			if got := f.last(t); got != "test "+id {
				t.Errorf("%s: %q", path, got)
			}
			s.raw("POST", base+path+"/deliveries/d%3A1/replay", "")
			if got := f.last(t); got != "replay d:1 of "+id {
				t.Errorf("%s: %q", path, got)
			}
		}
	}
}

var logged = []webhook.Delivery{
	{ID: "Ey6ECgOkVVFjz3CL48B8C", WebhookID: "a", Event: "sms:received", State: "pending", Created: at(1), Attempts: 2,
		Last: at(2), Next: at(9), Status: 500, Error: "the endpoint answered 500 Internal Server Error"},
	{ID: "Ey6ECgOkVVFjz3CL48B8D", WebhookID: "a", Event: "sms:received", State: "delivered", Created: at(1), Attempts: 1, Last: at(2), Status: 204},
	{ID: "Ey6ECgOkVVFjz3CL48B8E", WebhookID: "a", Event: "system:ping", State: "superseded", Created: at(1)},
}

const loggedJSON = `[` +
	`{"id":"Ey6ECgOkVVFjz3CL48B8C","webhookId":"a","event":"sms:received","state":"pending","createdAt":"2026-01-02T03:04:01.005Z","attempts":2,` +
	`"lastAttemptAt":"2026-01-02T03:04:02.005Z","nextAttemptAt":"2026-01-02T03:04:09.005Z","responseStatus":500,"error":"the endpoint answered 500 Internal Server Error"},` +
	`{"id":"Ey6ECgOkVVFjz3CL48B8D","webhookId":"a","event":"sms:received","state":"delivered","createdAt":"2026-01-02T03:04:01.005Z","attempts":1,` +
	`"lastAttemptAt":"2026-01-02T03:04:02.005Z","responseStatus":204},` +
	`{"id":"Ey6ECgOkVVFjz3CL48B8E","webhookId":"a","event":"system:ping","state":"superseded","createdAt":"2026-01-02T03:04:01.005Z","attempts":0}]`

func TestDeliveries(t *testing.T) {
	s, f := startHooks(t)
	got := s.do("GET", "/webhooks/a/deliveries", "")
	got.want(t, 200, "[]")
	f.page, f.total = logged, 77
	got = s.do("GET", "/webhooks/a/deliveries?state=pending&limit=500&offset=3", "")
	got.want(t, 200, loggedJSON)
	if total := got.header.Get("X-Total-Count"); total != "77" {
		t.Errorf("X-Total-Count %q", total)
	}
	if want := []string{`deliveries of a, state "", 50 from 0`, `deliveries of a, state "pending", 500 from 3`}; fmt.Sprint(f.asked) != fmt.Sprint(want) {
		t.Errorf("asked %q", f.asked)
	}
	for query, message := range map[string]string{
		"state=Pending": "state: must be pending, delivered, failed or superseded",
		"limit=0":       "limit: must be an integer from 1 to 500",
		"limit=501":     "limit: must be an integer from 1 to 500",
		"offset=-1":     "offset: must be an integer, 0 or more",
	} {
		s.do("GET", "/webhooks/a/deliveries?"+query, "").wantMessage(t, 400, message)
	}
	if len(f.asked) != 2 {
		t.Errorf("asked %q", f.asked)
	}
}

func TestWebhookTestAndReplay(t *testing.T) {
	s, f := startHooks(t)
	f.page = logged[1:]
	one := strings.Split(loggedJSON, "},{")[1]
	s.do("POST", "/webhooks/a/test", "").want(t, 200, "{"+one+"}")
	f.page = logged
	first := strings.Split(loggedJSON, "},{")[0]
	s.do("POST", "/webhooks/a/deliveries/Ey6ECgOkVVFjz3CL48B8C/replay", "").want(t, 202, first[1:]+"}")
}

func TestWebhookErrors(t *testing.T) {
	s, f := startHooks(t)
	all := map[string]string{
		"/webhooks": "GET", "/webhooks/x": "DELETE", "/webhooks/x/test": "POST", "/webhooks/x/deliveries": "GET",
		"/webhooks/x/deliveries/y/replay": "POST",
	}
	for path, method := range all {
		s.do(method, path, "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
	}
	if f.asked != nil {
		t.Errorf("asked %q", f.asked)
	}
	f.err = errors.New("disk on fire")
	for path, method := range all {
		s.do(method, path, "").wantMessage(t, 503, "the message store is unavailable, try again")
	}
	f.err = webhook.ErrNotFound
	for _, path := range []string{"/webhooks/x/test", "/webhooks/x/deliveries", "/webhooks/x/deliveries/y/replay"} {
		s.do(all[path], path, "").wantMessage(t, 404, "no such webhook or delivery")
	}
	f.err = webhook.ErrNotEnded
	s.do("POST", "/webhooks/x/deliveries/y/replay", "").
		wantMessage(t, 409, "only a delivery that is delivered or failed can be replayed")
}

// The published client against the registry itself.
func TestPublishedClientWebhooks(t *testing.T) {
	hooks := webhook.New(webhook.Options{Version: "1"})
	db, err := store.Open(t.TempDir()+"/s.db", store.Options{}, hooks)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := start(t, func(o *httpapi.Options) { o.Webhooks = hooks })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := s.client("/3rdparty/v1", password)
	for _, id := range []string{"", "web-dashboard-sms:received", "web-dashboard-sms:received"} {
		got, err := client.RegisterWebhook(ctx, smsgateway.Webhook{ID: id, URL: "https://example.com/h", Event: smsgateway.WebhookEventSmsReceived})
		if err != nil || len(got.ID) < 21 || id != "" && got.ID != id {
			t.Fatalf("registered %+v, %v", got, err)
		}
	}
	list, err := client.ListWebhooks(ctx)
	if err != nil || len(list) != 2 || list[1].ID != "web-dashboard-sms:received" || list[1].Event != "sms:received" {
		t.Errorf("list %+v, %v", list, err)
	}
	for range 2 {
		if err := client.DeleteWebhook(ctx, "web-dashboard-sms:received"); err != nil {
			t.Error(err)
		}
	}
	if list, err = client.ListWebhooks(ctx); err != nil || len(list) != 1 {
		t.Errorf("list %+v, %v", list, err)
	}
	for hook, message := range map[smsgateway.Webhook]string{
		{URL: "http://192.168.1.2/x", Event: "sms:received"}:  "url must start with https:// or http://127.0.0.1; http URLs of private networks need the setting webhooks.allow_lan_http",
		{URL: "http://example.com/x", Event: "sms:received"}:  "url must start with https:// or http://127.0.0.1",
		{URL: "https://example.com/x", Event: "sms:recieved"}: "invalid event type",
	} {
		body := fmt.Sprintf(`{"url":%q,"event":%q}`, hook.URL, hook.Event)
		s.do(http.MethodPost, "/webhooks", body).wantMessage(t, 400, message)
	}
}
