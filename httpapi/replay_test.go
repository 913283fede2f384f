package httpapi_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/android-sms-gateway/client-go/smsgateway"

	"dongled/scheduler/inbox"
)

// exports and refresh are the paths as clients know them.
var (
	exports = []string{
		"/messages/inbox/export", "/message/inbox/export", "/inbox/export",
		"/3rdparty/v1/messages/inbox/export", "/api/3rdparty/v1/inbox/export", "/3rdparty/v1//message/inbox/export/",
	}
	refreshes = []string{"/inbox/refresh", "/3rdparty/v1/inbox/refresh", "/api/3rdparty/v1//inbox/refresh"}
)

const period = `"since":"2026-01-02T03:04:05Z","until":"2026-01-03T03:04:05+02:00"`

// asked is a replay of that period.
func asked(batch bool, kinds ...inbox.Kind) inbox.Replay {
	return inbox.Replay{
		Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Until: time.Date(2026, 1, 3, 1, 4, 5, 0, time.UTC), Kinds: kinds, Batch: batch,
	}
}

// TestExport: every path, and who is asked for what.
func TestExport(t *testing.T) {
	for _, path := range exports {
		s := start(t)
		got := s.do("POST", path, `{`+period+`}`)
		got.want(t, 202, "{}")
		if kind, deprecated := got.header.Get("Content-Type"), got.header.Get("Deprecation"); kind != "application/json" || deprecated != "" {
			t.Errorf("%s: Content-Type %q, Deprecation %q", path, kind, deprecated)
		}
		if want := []inbox.Replay{asked(false, inbox.SMS)}; !reflect.DeepEqual(s.inbox.replays, want) {
			t.Errorf("%s asked for %+v, want %+v", path, s.inbox.replays, want)
		}
		if len(s.modems.asked) > 0 {
			t.Errorf("%s: dongles were asked %q", path, s.modems.asked)
		}
	}
	for _, path := range refreshes {
		s := start(t)
		s.do("POST", path, `{`+period+`}`).want(t, 202, "{}")
		if len(s.inbox.replays) > 0 || !slices.Equal(s.modems.asked, []string{"sweep"}) {
			t.Errorf("%s asked for %+v and %q", path, s.inbox.replays, s.modems.asked)
		}
	}
}

// TestReplayFields: what an export and a refresh make of the other fields.
func TestReplayFields(t *testing.T) {
	all := []inbox.Kind{inbox.MMS, inbox.DataSMS, inbox.SMS}
	none := inbox.Replay{}
	for _, c := range []struct {
		fields          string
		export, refresh inbox.Replay
	}{
		{``, asked(false, inbox.SMS), none},
		{`,"deviceId":null,"messageTypes":null,"triggerWebhooks":null,"webhookDelivery":null`, asked(false, inbox.SMS), none},
		{`,"deviceId":"","whatever":[1]`, asked(false, inbox.SMS), none},
		{`,"deviceId":"PyDmBQZZXYmyxMwED8Fzy"`, asked(false, inbox.SMS), none},
		{`,"triggerWebhooks":true`, asked(false, inbox.SMS), asked(false, inbox.SMS)},
		{`,"triggerWebhooks":false`, none, none},
		{`,"webhookDelivery":"Individual","triggerWebhooks":false`, asked(false, inbox.SMS), asked(false, inbox.SMS)},
		{`,"webhookDelivery":"Batch"`, asked(true, inbox.SMS), asked(true, inbox.SMS)},
		{`,"webhookDelivery":"Disabled","triggerWebhooks":true`, none, none},
		{`,"webhookDelivery":"Individual","messageTypes":["MMS"]`, asked(false, inbox.MMS), asked(false, inbox.MMS)},
		{`,"webhookDelivery":"Batch","messageTypes":["MMS","DATA_SMS","SMS","MMS"]`, asked(true, all...), asked(true, all...)},
	} {
		s := start(t)
		for path, want := range map[string]inbox.Replay{"/messages/inbox/export": c.export, "/inbox/refresh": c.refresh} {
			s.inbox.replays = nil
			s.do("POST", path, `{`+period+c.fields+`}`).want(t, 202, "{}")
			if wanted := !reflect.DeepEqual(want, none); len(s.inbox.replays) > 1 || wanted != (len(s.inbox.replays) == 1) ||
				wanted && !reflect.DeepEqual(s.inbox.replays[0], want) {
				t.Errorf("%s with %s asked for %+v, want %+v", path, c.fields, s.inbox.replays, want)
			}
		}
	}
}

