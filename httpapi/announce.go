package httpapi

import (
	"context"
	"time"

	"dongled/scheduler/outbox"
)

// SetPing has the gateway tell of its health (system:ping) at that interval while Serve runs; 0 is
// never. A new interval begins now, the same again changes nothing.
func (s *Server) SetPing(every time.Duration) {
	if time.Duration(s.pingEvery.Swap(int64(every))) == every {
		return
	}
	select {
	case s.pingSet <- struct{}{}:
	default: // ping is about to look anyway
	}
}

// ping tells of the gateway's health until ctx ends; Serve owns it.
func (s *Server) ping(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		var due <-chan time.Time
		if every := time.Duration(s.pingEvery.Load()); every > 0 {
			timer.Reset(every)
			due = timer.C
		}
		select {
		case <-ctx.Done():
			return
		case <-s.pingSet:
			continue
		case <-due:
		}
		err := s.opt.Events.Announce(ctx, outbox.SystemPing, struct {
			Health health `json:"health"`
		}{s.wholeHealth(ctx)})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("a ping was left out", "error", err)
		}
	}
}

// AnnounceStart tells that the gateway was started (app:started), with the SIMs that are known now. It
// returns after the commit.
func (s *Server) AnnounceStart(ctx context.Context) error {
	return s.opt.Events.Announce(ctx, outbox.AppStarted, struct {
		SIMCards []simCard `json:"simCards"`
	}{simCards(s.opt.Modems.Modems())})
}
