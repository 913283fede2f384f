package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"dongled/configs"
	"dongled/httpapi/auth"
	"dongled/scheduler/queue"
	"dongled/scheduler/store"
)

// benchedAPI is how a message is sent over an API, and after how many callbacks its client was told all.
type benchedAPI struct {
	send      func(b *testing.B, base, ear string)
	callbacks int64
}

// BenchmarkLives: one message after the other is posted, sent and reported, over SMSGate's API and over
// two that call their clients back. The store writes without fsync: what it writes is the question.
func BenchmarkLives(b *testing.B) {
	for name, l := range map[string]benchedAPI{
		"native": {sendNative, 0},
		"bird":   {sendBird, 4},
		"kannel": {sendKannel, 2},
	} {
		b.Run(name, func(b *testing.B) { benchLives(b, l) })
	}
}

func benchLives(b *testing.B, l benchedAPI) {
	var told atomic.Int64
	ear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		told.Add(1)
	}))
	defer ear.Close()
	d, stop := benchDaemon(b, func(cfg *configs.Config) {
		cfg.Bird.Workspace = benchWorkspace
		cfg.Channels = []configs.Channel{{ID: benchChannel, Name: "Alerts", Kind: configs.Transactional}}
	})
	defer stop()
	base := "http://" + d.ln.Addr().String()
	if _, err := d.rooms.auth.AddKey(b.Context(), "bird", benchKey, []string{auth.AllAny}, false); err != nil {
		b.Fatal(err)
	}
	ask(b, http.StatusCreated, base+"/workspaces/"+benchWorkspace+"/webhook-subscriptions",
		fmt.Sprintf(`{"service":"channels","event":"sms.outbound","url":%q,"signingKey":"s"}`, ear.URL), "AccessKey "+benchKey)
	db := benchStore(b, d)
	before, first, n := db.Stats(), commits(b, db), 0
	for b.Loop() {
		n++
		l.send(b, base, ear.URL)
		for told.Load() < int64(n)*l.callbacks || !allDelivered(b, d, n) {
			time.Sleep(50 * time.Microsecond)
		}
	}
	after, last := db.Stats(), commits(b, db)
	change := after.Sub(&before)
	b.ReportMetric(float64(last-first)/float64(n), "commits/msg")
	b.ReportMetric(float64(change.TxStats.GetWrite())/float64(n), "page-writes/msg")
	b.ReportMetric(float64(change.TxStats.GetPageAlloc())/float64(n)/1024, "KiB/msg")
}

// benchStore is the store of d, from now on without fsync. The message that asks for it is never stored.
func benchStore(b *testing.B, d *daemon) (db *bolt.DB) {
	_, err := d.sched.Submit(b.Context(), queue.Submission{
		Content: queue.Content{Text: "which store?"}, Recipients: []string{"+4915112345678"},
		Also: func(t *store.Tx, _ queue.Message) error {
			db = t.DB()
			db.NoSync = true
			return context.Canceled
		},
	})
	if db == nil {
		b.Fatal(err)
	}
	return db
}

// commits are those that there were.
func commits(b *testing.B, db *bolt.DB) (n int) {
	if err := db.View(func(t *bolt.Tx) error { n = t.ID(); return nil }); err != nil {
		b.Fatal(err)
	}
	return n
}

func allDelivered(b *testing.B, d *daemon, n int) bool {
	_, delivered, err := d.sched.List(b.Context(), queue.Filter{State: queue.Delivered})
	if err != nil {
		b.Fatal(err)
	}
	return delivered == n
}

const (
	benchWorkspace = "a1405560-c8d3-4b1a-877d-3f449ad95352"
	benchChannel   = "3c5a1f0e-8d7b-4a69-9b1e-2f6d7c8e9a01"
	benchKey       = "AbCdEfGhIjKlMnOpQrStUvWxYzAbCdEfGhIj"
)

func sendNative(b *testing.B, base, _ string) {
	ask(b, http.StatusAccepted, base+"/messages", `{"textMessage":{"text":"benchmark"},"phoneNumbers":["+61491570156"],"withDeliveryReport":true}`, "")
}

func sendBird(b *testing.B, base, _ string) {
	ask(b, http.StatusAccepted, base+"/workspaces/"+benchWorkspace+"/channels/"+benchChannel+"/messages",
		`{"receiver":{"contacts":[{"identifierValue":"+61491570156"}]},"body":{"type":"text","text":{"text":"benchmark"}}}`, "AccessKey "+benchKey)
}

func sendKannel(b *testing.B, base, ear string) {
	q := url.Values{
		"username": {"sms"}, "password": {"secret"}, "to": {"+61491570156"}, "text": {"benchmark"}, "dlr-mask": {"31"},
		"dlr-url": {ear + "/?value=%d"},
	}
	ask(b, http.StatusAccepted, base+"/cgi-bin/sendsms?"+q.Encode(), "", "")
}

// ask posts with these credentials, or those of the account.
func ask(b *testing.B, want int, url, body, authorization string) {
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.SetBasicAuth("sms", "secret")
	req.Header.Set("Authorization", cmp.Or(authorization, req.Header.Get("Authorization")))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if answer, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != want {
		b.Fatalf("%s: %s, %v: %s", url, resp.Status, err, answer)
	}
}
