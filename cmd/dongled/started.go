package main

import (
	"context"
	"time"

	"dongled/modem"
)

// startKnown is after how long the start is told of with the SIMs that are known by then.
const startKnown = time.Minute

// announceStart tells webhooks that the gateway was started (app:started), when its SIMs are known.
func (d *daemon) announceStart(ctx context.Context) {
	if !awaitSIMs(ctx, d.sched.Modems, d.changed) {
		return
	}
	if err := d.server.AnnounceStart(ctx); err != nil && ctx.Err() == nil {
		d.log.Error("nobody is told of the start", "err", err)
	}
}

// awaitSIMs waits until every modem that there is has its SIM in a network, and there is one; or for
// a minute. It looks again when changed says so. False means that ctx ended before.
func awaitSIMs(ctx context.Context, modems func() []modem.Status, changed <-chan struct{}) bool {
	late := time.NewTimer(startKnown)
	defer late.Stop()
	for {
		if all := modems(); len(all) > 0 && allReady(all) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-late.C:
			return true
		case <-changed:
		}
	}
}
