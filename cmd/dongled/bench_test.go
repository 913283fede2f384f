package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"dongled/configs"
	"dongled/modem/probe"
	"dongled/scheduler/queue"
)

// benchDaemon runs the gateway on a zero-latency virtual dongle until stop is called.
func benchDaemon(b *testing.B, edits ...func(*configs.Config)) (d *daemon, stop func()) {
	b.Helper()
	cfg := configs.Default()
	cfg.HTTP.Listen = "127.0.0.1:0"
	cfg.Auth.Password = "secret"
	cfg.Store.Path = filepath.Join(b.TempDir(), "dongled.db")
	cfg.Messages.ProcessingOrder = configs.FIFO
	cfg.Modems = []configs.Modem{{SIM: 1, Port: "virtual:bench", Baud: configs.DefaultBaud}}
	for _, edit := range edits {
		edit(&cfg)
	}
	d, err := build(cfg, probe.Bus{}, slog.New(slog.DiscardHandler), taps{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := d.Run(ctx); err != nil {
			b.Error(err)
		}
	})
	for !allReady(d.sched.Modems()) {
		time.Sleep(time.Millisecond)
	}
	return d, func() {
		cancel()
		running.Wait()
	}
}

// BenchmarkParts sends single-part messages, with reports, through the whole daemon, and beside it
// through the bare parts of which no gateway can do without either: one AT exchange on the same kind
// of dongle, and one durable commit, in series. The mark is a ratio of 0.8.
//
// The figures are medians over the rounds, each of which runs all three in turn.
func BenchmarkParts(b *testing.B) {
	const parts = 2000
	figures := map[string][]float64{}
	for b.Loop() {
		at := bareExchanges(b, parts)
		commit := bareCommits(b, parts)
		whole := throughDaemon(b, parts)
		for name, figure := range map[string]float64{
			"parts/s":       parts / whole.Seconds(),
			"bare-AT/s":     parts / at.Seconds(),
			"bare-commit/s": parts / commit.Seconds(),
			"ratio":         (at + commit).Seconds() / whole.Seconds(),
		} {
			figures[name] = append(figures[name], figure)
		}
	}
	for name, rounds := range figures {
		slices.Sort(rounds)
		b.ReportMetric(rounds[len(rounds)/2], name)
	}
}

// throughDaemon queues the messages while the dongle has no network, and times from registration to
// the last report.
func throughDaemon(b *testing.B, parts int) time.Duration {
	d, stop := benchDaemon(b)
	defer stop()
	dongle := d.virtual.dongles[0]
	dongle.SetRegistration(2)
	for d.sched.Modems()[0].Ready() {
		time.Sleep(time.Millisecond)
	}
	var submitting sync.WaitGroup
	for w := range 16 {
		submitting.Go(func() {
			for i := w; i < parts; i += 16 {
				_, err := d.sched.Submit(context.Background(), queue.Submission{
					Content: queue.Content{Text: "benchmark"}, Recipients: []string{fmt.Sprintf("+614915%05d", i)},
					Report: true, SkipPhoneValidation: true,
				})
				if err != nil {
					b.Error(err)
				}
			}
		})
	}
	submitting.Wait()
	start := time.Now()
	dongle.SetRegistration(1)
	for {
		_, delivered, err := d.sched.List(context.Background(), queue.Filter{State: queue.Delivered})
		if err != nil {
			b.Fatal(err)
		}
		if delivered == parts {
			return time.Since(start)
		}
		time.Sleep(10 * time.Millisecond) // looking costs the daemon time
	}
}

// BenchmarkPost submits over HTTP and is answered after the commit; beside it as many goroutines put
// records of that size through a bare group commit.
func BenchmarkPost(b *testing.B) {
	for _, clients := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			d, stop := benchDaemon(b)
			defer stop()
			url := "http://" + d.ln.Addr().String()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
			body := `{"textMessage":{"text":"benchmark"},"phoneNumbers":["+61491570156"],"scheduleAt":"2100-01-01T00:00:00Z"}`
			bare := bareGroupCommits(b, b.N, clients)
			b.ResetTimer()
			var posting sync.WaitGroup
			for w := range clients {
				posting.Go(func() {
					for i := w; i < b.N; i += clients {
						post(b, client, url, body)
					}
				})
			}
			posting.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "POST/s")
			b.ReportMetric(float64(b.N)/bare.Seconds(), "bare-puts/s")
			b.ReportMetric(bare.Seconds()/b.Elapsed().Seconds(), "ratio")
		})
	}
}

func post(b *testing.B, client *http.Client, url, body string) {
	req, err := http.NewRequest(http.MethodPost, url+"/messages", strings.NewReader(body))
	if err != nil {
		b.Error(err)
		return
	}
	req.SetBasicAuth("sms", "secret")
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		b.Error(err)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusAccepted {
		b.Errorf("POST: %s, %v", resp.Status, err)
	}
}
