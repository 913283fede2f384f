package probe

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// A Spec names a dongle. The zero value names none. Specs can be compared.
type Spec struct {
	imei, imsi, path string
	usb              bool
	vid, pid         ID
	iface            int // bInterfaceNumber, or -1 for the one that answers
}

// ParseSpec reads one of
//
//	imei:490154203237518    the dongle, 14 to 16 digits (TS 23.003 section 6.2)
//	imsi:262010123456789    the SIM, 6 to 15 digits (TS 23.003 section 2.2)
//	usb:12d1:1001           the first free dongle of that make, vendor and product in hex
//	usb:12d1:1001#2         the same, and its interface number (decimal)
//	/dev/serial/by-path/…   an absolute path
//
// The error says what is wrong with s.
func ParseSpec(s string) (Spec, error) {
	kind, rest, _ := strings.Cut(s, ":")
	switch {
	case filepath.IsAbs(s):
		return Spec{path: filepath.Clean(s)}, nil
	case kind == "imei":
		return Spec{imei: rest}, wantDigits(s, rest, 14, 16)
	case kind == "imsi":
		return Spec{imsi: rest}, wantDigits(s, rest, 6, 15)
	case kind == "usb":
		return parseUSB(rest)
	}
	return Spec{}, fmt.Errorf("%q: want imei:DIGITS, imsi:DIGITS, usb:VID:PID or an absolute path", s)
}

func wantDigits(s, digits string, least, most int) error {
	if isDigits(digits, least, most) {
		return nil
	}
	return fmt.Errorf("%q: want %d to %d digits", s, least, most)
}

func isDigits(s string, least, most int) bool {
	return least <= len(s) && len(s) <= most && strings.Trim(s, "0123456789") == ""
}

func parseUSB(s string) (Spec, error) {
	spec := Spec{usb: true, iface: -1}
	ids, iface, numbered := strings.Cut(s, "#")
	vid, pid, _ := strings.Cut(ids, ":")
	err := errors.Join(spec.vid.UnmarshalText([]byte(vid)), spec.pid.UnmarshalText([]byte(pid)))
	if numbered && err == nil {
		var n uint64
		n, err = strconv.ParseUint(iface, 10, 8)
		spec.iface = int(n)
	}
	if err != nil {
		return Spec{}, fmt.Errorf("%q: want usb:VID:PID in hex, such as usb:12d1:1001 or usb:12d1:1001#2", "usb:"+s)
	}
	return spec, nil
}

// String is what ParseSpec reads.
func (s Spec) String() string {
	switch {
	case s.imei != "":
		return "imei:" + s.imei
	case s.imsi != "":
		return "imsi:" + s.imsi
	case s.usb && s.iface >= 0:
		return fmt.Sprintf("usb:%s:%s#%d", s.vid.text(), s.pid.text(), s.iface)
	case s.usb:
		return fmt.Sprintf("usb:%s:%s", s.vid.text(), s.pid.text())
	}
	return s.path
}

// Path is the path of a Spec that is one; empty otherwise.
func (s Spec) Path() string { return s.path }

// is says whether an answer is that of the dongle named by IMEI or IMSI.
func (s Spec) is(a Answer) bool {
	switch {
	case s.imei != "":
		return sameIMEI(s.imei, a.IMEI)
	case s.imsi != "":
		return s.imsi == a.IMSI
	}
	return false
}

// sameIMEI compares TAC and serial number, 14 digits. What follows is a check digit, which some
// dongles give as 0, or the two digits of the software version (TS 23.003 section 6.2).
func sameIMEI(a, b string) bool {
	const significant = 14
	return len(a) >= significant && len(b) >= significant && a[:significant] == b[:significant]
}
