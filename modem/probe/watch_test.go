package probe

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// kernelMessage is what the kernel sends for a ttyUSB2 that appears, as recorded.
const kernelMessage = "add@/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.2/ttyUSB2/tty/ttyUSB2\x00" +
	"ACTION=add\x00DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.2/ttyUSB2/tty/ttyUSB2\x00" +
	"SUBSYSTEM=tty\x00MAJOR=188\x00MINOR=2\x00DEVNAME=ttyUSB2\x00SEQNUM=3141\x00"

// udevMessage is udev's about the same: a header of 40 octets and 64 of properties on a machine that
// begins with the low octet, as all that we are built for do.
const udevMessage = "libudev\x00" + "\xfe\xed\xca\xfe" + "\x28\x00\x00\x00" + "\x28\x00\x00\x00" + "\x40\x00\x00\x00" +
	"\xaa\xaa\xaa\xaa\xbb\xbb\xbb\xbb\x00\x00\x00\x00\x00\x00\x00\x00" +
	"ACTION=remove\x00DEVPATH=/devices/x/tty/ttyACM0\x00SUBSYSTEM=tty\x00A=1\x00\x00"

const voltageMessage = "change@/x\x00ACTION=change\x00SUBSYSTEM=hwmon\x00DEVPATH=/x/hwmon1\x00"

func TestParseUevent(t *testing.T) {
	for name, c := range map[string]struct {
		message string
		want    uevent
		changes bool
	}{
		"kernel":          {kernelMessage, uevent{"add", "tty", "ttyUSB2"}, true},
		"udev":            {udevMessage, uevent{"remove", "tty", "ttyACM0"}, true},
		"another tty":     {"add@/devices/virtual/tty/ttyS0\x00ACTION=add\x00SUBSYSTEM=tty\x00DEVPATH=/devices/virtual/tty/ttyS0\x00", uevent{"add", "tty", "ttyS0"}, false},
		"another action":  {"bind@/x\x00ACTION=bind\x00SUBSYSTEM=tty\x00DEVPATH=/x/ttyUSB0\x00", uevent{"bind", "tty", "ttyUSB0"}, false},
		"another device":  {"add@/x\x00ACTION=add\x00SUBSYSTEM=net\x00DEVPATH=/x/ttyUSB0\x00", uevent{"add", "net", "ttyUSB0"}, false},
		"supply voltage":  {voltageMessage, uevent{"change", "hwmon", "hwmon1"}, false},
		"no end":          {strings.TrimRight(kernelMessage, "\x00"), uevent{"add", "tty", "ttyUSB2"}, true},
		"value with a =":  {"add@/x\x00ACTION=add\x00SUBSYSTEM=tty\x00DEVPATH=/a=b/ttyUSB1\x00", uevent{"add", "tty", "ttyUSB1"}, true},
		"key without a =": {"add@/x\x00ACTION\x00ACTION=add\x00SUBSYSTEM=tty\x00", uevent{"add", "tty", ""}, false},
	} {
		u, ok := parseUevent([]byte(c.message))
		if !ok || u != c.want || u.aboutDongle() != c.changes {
			t.Errorf("%s: %+v, %v, changes %v", name, u, ok, u.aboutDongle())
		}
	}
	for name, message := range map[string]string{
		"empty": "", "NULs": "\x00\x00", "no path": "add\x00ACTION=add\x00SUBSYSTEM=tty\x00", "no subsystem": "add@/x\x00ACTION=add\x00",
		"udev, cut in the header":       udevMessage[:23],
		"udev, cut in the properties":   udevMessage[:60],
		"udev, another magic":           strings.Replace(udevMessage, "\xca\xfe", "\xca\xff", 1),
		"udev, properties elsewhere":    udevMessage[:16] + "\xff\xff\xff\xff" + udevMessage[20:],
		"udev, more properties than is": udevMessage[:20] + "\xff\xff\xff\xff" + udevMessage[24:],
	} {
		if u, ok := parseUevent([]byte(message)); ok {
			t.Errorf("%s: %+v", name, u)
		}
	}
}

func FuzzUevent(f *testing.F) {
	for _, seed := range []string{kernelMessage, udevMessage, "", "libudev\x00", "add@/\x00ACTION=add\x00SUBSYSTEM=tty\x00DEVPATH=\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		u, ok := parseUevent(message)
		if ok && (u.action == "" || u.subsystem == "" || strings.ContainsAny(u.action+u.subsystem+u.name, "\x00")) {
			t.Errorf("%+v", u)
		}
	})
}

