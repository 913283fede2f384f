package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"dongled/configs"
	"dongled/httpapi"
	"dongled/modem"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler"
	"dongled/scheduler/queue"
)

// taps let demo show what happens. The zero value shows nothing.
type taps struct {
	part   func(job *queue.Job, seg pdu.Segment, err error, after bool)
	report func(from modem.Origin, r pdu.Report)
	// dongle adjusts a virtual dongle before it is plugged in.
	dongle func(*virtual.Options)
}

// daemon is the gateway, put together but not yet running.
type daemon struct {
	sched   *scheduler.Scheduler
	workers []*modem.Worker
	server  *httpapi.Server
	ln      net.Listener
	virtual bench
	login   login
}

// build opens everything that can fail before the first message: store, virtual dongles, listener.
// It is one straight function so that the order of construction can be read, and undone, in one
// place; Run undoes it in reverse.
func build(cfg configs.Config, log *slog.Logger, t taps) (d *daemon, err error) {
	if err := os.MkdirAll(filepath.Dir(cfg.Store.Path), 0o750); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	opts := schedulerOptions(cfg)
	opts.Log, opts.OnPart = log.With("component", "scheduler"), t.part
	sched, err := scheduler.Open(cfg.Store.Path, opts)
	if err != nil {
		return nil, err
	}
	d = &daemon{sched: sched}
	defer func() {
		if err != nil {
			d.virtual.clear()
			if d.ln != nil {
				_ = d.ln.Close() // nobody was answered on it
			}
			err = errors.Join(err, sched.Close())
			d = nil
		}
	}()
	gateway, err := sched.Gateway()
	if err != nil {
		return d, fmt.Errorf("store: %w", err)
	}
	for _, m := range cfg.Modems {
		w := modem.Config{
			SIM: m.SIM, Port: m.Port, PIN: m.PIN, SMSC: m.SMSC, SendTimeout: cfg.Messages.SendTimeout,
			Log: log.With("component", "modem"), Sink: tapped{sched, t.report},
		}
		if w.Open, err = d.opener(m, t, w.Log); err != nil {
			return d, fmt.Errorf("modem of SIM %d: %w", m.SIM, err)
		}
		d.workers = append(d.workers, modem.New(w))
		sched.Add(d.workers[len(d.workers)-1])
	}
	d.ln, err = net.Listen("tcp", cfg.HTTP.Listen)
	if err != nil {
		return d, fmt.Errorf("http.listen: %w", err)
	}
	// Last of what can fail, since a password made now is shown by nobody but this start.
	if d.login, err = credentials(cfg.Auth, cfg.Store.Path); err != nil {
		return d, err
	}
	d.server = httpapi.New(httpapi.Options{
		Messages: sched, Modems: sched, Username: d.login.username, Password: d.login.password,
		DeviceID: gateway.ID, DeviceName: "dongled", Created: gateway.Created, Version: buildVersion(),
		Log: log.With("component", "http"),
	})
	return d, nil
}

// Run serves until ctx ends. It stops in the order in which nothing is lost: no more requests, no
// more claims while the parts in flight finish, then the ports, then the store.
func (d *daemon) Run(ctx context.Context) error {
	modems, stopModems := context.WithCancel(context.WithoutCancel(ctx))
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	var workers, senders sync.WaitGroup
	errs := make([]error, len(d.workers)+1)
	for i, w := range d.workers {
		workers.Go(func() { errs[i] = w.Run(modems) })
	}
	senders.Go(func() { errs[len(d.workers)] = d.sched.Run(sending) })

	err := d.server.Serve(ctx, d.ln)

	stopSending()
	senders.Wait()
	stopModems()
	workers.Wait()
	d.virtual.clear()
	return errors.Join(append(errs, err, d.sched.Close())...)
}

// opener is how the port of m is opened; a virtual dongle is plugged in for it.
func (d *daemon) opener(m configs.Modem, t taps, log *slog.Logger) (modem.Opener, error) {
	if name, ok := strings.CutPrefix(m.Port, virtualPort); ok {
		return d.virtual.plug(name, m.Baud, t.dongle, log)
	}
	return modem.Serial(m.Port, m.Baud), nil
}

func schedulerOptions(cfg configs.Config) scheduler.Options {
	m := cfg.Messages
	return scheduler.Options{
		Selection:   scheduler.Selection(m.SIMSelectionMode),
		IntervalMin: m.SendIntervalMin, IntervalMax: m.SendIntervalMax,
		Limit:        queue.Limit{Count: m.LimitValue, Period: m.LimitPeriod.Window()},
		FIFO:         m.ProcessingOrder == configs.FIFO,
		RetryUnknown: m.OnUnknown == configs.Retry, UnknownAfter: m.UnknownAfter,
		MaxParts: m.MaxParts, Retention: m.Retention, Region: cfg.Phone.DefaultRegion,
	}
}

// tapped is the scheduler as a modem's sink, with a look at the reports.
type tapped struct {
	modem.Sink
	report func(modem.Origin, pdu.Report)
}

func (s tapped) Reported(ctx context.Context, from modem.Origin, r pdu.Report) error {
	if s.report != nil {
		s.report(from, r)
	}
	return s.Sink.Reported(ctx, from, r)
}
