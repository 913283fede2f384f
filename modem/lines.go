package modem

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// want says which lines answer a command, besides the final result.
type want struct {
	// prefix is that of the answer, such as +CSQ, without the colon.
	prefix string
	// bare allows, or for some dongles replaces, a line without a prefix.
	bare bare
}

type bare uint8

const (
	bareNone   bare = iota
	bareDigits      // IMEI, IMSI, ICCID
	bareText        // manufacturer, model, revision
	barePDU         // the line after +CMGR
)

// lastLine is the time from "+CMGS: mr", which says that the message was accepted, to OK.
const lastLine = 5 * time.Second

// take deals with one line: a part of a URC, of the answer in progress, or a URC of its own.
func (f *filter) take(line []byte) {
	if u, done, taken := f.joiner.add(line, f.handedPDU()); taken {
		if done {
			f.urc(u)
		}
		return
	}
	if f.answers(line) {
		return
	}
	if u, ok := parseURC(line); ok {
		f.urc(u)
	}
}

func (f *filter) handedPDU() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ex.pdu
}

// answers passes line on if it belongs to the exchange in progress.
func (f *filter) answers(line []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ex.phase < asked {
		// Nobody asked. A final result out of nowhere is no URC either.
		return finalResult(line) != notFinal
	}
	switch finalResult(line) {
	case finalOK, finalError:
		f.finish(line, line)
	case finalVendor:
		f.finish(line, []byte("ERROR"))
	case finalCall:
		// We never dial. It ends a call that came in, unless the port was in a data call and
		// took our command for data: then nothing else will come. But a PDU waits on.
		if f.ex.pdu != "" || f.joiner.ringing {
			return true
		}
		f.finish(line, []byte("ERROR"))
	default:
		if !f.ex.accepts(line) {
			return false
		}
		if f.ex.pdu != "" {
			f.setDeadline(lastLine)
		}
		f.emit(line)
	}
	return true
}

// finish ends the exchange with the final result line, told to at in its own words. It needs mu.
// A PDU that is not on its way yet stays here: see admit.
func (f *filter) finish(line, told []byte) {
	f.ex.phase = idle
	if len(line) != len("OK") {
		f.ex.final = string(line)
	}
	f.emit(told)
}

func (f *filter) emit(line []byte) {
	f.out = append(append(f.out, line...), '\r', '\n')
}

// accepts says whether line is part of the answer.
func (ex *exchange) accepts(line []byte) bool {
	w := ex.want
	if w.prefix != "" && bytes.HasPrefix(line, []byte(w.prefix)) && len(line) > len(w.prefix) && line[len(w.prefix)] == ':' {
		switch {
		case ex.pdu != "":
			// Before the PDU it answers an older one.
			return ex.phase == handed
		case isRegistration(w.prefix):
			return isRegistrationAnswer(line[len(w.prefix)+1:])
		}
		return true
	}
	switch w.bare {
	case bareDigits:
		digits := bytes.Trim(line, `"`)
		return isHex(digits) && len(digits) >= 10 && len(digits) < minPDU
	case barePDU:
		return isHex(line) && len(line) >= minPDU
	case bareText:
		return isBareText(line)
	}
	return false
}

// A URC that is a word and not a name.
var urcWords = map[string]bool{
	"RING": true, "RDY": true, "CALL READY": true, "SMS READY": true, "SMS DONE": true,
	"PB DONE": true, "NORMAL POWER DOWN": true, "OVER-VOLTAGE WARNNING": true,
	"UNDER-VOLTAGE WARNNING": true,
}

func isBareText(line []byte) bool {
	c := line[0]
	letter := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '"'
	upper := strings.ToUpper(string(line))
	return letter && !urcWords[upper] && !strings.HasPrefix(upper, "AT+")
}

type final uint8

const (
	notFinal final = iota
	finalOK
	finalError  // known to package at
	finalVendor // a maker's own for ERROR
	finalCall   // the end of a call (V.250 section 5.7.1)
)

var otherFinals = map[string]final{
	"COMMAND NOT SUPPORT": finalVendor, "COMMAND NOT SUPPORTED": finalVendor,
	"NOT SUPPORT": finalVendor, "NOT SUPPORTED": finalVendor,
	"TOO MANY PARAMETERS": finalVendor, "ABORTED": finalVendor, "ABORT": finalVendor,
	"UNKNOWN COMMAND": finalVendor, "+CME ERROR": finalVendor, "+CMS ERROR": finalVendor,
	"NO CARRIER": finalCall, "BUSY": finalCall, "NO ANSWER": finalCall,
	"NO DIALTONE": finalCall, "NO DIAL TONE": finalCall,
}

func finalResult(line []byte) final {
	switch {
	case len(line) == 2 && line[0] == 'O' && line[1] == 'K':
		return finalOK
	case bytes.HasPrefix(line, []byte("ERROR")),
		bytes.HasPrefix(line, []byte("+CME ERROR:")), bytes.HasPrefix(line, []byte("+CMS ERROR:")):
		return finalError
	}
	return otherFinals[string(line)]
}

// A joiner puts URCs of several lines together: those with a PDU on a line of its own, between
// which and its header anything else may come, and +CUSD, whose quoted text may hold line ends
// and so a line that reads OK.
type joiner struct {
	header  string // that waits for its PDU
	quoted  int    // lines of a quoted text so far; 0 outside
	ringing bool   // a call came in
}

// maxQuoted bounds the lines of a quoted text, should its end be lost.
const maxQuoted = 32

// add takes line if it is part of such a URC; done says that u is complete. echo is the PDU
// that we handed over, which a dongle may echo and which must not pass for another's.
func (j *joiner) add(line []byte, echo string) (u urc, done, taken bool) {
	if j.quoted > 0 {
		if j.quoted++; closesQuote(line) || j.quoted > maxQuoted {
			j.quoted = 0
		}
		return urc{}, false, true
	}
	if j.header != "" && line[0] != '+' && j.fits(line) && !strings.EqualFold(string(line), echo) {
		u = urc{kind: urcReport, text: string(line)}
		done = strings.HasPrefix(j.header, "+CDS:")
		j.header = ""
		return u, done, true
	}
	if line[0] != '+' && line[0] != 'R' {
		return urc{}, false, false
	}
	switch name, _, _ := bytes.Cut(line, []byte(":")); string(name) {
	case "+CDS", "+CMT", "+CBM":
		j.header = string(line)
		return urc{}, false, true
	case "+CUSD":
		if i := bytes.IndexByte(line, '"'); i >= 0 && !closesQuote(line[i+1:]) {
			j.quoted = 1
		}
		return urc{}, false, true
	case "RING", "+CRING", "+CLIP":
		j.ringing = true
		return urc{}, false, true
	}
	return urc{}, false, false
}

// fits says whether line is a PDU of the length that the header tells: "+CDS: 25", ZTE's
// "+CDS: ,25", "+CMT: \"name\",25". The SCA comes on top, and so may filling.
func (j *joiner) fits(line []byte) bool {
	if !isHex(line) || len(line)%2 != 0 {
		return false
	}
	_, args, _ := strings.Cut(j.header, ":")
	octets, err := strconv.Atoi(strings.TrimSpace(args[strings.LastIndexByte(args, ',')+1:]))
	if err != nil {
		return len(line) >= minPDU
	}
	return len(line) >= 2*octets
}

// closesQuote says whether a quoted text ends with line: a quote, and at most <dcs> behind it.
func closesQuote(line []byte) bool {
	i := bytes.LastIndexByte(line, '"')
	return i >= 0 && len(bytes.Trim(line[i+1:], ", 0123456789")) == 0
}
