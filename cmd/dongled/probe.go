package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"

	"dongled/modem"
	"dongled/modem/probe"
)

// probeCmd finds dongles.
type probeCmd struct {
	sources
	JSON     bool `help:"Print JSON, with all that is known of each port."`
	Adapters bool `help:"Ask behind USB-to-serial adapters too, unless the daemon runs; opening one restarts some devices."`
}

// Help is shown by dongled probe --help.
func (probeCmd) Help() string {
	return "Asks every USB modem who it is, politely: AT first, nothing that changes anything. While the daemon " +
		"runs, it is asked instead of the ports that it holds. The exit status is 1 if there is no dongle."
}

// seen is a dongle, with the simNumber under which a running daemon uses it, 0 for none.
type seen struct {
	probe.Dongle
	SIM int `json:"sim,omitempty"`
}

var errNoDongle = errors.New("no USB modem is plugged in, or the kernel has no driver for it; lsusb shows what is there")

// Run prints the dongles and, ready for the configuration, their entries.
func (c *probeCmd) Run(ctx context.Context, s streams, bus probe.Bus) error {
	e, err := c.load()
	if err != nil {
		return err
	}
	var found []seen
	running, err := tryDaemon(ctx, s, e.Config.Store.Path, "/probe", &found)
	if err == nil && !running {
		found, err = look(ctx, &probe.Prober{Bus: bus, All: true, Adapters: c.Adapters}, nil)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(s.out, found)
	} else {
		_, err = io.WriteString(s.out, table(found)+entries(found))
	}
	if err == nil && len(found) == 0 {
		err = errNoDongle
	}
	return err
}

func printJSON(w io.Writer, v any) error {
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", out)
	return err
}

// printRows prints a list: a line an entry, its columns aligned, or JSON.
func printRows[T any](w io.Writer, asJSON bool, all []T, columns func(T) []string) error {
	if asJSON {
		return printJSON(w, all)
	}
	rows := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, one := range all {
		fmt.Fprintln(rows, strings.Join(columns(one), "\t"))
	}
	return rows.Flush()
}

// look asks the bus, and those who hold a port of it.
func look(ctx context.Context, bus interface {
	Probe(context.Context) ([]probe.Dongle, error)
}, inUse []modem.Status) ([]seen, error) {
	dongles, err := bus.Probe(ctx)
	found := make([]seen, len(dongles))
	for i, d := range dongles {
		found[i] = seen{Dongle: d}
		for _, st := range inUse {
			found[i].recognise(st)
		}
	}
	return found, err
}

// recognise tells of a dongle what the worker that uses it knows.
func (s *seen) recognise(st modem.Status) {
	for i := range s.Ports {
		if p := &s.Ports[i]; st.Tty != "" && p.Node == st.Tty {
			s.SIM, s.AT = st.SIM, &p.Port
			s.Answer = probe.Answer{
				AT: st.IMEI != "", Manufacturer: st.Manufacturer, Model: st.Model, Revision: st.Revision,
				IMEI: st.IMEI, IMSI: st.IMSI, Problem: st.Problem,
			}
		}
	}
}

// table is one line a port, below one line a dongle.
func table(found []seen) string {
	var b strings.Builder
	for _, d := range found {
		fmt.Fprintf(&b, "%s  USB %s  %s\n", d.Device, usbID(d.VID, d.PID), cmp.Or(name(d.Manufacturer, d.Product), "(no name)"))
		rows := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, p := range d.Ports {
			fmt.Fprintf(rows, "  interface %d\t%s\t%s\n", p.Interface, p.Node, d.verdict(p))
			for _, link := range []string{p.ByID, p.ByPath} {
				if link != "" {
					fmt.Fprintf(rows, "\t%s\n", link)
				}
			}
		}
		_ = rows.Flush() // a Builder takes everything
		b.WriteString("\n")
	}
	return b.String()
}

// name is what a device calls itself, without what a terminal would take for a command.
func name(maker, model string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, maker+" "+model))
}

// usbID is VID:PID as lsusb has it.
func usbID(vid, pid probe.ID) string { return fmt.Sprintf("%04x:%04x", uint16(vid), uint16(pid)) }

// verdict says in a few words what a port is.
func (s seen) verdict(p probe.ProbedPort) string {
	isAT := s.AT != nil && s.AT.Node == p.Node
	switch {
	case isAT && s.SIM != 0:
		return fmt.Sprintf("AT port, in use as SIM %d: %s", s.SIM, identity(s.Answer))
	case isAT:
		return "AT port: " + identity(s.Answer)
	case len(p.Holders) > 0:
		return fmt.Sprintf("held by %s (process %d), not asked", p.Holders[0].Name, p.Holders[0].PID)
	case p.Skip != "":
		return fmt.Sprintf("not asked: %s", p.Skip)
	case p.Asked && p.Answer.AT:
		return "answers AT too"
	case p.Asked && p.Answer.NMEA:
		return "satellite receiver (NMEA)"
	case p.Asked:
		return cmp.Or(p.Answer.Problem, "no answer")
	}
	return "not asked"
}

func identity(a probe.Answer) string {
	parts := []string{cmp.Or(name(a.Manufacturer, a.Model), "a modem"), "IMEI " + cmp.Or(a.IMEI, "not known")}
	if a.IMSI != "" {
		parts = append(parts, "IMSI "+a.IMSI)
	}
	if a.Problem != "" {
		parts = append(parts, a.Problem)
	}
	return strings.Join(parts, ", ")
}

// entries are what to write below modems: to have these dongles, and no others. Numbers in use stay.
func entries(found []seen) string {
	var b strings.Builder
	taken := map[int]bool{}
	for _, d := range found {
		taken[d.SIM] = true
	}
	next := 1
	for _, d := range found {
		spec, ok := d.Spec()
		if !ok {
			continue
		}
		port := spec.String()
		if d.AT.Skip == probe.SkipAdapter { // where serve does not look for it
			port = cmp.Or(d.AT.ByPath, d.AT.Node)
		}
		sim := d.SIM
		for ; sim == 0 && taken[next]; next++ {
		}
		if sim == 0 {
			sim, taken[next] = next, true
		}
		fmt.Fprintf(&b, "  - sim: %d\n    port: %s # %s\n", sim, port, name(d.Answer.Manufacturer, d.Answer.Model))
	}
	if b.Len() == 0 {
		return ""
	}
	return "modems:\n" + b.String()
}
