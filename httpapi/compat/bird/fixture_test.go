package bird_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"dongled/httpapi/compat"
	"dongled/httpapi/compat/bird"
	"dongled/httpapi/compat/compattest"
	"dongled/httpapi/courier"
)

// The ids of compattest's gateway and SIMs: UUIDv5 below 5e0f3c1a-7d42-4c39-9b0e-6a1d2f8b47c5, made with
// Python's uuid.uuid5. They are a promise to clients.
const (
	workspaceID = "d6dee354-2cf1-528a-836a-ca042c3ec950" // "gateway:" and the device's id
	channelOne  = "4c8df512-8f58-55e0-bc5e-d795ad93d586" // below that: "iccid:8949020000000000001"
	channelTwo  = "22385455-0931-5dff-bf59-4f1a3dc0d8f9" // "iccid:8949020000000000002"
	channelAny  = "e2e9a0ca-6d21-5603-858a-318093b7009a" // "any"

	organizationID = "823fbfaf-f14e-4693-b55a-8ec1c17d649e"
	strangerID     = "a1405560-c8d3-4b1a-877d-3f449ad95352"

	channelsPath = "/workspaces/" + workspaceID + "/channels"
	hooksPath    = "/workspaces/" + workspaceID + "/webhook-subscriptions"
	hook         = "https://hooks.example.org/bird"
)

// house is a gateway with this dialect, and a client with a key.
type house struct {
	*compattest.House
	t *testing.T
}

func gateway(t *testing.T, o bird.Options, edits ...func(*compattest.Options)) *house {
	t.Helper()
	build := func(base compat.Base) compat.Dialect { return bird.New(base, o) }
	return &house{compattest.Start(t, build, edits...), t}
}

// ask sends a request with the key.
func (h *house) ask(method, path, body string, header ...string) compattest.Reply {
	h.t.Helper()
	if body != "" {
		header = append([]string{"Content-Type", "application/json"}, header...)
	}
	return h.Do(method, path, body, append([]string{"Authorization", "AccessKey " + compattest.Key}, header...)...)
}

// object asks for what has to be answered with a status and a JSON object.
func (h *house) object(status int, method, path, body string, header ...string) map[string]any {
	h.t.Helper()
	got := h.ask(method, path, body, header...)
	if got.Status != status {
		h.t.Fatalf("%s %s answered %d %s, want %d", method, path, got.Status, got.Body, status)
	}
	return parsed(h.t, got.Body)
}

// send has a channel send a text, and returns the message's id.
func (h *house) send(channel, to, text, more string) string {
	h.t.Helper()
	body := `{"receiver":{"contacts":[{"identifierValue":"` + to + `"}]},"body":{"type":"text","text":{"text":"` + text + `"}}` + more + `}`
	return h.object(http.StatusAccepted, "POST", channelsPath+"/"+channel+"/messages", body)["id"].(string)
}

// subscribe makes a subscription, and returns its id.
func (h *house) subscribe(event, filters, url string) string {
	h.t.Helper()
	body := `{"service":"channels","event":"` + event + `","eventFilters":[` + filters + `],"url":"` + url + `"}`
	return h.object(http.StatusCreated, "POST", hooksPath, body)["id"].(string)
}

// told waits for n callbacks in all, and reads them.
func (h *house) told(n int) (all []told) {
	h.t.Helper()
	for _, c := range h.Callbacks.Await(h.t, n) {
		tc := told{Callback: c}
		if err := json.Unmarshal(c.Body, &tc); err != nil {
			h.t.Fatalf("callback %s: %v", c.Body, err)
		}
		all = append(all, tc)
	}
	return all
}

// told is a callback as its receiver reads it.
type told struct {
	courier.Callback `json:"-"`
	Service, Event   string
	Payload          map[string]any
}

// words are the URL, event and status of each, in their order.
func words(all []told) (out []string) {
	for _, c := range all {
		status, _ := c.Payload["status"].(string)
		out = append(out, c.URL+" "+c.Event+" "+status)
	}
	return out
}

func parsed(t *testing.T, body string) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &object); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return object
}

// at walks into an object: "a.b" is b of a.
func at(object any, path ...string) any {
	for _, name := range path {
		in, _ := object.(map[string]any)
		object = in[name]
	}
	return object
}
