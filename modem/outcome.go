package modem

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Action says what a failed submission asks of the scheduler.
type Action uint8

const (
	// Permanent: this message will never be accepted; it fails.
	Permanent Action = iota + 1
	// SIMFault: the SIM, its subscription or its service centre is at fault. Pause the SIM and
	// show Fault.Warning; the message keeps its place.
	SIMFault
	// Transient: try again after Fault.Delay, growing, at most Fault.Tries times.
	Transient
	// ModemFault: the dongle has to recover first; the attempt does not count.
	ModemFault
	// Ambiguous: the service centre may hold the message. It must not be sent again unasked.
	Ambiguous
)

var actionNames = [...]string{"none", "permanent", "SIM fault", "transient", "modem fault", "ambiguous"}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return "Action(" + strconv.Itoa(int(a)) + ")"
}

// Fault is why a submission failed, and what follows from it.
type Fault struct {
	Action Action
	// Code and Family are those of the final result: Family is "CMS" (TS 27.005 section 3.2.5),
	// "CME" (TS 27.007 section 9.2), or "" for a failure without a number.
	Code   int
	Family string
	// Text is the meaning in the standard's words.
	Text string
	// Result is the RESULT_ name that SMSGate's clients know for it.
	Result string
	// Delay is the suggested first back-off; 0 leaves it to the scheduler.
	Delay time.Duration
	// Tries bounds the attempts of a Transient fault, after which it is permanent; 0 leaves it
	// to the scheduler.
	Tries int
	// Warning names, for a SIMFault and some ModemFaults, what a person has to look at.
	Warning string
}

func (f Fault) String() string {
	if f.Family == "" {
		return f.Text
	}
	return fmt.Sprintf("+%s ERROR: %d (%s)", f.Family, f.Code, f.Text)
}

// SubmitError is the error of a submission. It says whose fault it is (Fault.Action) and whether
// the message may have left.
type SubmitError struct {
	Fault Fault
	// Submitted says that the PDU may have been handed to the dongle, up to its Ctrl-Z. False
	// means that the message certainly did not leave.
	Submitted bool
	// Err is the cause below, such as context.Canceled; it may be nil.
	Err error
}

func (e *SubmitError) Error() string {
	s := e.Fault.String()
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *SubmitError) Unwrap() error { return e.Err }

// CMS is the fault behind the final result "+CMS ERROR: code" in answer to a PDU that was sent.
func CMS(code int) Fault { return lookup("CMS", cmsFaults, code, unknownCMS) }

// CME is the fault behind the final result "+CME ERROR: code" in answer to a PDU that was sent.
func CME(code int) Fault { return lookup("CME", cmeFaults, code, unknownCME) }

// A causeRow is one line of a cause table: the codes first to last share one fault.
type causeRow struct {
	first, last int
	action      Action
	text        string
	result      string
	delay       time.Duration
	tries       int
	warning     string
}

func (r causeRow) fault(family string, code int) Fault {
	return Fault{
		Action: r.action, Code: code, Family: family, Text: r.text, Result: r.result,
		Delay: r.delay, Tries: r.tries, Warning: r.warning,
	}
}

func lookup(family string, rows []causeRow, code int, unknown func(int) causeRow) Fault {
	for _, r := range rows {
		if r.first <= code && code <= r.last {
			return r.fault(family, code)
		}
	}
	return unknown(code).fault(family, code)
}

// causeOf reads the number of a final result. A dongle that ignores AT+CMEE=1 says it in words
// (AT+CMEE=2), which are looked up among the texts of the table.
func causeOf(value string, rows []causeRow) (code int, ok bool) {
	value = strings.TrimSpace(value)
	if n, err := strconv.Atoi(value); err == nil {
		return n, true
	}
	for _, r := range rows {
		if r.first == r.last && plainCause(r.text) == plainCause(value) {
			return r.first, true
		}
	}
	return 0, false
}

// plainCause removes what differs between the dongles' spellings of a cause.
func plainCause(s string) string {
	return strings.NewReplacer("(u)sim", "sim", "-", " ").Replace(strings.ToLower(s))
}

// beforePDU is the fault of a final result that came instead of the prompt. The message did not
// leave, so that what would be ambiguous afterwards is only worth another try.
func (f Fault) beforePDU() Fault {
	if f.Action == Ambiguous {
		f.Action, f.Delay = Transient, retrySoon
	}
	return f
}

// faultOfFinal reads a final result line other than OK.
func faultOfFinal(line string) Fault {
	family, value, _ := strings.Cut(line, " ERROR:")
	f := plainError
	switch family {
	case "+CMS":
		if code, ok := causeOf(value, cmsFaults); ok {
			return CMS(code)
		}
		f.Text = strings.TrimSpace(value)
	case "+CME":
		if code, ok := causeOf(value, cmeFaults); ok {
			return CME(code)
		}
		f.Text = strings.TrimSpace(value)
	case "ERROR":
	default:
		f.Text = line
	}
	return f
}

func (f Fault) isNoService() bool {
	return f.Family == "CMS" && f.Code == 331 || f.Family == "CME" && f.Code == 30
}

// isSIMBusy says that the SIM is not ready for messages yet. 512, 513 and 515 are what makers
// give instead of 314 after a start.
func (f Fault) isSIMBusy() bool {
	switch f.Family {
	case "CME":
		return f.Code == 14
	case "CMS":
		return f.Code == 314 || f.Code == 512 || f.Code == 513 || f.Code == 515
	}
	return false
}

// plainError is ERROR without a number, in answer to a PDU that was sent.
var plainError = Fault{Action: Ambiguous, Text: "ERROR without a cause", Result: resGeneric}
