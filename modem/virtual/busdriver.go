package virtual

import (
	"context"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// serveDriver makes the files unbind and bind of the driver of whole USB devices, and obeys them.
func (b *Bus) serveDriver() error {
	for verb, obey := range map[string]func(*plugged){"unbind": b.unbind, "bind": b.bind} {
		path := b.path("sys/bus/usb/drivers/usb", verb)
		if err := ignoreMissing(os.Remove(path)); err != nil {
			return err
		}
		if err := unix.Mkfifo(path, 0o600); err != nil {
			return &fs.PathError{Op: "mkfifo", Path: path, Err: err}
		}
		// Open for both, so that neither we nor who writes waits for the other.
		file, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK, 0)
		if err != nil {
			return err
		}
		b.wg.Go(func() { b.driver(file, obey) })
	}
	return nil
}

// driver does what is written to a file of the driver, until the Bus is closed.
func (b *Bus) driver(file *os.File, obey func(*plugged)) {
	stop := context.AfterFunc(b.ctx, func() { _ = file.Close() }) // ends the Read
	defer stop()
	buf := make([]byte, 256)
	for {
		n, err := file.Read(buf)
		if err != nil {
			return
		}
		p, err := b.stick(strings.TrimSpace(string(buf[:n])))
		if err == nil { // the kernel says ENODEV to any other
			obey(p)
		}
	}
}

// unbind takes a stick from its driver. Without effect when it has none.
func (b *Bus) unbind(p *plugged) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.unbind != nil {
		p.bound = make(chan struct{})
		p.unbind(errUnbound)
	}
}

// bind gives a stick back to its driver. Without effect when it has one.
func (b *Bus) bind(p *plugged) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-p.bound:
	default:
		close(p.bound)
	}
}

// Hold makes a process be seen to have a node open, as a look through proc shows it. The machine has
// no such process; what it is called is what counts.
func (b *Bus) Hold(node string, pid int, name string) error {
	t := &tree{root: b.Root}
	process := "proc/" + strconv.Itoa(pid)
	t.file(process+"/comm", name)
	t.absolute(process+"/fd/3", node)
	return t.err
}

// Release ends the process of Hold.
func (b *Bus) Release(pid int) error { return os.RemoveAll(b.path("proc", strconv.Itoa(pid))) }

// SetUnderVoltage is the sensor of a Raspberry Pi (raspberrypi-hwmon), noticing too little supply or
// enough again.
func (b *Bus) SetUnderVoltage(low bool) error {
	t := &tree{root: b.Root}
	const sensor = "sys/class/hwmon/hwmon0/"
	t.file(sensor+"name", "rpi_volt")
	t.file(sensor+"in0_lcrit_alarm", map[bool]string{false: "0", true: "1"}[low])
	return t.err
}
