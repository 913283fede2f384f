package virtual

import "strings"

// Stick is the dongle in a socket, with the numbers and ports of its family; a module on a serial
// line comes behind an adapter. A dongle of no family has one silent port and one for AT.
func (d *Dongle) Stick(socket string) Stick {
	family, _, _ := strings.Cut(d.opts.Name, ".")
	s, known := layouts[family]
	if !known {
		s = layouts["generic"]
	}
	s.Dongle, s.Socket = d, socket
	return s
}

// layouts are the USB devices of the families, as their makers and option.c, cdc-acm.c and pl2303.c
// of Linux have them. The protocol is how Huawei marks its interfaces: 1 modem, 2 PCUI, 3 diagnosis.
var layouts = map[string]Stick{
	"generic": {
		VID: 0xfff0, PID: 0x0001, Manufacturer: "dongled", Product: "Virtual dongle",
		Ports: ports(0xff, 0xff, 0xff, PortSilent, PortAT),
	},
	"huawei-e173": {VID: 0x12d1, PID: 0x1001, Manufacturer: "HUAWEI Technology", Product: "HUAWEI Mobile", Ports: []StickPort{
		{0, 0xff, 1, 1, PortModem}, {1, 0xff, 1, 3, PortSilent}, {2, 0xff, 1, 2, PortAT},
	}},
	"huawei-e1752": {VID: 0x12d1, PID: 0x140c, Manufacturer: "HUAWEI Technology", Product: "HUAWEI Mobile", Ports: []StickPort{
		{0, 0xff, 1, 1, PortModem}, {2, 0xff, 1, 3, PortSilent}, {3, 0xff, 1, 2, PortAT},
	}},
	"huawei-e3372": {VID: 0x12d1, PID: 0x1506, Manufacturer: "HUAWEI_MOBILE", Product: "HUAWEI_MOBILE", Ports: []StickPort{
		{0, 0xff, 2, 1, PortModem}, {1, 0xff, 2, 3, PortSilent}, {2, 0xff, 2, 2, PortAT},
	}},
	"zte-mf190": {
		VID: 0x19d2, PID: 0x0117, Manufacturer: "ZTE,Incorporated", Product: "ZTE WCDMA Technologies MSM", Serial: "MF1900ZTED010000",
		Ports: ports(0xff, 0xff, 0xff, PortSilent, PortAT, PortModem),
	},
	"quectel-ec25": {VID: 0x2c7c, PID: 0x0125, Manufacturer: "Quectel", Product: "EC25-E", Ports: qualcommPorts()},
	"sim7600": {
		VID: 0x1e0e, PID: 0x9001, Manufacturer: "SimTech, Incorporated", Product: "SimTech, Incorporated", Serial: "0123456789ABCDEF",
		Ports: append(qualcommPorts(), StickPort{4, 0xff, 0, 0, PortSilent}),
	},
	"novatel": {
		VID: 0x1410, PID: 0x4400, Manufacturer: "Novatel Wireless", Product: "Novatel Wireless HSPA Modem",
		Ports: ports(0xff, 0xff, 0xff, PortAT, PortSilent),
	},
	"ublox": {VID: 0x1546, PID: 0x1102, Manufacturer: "u-blox", Product: "u-blox Modem", Driver: driverACM, Ports: []StickPort{
		{0, 2, 2, 1, PortAT}, {2, 2, 2, 1, PortModem},
	}},
	"sim800":  adapter,
	"wavecom": adapter,
	"tc35":    adapter,
}

// adapter is a serial cable.
var adapter = Stick{
	VID: 0x067b, PID: 0x2303, Manufacturer: "Prolific Technology Inc.", Product: "USB-Serial Controller", Driver: "pl2303",
	Ports: ports(0xff, 0, 0, PortAT),
}

// ports are those of interfaces from 0 on that their maker does not tell apart.
func ports(class, subClass, protocol uint8, kinds ...PortKind) []StickPort {
	var ports []StickPort
	for i, kind := range kinds {
		ports = append(ports, StickPort{i, class, subClass, protocol, kind})
	}
	return ports
}

// qualcommPorts are those of modules with a chip of Qualcomm.
func qualcommPorts() []StickPort { return ports(0xff, 0, 0, PortSilent, PortNMEA, PortAT, PortModem) }
