package virtual

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// driverACM is the driver of modems of the communication device class; its ttys are right below
// the interface, where usb-serial has one directory more.
const driverACM = "cdc_acm"

// tree writes a part of the Bus's directory and keeps the first error.
type tree struct {
	root string
	err  error
}

func (t *tree) file(path, content string) {
	if t.err != nil {
		return
	}
	path = filepath.Join(t.root, path)
	if t.err = os.MkdirAll(filepath.Dir(path), 0o755); t.err == nil {
		t.err = os.WriteFile(path, []byte(content+"\n"), 0o644)
	}
}

// link makes a symbolic link to a place in the tree, relative as sysfs has them.
func (t *tree) link(path, target string) {
	up := strings.Repeat("../", strings.Count(path, "/"))
	t.absolute(path, up+target)
}

// absolute makes a symbolic link, and replaces one that is there, as udev does when two sticks have
// the same name.
func (t *tree) absolute(path, target string) {
	if t.err != nil {
		return
	}
	path = filepath.Join(t.root, path)
	if t.err = os.MkdirAll(filepath.Dir(path), 0o755); t.err != nil {
		return
	}
	t.err = errors.Join(ignoreMissing(os.Remove(path)), os.Symlink(target, path))
}

func (t *tree) remove(path string) {
	if err := os.RemoveAll(filepath.Join(t.root, path)); t.err == nil {
		t.err = err
	}
}

// appear enumerates a stick: the kernel makes the device, its interfaces and ttys, then the nodes,
// and udev gives those their names. A stick that only gets its driver back is still the same device.
func (b *Bus) appear(p *plugged, ports []*ptyPort, unbind context.CancelCauseFunc) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	names := b.names(p.Stick)
	t := &tree{root: b.Root}
	if p.number == 0 {
		b.devices++
		p.number = b.devices
		t.device(p.Stick, p.number)
	}
	for i, port := range p.Ports {
		t.tty(p.Stick, port, names[i])
	}
	for i, port := range p.Ports {
		t.absolute("dev/"+names[i], ports[i].path)
		t.link(p.byID(port), "dev/"+names[i])
		t.link(p.byPath(port), "dev/"+names[i])
	}
	if t.err != nil {
		return t.err
	}
	for _, name := range names {
		b.ttys[name] = true
	}
	p.ttys, p.unbind = names, unbind
	b.change()
	return nil
}

// vanish takes the interfaces of a stick away, with all that leads to them.
func (b *Bus) vanish(p *plugged) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &tree{root: b.Root}
	for i, name := range p.ttys {
		t.remove("dev/" + name)
		for _, link := range []string{p.byID(p.Ports[i]), p.byPath(p.Ports[i])} {
			if to, err := os.Readlink(b.path(link)); err == nil && filepath.Base(to) == name {
				t.remove(link)
			}
		}
		t.remove("sys/class/tty/" + name)
		t.remove("sys/bus/usb-serial/devices/" + name)
		t.remove(p.interfaceDirectory(p.Ports[i]))
		delete(b.ttys, name)
	}
	p.ttys, p.unbind = nil, nil
	b.keep(t.err)
	b.change()
}

// removeDevice is the end of an enumeration.
func (b *Bus) removeDevice(p *plugged) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.number == 0 {
		return
	}
	t := &tree{root: b.Root}
	t.remove("sys/bus/usb/devices/" + p.Socket)
	t.remove(p.deviceNode(p.number))
	t.remove(p.directory())
	p.number = 0
	b.keep(t.err)
}

// bus is the number before the dash of a socket.
func (s Stick) bus() string {
	bus, _, _ := strings.Cut(s.Socket, "-")
	return bus
}

// directory is the device in sysfs, without the hubs above it.
func (s Stick) directory() string { return "sys/devices/pci0000:00/usb" + s.bus() + "/" + s.Socket }

func (s Stick) interfaceDirectory(p StickPort) string {
	return fmt.Sprintf("%s/%s:1.%d", s.directory(), s.Socket, p.Interface)
}

func (s Stick) deviceNode(number int) string {
	n, _ := strconv.Atoi(s.bus()) // a socket that begins with no number is on bus 0
	return fmt.Sprintf("dev/bus/usb/%03d/%03d", n, number)
}

func (s Stick) byID(p StickPort) string {
	name := strings.Join(slices.DeleteFunc([]string{s.Manufacturer, s.Product, s.Serial}, func(w string) bool { return w == "" }), "_")
	return fmt.Sprintf("dev/serial/by-id/usb-%s-if%02x%s", strings.ReplaceAll(name, " ", "_"), p.Interface, s.portSuffix())
}

func (s Stick) byPath(p StickPort) string {
	_, port, _ := strings.Cut(s.Socket, "-")
	return fmt.Sprintf("dev/serial/by-path/pci-0000:00:14.0-usb-0:%s:1.%d%s", port, p.Interface, s.portSuffix())
}

// portSuffix is what udev adds to the ports of usb-serial.
func (s Stick) portSuffix() string {
	if s.Driver == driverACM {
		return ""
	}
	return "-port0"
}

// device is the USB device in sysfs, and its node.
func (t *tree) device(s Stick, number int) {
	dir := s.directory()
	for name, value := range map[string]string{
		"idVendor": fmt.Sprintf("%04x", s.VID), "idProduct": fmt.Sprintf("%04x", s.PID), "busnum": s.bus(),
		"devnum": strconv.Itoa(number), "dev": "189:" + strconv.Itoa(number-1), "bDeviceClass": "00", "speed": "480",
		"manufacturer": s.Manufacturer, "product": s.Product, "serial": s.Serial,
	} {
		if value != "" {
			t.file(dir+"/"+name, value)
		}
	}
	t.link(dir+"/driver", "sys/bus/usb/drivers/usb")
	t.link("sys/bus/usb/devices/"+s.Socket, dir)
	t.file(s.deviceNode(number), "")
}

// tty is an interface in sysfs with its tty.
func (t *tree) tty(s Stick, p StickPort, name string) {
	dir := s.interfaceDirectory(p)
	for attribute, value := range map[string]int{
		"bInterfaceNumber": p.Interface, "bInterfaceClass": int(p.Class),
		"bInterfaceSubClass": int(p.SubClass), "bInterfaceProtocol": int(p.Protocol),
	} {
		t.file(dir+"/"+attribute, fmt.Sprintf("%02x", value))
	}
	t.link(dir+"/driver", "sys/bus/usb/drivers/"+s.Driver)
	major, owner, minor := "166", dir, strings.TrimPrefix(name, "ttyACM")
	if s.Driver != driverACM {
		major, owner, minor = "188", dir+"/"+name, strings.TrimPrefix(name, "ttyUSB")
		t.file(owner+"/port_number", "0")
		t.link("sys/bus/usb-serial/devices/"+name, owner)
	}
	t.file(owner+"/tty/"+name+"/dev", major+":"+minor)
	t.link(owner+"/tty/"+name+"/device", owner)
	t.link("sys/class/tty/"+name, owner+"/tty/"+name)
}
