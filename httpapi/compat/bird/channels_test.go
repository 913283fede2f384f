package bird_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"dongled/httpapi/compat/bird"
	"dongled/httpapi/compat/compattest"
	"dongled/modem"
)

// listed are the ids of a list, in its order.
func listed(object map[string]any) (ids []string) {
	for _, item := range object["results"].([]any) {
		ids = append(ids, at(item, "id").(string))
	}
	return ids
}

func TestChannels(t *testing.T) {
	h := gateway(t, bird.Options{})
	list := h.object(http.StatusOK, "GET", channelsPath, "")
	if got := listed(list); !slices.Equal(got, []string{channelOne, channelTwo, channelAny}) {
		t.Fatalf("channels %v", got)
	}
	if list["nextPageToken"] != nil {
		t.Errorf("the only page has the token %v", list["nextPageToken"])
	}
	one := h.object(http.StatusOK, "GET", channelsPath+"/"+channelOne, "")
	for key, want := range map[string]any{
		"id": channelOne, "platformId": "sms-messagebird", "name": "one", "identifier": "+491510000001", "status": "active",
		"connectorId": "75057560-5c8f-56d9-b417-850f8dbea5f2", // "connector" below the channel, by Python
	} {
		if one[key] != want {
			t.Errorf("%s is %v, want %v", key, one[key], want)
		}
	}
	if got := at(one, "capabilities", "messaging", "outgoing", "mms", "status"); got != "inactive" {
		t.Errorf("the channel's MMS capability is %v", got)
	}
	if any := h.object(http.StatusOK, "GET", channelsPath+"/"+strings.ToUpper(channelAny), ""); any["identifier"] != "" || any["status"] != "active" {
		t.Errorf("the channel of any SIM is %v", any)
	}
}

func TestChannelsPageByPage(t *testing.T) {
	h := gateway(t, bird.Options{})
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"?limit=2", []string{channelOne, channelTwo}},
		{"?limit=2&pageToken=" + channelTwo, []string{channelAny}},
		{"?limit=1&pageToken=" + channelTwo + "&reverse=true", []string{channelOne}},
		{"?reverse=true", []string{channelAny, channelTwo, channelOne}},
		{"?pageToken=" + channelAny, nil},
	} {
		if got := listed(h.object(http.StatusOK, "GET", channelsPath+c.query, "")); !slices.Equal(got, c.want) {
			t.Errorf("%s has %v, want %v", c.query, got, c.want)
		}
	}
	if token := h.object(http.StatusOK, "GET", channelsPath+"?limit=2", "")["nextPageToken"]; token != channelTwo {
		t.Errorf("the token of the first page is %v", token)
	}
	for _, query := range []string{"?limit=0", "?limit=101", "?limit=x", "?reverse=maybe", "?pageToken=" + strangerID} {
		if got := h.ask("GET", channelsPath+query, ""); got.Status != http.StatusBadRequest {
			t.Errorf("%s answered %d %s", query, got.Status, got.Body)
		}
	}
	strict := gateway(t, bird.Options{ValidationStatus: http.StatusUnprocessableEntity})
	if got := strict.ask("GET", channelsPath+"?limit=0", ""); got.Status != http.StatusUnprocessableEntity {
		t.Errorf("with validation_status 422, limit=0 answered %d", got.Status)
	}
}

// TestSIMsMove: a channel is its card, wherever that is.
func TestSIMsMove(t *testing.T) {
	h := gateway(t, bird.Options{})
	shown := func(id string) map[string]any { return h.object(http.StatusOK, "GET", channelsPath+"/"+id, "") }
	if shown(channelOne)["status"] != "active" {
		t.Fatal("the channel of a SIM that is there is not active")
	}
	one, two := h.SIMs[0].Status(), h.SIMs[1].Status()
	h.SIMs[0].Edit(func(st *modem.Status) { *st = modem.Status{SIM: 1, Name: "one", State: modem.StateLost} })
	if got := shown(channelOne); got["status"] != "inactive" || got["identifier"] != "+491510000001" {
		t.Errorf("the channel of a SIM that is away is %v", got)
	}
	// The cards change places, and one of them lost its number on the way.
	h.SIMs[0].Edit(func(st *modem.Status) { *st = two; st.SIM, st.Name = 1, "one" })
	if got := h.ask("POST", channelsPath+"/"+channelOne+"/messages", `{"receiver":{"contacts":[{"identifierValue":"+4915112345678"}]},"body":{"type":"text","text":{"text":"x"}}}`); got.Status != http.StatusBadRequest || !strings.Contains(got.Body, "another SIM is in the place") {
		t.Errorf("a channel whose SIM gave its place to another answered %d %s", got.Status, got.Body)
	}
	h.SIMs[1].Edit(func(st *modem.Status) { *st = one; st.SIM, st.Name, st.Number = 2, "two", "" })
	if got := shown(channelOne); got["status"] != "active" || got["name"] != "two" || got["identifier"] != "+491510000001" {
		t.Errorf("the channel of a SIM in another dongle is %v", got)
	}
	id := h.send(channelOne, "+4915112345678", "by the card", "")
	if m := h.Message(id); m.SIM != 2 {
		t.Errorf("what was sent by the channel of the card in dongle 2 is for SIM %d", m.SIM)
	}
}

