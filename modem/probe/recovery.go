package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"dongled/modem"
)

// commandTime bounds the user's command.
const commandTime = 30 * time.Second

// Recovery are the ways to bring back a dongle that one of the Prober's Openers opened, mildest
// first: "usb-reset", "usb-rebind" and, unless argv is empty, "reset-command".
//
// The command is run without a shell and may take 30 s. It finds the node in DONGLED_TTY, the IMEI in
// DONGLED_IMEI and the USB device, such as 1-1.4 (hub 1-1, port 4), in DONGLED_USB; what is not known
// is empty. Of the daemon's own environment it gets what does not configure the daemon.
func (p *Prober) Recovery(argv []string) []modem.RecoveryStep {
	steps := []modem.RecoveryStep{
		{Name: "usb-reset", Do: p.onDevice(p.Bus.Reset)},
		{Name: "usb-rebind", Do: p.onDevice(p.Bus.Rebind)},
	}
	if len(argv) == 0 {
		return steps
	}
	return append(steps, modem.RecoveryStep{
		Name: "reset-command",
		Do: func(ctx context.Context, tty string, st modem.Status) error {
			device, _ := p.deviceOf(tty) // a dongle that left the bus is what the command may be for
			return runCommand(ctx, argv, "DONGLED_TTY="+tty, "DONGLED_IMEI="+st.IMEI, "DONGLED_USB="+device)
		},
	})
}

func (p *Prober) onDevice(act func(context.Context, string) error) func(context.Context, string, modem.Status) error {
	return func(ctx context.Context, tty string, st modem.Status) error {
		device, err := p.deviceOf(tty)
		if err == nil {
			err = p.sameDongle(device, st.IMEI)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", tty, err)
		}
		return act(ctx, device)
	}
}

// deviceOf is the USB device behind tty: the one that was opened there, since another may have the
// name by now. With the error it is where the dongle was.
func (p *Prober) deviceOf(tty string) (string, error) {
	now, there := p.portOf(tty)
	p.mu.Lock()
	port, ours := p.opened[tty]
	if !ours && there {
		port, ours = p.opened[now.Node]
	}
	p.mu.Unlock()
	switch {
	case !ours && there:
		return now.Device, nil
	case !ours:
		return "", errNotOnBus
	}
	dir, err := p.Bus.device(port.Device)
	if err != nil {
		return port.Device, err
	}
	if is := usbDevice(dir); is.VID != port.VID {
		return port.Device, fmt.Errorf("another device is plugged in at %s by now", port.Device)
	}
	return port.Device, nil
}

// sameDongle refuses a device that told another IMEI than that of the dongle in need: one that fell
// off the bus leaves its name to the next, which may be in the midst of a submission.
func (p *Prober) sameDongle(device, imei string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.places[device]
	const unit = 14 // the digits of an IMEI but for what checks them, or tells the software
	if at == nil || len(at.said.IMEI) < unit || len(imei) < unit || at.said.IMEI[:unit] == imei[:unit] {
		return nil
	}
	return fmt.Errorf("the dongle at %s is another one, of IMEI %s", device, at.said.IMEI)
}

// runCommand runs argv, and with it ends all that it started.
func runCommand(ctx context.Context, argv []string, env ...string) error {
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	var output tail
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(publicEnvironment(), env...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	if err != nil {
		return fmt.Errorf("reset_command %q: %w: %s", argv, err, printable(string(output)))
	}
	return nil
}

// publicEnvironment is ours without the daemon's configuration, which holds PINs and passwords.
func publicEnvironment() []string {
	var public []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "DONGLED_") {
			public = append(public, entry)
		}
	}
	return public
}

// tail keeps the last of what is written to it.
type tail []byte

func (t *tail) Write(b []byte) (int, error) {
	const most = 512
	*t = append(*t, b...)
	if n := len(*t); n > most {
		*t = append((*t)[:0], (*t)[n-most:]...)
	}
	return len(b), nil
}
