package modem

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
)

// A tracer logs the dialogue line by line, without what must not be read in a log: the PIN, and
// PDUs and USSD texts, which hold numbers and messages. Package trace of the modem library
// would log them as they are.
type tracer struct{ log *slog.Logger }

// newTracer returns nil, which traces nothing, unless log is at level Debug.
func newTracer(log *slog.Logger) *tracer {
	if !log.Enabled(context.Background(), slog.LevelDebug) {
		return nil
	}
	return &tracer{log}
}

func (t *tracer) received(line []byte) {
	if t != nil {
		t.log.Debug("modem said", "line", redact(line))
	}
}

func (t *tracer) sent(b []byte) {
	if t != nil {
		t.log.Debug("said to modem", "line", redact(b))
	}
}

// minPDU is the length from which a run of hex digits counts as a PDU; an IMEI, an IMSI and an
// ICCID are shorter.
const minPDU = 24

func redact(b []byte) string {
	b = bytes.TrimRight(b, "\r\n\x1a")
	if isHex(b) && len(b) >= minPDU {
		return fmt.Sprintf("<PDU of %d octets>", len(b)/2)
	}
	for _, secret := range []string{"+CPIN=", "+CUSD:"} {
		if i := bytes.Index(bytes.ToUpper(b), []byte(secret)); i >= 0 {
			return fmt.Sprintf("%q<masked>", b[:i+len(secret)])
		}
	}
	return fmt.Sprintf("%q", b)
}

func isHex(b []byte) bool {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return len(b) > 0
}
