package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// usbdevfsReset is USBDEVFS_RESET, _IO('U', 20) of linux/usbdevice_fs.h.
const usbdevfsReset = 'U'<<8 | 20

var deviceName = regexp.MustCompile(`^[0-9]+-[0-9]+(\.[0-9]+)*$`)

// errNotOnBus is the end of a device that is to be reset.
var errNotOnBus = errors.New("no such device on the USB bus")

// device is the directory of a USB device in sysfs.
func (b Bus) device(name string) (string, error) {
	dir := b.sys("bus", "usb", "devices", name)
	if !deviceName.MatchString(name) || !has(dir, "idVendor") {
		return "", fmt.Errorf("%q: %w", name, errNotOnBus)
	}
	return dir, nil
}

// Reset resets a USB device, such as "1-1.4", as if it were plugged in anew: the kernel enumerates it
// once more in its place (USBDEVFS_RESET). It needs write access to /dev/bus/usb/BBB/DDD.
func (b Bus) Reset(ctx context.Context, device string) error {
	dir, err := b.device(device)
	if err != nil {
		return fmt.Errorf("USB reset: %w", err)
	}
	at := usbDevice(dir)
	node := b.dev("bus", "usb", fmt.Sprintf("%03d", at.Bus), fmt.Sprintf("%03d", at.Address))
	return within(ctx, func() error {
		file, err := os.OpenFile(node, os.O_WRONLY, 0)
		if err != nil {
			return forbidden("USB reset", node, err)
		}
		defer file.Close()
		if err := unix.IoctlSetInt(int(file.Fd()), usbdevfsReset, 0); err != nil {
			return forbidden("USB reset", node, err)
		}
		return nil
	})
}

const (
	// rebindPause lets the device come to rest between the two.
	rebindPause = time.Second
	bindTries   = 5
)

// Rebind takes a USB device, such as "1-1.4", from its driver and gives it back, so that the kernel
// configures it anew. It needs write access to /sys/bus/usb/drivers. It does not leave a device
// without a driver, even if ctx ends meanwhile.
func (b Bus) Rebind(ctx context.Context, device string) error {
	dir, err := b.device(device)
	if err != nil {
		return fmt.Errorf("USB rebind: %w", err)
	}
	return within(ctx, func() error {
		driver := "usb" // of every USB device as a whole; another only by somebody's wish
		if target, err := os.Readlink(filepath.Join(dir, "driver")); err == nil {
			driver = filepath.Base(target)
			if err := b.tellDriver(driver, "unbind", device); err != nil {
				return err
			}
		}
		var err error
		for range bindTries {
			time.Sleep(rebindPause)
			if err = b.tellDriver(driver, "bind", device); err == nil {
				return nil
			}
		}
		return err
	})
}

func (b Bus) tellDriver(driver, verb, device string) error {
	path := b.sys("bus", "usb", "drivers", driver, verb)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString(device)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return forbidden("USB rebind", path, err)
	}
	return nil
}

// within runs f, which cannot be interrupted, and waits for it as long as ctx lasts.
func within(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// forbidden says what to do about an error for want of permission.
func forbidden(what, path string, err error) error {
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%s: the daemon may not write to %s; a udev rule or the unit's settings can allow it, "+
			"or a reset_command can do it: %w", what, path, err)
	}
	return fmt.Errorf("%s: %s: %w", what, path, err)
}
