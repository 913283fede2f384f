package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

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
	sources
	logging
}

// Run serves until ctx ends.
func (c *serveCmd) Run(ctx context.Context, s streams, bus probe.Bus) error {
	e, err := c.load()
	if err != nil {
		return err
	}
	// From here on a hangup asks for a new look at the certificate, and kills no more.
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	log := c.logger(s.err)
	d, err := build(e.Config, bus, log, taps{})
	if err != nil {
		return err
	}
	d.hangup = hangup
	if d.login.fresh {
		// log is the terminal's own: this line must not come into GET /logs.
		log.Info("a password for the API was made; it is shown only this once", "username", d.login.username,
			"password", d.login.password, "kept", d.login.file)
	}
	d.log.Info("listening", "address", d.ln.Addr().String(), "tls", d.cert != nil, "version", buildVersion(), "sims", len(e.Config.Modems), "auto", len(e.Config.Modems) == 0)
	if d.linksLn != nil {
		d.log.Info("short links are answered", "address", d.linksLn.Addr().String(), "base", e.Config.Links.PublicBaseURL)
	}
	return d.Run(ctx)
}
