package modem

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// A tracer keeps the dialogue of one session, and logs it at level Debug without what must not be
// read in a log: the PIN, and PDUs, texts and numbers. Package trace of the modem library would log
// them as they are.
type tracer struct {
	log   *slog.Logger
	debug bool
	ring  *ring
	// pin is the PIN in quotes; nil for none.
	pin []byte
	// quoted and body belong to the reader of the port: the lines so far of a +CUSD whose quote is
	// open, and that the next line may be the text of a message in text mode.
	quoted int
	body   bool
}

func newTracer(log *slog.Logger, ring *ring, pin string) *tracer {
	t := &tracer{log: log, debug: log.Enabled(context.Background(), slog.LevelDebug), ring: ring}
	if pin != "" {
		t.pin = []byte(`"` + pin + `"`)
	}
	return t
}

func (t *tracer) received(line []byte) {
	if t != nil {
		t.note("modem said", heard, t.isPrivate(line), line)
	}
}

func (t *tracer) sent(b []byte) {
	if t != nil {
		t.note("said to modem", said, false, bytes.TrimRight(b, "\r\n\x1a"))
	}
}

func (t *tracer) note(what string, kind lineKind, private bool, text []byte) {
	text = t.conceal(text)
	t.ring.add(kind, private, text)
	if t.debug {
		line := tracedLine{kind: kind, private: private, text: text}
		t.log.Debug(what, "line", line.show(false))
	}
}

// conceal takes the PIN out: what follows +CPIN=, said by us or echoed, and wherever else an echo
// that was torn apart may show it in its quotes.
func (t *tracer) conceal(b []byte) []byte {
	if i := bytes.IndexByte(b, '='); i >= 5 && strings.EqualFold(string(b[i-5:i]), "+CPIN") {
		return append(bytes.Clone(b[:i+1]), "<masked>"...)
	}
	if t.pin != nil && bytes.Contains(b, t.pin) {
		return bytes.ReplaceAll(b, t.pin, []byte("<masked>"))
	}
	return b
}

// isPrivate says whether line is a text by what came before it.
func (t *tracer) isPrivate(line []byte) bool {
	if t.quoted > 0 {
		if t.quoted++; closesQuote(line) || t.quoted > maxQuoted {
			t.quoted = 0
		}
		return true
	}
	body := t.body && line[0] != '+' && finalResult(line) == notFinal
	name, args, _ := bytes.Cut(line, []byte(":"))
	switch string(name) {
	case "+CMT", "+CMGL", "+CMGR", "+CBM":
		t.body = true
	case "+CUSD":
		if i := bytes.IndexByte(args, '"'); i >= 0 && !closesQuote(args[i+1:]) {
			t.quoted = 1
		}
	default:
		t.body = t.body && (body || line[0] == '+')
	}
	return body
}

// minPDU is the length from which a run of hex digits counts as a PDU; an IMEI, an IMSI and an
// ICCID are shorter.
const minPDU = 24

var (
	pduRun = regexp.MustCompile(fmt.Sprintf("[0-9A-Fa-f]{%d,}", minPDU))
	// quotedNumber is a telephone number; a quoted cell or version number has letters or is shorter.
	quotedNumber = regexp.MustCompile(`"\+?[0-9*#]{5,}"`)
	// fromMemory are the answers that may name a sender, and quotedName what does, other than <stat> of
	// text mode.
	fromMemory = regexp.MustCompile(`^\+CMG[LR]:`)
	quotedName = regexp.MustCompile(`"[^"]*[^"0-9+*#/:, -][^"]*"`)
	quotedStat = regexp.MustCompile(`^"(REC|STO) [A-Z]+"$`)
	// named are the answers and URCs that hold a text or the name of a person.
	named = regexp.MustCompile(`(?i)(\+CUSD[:=]|\+CNUM:|\+CLIP:|\+CMT:|\+CMGW=).*`)
)

// show gives the line, masked unless texts are asked for. Identities stay: they say which SIM it was.
func (l *tracedLine) show(texts bool) string {
	text := printable(l.text)
	switch {
	case l.kind == remark:
		return "# " + text
	case texts:
		return text
	case l.private:
		return "<masked>"
	}
	text = named.ReplaceAllString(text, "$1<masked>")
	text = pduRun.ReplaceAllStringFunc(text, func(hex string) string {
		return fmt.Sprintf("<PDU of %d octets>", len(hex)/2)
	})
	if fromMemory.MatchString(text) {
		text = quotedName.ReplaceAllStringFunc(text, func(name string) string {
			if quotedStat.MatchString(name) {
				return name
			}
			return `"<name>"`
		})
	}
	return quotedNumber.ReplaceAllString(text, `"<number>"`)
}

// printable writes octets outside ASCII's printing ones as \xNN: a line may be noise.
func printable(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if c < ' ' || c > '~' {
			fmt.Fprintf(&s, `\x%02x`, c)
			continue
		}
		s.WriteByte(c)
	}
	return s.String()
}

func isHex(b []byte) bool {
	for _, c := range b {
		if !('0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return len(b) > 0
}

// Trace is the latest of the dialogue, oldest line first. The PIN is never in it; PDUs, texts and
// telephone numbers are only if texts is set.
func (w *Worker) Trace(texts bool) []TraceLine { return w.ring.last(ringLines, texts) }

// dumpLines is how much of the dialogue goes into the log when a session dies.
const dumpLines = 40

// dump is the end of the dialogue for the log.
func (w *Worker) dump() string {
	var b strings.Builder
	for _, line := range w.ring.last(dumpLines, false) {
		way := "< "
		switch {
		case line.Sent:
			way = "> "
		case strings.HasPrefix(line.Text, "# "):
			way = ""
		}
		b.WriteString(line.At.Format("15:04:05.000 ") + way + line.Text + "\n")
	}
	return b.String()
}

// remark puts a remark of ours into the trace.
func (w *Worker) remark(text string) { w.ring.add(remark, false, []byte(text)) }
