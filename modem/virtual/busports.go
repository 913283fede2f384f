package virtual

import (
	"context"
	"io"
	"sync"
	"time"
)

// openPTYs opens a pseudo-terminal for each port.
func openPTYs(n int) ([]*ptyPort, error) {
	var ports []*ptyPort
	for range n {
		port, err := openPTY()
		if err != nil {
			for _, p := range ports {
				_ = p.Close() // nothing was written to it
			}
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// serve is what is behind a port that is not the Dongle's own, until it is closed.
func (p StickPort) serve(ctx context.Context, d *Dongle, port *ptyPort) {
	switch p.Kind {
	case PortModem:
		shadow := New(d.shadow())
		defer func() { _ = shadow.Close() }()
		_ = shadow.Serve(ctx, port) // it ends with the stick, and has no other story to tell
	case PortNMEA:
		var talker sync.WaitGroup
		defer talker.Wait()
		talker.Go(func() { sayNMEA(ctx, port) })
		fallthrough
	default:
		_, _ = io.Copy(io.Discard, port) // ends when the port is closed
	}
}

// shadow is the same stick behind another port, where nothing is said unasked.
func (d *Dongle) shadow() Options {
	opts := d.opts
	opts.Quirks.Unsolicited, opts.Faults = nil, nil
	opts.OnReference, opts.OnReport = nil, nil
	return opts
}

// noFix is what a satellite receiver says that hears nothing (NMEA 0183).
const noFix = "$GPGSA,A,1,,,,,,,,,,,,,,,*1E\r\n$GPRMC,,V,,,,,,,,,,N*53\r\n"

// sayNMEA says it once a second, until the port is closed or ctx ends.
func sayNMEA(ctx context.Context, port io.Writer) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if _, err := io.WriteString(port, noFix); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}
