package probe

import (
	"cmp"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
)

// A Bus is where the kernel shows the machine's devices. The zero value is this machine; tests
// give other trees.
type Bus struct {
	// Sys, Dev, Proc and Run are /sys, /dev, /proc and /run if empty.
	Sys, Dev, Proc, Run string
}

func (b Bus) sys(elem ...string) string  { return under(cmp.Or(b.Sys, "/sys"), elem) }
func (b Bus) dev(elem ...string) string  { return under(cmp.Or(b.Dev, "/dev"), elem) }
func (b Bus) proc(elem ...string) string { return under(cmp.Or(b.Proc, "/proc"), elem) }

func (b Bus) run(elem ...string) string { return under(cmp.Or(b.Run, "/run"), elem) }

func under(root string, elem []string) string {
	return filepath.Join(append([]string{root}, elem...)...)
}

// An ID is a vendor or product number of USB, in text four hex digits.
type ID uint16

// MarshalText writes four hex digits.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.text()), nil }

// UnmarshalText reads one to four hex digits.
func (id *ID) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 16, 16)
	*id = ID(n)
	return err
}

func (id ID) text() string {
	s := strconv.FormatUint(uint64(id), 16)
	return "0000"[len(s):] + s
}

// A Port is a tty of a USB device.
type Port struct {
	// Node is the device node, such as /dev/ttyUSB2.
	Node string `json:"node"`
	// ByID and ByPath are udev's names for it, if there are: /dev/serial/by-id/… names maker,
	// product and serial number, /dev/serial/by-path/… the socket it is plugged into.
	ByID   string `json:"byId,omitempty"`
	ByPath string `json:"byPath,omitempty"`
	// Device is the USB device in sysfs, such as 1-1.4: bus 1, port 1 of its root hub, port 4 of
	// the hub there. It stays as long as the dongle stays in its socket.
	Device string `json:"device"`
	// Bus and Address are the device's numbers now; each enumeration gives another Address.
	Bus     int `json:"bus"`
	Address int `json:"address"`

	VID ID `json:"vid"`
	PID ID `json:"pid"`
	// Interface is bInterfaceNumber; Class, SubClass and Protocol say what its maker calls it.
	Interface int   `json:"interface"`
	Class     uint8 `json:"class"`
	SubClass  uint8 `json:"subClass"`
	Protocol  uint8 `json:"protocol"`
	// Driver is the kernel's for the interface: option, cdc_acm, qcserial, ….
	Driver string `json:"driver,omitempty"`

	// Manufacturer, Product and Serial are the device's strings, and may be missing.
	Manufacturer string `json:"manufacturer,omitempty"`
	Product      string `json:"product,omitempty"`
	Serial       string `json:"serial,omitempty"`

	// Role is what the port is for, as far as its numbers tell.
	Role Role `json:"role,omitempty"`
	// Skip says why the port is not asked; empty if it may be.
	Skip Skip `json:"skip,omitempty"`
}

// A Role is what a tty of a dongle is for.
type Role string

// The roles. RoleUnknown is that of most dongles; only asking tells.
const (
	RoleUnknown Role = ""
	// RoleAT takes commands, for messages above all.
	RoleAT Role = "at"
	// RoleModem takes commands too, until it carries a data call.
	RoleModem Role = "modem"
	RoleGPS   Role = "gps"
	RoleAudio Role = "audio"
	// RoleDiag is the diagnostic monitor of the chip's maker.
	RoleDiag Role = "diag"
)

// A Skip says why a port is not asked.
type Skip string

const (
	// SkipDownload: the device waits for new firmware and must not be written to; replugging it
	// may bring the dongle back.
	SkipDownload Skip = "firmware-download"
	// SkipDiag: the port is a diagnostic monitor, which takes what it is sent for commands of its own.
	SkipDiag Skip = "diagnostic-port"
	// SkipAdapter: a USB-to-serial adapter, which may have anything at its other end.
	SkipAdapter Skip = "serial-adapter"
	// SkipNoModem: the device is known to be none, such as a microcontroller board.
	SkipNoModem Skip = "no-modem"
)

// A Holder is a process that has a port open.
type Holder struct {
	PID  int    `json:"pid"`
	Name string `json:"name"`
}

// printable is what may be shown and logged of what a device says.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, s))
}
