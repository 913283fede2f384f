// Command dongled is an SMS gateway: it takes messages over the HTTP API of SMSGate
// and sends them through GSM dongles.
//
// This package is the wiring and nothing else: each command has a file of its name,
// with the flags it takes and a Run method.
//
// Rules for what the terminal shows: results go to standard output, all else to
// standard error. An error is one line that begins with "dongled: ", in lower case
// and without a full stop; faults of the configuration are lines of their own that
// begin with the file. The exit status is 0 for done, 1 for failed and 2 for a command
// line that makes no sense.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"dongled/configs"
	"dongled/modem/probe"

	"github.com/alecthomas/kong"
)

// cli is the command line.
type cli struct {
	Serve    serveCmd    `cmd:"" help:"Run the gateway."`
	Demo     demoCmd     `cmd:"" help:"Run the gateway on two virtual dongles and show what happens."`
	Probe    probeCmd    `cmd:"" help:"Find dongles and print their configuration."`
	Doctor   doctorCmd   `cmd:"" help:"Check dongles, SIMs and machine, and say what to do."`
	User     userCmd     `cmd:"" help:"Add, list and remove users of the API."`
	Key      keyCmd      `cmd:"" help:"Add, list and remove keys of programs that use the API."`
	Token    tokenCmd    `cmd:"" help:"Make a token for the API."`
	Template templateCmd `cmd:"" help:"Add, list, activate, try and remove templates of messages."`
	Cert     certCmd     `cmd:"" help:"Make a self-signed certificate for HTTPS."`
	Config   configCmd   `cmd:"" help:"Check or print the configuration."`
	Version  versionCmd  `cmd:"" help:"Print version and platform."`
}

// streams are where a command writes: results to out, all else to err.
type streams struct{ out, err io.Writer }

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() { os.Exit(process(probe.Bus{})) }

// process is dongled on a machine with that bus.
func process(bus probe.Bus) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks for a graceful end; with the handler gone, a second one kills.
	context.AfterFunc(ctx, stop)
	return run(ctx, bus, os.Args[1:], os.Stdout, os.Stderr)
}

// run executes one command line and returns the exit status. Commands end when ctx does.
func run(ctx context.Context, bus probe.Bus, args []string, stdout, stderr io.Writer) int {
	status, exited := exitOK, false
	parser, err := kong.New(&cli{},
		kong.Name("dongled"),
		kong.Description("SMS through GSM dongles, with the API of SMSGate."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Writers(stdout, stderr),
		// --help prints and exits from within Parse.
		kong.Exit(func(code int) { status, exited = code, true }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(streams{out: stdout, err: stderr}, bus),
	)
	if err != nil {
		return report(stderr, err)
	}
	command, err := parser.Parse(args)
	if exited {
		return status
	}
	if err != nil {
		fmt.Fprintf(stderr, "dongled: %v\nTry: dongled --help\n", err)
		return exitUsage
	}
	return report(stderr, command.Run())
}

// report tells the user about err and returns the exit status.
func report(stderr io.Writer, err error) int {
	var faults configs.Faults
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &faults):
		fmt.Fprintln(stderr, faults)
	default:
		fmt.Fprintf(stderr, "dongled: %v\n", err)
	}
	return exitFailed
}
