package probe

import (
	"bytes"
	"encoding/binary"
	"os"

	"golang.org/x/sys/unix"
)

// directoryEvents watches the nodes of dir: they are made and removed by the kernel or by udev, which
// then changes the owner.
func directoryEvents(dir string) (*eventSource, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	const what = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, dir, what); err != nil {
		_ = unix.Close(fd) // nothing was done with it
		return nil, &os.PathError{Op: "inotify", Path: dir, Err: err}
	}
	return &eventSource{os.NewFile(uintptr(fd), "inotify"), anyDongleNode}, nil
}

// anyDongleNode reads a run of struct inotify_event: descriptor, mask, cookie and length of the name,
// 32 bits each, then the name, filled up with NULs. One about a lost event has no name.
func anyDongleNode(events []byte) bool {
	const header = unix.SizeofInotifyEvent
	for len(events) >= header {
		mask := binary.NativeEndian.Uint32(events[4:])
		length := uint64(binary.NativeEndian.Uint32(events[12:]))
		events = events[header:]
		if length > uint64(len(events)) {
			return false
		}
		name, _, _ := bytes.Cut(events[:length], []byte{0})
		if mask&unix.IN_Q_OVERFLOW != 0 || isDongleTTY(string(name)) {
			return true
		}
		events = events[length:]
	}
	return false
}
