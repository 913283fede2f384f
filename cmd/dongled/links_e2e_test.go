package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"dongled/configs"
	"dongled/httpapi/links"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// linkState is what GET /links says of a link.
type linkState struct {
	Code, URL, ShortURL, MessageID string
	Hits, LikelyHuman              int
	FirstAt, LastAt                string
}

// follow asks for a path of the listener of short links.
func (w *whole) follow(t *testing.T, path string) (status int, location string) {
	t.Helper()
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Get("http://" + w.d.linksLn.Addr().String() + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location")
}

func (w *whole) linksOf(t *testing.T, message string) (all []linkState) {
	t.Helper()
	got := w.ask(t, "GET", "/links?messageId="+message, "")
	if err := json.Unmarshal([]byte(got.body), &all); err != nil || got.status != 200 {
		t.Fatalf("%d %s", got.status, got.body)
	}
	return all
}

// TestLinks: a text is sent with a short link, which leads to its target on a listener where nothing else
// is, is counted, and still is after a restart.
func TestLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dongled.db")
	edit := func(c *configs.Config) {
		c.Store.Path = path
		c.Links.Listen, c.Links.PublicBaseURL = "127.0.0.1:0", "https://s.example.org"
	}
	const target = "https://shop.example.com/a/very/long/path?id=4711"
	var code string
	t.Run("first run", func(t *testing.T) {
		w := runWhole(t, edit)
		room := w.d.rooms.vendors.links
		text, made, err := room.Rewrite("See "+target+".", links.Wish{})
		if err != nil || len(made) != 1 {
			t.Fatalf("%+v, %v", made, err)
		}
		code = made[0].Code
		_, err = w.d.sched.Submit(t.Context(), queue.Submission{
			ID: "m1", Content: queue.Content{Text: text}, Recipients: []string{"+4915112345678"},
			Also: func(tx *store.Tx, m queue.Message) error { return room.Keep(tx, m.ID, made) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.object(t, 200, "GET", "/messages/m1?includeContent=true", "")["textMessage"]; got.(map[string]any)["text"] != "See https://s.example.org/r/"+code+"." {
			t.Errorf("the message is %v", got)
		}
		for range 2 {
			if status, location := w.follow(t, "/r/"+code); status != 302 || location != target {
				t.Errorf("%d to %q", status, location)
			}
		}
		for _, path := range []string{"/", "/messages", "/health", "/links?messageId=m1", "/openapi.yaml", "/r/00000000"} {
			if status, location := w.follow(t, path); status != 404 || location != "" {
				t.Errorf("%s: %d to %q", path, status, location)
			}
		}
		want := linkState{Code: code, URL: target, ShortURL: "https://s.example.org/r/" + code, MessageID: "m1", Hits: 2}
		got := w.linksOf(t, "m1")
		if len(got) == 1 && got[0].FirstAt != "" && got[0].LastAt != "" {
			got[0].FirstAt, got[0].LastAt = "", ""
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if said := w.log.String(); strings.Contains(said, code) || strings.Contains(said, "shop.example.com") {
			t.Errorf("the log tells of links:\n%s", said)
		}
	})
	t.Run("second run", func(t *testing.T) {
		w := runWhole(t, edit)
		w.follow(t, "/r/"+code)
		if got := w.linksOf(t, "m1"); len(got) != 1 || got[0].Hits != 3 || got[0].LikelyHuman != 0 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("switched off", func(t *testing.T) {
		w := runWhole(t, edit, func(c *configs.Config) { c.Links = configs.Default().Links })
		if w.d.linksLn != nil {
			t.Error("something listens")
		}
		if _, _, err := w.d.rooms.vendors.links.Rewrite("http://a.de", links.Wish{}); !errors.Is(err, links.ErrOff) {
			t.Errorf("rewritten: %v", err)
		}
		if got := w.linksOf(t, "m1"); len(got) != 1 || got[0].Hits != 3 {
			t.Errorf("got %+v", got)
		}
	})
}
