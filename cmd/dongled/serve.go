package main

import (
	"context"
	"io"
	"log/slog"

	"dongled/modem/probe"
)

// logging are the flags of the commands that run the gateway.
type logging struct {
	LogLevel  slog.Level `default:"INFO" placeholder:"LEVEL" help:"debug, info, warn or error; debug holds the AT dialogue, with PINs and PDUs masked."`
	LogFormat string     `default:"text" enum:"text,json" help:"text or json."`
}

func (l logging) logger(w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// serveCmd is the daemon.
type serveCmd struct {
	settings
	logging
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s streams, bus probe.Bus) error {
	e, err := c.load()
	if err != nil {
		return err
	}
	log := c.logger(s.err)
	d, err := build(e.Config, bus, log, taps{})
	if err != nil {
		return err
	}
	if d.login.fresh {
		log.Info("a password for the API was made; it is shown only this once", "username", d.login.username,
			"password", d.login.password, "kept", d.login.file)
	}
	log.Info("listening", "address", d.ln.Addr().String(), "version", buildVersion(), "sims", len(e.Config.Modems), "auto", len(e.Config.Modems) == 0)
	return d.Run(ctx)
}
