package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// DefaultBaud is the line speed where none is configured; USB dongles ignore it.
const DefaultBaud = 115200

// writeTimeout bounds one Write. A dongle that takes nothing for that long is stuck.
const writeTimeout = 10 * time.Second

// Serial opens the serial line at path, 8N1 without flow control; baud 0 is DefaultBaud.
//
// go.bug.st/serial sets the line up, but the octets go over a descriptor of our own: its Read
// panics at descriptor 1024 and above, its Write after Close goes to whoever has the number by
// then, and it cannot be interrupted. Ours belongs to the runtime's poller, is closed on exec,
// and is locked against a second opening even by root, whom TIOCEXCL does not bind.
func Serial(path string, baud int) Opener {
	if baud <= 0 {
		baud = DefaultBaud
	}
	return func(context.Context) (io.ReadWriteCloser, error) {
		file, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		port := &serialPort{file: file}
		if err := port.claim(path, baud); err != nil {
			file.Close()
			return nil, err
		}
		return port, nil
	}
}

// errPortBusy says that another process holds the lock on the port.
var errPortBusy = errors.New("port is in use by another program")

type serialPort struct{ file *os.File }

// claim locks the port for us, sets the line up, and shuts other programs out.
func (p *serialPort) claim(path string, baud int) error {
	if err := p.control(func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) }); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = errPortBusy
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := setLine(path, baud); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	// Not every driver knows TIOCEXCL; the lock above holds all the same.
	_ = p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCEXCL, 0) })
	return nil
}

// setLine sets speed and raw mode, which belong to the line and outlast the library's descriptor.
// That one is not closed on exec, so no child may be started while it is open.
func setLine(path string, baud int) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	port, err := serial.Open(path, &serial.Mode{BaudRate: baud})
	if err != nil {
		return err
	}
	return port.Close()
}

func (p *serialPort) control(f func(fd int) error) error {
	conn, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := conn.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return err
	}
	return result
}

// Read has no time-out: package at takes a run of empty reads for the end.
func (p *serialPort) Read(b []byte) (int, error) { return p.file.Read(b) }

func (p *serialPort) Write(b []byte) (int, error) {
	// It fails on a closed file only, and then Write says so.
	_ = p.file.SetWriteDeadline(time.Now().Add(writeTimeout))
	return p.file.Write(b)
}

// Close frees a waiting Read and Write. The exclusive mark is taken back first, because a
// pseudo-terminal keeps it as long as its other side is open.
func (p *serialPort) Close() error {
	_ = p.control(func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0) })
	return p.file.Close()
}

// PortProblem names why an Opener failed: one of the ProblemPort constants.
func PortProblem(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV):
		return ProblemPortMissing
	case errors.Is(err, fs.ErrPermission):
		return ProblemPortDenied
	case errors.Is(err, errPortBusy), errors.Is(err, syscall.EBUSY):
		return ProblemPortBusy
	case errors.Is(err, context.DeadlineExceeded): // whoever looked for the dongle found one that is silent
		return ProblemNoAnswer
	}
	return ProblemPortError
}
