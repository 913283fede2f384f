package probe

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Holders are the processes that have node open, this one included, as far as this one may see:
// without privileges only those of its own user, and none but itself under ProtectProc.
func (b Bus) Holders(node string) ([]Holder, error) {
	path, err := filepath.EvalSymlinks(node)
	if err != nil {
		return nil, err
	}
	return b.holders(map[string]string{node: node, path: node})[node], nil
}

// holders looks once at all open files; it goes by the names in nodes, and returns by what they stand for.
func (b Bus) holders(nodes map[string]string) map[string][]Holder {
	fds, _ := filepath.Glob(b.proc("[0-9]*", "fd", "*")) // the pattern is well formed
	held := make(map[string][]Holder)
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil {
			continue
		}
		node, wanted := nodes[target]
		process := filepath.Dir(filepath.Dir(fd))
		pid, err := strconv.Atoi(filepath.Base(process))
		if !wanted || err != nil || slices.ContainsFunc(held[node], func(h Holder) bool { return h.PID == pid }) {
			continue
		}
		held[node] = append(held[node], Holder{PID: pid, Name: attribute(process, "comm")})
	}
	return held
}

// heldBy fills in who holds the ports of a dongle.
func (b Bus) heldBy(d *Dongle) {
	nodes := make(map[string]string)
	for _, port := range d.Ports {
		nodes[port.Node] = port.Node
		if path, err := filepath.EvalSymlinks(port.Node); err == nil {
			nodes[path] = port.Node
		}
	}
	held := b.holders(nodes)
	for i := range d.Ports {
		d.Ports[i].Holders = held[d.Ports[i].Node]
	}
}

// foreign is the first holder of node that is another process than this.
func (b Bus) foreign(node string) (Holder, bool) {
	holders, _ := b.Holders(node) // a node that is gone is held by nobody
	i := slices.IndexFunc(holders, func(h Holder) bool { return h.PID != os.Getpid() })
	if i < 0 {
		return Holder{}, false
	}
	return holders[i], true
}

const modemManager = "ModemManager"

// ModemManager says that ModemManager runs: by the control group of its service, which a daemon
// that may not see other users' processes still sees, or by its name.
func (b Bus) ModemManager() bool {
	const service = "system.slice/" + modemManager + ".service"
	for _, hierarchy := range []string{"", "unified", "systemd"} {
		if has(b.sys("fs", "cgroup", hierarchy), service) {
			return true
		}
	}
	names, _ := filepath.Glob(b.proc("[0-9]*", "comm")) // the pattern is well formed
	return slices.ContainsFunc(names, func(path string) bool {
		return attribute(filepath.Dir(path), "comm") == modemManager
	})
}

// ModemManagerTakes says that ModemManager runs and was not told to leave p alone, so that it opens
// p whenever it appears. udev keeps what it was told (ID_MM_DEVICE_IGNORE, ID_MM_PORT_IGNORE).
func (b Bus) ModemManagerTakes(p Port) bool {
	return b.ModemManager() &&
		!b.udevSays(b.sys("bus", "usb", "devices", p.Device), "ID_MM_DEVICE_IGNORE=1") &&
		!b.udevSays(b.sys("class", "tty", filepath.Base(p.Node)), "ID_MM_PORT_IGNORE=1")
}

// udevSays looks a property of the device at dir in sysfs up in udev's data base, where its device
// number names the file.
func (b Bus) udevSays(dir, property string) bool {
	device := attribute(dir, "dev")
	if device == "" {
		return false
	}
	data, err := os.ReadFile(b.run("udev", "data", "c"+device))
	return err == nil && slices.Contains(strings.Split(string(data), "\n"), "E:"+property)
}
