package probe

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
)

// A uevent is what the kernel says of a device that comes, goes or changes, or what udev says of it
// after it has given the node its name and its owner.
type uevent struct {
	action, subsystem, name string
}

// aboutDongle says that a tty of a dongle came, or went, or got its owner.
func (u uevent) aboutDongle() bool {
	return u.subsystem == "tty" && (u.action == "add" || u.action == "remove" || u.action == "change") && isDongleTTY(u.name)
}

// aboutVoltage says that a sensor raised or ended an alarm, as that of a Raspberry Pi does.
func (u uevent) aboutVoltage() bool { return u.subsystem == "hwmon" && u.action == "change" }

// isDongleTTY tells the ttys that USB devices have from virtual terminals and built-in ports.
func isDongleTTY(name string) bool {
	for _, prefix := range []string{"ttyUSB", "ttyACM", "ttyHS"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// The header of udev's messages: "libudev", NUL; the magic number in network order; then, as the
// machine has it, the header's size, and offset and length of the properties (struct
// monitor_netlink_header of systemd's sd-device).
const (
	udevPrefix = "libudev\x00"
	udevMagic  = 0xfeedcafe
	udevHeader = 24
)

// parseUevent reads a message of the kernel, which begins with a line "add@/devices/…", or one of
// udev. Both go on with KEY=VALUE, each with a NUL behind it.
func parseUevent(message []byte) (uevent, bool) {
	properties, ok := ueventProperties(message)
	if !ok {
		return uevent{}, false
	}
	var u uevent
	for property := range bytes.SplitSeq(properties, []byte{0}) {
		key, value, _ := strings.Cut(string(property), "=")
		switch key {
		case "ACTION":
			u.action = value
		case "SUBSYSTEM":
			u.subsystem = value
		case "DEVPATH":
			u.name = path.Base(value)
		}
	}
	return u, u.action != "" && u.subsystem != ""
}

func ueventProperties(message []byte) ([]byte, bool) {
	if !bytes.HasPrefix(message, []byte(udevPrefix)) {
		head, properties, ok := bytes.Cut(message, []byte{0})
		return properties, ok && bytes.Contains(head, []byte("@/"))
	}
	if len(message) < udevHeader || binary.BigEndian.Uint32(message[8:]) != udevMagic {
		return nil, false
	}
	offset := uint64(binary.NativeEndian.Uint32(message[16:]))
	length := uint64(binary.NativeEndian.Uint32(message[20:]))
	if offset > uint64(len(message)) || length > uint64(len(message))-offset {
		return nil, false
	}
	return message[offset : offset+length], true
}
