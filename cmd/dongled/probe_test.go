package main

import (
	"context"
	"encoding/json"
	"testing"

	"dongled/configs"
	"dongled/modem"
	"dongled/modem/probe"
)

// huawei is a stick as the probe sees it, with its AT port at interface 2.
func huawei(imei string) probe.Dongle {
	port := func(iface int, node string) probe.ProbedPort {
		return probe.ProbedPort{Port: probe.Port{Node: node, Device: "1-1.4", VID: 0x12d1, PID: 0x1001, Interface: iface}}
	}
	d := probe.Dongle{
		Device: "1-1.4", VID: 0x12d1, PID: 0x1001, Manufacturer: "HUAWEI", Product: "Mobile",
		Ports:  []probe.ProbedPort{port(0, "/dev/ttyUSB0"), port(1, "/dev/ttyUSB1"), port(2, "/dev/ttyUSB2")},
		Answer: probe.Answer{AT: true, Manufacturer: "huawei", Model: "E173", IMEI: imei, IMSI: imsiA},
	}
	d.Ports[0].Asked, d.Ports[0].Answer = true, probe.Answer{Problem: modem.ProblemNoAnswer}
	d.Ports[1].Skip = probe.SkipDiag
	d.Ports[2].Asked, d.Ports[2].Answer = true, d.Answer
	d.Ports[2].ByPath = "/dev/serial/by-path/p:1.2"
	d.AT = &d.Ports[2].Port
	return d
}

func TestProbeTable(t *testing.T) {
	held := huawei("")
	held.Device, held.Manufacturer, held.Product = "1-1.5", "\x1b\n", ""
	held.AT, held.Answer, held.Busy = nil, probe.Answer{}, true
	held.Ports[0].Holders = []probe.Holder{{PID: 612, Name: "ModemManager"}}
	held.Ports[2].Asked, held.Ports[2].ByPath = false, ""
	want := `1-1.4  USB 12d1:1001  HUAWEI Mobile
  interface 0  /dev/ttyUSB0  no-answer
  interface 1  /dev/ttyUSB1  not asked: diagnostic-port
  interface 2  /dev/ttyUSB2  AT port: huawei E173, IMEI 490154203237511, IMSI 262010000000007
               /dev/serial/by-path/p:1.2

1-1.5  USB 12d1:1001  (no name)
  interface 0  /dev/ttyUSB0  held by ModemManager (process 612), not asked
  interface 1  /dev/ttyUSB1  not asked: diagnostic-port
  interface 2  /dev/ttyUSB2  not asked

`
	if got := table([]seen{{Dongle: huawei(imeiX)}, {Dongle: held}}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestProbeEntries: what is offered loads as a configuration, keeps the numbers that are in use, and
// gives the others free ones.
func TestProbeEntries(t *testing.T) {
	found := []seen{{Dongle: huawei(imeiX)}, {Dongle: huawei(imeiY), SIM: 1}, {Dongle: huawei(imeiZ), SIM: 3}, {Dongle: huawei("")}}
	want := `modems:
  - sim: 2
    port: imei:490154203237511 # huawei E173
  - sim: 1
    port: imei:490154203237522 # huawei E173
  - sim: 3
    port: imei:490154203237533 # huawei E173
  - sim: 4
    port: /dev/serial/by-path/p:1.2 # huawei E173
`
	got := entries(found)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	e, err := configs.Load(configs.Sources{YAML: []byte(got)})
	if err != nil || len(e.Config.Modems) != 4 {
		t.Errorf("%+v, %v", e.Config.Modems, err)
	}
	for _, m := range e.Config.Modems {
		if spec, err := probe.ParseSpec(m.Port); err != nil || spec.String() != m.Port {
			t.Errorf("%s is read as %s, %v", m.Port, spec, err)
		}
	}
	deaf := huawei(imeiX)
	deaf.AT = nil
	if got := entries([]seen{{Dongle: deaf}}); got != "" {
		t.Errorf("a dongle without an AT port is offered: %s", got)
	}
}

// oneDongle is a bus for look.
type oneDongle struct{ probe.Dongle }

func (b oneDongle) Probe(context.Context) ([]probe.Dongle, error) {
	return []probe.Dongle{b.Dongle}, nil
}

// TestProbeWithDaemon: of a dongle that the daemon holds its worker tells who it is, and the JSON
// that the daemon answers with says the same at the other end.
func TestProbeWithDaemon(t *testing.T) {
	d := huawei("")
	d.AT, d.Answer, d.Busy = nil, probe.Answer{}, true
	d.Ports[2].Asked, d.Ports[2].Answer = false, probe.Answer{}
	bus := oneDongle{d}
	store := serveControl(t, map[string]func(context.Context) (any, error){
		"/probe": func(ctx context.Context) (any, error) {
			return look(ctx, bus, []modem.Status{
				{SIM: 1, Port: "virtual:x"},
				{SIM: 5, Port: "imei:" + imeiX, Tty: "/dev/ttyUSB2", Manufacturer: "huawei", Model: "E173", IMEI: imeiX, IMSI: imsiA},
			})
		},
	})
	var got []seen
	if running, err := askDaemon(t.Context(), store, "/probe", &got); !running || err != nil {
		t.Fatal(running, err)
	}
	if len(got) != 1 || got[0].SIM != 5 || got[0].AT == nil || got[0].AT.Node != "/dev/ttyUSB2" || got[0].VID != 0x12d1 {
		out, _ := json.Marshal(got)
		t.Fatalf("got %s", out)
	}
	const want = "AT port, in use as SIM 5: huawei E173, IMEI 490154203237511, IMSI 262010000000007"
	if is := got[0].verdict(got[0].Ports[2]); is != want {
		t.Errorf("got  %s\nwant %s", is, want)
	}
}

// TestPortsAgree: what the configuration takes for a port, probe can look for, under the same name.
func TestPortsAgree(t *testing.T) {
	for port, want := range map[string]bool{
		"imei:49015420323751": true, "imei:4901542032375180": true, "imei:4901542032375": false,
		"imsi:262011": true, "imsi:262011234567890": true, "imsi:2620112345678901": false,
		"usb:12d1:1001": true, "usb:12d1:1001#0": true, "usb:12d1:1001#x": false, "usb:12d1": false,
		"/dev/ttyUSB0": true, "ttyUSB0": false,
	} {
		_, err := configs.Load(configs.Sources{Flags: map[string]string{"modems.0.sim": "1", "modems.0.port": port}})
		spec, refused := probe.ParseSpec(port)
		if (err == nil) != want || (refused == nil) != want || want && spec.String() != port {
			t.Errorf("%s: the configuration says %v, probe says %v and %s", port, err, refused, spec)
		}
	}
}
