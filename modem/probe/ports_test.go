package probe_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"testing"

	"dongled/modem/probe"
)

// The sticks of these tests, as their makers lay them out.
var (
	e173 = stick{
		device: "1-1.4", address: 7, vid: "12d1", pid: "1001", product: "HUAWEI Mobile",
		ports: []string{"0 ff/01/01 ttyUSB0", "1 ff/01/03 ttyUSB1", "2 ff/01/02 ttyUSB2"},
	}
	ec25 = stick{
		device: "1-1.10", address: 8, vid: "2c7c", pid: "0125", product: "EC25",
		ports: []string{"0 ff/ff/ff ttyUSB3", "1 ff/00/00 ttyUSB4", "2 ff/00/00 ttyUSB5", "3 ff/00/00 ttyUSB10"},
	}
	sara = stick{
		device: "1-2", address: 9, vid: "1546", pid: "1102", driver: "cdc_acm",
		ports: []string{"0 02/02/01 ttyACM0", "2 02/02/01 ttyACM1"},
	}
	mf190 = stick{
		device: "1-1.2", address: 10, vid: "19d2", pid: "0117",
		ports: []string{"0 ff/ff/ff ttyUSB20", "1 ff/ff/ff ttyUSB21", "2 ff/ff/ff ttyUSB22"},
	}
	download = stick{device: "1-3", address: 11, vid: "05c6", pid: "9008", driver: "qcserial", ports: []string{"0 ff/ff/ff ttyUSB30"}}
	adapter  = stick{device: "1-4", address: 12, vid: "1a86", pid: "7523", driver: "ch341", ports: []string{"0 ff/01/02 ttyUSB40"}}
	arduino  = stick{device: "1-5", address: 13, vid: "2341", pid: "0043", driver: "cdc_acm", ports: []string{"0 02/02/01 ttyACM5"}}
)

func TestPorts(t *testing.T) {
	tr := newTree(t)
	for _, s := range []stick{ec25, sara, e173} {
		tr.plug(s)
	}
	tr.link("dev/serial/by-id/usb-HUAWEI_Mobile-if02-port0", "../../ttyUSB2")
	tr.link("sys/class/tty/ttyUSB99", "../../devices/pci0000:00/usb1/gone") // leaves while we look
	ports, err := tr.bus().Ports()
	if err != nil {
		t.Fatal(err)
	}
	var nodes []string
	for _, p := range ports {
		nodes = append(nodes, filepath.Base(p.Node))
	}
	want := []string{"ttyUSB0", "ttyUSB1", "ttyUSB2", "ttyUSB3", "ttyUSB4", "ttyUSB5", "ttyUSB10", "ttyACM0", "ttyACM1"}
	if !slices.Equal(nodes, want) {
		t.Fatalf("ports %q, want %q", nodes, want)
	}
	pcui := probe.Port{
		Node: tr.node("ttyUSB2"), ByID: tr.path("dev/serial/by-id/usb-HUAWEI_Mobile-if02-port0"),
		ByPath: tr.path("dev/serial/by-path/pci-usb-1-1.4-if02"), Device: "1-1.4", Bus: 1, Address: 7,
		VID: 0x12d1, PID: 0x1001, Interface: 2, Class: 0xff, SubClass: 1, Protocol: 2,
		Driver: "option", Product: "HUAWEI Mobile", Role: probe.RoleAT,
	}
	if ports[2] != pcui {
		t.Errorf("PCUI port\n%+v, want\n%+v", ports[2], pcui)
	}
	if acm := ports[8]; acm.Device != "1-2" || acm.Interface != 2 || acm.Driver != "cdc_acm" || acm.Class != 2 {
		t.Errorf("CDC-ACM port %+v", acm)
	}
}

func TestPortRoles(t *testing.T) {
	tr := newTree(t)
	for _, s := range []stick{e173, ec25, sara, mf190, download, adapter, arduino} {
		tr.plug(s)
	}
	tr.plug(stick{device: "1-6", address: 14, vid: "1546", pid: "01a8", driver: "cdc_acm", ports: []string{"0 02/02/01 ttyACM6"}})
	tr.plug(stick{device: "1-7", address: 15, vid: "12d1", pid: "1506", ports: []string{
		"0 ff/02/10 ttyUSB50", "1 ff/02/12 ttyUSB51", "2 ff/02/14 ttyUSB52", "3 ff/02/7b ttyUSB53"}})
	type kind struct {
		probe.Role
		probe.Skip
	}
	want := map[string]kind{
		"ttyUSB0": {Role: probe.RoleModem}, "ttyUSB1": {Role: probe.RoleDiag}, "ttyUSB2": {Role: probe.RoleAT},
		"ttyUSB3": {probe.RoleDiag, probe.SkipDiag}, "ttyUSB4": {Role: probe.RoleGPS},
		"ttyUSB5": {Role: probe.RoleAT}, "ttyUSB10": {Role: probe.RoleModem},
		"ttyACM0": {Role: probe.RoleAT}, "ttyACM1": {Role: probe.RoleAT},
		"ttyUSB20": {}, "ttyUSB21": {}, "ttyUSB22": {},
		"ttyUSB30": {Skip: probe.SkipDownload}, "ttyUSB40": {Skip: probe.SkipAdapter},
		"ttyACM5": {Skip: probe.SkipNoModem}, "ttyACM6": {Skip: probe.SkipNoModem},
		"ttyUSB50": {}, "ttyUSB51": {Role: probe.RoleAT}, "ttyUSB52": {Role: probe.RoleGPS}, "ttyUSB53": {},
	}
	ports, err := tr.bus().Ports()
	if err != nil {
		t.Fatal(err)
	}
	if len(ports) != len(want) {
		t.Errorf("%d ports, want %d", len(ports), len(want))
	}
	for _, p := range ports {
		if got := (kind{p.Role, p.Skip}); got != want[filepath.Base(p.Node)] {
			t.Errorf("%s is %+v, want %+v", p.Node, got, want[filepath.Base(p.Node)])
		}
	}
}

func TestPortsWithoutSysfs(t *testing.T) {
	if _, err := (probe.Bus{Sys: t.TempDir()}).Ports(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// Strings of a device may hold anything.
func TestPortStrings(t *testing.T) {
	tr := newTree(t)
	s := e173
	s.product = "evil\x1b]0;x\x07\xff"
	tr.plug(s)
	ports, err := tr.bus().Ports()
	if err != nil || ports[0].Product != "evil]0;x" {
		t.Errorf("product %q, %v", ports[0].Product, err)
	}
}

func TestIDText(t *testing.T) {
	b, err := json.Marshal(probe.ID(0xc1d))
	if err != nil || string(b) != `"0c1d"` {
		t.Errorf("marshalled %s, %v", b, err)
	}
	var id probe.ID
	if err := json.Unmarshal([]byte(`"12d1"`), &id); err != nil || id != 0x12d1 {
		t.Errorf("unmarshalled %x, %v", uint16(id), err)
	}
	for _, bad := range []string{`"12d1f"`, `"xyz"`, `""`, `"-1"`} {
		if err := json.Unmarshal([]byte(bad), &id); err == nil {
			t.Errorf("%s was taken for %x", bad, uint16(id))
		}
	}
}
