package probe

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// settleTime is how long it is quiet before changed is called: a dongle has several ttys, and
	// udev gives each its owner and names some time after the kernel made it.
	settleTime = 300 * time.Millisecond
	// settleMost bounds the wait where it does not become quiet.
	settleMost = 2 * time.Second
)

// Watch calls changed once as soon as it watches, so that nothing is missed before, and then whenever
// ttys of dongles came or went, until ctx ends, which is no error. Between that it does nothing.
//
// It listens to the kernel and to udev (NETLINK_KOBJECT_UEVENT). Where that is not allowed, or bus is
// not the machine itself, it watches the directory of the nodes (inotify). The error is that neither
// can be had, or that what was had failed.
func Watch(ctx context.Context, bus Bus, changed func()) error {
	return bus.watch(ctx, changed, func() {})
}

// watch calls voltage, too, when the kernel says that it changed.
func (b Bus) watch(ctx context.Context, changed, voltage func()) error {
	events, err := b.events(voltage)
	if err != nil {
		return fmt.Errorf("watching for dongles: %w", err)
	}
	return watch(ctx, events, changed)
}

// events opens the best source there is.
func (b Bus) events(voltage func()) (*eventSource, error) {
	var refused error
	if b == (Bus{}) {
		source, err := netlinkEvents(voltage)
		if err == nil {
			return source, nil
		}
		refused = err
	}
	source, err := directoryEvents(b.dev())
	if err != nil {
		return nil, errors.Join(refused, err)
	}
	return source, nil
}

// An eventSource is a descriptor from which messages are read, and what says that one is of interest.
type eventSource struct {
	file    *os.File
	changes func(message []byte) bool
}

// messageSize is enough for any uevent (the kernel's own limit is 2048 and a little) and for some
// hundred events of a directory.
const messageSize = 16 << 10

// next waits for a message of interest.
func (e *eventSource) next(buf []byte) error {
	for {
		n, err := e.file.Read(buf)
		switch {
		case errors.Is(err, unix.ENOBUFS):
			return nil // some were lost, and any of them may have been of interest
		case err != nil:
			return err
		case e.changes(buf[:n]):
			return nil
		}
	}
}

// watch calls changed for what source tells. Its one goroutine reads the source and ends with it.
func watch(ctx context.Context, source *eventSource, changed func()) error {
	happened := make(chan struct{})
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = source.file.Close() }) // ends the Read
	defer stop()
	go func() {
		defer close(ended)
		buf := make([]byte, messageSize)
		for {
			if err := source.next(buf); err != nil {
				ended <- err
				return
			}
			select {
			case happened <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	err := debounce(ctx, happened, ended, changed)
	cancel()
	for range ended { // the reader has left when it is closed
	}
	return err
}

// debounce calls changed at once, and then when it has become quiet after something happened.
func debounce(ctx context.Context, happened <-chan struct{}, ended <-chan error, changed func()) error {
	changed()
	var quiet, enough <-chan time.Time
	for {
		select {
		case <-happened:
			quiet = time.After(settleTime)
			if enough == nil {
				enough = time.After(settleMost)
			}
			continue
		case <-quiet:
		case <-enough:
		case err := <-ended:
			if ctx.Err() != nil {
				return nil // we closed it
			}
			return err
		case <-ctx.Done():
			return nil
		}
		quiet, enough = nil, nil
		changed()
	}
}

// The multicast groups of NETLINK_KOBJECT_UEVENT.
const (
	groupKernel = 1 << 0
	groupUdev   = 1 << 1
)

// netlinkEvents listens to the kernel, and to udev, whose word comes when the node can be opened.
// Who sent a message does not matter: it only makes us look.
func netlinkEvents(voltage func()) (*eventSource, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groupKernel | groupUdev}); err != nil {
		_ = unix.Close(fd) // nothing was done with it
		return nil, os.NewSyscallError("bind", err)
	}
	return ueventSource(os.NewFile(uintptr(fd), "netlink"), voltage), nil
}

func ueventSource(file *os.File, voltage func()) *eventSource {
	return &eventSource{file, func(message []byte) bool {
		u, ok := parseUevent(message)
		if ok && u.aboutVoltage() {
			voltage()
		}
		return ok && u.aboutDongle()
	}}
}
