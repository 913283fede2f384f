package virtual

import (
	"errors"
	"fmt"
	"strconv"
)

// Results of a command besides nil, which is OK.
var (
	errSyntax    = errors.New("ERROR")      // V.250 5.7.1: not understood, or invalid parameters
	errNoCarrier = errors.New("NO CARRIER") // no call is possible
	errPending   = errors.New("answered later")
)

// cmsError and cmeError are failures of the message service (27.005 3.2.5) and of the ME
// (27.007 9.2).
type (
	cmsError int
	cmeError int
)

// Codes the simulated ME and network come to by themselves; faults may use any other.
const (
	cmsInvalidMandatory cmsError = 96 // TS 24.011 8.2.5.4
	cmsUnknownType      cmsError = 97
	cmsNotAllowed       cmsError = 302
	cmsNotSupported     cmsError = 303
	cmsInvalidPDU       cmsError = 304
	cmsInvalidText      cmsError = 305
	cmsNoSIM            cmsError = 310
	cmsSIMPIN           cmsError = 311
	cmsSIMFailure       cmsError = 313
	cmsSIMPUK           cmsError = 316
	cmsSIMBusy          cmsError = 314
	cmsInvalidIndex     cmsError = 321
	cmsSMSCUnknown      cmsError = 330
	cmsNoNetwork        cmsError = 331
	cmsNoAckExpected    cmsError = 340

	cmeNotAllowed    cmeError = 3
	cmeNotSupported  cmeError = 4
	cmeNoSIM         cmeError = 10
	cmeSIMPIN        cmeError = 11
	cmeSIMPUK        cmeError = 12
	cmeSIMFailure    cmeError = 13
	cmeSIMBusy       cmeError = 14
	cmeWrongPassword cmeError = 16
	cmeNoNetwork     cmeError = 30
)

func (e cmsError) Error() string { return fmt.Sprintf("+CMS ERROR: %d", int(e)) }
func (e cmeError) Error() string { return fmt.Sprintf("+CME ERROR: %d", int(e)) }

// final ends a command line with its final result code.
//
// +CMEE governs +CMS ERROR as it does +CME ERROR: 27.005 leaves it open, and ME by Siemens,
// Wavecom, Qualcomm and Huawei do so. Neither depends on ATV (27.007 9.2), nor on ATQ.
func (s *session) final(result error) {
	if result == errPending {
		return
	}
	text, numeric := "OK", "0"
	switch e := result.(type) {
	case nil:
	case cmsError:
		text, numeric = s.extendedResult("+CMS ERROR: ", int(e), cmsTexts)
	case cmeError:
		text, numeric = s.extendedResult("+CME ERROR: ", int(e), cmeTexts)
	default:
		text, numeric = e.Error(), "4"
		if result == errNoCarrier {
			numeric = "3"
		}
	}
	s.between()
	if s.informed && s.d.opts.Quirks.BlankLine {
		s.answer = append(s.answer, cr, lf)
	}
	s.informed = false
	switch {
	case numeric == "":
		s.answer = appendFramed(s.answer, text)
	case s.d.settings.quiet:
	case s.d.settings.verbose:
		s.answer = s.d.appendLine(s.answer, text)
	default:
		s.answer = append(append(s.answer, numeric...), s.d.settings.s3)
	}
	s.flush()
	after := s.after
	s.after = nil
	for _, f := range after {
		f()
	}
}

// extendedResult is an error result as +CMEE wants it; numeric is empty when ATV has no say.
func (s *session) extendedResult(prefix string, code int, texts map[int]string) (text, numeric string) {
	switch s.d.settings.cmee {
	case 0:
		return "ERROR", "4"
	case 2:
		if t, known := texts[code]; known {
			return prefix + t, ""
		}
	}
	return prefix + strconv.Itoa(code), ""
}

// info adds one information text to the answer.
func (s *session) info(text string) {
	s.between()
	s.answer = s.d.appendLine(s.answer, text)
	s.informed = true
	if end := s.d.opts.Quirks.LineEnd; end != "" && s.d.settings.verbose {
		s.answer = append(s.answer[:len(s.answer)-2], end...)
	}
}

func (s *session) infof(format string, args ...any) { s.info(fmt.Sprintf(format, args...)) }

// between is the gap before a line of an answer, where an unsolicited result code may stand.
func (s *session) between() {
	if len(s.d.faults) == 0 {
		return
	}
	for _, f := range s.d.fire(OnLine, "", "") {
		s.noise(f)
	}
}

// appendLine adds a line with the head and tail of V.250 5.7.1.
func (d *Dongle) appendLine(b []byte, text string) []byte {
	if d.settings.verbose {
		b = append(b, d.settings.s3, d.settings.s4)
	}
	b = append(b, text...)
	return append(b, d.settings.s3, d.settings.s4)
}

func appendFramed(b []byte, text string) []byte {
	b = append(b, cr, lf)
	b = append(b, text...)
	return append(b, cr, lf)
}

// cmsTexts are the causes of TS 24.011 annex E-2, TS 23.040 9.2.3.22 and 27.005 3.2.5.
var cmsTexts = map[int]string{
	1: "unassigned (unallocated) number", 8: "operator determined barring", 10: "call barred",
	21: "short message transfer rejected", 27: "destination out of service",
	28: "unidentified subscriber", 29: "facility rejected", 30: "unknown subscriber",
	38: "network out of order", 41: "temporary failure", 42: "congestion",
	47: "resources unavailable, unspecified", 50: "requested facility not subscribed",
	69: "requested facility not implemented", 81: "invalid short message transfer reference value",
	95: "invalid message, unspecified", 96: "invalid mandatory information",
	97:  "message type non-existent or not implemented",
	98:  "message not compatible with short message protocol state",
	99:  "information element non-existent or not implemented",
	111: "protocol error, unspecified", 127: "interworking, unspecified",
	192: "SC busy", 193: "no SC subscription", 194: "SC system failure",
	195: "invalid SME address", 196: "destination SME barred", 197: "SM rejected-duplicate SM",
	300: "ME failure", 301: "SMS service of ME reserved", 302: "operation not allowed",
	303: "operation not supported", 304: "invalid PDU mode parameter",
	305: "invalid text mode parameter", 310: "(U)SIM not inserted", 311: "(U)SIM PIN required",
	313: "(U)SIM failure", 314: "(U)SIM busy", 315: "(U)SIM wrong", 316: "(U)SIM PUK required",
	320: "memory failure", 321: "invalid memory index", 322: "memory full",
	330: "SMSC address unknown", 331: "no network service", 332: "network timeout",
	340: "no +CNMA acknowledgement expected", 500: "unknown error",
}

// cmeTexts are those of 27.007 9.2.1.
var cmeTexts = map[int]string{
	0: "phone failure", 1: "no connection to phone", 3: "operation not allowed",
	4: "operation not supported", 10: "SIM not inserted", 11: "SIM PIN required",
	12: "SIM PUK required", 13: "SIM failure", 14: "SIM busy", 15: "SIM wrong",
	16: "incorrect password", 20: "memory full", 21: "invalid index", 22: "not found",
	23: "memory failure", 30: "no network service", 31: "network timeout",
	32: "network not allowed - emergency calls only", 50: "incorrect parameters", 100: "unknown",
}
