package probe

import (
	"strings"
	"unicode/utf8"
)

// value is the first thing in a reply to cmd that take makes something of. Most dongles answer with
// the bare value, some with the name of the command before it. URCs, which have a name or are one of
// a few words, and the echo are passed over.
func (r reply) value(cmd string, take func(string) string) string {
	for _, line := range r.lines {
		bare, named := strings.CutPrefix(line, cmd)
		if named {
			bare, named = strings.CutPrefix(bare, ":")
		}
		if !named && !isBare(line) {
			continue
		}
		if v := take(strings.Trim(strings.TrimSpace(bare), `"`)); v != "" {
			return v
		}
	}
	return ""
}

// urcWords are the URCs that are words and not names.
var urcWords = []string{
	"RING", "RDY", "CALL READY", "SMS READY", "SMS DONE", "PB DONE", "NORMAL POWER DOWN",
	"OVER-VOLTAGE", "UNDER-VOLTAGE", "NO CARRIER",
}

// isBare says that line may be an answer without a name before it. Octets that are no text are noise.
func isBare(line string) bool {
	if strings.ContainsRune("+^*$#!_%&>", rune(line[0])) || !utf8.ValidString(line) {
		return false
	}
	upper := strings.ToUpper(line)
	for _, word := range urcWords {
		if strings.HasPrefix(upper, word) {
			return false
		}
	}
	return !strings.HasPrefix(upper, "AT+") // the echo
}

// maxText bounds names of makers and models; the standard allows 2048 characters.
const maxText = 100

func freeText(s string) string {
	s = printable(s)
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText])
	}
	return s
}

// digits takes a number of least to most digits, whatever stands around it: "IMEI: 35…", `35…,"SV"`.
func digits(least, most int) func(string) string {
	return func(s string) string {
		for _, run := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || '9' < r }) {
			if isDigits(run, least, most) {
				return run
			}
		}
		return ""
	}
}

// isFinal recognises a final result (V.250 section 5.7.1, TS 27.007 section 9.2), makers' own included.
func isFinal(line string) bool {
	switch line {
	case "OK", "ERROR", "NO CARRIER", "COMMAND NOT SUPPORT", "NOT SUPPORT", "UNKNOWN COMMAND", "ABORTED":
		return true
	}
	return strings.HasPrefix(line, "+CME ERROR:") || strings.HasPrefix(line, "+CMS ERROR:")
}

// isNMEA recognises a sentence of NMEA 0183: $, two letters for the talker, three for the kind.
func isNMEA(line string) bool {
	const comma = 6
	return len(line) > comma && line[0] == '$' && line[comma] == ',' &&
		strings.Trim(line[1:comma], "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
