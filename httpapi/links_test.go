package httpapi_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"dongled/httpapi"
	"dongled/httpapi/links"
)

// fakeLinks has two links of the message m1.
type fakeLinks struct {
	err   error
	asked []string
}

func (f *fakeLinks) Of(_ context.Context, messageID string) ([]links.Link, error) {
	f.asked = append(f.asked, messageID)
	if messageID != "m1" || f.err != nil {
		return nil, f.err
	}
	return []links.Link{
		{
			Code: "4fJq0Zx1", URL: "https://shop.example/?a=1&b=2", Short: "https://s.example/r/4fJq0Zx1", MessageID: "m1", Origin: "bird",
			Note: []byte("private"), Created: at(1), Expires: at(2), First: at(3), Last: at(4), Hits: 5, Human: 2,
		},
		{Code: "zzzzzzzz", URL: "http://a.example", Short: "https://s.example/r/zzzzzzzz", MessageID: "m1", Created: at(1), Expires: at(2)},
	}, nil
}

func TestLinks(t *testing.T) {
	f := &fakeLinks{}
	s := start(t, func(o *httpapi.Options) { o.Links = f })
	const want = `[{"code":"4fJq0Zx1","url":"https://shop.example/?a=1\u0026b=2","shortUrl":"https://s.example/r/4fJq0Zx1","messageId":"m1",` +
		`"hits":5,"likelyHuman":2,"createdAt":"2026-01-02T03:04:01.005Z","expiresAt":"2026-01-02T03:04:02.005Z",` +
		`"firstAt":"2026-01-02T03:04:03.005Z","lastAt":"2026-01-02T03:04:04.005Z"},` +
		`{"code":"zzzzzzzz","url":"http://a.example","shortUrl":"https://s.example/r/zzzzzzzz","messageId":"m1",` +
		`"hits":0,"likelyHuman":0,"createdAt":"2026-01-02T03:04:01.005Z","expiresAt":"2026-01-02T03:04:02.005Z"}]`
	for _, base := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		s.do("GET", base+"/links?messageId=m1", "").want(t, 200, want)
	}
	s.do("GET", "/links?messageId=m2", "").want(t, 200, `[]`)
	s.do("GET", "/links?messageId=a%20b", "").wantMessage(t, 400, "messageId: must be the id of a message")
	s.do("GET", "/links?messageId="+strings.Repeat("a", 37), "").wantMessage(t, 400, "messageId: must be the id of a message")
	s.do("GET", "/links", "").wantMessage(t, 400, "messageId: must be the id of a message")
	s.do("GET", "/links?messageId=m1", "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
	if got := strings.Join(f.asked, " "); got != "m1 m1 m1 m2" {
		t.Errorf("asked for %s", got)
	}
	f.err = errors.New("the disk is gone")
	s.do("GET", "/links?messageId=m1", "").wantMessage(t, 503, "the message store is unavailable, try again")
}