// TestReplayRefused: nothing is asked for, and the field is named.
func TestReplayRefused(t *testing.T) {
	s := start(t)
	const time = "must be a date and time as in RFC 3339, such as 2030-12-31T23:59:59Z"
	for body, message := range map[string]string{
		`[]`:                               "body: must be a JSON object",
		`{}`:                               "since: is required",
		`{"since":null,"until":null}`:      "since: is required",
		`{"since":"2026-01-02T03:04:05Z"}`: "until: is required",
		`{"until":"2026-01-02T03:04:05Z"}`: "since: is required",
		`{"since":"2026-01-02","until":"2026-01-02T03:04:05Z"}`:               "since: " + time,
		`{"since":"2026-01-02T03:04:05Z","until":1767323045}`:                 "until: must be a string",
		`{"since":"2026-01-02T03:04:05.001Z","until":"2026-01-02T03:04:05Z"}`: "since: must not be after until",
		`{` + period + `,"deviceId":"another"}`:                               "deviceId: failed to select device: record not found",
		`{` + period + `,"messageTypes":[]}`:                                  "messageTypes: must have at least one element",
		`{` + period + `,"messageTypes":"SMS"}`:                               "messageTypes: must be an array of strings",
		`{` + period + `,"messageTypes":["SMS","sms"]}`:                       "messageTypes[1]: must be SMS, DATA_SMS or MMS",
		`{` + period + `,"messageTypes":["MMS_DOWNLOADED"]}`:                  "messageTypes[0]: must be SMS, DATA_SMS or MMS",
		`{` + period + `,"messageTypes":[""]}`:                                "messageTypes[0]: must be SMS, DATA_SMS or MMS",
		`{` + period + `,"triggerWebhooks":"true"}`:                           "triggerWebhooks: must be true or false",
		`{` + period + `,"webhookDelivery":"batch"}`:                          "webhookDelivery: must be Disabled, Individual or Batch",
		`{` + period + `,"webhookDelivery":""}`:                               "webhookDelivery: must be Disabled, Individual or Batch",
		`{` + period + `,"webhookDelivery":true}`:                             "webhookDelivery: must be a string",
		`{` + period + `,"since":"2026-01-02T03:04:05Z"}`:                     "since: must not occur twice",
	} {
		for _, path := range []string{"/inbox/refresh", "/messages/inbox/export"} {
			s.do("POST", path, body).wantMessage(t, 400, message)
		}
	}
	s.do("POST", "/inbox/export", `{`+period+`}`, "Content-Type", "text/plain").wantMessage(t, 400, "Content-Type: must be application/json")
	s.do("POST", "/inbox/export", `{`+period+`}`, "Authorization", "").wantMessage(t, 401, "Unauthorized")
	if len(s.inbox.replays)+len(s.modems.asked) > 0 {
		t.Errorf("asked for %+v and %q", s.inbox.replays, s.modems.asked)
	}
	s.inbox.err = errors.New("disk on fire")
	s.do("POST", "/messages/inbox/export", `{`+period+`}`).
		wantMessage(t, 503, "the message store is unavailable; nothing was accepted, try again")
}

// TestClientExports: the published client is content with the answer.
func TestClientExports(t *testing.T) {
	s := start(t)
	client := smsgateway.NewClient(smsgateway.Config{User: username, Password: password, BaseURL: s.url + "/3rdparty/v1"})
	r := asked(false, inbox.SMS)
	if err := client.ExportInbox(t.Context(), smsgateway.MessagesExportRequest{DeviceID: deviceID, Since: r.Since, Until: r.Until}); err != nil {
		t.Fatal(err)
	}
	if want := []inbox.Replay{r}; !reflect.DeepEqual(s.inbox.replays, want) {
		t.Errorf("asked for %+v, want %+v", s.inbox.replays, want)
	}
}

// TestAttachments: there are none.
func TestAttachments(t *testing.T) {
	s := start(t)
	for path, want := range map[string]reply{
		"/inbox/mms:1/attachments/1":                    {status: 404, body: "attachment not found"},
		"/3rdparty/v1/inbox/mms%3A1/attachments/0":      {status: 404, body: "attachment not found"},
		"/api/3rdparty/v1/inbox/text:1/attachments/-12": {status: 404, body: "attachment not found"},
		"/inbox/mms:1/attachments/one":                  {status: 400, body: "partId must be a number"},
		"/inbox/mms:1/attachments/1.5":                  {status: 400, body: "partId must be a number"},
		"/inbox/mms:1/attachments/99999999999999999999": {status: 400, body: "partId must be a number"},
	} {
		s.do("GET", path, "").wantMessage(t, want.status, want.body)
	}
}

// TestDeleteDevice: only this gateway is there, and it stays.
func TestDeleteDevice(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/devices/", "/device/", "/3rdparty/v1/devices/", "/api/3rdparty/v1//device/"} {
		s.do("DELETE", path+deviceID, "").wantMessage(t, 409, "this gateway is the device itself and cannot be deleted")
		s.do("DELETE", path+"another", "").wantMessage(t, 404, "device not found")
	}
	s.do("DELETE", "/devices/%50yDmBQZZXYmyxMwED8Fzy", "").wantMessage(t, 409, "this gateway is the device itself and cannot be deleted")
	if list := s.do("GET", "/devices", ""); list.status != 200 {
		t.Errorf("%d", list.status)
	}
}
