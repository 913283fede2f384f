package probe

import (
	"cmp"
	"slices"
)

// A layout is what the interfaces of a product are for.
type layout map[int]Role

// qualcommLayout is that of most modules with a chip of Qualcomm, as their makers document it.
var qualcommLayout = layout{0: RoleDiag, 1: RoleGPS, 2: RoleAT, 3: RoleModem, 4: RoleAudio}

type product struct{ vid, pid ID }

// layouts are those of products whose interface numbers are documented. A diagnostic port in it is
// never opened, so nothing that is only guessed belongs here.
var layouts = map[product]layout{
	{0x2c7c, 0x0121}: qualcommLayout, // Quectel EC21
	{0x2c7c, 0x0125}: qualcommLayout, // Quectel EC25, EG25
	{0x2c7c, 0x0191}: qualcommLayout, // Quectel EG91
	{0x2c7c, 0x0195}: qualcommLayout, // Quectel EG95
	{0x2c7c, 0x0296}: qualcommLayout, // Quectel BG96
	{0x2c7c, 0x0306}: qualcommLayout, // Quectel EP06, EG06
	{0x2c7c, 0x0800}: qualcommLayout, // Quectel RM500
	{0x05c6, 0x9215}: qualcommLayout, // Quectel EC20
	{0x1e0e, 0x9001}: qualcommLayout, // SIMCom SIM7000, SIM7100, SIM7600
	{0x1e0e, 0x9205}: qualcommLayout, // SIMCom SIM7070, SIM7080, SIM7090
}

const vidHuawei = 0x12d1

// huaweiRole reads the protocol by which Huawei's firmware marks its interfaces of class ff; the
// number of the interface differs by model. Some models count from 0x10, 0x30 or 0x60.
func huaweiRole(p Port) Role {
	if p.Class != 0xff {
		return RoleUnknown
	}
	switch p.Protocol & 0x0f {
	case 0x01:
		return RoleModem
	case 0x02: // PCUI
		return RoleAT
	case 0x03:
		return RoleDiag
	case 0x04, 0x05:
		return RoleGPS
	}
	return RoleUnknown
}

// Interfaces of the communication device class which say that they take AT commands (USB CDC PSTN
// subclass 1.2, table 13).
const (
	classCommunications = 0x02
	subClassACM         = 0x02
)

// loaders wait for firmware. What is written to them may be the last they ever take.
var loaders = map[product]bool{
	{0x05c6, 0x9008}: true, // Qualcomm emergency download
	{0x05c6, 0x900e}: true, // Qualcomm memory dump after a crash
	{0x1199, 0x9070}: true, // Sierra Wireless boot loader
	{0x1bc7, 0x9010}: true, // Telit flashing
	{0x12d1, 0x1c0b}: true, // Huawei boot loader
}

// adapterDrivers are those of serial adapters: an SMS module may be behind one, as may a printer.
var adapterDrivers = []string{"ftdi_sio", "cp210x", "ch341", "ch343", "pl2303", "ark3116", "mct_u232", "mos7720", "mos7840"}

// adapterVendors make serial adapters that present themselves as modems (cdc_acm).
var adapterVendors = []ID{
	0x0403, // FTDI
	0x067b, // Prolific
	0x1a86, // QinHeng
	0x04d8, // Microchip
}

// noModemVendors make boards and sticks that present themselves as modems (cdc_acm) and are none.
var noModemVendors = []ID{
	0x2341, 0x2a03, // Arduino
	0x1b4f, 0x239a, // SparkFun, Adafruit
	0x16c0, 0x1209, // boards with shared vendor numbers
	0x0483, 0x1fc9, 0x1366, // STMicroelectronics, NXP, SEGGER: evaluation boards, debug probes
	0x2e8a, 0x303a, // Raspberry Pi Pico, Espressif
	0x0658, 0x1cf1, // Z-Wave and Zigbee sticks: Sigma Designs, dresden elektronik
	0x051d, 0x0764, // uninterruptible power supplies: APC, CyberPower
}

// u-blox makes receivers (ttyACM, 01a0 to 01af) as well as modems.
func isReceiver(p Port) bool { return p.VID == 0x1546 && p.PID&0xfff0 == 0x01a0 }

// classify says what p is for, and why it is not to be asked. What is only guessed tells no more
// than the order in which to ask.
func classify(p Port) (Role, Skip) {
	if loaders[product{p.VID, p.PID}] {
		return RoleUnknown, SkipDownload
	}
	if role, known := layouts[product{p.VID, p.PID}][p.Interface]; known {
		if role == RoleDiag {
			return role, SkipDiag
		}
		return role, ""
	}
	switch {
	case slices.Contains(noModemVendors, p.VID), isReceiver(p):
		return RoleUnknown, SkipNoModem
	case slices.Contains(adapterDrivers, p.Driver), slices.Contains(adapterVendors, p.VID):
		return RoleUnknown, SkipAdapter
	case p.VID == vidHuawei:
		return huaweiRole(p), ""
	case p.Class == classCommunications && p.SubClass == subClassACM && 1 <= p.Protocol && p.Protocol <= 6:
		return RoleAT, ""
	}
	return RoleUnknown, ""
}

// likelihood says when in turn a port of a dongle is asked. Interface 0 of an unknown one comes
// after the others, as it is the diagnostic port of most.
func likelihood(p Port) int {
	switch p.Role {
	case RoleAT:
		return 0
	case RoleUnknown:
		if p.Interface == 0 {
			return 2
		}
		return 1
	case RoleModem:
		return 3
	}
	return 4
}

// inTurn are the indices of ports in the order in which they are asked.
func inTurn(ports []ProbedPort) []int {
	turn := make([]int, len(ports))
	for i := range turn {
		turn[i] = i
	}
	slices.SortStableFunc(turn, func(i, j int) int {
		return cmp.Compare(likelihood(ports[i].Port), likelihood(ports[j].Port))
	})
	return turn
}

// commands says that p may be where messages go: if somebody has it, the dongle is taken.
func (p Port) commands() bool {
	return (p.Skip == "" || p.Skip == SkipAdapter) && (p.Role == RoleAT || p.Role == RoleUnknown)
}
