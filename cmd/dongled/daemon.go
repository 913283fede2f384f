package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"dongled/configs"
	"dongled/httpapi"
	"dongled/modem"
	"dongled/modem/probe"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// taps let demo show what happens. The zero value shows nothing.
type taps struct {
	part   func(job *queue.Job, seg pdu.Segment, err error, after bool)
	report func(from modem.Origin, r pdu.Report)
	// received is told of each message that is stored.
	received func(from modem.Origin, m modem.Incoming)
	// dongle adjusts a virtual dongle before it is plugged in.
	dongle func(*virtual.Options)
}

// daemon is the gateway, put together but not yet running.
type daemon struct {
	sched   *scheduler.Scheduler
	fleet   *fleet
	server  *httpapi.Server
	ln      net.Listener
	control *control // nil if there can be none
	virtual bench
	login   login
	log     *slog.Logger
}

// build opens everything that can fail before the first message. What is done here, Run undoes in
// reverse.
func build(cfg configs.Config, bus probe.Bus, log *slog.Logger, t taps) (*daemon, error) {
	if err := os.MkdirAll(filepath.Dir(cfg.Store.Path), 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	opts := schedulerOptions(cfg)
	opts.Log, opts.OnPart = log.With("component", "scheduler"), t.part
	sched, err := scheduler.Open(cfg.Store.Path, opts)
	if err != nil {
		return nil, err
	}
	d := &daemon{sched: sched, log: log}
	if err := d.open(cfg, &probe.Prober{Bus: bus}, t); err != nil {
		return nil, errors.Join(err, d.abandon())
	}
	return d, nil
}

// open puts the rest around the scheduler: virtual dongles, workers, listeners.
func (d *daemon) open(cfg configs.Config, prober *probe.Prober, t taps) error {
	gateway, err := d.sched.Gateway()
	if err != nil {
		return fmt.Errorf("store: %w", err)
	}
	d.fleet = newFleet(cfg, d.sched, prober, tapped{d.sched, t}, d.log.With("component", "modem"))
	if err := d.fleet.configureAll(cfg.Modems, &d.virtual, t.dongle); err != nil {
		return err
	}
	if d.ln, err = net.Listen("tcp", cfg.HTTP.Listen); err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	// Last of what can fail, since a password made now is shown by nobody but this start.
	if d.login, err = credentials(cfg.Auth, cfg.Store.Path); err != nil {
		return err
	}
	d.server = httpapi.New(httpapi.Options{
		Messages: d.sched, Inbox: d.sched.Inbox(), Modems: d.sched, Username: d.login.username, Password: d.login.password,
		DeviceID: gateway.ID, DeviceName: "dongled", Created: gateway.Created, Version: buildVersion(),
		Log: d.log.With("component", "http"),
	})
	d.control = d.openControl(cfg.Store.Path, prober, d.log.With("component", "control"))
	return nil
}

// abandon closes what open had opened when it failed.
func (d *daemon) abandon() error {
	d.virtual.clear()
	if d.ln != nil {
		_ = d.ln.Close() // nobody was answered on it
	}
	return d.sched.Close()
}

// openControl is nil where there can be no socket, such as in a directory whose name is too long for
// one; dongled serves without.
func (d *daemon) openControl(store string, prober *probe.Prober, log *slog.Logger) *control {
	ln, err := listenControl(controlPath(store))
	if err != nil {
		log.Warn("dongled probe and doctor cannot ask this daemon", "err", err)
		return nil
	}
	return newControl(ln, log, map[string]func(context.Context) (any, error){
		"/probe": func(ctx context.Context) (any, error) { return look(ctx, prober, d.sched.Modems()) },
		"/doctor": func(context.Context) (any, error) {
			return diagnose(store, d.sched.Modems(), time.Now()), nil
		},
	})
}

// Run serves until ctx ends. It stops in the order in which nothing is lost: no more requests, no
// more claims while the parts in flight finish, then the ports, then the store.
func (d *daemon) Run(ctx context.Context) error {
	modems, stopModems := context.WithCancel(context.WithoutCancel(ctx))
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	var workers, senders, watched sync.WaitGroup
	var sendErr, controlErr error
	workers.Go(func() { d.fleet.Run(modems) })
	senders.Go(func() { sendErr = d.sched.Run(sending) })
	watched.Go(func() { notifySystemd(ctx, d.alive, d.state, d.log.With("component", "systemd")) })
	if d.control != nil {
		watched.Go(func() { controlErr = d.control.Run(ctx) })
	}

	err := d.server.Serve(ctx, d.ln)

	stopSending()
	senders.Wait()
	stopModems()
	workers.Wait()
	d.virtual.clear()
	watched.Wait()
	return errors.Join(err, sendErr, controlErr, d.sched.Close())
}

// tapped is the scheduler as a modem's sink, with a look at what comes in.
type tapped struct {
	modem.Sink
	taps taps
}

func (s tapped) Reported(ctx context.Context, from modem.Origin, r pdu.Report) error {
	if s.taps.report != nil {
		s.taps.report(from, r)
	}
	return s.Sink.Reported(ctx, from, r)
}

func (s tapped) Received(ctx context.Context, from modem.Origin, m modem.Incoming) error {
	err := s.Sink.Received(ctx, from, m)
	if err == nil && s.taps.received != nil {
		s.taps.received(from, m)
	}
	return err
}
