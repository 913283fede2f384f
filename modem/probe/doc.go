// Package probe finds dongles: which ttys of which USB devices there are, which of them speaks AT,
// and whose they are. It knows a dongle by its IMEI or its SIM's IMSI, since the number of a ttyUSB
// changes with every enumeration and /dev/serial/by-id is the same for two sticks without a serial
// number.
//
//	sysfs ── Bus.Ports ── Prober ── Ask ── Answer
//	                        ├─ Probe:   every dongle there is
//	                        ├─ Opener:  the one that a Spec names, for a modem.Worker
//	                        └─ Recovery: reset, rebind, the user's command
//	kernel ── Watch ── changed
//
// It is polite. A port that another program holds is left alone. A port is asked AT, and nothing
// else before that is answered; nothing vendor specific is ever sent, nothing persistent is written,
// no PIN is entered. A port known to lead to a firmware loader or to a diagnostic monitor is not
// even opened.
package probe
