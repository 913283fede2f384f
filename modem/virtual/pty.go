package virtual

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ServePTY is the dongle on a pseudo-terminal, until the context ends (its error) or Close
// (ErrClosed). The TE may close and open the port as it likes. Unplugging takes the
// pseudo-terminal away under the TE, plugging in brings another one, as udev would.
//
// link, unless empty, is a symbolic link that is kept pointing at the port and removed while there
// is none; only a symbolic link is ever replaced. opened, unless nil, is told the path each time.
func (d *Dongle) ServePTY(ctx context.Context, link string, opened func(path string)) error {
	for {
		if err := d.waitPlugged(ctx); err != nil {
			return err
		}
		if err := d.servePTYOnce(ctx, link, opened); !errors.Is(err, ErrUnplugged) {
			return err
		}
	}
}

func (d *Dongle) servePTYOnce(ctx context.Context, link string, opened func(path string)) error {
	port, err := openPTY()
	if err != nil {
		return err
	}
	if link != "" {
		if err := replaceLink(port.path, link); err != nil {
			_ = port.Close() // nothing was written to it
			return err
		}
		defer func() { _ = os.Remove(link) }() // gone already is as good
	}
	if opened != nil {
		opened(port.path)
	}
	return d.Serve(ctx, port)
}

func replaceLink(path, link string) error {
	if info, err := os.Lstat(link); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		return fmt.Errorf("%s is there and is no symbolic link: remove it or choose another path", link)
	}
	fresh := link + ".new"
	if err := errors.Join(ignoreMissing(os.Remove(fresh)), os.Symlink(path, fresh)); err != nil {
		return err
	}
	return os.Rename(fresh, link)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// ptyPort is the dongle's side of a pseudo-terminal. It holds the TE's side open too: else the
// kernel ends the dongle's reads (EIO) whenever the TE closes the port.
type ptyPort struct {
	master, slave *os.File
	path          string
}

// openPTY makes a raw pseudo-terminal whose master is non-blocking, so that Close ends a Read.
func openPTY() (*ptyPort, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a pseudo-terminal: %w", err)
	}
	p := &ptyPort{master: master}
	if err := p.openSlave(); err != nil {
		return nil, errors.Join(fmt.Errorf("setting up a pseudo-terminal: %w", err), p.Close())
	}
	return p, nil
}

func (p *ptyPort) openSlave() error {
	var number int
	err := control(p.master, func(fd int) (err error) {
		if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		}
		return err
	})
	if err != nil {
		return err
	}
	p.path = "/dev/pts/" + strconv.Itoa(number)
	if p.slave, err = os.OpenFile(p.path, os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err != nil {
		return err
	}
	return control(p.slave, makeRaw)
}

// makeRaw is cfmakeraw(3): a new tty echoes and cooks, a USB stick does not.
func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR |
		unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// control runs an ioctl without taking the descriptor out of the poller, as File.Fd may.
func control(f *os.File, ioctl func(fd int) error) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	if err := raw.Control(func(fd uintptr) { result = ioctl(int(fd)) }); err != nil {
		return err
	}
	return result
}

// Read also lifts the exclusive use (TIOCEXCL) that a TE sets. The kernel would when the last
// descriptor is closed, but that one is ours: a TE that was killed could not open the port again.
func (p *ptyPort) Read(b []byte) (int, error) {
	n, err := p.master.Read(b)
	_ = control(p.slave, func(fd int) error { return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0) })
	return n, err
}

func (p *ptyPort) Write(b []byte) (int, error) { return p.master.Write(b) }

// Close hangs up the TE.
func (p *ptyPort) Close() error {
	err := p.master.Close()
	if p.slave != nil {
		err = errors.Join(err, p.slave.Close())
	}
	return err
}