func TestASIMThatWasNeverSeen(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.SIMs[1].Edit(func(st *modem.Status) { st.State = modem.StateIdentifying; st.ICCID = "8949020000000000099" })
	const later = "fd1c6ea2-d7ac-5a2c-8f53-1e0e7ea9e4b4"
	if got := h.ask("GET", channelsPath+"/"+later, ""); got.Status != http.StatusNotFound {
		t.Errorf("a channel that nobody has answered %d", got.Status)
	}
}

func TestConfiguredChannels(t *testing.T) {
	const mine, code, all = "11111111-2222-4333-8444-555555555555", "11111111-2222-4333-8444-666666666666", "11111111-2222-4333-8444-777777777777"
	h := gateway(t, bird.Options{
		Workspace: strings.ToUpper(strangerID),
		Channels: []bird.Channel{
			{ID: mine, SIM: 1, Name: "Support", Kind: "conversational"}, {ID: code, SIM: 1, Kind: "2fa"}, {ID: all, Kind: "transactional"},
		},
	})
	root := "/workspaces/" + strangerID + "/channels"
	list := h.object(http.StatusOK, "GET", root, "")
	if got := listed(list); !slices.Equal(got, []string{mine, code, all, channelTwo}) {
		t.Errorf("channels %v", got)
	}
	for id, want := range map[string]string{mine: "Support", code: "one", all: "any SIM", channelTwo: "two"} {
		if got := h.object(http.StatusOK, "GET", root+"/"+id, "")["name"]; got != want {
			t.Errorf("channel %s is called %v, want %s", id, got, want)
		}
	}
	if got := h.ask("GET", channelsPath, ""); got.Status != http.StatusForbidden {
		t.Errorf("the derived workspace answered %d although another is configured", got.Status)
	}
}

// route is one that both tests of credentials go through; WS stands for the workspace.
type route struct{ method, path string }

func (r route) in(workspace string) string { return strings.ReplaceAll(r.path, "WS", workspace) }

// routes are all but those of messages.
func routes(subscription string) (all []route) {
	all = []route{{"GET", "/workspaces/WS/channels"}, {"GET", "/workspaces/WS/channels/" + channelOne}}
	for _, root := range []string{"/workspaces/WS", "/organizations/" + organizationID + "/workspaces/WS"} {
		list, one := root+"/webhook-subscriptions", root+"/webhook-subscriptions/"+subscription
		all = append(all, route{"POST", list}, route{"GET", list}, route{"GET", one}, route{"PATCH", one}, route{"DELETE", one})
	}
	return all
}

func TestWhoMaySee(t *testing.T) {
	h := gateway(t, bird.Options{})
	for _, r := range routes(h.subscribe("sms.inbound", "", hook)) {
		for _, header := range []string{"", "AccessKey wrong-key-0123456789", "AccessKey", "Bearer ", "Basic c21zOmNvcnJlY3QgaG9yc2UgYmF0dGVyeQ=="} {
			if got := h.Do(r.method, r.in(workspaceID), "{", "Authorization", header); got.Status != http.StatusUnauthorized {
				t.Errorf("%s %s with %q answered %d %s", r.method, r.path, header, got.Status, got.Body)
			}
		}
		if got := h.ask(r.method, r.in(strangerID), "{}"); got.Status != http.StatusForbidden || !strings.Contains(got.Body, "another workspace") {
			t.Errorf("%s %s of another workspace answered %d %s", r.method, r.path, got.Status, got.Body)
		}
		want := http.StatusForbidden
		if strings.Contains(r.path, "channels") {
			want = http.StatusOK
		}
		if got := h.Do(r.method, r.in(workspaceID), "{}", "Authorization", "AccessKey "+compattest.ReadKey); got.Status != want {
			t.Errorf("%s %s with a key that may read messages answered %d, want %d", r.method, r.path, got.Status, want)
		}
	}
}

// TestGuessing: who showed many wrong tokens has to wait, wherever he goes on.
func TestGuessing(t *testing.T) {
	h := gateway(t, bird.Options{})
	status := 0
	for i := 0; i < 100 && status != http.StatusTooManyRequests; i++ {
		status = h.Do("GET", channelsPath, "", "Authorization", "Bearer wrong-key-0123456789").Status
	}
	for _, r := range routes(strangerID) {
		got := h.Do(r.method, r.in(workspaceID), "", "Authorization", "Bearer wrong-key-0123456789")
		if got.Status != http.StatusTooManyRequests || got.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s answered %d, Retry-After %q", r.method, r.path, got.Status, got.Header.Get("Retry-After"))
		}
	}
}

func TestCredentials(t *testing.T) {
	h := gateway(t, bird.Options{})
	for _, header := range []string{
		"AccessKey " + compattest.Key, "accesskey " + compattest.Key, "ACCESSKEY  " + compattest.Key,
		"Bearer " + compattest.Key, "bearer " + compattest.Key,
	} {
		if got := h.Do("GET", channelsPath, "", "Authorization", header); got.Status != http.StatusOK {
			t.Errorf("%q answered %d %s", header, got.Status, got.Body)
		}
	}
}
