package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// supervision is how long each proof of life may take; a unit's watchdog should have three times it.
const supervision = 15 * time.Second

// notifySystemd tells systemd (sd_notify(3)) that the gateway is ready, that it lives, and that it
// stops. Without NOTIFY_SOCKET it does nothing. It returns when ctx ends.
func notifySystemd(ctx context.Context, alive func(context.Context) error, state func() string, log *slog.Logger) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return
	}
	interval, err := systemd.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog of systemd is not fed", "err", err)
	}
	if !awaitAlive(ctx, alive, log) {
		return
	}
	say := func(words string) {
		if _, err := systemd.SdNotify(false, words); err != nil {
			log.Warn("systemd was not told", "words", words, "err", err)
		}
	}
	say(systemd.SdNotifyReady + "\nSTATUS=" + state())
	defer say(systemd.SdNotifyStopping)
	if interval <= 0 {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := prove(ctx, alive); err != nil {
			if ctx.Err() == nil {
				log.Error("no sign of life; systemd restarts the gateway if this lasts", "err", err)
			}
			continue
		}
		say(systemd.SdNotifyWatchdog + "\nSTATUS=" + state())
	}
}

// awaitAlive repeats until the first proof of life; false means that ctx ended before.
func awaitAlive(ctx context.Context, alive func(context.Context) error, log *slog.Logger) bool {
	for {
		err := prove(ctx, alive)
		if err == nil {
			return true
		}
		log.Warn("not ready yet", "err", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Second):
		}
	}
}

func prove(ctx context.Context, alive func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, supervision)
	defer cancel()
	return alive(ctx)
}

// alive proves that requests are answered, that the store commits and that every SIM's loop turns.
func (d *daemon) alive(ctx context.Context) error {
	scheme, transport := "http", &http.Transport{DisableKeepAlives: true}
	if d.cert != nil {
		// We ask ourselves, and tell no secret: the certificate need not name this address.
		scheme, transport.TLSClientConfig = "https", &tls.Config{InsecureSkipVerify: true}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+reachable(d.ln.Addr())+"/health/live", nil)
	if err != nil {
		return err
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return fmt.Errorf("the API does not answer: %w", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answers %s", res.Status)
	}
	return d.sched.Turning(ctx)
}

// state is a line for systemctl status.
func (d *daemon) state() string {
	modems, ready := d.sched.Modems(), 0
	for _, m := range modems {
		if m.Ready() {
			ready++
		}
	}
	return fmt.Sprintf("%d of %d SIMs ready", ready, len(modems))
}
