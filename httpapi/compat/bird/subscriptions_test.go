package bird_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"dongled/httpapi/compat/bird"
	"dongled/httpapi/compat/compattest"
)

func TestSubscriptions(t *testing.T) {
	h := gateway(t, bird.Options{})
	for _, root := range []string{"/workspaces/" + workspaceID, "/organizations/" + organizationID + "/workspaces/" + workspaceID} {
		path := root + "/webhook-subscriptions"
		made := h.object(http.StatusCreated, "POST", path, `{"service":"channels","event":"sms.outbound","template":"t",
			"eventFilters":[{"key":"channelId","value":"`+strings.ToUpper(channelOne)+`"},{"key":"messageStatus","value":"delivered"}],
			"url":"`+hook+`","signingKey":"s3cret","somethingElse":1}`)
		for key, want := range map[string]any{
			"workspaceId": workspaceID, "service": "channels", "event": "sms.outbound", "template": "t", "url": hook,
			"signingKey": "s3cret", "status": "active",
		} {
			if made[key] != want {
				t.Errorf("%s is %v, want %v", key, made[key], want)
			}
		}
		if strings.Contains(path, "organizations") && made["organizationId"] != organizationID {
			t.Errorf("organizationId is %v", made["organizationId"])
		}
		first, _ := made["eventFilters"].([]any)[0].(map[string]any)
		if first["value"] != channelOne {
			t.Errorf("the channel of the filter is %v", first["value"])
		}
		id := made["id"].(string)
		shown := h.object(http.StatusOK, "GET", path+"/"+id, "")
		if shown["id"] != id || shown["signingKey"] != nil {
			t.Errorf("it is shown as %v", shown)
		}
		list := h.ask("GET", path, "")
		if list.Status != http.StatusOK || strings.Contains(list.Body, "s3cret") || !slices.Contains(listed(parsed(t, list.Body)), id) {
			t.Errorf("the list is %s", list.Body)
		}
		changed := h.object(http.StatusOK, "PATCH", path+"/"+id, `{"url":"https://elsewhere.example.org/","status":"inactive","eventFilters":[],"signingKey":"other"}`)
		if changed["url"] != "https://elsewhere.example.org/" || changed["status"] != "inactive" || len(changed["eventFilters"].([]any)) != 0 ||
			changed["template"] != "t" || changed["signingKey"] != nil || changed["createdAt"] != made["createdAt"] {
			t.Errorf("changed, it is %v", changed)
		}
		if got := h.ask("DELETE", path+"/"+id, ""); got.Status != http.StatusNoContent || got.Body != "" {
			t.Errorf("deleting answered %d %s", got.Status, got.Body)
		}
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			if got := h.ask(method, path+"/"+id, "{}"); got.Status != http.StatusNotFound {
				t.Errorf("%s of what was deleted answered %d %s", method, got.Status, got.Body)
			}
		}
	}
}

func TestSubscriptionsPageByPage(t *testing.T) {
	h := gateway(t, bird.Options{})
	a, b := h.subscribe("sms.inbound", "", hook), h.subscribe("sms.outbound", "", hook)
	first := h.object(http.StatusOK, "GET", hooksPath+"?limit=1", "")
	if got := listed(first); !slices.Equal(got, []string{a}) || first["nextPageToken"] != a {
		t.Errorf("the first page is %v", first)
	}
	if got := listed(h.object(http.StatusOK, "GET", hooksPath+"?limit=1&pageToken="+a, "")); !slices.Equal(got, []string{b}) {
		t.Errorf("the second page is %v", got)
	}
}

func TestWrongSubscriptions(t *testing.T) {
	const good = `{"service":"channels","event":"sms.outbound","url":"https://hooks.example.org/bird"`
	filters := func(event, list string) string {
		return `{"service":"channels","event":"` + event + `","url":"https://x.example/","eventFilters":[` + list + `]}`
	}
	tests := []struct{ body, field, problem string }{
		{`{`, "", "must be one JSON object"},
		{`null`, "", "must be one JSON object"},
		{`[]`, "", "must be one JSON object"},
		{"{\"url\":\"\xff\"}", "", "UTF-8"},
		{`{}`, "service", `must be "channels"`},
		{`{"service":"conversations"}`, "service", `must be "channels"`},
		{`{"service":"channels"}`, "event", "must be sms.outbound, sms.inbound or sms.interaction"},
		{`{"service":"channels","event":"whatsapp.inbound","url":"https://x.example/"}`, "event", "must be sms.outbound"},
		{`{"service":"channels","event":"sms.outbound"}`, "url", "is missing"},
		{good[:len(good)-1] + strings.Repeat("x", 2048) + `"}`, "url", "at most 2048"},
		{`{"service":"channels","event":"sms.outbound","url":"ftp://hooks.example.org"}`, "url", "must be an http or https URL"},
		{good + `,"status":"paused"}`, "status", "active or inactive"},
		{good + `,"signingKey":"` + strings.Repeat("k", 513) + `"}`, "signingKey", "at most 512"},
		{good + `,"template":"` + strings.Repeat("t", 4097) + `"}`, "template", "at most 4096"},
		{good + `,"eventFilters":{}}`, "eventFilters", "must be an array, not object"},
		{good + `,"eventFilters":[{"key":1}]}`, "eventFilters", "must be a string, not number"},
		{filters("sms.outbound", `{"key":"interactionType","value":"clicked"}`), "eventFilters", "must be channelId or messageStatus"},
		{filters("sms.interaction", `{"key":"messageStatus","value":"sent"}`), "eventFilters", "must be channelId or interactionType"},
		{filters("sms.interaction", `{"key":"interactionType","value":"read"}`), "eventFilters", "must be clicked"},
		{filters("sms.outbound", `{"key":"messageStatus","value":"seen"}`), "eventFilters", "must be one of accepted, rejected, processing"},
		{filters("sms.outbound", `{"key":"channelId","value":"`+strangerID+`"}`), "eventFilters", "no channel of this workspace"},
		{filters("sms.outbound", `{"key":"messageStatus","value":"sent"},{"key":"messageStatus","value":"delivered"}`), "eventFilters", "is there twice"},
	}
	for _, o := range []struct {
		status int
		path   string
	}{{400, hooksPath}, {422, "/organizations/" + organizationID + hooksPath}} {
		h := gateway(t, bird.Options{ValidationStatus: o.status})
		sound := h.subscribe("sms.outbound", "", hook)
		for _, test := range tests {
			got := h.ask("POST", o.path, test.body)
			want := o.status
			if test.field == "" {
				want = http.StatusBadRequest
			}
			details, _ := parsed(t, got.Body)["details"].(map[string]any)
			if got.Status != want || !strings.Contains(got.Body, strings.ReplaceAll(test.problem, `"`, `\"`)) || test.field != "" && !hasField(details, test.field) {
				t.Errorf("%.120s answered %d %s, want %d for %s", test.body, got.Status, got.Body, want, test.field)
			}
		}
		if got := listed(h.object(http.StatusOK, "GET", o.path, "")); !slices.Equal(got, []string{sound}) {
			t.Errorf("of what is wrong there are %v", got)
		}
	}
}

