package probe_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"dongled/modem"
	"dongled/modem/probe"
)

func TestHolders(t *testing.T) {
	tr := newTree(t)
	tr.write("dev/real", "")
	tr.link("dev/ttyUSB2", "real") // as a test's pseudo-terminal
	tr.holds(100, "minicom", "ttyUSB2")
	tr.link("proc/100/fd/9", tr.node("ttyUSB2")) // twice by the same
	tr.write("proc/200/comm", "pppd")
	tr.link("proc/200/fd/0", tr.path("dev/real"))
	tr.holds(300, "cat", "ttyUSB20")
	tr.mkdir("proc/400") // says nothing to us
	got, err := tr.bus().Holders(tr.node("ttyUSB2"))
	want := []probe.Holder{{PID: 100, Name: "minicom"}, {PID: 200, Name: "pppd"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("held by %+v, %v; want %+v", got, err, want)
	}
	if _, err := tr.bus().Holders(tr.node("ttyUSB9")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a node that is not there: %v", err)
	}
}

// On the machine itself we are a holder.
func TestHoldersOfOurOwn(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/node")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	holders, err := probe.Bus{}.Holders(file.Name())
	if err != nil || len(holders) != 1 || holders[0].PID != os.Getpid() || holders[0].Name == "" {
		t.Errorf("held by %+v, %v", holders, err)
	}
}

func TestModemManager(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(tree)
		want    bool
	}{
		"not there":                  {func(tr tree) { tr.write("proc/1/comm", "systemd") }, false},
		"by process":                 {func(tr tree) { tr.write("proc/77/comm", "ModemManager") }, true},
		"by service":                 {func(tr tree) { tr.mkdir("sys/fs/cgroup/system.slice/ModemManager.service") }, true},
		"by service, cgroup v1":      {func(tr tree) { tr.mkdir("sys/fs/cgroup/systemd/system.slice/ModemManager.service") }, true},
		"another with a longer name": {func(tr tree) { tr.write("proc/77/comm", "ModemManagerGUI") }, false},
	} {
		tr := newTree(t)
		c.prepare(tr)
		if got := tr.bus().ModemManager(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestModemManagerTakes(t *testing.T) {
	for name, c := range map[string]struct {
		file, property string
		want           bool
	}{
		"told nothing":       {"c189:6", "ID_VENDOR_ID=12d1", true},
		"leave the device":   {"c189:6", "ID_MM_DEVICE_IGNORE=1", false},
		"leave the port":     {"c188:2", "ID_MM_PORT_IGNORE=1", false},
		"leave another port": {"c188:1", "ID_MM_PORT_IGNORE=1", true},
		"take the device":    {"c189:6", "ID_MM_DEVICE_IGNORE=0", true},
	} {
		tr := newTree(t)
		tr.plug(e173)
		tr.write("proc/77/comm", "ModemManager")
		tr.write("run/udev/data/"+c.file, "I:123\nE:"+c.property)
		ports, err := tr.bus().Ports()
		if err != nil {
			t.Fatal(err)
		}
		if got := tr.bus().ModemManagerTakes(ports[2]); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestUnderVoltage(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  bool
	}{
		"no Raspberry Pi":               {nil, false},
		"another sensor":                {map[string]string{"class/hwmon/hwmon0/name": "cpu_thermal", "class/hwmon/hwmon0/in0_lcrit_alarm": "1"}, false},
		"well":                          {map[string]string{"class/hwmon/hwmon1/name": "rpi_volt", "class/hwmon/hwmon1/in0_lcrit_alarm": "0"}, false},
		"alarm":                         {map[string]string{"class/hwmon/hwmon1/name": "rpi_volt", "class/hwmon/hwmon1/in0_lcrit_alarm": "1"}, true},
		"old kernel, now":               {map[string]string{throttled: "1"}, true},
		"old kernel, since start":       {map[string]string{throttled: "50000"}, true},
		"old kernel, throttled by heat": {map[string]string{throttled: "40004"}, false},
		"old kernel, well":              {map[string]string{throttled: "0"}, false},
		"new kernel's word counts": {map[string]string{
			"class/hwmon/hwmon1/name": "rpi_volt", "class/hwmon/hwmon1/in0_lcrit_alarm": "0", throttled: "50005"}, false},
	} {
		tr := newTree(t)
		for file, content := range c.files {
			tr.write("sys/"+file, content)
		}
		if got := tr.bus().UnderVoltage(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

const throttled = "devices/platform/soc/soc:firmware/get_throttled"

func TestHost(t *testing.T) {
	tr := newTree(t)
	tr.plug(e173)
	p := &probe.Prober{Bus: tr.bus()}
	node := tr.node("ttyUSB2")
	if got := p.Host(node); got != (modem.Host{}) {
		t.Errorf("host %+v", got)
	}
	tr.write("sys/class/hwmon/hwmon0/name", "rpi_volt")
	tr.write("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1")
	tr.write("proc/77/comm", "ModemManager")
	if got, want := p.Host(node), (modem.Host{UnderVoltage: true, Holder: "ModemManager"}); got != want {
		t.Errorf("host %+v, want %+v", got, want)
	}
	tr.write("sys/class/hwmon/hwmon0/in0_lcrit_alarm", "0") // it was noticed all the same
	tr.holds(100, "minicom", "ttyUSB2")
	if got, want := p.Host(node), (modem.Host{UnderVoltage: true, Holder: "minicom"}); got != want {
		t.Errorf("host %+v, want %+v", got, want)
	}
}
