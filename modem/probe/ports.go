package probe

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Ports are the ttys of all USB devices, in the order of socket, interface and name. One that
// leaves meanwhile is left out. The error is that of a machine without Bus.Sys.
func (b Bus) Ports() ([]Port, error) {
	class := b.sys("class", "tty")
	ttys, err := os.ReadDir(class)
	if err != nil {
		return nil, fmt.Errorf("looking for serial ports: %w", err)
	}
	byID, byPath := b.links("by-id"), b.links("by-path")
	var ports []Port
	for _, tty := range ttys {
		name := tty.Name()
		p, ok := usbPort(filepath.Join(class, name))
		if !ok {
			continue
		}
		p.Node, p.ByID, p.ByPath = b.dev(name), byID[name], byPath[name]
		p.Role, p.Skip = classify(p)
		ports = append(ports, p)
	}
	slices.SortStableFunc(ports, func(a, b Port) int {
		return cmp.Or(
			natural(a.Device, b.Device), cmp.Compare(a.Interface, b.Interface), natural(a.Node, b.Node))
	})
	return ports, nil
}

// links maps the names of ttys to those that udev gave them below /dev/serial.
func (b Bus) links(kind string) map[string]string {
	dir := b.dev("serial", kind)
	entries, _ := os.ReadDir(dir) // a machine without udev has none
	names := make(map[string]string, len(entries))
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		target, err := os.Readlink(path)
		if err != nil {
			continue
		}
		if tty := filepath.Base(target); names[tty] == "" {
			names[tty] = path
		}
	}
	return names
}

// usbPort describes the tty at path in sysfs. Above it in the tree are the USB interface, which
// has a bInterfaceNumber, and the USB device, which has an idVendor; a tty that has not is no USB's.
func usbPort(path string) (Port, bool) {
	dir, err := filepath.EvalSymlinks(path)
	if err != nil {
		return Port{}, false
	}
	iface := ""
	for ; ; dir = filepath.Dir(dir) {
		if iface == "" && has(dir, "bInterfaceNumber") {
			iface = dir
		}
		if has(dir, "idVendor") {
			break
		}
		if dir == filepath.Dir(dir) {
			return Port{}, false
		}
	}
	if iface == "" {
		return Port{}, false
	}
	p := usbDevice(dir)
	p.Interface = int(number(iface, "bInterfaceNumber", 16, 8))
	p.Class = uint8(number(iface, "bInterfaceClass", 16, 8))
	p.SubClass = uint8(number(iface, "bInterfaceSubClass", 16, 8))
	p.Protocol = uint8(number(iface, "bInterfaceProtocol", 16, 8))
	if driver, err := os.Readlink(filepath.Join(iface, "driver")); err == nil {
		p.Driver = filepath.Base(driver)
	}
	return p, true
}

// usbDevice is the part of a Port that all ports of the device at dir have in common.
func usbDevice(dir string) Port {
	return Port{
		Device:       filepath.Base(dir),
		Bus:          int(number(dir, "busnum", 10, 16)),
		Address:      int(number(dir, "devnum", 10, 16)),
		VID:          ID(number(dir, "idVendor", 16, 16)),
		PID:          ID(number(dir, "idProduct", 16, 16)),
		Manufacturer: attribute(dir, "manufacturer"),
		Product:      attribute(dir, "product"),
		Serial:       attribute(dir, "serial"),
	}
}

func has(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// attribute reads one file of sysfs; empty if there is none. The strings come from the device, and
// may hold anything.
func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	return printable(string(b))
}

// number reads one file of sysfs; 0 if there is none.
func number(dir, name string, base, bits int) uint64 {
	n, err := strconv.ParseUint(attribute(dir, name), base, bits)
	if err != nil {
		return 0
	}
	return n
}

// natural compares names by the numbers in them: ttyUSB2 before ttyUSB10, 1-1.9 before 1-1.10.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, restA := chunk(a)
		y, restB := chunk(b)
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Compare(len(x), len(y)); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// chunk cuts off the digits, or the rest, at the beginning of s, which is not empty.
func chunk(s string) (head, tail string) {
	i := 1
	for i < len(s) && isDigit(s[i]) == isDigit(s[0]) {
		i++
	}
	return s[:i], s[i:]
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
