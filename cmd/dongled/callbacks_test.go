package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"dongled/configs"
	"dongled/httpapi/courier"
	"dongled/scheduler/store"
)

// TestCallbacksOfAnAPIThatIsOff: what the run before made, and what it left, is shown over the native API,
// and what is left waits, whether the API is switched off or there is none of that name any more.
func TestCallbacksOfAnAPIThatIsOff(t *testing.T) {
	for _, dialect := range []string{"bird", "gone"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			ear := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/bad" {
					w.WriteHeader(http.StatusGone)
				}
			}))
			defer ear.Close()
			w := runWhole(t, func(cfg *configs.Config) {
				cfg.Dialects.Off = []string{"bird"}
				callBack(t, cfg.Store.Path, dialect, ear.URL)
			})
			w.showsCallbacks(t, dialect, strings.TrimPrefix(ear.URL, "http://"))
			if said := w.log.String(); !strings.Contains(said, "callbacks wait for an API that is switched off") || !strings.Contains(said, "dialect="+dialect) {
				t.Errorf("log %s", said)
			}
		})
	}
}

// showsCallbacks looks at those of callBack.
func (w *whole) showsCallbacks(t *testing.T, dialect, host string) {
	t.Helper()
	got := w.ask(t, "GET", "/callbacks", "")
	body := regexp.MustCompile(`,"createdAt":"[^"]*"`).ReplaceAllString(got.body, "")
	start := func(id string) string {
		return `{"id":"` + id + `","dialect":"` + dialect + `","method":"POST","host":"` + host + `","messageId":"m` + id + `",`
	}
	want := `[` + start("3") + `"state":"pending","attempts":0},` +
		start("2") + `"state":"failed","attempts":1,"lastStatus":410,"lastError":"the endpoint answered 410 Gone"},` +
		start("1") + `"state":"delivered","attempts":1,"lastStatus":200}]`
	if got.status != 200 || body != want {
		t.Errorf("%d %s\nwant %s", got.status, body, want)
	}
	got = w.ask(t, "GET", "/api/3rdparty/v1/callbacks?state=failed&limit=1", "")
	if total := got.header.Get("X-Total-Count"); got.status != 200 || total != "1" || !strings.Contains(got.body, `"id":"2"`) {
		t.Errorf("%d %s of %s", got.status, got.body, total)
	}
}

// callBack is a run that makes a callback which is taken and one which is not, and leaves a third one.
func callBack(t *testing.T, path, dialect, base string) {
	t.Helper()
	c := courier.New(courier.Options{})
	c.Register(dialect, courier.Plan{})
	s, err := store.Open(path, store.Options{}, c)
	if err != nil {
		t.Fatal(err)
	}
	put := func(urlPath, ref string) {
		if err := s.Do(context.Background(), func(t *store.Tx) error {
			c.Put(t, courier.Callback{Dialect: dialect, Method: "POST", URL: base + urlPath + "?token=secret", Line: "l", Ref: ref})
			return t.Err
		}); err != nil {
			t.Fatal(err)
		}
	}
	running, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); c.Run(running) }()
	put("/good", "m1")
	put("/bad", "m2")
	w := &whole{t: t}
	w.await("two callbacks to end", func() bool {
		_, pending, err := c.List(context.Background(), courier.Pending, 0, 0)
		return err == nil && pending == 0
	})
	stop()
	<-ended
	put("/left", "m3")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
