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
	sched  *scheduler.Scheduler
	fleet  *fleet
	server *httpapi.Server
	ln     net.Listener
	// linksLn is the listener of short links, nil for none.
	linksLn net.Listener
	control *control // nil if there can be none
	rooms   rooms
	virtual bench
	login   login
	// cert is nil for plain HTTP; a word on hangup has it read again.
	cert   *httpapi.Certificate
	hangup <-chan os.Signal
	// changed says that a SIM's state may have.
	changed chan struct{}
	// deviceID is the gateway's own.
	deviceID string
	log      *slog.Logger
}

// build opens everything that can fail before the first message. What is done here, Run undoes in
// reverse.
func build(cfg configs.Config, bus probe.Bus, log *slog.Logger, t taps) (*daemon, error) {
	if err := os.MkdirAll(filepath.Dir(cfg.Store.Path), 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	rooms, log, err := newRooms(cfg, log)
	if err != nil {
		return nil, err
	}
	opts := schedulerOptions(cfg)
	opts.Log, opts.OnPart = log.With("component", "scheduler"), t.part
	opts.Rooms, opts.Told = rooms.all(), rooms.tell
	opts.Changed, opts.Received = rooms.vendors.changed, rooms.vendors.received
	sched, err := scheduler.Open(cfg.Store.Path, opts)
	if err != nil {
		return nil, err
	}
	d := &daemon{sched: sched, rooms: rooms, log: log, changed: make(chan struct{}, 1)}
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
	d.fleet = newFleet(cfg, d.sched, prober, tapped{d.sched, t, d.changed}, d.log.With("component", "modem"))
	if err := d.fleet.configureAll(cfg.Modems, &d.virtual, t.dongle); err != nil {
		return err
	}
	if d.cert, err = loadCertificate(cfg.HTTP.TLS); err != nil {
		return err
	}
	if d.ln, err = net.Listen("tcp", cfg.HTTP.Listen); err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	if listen := cfg.Links.Listen; listen != "" {
		if d.linksLn, err = net.Listen("tcp", listen); err != nil {
			return fmt.Errorf("links.listen: %w", err)
		}
	}
	// Last of what can fail, since a password made now is shown by nobody but this start.
	if d.login, err = credentials(cfg.Auth, cfg.Store.Path); err != nil {
		return err
	}
	if err := d.rooms.auth.SetPrimary(d.login.username, d.login.password); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	d.deviceID = gateway.ID
	d.server = httpapi.New(httpapi.Options{
		Messages: d.sched, Inbox: d.sched.Inbox(), Modems: d.sched, Webhooks: d.rooms.hooks, Settings: d.rooms.settings,
		Logs: d.rooms.logs, Events: d.sched, Links: d.rooms.vendors.links, Uplink: d.rooms.uplink, Certificate: d.cert, Auth: d.rooms.auth,
		Templates: d.rooms.vendors.templates, Callbacks: d.rooms.vendors.courier,
		Dialects: d.mountable(gateway.ID), SMSGateOnly: cfg.Dialects.ThirdParty == configs.SMSGate,
		DeviceID: gateway.ID, DeviceName: "dongled", Created: gateway.Created, Version: buildVersion(),
		Log: d.log.With("component", "http"),
	})
	d.rooms.settings.OnChange(d.apply)
	d.control = d.openControl(cfg.Store.Path, prober, d.log.With("component", "control"))
	return nil
}

// abandon closes what open had opened when it failed.
func (d *daemon) abandon() error {
	d.virtual.clear()
	for _, ln := range []net.Listener{d.ln, d.linksLn} {
		if ln != nil {
			_ = ln.Close() // nobody was answered on it
		}
	}
	return d.sched.Close()
}

// openControl is nil where there can be no socket, such as in a directory whose name is too long for
// one; dongled serves without.
func (d *daemon) openControl(store string, prober *probe.Prober, log *slog.Logger) *control {
	ln, err := listenControl(controlPath(store))
	if err != nil {
		log.Warn("dongled probe, doctor, user, key, token and template cannot ask this daemon", "err", err)
		return nil
	}
	c := newControl(ln, log, map[string]func(context.Context) (any, error){
		"/probe": func(ctx context.Context) (any, error) { return look(ctx, prober, d.sched.Modems()) },
		"/doctor": func(context.Context) (any, error) {
			return diagnose(store, d.sched.Modems(), time.Now()), nil
		},
	})
	c.take(accountOrders(d.rooms.auth))
	c.take(templateOrders(d.rooms.vendors.templates))
	return c
}

// Run serves until ctx ends. It stops in the order in which nothing is lost: no more requests, no
// more claims while the parts in flight finish, nothing more to others, then the ports, then the store.
func (d *daemon) Run(ctx context.Context) error {
	modems, stopModems := context.WithCancel(context.WithoutCancel(ctx))
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	var workers, senders, watched sync.WaitGroup
	var sendErr, controlErr, linksErr error
	logged, stopLogs := context.WithCancel(context.WithoutCancel(ctx))
	var logs sync.WaitGroup
	logs.Go(func() { d.rooms.logs.Run(logged) })
	workers.Go(func() { d.fleet.Run(modems) })
	senders.Go(func() { sendErr = d.sched.Run(sending) })
	watched.Go(func() { notifySystemd(ctx, d.alive, d.state, d.log.With("component", "systemd")) })
	watched.Go(func() { d.rooms.hooks.Run(ctx, d.deviceID) })
	watched.Go(func() { d.rooms.vendors.courier.Run(ctx) })
	if d.linksLn != nil {
		watched.Go(func() { linksErr = d.rooms.vendors.links.Serve(ctx, d.linksLn) })
	}
	watched.Go(func() { d.reload(ctx) })
	watched.Go(func() { d.announceStart(ctx) })
	watched.Go(func() { d.rooms.uplink.Run(ctx, d.sched, d.export) })
	if d.control != nil {
		watched.Go(func() { controlErr = d.control.Run(ctx) })
	}

	err := d.server.Serve(ctx, d.ln)

	stopSending()
	senders.Wait()
	watched.Wait() // for seconds where an endpoint is slow; what a dongle says meanwhile is still heard
	stopModems()
	workers.Wait()
	d.virtual.clear()
	stopLogs() // last but for the store, so that what the others say at their end is kept
	logs.Wait()
	return errors.Join(err, sendErr, controlErr, linksErr, d.sched.Close())
}

// tapped is the scheduler as a modem's sink, with a look at what comes in.
type tapped struct {
	modem.Sink
	taps taps
	// changed is nudged when a SIM's state may have changed.
	changed chan<- struct{}
}

func (s tapped) Changed(st modem.Status) {
	s.Sink.Changed(st)
	nudge(s.changed)
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