func hasField(details map[string]any, field string) bool {
	for key := range details {
		if key == field || strings.HasPrefix(key, field+".") {
			return true
		}
	}
	return false
}

// TestWrongChanges are those of what is there, by both paths, with either status.
func TestWrongChanges(t *testing.T) {
	for _, status := range []int{400, 422} {
		h := gateway(t, bird.Options{ValidationStatus: status, Strict: true}, func(o *compattest.Options) { o.Server.MaxBody = 1000 })
		id := h.subscribe("sms.outbound", "", hook)
		for _, root := range []string{hooksPath, "/organizations/" + organizationID + hooksPath} {
			for _, body := range []string{`{"url":"nowhere"}`, `{"status":"off"}`, `{"event":"sms.interaction","eventFilters":[{"key":"messageStatus","value":"sent"}]}`, `{"name":"x"}`} {
				if got := h.ask("PATCH", root+"/"+id, body); got.Status != status {
					t.Errorf("%s %s answered %d %s", root, body, got.Status, got.Body)
				}
				if got := h.ask("POST", root, body); got.Status != status {
					t.Errorf("%s %s answered %d %s", root, body, got.Status, got.Body)
				}
			}
			for _, method := range []string{"POST", "PATCH"} {
				path := root
				if method == "PATCH" {
					path += "/" + id
				}
				if got := h.ask(method, path, `{"url":"`+strings.Repeat("x", 2000)+`"}`); got.Status != http.StatusRequestEntityTooLarge {
					t.Errorf("%s of a body beyond the limit answered %d", method, got.Status)
				}
			}
			if got := h.ask("GET", root+"?limit=0", ""); got.Status != status {
				t.Errorf("limit=0 answered %d %s", got.Status, got.Body)
			}
		}
		if got := h.object(http.StatusOK, "GET", hooksPath+"/"+id, ""); got["url"] != hook || got["status"] != "active" || got["event"] != "sms.outbound" {
			t.Errorf("wrong changes made it %v", got)
		}
		if got := h.ask("GET", "/organizations/mine"+hooksPath, ""); got.Status != status || !strings.Contains(got.Body, "organizationId") {
			t.Errorf("an organization that is no UUID answered %d %s", got.Status, got.Body)
		}
	}
}

// TestFiveAlike: that many may have the same filters, in whatever order they are written.
func TestFiveAlike(t *testing.T) {
	h := gateway(t, bird.Options{})
	const byChannel, byStatus = `{"key":"channelId","value":"` + channelOne + `"}`, `{"key":"messageStatus","value":"sent"}`
	body := func(filters string) string {
		return `{"service":"channels","event":"sms.outbound","url":"https://x.example/","eventFilters":[` + filters + `]}`
	}
	var ids []string
	for i := range 5 {
		filters := byChannel + "," + byStatus
		if i%2 == 1 {
			filters = byStatus + "," + byChannel
		}
		ids = append(ids, h.object(http.StatusCreated, "POST", hooksPath, body(filters))["id"].(string))
	}
	sixth := body(byStatus + "," + byChannel)
	if got := h.ask("POST", hooksPath, sixth); got.Status != http.StatusBadRequest || !strings.Contains(got.Body, "5 subscriptions with the same event and filters") {
		t.Errorf("the sixth answered %d %s", got.Status, got.Body)
	}
	other := h.object(http.StatusCreated, "POST", hooksPath, body(byStatus))["id"].(string)
	if got := h.ask("PATCH", hooksPath+"/"+other, `{"eventFilters":[`+byStatus+","+byChannel+`]}`); got.Status != http.StatusBadRequest {
		t.Errorf("becoming the sixth answered %d %s", got.Status, got.Body)
	}
	h.object(http.StatusOK, "PATCH", hooksPath+"/"+ids[0], `{"url":"https://y.example/"}`)
	if got := h.ask("DELETE", hooksPath+"/"+ids[0], ""); got.Status != http.StatusNoContent {
		t.Fatalf("deleting answered %d", got.Status)
	}
	h.object(http.StatusCreated, "POST", hooksPath, sixth)
}
