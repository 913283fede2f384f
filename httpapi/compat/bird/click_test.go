package bird_test

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"testing"

	"dongled/httpapi/compat/bird"
	"dongled/httpapi/compat/compattest"
)

var shortURL = regexp.MustCompile(`https://s\.example\.org(/r/\S+)`)

// TestFollowed sends a short link to a phone and follows it as a browser does.
func TestFollowed(t *testing.T) {
	h := gateway(t, bird.Options{})
	h.subscribe("sms.interaction", `{"key":"channelId","value":"`+channelOne+`"}`, hook)
	const target = "https://shop.example.org/a/very/long/path/to/the/sale?color=red"
	id := h.send(channelOne, phone, "look: "+target, `,"shortLinks":{"enabled":true},"reference":"order 7","tags":["Sale"]`)
	path := shortURL.FindStringSubmatch(h.Message(id).Content.Text)
	if path == nil {
		t.Fatalf("the text is %q", h.Message(id).Content.Text)
	}
	if got := followed(t, h.House, path[1]); got != target {
		t.Errorf("the link leads to %q", got)
	}
	p := h.told(1)[0].Payload
	for key, want := range map[string]any{
		"messageId": id, "channelId": channelOne, "type": "clicked", "messageReference": "order 7",
	} {
		if p[key] != want {
			t.Errorf("%s is %v, want %v", key, p[key], want)
		}
	}
	// No person is as fast as this test: what comes in the first two seconds counts as a machine's.
	if at(p, "metadata", "link", "url") != target || at(p, "metadata", "prefetched") != true {
		t.Errorf("metadata %v", p["metadata"])
	}
	if tags, _ := p["messageTags"].([]any); len(tags) != 1 || tags[0] != "sale" {
		t.Errorf("tags %v", p["messageTags"])
	}
}

// followed is where a link leads a person's phone. The listener is ended, which has it store its counts.
func followed(t *testing.T, h *compattest.House, path string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Links.Serve(ctx, ln) }()
	r, err := http.NewRequest(http.MethodGet, "http://"+ln.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36")
	var browser http.Transport
	resp, err := browser.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	browser.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	return resp.Header.Get("Location")
}
