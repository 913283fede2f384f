package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"dongled/configs"
	"dongled/modem"
	"dongled/modem/probe"
	"dongled/pdu"
)

// doctorCmd says what is wrong and what to do about it.
type doctorCmd struct {
	sources
	JSON bool `help:"Print JSON."`
}

// Help is shown by dongled doctor --help.
func (doctorCmd) Help() string {
	return "Checks dongles, SIMs and machine, and says for each check ok, warn or fail, and what to do. While the " +
		"daemon runs, it is asked; otherwise the dongles are brought up once, without entering a PIN, and nothing " +
		"is read away or sent. The exit status is 1 if a check failed."
}

// Run prints the checks.
func (c *doctorCmd) Run(ctx context.Context, s streams, bus probe.Bus) error {
	e, err := c.load()
	if err != nil {
		return err
	}
	var checks []check
	running, err := tryDaemon(ctx, s, e.Config.Store.Path, "/doctor", &checks)
	if err == nil && !running {
		checks, err = examine(ctx, e.Config, &probe.Prober{Bus: bus})
	}
	if err != nil {
		return err
	}
	checks = append(checkMachine(inspectMachine(bus), time.Now()), checks...)
	if c.JSON {
		err = printJSON(s.out, checks)
	} else {
		err = printChecks(s.out, checks)
	}
	if failed := count(checks, levelFail); err == nil && failed > 0 {
		err = fmt.Errorf("%d of %d checks failed", failed, len(checks))
	}
	return err
}

func count(checks []check, l level) int {
	n := 0
	for _, c := range checks {
		if c.Status == l {
			n++
		}
	}
	return n
}

func printChecks(w io.Writer, checks []check) error {
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		about := c.Port
		if c.SIM != 0 {
			about = fmt.Sprintf("SIM %d", c.SIM)
		}
		fmt.Fprintf(rows, "%s\t%s\t%s\t%s\n", c.Status, cmp.Or(about, "-"), c.Name, c.Detail)
		if c.Hint != "" {
			fmt.Fprintf(rows, "\t\t\t→ %s\n", c.Hint)
		}
	}
	return rows.Flush()
}

// diagnose is what the daemon has to tell doctor, from the statuses of all modems in use.
func diagnose(store string, modems []modem.Status, now time.Time) []check {
	checks := checkService(inspectService(store, len(modems)))
	for _, st := range modems {
		checks = append(checks, checkModem(st, now, accessProblem(cmp.Or(st.Tty, st.Port)))...)
	}
	return checks
}

// examine brings up every dongle once, where no daemon has done so.
func examine(ctx context.Context, cfg configs.Config, p *probe.Prober) ([]check, error) {
	var virtual bench
	defer virtual.clear()
	patients, err := patients(ctx, cfg, p, &virtual)
	if err != nil {
		return nil, err
	}
	statuses := make([]modem.Status, len(patients))
	slots := make(chan struct{}, startSlots)
	var wg sync.WaitGroup
	for i, c := range patients {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			statuses[i] = observe(ctx, c)
		})
	}
	wg.Wait()
	return diagnose(cfg.Store.Path, statuses, time.Now()), ctx.Err()
}

// patients are the modems that serve would use. A PIN is left to the daemon, which tries it once;
// here it would cost a try at every run.
func patients(ctx context.Context, cfg configs.Config, p *probe.Prober, virtual *bench) ([]modem.Config, error) {
	var out []modem.Config
	for _, m := range cfg.Modems {
		open, err := virtual.opener(m, nil, slog.New(slog.DiscardHandler))
		if err == nil && open == nil {
			var spec probe.Spec
			spec, err = probe.ParseSpec(m.Port)
			open = p.Opener(spec, m.Baud)
		}
		if err != nil {
			return nil, fmt.Errorf("modem of SIM %d: %w", m.SIM, err)
		}
		out = append(out, modem.Config{SIM: m.SIM, Port: m.Port, Open: open})
	}
	if len(cfg.Modems) > 0 {
		return out, nil
	}
	dongles, err := p.Probe(ctx)
	for _, d := range dongles {
		if spec, ok := d.Spec(); ok && d.AT != nil {
			out = append(out, modem.Config{Port: spec.String(), Open: p.Opener(spec, modem.DefaultBaud)})
		}
	}
	return out, err
}

const (
	// examineTime bounds the bring-up of one dongle.
	examineTime = 90 * time.Second
	// A problem that may pass is given problemTime, the search for a network registerTime, and what
	// is asked after registration lateTime.
	problemTime  = 10 * time.Second
	registerTime = 30 * time.Second
	lateTime     = 5 * time.Second
)

// lasting are the problems that waiting does not mend.
var lasting = []string{
	modem.ProblemPortDenied, modem.ProblemPortBusy, modem.ProblemNoSIM, modem.ProblemSIMLocked, modem.ProblemPINNeeded,
	modem.ProblemPINRefused, modem.ProblemPUKNeeded, modem.ProblemSMSC, modem.ProblemDenied, modem.ProblemNoPDUMode,
}

// observe brings a dongle up until it is known how it is.
func observe(ctx context.Context, c modem.Config) modem.Status {
	ctx, cancel := context.WithTimeout(ctx, examineTime)
	w := watcher{news: make(chan modem.Status, 1)}
	c.Sink, c.Log = w, slog.New(slog.DiscardHandler)
	worker := modem.New(c)
	var running sync.WaitGroup
	running.Go(func() { _ = worker.Run(ctx) }) // it ends with ctx only, and without an error
	defer running.Wait()
	defer cancel()
	var patience <-chan time.Time
	var waits string
	for {
		select {
		case st := <-w.news:
			if slices.Contains(lasting, st.Problem) || st.Ready() && st.Storage[0].Name != "" {
				return st
			}
			if long, what := waitFor(st); what != waits {
				waits, patience = what, time.After(long)
			}
		case <-patience:
			return worker.Status()
		case <-ctx.Done():
			return worker.Status()
		}
	}
}

// waitFor is how long a status may last before it is what doctor tells, and a name for that wait.
func waitFor(st modem.Status) (time.Duration, string) {
	switch {
	case st.Ready():
		return lateTime, "ready"
	case st.Problem == modem.ProblemNotRegistered:
		return registerTime, "network"
	case st.Problem != "":
		return problemTime, "problem"
	}
	return examineTime, "bring-up"
}

// watcher is a sink that takes nothing in, so that nothing is deleted from the dongle.
type watcher struct{ news chan modem.Status }

var errOnlyLooking = errors.New("nothing is stored by doctor")

func (watcher) Reported(context.Context, modem.Origin, pdu.Report) error     { return errOnlyLooking }
func (watcher) Received(context.Context, modem.Origin, modem.Incoming) error { return errOnlyLooking }
func (watcher) Called(context.Context, modem.Origin, modem.Call) error       { return errOnlyLooking }

// Changed keeps the latest status for the one that waits.
func (w watcher) Changed(st modem.Status) {
	for {
		select {
		case w.news <- st:
			return
		default:
		}
		select {
		case <-w.news:
		default:
		}
	}
}
