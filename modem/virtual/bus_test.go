package virtual_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"dongled/modem/virtual"
)

// machine is a Bus with its dongles.
type machine struct {
	t *testing.T
	*virtual.Bus
}

func newMachine(t *testing.T) machine {
	t.Helper()
	bus, err := virtual.NewBus(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bus.Close(); err != nil {
			t.Error(err)
		}
	})
	return machine{t, bus}
}

// plug puts a built-in dongle into a socket.
func (m machine) plug(name, socket string) *virtual.Dongle {
	m.t.Helper()
	opts, _ := virtual.Builtin(name)
	opts.Quirks.Unsolicited, opts.Quirks.Busy = nil, 0
	d := virtual.New(opts)
	m.t.Cleanup(func() { _ = d.Close() })
	m.do(m.Plug(d.Stick(socket)))
	return d
}

func (m machine) do(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

// nodes are the device nodes there are, by name.
func (m machine) nodes() string {
	m.t.Helper()
	paths, err := filepath.Glob(filepath.Join(m.Root, "dev", "tty*"))
	m.do(err)
	for i := range paths {
		paths[i] = filepath.Base(paths[i])
	}
	slices.Sort(paths)
	return strings.Join(paths, " ")
}

func (m machine) read(path string) string {
	m.t.Helper()
	b, err := os.ReadFile(m.Root + "/" + path) // not cleaned: .. goes up from where a link leads
	m.do(err)
	return strings.TrimSpace(string(b))
}

// open opens a node as a serial program does.
func (m machine) open(node string) *os.File {
	m.t.Helper()
	tty, err := os.OpenFile(node, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	m.do(err)
	m.t.Cleanup(func() { _ = tty.Close() })
	return tty
}

// say writes to a node and returns what comes until it ends in want, or for a second.
func (m machine) say(node, text, want string) string {
	m.t.Helper()
	tty := m.open(node)
	defer func() { _ = tty.Close() }()
	if _, err := io.WriteString(tty, text); err != nil {
		m.t.Fatal(err)
	}
	m.do(tty.SetReadDeadline(time.Now().Add(time.Second)))
	got, buf := "", make([]byte, 256)
	for !strings.HasSuffix(got, want) {
		n, err := tty.Read(buf)
		got += string(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		m.do(err)
	}
	return got
}

// await waits until a state is reached that other goroutines bring about.
func (m machine) await(what string, reached func() bool) {
	m.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !reached(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("%s did not come about: %s", what, m.nodes())
		}
	}
}

func TestBusTree(t *testing.T) {
	m := newMachine(t)
	m.plug("huawei-e173.one", "1-1.4")
	m.plug("ublox", "2-3")
	if got, want := m.nodes(), "ttyACM0 ttyACM1 ttyUSB0 ttyUSB1 ttyUSB2"; got != want {
		t.Errorf("nodes are %s, want %s", got, want)
	}
	for path, want := range map[string]string{
		"sys/bus/usb/devices/1-1.4/idVendor":                       "12d1",
		"sys/bus/usb/devices/1-1.4/idProduct":                      "1001",
		"sys/bus/usb/devices/1-1.4/devnum":                         "1",
		"sys/bus/usb/devices/1-1.4/busnum":                         "1",
		"sys/bus/usb/devices/1-1.4/product":                        "HUAWEI Mobile",
		"sys/bus/usb/devices/1-1.4/1-1.4:1.2/bInterfaceProtocol":   "02",
		"sys/class/tty/ttyUSB2/dev":                                "188:2",
		"sys/class/tty/ttyUSB2/device/../bInterfaceNumber":         "02",
		"sys/class/tty/ttyUSB2/device/../../idVendor":              "12d1",
		"sys/bus/usb-serial/devices/ttyUSB1/../bInterfaceProtocol": "03",
		"sys/bus/usb/devices/2-3/devnum":                           "2",
		"sys/class/tty/ttyACM1/device/bInterfaceNumber":            "02",
		"sys/class/tty/ttyACM1/device/bInterfaceClass":             "02",
		"sys/class/tty/ttyACM1/device/../manufacturer":             "u-blox",
		"dev/bus/usb/002/002":                                      "",
	} {
		if got := m.read(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for link, want := range map[string]string{
		"sys/class/tty/ttyUSB2/device/../driver":                          "option",
		"sys/class/tty/ttyACM0/device/driver":                             "cdc_acm",
		"sys/bus/usb/devices/2-3/driver":                                  "usb",
		"dev/serial/by-id/usb-HUAWEI_Technology_HUAWEI_Mobile-if02-port0": "ttyUSB2",
		"dev/serial/by-id/usb-u-blox_u-blox_Modem-if00":                   "ttyACM0",
		"dev/serial/by-path/pci-0000:00:14.0-usb-0:1.4:1.2-port0":         "ttyUSB2",
	} {
		if got, err := os.Readlink(m.Root + "/" + link); err != nil || filepath.Base(got) != want {
			t.Errorf("%s points to %q, %v, want %s", link, got, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(m.Root, "sys/class/tty/ttyUSB5")); !os.IsNotExist(err) {
		t.Errorf("ttyUSB5: %v", err)
	}
}

func TestBusPorts(t *testing.T) {
	m := newMachine(t)
	d := m.plug("quectel-ec25", "1-2")
	if got := m.say(m.Node("1-2", 2), "ATE0+CGMM\r", ok); got != "ATE0+CGMM\r\r\nEC25\r\n"+ok {
		t.Errorf("the AT port said %q", got)
	}
	if got := m.say(m.Node("1-2", 3), "AT+CGSN\r", ok); !strings.HasSuffix(got, ok) || !strings.Contains(got, "00101700") {
		t.Errorf("the modem port said %q", got)
	}
	d.URC("+CMTI: \"ME\",0")
	if got := m.say(m.Node("1-2", 2), "AT\r", ok); got != "\r\n+CMTI: \"ME\",0\r\n"+ok {
		t.Errorf("the AT port said %q", got)
	}
	if got := m.say(m.Node("1-2", 0), "AT\r", ok); got != "" {
		t.Errorf("the diagnostic port said %q", got)
	}
	m.await("a position", func() bool { return strings.HasPrefix(m.say(m.Node("1-2", 1), "AT\r", "N*53\r\n"), "$GPGSA") })
	if m.Node("1-2", 9) != "" || m.Node("9-9", 0) != "" {
		t.Error("there are nodes that are not there")
	}
}

// TestBusRenumbers: what is put in again gets the lowest ttys that are free.
func TestBusRenumbers(t *testing.T) {
	m := newMachine(t)
	m.plug("huawei-e173.one", "1-1")
	m.plug("huawei-e173.two", "1-2")
	base := func(socket string) string { return filepath.Base(m.Node(socket, 2)) }
	expect := func(what, one, two string) {
		t.Helper()
		if base("1-1") != one || base("1-2") != two {
			t.Errorf("%s: %s and %s", what, base("1-1"), base("1-2"))
		}
	}
	expect("at first", "ttyUSB2", "ttyUSB5")
	m.do(m.Swap("1-1", "1-2"))
	expect("swapped", "ttyUSB5", "ttyUSB2")
	m.do(m.Swap("1-1", "1-2"))
	expect("swapped again", "ttyUSB2", "ttyUSB5")
	m.do(m.Replug("1-1"))
	expect("replugged", "ttyUSB8", "ttyUSB5")
	m.do(m.Replug("1-2"))
	expect("the old ones are free", "ttyUSB8", "ttyUSB2")
	m.do(m.Unplug("1-1"))
	if got := m.nodes(); got != "ttyUSB0 ttyUSB1 ttyUSB2" {
		t.Errorf("unplugged: %s", got)
	}
	for _, gone := range []string{"sys/bus/usb/devices/1-1", "sys/class/tty/ttyUSB8", "sys/bus/usb-serial/devices/ttyUSB8"} {
		if _, err := os.Lstat(filepath.Join(m.Root, gone)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", gone, err)
		}
	}
	// Both sticks have the same by-id name; it is the one's that is there.
	if to, err := os.Readlink(filepath.Join(m.Root, "dev/serial/by-id/usb-HUAWEI_Technology_HUAWEI_Mobile-if02-port0")); err != nil || filepath.Base(to) != "ttyUSB2" {
		t.Errorf("by-id points to %q, %v", to, err)
	}
}

// TestBusAfterReboot: a stick that leaves the bus by itself is enumerated anew, and who had it open
// hears of it.
func TestBusAfterReboot(t *testing.T) {
	m := newMachine(t)
	m.plug("generic", "1-1")
	tty := m.open(m.Node("1-1", 1))
	if _, err := io.WriteString(tty, "AT+CFUN=1,1\r"); err != nil {
		t.Fatal(err)
	}
	m.do(tty.SetReadDeadline(time.Now().Add(5 * time.Second)))
	if _, err := io.ReadAll(tty); err != nil && !errors.Is(err, syscall.EIO) {
		t.Errorf("the open port ended with %v", err)
	}
	m.await("the second enumeration", func() bool {
		b, err := os.ReadFile(filepath.Join(m.Root, "sys/bus/usb/devices/1-1/devnum"))
		return err == nil && string(b) == "2\n"
	})
	if got := m.say(m.Node("1-1", 1), "AT\r", ok); got != "AT\r"+ok {
		t.Errorf("it said %q", got)
	}
}

func TestBusDriver(t *testing.T) {
	m := newMachine(t)
	m.plug("generic", "1-1")
	tell := func(verb string) {
		t.Helper()
		m.do(os.WriteFile(filepath.Join(m.Root, "sys/bus/usb/drivers/usb", verb), []byte("1-1"), 0))
	}
	if got := m.say(m.Node("1-1", 1), "ATE0\r", ok); got != "ATE0\r"+ok {
		t.Errorf("it said %q", got)
	}
	tell("unbind")
	m.await("leaving", func() bool { return m.nodes() == "" })
	if got := m.read("sys/bus/usb/devices/1-1/devnum"); got != "1" {
		t.Errorf("without a driver it is device %q", got)
	}
	tell("bind")
	m.await("coming back", func() bool { return m.Node("1-1", 1) != "" })
	if got := m.say(m.Node("1-1", 1), "AT\r", ok); got != ok { // the echo is still off
		t.Errorf("it said %q", got)
	}
	tell("unbind")
	m.await("leaving", func() bool { return m.nodes() == "" })
	m.do(m.Unplug("1-1"))
	if _, err := os.Lstat(filepath.Join(m.Root, "sys/bus/usb/devices/1-1")); !os.IsNotExist(err) {
		t.Errorf("the device is still there: %v", err)
	}
}

// TestBusSurroundings: what else of the machine a daemon looks at.
func TestBusSurroundings(t *testing.T) {
	m := newMachine(t)
	m.plug("generic", "1-1")
	node := m.Node("1-1", 1)
	m.do(m.Hold(node, 4711, "ModemManager"))
	if got := m.read("proc/4711/comm"); got != "ModemManager" {
		t.Errorf("the process is called %q", got)
	}
	if got, err := os.Readlink(filepath.Join(m.Root, "proc/4711/fd/3")); err != nil || got != node {
		t.Errorf("it holds %q, %v", got, err)
	}
	m.do(m.Release(4711))
	if _, err := os.Stat(filepath.Join(m.Root, "proc/4711")); !os.IsNotExist(err) {
		t.Errorf("the process is still there: %v", err)
	}
	for low, want := range map[bool]string{true: "1", false: "0"} {
		m.do(m.SetUnderVoltage(low))
		if got := m.read("sys/class/hwmon/hwmon0/in0_lcrit_alarm"); got != want {
			t.Errorf("low %t: %q", low, got)
		}
	}
}

func TestBusMistakes(t *testing.T) {
	m := newMachine(t)
	d := m.plug("generic", "1-1")
	if err := m.Plug(d.Stick("1-1")); !errors.Is(err, virtual.ErrSocketTaken) {
		t.Errorf("plugging in twice: %v", err)
	}
	for what, err := range map[string]error{"unplug": m.Unplug("1-2"), "replug": m.Replug("1-2"), "swap": m.Swap("1-1", "1-2")} {
		if !errors.Is(err, virtual.ErrNoStick) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := virtual.NewBus(filepath.Join(m.Root, "dev/bus/usb/001/001")); err == nil {
		t.Error("a bus below a file")
	}
	bad, err := virtual.NewBus(t.TempDir())
	m.do(err)
	dongle := virtual.New(virtual.Options{})
	t.Cleanup(func() { _ = dongle.Close() })
	if err := bad.Plug(virtual.Stick{Dongle: dongle, Socket: "1-1"}); err == nil {
		t.Error("a stick without ports was enumerated")
	}
	if err := bad.Close(); err == nil {
		t.Error("the bus has forgotten it")
	}
}

// TestEveryFamilyHasPorts: with exactly one of them for AT, where it answers.
func TestEveryFamilyHasPorts(t *testing.T) {
	m := newMachine(t)
	for i, name := range virtual.Families() {
		socket := "1-1." + string(rune('1'+i%9)) + strings.Repeat(".1", i/9)
		d := m.plug(name, socket)
		s := d.Stick(socket)
		at := slices.DeleteFunc(slices.Clone(s.Ports), func(p virtual.StickPort) bool { return p.Kind != virtual.PortAT })
		if len(at) != 1 {
			t.Errorf("%s has %d AT ports", name, len(at))
			continue
		}
		if got := m.say(m.Node(socket, at[0].Interface), "AT\r", ok); got != "AT\r"+ok {
			t.Errorf("%s said %q", name, got)
		}
	}
}
