package pdu

import "fmt"

// Status is TP-ST of an SMS-STATUS-REPORT, kept as received (3GPP TS 23.040 9.2.3.15).
type Status uint8

// Class is what a Status means for the message.
type Class uint8

const (
	// StatusDelivered: the transaction is completed. 0x01 and the Service Centre's own 0x10-0x1F
	// are counted here although the Service Centre could not, or does not say that it could,
	// confirm the delivery.
	StatusDelivered Class = iota + 1
	// StatusTrying: a temporary error; the Service Centre still tries, and another report follows.
	StatusTrying
	// StatusFailed: a permanent error, the message was not and will not be delivered. Also 0x02,
	// which TS 23.040 lists as completed: a message that another one replaced reached nobody.
	StatusFailed
	// StatusGaveUp: a temporary error, and the Service Centre makes no more attempts.
	StatusGaveUp
)

// String returns "delivered", "still trying", "failed" or "gave up".
func (c Class) String() string {
	switch c {
	case StatusDelivered:
		return "delivered"
	case StatusTrying:
		return "still trying"
	case StatusFailed:
		return "failed"
	case StatusGaveUp:
		return "gave up"
	}
	return fmt.Sprintf("Class(%d)", uint8(c))
}

// Class interprets the status. Reserved values go by bits 6 and 5, so that a guess which turns out
// wrong is at least of the right finality, except 0x03-0x0F and 0x80-0xFF: a value that would
// otherwise claim delivery, or has no class, is read as 0x63 "service rejected", as TS 23.040
// demands of all.
func (s Status) Class() Class {
	switch {
	case s == statusReplaced:
		return StatusFailed
	case s <= 0x01, s >= 0x10 && s <= 0x1F:
		return StatusDelivered
	case s >= 0x20 && s <= 0x3F:
		return StatusTrying
	case s >= 0x40 && s <= 0x5F:
		return StatusFailed
	}
	return StatusGaveUp
}

// Final says whether this is the last word: no further report is to be expected.
func (s Status) Final() bool { return s.Class() != StatusTrying }

// String returns the meaning in the words of TS 23.040.
func (s Status) String() string {
	switch {
	case int(s) < len(statusText) && statusText[s] != "":
		return statusText[s]
	case s < 0x80 && s&0x10 != 0:
		return fmt.Sprintf("value 0x%02X specific to the SC: %s", uint8(s), s.Class())
	}
	return fmt.Sprintf("reserved value 0x%02X: %s", uint8(s), s.Class())
}

const statusReplaced Status = 0x02

var statusText = [...]string{
	0x00:           "short message received by the SME",
	0x01:           "short message forwarded by the SC to the SME but the SC is unable to confirm delivery",
	statusReplaced: "short message replaced by the SC",

	0x20: "congestion, still trying",
	0x21: "SME busy, still trying",
	0x22: "no response from SME, still trying",
	0x23: "service rejected, still trying",
	0x24: "quality of service not available, still trying",
	0x25: "error in SME, still trying",

	0x40: "remote procedure error",
	0x41: "incompatible destination",
	0x42: "connection rejected by SME",
	0x43: "not obtainable",
	0x44: "quality of service not available",
	0x45: "no interworking available",
	0x46: "SM validity period expired",
	0x47: "SM deleted by originating SME",
	0x48: "SM deleted by SC administration",
	0x49: "SM does not exist",

	0x60: "congestion, no more attempts",
	0x61: "SME busy, no more attempts",
	0x62: "no response from SME, no more attempts",
	0x63: "service rejected, no more attempts",
	0x64: "quality of service not available, no more attempts",
	0x65: "error in SME, no more attempts",
}
