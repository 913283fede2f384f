package pdu_test

import (
	"testing"

	"dongled/pdu"
)

// TS 23.040 9.2.3.15, every value, with the reading that Status.Class documents for the reserved.
var statusRanges = []struct {
	from, to uint8
	class    pdu.Class
	text     string // of from
}{
	{0x00, 0x00, pdu.StatusDelivered, "short message received by the SME"},
	{0x01, 0x01, pdu.StatusDelivered, "short message forwarded by the SC to the SME but the SC is unable to confirm delivery"},
	{0x02, 0x02, pdu.StatusFailed, "short message replaced by the SC"},
	{0x03, 0x0F, pdu.StatusGaveUp, "reserved value 0x03: gave up"},
	{0x10, 0x1F, pdu.StatusDelivered, "value 0x10 specific to the SC: delivered"},
	{0x20, 0x20, pdu.StatusTrying, "congestion, still trying"},
	{0x21, 0x21, pdu.StatusTrying, "SME busy, still trying"},
	{0x22, 0x22, pdu.StatusTrying, "no response from SME, still trying"},
	{0x23, 0x23, pdu.StatusTrying, "service rejected, still trying"},
	{0x24, 0x24, pdu.StatusTrying, "quality of service not available, still trying"},
	{0x25, 0x25, pdu.StatusTrying, "error in SME, still trying"},
	{0x26, 0x2F, pdu.StatusTrying, "reserved value 0x26: still trying"},
	{0x30, 0x3F, pdu.StatusTrying, "value 0x30 specific to the SC: still trying"},
	{0x40, 0x40, pdu.StatusFailed, "remote procedure error"},
	{0x41, 0x41, pdu.StatusFailed, "incompatible destination"},
	{0x42, 0x42, pdu.StatusFailed, "connection rejected by SME"},
	{0x43, 0x43, pdu.StatusFailed, "not obtainable"},
	{0x44, 0x44, pdu.StatusFailed, "quality of service not available"},
	{0x45, 0x45, pdu.StatusFailed, "no interworking available"},
	{0x46, 0x46, pdu.StatusFailed, "SM validity period expired"},
	{0x47, 0x47, pdu.StatusFailed, "SM deleted by originating SME"},
	{0x48, 0x48, pdu.StatusFailed, "SM deleted by SC administration"},
	{0x49, 0x49, pdu.StatusFailed, "SM does not exist"},
	{0x4A, 0x4F, pdu.StatusFailed, "reserved value 0x4A: failed"},
	{0x50, 0x5F, pdu.StatusFailed, "value 0x50 specific to the SC: failed"},
	{0x60, 0x60, pdu.StatusGaveUp, "congestion, no more attempts"},
	{0x61, 0x61, pdu.StatusGaveUp, "SME busy, no more attempts"},
	{0x62, 0x62, pdu.StatusGaveUp, "no response from SME, no more attempts"},
	{0x63, 0x63, pdu.StatusGaveUp, "service rejected, no more attempts"},
	{0x64, 0x64, pdu.StatusGaveUp, "quality of service not available, no more attempts"},
	{0x65, 0x65, pdu.StatusGaveUp, "error in SME, no more attempts"},
	{0x66, 0x6F, pdu.StatusGaveUp, "reserved value 0x66: gave up"},
	{0x70, 0x7F, pdu.StatusGaveUp, "value 0x70 specific to the SC: gave up"},
	{0x80, 0xFF, pdu.StatusGaveUp, "reserved value 0x80: gave up"},
}

func TestStatus(t *testing.T) {
	next := 0
	for _, r := range statusRanges {
		if int(r.from) != next {
			t.Fatalf("the table has a hole before 0x%02X", r.from)
		}
		next = int(r.to) + 1
		if got := pdu.Status(r.from).String(); got != r.text {
			t.Errorf("0x%02X: %q, want %q", r.from, got, r.text)
		}
		for v := int(r.from); v <= int(r.to); v++ {
			s := pdu.Status(v)
			if s.Class() != r.class {
				t.Errorf("0x%02X: class %v, want %v", v, s.Class(), r.class)
			}
			if final := r.class != pdu.StatusTrying; s.Final() != final {
				t.Errorf("0x%02X: final %v, want %v", v, s.Final(), final)
			}
		}
	}
	if next != 0x100 {
		t.Fatalf("the table ends before 0x%02X", next)
	}
}

func TestClassString(t *testing.T) {
	for c, want := range map[pdu.Class]string{
		pdu.StatusDelivered: "delivered",
		pdu.StatusTrying:    "still trying",
		pdu.StatusFailed:    "failed",
		pdu.StatusGaveUp:    "gave up",
		0:                   "Class(0)",
	} {
		if got := c.String(); got != want {
			t.Errorf("%d: %q, want %q", c, got, want)
		}
	}
}
