package probe_test

import (
	"testing"

	"dongled/modem/probe"
)

func TestParseSpec(t *testing.T) {
	for in, want := range map[string]string{
		"imei:490154203237518":  "imei:490154203237518",
		"imei:49015420323751":   "imei:49015420323751",
		"imsi:262010123456789":  "imsi:262010123456789",
		"usb:12d1:1001":         "usb:12d1:1001",
		"usb:12D1:1001#2":       "usb:12d1:1001#2",
		"usb:c1d:1#0":           "usb:0c1d:0001#0",
		"/dev/ttyUSB2":          "/dev/ttyUSB2",
		"/dev/../dev//ttyUSB2/": "/dev/ttyUSB2",
	} {
		spec, err := probe.ParseSpec(in)
		if err != nil || spec.String() != want {
			t.Errorf("ParseSpec(%q) = %q, %v; want %q", in, spec, err, want)
		}
	}
	for _, bad := range []string{
		"", "ttyUSB2", "imei:", "imei:4901542032375", "imei:49015420323751801", "imei:49015420323751x",
		"imsi:12345", "imsi:2620101234567890", "usb:", "usb:12d1", "usb:12d1:", "usb:12d1:1001#", "usb:12d1:1001#256",
		"usb:12d1f:1001", "usb:12d1:1001#-1", "IMEI:490154203237518", "virtual:a",
	} {
		if spec, err := probe.ParseSpec(bad); err == nil {
			t.Errorf("ParseSpec(%q) = %q", bad, spec)
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, seed := range []string{"imei:490154203237518", "imsi:262010123456789", "usb:12d1:1001#2", "/dev/ttyUSB2", "usb::#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		spec, err := probe.ParseSpec(s)
		if err != nil {
			return
		}
		again, err := probe.ParseSpec(spec.String())
		if err != nil || again != spec {
			t.Errorf("%q became %q, then %q, %v", s, spec, again, err)
		}
	})
}
