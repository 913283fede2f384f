package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"dongled/modem/probe"
)

// machine is what doctor has to know of the computer. The one who asks looks for itself: the daemon
// sees neither other users' processes nor the state of the clock (ProtectProc=, ProtectClock= of
// systemd.exec(5)).
type machine struct {
	synchronised, underVoltage, modemManager bool
}

func inspectMachine(bus probe.Bus) machine {
	return machine{synchronised: clockSynchronised(), underVoltage: bus.UnderVoltage(), modemManager: bus.ModemManager()}
}

// clockSynchronised asks the kernel, which NTP clients tell (adjtimex(2)).
func clockSynchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

// service is what doctor has to know of the daemon, or of the one that would be started.
type service struct {
	store     string
	storeSize int64
	// storeProblem says why the store cannot be written; empty if it can.
	storeProblem string
	// wordSize is 32 or 64.
	wordSize int
	// modems is how many are in use.
	modems int
}

func inspectService(store string, modems int) service {
	s := service{store: store, wordSize: strconv.IntSize, modems: modems}
	if err := writable(store); err != nil {
		s.storeProblem = err.Error()
	}
	if info, err := os.Stat(store); err == nil {
		s.storeSize = info.Size()
	}
	return s
}

// writable reports why this process could not write the store, or make it: first the file, then the
// directories above it, of which the first that exists counts.
func writable(store string) error {
	path, err := filepath.Abs(store)
	if err != nil {
		return err
	}
	for at := path; ; at = filepath.Dir(at) {
		err := unix.Faccessat(unix.AT_FDCWD, at, unix.W_OK, unix.AT_EACCESS)
		switch {
		case err == nil && at == path:
			continue // bbolt makes no other file, but the password and the socket are beside it
		case err == nil:
			return nil
		case errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at):
			continue
		}
		return fmt.Errorf("%s cannot be written: %w", at, err)
	}
}

// accessProblem says why this process may not use a node, and what to do; empty if it may, or the
// node is not there.
func accessProblem(node string) string {
	err := unix.Faccessat(unix.AT_FDCWD, node, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
	if !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	name := "USER"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	group := "dialout"
	var st unix.Stat_t
	if unix.Stat(node, &st) == nil {
		if st.Mode&0o060 != 0o060 {
			return fmt.Sprintf("%s is not open to its group: a udev rule has to give it MODE=\"0660\", GROUP=\"dialout\"", node)
		}
		if g, err := user.LookupGroupId(strconv.FormatUint(uint64(st.Gid), 10)); err == nil {
			group = g.Name
		}
	}
	return fmt.Sprintf("%s belongs to the group %s, in which %s is not: sudo usermod -aG %s %s, then log in again or restart the daemon",
		node, group, name, group, name)
}