// inotifyMessage is one event of struct inotify_event: wd 1, IN_CREATE, no cookie, 16 octets of name.
const inotifyMessage = "\x01\x00\x00\x00" + "\x00\x01\x00\x00" + "\x00\x00\x00\x00" + "\x10\x00\x00\x00" + "ttyUSB2\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func TestDirectoryEvents(t *testing.T) {
	other := strings.Replace(inotifyMessage, "ttyUSB2", "ttyS2\x00\x00", 1)
	for name, c := range map[string]struct {
		events string
		want   bool
	}{
		"one": {inotifyMessage, true}, "another": {other, false}, "the second": {other + inotifyMessage, true},
		"some were lost": {"\xff\xff\xff\xff" + "\x00\x40\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00", true},
		"cut":            {inotifyMessage[:31], false}, "empty": {"", false}, "half a header": {inotifyMessage[:15], false},
		"too long": {other[:12] + "\xff\xff\xff\xff" + inotifyMessage, false},
	} {
		if got := anyDongleNode([]byte(c.events)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzDirectoryEvents(f *testing.F) {
	f.Add([]byte(inotifyMessage))
	f.Add([]byte(inotifyMessage[:20]))
	f.Fuzz(func(t *testing.T, events []byte) {
		if !anyDongleNode(append([]byte(inotifyMessage), events...)) {
			t.Errorf("a node is not found before %q", events)
		}
		if anyDongleNode(events) && !anyDongleNode(append(events, inotifyMessage...)) {
			t.Errorf("%q is something, and with more to come is nothing", events)
		}
	})
}

// A dongle comes with a burst of events, and is one change.
func TestDebounce(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		events []time.Duration // since the start
		want   []time.Duration // calls of changed
	}{
		"nothing":      {nil, []time.Duration{0}},
		"one":          {[]time.Duration{1000 * ms}, []time.Duration{0, 1300 * ms}},
		"burst":        {[]time.Duration{1000 * ms, 1100 * ms, 1350 * ms}, []time.Duration{0, 1650 * ms}},
		"two":          {[]time.Duration{1000 * ms, 1400 * ms}, []time.Duration{0, 1300 * ms, 1700 * ms}},
		"without end":  {every(100*ms, 1000*ms, 3900*ms), []time.Duration{0, 3000 * ms, 4200 * ms}},
		"with a break": {append(every(100*ms, 1000*ms, 2000*ms), 9000*ms), []time.Duration{0, 2300 * ms, 9300 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				start := time.Now()
				happened := make(chan struct{})
				for _, at := range c.events {
					time.AfterFunc(at, func() { happened <- struct{}{} })
				}
				var got []time.Duration
				if err := debounce(ctx, happened, nil, func() { got = append(got, time.Since(start)) }); err != nil {
					t.Error(err)
				}
				if len(got) != len(c.want) {
					t.Fatalf("changed at %v, want %v", got, c.want)
				}
				for i := range got {
					if got[i] != c.want[i] {
						t.Errorf("changed at %v, want %v", got, c.want)
					}
				}
			})
		})
	}
}

func every(step, from, to time.Duration) (at []time.Duration) {
	for d := from; d <= to; d += step {
		at = append(at, d)
	}
	return at
}

// counter counts calls of changed, and lets a test wait for one.
type counter struct {
	n  atomic.Int32
	ch chan struct{}
}

func newCounter() *counter { return &counter{ch: make(chan struct{}, 100)} }

func (c *counter) changed() {
	c.n.Add(1)
	c.ch <- struct{}{}
}

func (c *counter) wait(t *testing.T) {
	t.Helper()
	select {
	case <-c.ch:
	case <-time.After(20 * time.Second):
		t.Fatal("no change was noticed")
	}
}

// Messages over a socket like netlink's, whose other end is the kernel.
func TestWatchSocket(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	kernel := os.NewFile(uintptr(fds[1]), "kernel")
	defer kernel.Close()
	c := newCounter()
	var voltage atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- watch(ctx, ueventSource(os.NewFile(uintptr(fds[0]), "ours"), func() { voltage.Add(1) }), c.changed)
	}()
	c.wait(t) // at the start
	for _, message := range []string{"junk", udevMessage[:30], voltageMessage, kernelMessage, udevMessage} {
		if _, err := kernel.Write([]byte(message)); err != nil {
			t.Fatal(err)
		}
	}
	c.wait(t)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := c.n.Load(); n != 2 {
		t.Errorf("%d changes, want 2", n)
	}
	if n := voltage.Load(); n != 1 {
		t.Errorf("%d words about the voltage, want 1", n)
	}
}

// A source that fails ends the watch, with the reason.
func TestWatchThatFails(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := watch(t.Context(), ueventSource(r, func() {}), func() {}); err == nil {
		t.Error("no error")
	}
}

// A tree that is not the machine's is watched by its nodes.
func TestWatchDirectory(t *testing.T) {
	dev := t.TempDir()
	c := newCounter()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Watch(ctx, Bus{Dev: dev}, c.changed) }()
	c.wait(t)
	node := filepath.Join(dev, "ttyUSB0")
	for _, act := range []func() error{
		func() error { return os.Symlink("/dev/pts/0", node) },
		func() error { return os.Rename(node, filepath.Join(dev, "ttyUSB1")) },
		func() error { return os.Remove(filepath.Join(dev, "ttyUSB1")) },
	} {
		if err := act(); err != nil {
			t.Fatal(err)
		}
		c.wait(t)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if n := c.n.Load(); n != 4 {
		t.Errorf("%d changes, want 4", n)
	}
}

func TestWatchNothing(t *testing.T) {
	err := Watch(t.Context(), Bus{Dev: filepath.Join(t.TempDir(), "none")}, func() { t.Error("changed") })
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// The kernel's own word, where this process may make it speak: it repeats an event on request.
func TestNetlink(t *testing.T) {
	request, err := os.OpenFile("/sys/class/tty/tty0/uevent", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("the kernel takes no requests here: ", err)
	}
	defer request.Close()
	source, err := netlinkEvents(func() {})
	if err != nil {
		t.Skip("no netlink here: ", err)
	}
	source.changes = func(message []byte) bool {
		u, ok := parseUevent(message)
		return ok && u == uevent{"change", "tty", "tty0"}
	}
	c := newCounter()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- watch(ctx, source, c.changed) }()
	c.wait(t)
	if _, err := request.WriteString("change"); err != nil {
		t.Fatal(err)
	}
	c.wait(t)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
