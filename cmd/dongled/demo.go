package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"dongled/configs"
	"dongled/modem"
	"dongled/modem/probe"
	"dongled/modem/virtual"
	"dongled/pdu"
	"dongled/scheduler/queue"
)

// demoCmd is serve on two virtual dongles, with a commentary.
type demoCmd struct {
	Listen string `default:":8080" placeholder:"HOST:PORT" help:"Address of the API."`
	logging
}

// Help is shown by dongled demo --help.
func (demoCmd) Help() string {
	return "Runs the gateway on two virtual dongles, in a directory that is removed at the end. " +
		"Everything but the dongles is real: API, queue, scheduler, AT commands over ptys, PDUs."
}

const (
	demoSubmitDelay = 600 * time.Millisecond
	demoReportDelay = 1500 * time.Millisecond

	// demoNumber is one that the Australian authority keeps for films.
	demoNumber = "+61491570156"
	demoText   = "Hello from dongled! This text is longer than the 160 septets that one short message holds, so it " +
		"leaves in two parts, which the phone at the other end puts together again."

	demoCode    = "*100#"
	demoWelcome = "Welcome! Dial " + demoCode + " for your balance."
)

// Run serves until ctx ends.
func (c *demoCmd) Run(ctx context.Context, s streams, bus probe.Bus) error {
	dir, err := os.MkdirTemp("", "dongled-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	cfg := configs.Default()
	cfg.HTTP.Listen = c.Listen
	cfg.Store.Path = filepath.Join(dir, "dongled.db")
	cfg.Modems = []configs.Modem{
		{SIM: 1, Port: "virtual:one", Baud: configs.DefaultBaud},
		{SIM: 2, Port: "virtual:two", Baud: configs.DefaultBaud},
	}
	show := &commentary{out: s.out}
	d, err := build(cfg, bus, c.logger(s.err), taps{
		part: show.part, report: show.report, received: show.received, dongle: demoDongle,
	})
	if err != nil {
		return err
	}
	greet, stop := context.WithCancel(ctx)
	var greeting sync.WaitGroup
	greeting.Go(func() { show.greet(greet, d) })
	err = d.Run(ctx)
	stop()
	greeting.Wait()
	return err
}

// demoDongle is in no hurry, so that its user can watch, and has a network that answers one code.
func demoDongle(o *virtual.Options) {
	o.SubmitDelay, o.ReportDelay = demoSubmitDelay, demoReportDelay
	o.USSD = []virtual.USSD{{Code: demoCode, Text: "Your balance is 12.50", Delay: demoSubmitDelay}}
}

// commentary tells on a terminal what the gateway does.
type commentary struct {
	mu  sync.Mutex
	out io.Writer
}

func (c *commentary) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, format+"\n", args...)
}

// greet waits for the dongles and says how to send the first message.
func (c *commentary) greet(ctx context.Context, d *daemon) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !allReady(d.sched.Modems()) {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	var b strings.Builder
	for _, m := range d.sched.Modems() {
		fmt.Fprintf(&b, "SIM %d     %s %s, IMSI %s, network %s\n", m.SIM, m.Manufacturer, m.Model, m.IMSI, m.Operator)
	}
	base := "http://" + reachable(d.ln.Addr())
	c.say("\nAPI       %s\nlogin     %s\npassword  %s\n%s\nPaste this into another terminal to send a text in two parts:\n\n"+
		"  curl -u %s:%s -H 'Content-Type: application/json' \\\n    -d '{\"textMessage\":{\"text\":\"%s\"},\"phoneNumbers\":[\"%s\"]}' \\\n    %s\n\n"+
		"and this, with the id of the answer, to see it become Delivered:\n\n  curl -u %s:%s %s/ID\n",
		base, d.login.username, d.login.password, b.String(),
		d.login.username, d.login.password, demoText, demoNumber, base+"/messages",
		d.login.username, d.login.password, base+"/messages")
	c.say("What came in, and a code for the network:\n\n  curl -u %s:%s %s/inbox\n"+
		"  curl -u %s:%s -H 'Content-Type: application/json' -d '{\"code\":\"%s\"}' %s/modems/1/ussd\n",
		d.login.username, d.login.password, base, d.login.username, d.login.password, demoCode, base)
	welcome := pdu.Deliver{Originator: virtual.DefaultOperator, Text: demoWelcome, SCTS: time.Now()}
	if err := d.virtual.dongles[0].Deliver(welcome); err != nil {
		c.say("no welcome from the network: %v", err)
	}
}

func allReady(modems []modem.Status) bool {
	for _, m := range modems {
		if !m.Ready() {
			return false
		}
	}
	return true
}

// reachable turns the address of a listener into one that a client on this machine can use.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err == nil && (ip == nil || ip.IsUnspecified()) {
		return net.JoinHostPort("localhost", port)
	}
	return a.String()
}

func (c *commentary) part(job *queue.Job, seg pdu.Segment, err error, after bool) {
	now := time.Now().Format(time.TimeOnly)
	switch {
	case err != nil:
		c.say("%s  SIM %d  ✗  part %d/%d of %s: %v", now, job.SIM, job.Part+1, job.Parts, job.ID, err)
	case after:
		c.say("%s  SIM %d  ✓  part %d/%d of %s accepted by the network", now, job.SIM, job.Part+1, job.Parts, job.ID)
	default:
		c.say("%s  SIM %d  →  part %d/%d of %s\n          AT+CMGS=%d  %s\n          %s", now, job.SIM, job.Part+1, job.Parts,
			job.ID, seg.Length(), seg.Hex(), decoded(seg))
	}
}

// decoded says in words what is in a PDU.
func decoded(seg pdu.Segment) string {
	raw, err := pdu.DecodeHex(seg.Hex())
	if err != nil {
		return err.Error()
	}
	s, err := pdu.DecodeSubmit(raw)
	if err != nil {
		return err.Error()
	}
	b := fmt.Sprintf("SMS-SUBMIT to %s, %s", s.Destination, s.Alphabet)
	if s.Report {
		b += ", status report requested"
	}
	if s.Concat != nil {
		b += fmt.Sprintf(", reference %d part %d of %d", s.Concat.Reference, s.Concat.Number, s.Concat.Total)
	}
	if s.Ports != nil {
		return b + fmt.Sprintf(", port %d, data %X", s.Ports.Destination, s.Data)
	}
	return b + fmt.Sprintf(", text %q", s.Text)
}

func (c *commentary) report(from modem.Origin, r pdu.Report) {
	c.say("%s  SIM %d  ←  +CDS: report for TP-MR %d to %s: %s", time.Now().Format(time.TimeOnly), from.SIM, r.MR, r.Recipient, r.Status)
}

func (c *commentary) received(from modem.Origin, m modem.Incoming) {
	if m.Err != nil {
		c.say("%s  SIM %d  ←  a message that cannot be read: %v", time.Now().Format(time.TimeOnly), from.SIM, m.Err)
		return
	}
	c.say("%s  SIM %d  ←  SMS-DELIVER from %s: %q", time.Now().Format(time.TimeOnly), from.SIM, m.Deliver.Originator, m.Deliver.Text)
}
