package modem

import (
	"bytes"
	"slices"
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
	// lone says that the line comes without OK.
	lone bool
}

type bare uint8

const (
	bareNone   bare = iota
	bareDigits      // IMEI, IMSI, ICCID
	bareText        // manufacturer, model, revision
	barePDU         // the line after each +CMGR or +CMGL
)

// lastLine is the time from "+CMGS: mr", which says that the message was accepted, to OK.
const lastLine = 5 * time.Second

// take deals with one line: a part of a URC, of the answer in progress, or a URC of its own.
func (f *filter) take(line []byte) {
	u, done, taken := f.joiner.add(line, f.handedPDU())
	if done {
		f.urc(u)
	}
	if taken {
		return
	}
	if f.joiner.ringing && finalResult(line) == finalCall {
		f.joiner.ringing = false
		f.urc(urc{kind: urcCallEnded})
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
		// We never dial, and no call came in: the port was in a data call and took our command
		// for data, so that nothing else will come. But a PDU waits on.
		if f.ex.pdu != "" {
			return true
		}
		f.finish(line, []byte("ERROR"))
	default:
		if !f.ex.accepts(line) {
			return false
		}
		f.ex.headed = line[0] == '+'
		if f.ex.pdu != "" {
			f.setDeadline(lastLine)
		}
		f.emit(line)
		if f.ex.want.lone {
			f.finish([]byte("OK"), []byte("OK"))
		}
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
		return ex.headed && looksHex(line)
	case bareText:
		return isBareText(line)
	}
	return false
}

// looksHex takes for a PDU what begins as one and goes on as long, whatever came of the rest of it:
// better archived as it is than left on the SIM for ever.
func looksHex(line []byte) bool {
	return isHex(line) || len(line) >= minPDU && isHex(line[:4])
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
	headers []string // that wait for their PDUs, the latest last
	quoted  []string // the lines so far of +CUSD with a text that goes on; nil outside
	strayed string   // a +CMT of text mode, whose text is the next line
	ringing bool     // a call came in and has not ended
}

// maxQuoted bounds the lines of a quoted text, should its end be lost.
const maxQuoted = 32

// add takes line if it is part of such a URC, or of a call; done says that u is complete, even if
// line is none of it. echo is
// the PDU that we handed over, which a dongle may echo and which must not pass for another's.
func (j *joiner) add(line []byte, echo string) (u urc, done, taken bool) {
	if j.quoted != nil {
		u, done = j.quote(line)
		return u, done, true
	}
	if header := j.strayed; header != "" {
		j.strayed = ""
		if finalResult(line) != notFinal { // an empty text has no line
			return urc{kind: urcTextMode, text: header}, true, false
		}
		return urc{kind: urcTextMode, text: header + "\n" + string(line)}, true, true
	}
	if header := j.headerOf(line, echo); header != "" {
		u = urc{kind: urcTPDU, text: string(line), report: strings.HasPrefix(header, "+CDS:")}
		return u, !strings.HasPrefix(header, "+CBM:"), true
	}
	if line[0] != '+' && line[0] != 'R' {
		return urc{}, false, false
	}
	switch name, args, _ := bytes.Cut(line, []byte(":")); string(name) {
	case "+CDS", "+CMT", "+CBM":
		if isTextMode(string(name), string(args)) {
			return j.stray(string(name), string(line))
		}
		j.headers = append(j.headers[max(0, len(j.headers)+1-maxHeaders):], string(line))
		return urc{}, false, true
	case "+CUSD":
		if i := bytes.IndexByte(args, '"'); i >= 0 && !closesQuote(args[i+1:]) {
			j.quoted = []string{string(args)}
			return urc{}, false, true
		}
		return urc{kind: urcUSSD, text: string(args)}, true, true
	case "RING", "+CRING":
		j.ringing = true
		return urc{kind: urcRing}, true, true
	case "+CLIP":
		j.ringing = true
		return urc{kind: urcCaller, text: string(args)}, true, true
	}
	return urc{}, false, false
}

// isTextMode tells "+CMT: <oa>,[<alpha>],<scts>…" and "+CDS: <fo>,<mr>,[<ra>],[<tora>],<scts>…" of text
// mode (TS 27.005 section 3.4.1) from "+CMT: [<alpha>],<length>" and "+CDS: [,]<length>".
func isTextMode(name, args string) bool { return name != "+CBM" && field(args, 2) != "" }

// stray takes the header of a URC of text mode. A status report is all in it.
func (j *joiner) stray(name, line string) (u urc, done, taken bool) {
	if name == "+CDS" {
		return urc{kind: urcTextMode, text: line}, true, true
	}
	j.strayed = line
	return urc{}, false, true
}

// quote takes a further line of a +CUSD.
func (j *joiner) quote(line []byte) (u urc, done bool) {
	j.quoted = append(j.quoted, string(line))
	if !closesQuote(line) && len(j.quoted) <= maxQuoted {
		return urc{}, false
	}
	u = urc{kind: urcUSSD, text: strings.Join(j.quoted, "\n")}
	j.quoted = nil
	return u, true
}

// maxHeaders is how many URCs may begin one inside the other before the first counts as lost.
const maxHeaders = 3

// headerOf returns the latest header for which line is the PDU, which then waits no longer; "" if
// there is none, or if line is the echo of ours.
func (j *joiner) headerOf(line []byte, echo string) string {
	if len(j.headers) == 0 || !isHex(line) || len(line)%2 != 0 || strings.EqualFold(string(line), echo) {
		return ""
	}
	for i, header := range slices.Backward(j.headers) {
		if fits(header, line) {
			j.headers = slices.Delete(j.headers, i, i+1)
			return header
		}
	}
	return ""
}

// fits says whether line is a PDU of the length that the header tells: "+CDS: 25", ZTE's
// "+CDS: ,25", "+CMT: \"name\",25". The SCA comes on top, and so may filling.
func fits(header string, line []byte) bool {
	_, args, _ := strings.Cut(header, ":")
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
