// Vmodem is one simulated dongle as a process, for whatever wants a modem on a serial port.
//
// On standard input and output, for socat:
//
//	socat PTY,link=/tmp/modem,raw,echo=0 EXEC:"vmodem --imsi 001010000000001 --log sent.jsonl"
//
// or on a pseudo-terminal of its own, until it is stopped; each pseudo-terminal it opens is printed:
//
//	vmodem --link /tmp/modem --family huawei-e173 --faults faults.yaml
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"dongled/modem/virtual"
)

// flags are the command line. Empty identity fields follow from the name.
type flags struct {
	Name     string `default:"vmodem" help:"Name from which the identity follows."`
	Family   string `default:"generic" enum:"${families}" help:"Make whose firmware it has: ${families}."`
	IMEI     string `name:"imei" help:"+CGSN."`
	IMSI     string `name:"imsi" help:"+CIMI."`
	ICCID    string `name:"iccid" help:"+CCID."`
	Number   string `help:"+CNUM."`
	SMSC     string `name:"smsc" help:"+CSCA at first."`
	Operator string `help:"+COPS."`
	PIN      string `name:"pin" help:"PIN of the SIM; none if empty."`
	FirstMR  uint8  `name:"first-mr" help:"First TP-MR; 0 is ${first_mr}."`
	CNMI     string `name:"cnmi" help:"What +CNMI=? offers; that of the family if empty."`

	USSD map[string]string `name:"ussd" help:"What the network answers to a code: *100#=Balance."`

	Registration  int           `default:"1" help:"<stat> of +CREG that the network grants."`
	PromptDelay   time.Duration `help:"From +CMGS to the prompt."`
	SubmitDelay   time.Duration `help:"From Ctrl-Z to the reference."`
	ReportDelay   time.Duration `help:"From the reference to the status report."`
	RegisterDelay time.Duration `help:"From power-up to registration."`

	Faults string `type:"existingfile" help:"Fault script in YAML."`
	Link   string `help:"Serve on a pseudo-terminal, with this symbolic link to it."`
	Log    string `help:"Append one JSON line for each SMS-SUBMIT that the network took."`
	State  string `help:"File that keeps the SIM's last TP-MR over restarts."`
}

func main() {
	var f flags
	kong.Parse(&f, kong.Name("vmodem"), kong.Description("A simulated GSM dongle."),
		kong.Vars{
			"first_mr": fmt.Sprint(virtual.DefaultFirstMR), "families": strings.Join(virtual.Families(), ","),
		})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "vmodem:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) error {
	opts, err := f.options()
	if err != nil {
		return err
	}
	out := &records{state: f.State}
	if f.Log != "" {
		if out.log, err = os.OpenFile(f.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644); err != nil {
			return err
		}
		defer func() { _ = out.log.Close() }() // each line was written and checked
	}
	opts.OnSubmit, opts.OnReference = out.submitted, out.referenced
	d := virtual.New(opts)
	defer func() { _ = d.Close() }() // it has no error to give
	if f.Registration == 0 {
		d.SetRegistration(0)
	}
	if last, known, err := out.lastMR(); err != nil {
		return err
	} else if known {
		d.SetLastMR(last)
	}
	if f.Link != "" {
		err = d.ServePTY(ctx, f.Link, func(path string) { fmt.Println(path) })
	} else {
		err = serveStdio(ctx, d)
	}
	// Being stopped, or unplugged by its fault script, is how a vmodem ends.
	if ctx.Err() != nil || errors.Is(err, virtual.ErrUnplugged) {
		err = nil
	}
	return errors.Join(err, out.failure())
}

func (f flags) options() (virtual.Options, error) {
	opts, _ := virtual.Family(f.Family) // the flag takes no other
	opts.Name, opts.IMEI, opts.IMSI, opts.ICCID = f.Name, f.IMEI, f.IMSI, f.ICCID
	opts.Number, opts.SMSC, opts.Operator, opts.PIN = f.Number, f.SMSC, f.Operator, f.PIN
	opts.FirstMR, opts.Registration = f.FirstMR, f.Registration
	opts.CNMI = cmp.Or(f.CNMI, opts.CNMI)
	opts.PromptDelay, opts.SubmitDelay, opts.ReportDelay = f.PromptDelay, f.SubmitDelay, f.ReportDelay
	opts.RegisterDelay = f.RegisterDelay
	for code, text := range f.USSD {
		opts.USSD = append(opts.USSD, virtual.USSD{Code: code, Text: text})
	}
	if f.Faults == "" {
		return opts, nil
	}
	script, err := os.ReadFile(f.Faults)
	if err != nil {
		return opts, err
	}
	opts.Faults, err = virtual.ParseFaults(script)
	return opts, err
}

// stdio is standard input and output as one stream.
type stdio struct{ in, out *os.File }

func (s stdio) Read(p []byte) (int, error)  { return s.in.Read(p) }
func (s stdio) Write(p []byte) (int, error) { return s.out.Write(p) }
func (s stdio) Close() error                { return errors.Join(s.in.Close(), s.out.Close()) }

// serveStdio serves on descriptors 0 and 1. They are made non-blocking first, because closing
// them ends a Read only then.
func serveStdio(ctx context.Context, d *virtual.Dongle) error {
	for fd := range 2 {
		if err := syscall.SetNonblock(fd, true); err != nil {
			return err
		}
	}
	return d.Serve(ctx, stdio{os.NewFile(0, "stdin"), os.NewFile(1, "stdout")})
}
